/** Plans of the real Terraform: unknown values, replacement, import, moves, `terraform test`, warnings, long lists, other regions. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { PROVIDER_ADDRESS, PROVIDER_FILE, PROVIDER_VERSION } from "ami-launch-permissions/terraform";
import { type MadeImage, ROOT, useEmulator } from "../helpers/emulator";
import { type TerraformDiagnostic, type TerraformPlan, TerraformProject } from "../helpers/terraformProject";

const [A, B, C, ELSE] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;
const ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::123456789012:ou/o-abcde12345/ou-ab12-cdefgh34";
const STATE = path.join(ROOT, "tests/fixtures/terraform-state-0.1.0.json");
const BOTH = "launch, createVolume";

/** A block, with one argument on each line. */
const block = (head: string, ...lines: string[]) => `${head} {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
const set = (name: string, ...lines: string[]) => block(`resource "ami_launch_permission_set" "${name}"`, ...lines);
const input = (name: string, value: unknown) => block(`resource "terraform_data" "${name}"`, `input = ${JSON.stringify(value)}`);
const image = ({ imageId }: MadeImage) => `image_id = "${imageId}"`;
const accounts = (...ids: string[]) => `account_ids = ${JSON.stringify(ids)}`;
const VOLUMES = "create_volume_permissions = {}";
const GENTLY = "lifecycle { create_before_destroy = true }";

/** The lines of a plan that mark an element of one attribute as changed. */
function changedElements(plan: string, attribute: string): string[] {
  const [, block = ""] = new RegExp(`~ ${attribute} += [\\[{]\\n([\\s\\S]*?)\\n +[\\]}]`).exec(plan) ?? [];
  return block
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "))
    .filter((line) => /^[-+~] /.test(line));
}

describe("a plan of Terraform", () => {
  const emulator = useEmulator();
  let project: TerraformProject | undefined;
  afterEach(() => {
    project?.remove();
    project = undefined;
  });

  async function start(text: string, provider?: string): Promise<TerraformProject> {
    project = await TerraformProject.create(emulator(), text, provider === undefined ? {} : { provider });
    return project;
  }

  /** Images with two snapshots each. */
  function images(count: number): Promise<MadeImage[]> {
    return emulator().images(Array.from({ length: count }, () => ({ snapshots: 2 })));
  }

  /** Checks, with an independent client, that exactly these accounts have launch and create-volume permission. */
  async function shared(
    ...expected: readonly [MadeImage, launch: readonly string[], volumes?: readonly string[]][]
  ): Promise<void> {
    const pairs = expected.flatMap(([{ imageId, snapshotIds }, launch, volumes = launch]) => [
      ...launch.map((id) => `${imageId} account/${id}`),
      ...snapshotIds.flatMap((snapshotId) => volumes.map((id) => `${snapshotId} account/${id}`)),
    ]);
    assert.deepEqual(await emulator().pairs(expected.map(([made]) => made)), pairs.sort());
  }

  const changes = ({ resource_changes = [] }: TerraformPlan) =>
    Object.fromEntries(
      resource_changes.flatMap(({ address, change }) => (address.startsWith("ami_") ? [[shortOf(address), change]] : [])),
    );
  const shortOf = (address: string) => address.replace("ami_launch_permission_set.", "");
  const of = (diagnostics: readonly TerraformDiagnostic[], name: string) =>
    diagnostics.filter(({ address }) => address === `ami_launch_permission_set.${name}`);

  it("works with unknown values: the AMI, an account, a whole list, the provider's region", async () => {
    const [first, second, one, all, later] = (await images(5)) as [MadeImage, MadeImage, MadeImage, MadeImage, MadeImage];
    const declare = (ami: MadeImage, account: string, list: string[]) =>
      [
        input("image", ami.imageId),
        input("account", account),
        input("list", list),
        set("image", "image_id = terraform_data.image.output", accounts(A), VOLUMES, GENTLY),
        set("one", image(one), `account_ids = [terraform_data.account.output, "${B}"]`, VOLUMES),
        set("all", image(all), "account_ids = terraform_data.list.output", VOLUMES),
        set("later", "provider = ami.later", image(later), accounts(A)),
      ].join("");
    const provider =
      input("region", "us-east-1") + block('provider "ami"', 'alias = "later"', "region = terraform_data.region.output");
    const terraform = await start(declare(first, A, [A, B]), `provider "ami" {\n  region = "us-east-1"\n}\n${provider}`);
    const created = changes(await terraform.planJson());
    assert.deepEqual(Object.keys(created).sort(), ["all", "image", "later", "one"]);
    for (const [name, { actions, after_unknown }] of Object.entries(created)) {
      assert.deepEqual(actions, ["create"]);
      assert.equal(after_unknown.grants, true, name);
    }
    assert.deepEqual(created.one?.after?.account_ids, [B, null]);
    assert.equal(created.later?.after_unknown.region, true);
    assert.deepEqual(await emulator().calls(), [], "no call was possible");
    await terraform.succeed("apply", "plan.bin");
    await shared([first, [A]], [one, [A, B]], [all, [A, B]], [later, [A], []]);

    terraform.configure(declare(second, C, [B, C]));
    const changed = changes(await terraform.planJson());
    assert.deepEqual(changed.image?.actions, ["create", "delete"]);
    assert.deepEqual([changed.one?.actions, changed.all?.actions, changed.later?.actions], [["update"], ["update"], ["no-op"]]);
    assert.deepEqual(changed.one?.before?.grants, { [`account/${A}`]: BOTH, [`account/${B}`]: BOTH });
    await emulator().forgetCalls();
    await terraform.succeed("apply", "plan.bin");
    const modified = await emulator().modifications();
    assert.deepEqual(
      modified.filter((call) => call.endsWith(first.imageId) || call.endsWith(second.imageId)),
      [`ModifyImageAttribute ${second.imageId}`, `ModifyImageAttribute ${first.imageId}`],
      "the new AMI is shared before the old one is unshared",
    );
    await shared([first, []], [second, [A]], [one, [B, C]], [all, [B, C]]);
    assert.ok(await terraform.isSettled());
  });

  it("replaces a set with its AMI, in the configured order, and says what stays; for_each shares each AMI of a map", async () => {
    const [plain, plainly, gentle, gently, retained, spared, next, after, east, west] = (await images(10)) as [
      MadeImage,
      ...MadeImage[],
    ];
    assert.ok(plainly && gentle && gently && retained && spared && next && after && east && west);
    const declare = (first: MadeImage, second: MadeImage, third: MadeImage, fourth: MadeImage, each: Record<string, MadeImage>) =>
      [
        set("plain", image(first), accounts(A), VOLUMES),
        set("gentle", image(second), accounts(A), VOLUMES, GENTLY),
        set("retained", image(third), accounts(A, B), 'on_delete = "retain"'),
        set("spared", image(fourth), accounts(A, B), `never_revoke = ["${B}"]`),
        set(
          "each",
          `for_each = ${JSON.stringify(Object.fromEntries(Object.entries(each).map(([key, { imageId }]) => [key, imageId])))}`,
          "image_id = each.value",
          accounts(A),
        ),
      ].join("");
    const terraform = await start(declare(plain, gentle, retained, spared, { east, west }));
    await terraform.apply();
    assert.deepEqual(
      Object.keys(await terraform.state())
        .map(shortOf)
        .sort(),
      ['each["east"]', 'each["west"]', ...["gentle", "plain", "retained", "spared"]],
    );
    await shared([east, [A], []], [west, [A], []]);

    terraform.configure(declare(plainly, gently, next, after, { west }));
    const { diagnostics } = await terraform.diagnostics("plan", "-out=plan.bin");
    assert.deepEqual(
      of(diagnostics, "retained").map(({ summary, detail, line }) => [summary, detail, line]),
      [
        [
          `AMI ${retained.imageId} stays shared`,
          `on_delete is "retain": these keep access: account/${A}, account/${B}`,
          'on_delete = "retain"',
        ],
      ],
    );
    assert.deepEqual(
      of(diagnostics, "spared").map(({ summary, detail, line }) => [summary, detail, line]),
      [
        [
          `AMI ${spared.imageId} is unshared, as its set is replaced`,
          `- launch (granted by this set): account/${A}`,
          `image_id = "${after.imageId}"`,
        ],
        [
          `AMI ${spared.imageId} stays shared in part`,
          `never_revoke: these keep access: account/${B}`,
          `never_revoke = ["${B}"]`,
        ],
      ],
    );
    const planned = changes(await terraform.savedPlan());
    assert.deepEqual(planned.plain?.actions, ["delete", "create"]);
    assert.deepEqual(planned.gentle?.actions, ["create", "delete"]);
    assert.deepEqual(planned['each["east"]']?.actions, ["delete"]);
    assert.deepEqual(planned['each["west"]']?.actions, ["no-op"]);
    assert.deepEqual(planned.plain?.after?.grants, { [`account/${A}`]: BOTH });
    await emulator().forgetCalls();
    await terraform.succeed("apply", "plan.bin");
    const modified = await emulator().modifications();
    const order = (...either: MadeImage[]) =>
      modified
        .filter((call) => either.some(({ imageId }) => call === `ModifyImageAttribute ${imageId}`))
        .map((call) => call.split(" ")[1]);
    assert.deepEqual(order(plain, plainly), [plain.imageId, plainly.imageId]);
    assert.deepEqual(order(gentle, gently), [gently.imageId, gentle.imageId]);
    await shared([plainly, [A]], [gently, [A]], [plain, []], [gentle, []]);
    await shared([retained, [A, B], []], [spared, [B], []], [next, [A, B], []], [east, []], [west, [A], []]);
  });

  it("of an import shows no change: with an import block and generated configuration, and with the import command", async () => {
    const [A_, B_, EVERYBODY] = [{ UserId: A }, { UserId: B }, { Group: "all" }];
    const made = await emulator().images([
      { snapshots: 2, launchPermissions: [A_, B_], createVolumePermissions: [A_, B_] },
      {
        snapshots: 1,
        launchPermissions: [EVERYBODY, { OrganizationArn: ORGANIZATION }, { OrganizationalUnitArn: UNIT }],
        createVolumePermissions: [EVERYBODY],
      },
      { snapshots: 2, launchPermissions: [A_], createVolumePermissions: [[A_], []] },
      { snapshots: 2, launchPermissions: [A_], createVolumePermissions: [[A_], [B_]] },
      { snapshots: 1 },
    ]);
    const [plain, everybody, some, different, nobody] = made as [MadeImage, MadeImage, MadeImage, MadeImage, MadeImage];
    const west = await emulator().image({ snapshots: 1, region: "us-west-2", launchPermissions: [A_] });
    const ids = {
      plain: plain.imageId,
      everybody: `us-east-1/${everybody.imageId}`,
      some: some.imageId,
      different: different.imageId,
      nobody: nobody.imageId,
      west: `us-west-2/${west.imageId}`,
    };
    const before = await emulator().pairs([...made, west]);
    const terraform = await start(
      Object.entries(ids)
        .map(([name, id]) => block("import", `to = ami_launch_permission_set.${name}`, `id = "${id}"`))
        .join(""),
    );
    const { code, output, diagnostics } = await terraform.diagnostics("plan", "-generate-config-out=generated.tf");
    assert.equal(code, 0, output);
    const told = diagnostics.filter(({ summary }) => summary.startsWith("AMI "));
    assert.deepEqual(
      told.map(({ severity, summary, detail }) => [severity, summary, detail]),
      [
        [
          "warning",
          `AMI ${different.imageId} has grants that the imported set does not declare`,
          [
            "Its snapshots are shared differently from each other, and one set cannot declare that. They stay as they are while the set has no create_volume_permissions. With it, the set manages them and revokes grantees that it does not name. The next plan or preview shows this first:",
            ...different.snapshotIds.map((id, n) => `  ${id}: ${[A, B][n]}`).sort(),
          ].join("\n"),
        ],
      ],
    );
    const generated = fs.readFileSync(path.join(terraform.folder, "generated.tf"), "utf8");
    assert.match(generated, /acknowledge_public\s+= true/);
    assert.doesNotMatch(generated, /\b(grants|owner_id|id)\s+=/);
    const imported = changes(await terraform.planJson());
    assert.deepEqual(new Set(Object.values(imported).map(({ actions }) => actions.join())), new Set(["no-op"]));
    assert.deepEqual(imported.some?.after?.create_volume_permissions, {
      account_ids: [A],
      public: null,
      snapshot_ids: [some.snapshotIds[0]],
    });
    await emulator().forgetCalls();
    await terraform.succeed("apply", "plan.bin");
    terraform.configure("");
    assert.ok(await terraform.isSettled());
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(await emulator().pairs([...made, west]), before);

    fs.rmSync(path.join(terraform.folder, "terraform.tfstate"));
    fs.rmSync(path.join(terraform.folder, "generated.tf"));
    terraform.configure(
      set("plain", image(plain), accounts(B, A), VOLUMES) + set("west", image(west), accounts(A), 'region = "us-west-2"'),
    );
    await terraform.succeed("import", "ami_launch_permission_set.plain", plain.imageId);
    await terraform.succeed("import", "ami_launch_permission_set.west", `us-west-2/${west.imageId}`);
    assert.ok(await terraform.isSettled());
    await terraform.destroy();
    await shared([plain, []], [west, []]);
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [
        ...[plain, west].map(({ imageId }) => `ModifyImageAttribute ${imageId}`),
        ...plain.snapshotIds.map((id) => `ModifySnapshotAttribute ${id}`),
      ].sort(),
    );
  });

  it("has values that terraform test can check, before and after an apply", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    const terraform = await start(
      [
        block('variable "accounts"', "type = set(string)"),
        set("golden", image(ami), "account_ids = var.accounts", VOLUMES),
        block('data "ami_launch_permissions" "golden"', image(ami), "depends_on = [ami_launch_permission_set.golden]"),
        block('output "grants"', "value = ami_launch_permission_set.golden.grants"),
      ].join(""),
    );
    const assertion = (condition: string) => block("assert", `condition = ${condition}`, 'error_message = "not so"');
    const grants = (account: string) => `tomap({ "account/${account}" = "${BOTH}" })`;
    terraform.write(
      "golden.tftest.hcl",
      [
        block("variables", `accounts = ["${A}"]`),
        block('run "plan"', "command = plan", assertion(`ami_launch_permission_set.golden.grants == ${grants(A)}`)),
        block(
          'run "apply"',
          assertion(`data.ami_launch_permissions.golden.grants == ${grants(A)}`),
          assertion('ami_launch_permission_set.golden.owner_id == "123456789012"'),
        ),
        block('run "change"', block("variables", `accounts = ["${B}"]`), assertion(`output.grants == ${grants(B)}`)),
        block('run "wrong"', "command = plan", assertion("length(ami_launch_permission_set.golden.grants) == 2")),
      ].join(""),
    );
    const { code, output } = await terraform.run("test");
    assert.equal(code, 1);
    for (const name of ["plan", "apply", "change"]) assert.match(output, new RegExp(`run "${name}"\\.\\.\\. pass`));
    assert.match(output, /run "wrong"\.\.\. fail/);
    assert.match(output, /3 passed, 1 failed/);
    await shared([ami, []]);
    assert.deepEqual(
      await emulator()
        .modifications()
        .then((calls) => calls.filter((call) => call.endsWith(ami.imageId)).length),
      3,
    );
  });

  it("warns of broadened access, of grants that a create revokes and a destroy leaves; the data source shows access", async () => {
    const [everybody, organization, unit, volumes, keeper, reset] = (await images(6)) as [MadeImage, ...MadeImage[]];
    assert.ok(organization && unit && volumes && keeper && reset);
    const taken = await emulator().image({
      snapshots: 2,
      launchPermissions: [{ UserId: A }, { UserId: ELSE }],
      createVolumePermissions: [{ UserId: ELSE }],
    });
    const west = await emulator().image({ snapshots: 1, region: "us-west-2" });
    const alias = await emulator().image({ snapshots: 1, region: "eu-west-1" });
    const lines = {
      everybody: "public = true",
      organization: `organization_arns = ["${ORGANIZATION}"]`,
      unit: `organizational_unit_arns = ["${UNIT}"]`,
      volumes: `create_volume_permissions = { account_ids = ["${A}", "${B}"] }`,
    };
    const terraform = await start(
      [
        set("everybody", image(everybody), lines.everybody, "acknowledge_public = true"),
        set("organization", image(organization), lines.organization),
        set("unit", image(unit), lines.unit),
        set("volumes", image(volumes), lines.volumes),
        set("taken", image(taken), accounts(A, B)),
        set("keeper", image(keeper), accounts(A), 'on_delete = "retain"'),
        set("reset", image(reset), accounts(A, B), 'on_delete = "reset"', `never_revoke = ["${B}"]`),
        set("west", image(west), accounts(A), 'region = "us-west-2"'),
        set("alias", "provider = ami.europe", image(alias), accounts(A)),
        block('data "ami_launch_permissions" "taken"', image(taken)),
        block('data "ami_launch_permissions" "west"', image(west), 'region = "us-west-2"'),
        block('output "taken"', "value = data.ami_launch_permissions.taken"),
        block('output "west"', "value = data.ami_launch_permissions.west.grants"),
      ].join(""),
      `provider "ami" {\n  region = "us-east-1"\n}\n${block('provider "ami"', 'alias = "europe"', 'region = "eu-west-1"')}`,
    );
    const { code, output, diagnostics } = await terraform.diagnostics("plan", "-out=plan.bin");
    assert.equal(code, 0, output);
    assert.deepEqual(new Set(diagnostics.map(({ severity }) => severity)), new Set(["warning"]));
    const words: Record<keyof typeof lines, RegExp> = {
      everybody: /broadens access: everybody, every AWS account, may launch the AMI/,
      organization: /broadens access: every account of an organization, future ones too,\s+may launch the AMI/,
      unit: /broadens access: every account of an organizational unit, future ones\s+too, may launch the AMI/,
      volumes: /broadens access: 2 grantees may copy the disks \(createVolume\)/,
    };
    for (const [name, expression] of Object.entries(words)) {
      const [warning, ...others] = of(diagnostics, name);
      assert.match(warning?.detail ?? "", expression);
      assert.equal(warning?.line, lines[name as keyof typeof lines]);
      assert.deepEqual(others, []);
    }
    const [revoking] = of(diagnostics, "taken");
    assert.equal(revoking?.summary, `AMI ${taken.imageId} in us-east-1: 1 gains, 1 loses, 1 keeps access`);
    assert.match(revoking?.detail ?? "", new RegExp(`- launch \\(set elsewhere\\): account/${ELSE}$`, "m"));
    assert.equal(revoking?.line, image(taken));
    assert.deepEqual(
      ["keeper", "reset", "west", "alias"].flatMap((name) => of(diagnostics, name)),
      [],
      "there is no warning without a reason",
    );

    await emulator().forgetCalls();
    await terraform.succeed("apply", "plan.bin");
    const regions = (await emulator().calls())
      .filter(({ action }) => action.startsWith("Modify"))
      .map((call) => [call.resource, call.region]);
    assert.deepEqual(
      regions.filter(([id]) => id === west.imageId || id === alias.imageId).sort(),
      [
        [west.imageId, "us-west-2"],
        [alias.imageId, "eu-west-1"],
      ].sort(),
    );
    const snapshotIds = [...taken.snapshotIds].sort();
    const read = (await terraform.outputs()) as Record<string, Record<string, unknown>>;
    const empty = { organization_arns: [], organizational_unit_arns: [], other_user_ids: [], public: false, encrypted: false };
    assert.deepEqual(
      { ...read.taken, name: "" },
      {
        ...empty,
        ...{ id: taken.imageId, image_id: taken.imageId, region: "us-east-1", owner_id: "123456789012", name: "" },
        account_ids: [A, ELSE],
        snapshot_ids: snapshotIds,
        snapshots: snapshotIds.map((snapshot_id) => ({
          ...{ snapshot_id, account_ids: [ELSE], public: false, encrypted: false, kms_key_id: null },
        })),
        grants: { [`account/${A}`]: "launch", [`account/${ELSE}`]: BOTH },
      },
      "the data source was read before the set was created",
    );
    await shared([taken, [A, B], [ELSE]], [west, [A], []], [alias, [A], []]);

    const destroyed = await terraform.diagnostics("plan", "-destroy", "-out=plan.bin");
    assert.deepEqual(
      destroyed.diagnostics.map(({ summary, detail, line }) => [summary, detail, line]).sort(),
      [
        [`AMI ${keeper.imageId} stays shared`, `on_delete is "retain": these keep access: account/${A}`, 'on_delete = "retain"'],
        [
          `AMI ${reset.imageId} loses every grant`,
          'on_delete is "reset": grants that were made elsewhere go, too',
          'on_delete = "reset"',
        ],
        [`AMI ${reset.imageId} stays shared in part`, `never_revoke: these keep access: account/${B}`, `never_revoke = ["${B}"]`],
      ].sort(),
    );
    await terraform.succeed("apply", "plan.bin");
    await shared([keeper, [A], []], [reset, [B], []], [everybody, []], [volumes, []]);
  });

  it("of 1,000 accounts is readable, needs 1 call for the AMI and 2 for each snapshot, and is empty afterwards", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    const terraform = await start(
      set("golden", image(ami), 'account_ids = [for n in range(1000) : format("2%010d1", n)]', VOLUMES),
    );
    await emulator().forgetCalls();
    const plan = await terraform.apply();
    assert.match(plan, /\+ "account\/200000009991" = "launch, createVolume"/);
    const report = plan.slice(plan.indexOf("Warning: ")).split("\n");
    assert.ok(report.length < 25 && report.every((line) => line.length < 100), report.join("\n"));
    assert.match(
      report.join("\n"),
      /1000 gain access[\s\S]*and\s+990 more[\s\S]*calls: 4 ModifySnapshotAttribute, 1 ModifyImageAttribute/,
    );
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [
        `ModifyImageAttribute ${ami.imageId}`,
        ...[...ami.snapshotIds, ...ami.snapshotIds].map((id) => `ModifySnapshotAttribute ${id}`),
      ].sort(),
    );
    const before = await emulator().pairs([ami]);
    assert.equal(before.length, 3000);
    assert.ok(await terraform.isSettled());

    terraform.configure(set("golden", image(ami), 'account_ids = [for n in range(1, 1002) : format("2%010d1", n)]', VOLUMES));
    const { output } = await terraform.fail("apply", "-auto-approve");
    assert.match(output, /- "account\/200000000001" = "launch, createVolume" -> null\n\s+\+ "account\/200000010001" = /);
    assert.match(output, /# \(999 unchanged elements hidden\)/);
    assert.deepEqual(changedElements(output, "account_ids"), ['- "200000000001",', '+ "200000010001",', '+ "200000010011",']);
    assert.deepEqual(changedElements(output, "grants"), [
      '- "account/200000000001" = "launch, createVolume" -> null',
      '+ "account/200000010001" = "launch, createVolume"',
      '+ "account/200000010011" = "launch, createVolume"',
    ]);
    const words = output.replace(/\s+/g, " ");
    assert.match(words, /shared with 1,001 accounts, .* the quota is 1,000 unless it was raised/);
    assert.match(words, /nothing was changed .* would exceed a quota: .* \[quota-exceeded\]/);
    assert.deepEqual(await emulator().pairs([ami]), before);
  });

  it("takes over a grant of aws_ami_launch_permission with a moved block", async () => {
    const [account, everybody] = await emulator().images([
      { snapshots: 1, launchPermissions: [{ UserId: A }, { UserId: ELSE }] },
      { snapshots: 1, launchPermissions: [{ Group: "all" }] },
    ]);
    const west = await emulator().image({
      snapshots: 1,
      region: "us-west-2",
      launchPermissions: [{ OrganizationArn: ORGANIZATION }],
    });
    assert.ok(account && everybody);
    const from = "us-west-2";
    const moved = { account, everybody, organization: west };
    const terraform = await start(
      "",
      `provider "ami" {\n  region = "us-east-1"\n}\n${block('provider "ami"', 'alias = "west"', `region = "${from}"`)}`,
    );
    // Terraform also starts the provider of the source, but makes no request to it, so a copy of this provider is enough.
    const mirror = path.join(terraform.folder, "mirror");
    const [platform = ""] = fs.readdirSync(path.join(mirror, PROVIDER_ADDRESS, PROVIDER_VERSION));
    // OpenTofu has its own registry.
    for (const registry of ["registry.terraform.io", "registry.opentofu.org"]) {
      const aws = path.join(mirror, registry, "hashicorp/aws/6.0.0", platform);
      fs.mkdirSync(aws, { recursive: true });
      fs.copyFileSync(PROVIDER_FILE, path.join(aws, "terraform-provider-aws_v6.0.0"));
    }
    const grants: Record<keyof typeof moved, object> = {
      account: { account_id: A, region: "us-east-1" },
      everybody: { group: "all", region: "us-east-1" },
      // Before version 6, the resource had no region: the provider has it.
      organization: { organization_arn: ORGANIZATION },
    };
    const resources = Object.entries(moved).map(([name, { imageId }]) => ({
      ...{
        mode: "managed",
        type: "aws_ami_launch_permission",
        name,
        provider: 'provider["registry.terraform.io/hashicorp/aws"]',
      },
      instances: [
        {
          schema_version: 0,
          attributes: {
            ...{
              id: `${name}-${imageId}`,
              image_id: imageId,
              account_id: "",
              group: "",
              organization_arn: "",
              organizational_unit_arn: "",
            },
            ...grants[name as keyof typeof moved],
          },
        },
      ],
    }));
    terraform.write("terraform.tfstate", JSON.stringify({ version: 4, serial: 1, lineage: "moved", resources }));
    terraform.configure(
      [
        ...Object.keys(moved).map((name) =>
          block("moved", `from = aws_ami_launch_permission.${name}`, `to = ami_launch_permission_set.${name}`),
        ),
        set("account", image(account), accounts(A, B)),
        set("everybody", image(everybody), "public = true", "acknowledge_public = true"),
        set("organization", "provider = ami.west", image(west), `organization_arns = ["${ORGANIZATION}"]`),
      ].join(""),
    );
    await terraform.succeed("init");
    const planned = changes(await terraform.planJson());
    assert.deepEqual(
      Object.entries(planned)
        .map(([name, { actions }]) => `${name}: ${actions}`)
        .sort(),
      ["account: update", "everybody: no-op", "organization: no-op"],
    );
    assert.deepEqual(planned.account?.before?.grants, { [`account/${A}`]: "launch", [`account/${ELSE}`]: "launch" });
    assert.deepEqual(planned.account?.after?.grants, { [`account/${A}`]: "launch", [`account/${B}`]: "launch" });
    await emulator().forgetCalls();
    await terraform.succeed("apply", "plan.bin");
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${account.imageId}`]);
    assert.deepEqual(await emulator().launchers(account.imageId), [A, B]);
    const state = await terraform.state();
    assert.deepEqual(Object.keys(state).map(shortOf).sort(), ["account", "everybody", "organization"]);
    assert.equal(state["ami_launch_permission_set.organization"]?.region, "us-west-2");
    assert.ok(await terraform.isSettled());
  });

  it("of a state of release 0.1.0 is empty, and a destroy revokes exactly what that release granted", async () => {
    const golden = await emulator().image({
      snapshots: 2,
      launchPermissions: [{ UserId: A }, { UserId: B }],
      createVolumePermissions: [{ UserId: A }, { UserId: B }],
    });
    const added = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: A }, { UserId: ELSE }] });
    const [first = "", second = ""] = golden.snapshotIds;
    const text = fs.readFileSync(STATE, "utf8");
    assert.doesNotMatch(text, /\/(home|root|tmp|work|Users)\//, "the fixture has no paths of a machine");
    const old = { GOLDEN: golden.imageId, FIRST: first, SECOND: second, ADDED: added.imageId, THIRD: added.snapshotIds[0] ?? "" };
    const terraform = await start(
      set("golden", image(golden), accounts(B, A), VOLUMES) + set("added", image(added), accounts(A, ELSE), 'mode = "additive"'),
    );
    terraform.write(
      "terraform.tfstate",
      Object.entries(old).reduce((state, [name, id]) => state.replaceAll(name, id), text),
    );
    assert.ok(await terraform.isSettled());
    await emulator().forgetCalls();
    await terraform.destroy();
    await shared([golden, []], [added, [ELSE], []]);
  });
});
