/**
 * Writes the tables of docs/scale.md: what EC2's quotas and request rate limits allow, computed from the limits in core/model. With `--check`,
 * the script writes nothing, and fails if a table is out of date.
 */

import { publishedBucket } from "../provider/core/aws/actions";
import {
  DEFAULT_ENTITY_QUOTA,
  MAX_LAUNCH_CHANGES_PER_CALL,
  MAX_SNAPSHOT_CHANGES_PER_CALL,
  type RequestBucket,
} from "../provider/core/model/limits";
import { AWS_PROVIDER, type Calls, LEAST, leastSeconds, modifying, total } from "../tests/bench/peers";
import { writeParts } from "./parts";

const PAGE = "docs/scale.md";
/** Of each AMI in the tables. */
const SNAPSHOTS = 2;
const ACCOUNTS = 50;
const AMIS = [10, 100, 1000, 5000];

/** This project makes no copies itself. EC2 developer guide, "Request throttling for the Amazon EC2 API": CopyImage. */
const COPY: RequestBucket = { size: 100, perSecond: 1 };

const FIRST = { accounts: ACCOUNTS, snapshots: SNAPSHOTS, added: 0, removed: 0 };
const JOINS = { ...FIRST, added: 1 };

const PARTS = {
  limits: table(
    ["limit", "value"],
    [
      ["accounts, organizations and units of one AMI (a quota, which can be raised)", number(DEFAULT_ENTITY_QUOTA)],
      ["accounts in one change of an AMI", number(MAX_LAUNCH_CHANGES_PER_CALL)],
      ["accounts in one change of a snapshot", number(MAX_SNAPSHOT_CHANGES_PER_CALL)],
      ["changes of AMIs (ModifyImageAttribute)", bucketWords(publishedBucket("ModifyImageAttribute"))],
      ["changes of snapshots (ModifySnapshotAttribute)", bucketWords(publishedBucket("ModifySnapshotAttribute"))],
      ["reads, for each action", bucketWords(publishedBucket("DescribeImageAttribute"))],
      ["copies (CopyImage)", bucketWords(COPY)],
    ],
  ),

  times: table(
    ["AMIs", "changes", "with snapshots", "AMIs only", "resources with one principal each: changes", "their time"],
    AMIS.map((amis) => {
      const calls = fold(LEAST.update(JOINS), amis);
      const theirs = fold(AWS_PROVIDER.create(FIRST), amis);
      const image = { ModifyImageAttribute: calls.ModifyImageAttribute ?? 0 };
      return [
        amis,
        modifying(calls),
        duration(leastSeconds([calls])),
        duration(leastSeconds([image])),
        modifying(theirs),
        duration(leastSeconds([theirs])),
      ];
    }),
  ),

  accounts: table(
    ["accounts of an AMI", "changes for one AMI", "changes for 1,000 AMIs", "time"],
    [100, 500, 1000, 2000, 5000].map((accounts) => {
      const one = LEAST.create({ ...FIRST, accounts });
      const all = fold(one, 1000);
      return [accounts, modifying(one ?? {}), modifying(all), duration(leastSeconds([all]))];
    }),
  ),

  reads: table(
    ["AMIs", "reads", "time"],
    AMIS.map((amis) => {
      const calls = fold(LEAST.refresh(FIRST), amis);
      return [amis, total(calls), duration(leastSeconds([calls]))];
    }),
  ),

  shards: table(
    ["a run may take", "AMIs that it can change", "without snapshots", "AMIs that it can read"],
    [1, 5, 15, 60].map((minutes) => {
      const within = (action: string, each: number) => Math.floor(callsWithin(publishedBucket(action), minutes * 60) / each);
      return [
        minutes === 60 ? "1 hour" : minutes === 1 ? "1 minute" : `${minutes} minutes`,
        within("ModifySnapshotAttribute", SNAPSHOTS),
        within("ModifyImageAttribute", 1),
        within("DescribeSnapshotAttribute", SNAPSHOTS),
      ];
    }),
  ),

  fleets: table(
    [
      "owner accounts",
      "regions",
      "AMIs in each region of an account",
      "AMIs",
      "changes",
      "all shards at once",
      "10 at once",
      "one after the other",
    ],
    [
      [1, 17, 60],
      [10, 4, 100],
      [20, 17, 100],
      [50, 17, 200],
    ].map(([owners = 0, regions = 0, amis = 0]) => {
      const shards = owners * regions;
      const calls = fold(LEAST.update(JOINS), amis);
      const seconds = leastSeconds([calls]);
      const times = [1, Math.ceil(shards / 10), shards].map((rounds) => duration(seconds * rounds));
      return [owners, regions, amis, shards * amis, shards * modifying(calls), ...times];
    }),
  ),

  joins: table(
    ["shared with", "of the quota", "changes when an account joins", "time"],
    [
      ["a list of 500 accounts, with snapshots", 500, { ...JOINS, accounts: 500 }] as const,
      ["a list of 500 accounts, AMIs only", 500, { ...JOINS, accounts: 500, snapshots: 0 }] as const,
      ["an organization or a unit, AMIs only", 1, undefined] as const,
      ["a unit, and a list of 20 accounts that copy, with snapshots", 21, undefined] as const,
    ].map(([words, entities, size]) => {
      const calls = fold(size && LEAST.update(size), 1000);
      return [words, entities, modifying(calls), duration(leastSeconds([calls]))];
    }),
  ),

  copies: table(
    ["AMIs", "time of the copy calls into one region"],
    AMIS.map((amis) => [amis, duration(Math.max(0, amis - COPY.size) / COPY.perSecond)]),
  ),
};

const isCheck = process.argv.includes("--check");
for (const file of writeParts({ [PAGE]: PARTS }, () => "npm run fix writes it from scripts/write-scale.ts", isCheck)) {
  if (!isCheck) continue;
  console.error(`write-scale: ${file} is out of date: run npm run fix`);
  process.exitCode = 1;
}

/** How many calls a full bucket allows in some seconds. */
function callsWithin({ size, perSecond }: RequestBucket, seconds: number): number {
  return size + perSecond * seconds;
}

/** The calls of some AMIs. */
function fold(one: Calls | undefined, amis: number): Calls {
  return Object.fromEntries(Object.entries(one ?? {}).map(([action, count]) => [action, count * amis]));
}

function bucketWords({ size, perSecond }: RequestBucket): string {
  return `${size} at once, then ${perSecond} a second`;
}

function duration(seconds: number): string {
  if (seconds < 1) return "at once";
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Number((seconds / 3600).toPrecision(2))} h`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}

function table(columns: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => (typeof cell === "number" ? number(cell) : cell)).join(" | ")} |`;
  return [line(columns), `|${columns.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
