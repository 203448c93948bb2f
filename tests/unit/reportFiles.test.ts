/** Reports made from files of Pulumi and Terraform: who gains and loses what, what the file cannot tell, and what stays hidden. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import Ajv from "ajv";
import { NO_GRANTEE_BOOK } from "../../provider/cli/granteeBook";
import { findingsOf } from "../../provider/cli/report/failOn";
import { htmlOf } from "../../provider/cli/report/html";
import { markdownOf } from "../../provider/cli/report/markdown";
import type { Report } from "../../provider/cli/report/model";
import { messagesIn, reportOfPlan, reportOfPreview } from "../../provider/cli/report/read";
import { textOf } from "../../provider/cli/report/text";
import { ROOT } from "../helpers/emulator";

const [A, B, C, D] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const [X, Y] = ["ami-0123456789abcdef0", "ami-0fedcba9876543210"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const OWNER = "123456789012";
const TYPE = "ami-launch-permissions:index:LaunchPermissionSet";
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const key = (id: string) => (/^\d/.test(id) ? `account/${id}` : id);
const launch = (...ids: string[]) => Object.fromEntries(ids.map((id) => [key(id), "launch"]));
const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

/** `sign grantee permissions`, a line each, with the AMI if there are several. */
function told({ amis }: Report): string[] {
  return amis.flatMap(({ label, grants }) =>
    grants.map(({ grantee, change, before, after }) => {
      const words = (one: typeof before) =>
        `${one.launch ? "l" : ""}${one.createVolume === "none" ? "" : one.createVolume === "all" ? "c" : `c(${one.createVolume})`}` ||
        "-";
      return `${amis.length > 1 ? `${label.slice(0, 8)} ` : ""}${change} ${grantee.replace("account/", "")} ${words(before)}>${words(after)}`;
    }),
  );
}

/** Everything that a report shows, in all its forms. */
function everything(report: Report): string {
  return [textOf(report, (_, text) => text), markdownOf(report), htmlOf(report), JSON.stringify(report)].join("\n");
}

interface Step {
  readonly op?: string;
  readonly name?: string;
  readonly type?: string;
  readonly old?: Record<string, unknown>;
  readonly fresh?: Record<string, unknown>;
  readonly retainOnDelete?: boolean;
  readonly deletedWith?: string;
}

const urnOf = (name: string, type = TYPE) => `urn:pulumi:test::test::${type}::${name}`;

function preview(steps: readonly Step[], diagnostics: readonly object[] = []): Report {
  const state = (props: Record<string, unknown> | undefined, name: string, type: string, more = {}) =>
    props === undefined
      ? null
      : {
          urn: urnOf(name, type),
          type,
          inputs: props,
          outputs: { ...props, ownerId: OWNER, snapshotIds: ["snap-0123456789abcdef0"] },
          ...more,
        };
  const json = {
    steps: steps.map(({ op = "create", name = "golden", type = TYPE, old, fresh, ...options }) => ({
      op,
      urn: urnOf(name, type),
      oldState: state(old, name, type, options),
      newState: state(fresh, name, type),
    })),
    diagnostics,
  };
  return reportOfPreview(bytes(json), "tool", NO_GRANTEE_BOOK);
}

const set = (imageId: string, grants: unknown, more: Record<string, unknown> = {}) => ({
  imageId,
  region: "us-east-1",
  accountIds:
    typeof grants === "object" && grants !== null
      ? Object.keys(grants).flatMap((one) => (one.startsWith("account/") && !one.includes("[") ? [one.slice(8)] : []))
      : grants,
  ...(typeof grants === "object" && grants !== null && "public" in grants ? { public: true, acknowledgePublic: true } : {}),
  grants,
  ...more,
});
const info = (message: string, name = "golden", severity = "info") => ({ urn: urnOf(name), message: `${message}\n`, severity });

interface Case {
  readonly name: string;
  readonly report: () => Report;
  /** One line for each grantee, as `told` writes it. */
  readonly lines: readonly string[];
  /** What the file does not tell. */
  readonly open?: readonly string[];
}

/** A test that the report of a file tells exactly this, and that a note says why the file does not tell more. */
function itTells({ name, report, lines, open = [] }: Case): void {
  it(name, () => {
    const made = report();
    assert.deepEqual(told(made).toSorted(), lines.toSorted());
    assert.deepEqual(made.summary.cannotTell, open);
    assert.equal(
      made.amis.filter(({ cannotTell, notes }) => cannotTell.length > 0 && notes.length === 0).length,
      0,
      "nothing says why",
    );
  });
}

