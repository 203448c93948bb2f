/** The command `audit`: every AMI of the caller in some regions, with who has access. */

import { ec2Gateway } from "../../core";
import { type ConnectionOptions, connectionIn } from "../connectionOptions";
import { Failure } from "../failure";
import { type BookOptions, granteeBook } from "../granteeBook";
import { type FormOptions, tellFindings, writeForms } from "../report/command";
import { findingsOf } from "../report/failOn";
import type { Risk } from "../report/risks";
import { progressOn, type Terminal, tellErrors } from "../terminal";
import { auditOf, regionsFor } from "./audit";

export interface AuditOptions extends FormOptions, BookOptions, Omit<ConnectionOptions, "region"> {
  /** `all`, or regions. undefined: the region of the connection. */
  readonly regions?: readonly string[];
  /** Only AMIs that this account may launch. */
  readonly account?: string;
  readonly usage?: boolean;
  readonly failOn?: readonly Risk[];
}

/** @returns 1: `--fail-on` found something; 2: a part of the audit could not be read; else 0 */
export async function runAudit(options: AuditOptions, tool: string, terminal: Terminal): Promise<0 | 1 | 2> {
  const { regions: asked, account, usage = false, failOn = [], html, markdown, json, names, allowed } = options;
  const connection = connectionIn(options);
  if (account !== undefined && !/^\d{12}$/.test(account)) throw new Failure(`--account ${account}: an account id has 12 digits`);
  const progress = progressOn(terminal);
  const book = await granteeBook({ names, allowed }, connection, terminal);
  const gatewayFor = (region: string | undefined) => ec2Gateway({ ...connection, region });
  try {
    const regions = await regionsFor(asked, gatewayFor);
    const { report, failures } = await auditOf(regions, gatewayFor, { account, usage, book, progress, tool });
    progress.end();
    writeForms(report, { html, markdown, json }, terminal);
    tellErrors(failures, terminal);
    const findings = findingsOf(report, failOn);
    tellFindings(findings, terminal);
    return failures.length > 0 ? 2 : findings.length > 0 ? 1 : 0;
  } finally {
    progress.end();
  }
}
