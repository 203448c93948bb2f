/** The command `report`: reads its source, writes the forms that are asked for, and judges by `--fail-on`. */

import * as path from "node:path";
import { type ConnectionOptions, connectionIn } from "../connectionOptions";
import { Failure } from "../failure";
import { named, readBytes, writeText } from "../files";
import { type BookOptions, granteeBook } from "../granteeBook";
import { type Paint, paintFor, type Terminal, tellErrors } from "../terminal";
import { type Finding, findingsOf } from "./failOn";
import { htmlOf } from "./html";
import { markdownOf } from "./markdown";
import type { Report } from "./model";
import { messagesIn, reportOfPlan, reportOfPreview } from "./read";
import type { Risk } from "./risks";
import { textOf } from "./text";

/** Where the forms of a report go: files, or `-` for standard output. */
export interface FormOptions {
  readonly html?: string | undefined;
  readonly markdown?: string | undefined;
  readonly json?: string | undefined;
}

export interface ReportOptions extends FormOptions, BookOptions, ConnectionOptions {
  readonly pulumi?: string;
  readonly terraform?: string;
  readonly messages?: string;
  readonly live?: readonly string[];
  readonly failOn?: readonly Risk[];
}

/** @returns whether `--fail-on` found something */
export async function runReport(options: ReportOptions, tool: string, terminal: Terminal): Promise<boolean> {
  const report = await reportFor(options, tool, terminal);
  writeForms(report, options, terminal);
  const findings = findingsOf(report, options.failOn ?? []);
  tellFindings(findings, terminal);
  return findings.length > 0;
}

async function reportFor(options: ReportOptions, tool: string, terminal: Terminal): Promise<Report> {
  const { pulumi, terraform, messages, live } = options;
  const connection = connectionIn(options);
  const given = [pulumi, terraform, live].filter((source) => source !== undefined);
  if (given.length !== 1) throw new Failure("give one of --pulumi FILE, --terraform FILE and --live AMI");
  const [unused] = live === undefined && options.names !== "organizations" ? Object.keys(connection) : [];
  if (unused) throw new Failure(`--${unused} belongs to --live: a file is read without a call to AWS`);
  if (messages !== undefined && terraform === undefined) throw new Failure("--messages belongs to --terraform");
  if (live !== undefined && options.failOn?.some((risk) => risk !== "public"))
    throw new Failure("--fail-on: with --live, only public can be found, because nothing changes");
  const book = await granteeBook(options, connection, terminal);
  if (pulumi !== undefined) return named(pulumi, () => reportOfPreview(readBytes(pulumi, "a preview"), tool, book));
  if (terraform !== undefined) {
    const told =
      messages === undefined
        ? undefined
        : named(messages, () => messagesIn(readBytes(messages, "the output of terraform plan -json")));
    return named(terraform, () => reportOfPlan(readBytes(terraform, "a plan"), told, tool, book));
  }
  const { reportOnLive } = await import("./live");
  return reportOnLive(live ?? [], connection, tool, book);
}

/** Writes the forms. Without any, the report goes to standard output as text. */
export function writeForms(report: Report, { html, markdown, json }: FormOptions, terminal: Terminal): void {
  const asked: readonly [file: string | undefined, form: () => string][] = [
    [markdown, () => markdownOf(report)],
    [html, () => htmlOf(report)],
    [json, () => `${JSON.stringify(report, null, 2)}\n`],
  ];
  const toStdout = asked.filter(([file]) => file === "-");
  if (toStdout.length > 1) throw new Failure("only one form can go to standard output");
  const files = asked.flatMap(([file]) => (file === undefined || file === "-" ? [] : path.resolve(file)));
  const twice = files.find((file, i) => files.indexOf(file) < i);
  if (twice !== undefined) throw new Failure(`two forms go to the file ${twice}`);
  for (const [file, form] of asked) if (file !== undefined) writeText(file, form(), terminal);
  const paint: Paint = paintFor(terminal.stdout, terminal.env);
  if (asked.every(([file]) => file === undefined)) terminal.stdout.write(`${textOf(report, paint)}\n`);
}

/** Says what `--fail-on` found. */
export function tellFindings(findings: readonly Finding[], terminal: Terminal): void {
  tellErrors(
    findings.map(({ text }) => `fail-on ${text}`),
    terminal,
  );
}
