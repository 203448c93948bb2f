/** Laws for the messages of the Terraform provider: values of the user are shown unchanged, and argument names are Terraform's. */

import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { AmiSharingError, ARGUMENT_NAMES } from "../../provider/core";
import { userError } from "../../provider/core/aws/awsErrors";
import { errorDiagnostic, inTerraformWords, problemDiagnostic } from "../../provider/terraform/diagnostics";
import { providerProblems } from "../../provider/terraform/providerConfig";
import { problemsOf } from "../../provider/terraform/set";
import type { ObjectValue, Value } from "../../provider/terraform/values";
import { full } from "../helpers/memoryTerraform";
import { runs } from "./runs";

const IMAGE = "ami-1234567890abcdef0";
/** What a translator of words would trip over, in any order, and what would make it lose count of the quotes. */
const PIECES = [
  ...ARGUMENT_NAMES,
  ...["snapshotIds", "roleArn", "public: true", ": true", ": 1", "role/", "arn:aws:iam::111122223333:"],
  ...['"', '\\"', "\\", "'", "`", " ", ", ", "\n", "\t", "é", "x", "-", "(", "[0]"],
  ...[` is neither a whole number of grantees nor "none"`, "the region (the argument's, or the engine's AWS configuration)"],
];
const text = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));

/** The longest that is shown whole. */
const LONGEST = 80;

/** The value as the words have to show it: as JSON, or a beginning of it. */
function assertShown(detail: string, value: unknown): void {
  const json = JSON.stringify(value);
  assert.ok(detail.includes(json.length > LONGEST ? json.slice(0, LONGEST - 10) : json), `${json} is not in: ${detail}`);
}

const own = (names: Record<string, Value>) => full({ image_id: IMAGE, ...names });
const LISTS = ["account_ids", "organization_arns", "organizational_unit_arns", "never_revoke"];
const TEXTS = ["image_id", "mode", "on_delete", "kms_access", "region"];
const volumes = (members: Record<string, Value>) => ({ account_ids: null, snapshot_ids: null, public: null, ...members });
const PLACES: Readonly<Record<string, (value: string) => ObjectValue>> = {
  ...Object.fromEntries(TEXTS.map((name) => [name, (value: string) => own({ [name]: value })])),
  ...Object.fromEntries(LISTS.map((name) => [name, (value: string) => own({ [name]: [value] })])),
  "create_volume_permissions.account_ids": (value) => own({ create_volume_permissions: volumes({ account_ids: [value] }) }),
  "create_volume_permissions.snapshot_ids": (value) => own({ create_volume_permissions: volumes({ snapshot_ids: [value] }) }),
};
const block = (names: Record<string, Value>): ObjectValue => ({
  ...{ region: null, profile: null, endpoint: null, assume_role: null, max_retries: null },
  ...names,
});
const role = (members: Record<string, Value>) => block({ assume_role: { external_id: null, session_name: null, ...members } });
const ROLE = "arn:aws:iam::111122223333:role/share";
const BLOCK_PLACES: Readonly<Record<string, (value: string) => ObjectValue>> = {
  region: (value) => block({ region: value }),
  endpoint: (value) => block({ endpoint: value }),
  "assume_role.role_arn": (value) => role({ role_arn: value }),
  "assume_role.session_name": (value) => role({ role_arn: ROLE, session_name: value }),
};

describe("laws of the Terraform provider's words", () => {
  for (const [name, config] of Object.entries(PLACES))
    it(`a wrong ${name} is shown as the user wrote it`, () =>
      fc.assert(
        fc.property(text, (value) => {
          for (const problem of problemsOf(config(value))) assertShown(problemDiagnostic(problem).detail, value);
        }),
        runs(300),
      ));

  for (const [name, config] of Object.entries(BLOCK_PLACES))
    it(`a wrong ${name} of the provider block is shown as the user wrote it`, () =>
      fc.assert(
        fc.property(text, (value) => {
          for (const problem of providerProblems(config(value))) assertShown(problemDiagnostic(problem).detail, value);
        }),
        runs(300),
      ));

  it("a profile is shown as the user wrote it, and AWS's own words as AWS said them", () =>
    fc.assert(
      fc.property(text, text, (profile, said) => {
        const missing = userError(Object.assign(new Error("none"), { name: "CredentialsProviderError" }), {
          action: "DescribeImages",
          profile,
        });
        assert.ok(errorDiagnostic("", missing).detail.includes(JSON.stringify(profile)));
        // Blanks and a full stop at its end are ours to leave out; a lone sign is no words.
        const words = `AWS says ${said.replace(/\s+/g, " ").trim()}`.trim();
        const denied = userError(Object.assign(new Error(words), { name: "AccessDenied" }), { action: "AssumeRole" });
        assert.ok(errorDiagnostic("", denied).detail.includes(words), errorDiagnostic("", denied).detail);
      }),
      runs(300),
    ));

  it("our own names are Terraform's beside any value", () =>
    fc.assert(
      fc.property(text, fc.constantFrom(...ARGUMENT_NAMES), (value, name) => {
        const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
        const json = JSON.stringify(value);
        assert.equal(
          inTerraformWords(`${json} is wrong; see ${name}, ${name}: true (${name}) and ${json}`),
          `${json} is wrong; see ${snake}, ${snake}${/[A-Z]|^public$/.test(name) ? " = " : ": "}true (${snake}) and ${json}`,
        );
      }),
      runs(300),
    ));

  for (const [name, core, terraform] of [
    ["an ARN", "arn:aws:iam::1:role/accountIds may not", "arn:aws:iam::1:role/accountIds may not"],
    ["a URL", "http://127.0.0.1/imageId?accountIds=1 fails", "http://127.0.0.1/imageId?accountIds=1 fails"],
    ["a path", "createVolumePermissions.snapshotIds: snap-1 is not", "create_volume_permissions.snapshot_ids: snap-1 is not"],
    ["a place in a list", "accountIds[1]: x", "account_ids[1]: x"],
    ["an assignment", 'kmsAccess: "grant" or public: true', 'kms_access = "grant" or public = true'],
  ] as const)
    it(`${name} is told right`, () => assert.equal(inTerraformWords(core), terraform));

  it("what AWS said in a change that was made in part stays, too", () => {
    const reason = new AmiSharingError("aws-error", "it failed: no imageId", { next: "see imageId", verbatim: ["no imageId"] });
    const error = new Error(`begun: ${reason.message}`, { cause: reason });
    assert.equal(errorDiagnostic("", error).detail, "begun: it failed: no imageId; see image_id [aws-error]");
  });
});
