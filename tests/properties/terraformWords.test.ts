/** Properties of the messages of the Terraform provider: values of the user are shown unchanged, and argument names are Terraform's. */

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
/** Pieces of text that could confuse the translation of names, in any order, also with unbalanced quotes. */
const PIECES = [
  ...ARGUMENT_NAMES,
  ...["snapshotIds", "roleArn", "public: true", ": true", ": 1", "role/", "arn:aws:iam::111122223333:"],
  ...['"', '\\"', "\\", "'", "`", " ", ", ", "\n", "\t", "é", "x", "-", "(", "[0]"],
  ...[` is neither a whole number of grantees nor "none"`, "the region (the argument's, or the engine's AWS configuration)"],
];
const text = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));

/** The longest value that is shown completely. */
const LONGEST = 80;

/** Checks that the message shows the value as JSON, or its beginning. */
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

describe("properties of the Terraform provider's messages", () => {
  for (const [name, config] of Object.entries(PLACES))
    it(`an invalid ${name} is shown as the user wrote it`, () =>
      fc.assert(
        fc.property(text, (value) => {
          for (const problem of problemsOf(config(value))) assertShown(problemDiagnostic(problem).detail, value);
        }),
        runs(300),
      ));

  for (const [name, config] of Object.entries(BLOCK_PLACES))
    it(`an invalid ${name} of the provider block is shown as the user wrote it`, () =>
      fc.assert(
        fc.property(text, (value) => {
          for (const problem of providerProblems(config(value))) assertShown(problemDiagnostic(problem).detail, value);
        }),
        runs(300),
      ));

  it("a profile is shown as the user wrote it, and AWS's message as AWS wrote it", () =>
    fc.assert(
      fc.property(text, text, (profile, said) => {
        const missing = userError(Object.assign(new Error("none"), { name: "CredentialsProviderError" }), {
          action: "DescribeImages",
          profile,
        });
        assert.ok(errorDiagnostic("", missing).detail.includes(JSON.stringify(profile)));
        // The provider may remove spaces and a full stop at the end. A single character is not a message.
        const words = `AWS says ${said.replace(/\s+/g, " ").trim()}`.trim();
        const denied = userError(Object.assign(new Error(words), { name: "AccessDenied" }), { action: "AssumeRole" });
        assert.ok(errorDiagnostic("", denied).detail.includes(words), errorDiagnostic("", denied).detail);
      }),
      runs(300),
    ));

  it("argument names of the tool become Terraform's, beside any value", () =>
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
    it(`${name} is written correctly`, () => assert.equal(inTerraformWords(core), terraform));

  it("AWS's message in the error of a partial change is also unchanged", () => {
    const reason = new AmiSharingError("aws-error", "it failed: no imageId", { next: "see imageId", verbatim: ["no imageId"] });
    const error = new Error(`begun: ${reason.message}`, { cause: reason });
    assert.equal(errorDiagnostic("", error).detail, "begun: it failed: no imageId; see image_id [aws-error]");
  });
});