describe("a report on a preview of Pulumi", () => {
  const cases: readonly Case[] = [
    {
      name: "an update without a look at EC2 shows what the state records, and that others may lose access, too",
      report: () => preview([{ op: "update", old: set(X, launch(A, B)), fresh: set(X, launch(A, C)) }]),
      lines: [`loses ${B} l>-`, `gains ${C} ->l`, `keeps ${A} l>l`],
      open: ["revokes"],
    },
    {
      name: "a create in authoritative mode whose AMI was not read may take access from anybody",
      report: () => preview([{ fresh: set(X, launch(A)) }]),
      lines: [`gains ${A} ->l`],
      open: ["revokes"],
    },
    {
      name: "a create in additive mode takes nothing away",
      report: () => preview([{ fresh: set(X, launch(A), { mode: "additive" }) }]),
      lines: [`gains ${A} ->l`],
    },
    {
      name: "a create with a report names whom it takes access from, who has it already, and what stays",
      report: () =>
        preview(
          [{ fresh: set(X, launch(A, B)) }],
          [
            info(
              `AMI ${X} in us-east-1: 1 gains, 1 loses, 2 keep access\n  + launch (new): account/${A}\n  - launch (set elsewhere): account/${D}\n  = launch (has it already): account/${B}\n  = launch (stays: neverRevoke): account/${C}`,
            ),
          ],
        ),
      lines: [`loses ${D} l>-`, `gains ${A} ->l`, `keeps ${B} l>l`, `keeps ${C} l>l`],
    },
    {
      name: "a report that is cut does not hide those whom the file names",
      report: () =>
        preview(
          [{ fresh: set(X, launch(...Array.from({ length: 12 }, (_, i) => String(300000000000 + i)))) }],
          [
            info(
              `AMI ${X} in us-east-1: 12 gain access\n  + launch (new; 12): ${Array.from({ length: 10 }, (_, i) => `account/${300000000000 + i}`).join(", ")} and 2 more`,
            ),
          ],
        ),
      lines: Array.from({ length: 12 }, (_, i) => `gains ${300000000000 + i} ->l`),
    },
    {
      name: "the owner, and what is not there any more, are left out",
      report: () =>
        preview(
          [{ op: "update", old: set(X, launch(A, C)), fresh: set(X, launch(OWNER, A)) }],
          [
            info(
              `AMI ${X} in us-east-1: nothing changes, 1 keeps access\n  = launch (left out: the owner always has access): account/${OWNER}\n  = launch (is not there): account/${C}`,
            ),
          ],
        ),
      lines: [`keeps ${A} l>l`],
    },
    {
      name: "a set that moves to another AMI: one gets it, the other one loses it",
      report: () => preview([{ op: "replace", old: set(X, launch(A)), fresh: set(Y, launch(A), { mode: "additive" }) }]),
      lines: [`ami-0123 loses ${A} l>-`, `ami-0fed gains ${A} ->l`],
    },
    {
      name: "a rename takes access from nobody",
      report: () =>
        preview([
          { op: "create", name: "two", fresh: set(X, launch(A, B), { mode: "additive" }) },
          { op: "delete", name: "one", old: set(X, launch(A, B, C)) },
        ]),
      lines: [`loses ${C} l>-`, `keeps ${A} l>l`, `keeps ${B} l>l`],
    },
    {
      name: "what stays only until another set is deleted is lost",
      report: () =>
        preview(
          [{ fresh: set(X, launch(C)) }, { op: "delete", name: "old", old: set(X, launch(A)) }],
          [
            info(
              `AMI ${X} in us-east-1: 1 gains, 1 keeps access\n  + launch (new): account/${C}\n  = launch (stays until set "old" is deleted): account/${A}`,
            ),
          ],
        ),
      lines: [`loses ${A} l>-`, `gains ${C} ->l`],
    },
    {
      name: "a delete takes away what the set granted",
      report: () => preview([{ op: "delete", old: set(X, launch(A)) }]),
      lines: [`loses ${A} l>-`],
    },
    {
      name: "retainOnDelete, and onDelete: retain, take nothing away",
      report: () =>
        preview([
          { op: "delete", name: "a", old: set(X, launch(A)), retainOnDelete: true },
          { op: "delete", name: "b", old: set(Y, launch(A), { onDelete: "retain" }) },
        ]),
      lines: [`ami-0123 keeps ${A} l>l`, `ami-0fed keeps ${A} l>l`],
    },
    {
      name: "deletedWith takes nothing away if the other resource is deleted as well",
      report: () =>
        preview([
          { op: "delete", type: "aws:ec2/ami:Ami", name: "image", old: {} },
          { op: "delete", name: "a", old: set(X, launch(A)), deletedWith: urnOf("image", "aws:ec2/ami:Ami") },
          { op: "delete", name: "b", old: set(Y, launch(A)), deletedWith: urnOf("stays", "aws:ec2/ami:Ami") },
        ]),
      lines: [`ami-0123 keeps ${A} l>l`, `ami-0fed loses ${A} l>-`],
    },
    {
      name: "onDelete: reset also takes away what is not in the file",
      report: () => preview([{ op: "delete", old: set(X, launch(A), { onDelete: "reset" }) }]),
      lines: [`loses ${A} l>-`],
      open: ["revokes"],
    },
    {
      name: "create-volume permission on all snapshots, and on some",
      report: () =>
        preview([
          {
            op: "update",
            old: set(X, { [key(A)]: "launch, createVolume", [key(B)]: "launch" }, { mode: "additive" }),
            fresh: set(
              X,
              { [key(A)]: "launch", [key(B)]: "launch, createVolume on snap-0123456789abcdef1" },
              { mode: "additive" },
            ),
          },
        ]),
      lines: [`loses ${A} lc>l`, `gains ${B} l>lc(snap-0123456789abcdef1)`],
      open: ["revokes"],
    },
    {
      name: "a grantee, and a whole list, that are known only after the change",
      report: () =>
        preview([
          {
            op: "update",
            old: set(X, launch(A), { mode: "additive" }),
            fresh: set(
              X,
              {
                [key(A)]: UNKNOWN,
                "account/[unknown]": "launch, createVolume",
                "organization/[unknown]": UNKNOWN,
                public: UNKNOWN,
              },
              { mode: "additive" },
            ),
          },
        ]),
      lines: ["gains [unknown] ->lc", "gains organization/[unknown] ->l", "gains public ->l", `keeps ${A} l>l`].sort(),
      open: ["broadens", "public", "revokes"],
    },
    {
      name: "a set in a component, and a dynamic set of an older module name",
      report: () =>
        preview([
          {
            name: "a",
            type: "pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet",
            fresh: set(X, launch(A), { mode: "additive" }),
          },
          { name: "b", type: "aws:ec2/instance:Instance", fresh: set(Y, launch(A)) },
          { name: "c", type: "pulumi-nodejs:dynamic:Resource", fresh: set(Y, launch(A)) },
        ]),
      lines: [`gains ${A} ->l`],
    },
    {
      name: "an unchanged set keeps its grants",
      report: () => preview([{ op: "same", old: set(X, launch(A)), fresh: set(X, launch(A)) }]),
      lines: [`keeps ${A} l>l`],
    },
  ];
  for (const one of cases) itTells(one);

  it("an AMI that is not known yet, and one whose id is a secret, have no id", () => {
    const { amis } = preview([
      { name: "a", fresh: set(UNKNOWN, launch(A)) },
      { name: "b", fresh: set("[secret]", launch(B)) },
    ]);
    assert.deepEqual(
      amis.map(({ imageId, label }) => [imageId, label]),
      [
        [undefined, "the AMI of a, known after the change"],
        [undefined, "the AMI of b, whose id is a secret"],
      ],
    );
  });

  it("grantees that are a secret show nowhere, also where the file has them", () => {
    const secret = set(X, launch(A, B), { __secrets: ["accountIds"] });
    const other = `AMI ${X} in us-east-1: 1 gains, 2 lose access\n  - launch (set elsewhere; 2): account/${A}, account/${B}\n  warning: account/${A} loses the AMI and still uses it`;
    for (const report of [
      preview([{ fresh: secret }]),
      preview([{ fresh: set(X, "[secret]", { __secrets: ["accountIds"] }) }]),
      preview([{ op: "update", old: secret, fresh: set(X, launch(A)) }]),
      preview([{ op: "delete", old: secret }]),
      // Another set of the AMI would show them.
      preview([{ name: "secret", op: "same", old: secret, fresh: secret }, { fresh: set(X, launch(C)) }], [info(other)]),
    ]) {
      assert.doesNotMatch(everything(report), /111122223333|444455556666/);
      assert.match(everything(report), /hidden/);
      assert.ok(report.amis[0]?.hidden);
    }
  });

  it("counts secret grantees by the report, and says what they broaden", () => {
    const text = `AMI ${X} in us-east-1: 2 gain, 1 loses, 3 keep access\n  + launch (new): 2 grantees\n  - launch (set elsewhere): 1 grantee\n  broadens access: everybody, every AWS account, may launch the AMI`;
    const report = preview([{ fresh: set(X, "[secret]", { __secrets: ["accountIds", "public"] }) }], [info(text)]);
    assert.deepEqual(report.amis[0]?.hidden, { gains: 2, loses: 1, keeps: 3 });
    assert.deepEqual(report.summary.risks, ["broadens", "public", "revokes"]);
    assert.deepEqual(report.summary.cannotTell, []);
  });

  it("has what will fail, also for a refused set, and that a failed preview is not complete", () => {
    const refused = "error: will fail: there is no AMI ami-0123456789abcdef0 in us-east-1 [image-not-found]";
    const report = preview(
      [{ fresh: set(X, launch(A)) }],
      [info(refused, "golden", "error"), { message: "error: a change will fail\n", severity: "error" }],
    );
    assert.deepEqual(report.amis[0]?.errors, ["there is no AMI ami-0123456789abcdef0 in us-east-1 [image-not-found]"]);
    assert.match(report.warnings[0] ?? "", /may not be complete: a change will fail$/);
  });

  it("a preview without a set is no error, and says so", () => {
    const report = preview([{ type: "aws:ec2/instance:Instance", fresh: {} }]);
    assert.deepEqual([report.amis.length, report.summary.cannotTell.length], [0, 0]);
    assert.match(report.notes[0] ?? "", /no set in this file/);
  });
});

