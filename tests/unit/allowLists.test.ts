/** Allow-lists: their entries and files, and what a set that names or keeps anybody else gets, in each engine's provider, with EC2 in memory. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { AmiSharingError, allowListOf, decodeDeclaredSet, problemText, UNKNOWN } from "../../provider/core";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { PULUMI_UNKNOWN } from "../../provider/pulumi/sdkInternals";
import { SetProvider } from "../../provider/pulumi-plugin/setProvider";
import type { Value } from "../../provider/terraform/values";
import { useFolder } from "../helpers/folder";
import { MemoryEngine, type Props } from "../helpers/memoryEngine";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const WAIT_OPTIONS = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };
const IMAGE = "ami-0123456789abcdef0";

describe("the argument allowedGrantees", () => {
  const decoded = (allowedGrantees: unknown) => {
    const result = decodeDeclaredSet({ imageId: IMAGE, allowedGrantees });
    return "declared" in result ? result.declared.allowedGrantees : result.problems.map(problemText);
  };

  it("takes ids, numbers, keys of grants, ARNs in any case, public and files; a text is a file", () => {
    assert.deepEqual(decoded([`account/${B}`, 111122223333, UNIT.toUpperCase(), ORGANIZATION, "public", "file://a.yaml", A]), [
      A,
      B,
      ORGANIZATION,
      UNIT,
      "file://a.yaml",
      "public",
    ]);
    assert.deepEqual(
      [decoded("allowed.csv"), decoded("file:///lists/allowed")],
      [["file://allowed.csv"], ["file:///lists/allowed"]],
    );
    assert.deepEqual([decoded([]), decoded(UNKNOWN), decoded([UNKNOWN, A])], [[], UNKNOWN, [A, UNKNOWN]]);
  });

  it("refuses everything else, and says what to write", () => {
    for (const [given, words] of [
      [["*"], /allowedGrantees\[0\]: "\*" is not .*; it stands for everybody: write "public"/],
      [["o-abcde12345"], /it is an organization's id: write its full ARN/],
      [["12345678901"], /allowedGrantees\[0\]: "12345678901" is not an account id, a full ARN/],
      [[12345678901], /lost its leading zero/],
      [["file://"], /"file:\/\/" is not/],
      [A, /"111122223333" is not a list of account ids, ARNs and files; write one such as \["111122223333"\]/],
      [true, /true is not a list/],
    ] as const)
      assert.match(String(decoded(given)), words);
  });

  const folder = useFolder();
  const put = (name: string, text: string) => {
    const file = path.join(folder(), name);
    fs.writeFileSync(file, text);
    return `file://${file}`;
  };
  const keysIn = (entry: string) => [...allowListOf([entry], "the set").keys];

  it("reads the entries of a file, also of one with names", () => {
    const all = [`account/${A}`, ORGANIZATION, "public"];
    assert.deepEqual(keysIn(put("a.yaml", `- ${A}\n- ${ORGANIZATION}\n- public\n`)), all);
    assert.deepEqual(keysIn(put("a.json", JSON.stringify([A, ORGANIZATION, "public"]))), all);
    assert.deepEqual(keysIn(put("a.txt", `# who\n${A}\n${ORGANIZATION}\n\npublic\n`)), all);
    assert.deepEqual(keysIn(put("a.csv", `Name,Id\nacme,${A}\norg,${ORGANIZATION}\nall,public\n`)), all);
    assert.deepEqual(keysIn(put("names.yaml", `${A}: acme-prod\n012345678901: old\n`)), [`account/${A}`, "account/012345678901"]);
  });

  it("refuses a file that is missing, empty, a folder, or has wrong or equal entries", () => {
    const problem = (entry: string) => {
      try {
        keysIn(entry);
      } catch (error) {
        assert.ok(error instanceof AmiSharingError && error.code === "invalid-argument", String(error));
        return error.message;
      }
      return assert.fail("it was expected to fail");
    };
    assert.match(
      problem(`file://${folder()}/none.yaml`),
      /^allowedGrantees of the set: the file ".*none\.yaml" does not exist; correct/,
    );
    assert.match(problem(put("empty.yaml", "")), /empty\.yaml" is empty/);
    fs.mkdirSync(path.join(folder(), "lists.csv"));
    assert.match(problem(`file://${folder()}/lists.csv`), /is a folder/);
    assert.match(
      problem(put("wrong.txt", `${A}\nacme\n${A}`)),
      /line 2: "acme" is neither an account id of 12 digits, nor a full ARN, nor "public", line 3: account\/111122223333 is there already, at line 1/,
    );
  });
});

/** The real operations of one engine's provider for one set, with an allow-list for all sets. */
interface Subject {
  readonly name: string;
  /** Whose list holds for all sets. */
  readonly holder: string;
  /** The words of an up: of its errors, or of its warnings and reports. */
  up(args: Props, list?: readonly string[], preview?: "preview"): Promise<string>;
}

