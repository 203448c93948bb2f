/** The GitHub action: its script against a stand-in for GitHub's API, and its inputs. */

import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { ROOT } from "../helpers/emulator";
import { outcomeOf, type Ran } from "../helpers/pulumiProject";

const { load } = require("js-yaml") as { load(text: string): unknown };

interface Comment {
  readonly id: number;
  body: string;
}

/** GitHub REST API, "Issue comments": list, create, update. */
class GitHub {
  comments: Comment[] = [];
  requests: string[] = [];
  tokens: (string | undefined)[] = [];
  refuses = false;
  private server: Server | undefined;
  url = "";

  async start(): Promise<void> {
    this.server = createServer(async (request, response) => {
      const answer = await this.answer(request);
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(JSON.stringify(answer.body));
    });
    await new Promise<void>((resolve) => this.server?.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
  }

  private async answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const { method = "", headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    this.requests.push(`${method} ${pathname}`);
    this.tokens.push(headers.authorization);
    let text = "";
    for await (const chunk of request) text += chunk;
    if (this.refuses) return { status: 403, body: { message: "Resource not accessible by integration" } };
    if (method === "GET" && pathname === "/repos/acme/images/issues/7/comments") {
      const [size, page] = ["per_page", "page"].map((name) => Number(searchParams.get(name)));
      return { status: 200, body: this.comments.slice(((page ?? 1) - 1) * (size ?? 30), (page ?? 1) * (size ?? 30)) };
    }
    const id = Number(/^\/repos\/acme\/images\/issues\/comments\/(\d+)$/.exec(pathname)?.[1]);
    const { body } = JSON.parse(text);
    if (body.length > 65_536) return { status: 422, body: { message: "body is too long" } };
    if (method === "POST") this.comments.push({ id: this.comments.length + 1, body });
    const comment = method === "POST" ? this.comments.at(-1) : this.comments.find((one) => one.id === id);
    if (!comment) return { status: 404, body: { message: "Not Found" } };
    comment.body = body;
    return {
      status: method === "POST" ? 201 : 200,
      body: { ...comment, html_url: `https://github.example/acme/images/pull/7#issuecomment-${comment.id}` },
    };
  }
}

describe("the GitHub action", () => {
  const github = new GitHub();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-action-"));
  const docs = (name: string) => path.join(ROOT, "docs/report", name);
  const at = (name: string) => path.join(folder, name);
  before(() => github.start());
  beforeEach(() => {
    Object.assign(github, { comments: [], requests: [], tokens: [], refuses: false });
    for (const name of ["summary", "output"]) fs.writeFileSync(at(name), "");
    fs.writeFileSync(at("event"), JSON.stringify({ pull_request: { number: 7 } }));
  });
  after(() => {
    github.stop();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the step of the action with the values that its inputs have. */
  function run(inputs: NodeJS.ProcessEnv): Promise<Ran> {
    const env = {
      PATH: process.env.PATH,
      COMMENT_TOKEN: "ghs_secret",
      REPORT_COMMAND: `${process.execPath} ${path.join(ROOT, "provider/dist/cli/main.js")}`,
      GITHUB_API_URL: github.url,
      GITHUB_REPOSITORY: "acme/images",
      GITHUB_EVENT_PATH: at("event"),
      GITHUB_STEP_SUMMARY: at("summary"),
      GITHUB_OUTPUT: at("output"),
      RUNNER_TEMP: folder,
      ...inputs,
    };
    return outcomeOf(
      spawn(process.execPath, [path.join(ROOT, "scripts/github-action.mjs")], {
        cwd: folder,
        env,
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  }
  const preview = { PULUMI_PREVIEW: docs("share.preview.json") };

  it("writes one comment, and updates it in the next run, also behind a hundred others", async () => {
    github.comments = Array.from({ length: 150 }, (_, i) => ({ id: i + 1, body: `me too ${i}` }));
    const first = await run(preview);
    assert.equal(first.code, 0, first.output);
    assert.equal(github.comments.length, 151);
    assert.match(
      github.comments[150]?.body ?? "",
      /^<!-- ami-launch-permissions: default -->\n## Changes of AMI launch permissions\n/,
    );
    const second = await run({
      TERRAFORM_PLAN: docs("change.plan.json"),
      TERRAFORM_MESSAGES: docs("change.messages.jsonl"),
      HTML: at("report.html"),
    });
    assert.equal(second.code, 0, second.output);
    assert.equal(github.comments.length, 151);
    assert.ok(github.comments[150]?.body.includes(fs.readFileSync(docs("change.md"), "utf8")));
    assert.equal(fs.readFileSync(at("summary"), "utf8").match(/^## /gm)?.length, 2);
    assert.match(fs.readFileSync(at("output"), "utf8"), /^risks=broadens,public,revokes$\n^comment-url=.*#issuecomment-151$/m);
    assert.ok(fs.readFileSync(at("report.html"), "utf8").startsWith("<!doctype html>"));
    assert.deepEqual([...new Set(github.tokens)], ["Bearer ghs_secret"]);
    assert.doesNotMatch(first.output + second.output, /ghs_secret/);
  });

  it("does not touch a comment that quotes its own, or that of another name", async () => {
    github.comments = [
      { id: 1, body: "> <!-- ami-launch-permissions: default -->" },
      { id: 2, body: "<!-- ami-launch-permissions: staging -->\nother" },
    ];
    await run(preview);
    await run({ ...preview, COMMENT_ID: "staging --> x" });
    assert.equal(github.comments.length, 4);
    assert.equal(github.comments[0]?.body, "> <!-- ami-launch-permissions: default -->");
    assert.match(github.comments[3]?.body ?? "", /^<!-- ami-launch-permissions: staging-x -->\n/);
  });

  it("fails by fail-on, after it has written the comment", async () => {
    const { code, output } = await run({ ...preview, FAIL_ON: "broadens,revokes" });
    assert.equal(code, 1, output);
    assert.match(output, /fail-on broadens: ami-/);
    assert.equal(github.comments.length, 1);
    assert.equal((await run({ ...preview, FAIL_ON: "public" })).code, 0);
  });

  it("writes the summary only, without a pull request, and warns where it may not write a comment", async () => {
    fs.writeFileSync(at("event"), JSON.stringify({ ref: "refs/heads/main" }));
    assert.equal((await run(preview)).code, 0);
    assert.deepEqual(github.requests, []);
    assert.match(fs.readFileSync(at("summary"), "utf8"), /^## Changes/);
    fs.writeFileSync(at("event"), JSON.stringify({ pull_request: { number: 7 } }));
    github.refuses = true;
    const { code, output } = await run({ ...preview, FAIL_ON: "broadens" });
    assert.equal(code, 1);
    assert.match(
      output,
      /^::warning title=AMI launch permissions::the comment could not be written: GET .*: 403 .*pull-requests: write/m,
    );
  });

  it("writes no comment about a plan without sets, but brings one up to date", async () => {
    fs.writeFileSync(at("none.json"), JSON.stringify({ steps: [] }));
    const none = { PULUMI_PREVIEW: at("none.json") };
    assert.equal((await run(none)).code, 0);
    assert.equal(github.comments.length, 0);
    await run(preview);
    await run(none);
    assert.match(github.comments[0]?.body ?? "", /No set in this plan/);
  });

  it("says why there is no report, also in the comment, and exits with 2", async () => {
    fs.writeFileSync(at("bad.json"), '{"steps": [');
    await run(preview);
    const { code, output } = await run({ PULUMI_PREVIEW: at("bad.json") });
    assert.equal(code, 2, output);
    assert.match(output, /^::error title=AMI launch permissions::.*bad\.json: this is not JSON, or it is cut off/m);
    assert.match(github.comments[0]?.body ?? "", /The report could not be made/);
    assert.equal(github.comments.length, 1);
    assert.equal((await run({ REPORT_COMMAND: "no-such-program", ...preview })).code, 2);
  });

  it("hands each of its inputs to the script, and describes it", () => {
    const { inputs, outputs, runs } = load(fs.readFileSync(path.join(ROOT, "action.yml"), "utf8")) as {
      inputs: Record<string, { description: string; required: boolean }>;
      outputs: Record<string, { value: string }>;
      runs: { using: string; steps: { env: Record<string, string>; run: string; id: string }[] };
    };
    const [step] = runs.steps;
    const script = fs.readFileSync(path.join(ROOT, "scripts/github-action.mjs"), "utf8");
    assert.equal(runs.using, "composite");
    const handed = Object.entries(step?.env ?? {}).filter(([name]) => name !== "ACTION_PATH");
    assert.deepEqual(
      handed.map(([, value]) => value),
      Object.keys(inputs).map((name) => `\${{ inputs.${name} }}`),
    );
    for (const [name] of handed) assert.match(script, new RegExp(`\\b${name}\\b`));
    for (const { description } of Object.values(inputs)) assert.ok(description.length > 20);
    for (const [name, { value }] of Object.entries(outputs))
      assert.deepEqual([value, script.includes(`output("${name}"`)], [`\${{ steps.report.outputs.${name} }}`, true]);
  });
});
