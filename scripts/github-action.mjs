// What action.yml runs: makes the report, writes it into the job's summary and into one comment of the pull request, and ends as the report does.
// It uses only Node.js, because the action's checkout has no packages.
// @ts-check
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const {
  PULUMI_PREVIEW,
  TERRAFORM_PLAN,
  TERRAFORM_MESSAGES,
  FAIL_ON,
  HTML,
  COMMENT_ID = "default",
  COMMENT_TOKEN = "",
  REPORT_COMMAND,
  RUNNER_TEMP = tmpdir(),
  GITHUB_API_URL = "https://api.github.com",
  GITHUB_REPOSITORY = "",
  GITHUB_EVENT_PATH = "",
  GITHUB_STEP_SUMMARY,
  GITHUB_OUTPUT,
  // The command that makes the report needs no token.
  ...environment
} = process.env;

/** How long GitHub may take to answer, in milliseconds. */
const ANSWER_TIMEOUT_MS = 30_000;
const COMMENTS_PER_PAGE = 100;
/** GitHub shows no comment's HTML comments. It tells this comment from others. */
const MARKER = `<!-- ami-launch-permissions: ${COMMENT_ID.replace(/[^\w.]+/g, "-")} -->`;

const { code, markdown, report } = makeReport();
if (GITHUB_STEP_SUMMARY) appendFileSync(GITHUB_STEP_SUMMARY, `${markdown}\n`);
output("risks", report?.summary.risks.join(",") ?? "");
await comment();
process.exitCode = code;

/** @returns {{ code: number, markdown: string, report: { amis: unknown[], summary: { risks: string[] } } | undefined }} */
function makeReport() {
  const folder = mkdtempSync(join(RUNNER_TEMP, "ami-report-"));
  try {
    const [text, json] = [join(folder, "report.md"), join(folder, "report.json")];
    const options = {
      pulumi: PULUMI_PREVIEW,
      terraform: TERRAFORM_PLAN,
      messages: TERRAFORM_MESSAGES,
      html: HTML,
      "fail-on": FAIL_ON,
    };
    const given = Object.entries({ ...options, markdown: text, json }).flatMap(([name, value]) =>
      value ? [`--${name}`, value] : [],
    );
    const [program = "", ...args] = (REPORT_COMMAND || `npx --yes ami-launch-permissions@${version()}`).split(" ");
    const { status, stderr, error } = spawnSync(program, [...args, "report", ...given], {
      encoding: "utf8",
      env: environment,
      stdio: ["ignore", "inherit", "pipe"],
      shell: process.platform === "win32",
    });
    process.stderr.write(stderr ?? "");
    if (existsSync(text) && existsSync(json))
      return { code: status ?? 2, markdown: readFileSync(text, "utf8"), report: JSON.parse(readFileSync(json, "utf8")) };
    const why = error ? error.message : stderr.trim();
    console.error(`::error title=AMI launch permissions::${escaped(why || `${program} ended with ${status}`)}`);
    return { code: 2, markdown: failed(why), report: undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} why */
function failed(why) {
  const fence = "`".repeat(Math.max(3, ...(why.match(/`+/g) ?? []).map((run) => run.length + 1)));
  return `## Changes of AMI launch permissions\n\n**The report could not be made.**\n\n${fence}text\n${why}\n${fence}\n`;
}

/** Writes the comment. If it cannot be written, the job goes on: the summary has the report. */
async function comment() {
  const number = pullRequest();
  if (number === undefined) return;
  try {
    const comments = `${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/issues/${number}/comments`;
    const old = await ownComment(comments);
    // A pull request without AMIs gets no comment. One that has a comment gets to know that it is old.
    if (!old && report && report.amis.length === 0) return;
    const body = JSON.stringify({ body: `${MARKER}\n${markdown}` });
    const { html_url } = old
      ? await ask("PATCH", `${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}/issues/comments/${old}`, body)
      : await ask("POST", comments, body);
    output("comment-url", html_url);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    console.log(`::warning title=AMI launch permissions::${escaped(`the comment could not be written: ${message}`)}`);
  }
}

/** The number of the pull request that the job runs for. */
function pullRequest() {
  if (!existsSync(GITHUB_EVENT_PATH)) return undefined;
  const { pull_request } = JSON.parse(readFileSync(GITHUB_EVENT_PATH, "utf8"));
  return pull_request?.number;
}

/**
 * The id of the comment that an earlier run wrote. A comment of somebody who only quotes it does not begin with the marker.
 * @param {string} comments
 * @returns {Promise<number | undefined>}
 */
async function ownComment(comments) {
  for (let page = 1; ; page++) {
    const found = await ask("GET", `${comments}?per_page=${COMMENTS_PER_PAGE}&page=${page}`);
    const own = found.find((/** @type {{ body?: string }} */ { body }) => body?.startsWith(MARKER));
    if (own) return own.id;
    if (found.length < COMMENTS_PER_PAGE) return undefined;
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {string} [body]
 */
async function ask(method, url, body) {
  const answer = await fetch(url, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${COMMENT_TOKEN}`,
      "content-type": "application/json",
      "x-github-api-version": "2022-11-28",
    },
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  const advice =
    answer.status === 403 || answer.status === 404
      ? '; the job needs "permissions: pull-requests: write", which a fork does not get'
      : "";
  throw new Error(`${method} ${new URL(url).pathname}: ${answer.status} ${text.slice(0, 200)}${advice}`);
}

/** The version of the package beside this script. */
function version() {
  return JSON.parse(readFileSync(resolve(import.meta.dirname, "../provider/package.json"), "utf8")).version;
}

/**
 * @param {string} name
 * @param {string} value
 */
function output(name, value) {
  if (GITHUB_OUTPUT) appendFileSync(GITHUB_OUTPUT, `${name}=${value}\n`);
}

/**
 * A text in a command to the runner.
 * @param {string} text
 */
function escaped(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