interface Change {
  readonly address?: string;
  readonly actions: readonly string[];
  readonly before?: Record<string, unknown> | null;
  readonly after?: Record<string, unknown> | null;
  readonly unknown?: unknown;
  readonly sensitive?: unknown;
  readonly more?: Record<string, unknown>;
}

const attributes = (image_id: string | null, grants: unknown, more: Record<string, unknown> = {}) => ({
  image_id,
  region: "us-east-1",
  account_ids: Object.keys((grants ?? {}) as object).flatMap((one) => (one.startsWith("account/") ? [one.slice(8)] : [])),
  mode: "authoritative",
  on_delete: "revoke",
  owner_id: OWNER,
  snapshot_ids: ["snap-0123456789abcdef0"],
  grants,
  ...more,
});

function plan(changes: readonly Change[], messages?: readonly object[], more: Record<string, unknown> = {}): Report {
  const json = {
    format_version: "1.2",
    terraform_version: "1.11.4",
    resource_changes: changes.map(
      ({
        address = "ami_launch_permission_set.golden",
        actions,
        before = null,
        after = null,
        unknown = {},
        sensitive = {},
        more: others,
      }) => ({
        address,
        mode: "managed",
        type: "ami_launch_permission_set",
        ...others,
        change: {
          actions,
          before,
          after,
          after_unknown: unknown,
          before_sensitive: before ? sensitive : false,
          after_sensitive: after ? sensitive : false,
        },
      }),
    ),
    ...more,
  };
  const planned = changes.map(({ address = "ami_launch_permission_set.golden" }) => ({
    type: "planned_change",
    change: { resource: { addr: address } },
  }));
  const diagnostics = messages?.map((diagnostic) => ({ "@level": "warn", type: "diagnostic", diagnostic }));
  const lines = diagnostics && [...planned, { type: "change_summary" }, ...diagnostics].map((line) => JSON.stringify(line));
  const file =
    lines &&
    messagesIn(bytes(["Terraform will perform", JSON.stringify({ type: "version", terraform: "1.11.4" }), ...lines].join("\n")));
  return reportOfPlan(bytes(json), file, "tool", NO_GRANTEE_BOOK);
}

