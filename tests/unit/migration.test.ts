/** The text that migrates a state to sets, for every kind of state, and the errors for files that are not a state. */

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as fc from "fast-check";
import * as ts from "typescript";
import { migrationText } from "../../provider/cli/migration";

const [A, B] = ["111122223333", "444455556666"] as const;
const [IMAGE, OTHER] = ["ami-0123456789abcdef0", "ami-0fedcba9876543210"] as const;
const [FIRST, SECOND, STRAY] = ["snap-0a7b1c2d3e4f50617", "snap-0b7b1c2d3e4f50618", "snap-0c7b1c2d3e4f50619"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
const AWS = 'provider["registry.terraform.io/hashicorp/aws"]';

const bytes = (json: unknown) => Buffer.from(typeof json === "string" ? json : JSON.stringify(json));

interface Instance {
  readonly type?: string;
  readonly name?: string;
  readonly module?: string;
  readonly mode?: string;
  readonly key?: string | number;
  readonly provider?: string;
  readonly deposed?: string;
  readonly attributes: Record<string, unknown>;
}
const launch = (attributes: Record<string, unknown>, more: Partial<Instance> = {}): Instance => ({
  ...{ type: "aws_ami_launch_permission", name: "golden", attributes: { image_id: IMAGE, region: "us-east-1", ...attributes } },
  ...more,
});
const volume = (snapshot_id: string, account_id: string, more: Partial<Instance> = {}): Instance => ({
  ...{ type: "aws_snapshot_create_volume_permission", name: "golden", attributes: { snapshot_id, account_id } },
  ...{ key: `${snapshot_id} ${account_id}`, ...more },
});
const image = (snapshotIds: readonly string[], more: Partial<Instance> = {}): Instance => ({
  ...{ type: "aws_ami", name: "golden", mode: "data" },
  attributes: {
    id: IMAGE,
    arn: `arn:aws:ec2:us-east-1::image/${IMAGE}`,
    block_device_mappings: snapshotIds.map((snapshot_id) => ({ device_name: "/dev/xvda", ebs: { snapshot_id } })),
  },
  ...more,
});

/** The content of a terraform.tfstate. */
function stateFile(...instances: readonly Instance[]): object {
  return {
    ...{ version: 4, terraform_version: "1.11.4", serial: 1, lineage: "l", outputs: {} },
    resources: instances.map(({ type, name, module, mode = "managed", key, provider = AWS, deposed, attributes }) => ({
      ...(module === undefined ? {} : { module }),
      ...{ mode, type, name, provider },
      instances: [
        { ...(key === undefined ? {} : { index_key: key }), ...(deposed ? { deposed } : {}), schema_version: 0, attributes },
      ],
    })),
  };
}

/** The output of `terraform show -json` for the same state. */
function shown(...instances: readonly Instance[]): object {
  const values = ({ type, name, mode = "managed", key, deposed, attributes }: Instance) => ({
    ...{ address: "not looked at", mode, type, name, ...(key === undefined ? {} : { index: key }) },
    ...{ provider_name: "registry.terraform.io/hashicorp/aws", values: attributes, ...(deposed ? { deposed_key: deposed } : {}) },
  });
  const modules = [...new Set(instances.flatMap(({ module }) => module ?? []))];
  return {
    format_version: "1.0",
    values: {
      root_module: {
        resources: instances.filter(({ module }) => module === undefined).map(values),
        child_modules: modules.map((address) => ({
          address,
          resources: instances.filter(({ module }) => module === address).map(values),
        })),
      },
    },
  };
}

const blocks = (text: string) =>
  text
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\n{2,}/g, "\n\n")
    .trim();
const terraform = (...instances: readonly Instance[]) => migrationText(bytes(stateFile(...instances)));