function dynamicSubject(ec2: MemoryGateway): Subject {
  let engine: MemoryEngine | undefined;
  return {
    name: "the dynamic provider",
    holder: "the stack",
    async up(args, list) {
      const provider = new DynamicProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS });
      await configured(provider, list && { allowedGrantees: JSON.stringify(list) });
      const { state } = engine ?? {};
      engine = new MemoryEngine(provider);
      engine.state = state;
      return wordsOf(engine.up(args));
    },
  };
}

const URN = "urn:pulumi:test::test::ami-launch-permissions:index:LaunchPermissionSet::golden";

function pluginSubject(ec2: MemoryGateway): Subject {
  let state: { inputs: Props; outputs: Props } | undefined;
  return {
    name: "the full Pulumi provider",
    holder: "the provider",
    async up(args, list, preview) {
      const shown: string[] = [];
      const show = async (_: string, text: string) => void shown.push(text);
      const provider = new SetProvider({ gateway: () => ec2, waitOptions: WAIT_OPTIONS, quiet: 0, show });
      await provider.useConfig(list ? { allowedGrantees: JSON.stringify(list) } : {});
      const words = await wordsOf(
        (async () => {
          const { inputs, failures } = await provider.checkSet(URN, state?.inputs ?? {}, args);
          if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("\n"));
          const id = String(args.imageId);
          const isPreview = preview !== undefined;
          if (!state) {
            const made = await provider.createSet(URN, inputs, isPreview);
            if (!isPreview) state = { inputs: inputs as Props, outputs: made.outs as Props };
            return;
          }
          const { changes } = await provider.diffSet(URN, id, state.outputs, state.inputs, inputs);
          if (!changes) return;
          const made = await provider.updateSet(URN, id, state.outputs, inputs, isPreview);
          if (!isPreview) state = { inputs: inputs as Props, outputs: made.outs as Props };
        })(),
      );
      return [words, ...shown].join("\n");
    },
  };
}

function terraformSubject(ec2: MemoryGateway): Subject {
  const terraform = new MemoryTerraform({ makeGateway: () => ec2, waitOptions: WAIT_OPTIONS });
  return {
    name: "the Terraform provider",
    holder: "the provider",
    async up(args, list, preview) {
      const config = inTerraform(args) as Record<string, Value>;
      terraform.block = list ? { allowed_grantees: [...list] } : {};
      const told = preview ? await planOf(terraform, config) : await terraform.apply(config);
      return told.map(({ detail }) => detail).join("\n");
    },
  };
}

/** An object in a configuration has all its members. */
const ABSENT = { snapshot_ids: null, public: null };

function inTerraform(value: unknown, absent: object = {}): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const name = (camel: string) => camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const members = Object.entries(value).map(([key, member]) => [name(key), inTerraform(member, ABSENT)]);
  return { ...absent, ...Object.fromEntries(members) };
}

async function planOf(terraform: MemoryTerraform, config: Record<string, Value>) {
  await terraform.begin();
  return (await terraform.plan(config)).diagnostics;
}

async function configured(provider: DynamicProvider, rules: Record<string, string> = {}): Promise<void> {
  const get = (key: string) => rules[key.replace("ami-launch-permissions:", "")];
  await provider.configure({ config: { get, require: get } } as unknown as Parameters<DynamicProvider["configure"]>[0]);
}

function wordsOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "",
    (error: Error) => error.message,
  );
}