describe("a report on a plan of Terraform", () => {
  const cases: readonly Case[] = [
    {
      name: "an update shows drift, too, because the plan has read EC2",
      report: () =>
        plan([
          {
            actions: ["update"],
            before: attributes(X, launch(A, B, D), { account_ids: [A, B] }),
            after: attributes(X, launch(A, C)),
          },
        ]),
      lines: [`loses ${B} l>-`, `loses ${D} l>-`, `gains ${C} ->l`, `keeps ${A} l>l`],
    },
    {
      name: "a create in authoritative mode: a plan in JSON does not say whom it takes access from",
      report: () => plan([{ actions: ["create"], after: attributes(X, launch(A)) }]),
      lines: [`gains ${A} ->l`],
      open: ["revokes"],
    },
    {
      name: "a create whose messages have a report",
      report: () =>
        plan(
          [{ actions: ["create"], after: attributes(X, launch(A, B)) }],
          [
            {
              severity: "warning",
              address: "ami_launch_permission_set.golden",
              summary: `AMI ${X} in us-east-1: 1 gains, 1 loses, 1 keeps access`,
              detail: `  + launch (new): account/${A}\n  - launch (set elsewhere): account/${D}\n  = launch (has it already): account/${B}`,
            },
          ],
        ),
      lines: [`loses ${D} l>-`, `gains ${A} ->l`, `keeps ${B} l>l`],
    },
    {
      name: "a create whose messages have nothing about it takes nothing away",
      report: () => plan([{ actions: ["create"], after: attributes(X, launch(A)) }], []),
      lines: [`gains ${A} ->l`],
    },
    {
      name: "a create in additive mode",
      report: () => plan([{ actions: ["create"], after: attributes(X, launch(A), { mode: "additive" }) }]),
      lines: [`gains ${A} ->l`],
    },
    {
      name: "a replacement by another AMI, in either order",
      report: () =>
        plan([
          {
            actions: ["create", "delete"],
            before: attributes(X, launch(A)),
            after: attributes(Y, launch(A), { mode: "additive" }),
          },
        ]),
      lines: [`ami-0123 loses ${A} l>-`, `ami-0fed gains ${A} ->l`],
    },
    {
      name: "a destroy takes away what the set names and EC2 has, and leaves what others granted",
      report: () => plan([{ actions: ["delete"], before: attributes(X, launch(A, D), { account_ids: [A, B] }) }]),
      lines: [`loses ${A} l>-`, `keeps ${D} l>l`],
    },
    {
      name: "a destroy with on_delete retain, one with never_revoke, and one with reset",
      report: () =>
        plan([
          { address: "a.a", actions: ["delete"], before: attributes(X, launch(A), { on_delete: "retain" }) },
          { address: "b.b", actions: ["delete"], before: attributes(Y, launch(A, B), { on_delete: "reset", never_revoke: [A] }) },
        ]),
      lines: [`ami-0123 keeps ${A} l>l`, `ami-0fed loses ${B} l>-`, `ami-0fed keeps ${A} l>l`],
      open: ["revokes"],
    },
    {
      name: "what another set of the plan keeps is not lost",
      report: () =>
        plan([
          { address: "a.a", actions: ["delete"], before: attributes(X, launch(A, B), { mode: "additive" }) },
          {
            address: "b.b",
            actions: ["no-op"],
            before: attributes(X, launch(A), { mode: "additive" }),
            after: attributes(X, launch(A), { mode: "additive" }),
          },
        ]),
      lines: [`loses ${B} l>-`, `keeps ${A} l>l`],
    },
    {
      name: "a set that Terraform forgets, and one that it moves",
      report: () =>
        plan([
          { actions: ["forget"], before: attributes(X, launch(A)) },
          {
            address: "b.b",
            actions: ["no-op"],
            before: attributes(Y, launch(A)),
            after: attributes(Y, launch(A)),
            more: { previous_address: "c.c" },
          },
        ]),
      lines: [`ami-0123 keeps ${A} l>l`, `ami-0fed keeps ${A} l>l`],
    },
    {
      name: "an account that is known only after the change, with and without the others",
      report: () =>
        plan([
          {
            actions: ["update"],
            before: attributes(X, launch(A, C), { mode: "additive" }),
            after: attributes(X, undefined, { mode: "additive", account_ids: [A, null] }),
            unknown: { account_ids: [false, true], grants: true },
          },
        ]),
      lines: ["gains [unknown] ->l", `keeps ${A} l>l`, `keeps ${C} l>l`],
      open: ["revokes"],
    },
    {
      name: "organizations that are known only after the change may broaden access",
      report: () =>
        plan([
          {
            actions: ["create"],
            after: attributes(X, undefined, { mode: "additive", account_ids: [A], organization_arns: null }),
            unknown: { organization_arns: true, grants: true },
          },
        ]),
      lines: [`gains ${A} ->l`, "gains organization/[unknown] ->l"],
      open: ["broadens"],
    },
    {
      name: "data sources, and resources of other types, are left out",
      report: () =>
        plan([
          { actions: ["read"], after: attributes(X, launch(A)), more: { mode: "data" } },
          { actions: ["create"], after: attributes(X, launch(A)), more: { type: "aws_ami_launch_permission" } },
        ]),
      lines: [],
    },
  ];
  for (const one of cases) itTells(one);

  it("sensitive grantees show nowhere, also where the file or a warning has them, and their number does", () => {
    const warning = {
      severity: "warning",
      address: "ami_launch_permission_set.golden",
      summary: `AMI ${X} in us-east-1: 1 gains, 1 loses access`,
      detail: `  + launch (new): account/${C}\n  - launch (granted by this set): account/${B}\n  warning: account/${B} loses the AMI and still uses it`,
    };
    for (const sensitive of [{ account_ids: true }, { account_ids: [false, true] }, true])
      for (const messages of [undefined, [warning]]) {
        const report = plan(
          [{ actions: ["update"], before: attributes(X, launch(A, B)), after: attributes(X, launch(A, C)), sensitive }],
          messages,
        );
        assert.doesNotMatch(everything(report), /111122223333|444455556666|777788889999/);
        assert.deepEqual(report.amis[0]?.hidden, { gains: 1, loses: 1, keeps: 1 });
        assert.deepEqual(report.summary.risks, ["revokes"]);
      }
    const broad = plan(
      [
        {
          actions: ["create"],
          after: attributes(X, { public: "launch", [ORGANIZATION]: "launch" }),
          sensitive: { public: true },
        },
      ],
      [],
    );
    assert.deepEqual(broad.summary.risks, ["broadens", "public"]);
    const named = plan([{ actions: ["create"], after: attributes(X, launch(A)), sensitive: { image_id: true } }], []);
    assert.doesNotMatch(everything(named), new RegExp(X));
  });

  it("names moves, deposed objects, imports, and a plan that is not complete", () => {
    const report = plan(
      [
        {
          actions: ["update"],
          before: attributes(X, launch(A)),
          after: attributes(X, launch(A)),
          more: { previous_address: "ami_launch_permission_set.old" },
        },
        { actions: ["delete"], before: attributes(X, launch(B)), more: { deposed: "abc123" } },
      ],
      [],
      { errored: true },
    );
    assert.deepEqual(
      report.amis[0]?.sets.map(({ address, action, movedFrom }) => [address, action, movedFrom]),
      [
        ["ami_launch_permission_set.golden", "update", "ami_launch_permission_set.old"],
        ["ami_launch_permission_set.golden (deposed abc123)", "delete", undefined],
      ],
    );
    assert.match(report.warnings[0] ?? "", /not complete/);
  });
});