describe("the migration of a Terraform state", () => {
  it("looks as if a person wrote it", () => {
    const text = terraform(
      image([FIRST, SECOND]),
      launch({ account_id: B }, { key: B }),
      launch({ account_id: A }, { key: A }),
      launch(
        { organization_arn: ORGANIZATION, account_id: "" },
        { module: 'module.share["a.b"].module.deep[0]', name: "organization" },
      ),
      ...[FIRST, SECOND].flatMap((id) => [volume(id, A), volume(id, B)]),
    );
    assert.equal(
      text,
      `# Written by: ami-launch-permissions migrate-terraform
#
# 1. Add this file to the root module, which has the provider "ami". In every module, delete the resource blocks that are "removed" below,
#    and no others.
# 2. Run terraform plan -out=migration.tfplan. CONTINUE ONLY IF IT SAYS "0 to change, 0 to destroy". If it shows a change, somebody else
#    shared the AMI, or a comment below says what to add. If it would destroy a resource, its removed block is missing.
# 3. Run terraform apply migration.tfplan. Then delete the import and removed blocks.

# AMI ${IMAGE}
import {
  to = ami_launch_permission_set.${IMAGE}
  id = "us-east-1/${IMAGE}"
}

resource "ami_launch_permission_set" "${IMAGE}" {
  image_id = "${IMAGE}"
  region   = "us-east-1"
  account_ids = [
    "${A}",
    "${B}",
  ]
  organization_arns         = ["${ORGANIZATION}"]
  create_volume_permissions = {}
}

removed {
  from = aws_ami_launch_permission.golden
  lifecycle {
    destroy = false
  }
}

removed {
  from = aws_snapshot_create_volume_permission.golden
  lifecycle {
    destroy = false
  }
}

removed {
  from = module.share.module.deep.aws_ami_launch_permission.organization
  lifecycle {
    destroy = false
  }
}
`,
    );
  });

  it("is the same for a state file, for show -json of the state, and for show -json of a plan", () => {
    const instances = [
      image([FIRST]),
      launch({ account_id: A }, { key: 0, module: 'module.a["]"]' }),
      launch({ organizational_unit_arn: UNIT }, { name: "unit" }),
      launch({ group: "all" }, { name: "everybody" }),
      volume(FIRST, A),
    ];
    const text = terraform(...instances);
    assert.match(text, /public {19}= true\n {2}acknowledge_public {7}= true/);
    assert.match(text, new RegExp(`organizational_unit_arns = \\["${UNIT}"\\]`));
    assert.match(text, /from = module\.a\.aws_ami_launch_permission\.golden/);
    assert.match(text, new RegExp(`create_volume_permissions = \\{\n {4}account_ids = \\["${A}"\\]\n {2}\\}`));
    assert.equal(migrationText(bytes(shown(...instances))), text);
    const plan = { format_version: "1.2", planned_values: {}, resource_changes: [], prior_state: shown(...instances) };
    assert.equal(migrationText(bytes(plan)), text);
  });

  const mappings: Record<string, Instance> = {
    "data.aws_ami": image([FIRST]),
    aws_ami: image([], { mode: "managed", attributes: { id: IMAGE, ebs_block_device: [{ snapshot_id: FIRST }] } }),
    "aws_ami_copy by its root": image([], {
      ...{ type: "aws_ami_copy", mode: "managed", attributes: { id: IMAGE, root_snapshot_id: FIRST } },
    }),
    aws_ami_from_instance: image([], {
      ...{ type: "aws_ami_from_instance", mode: "managed" },
      attributes: { id: IMAGE, ebs_block_device: [{ snapshot_id: FIRST }, "?", { snapshot_id: 7 }] },
    }),
  };
  for (const [name, known] of Object.entries(mappings))
    it(`maps snapshots to their AMI by ${name}`, () => {
      const text = terraform(known, launch({ account_id: A }), volume(FIRST, A));
      assert.match(text, /create_volume_permissions = \{\}/);
      assert.match(text, /from = aws_snapshot_create_volume_permission\.golden/);
    });

  it("snapshots of an unknown AMI: says so, keeps their resources, and has the lines prepared in comments", () => {
    const text = terraform(launch({ account_id: A }), volume(STRAY, A), volume(STRAY, B));
    assert.ok(!/^removed \{\n {2}from = aws_snapshot/m.test(text));
    assert.match(text, /^# The state does not say which AMIs these snapshots belong to\. To find out, run:$/m);
    const lines = [
      ...["  create_volume_permissions = {", "    account_ids = [", `      "${A}",`, `      "${B}",`, "    ]"],
      ...[`    snapshot_ids = ["${STRAY}"]`, "  }"],
    ];
    assert.ok(text.includes(lines.map((line) => `# ${line}`).join("\n")), text);
    assert.ok(text.includes("#   removed {\n#     from = aws_snapshot_create_volume_permission.golden\n"), text);
  });

  it("snapshots that are shared differently stay with the aws provider", () => {
    const text = terraform(image([FIRST, SECOND]), launch({ account_id: A }), volume(FIRST, A), volume(SECOND, B));
    assert.ok(!text.includes("create_volume_permissions"));
    assert.ok(!/from = aws_snapshot/.test(text));
    assert.match(text, /^# Its snapshots are shared differently/m);
    assert.match(text, /^# These stay with the aws provider: leave their blocks in the configuration\.$/m);
  });

  it("a resource with an instance that cannot be migrated is forgotten as a whole, and a comment says so", () => {
    const text = terraform(launch({ account_id: A }, { key: "a" }), launch({ account_id: "aws-marketplace" }, { key: "b" }));
    assert.match(
      text,
      /^# No set manages these from here on; they stay shared:\n# {3}aws_ami_launch_permission\.golden\["b"\]: accountIds\[0\]: "aws-marketplace".*\nremoved \{/m,
    );
    assert.match(text, new RegExp(`account_ids = \\["${A}"\\]`));
  });

  it("a deposed object, which waits to be destroyed, is in no set", () => {
    const text = terraform(launch({ account_id: A }), launch({ account_id: B }, { deposed: "12345678" }));
    assert.match(text, new RegExp(`account_ids = \\["${A}"\\]`));
    assert.match(text, /it waits to be destroyed/);
  });

  it("the region is that of the resource or of the AMI; if neither is known, a comment names the provider", () => {
    const old = { region: undefined };
    const west = { provider: `module.x.${AWS}.west` };
    assert.match(terraform(image([]), launch({ account_id: A, ...old })), new RegExp(`id = "us-east-1/${IMAGE}"`));
    const unknown = terraform(launch({ account_id: A, ...old }, west));
    assert.match(unknown, new RegExp(`id = "${IMAGE}"`));
    assert.ok(!/^ *region/m.test(unknown));
    assert.match(unknown, /^# Its region is not in the state\. It was shared through aws\.west\. .* add region = "REGION"/m);
    assert.match(terraform(launch({ account_id: A }, west)), /^# It was shared through aws\.west\. /m);
  });

  it("an AMI that has a set already is not imported again", () => {
    const set = { type: "ami_launch_permission_set", name: "there", attributes: { image_id: IMAGE } };
    const text = terraform(set, launch({ account_id: A }));
    assert.ok(!/^(import|resource)/m.test(text));
    assert.match(
      text,
      /is in the state already, as ami_launch_permission_set\.there\. Its lists must contain the values of these lists:/,
    );
    assert.match(text, /^removed \{/m);
  });

  it("the owner's own account is left out, as in a set, if the state has the owner", () => {
    const known = image([], { attributes: { id: IMAGE, owner_id: B } });
    assert.match(
      terraform(known, launch({ account_id: A }), launch({ account_id: B })),
      new RegExp(`account_ids = \\["${A}"\\]`),
    );
  });

  it("several AMIs are sorted by id", () => {
    const text = terraform(launch({ account_id: A, image_id: OTHER }), launch({ account_id: A }));
    assert.deepEqual(
      text.match(/^resource.*$/gm)?.map((line) => /ami-\w+/.exec(line)?.[0]),
      [IMAGE, OTHER],
    );
  });

  it("is valid for any ids: no value from a state can end its comment or its quotes", () => {
    const nasty = fc.constantFrom("\n", "\r", '"', "\\", "${", "%{", "#", "}", "\u2028", "a", "[", "]");
    const any = fc.array(nasty, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(any, any, any, any, (id, account, key, alias) => {
        const provider = `${AWS}.${alias}`;
        const text = terraform(
          launch({ account_id: A, region: undefined }, { key, provider, module: `module.m[${JSON.stringify(key)}]` }),
          launch({ account_id: account, region: id }, { key: `${key}2` }),
          launch({ account_id: A, image_id: id }, { key, name: "other" }),
          volume(id, A, { key }),
          volume(STRAY, account, { key }),
        );
        const lines = text.split(/[\n\r\u2028]/).filter((line) => line !== "" && !line.startsWith("#"));
        for (const line of lines)
          assert.match(line, /^(import \{|removed \{|resource "[\w-]+" "[\w-]+" \{|\}| {2,}[\w\s={}.[\],"/-]+)$/);
      }),
    );
    // A region can be any text.
    const region = `x"\${file("/etc/passwd")}\n%{`;
    const text = terraform(launch({ account_id: A, region }));
    assert.ok(text.includes(`region      = "x\\"$\${file(\\"/etc/passwd\\")}\\u000a%%{"`), text);
  });

  it("takes little time for a state of 50 MB", function () {
    this.timeout(30_000);
    const many = Array.from({ length: 500 }, (_, i) => `ami-${i.toString(16).padStart(17, "0")}`);
    const accounts = Array.from({ length: 100 }, (_, i) => String(100000000000 + i));
    const padding = { tags: { note: "x".repeat(600) } };
    const grants = many.flatMap((image_id) =>
      accounts.map((account_id) => launch({ account_id, image_id, ...padding }, { key: account_id })),
    );
    const file = bytes(stateFile(...grants));
    assert.ok(file.length > 45e6, String(file.length));
    const began = Date.now();
    assert.equal(migrationText(file).match(/^import \{/gm)?.length, 500);
    assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
  });
});

describe("the migration of a Pulumi stack", () => {
  const PREFIX = "urn:pulumi:test::project::";
  const LAUNCH = "aws:ec2/amiLaunchPermission:AmiLaunchPermission";
  const VOLUME = "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission";
  const PROVIDER = `${PREFIX}pulumi:providers:aws::default_7_0_0`;
  const resource = (type: string, name: string, outputs: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
    ...{ urn: `${PREFIX}${type}::${name}`, custom: true, type, id: "id", inputs: {}, outputs, provider: `${PROVIDER}::p` },
    ...more,
  });
  const exported = (...resources: readonly object[]) =>
    bytes({ version: 3, deployment: { manifest: {}, resources: [provider, ...resources] } });
  const provider = { urn: PROVIDER, id: "p", type: "pulumi:providers:aws", outputs: { region: "eu-west-1" } };
  const copy = resource("aws:ec2/amiCopy:AmiCopy", "copy", { id: IMAGE, ebsBlockDevices: [{ snapshotId: FIRST }] });
  const dump = (text: string) => migrationOfProgram(text);

  it("is a program and commands as a person would write them, and dependent resources come first", () => {
    const one = resource(LAUNCH, "one", { imageId: IMAGE, accountId: A });
    const two = resource(LAUNCH, "it's", { imageId: IMAGE, accountId: B }, { protect: true, dependencies: [one.urn] });
    const three = resource(
      VOLUME,
      "volume",
      { snapshotId: FIRST, accountId: A },
      { urn: `${PREFIX}my:Parent$${VOLUME}::volume` },
    );
    const waiting = resource("x:y:Z", "waiting", {}, { dependencies: [one.urn] });
    assert.equal(
      migrationText(exported(copy, one, two, three, waiting)),
      `/*
Written by: ami-launch-permissions migrate-terraform

1. Add the sets below to the program, beside the old resources, and run pulumi up. Continue only if its preview says that nothing
   changes and nobody loses access. If it shows a change, somebody else shared the AMI, or a comment below says what to add.
   These resources depend on old resources. In the same up, remove these dependencies from the program:
     ${waiting.urn}
2. Remove the old resources from the program. Do not run up yet: it would revoke what they granted.
3. Remove them from the state. Nothing changes in AWS:

pulumi state delete --yes '${three.urn}'
pulumi state delete --yes --force '${PREFIX}${LAUNCH}::it'\\''s'
pulumi state delete --yes '${one.urn}'

4. Run pulumi preview. CONTINUE ONLY IF IT DELETES NOTHING. Then run pulumi up.
*/

import { AmiLaunchPermissionSet } from "ami-launch-permissions";

// AMI ${IMAGE}
new AmiLaunchPermissionSet("${IMAGE}", {
  imageId: "${IMAGE}",
  region: "eu-west-1",
  accountIds: [
    "${A}",
    "${B}",
  ],
  createVolumePermissions: {
    accountIds: ["${A}"],
  },
});
`,
    );
  });

  it("supports units, everybody, an existing set, a resource that waits to be deleted, a secret, and other providers", () => {
    const west = {
      urn: `${PREFIX}pulumi:providers:aws::west`,
      id: "w",
      type: "pulumi:providers:aws",
      outputs: { region: "us-west-2" },
    };
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
    const text = migrationText(
      exported(
        west,
        resource(LAUNCH, "o", { imageId: OTHER, organizationArn: ORGANIZATION }, { provider: `${west.urn}::w` }),
        resource(LAUNCH, "u", { imageId: OTHER, organizationalUnitArn: UNIT }),
        resource(LAUNCH, "p", { imageId: OTHER, group: "all" }),
        resource(LAUNCH, "gone", { imageId: OTHER, accountId: B }, { delete: true }),
        resource(LAUNCH, "secret", { imageId: secret, accountId: A }),
        resource(LAUNCH, "there", { imageId: IMAGE, accountId: A }),
        resource("pulumi-nodejs:dynamic/ami-launch-permissions:AmiLaunchPermissionSet", "set", { imageId: IMAGE }),
        resource(VOLUME, "stray", { snapshotId: STRAY, accountId: A }),
      ),
    );
    const args = dump(text);
    assert.deepEqual(args, {
      [OTHER]: {
        ...{ imageId: OTHER, region: "us-west-2", public: true, acknowledgePublic: true },
        ...{ organizationArns: [ORGANIZATION], organizationalUnitArns: [UNIT] },
      },
    });
    assert.match(text, /^AMI ami-0123456789abcdef0 is in the stack already, as urn:.*::set\. Its lists/m);
    assert.match(text, /::gone: it waits to be destroyed$/m);
    assert.match(text, /::secret: the state does not tell its AMI$/m);
    assert.match(text, /^\/\/ It was shared through the provider "west": add profile or assumeRole/m);
    assert.match(
      text,
      new RegExp(`^ {2}createVolumePermissions: \\{"accountIds":\\["${A}"\\],"snapshotIds":\\["${STRAY}"\\]\\},$`, "m"),
    );
  });

  it("no value from a state can end its comment, its string or its shell word", () => {
    const nasty = fc.constantFrom("\n", "'", '"', "\\", "$(false)", "`", "*/", "//", "\u2028", " ", "a", "::", "$'");
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 8 }), (parts) => {
        const name = parts.join("");
        const one = resource(LAUNCH, name, { imageId: IMAGE, accountId: A, region: name });
        const text = migrationText(exported(one, resource(VOLUME, name, { snapshotId: name, accountId: name })));
        assert.deepEqual(dump(text), { [IMAGE]: { imageId: IMAGE, region: name, accountIds: [A] } });
        const [command = ""] = /^pulumi state delete .*$/m.exec(text) ?? [];
        const { stdout } = spawnSync("bash", ["-c", command.replace("pulumi state delete --yes", "printf %s")], {
          encoding: "utf8",
          env: { ...process.env, LC_ALL: "C.UTF-8" },
        });
        assert.equal(stdout, one.urn, command);
      }),
      { numRuns: 40 },
    );
  });
});

/** The sets that a program creates, by name. */
function migrationOfProgram(text: string): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  const { outputText, diagnostics } = ts.transpileModule(text, {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.CommonJS },
  });
  assert.deepEqual(
    diagnostics?.map(({ messageText }) => messageText),
    [],
  );
  class AmiLaunchPermissionSet {
    constructor(name: string, args: Record<string, unknown>) {
      made[name] = args;
    }
  }
  new Function("require", "exports", outputText)(() => ({ AmiLaunchPermissionSet }), {});
  return made;
}

describe("a file that is not a state to migrate", () => {
  const state = stateFile(launch({ account_id: A }));
  const cases: readonly { name: string; file: Uint8Array; says: RegExp }[] = [
    { name: "nothing", file: bytes(""), says: /^the file is empty; give a terraform\.tfstate/ },
    { name: "prose", file: bytes("resource {}"), says: /^this is not JSON, or it is cut off/ },
    { name: "a truncated state", file: bytes(JSON.stringify(state).slice(0, -40)), says: /^this is not JSON, or it is cut off/ },
    {
      name: "a saved plan",
      file: Buffer.from("PK\u0003\u0004\0\0"),
      says: /^this is not text.*saved plan: terraform show -json/,
    },
    { name: "a binary", file: Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe]), says: /^this is not text/ },
    ...["null", "7", '"x"', "[]", "{}", '{"version":4}', '{"@level":"info"}'].map((text) => ({
      ...{ name: text, file: bytes(text), says: /^this is JSON, but no state; give/ },
    })),
    {
      name: "a state of version 3",
      file: bytes({ ...state, version: 3, modules: [] }),
      says: /^this state is of version 3, and 4 can/,
    },
    { name: "a state of version 5", file: bytes({ ...state, version: 5 }), says: /^this state is of version 5/ },
    {
      name: "show -json of format 9",
      file: bytes({ format_version: "9.0" }),
      says: /cannot be read: format_version: is not one/,
    },
    {
      name: "an export of version 2",
      file: bytes({ version: 2, deployment: {} }),
      says: /^this export is of version 2, and 3 and 4/,
    },
    { name: "a checkpoint", file: bytes({ version: 3, checkpoint: {} }), says: /^this is a checkpoint .* pulumi stack export/ },
    {
      name: "an encrypted state",
      file: bytes({ lineage: "x", encrypted_data: "x" }),
      says: /^this state is encrypted: tofu show/,
    },
    { name: "resources of the wrong type", file: bytes({ ...state, resources: {} }), says: /cannot be read: resources: / },
    {
      ...{ name: "a name that is none", file: bytes(stateFile(launch({ account_id: A }, { name: "a\nb" }))) },
      says: /resources\.0\.name: is not a name of Terraform's/,
    },
    {
      ...{ name: "a module that is none", file: bytes(stateFile(launch({ account_id: A }, { module: "x{" }))) },
      says: /resources\.0\.module: is not a module's address/,
    },
    {
      name: "an empty state",
      file: bytes(stateFile()),
      says: /^there is nothing to migrate: this state holds no aws_ami_launch/,
    },
    { name: "show -json of nothing", file: bytes({ format_version: "1.0" }), says: /^there is nothing to migrate/ },
    {
      name: "an empty stack",
      file: bytes({ version: 3, deployment: {} }),
      says: /^there is nothing to migrate: this stack holds no/,
    },
    { name: "control characters", file: bytes('{"a": \u001b\n}'), says: /^this is not JSON, or it is cut off/ },
    { name: "a million nested brackets", file: bytes("[".repeat(1e6)), says: /^this is not JSON|^this is JSON, but no state/ },
  ];
  for (const { name, file, says } of cases)
    it(`${name}: the error explains the problem`, () => {
      assert.throws(
        () => migrationText(file),
        (error: Error) => {
          assert.match(error.message, says);
          assert.ok(!/\n|undefined|\n\s+at /.test(error.message), error.message);
          return true;
        },
      );
    });

  it("20,000 nested modules: the error explains the problem", () => {
    const deep = `{"format_version":"1.0","values":{"root_module":${'{"child_modules":['.repeat(20_000)}${"]}".repeat(20_000)}}}`;
    assert.throws(() => migrationText(bytes(deep)), /^Error: this state cannot be read: it nests too deeply; give/);
  });

  it("a state is read with a byte order mark, and in the encoding that PowerShell writes", () => {
    const text = migrationText(bytes(state));
    assert.equal(migrationText(Buffer.from(`\ufeff${JSON.stringify(state)}`)), text);
    assert.equal(migrationText(Buffer.from(`\ufeff${JSON.stringify(state)}`, "utf16le")), text);
  });
});

describe("the command migrate-terraform", () => {
  const MAIN = path.join(__dirname, "../../provider/dist/cli/main.js");
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-migrate-"));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  // Neither Pulumi nor Terraform is on the PATH.
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, "migrate-terraform", ...args], { encoding: "utf8", env: { PATH: folder }, cwd: folder });

  it("prints the text, and exits with 0", () => {
    fs.writeFileSync(path.join(folder, "state"), JSON.stringify(stateFile(launch({ account_id: A }))));
    const { stdout, stderr, status } = run("state");
    assert.deepEqual([stdout, stderr, status], [terraform(launch({ account_id: A })), "", 0]);
    assert.ok(blocks(stdout).startsWith("import {"));
  });

  it("reports an error on stderr, without a stack trace, and exits with 2", () => {
    fs.writeFileSync(path.join(folder, "prose"), "x");
    fs.writeFileSync(path.join(folder, "empty"), JSON.stringify(stateFile()));
    const cases: readonly [args: string[], says: RegExp][] = [
      [["prose"], /^prose: this is not JSON/],
      [["empty"], /^empty: there is nothing to migrate/],
      [[folder], /is a folder, not a state\n$/],
      [["absent"], /^absent cannot be read: ENOENT/],
      [[], /^error: missing required argument .file./],
      [["a", "b"], /^error: too many arguments/],
      [["--nonsense", "a"], /unknown option .--nonsense./],
    ];
    for (const [args, says] of cases) {
      const { stdout, stderr, status } = run(...args);
      assert.match(stderr, says);
      assert.deepEqual([stdout, status], ["", 2]);
      assert.ok(!/^\s+at /m.test(stderr), stderr);
    }
  });
});