for (const make of [dynamicSubject, pluginSubject, terraformSubject]) {
  const { name, holder } = make(new MemoryGateway());
  describe(`allow-lists in ${name}`, () => {
    let ec2: MemoryGateway;
    let subject: Subject;
    let imageId: string;
    beforeEach(() => {
      ec2 = new MemoryGateway();
      subject = make(ec2);
      imageId = ec2.addImage(1).imageId;
    });
    const says = (words: string, of: string, who: string) => {
      const list = name.includes("Terraform") ? "allowed_grantees" : "allowedGrantees";
      assert.ok(words.includes(`${list} of ${of} does not have ${who}`), words);
      assert.match(words, /nothing was changed \[not-allowed\]/);
      assert.deepEqual(ec2.modifications(), []);
    };
    const named = (count: string, who: string) => `${count} whom the set names for AMI ${imageId}: ${who}`;
    const kept = (count: string, who: string) => `${count} who would keep access to AMI ${imageId}: ${who}`;

    it("refuse whom a set names, before any change; what all lists have is shared", async () => {
      const args = { imageId, accountIds: [A, B], organizationArns: [ORGANIZATION] };
      says(await subject.up(args, [A]), holder, named("1 grantee", ORGANIZATION));
      says(await subject.up({ imageId, accountIds: [A, B] }, [A]), holder, named("1 grantee", `account/${B}`));
      says(await subject.up({ ...args, allowedGrantees: [A, B] }), "the set", named("1 grantee", ORGANIZATION));
      says(
        await subject.up({ imageId, accountIds: [A, B], allowedGrantees: [A] }, [A, B, C]),
        "the set",
        named("1 grantee", `account/${B}`),
      );
      says(
        await subject.up({ imageId, accountIds: [A, B], allowedGrantees: [A, B, C] }, [A]),
        holder,
        named("1 grantee", `account/${B}`),
      );
      says(
        await subject.up({ imageId, accountIds: [A], createVolumePermissions: { accountIds: [A, C] } }, [A, B]),
        holder,
        named("1 grantee", `account/${C}`),
      );
      assert.doesNotMatch(
        await subject.up({ ...args, allowedGrantees: [A, B, ORGANIZATION] }, [A, B, C, ORGANIZATION]),
        /not-allowed/,
      );
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`, ORGANIZATION]);
    });

    it("refuse public unless it is listed, and always allow the owner", async () => {
      const everybody = { imageId, public: true, acknowledgePublic: true };
      says(await subject.up(everybody, [A]), holder, named("1 grantee", "public"));
      assert.doesNotMatch(await subject.up({ imageId, accountIds: [A, OWNER] }, [A]), /not-allowed/);
      assert.doesNotMatch(await subject.up({ ...everybody, accountIds: [A] }, [A, "public"]), /not-allowed/);
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, "public"]);
    });

    it("refuse an additive set that would leave others with access, a new one and one that does not change", async () => {
      const args = { imageId, accountIds: [A], mode: "additive" };
      ec2.grantees(imageId).add(`account/${C}`);
      says(await subject.up(args, [A]), holder, kept("1 grantee", `account/${C}`));
      ec2.grantees(imageId).delete(`account/${C}`);
      await subject.up(args, [A]);
      ec2.grantees(imageId).add(`account/${C}`);
      await subject.up({ ...args, accountIds: [A, B] });
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [`account/${A}`, `account/${B}`, `account/${C}`]);
      ec2.forgetCalls();
      says(await subject.up({ ...args, accountIds: [A, B] }, [A, B]), holder, kept("1 grantee", `account/${C}`));
    });

    it("refuse a list that was narrowed for a set that does not change", async () => {
      await subject.up({ imageId, accountIds: [A, B] }, [A, B]);
      ec2.forgetCalls();
      says(await subject.up({ imageId, accountIds: [A, B] }, [A]), holder, named("1 grantee", `account/${B}`));
    });

    it("do not hinder an authoritative set that revokes whom the list does not have, but one that keeps them by neverRevoke", async () => {
      ec2.grantees(imageId).add(`account/${C}`);
      says(await subject.up({ imageId, accountIds: [A], neverRevoke: [C] }, [A]), holder, kept("1 grantee", `account/${C}`));
      assert.doesNotMatch(await subject.up({ imageId, accountIds: [A] }, [A]), /not-allowed/);
      assert.deepEqual([...ec2.grantees(imageId)], [`account/${A}`]);
    });

    it("refuse an account for an AMI that is not known yet, and wait for a list that is not", async () => {
      const [preview, unknown] =
        name.includes("Pulumi") || name.includes("dynamic") ? [undefined, PULUMI_UNKNOWN] : ["preview" as const, UNKNOWN];
      const words = await subject.up({ imageId: unknown, accountIds: [A, B] }, [A], preview);
      assert.match(words, /does not have 1 grantee whom the set names for an AMI that is not known yet: account\/444455556666/);
      const later = await subject.up({ imageId, accountIds: [A, B], allowedGrantees: unknown }, undefined, "preview");
      assert.doesNotMatch(later, /not-allowed/);
      says(
        await subject.up({ imageId, accountIds: [A, B], allowedGrantees: [A] }),
        "the set",
        named("1 grantee", `account/${B}`),
      );
    });

    it("refuse every change while a file of the list cannot be read", async () => {
      const words = await subject.up({ imageId, accountIds: [A], allowedGrantees: ["file://none.yaml"] });
      assert.match(words, /the file "none\.yaml" does not exist; correct the file; nothing was changed \[invalid-argument\]/);
      assert.deepEqual(ec2.modifications(), []);
    });
  });
}