describe("files that are no preview and no plan", () => {
  const digest = { steps: [], duration: 0 };
  const tfplan = { format_version: "1.2", resource_changes: [] };
  const cut = JSON.stringify({ ...tfplan, secret: "hunter2" }).slice(0, -5);
  const cases: readonly [name: string, read: () => Report, says: RegExp][] = [
    [
      "a plan given as a preview",
      () => reportOfPreview(bytes(tfplan), "t", NO_GRANTEE_BOOK),
      /plan of Terraform: use --terraform/,
    ],
    [
      "a preview given as a plan",
      () => reportOfPlan(bytes(digest), undefined, "t", NO_GRANTEE_BOOK),
      /preview of Pulumi: use --pulumi/,
    ],
    ["a stack's state", () => reportOfPreview(bytes({ version: 3, deployment: {} }), "t", NO_GRANTEE_BOOK), /state of a stack/],
    [
      "a log of events",
      () => reportOfPreview(bytes({ sequence: 0, timestamp: 1 }), "t", NO_GRANTEE_BOOK),
      /PULUMI_ENABLE_STREAMING_JSON_PREVIEW/,
    ],
    [
      "a state of Terraform",
      () => reportOfPlan(bytes({ format_version: "1.0", values: {} }), undefined, "t", NO_GRANTEE_BOOK),
      /this is a state/,
    ],
    [
      "a terraform.tfstate",
      () => reportOfPlan(bytes({ version: 4, resources: [] }), undefined, "t", NO_GRANTEE_BOOK),
      /no plan of Terraform/,
    ],
    [
      "a saved plan",
      () => reportOfPlan(Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff]), undefined, "t", NO_GRANTEE_BOOK),
      /saved plan: terraform show -json/,
    ],
    ["an empty file", () => reportOfPreview(bytes(""), "t", NO_GRANTEE_BOOK), /empty/],
    ["prose", () => reportOfPreview(bytes("Previewing update"), "t", NO_GRANTEE_BOOK), /not JSON, or it is cut off/],
    ["a file that is cut off", () => reportOfPlan(bytes(cut), undefined, "t", NO_GRANTEE_BOOK), /not JSON, or it is cut off/],
    ["a list", () => reportOfPreview(bytes([]), "t", NO_GRANTEE_BOOK), /JSON, but not a preview/],
    ["null", () => reportOfPlan(bytes("null"), undefined, "t", NO_GRANTEE_BOOK), /JSON, but not a plan/],
    [
      "steps of a wrong type",
      () => reportOfPreview(bytes({ steps: [{ op: 7 }] }), "t", NO_GRANTEE_BOOK),
      /cannot be read: steps\.0/,
    ],
    [
      "a plan of an unknown format",
      () => reportOfPlan(bytes({ ...tfplan, format_version: "7.0" }), undefined, "t", NO_GRANTEE_BOOK),
      /format_version/,
    ],
    [
      "messages that are none",
      () => reportOfPlan(bytes(tfplan), messagesIn(bytes("Plan: 1 to add")), "t", NO_GRANTEE_BOOK),
      /no messages of Terraform/,
    ],
  ];
  for (const [name, read, says] of cases)
    it(`${name}: the error says what to give, and shows nothing of the file`, () => {
      assert.throws(read, (error: Error) => {
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /hunter2|Previewing/);
        assert.equal(error.name === "TypeError", false);
        return true;
      });
    });

  it("a plan of 50 MB is read in seconds", () => {
    const other = {
      address: "aws_instance.x",
      mode: "managed",
      type: "aws_instance",
      change: { actions: ["create"], before: null, after: { user_data: "x".repeat(5000) } },
    };
    const json = {
      ...tfplan,
      resource_changes: [
        ...Array(10_000).fill(other),
        JSON.parse(
          JSON.stringify({
            ...other,
            type: "ami_launch_permission_set",
            change: { actions: ["delete"], before: attributes(X, launch(A)), after: null },
          }),
        ),
      ],
    };
    const file = bytes(json);
    assert.ok(file.length > 50_000_000, `${file.length} bytes`);
    assert.deepEqual(told(reportOfPlan(file, undefined, "t", NO_GRANTEE_BOOK)), [`loses ${A} l>-`]);
  });
});

describe("--fail-on", () => {
  const finds = (report: Report) =>
    findingsOf(report, ["broadens", "public", "revokes"]).map(({ text }) => text.replace(/ami-\w+/g, "AMI"));
  it("finds what broadens access, what makes an AMI public, and what takes access away", () => {
    assert.deepEqual(finds(plan([{ actions: ["create"], after: attributes(X, { public: "launch" }) }], [])), [
      "broadens: AMI",
      "public: AMI",
    ]);
    assert.deepEqual(finds(plan([{ actions: ["create"], after: attributes(X, { [key(A)]: "createVolume" }) }], [])), [
      "broadens: AMI",
    ]);
    assert.deepEqual(finds(plan([{ actions: ["create"], after: attributes(X, { public: "createVolume" }) }], [])), [
      "broadens: AMI",
      "public: AMI",
    ]);
    assert.deepEqual(finds(plan([{ actions: ["delete"], before: attributes(X, launch(A)) }])), ["revokes: AMI"]);
    assert.deepEqual(finds(plan([{ actions: ["create"], after: attributes(X, launch(A)) }], [])), []);
    const stays = attributes(X, { public: "launch" });
    assert.deepEqual(finds(plan([{ actions: ["no-op"], before: stays, after: stays }])), []);
  });

  it("finds what the file does not tell", () => {
    assert.deepEqual(finds(plan([{ actions: ["create"], after: attributes(X, launch(A)) }])), [
      "revokes: the file does not tell about AMI",
    ]);
    assert.deepEqual(findingsOf(plan([{ actions: ["create"], after: attributes(X, launch(A)) }]), ["public"]), []);
  });

  const CREATE = { actions: ["create"], after: attributes(X, launch(A)) };
  const planJson = {
    format_version: "1.2",
    resource_changes: [{ address: "ami_launch_permission_set.golden", type: "ami_launch_permission_set", change: CREATE }],
  };
  const messages = (address: string) =>
    [{ type: "version" }, { type: "planned_change", change: { resource: { addr: address } } }, { type: "change_summary" }].map(
      (line) => JSON.stringify(line),
    );
  const whole = messages("ami_launch_permission_set.golden");
  for (const [what, lines, found] of [
    ["whole", whole, []],
    ["without its end", whole.slice(0, 2), ["revokes: the file does not tell about AMI"]],
    ["cut in a line", [...whole, '{"type":"diagnos'], ["revokes: the file does not tell about AMI"]],
    ["of another plan", messages("ami_launch_permission_set.other"), ["revokes: the file does not tell about AMI"]],
  ] as const)
    it(`judges messages that are ${what}`, () => {
      const report = reportOfPlan(bytes(planJson), messagesIn(bytes(lines.join("\n"))), "tool", NO_GRANTEE_BOOK);
      assert.deepEqual(finds(report), found);
      assert.equal(
        report.amis[0]?.notes.some((note) => /cut off, or of another plan/.test(note)),
        found.length > 0,
      );
    });

  const all = ["broadens", "public", "revokes"];
  const incomplete = all.map((risk) => `${risk}: the file is not complete`);
  it("finds everything in a preview that failed, and in a plan that is not complete", () => {
    const failed = [{ message: "error: no\n", severity: "error" }];
    assert.deepEqual(finds(preview([], failed)), incomplete);
    const nothing = preview([], failed);
    assert.match(
      textOf(nothing, (_, text) => text),
      /^No set is in this file, which is not complete\./,
    );
    assert.deepEqual(nothing.notes, []);
    assert.deepEqual(finds(preview([{ op: "same", old: set(X, launch(A)), fresh: set(X, launch(A)) }], failed)), incomplete);
    for (const more of [{ errored: true }, { complete: false }]) assert.deepEqual(finds(plan([], undefined, more)), incomplete);
  });

  it("finds everything where no grantee is known, and the report does not say that nobody has access", () => {
    const open = { grants: true, public: true, account_ids: true, organization_arns: true };
    const { account_ids: _, grants: __, ...after } = attributes(X, {});
    for (const known of [after, { ...after, grants: {} }]) {
      const report = plan([{ actions: ["create"], after: known, unknown: open }]);
      assert.deepEqual(
        finds(report),
        all.map((risk) => `${risk}: the file does not tell about AMI`),
      );
      assert.doesNotMatch(
        textOf(report, (_, text) => text),
        /nobody has access/,
      );
    }
    const hidden = preview([{ fresh: set(X, "[secret]", { accountIds: [A], __secrets: ["organizationArns"] }) }]);
    assert.match(
      textOf(hidden, (_, text) => text),
      /who has access is not in the file/,
    );
    assert.doesNotMatch(
      textOf(hidden, (_, text) => text),
      /nobody has access/,
    );
  });
});

describe("the published form", () => {
  const schema = JSON.parse(fs.readFileSync(path.join(ROOT, "docs/report.schema.json"), "utf8"));
  const validate = new Ajv({ strict: true, allErrors: true }).compile<Report>(schema);

  for (const name of ["share", "change", "guarded"])
    it(`is what docs/report/${name}.json has`, () => {
      const report = JSON.parse(fs.readFileSync(path.join(ROOT, `docs/report/${name}.json`), "utf8"));
      assert.ok(validate(report), JSON.stringify(validate.errors));
      assert.ok(report.amis.length >= 2);
      assert.equal(validate({ ...report, amis: [{}] }), false);
    });
});
