/** The commands `audit`, `check` and `report --live` against the local EC2: what they show is what EC2 has, what they call, and how they fail. */

import * as assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Report, ReportedAmi } from "../../provider/cli/report/model";
import { type MadeImage, ROOT, useEmulator } from "../helpers/emulator";
import { outcomeOf, type Ran } from "../helpers/pulumiProject";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const MAIN = path.join(ROOT, "provider/dist/cli/main.js");

describe("the commands that ask EC2", function () {
  this.timeout(120_000);
  const emulator = useEmulator();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-audit-"));
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  /** Runs the command where neither Pulumi nor Terraform can be found. */
  function command(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return outcomeOf(
      spawn(process.execPath, [MAIN, ...args], {
        env: { ...emulator().environment(), PATH: "", ...env },
        stdio: ["ignore", "pipe", "pipe"],
      }),
    );
  }

  async function report(...args: string[]): Promise<Report> {
    const { code, stdout, output } = await command([...args, "--json", "-"]);
    assert.ok(code === 0 || code === 1, output);
    return JSON.parse(stdout);
  }

  const file = (name: string, text: string | object) => {
    const at = path.join(folder, name);
    fs.writeFileSync(at, typeof text === "string" ? text : JSON.stringify(text));
    return at;
  };
  const of = ({ amis }: Report, { imageId }: MadeImage): ReportedAmi =>
    amis.find((ami) => ami.imageId === imageId) ?? assert.fail(`${imageId} is not there`);
  /** `resource grantee`, as the independent client lists them. */
  const pairsIn = ({ amis }: Report) =>
    amis
      .flatMap(({ imageId, grants, snapshots = [] }) =>
        grants.flatMap(({ grantee, after: { launch, createVolume } }) => {
          const on =
            createVolume === "all" ? snapshots.map(({ snapshotId }) => snapshotId) : createVolume === "none" ? [] : createVolume;
          return [...(launch ? [imageId] : []), ...on].map((id) => `${id} ${grantee}`);
        }),
      )
      .sort();

  async function fleet(): Promise<MadeImage[]> {
    await emulator().aws("ec2", "describe-images", "--owners", "self");
    const key = await emulator().kmsKey();
    return emulator().images([
      {
        snapshots: 2,
        name: "golden <b>",
        launchPermissions: [{ UserId: A }, { UserId: B }],
        createVolumePermissions: [[{ UserId: A }], []],
      },
      { snapshots: 1, launchPermissions: [{ Group: "all" }] },
      { snapshots: 1, launchPermissions: [{ OrganizationArn: ORGANIZATION }] },
      { snapshots: 1, encrypted: true, kmsKeyId: key, launchPermissions: [{ UserId: A }] },
      { snapshots: 1 },
      { snapshots: 1, region: "eu-west-1", launchPermissions: [{ UserId: C }] },
    ]);
  }

  it("audit shows every own AMI of all regions with its grants, and what else EC2 tells", async () => {
    const images = await fleet();
    const [golden, open, , encrypted, unshared, other] = images as [
      MadeImage,
      MadeImage,
      MadeImage,
      MadeImage,
      MadeImage,
      MadeImage,
    ];
    await emulator().configure({
      watermarks: { [golden.imageId]: ["prod"] },
      imageDetails: {
        [golden.imageId]: { DeprecationTime: "2030-01-01T00:00:00.000Z", DeregistrationProtection: "enabled-without-cooldown" },
      },
    });
    const audit = await report("audit", "--regions", "all");
    assert.deepEqual(pairsIn({ ...audit, amis: images.map((image) => of(audit, image)) }), await emulator().pairs(images));
    const { details, name, region, grants } = of(audit, golden);
    assert.deepEqual(
      [
        name,
        region,
        details?.state,
        details?.public,
        details?.deprecatedAt,
        details?.deregistrationProtection,
        details?.watermarks,
      ],
      ["golden <b>", "us-east-1", "available", false, "2030-01-01T00:00:00.000Z", "enabled-without-cooldown", ["prod"]],
    );
    assert.ok(grants.every(({ change }) => change === "keeps"));
    assert.deepEqual([of(audit, open).details?.public, of(audit, encrypted).details?.encrypted], [true, true]);
    assert.deepEqual([of(audit, unshared).grants, of(audit, other).region], [[], "eu-west-1"]);
    assert.match(audit.notes.join("\n"), /us-east-1: block public access is off for AMIs/);
    assert.deepEqual(await emulator().modifications(), []);
    const { code, output } = await command(["audit", "--fail-on", "public", "--html", path.join(folder, "audit.html")]);
    assert.equal(code, 1);
    assert.match(output, new RegExp(`fail-on public: ${open.imageId}`));
    assert.ok(!fs.readFileSync(path.join(folder, "audit.html"), "utf8").includes("<b>golden"));
  });

  it("audit --account shows what the account may launch, and how", async () => {
    const [golden, open, organization, encrypted] = (await fleet()) as [MadeImage, MadeImage, MadeImage, MadeImage];
    const audit = await report("audit", "--account", A, "--regions", "us-east-1");
    const own = [golden, open, organization, encrypted].map((image) => of(audit, image));
    assert.deepEqual(
      own.map(({ grants }) => grants.map(({ grantee, why }) => [grantee, why])),
      [
        [[`account/${A}`, undefined]],
        [["public", undefined]],
        [[ORGANIZATION, `if account/${A} is a member`]],
        [[`account/${A}`, undefined]],
      ],
    );
    assert.match(own[3]?.notes.join() ?? "", /access to its key/);
    assert.ok(audit.amis.every(({ grants }) => grants.length > 0));
  });

  it("audit --usage asks who uses each shared AMI, and removes its reports", async () => {
    const [golden, , , , unshared] = (await fleet()) as [MadeImage, MadeImage, MadeImage, MadeImage, MadeImage];
    await emulator().configure({
      usage: { [golden.imageId]: [{ accountId: A, count: 3 }], [unshared.imageId]: [{ accountId: B, count: 1 }] },
    });
    const audit = await report("audit", "--usage");
    assert.deepEqual(of(audit, golden).details?.usage, [{ accountId: A, resourceType: "ec2:Instance", count: 3 }]);
    assert.equal(of(audit, unshared).details?.usage, undefined);
    const calls = (await emulator().calls()).map(({ action }) => action);
    const made = calls.filter((action) => action === "CreateImageUsageReport").length;
    assert.ok(made >= 4);
    assert.equal(calls.filter((action) => action === "DeleteImageUsageReport").length, made);
  });

  it("audit shows what can be read, says what cannot, and exits with 2", async () => {
    const images = await fleet();
    await emulator().configure({
      failures: [{ action: "DescribeImageAttribute", resource: images[0]?.imageId, code: "InternalError", times: 100 }],
    });
    const { code, stdout, output } = await command(["audit", "--json", "-"], { AWS_MAX_ATTEMPTS: "1" });
    assert.equal(code, 2, output);
    const audit: Report = JSON.parse(stdout);
    assert.match(audit.warnings.join("\n"), new RegExp(`^${images[0]?.imageId} in us-east-1 cannot be read: `, "m"));
    assert.ok(audit.amis.length >= 4 && !audit.amis.some(({ imageId }) => imageId === images[0]?.imageId));
    assert.doesNotMatch(output, /^\s+at /m);
  });

  for (const [name, args, arrange, says] of [
    ["no permission", ["audit"], { deny: ["ec2:DescribeImages"] }, /us-east-1 cannot be read: .*\[not-authorized\]/],
    [
      "no permission to list regions",
      ["audit", "--regions", "all"],
      { deny: ["ec2:DescribeRegions"] },
      /ec2:DescribeRegions.*\[not-authorized\]/,
    ],
    [
      "a region that is not enabled",
      ["audit", "--regions", "af-south-1"],
      { failures: [{ code: "OptInRequired", status: 403, message: "You are not subscribed to this service", times: 9 }] },
      /af-south-1 cannot be read: .*\[/,
    ],
    ["an account id that is none", ["audit", "--account", "1234"], {}, /--account 1234: an account id has 12 digits/],
    ["an AMI that is not there", ["report", "--live", "ami-0ffffffffffffffff"], {}, /there is no AMI .*\[image-not-found\]/],
    ["an AMI id that is none", ["report", "--live", "golden"], {}, /"golden" is not an AMI id/],
  ] as const)
    it(`${name}: an error without a stack trace, and exit code 2`, async () => {
      await emulator().configure(arrange);
      const { code, stdout, output } = await command([...args]);
      assert.deepEqual([code, stdout], [2, ""], output);
      assert.match(output, says);
      assert.doesNotMatch(output, /^\s+at /m);
    });

  it("report --live shows AMIs as EC2 has them", async () => {
    const images = (await fleet()).slice(0, 2);
    const live = await report("report", "--live", ...images.map(({ imageId }) => imageId));
    assert.deepEqual(pairsIn(live), await emulator().pairs(images));
    assert.deepEqual([live.kind, live.summary.risks], ["live", ["public"]]);
  });

  it("shows names of accounts, and marks who is not allowed, but never the owner", async () => {
    const [golden, open] = (await fleet()) as [MadeImage, MadeImage];
    const names = file("names.csv", `Account ID,Name\n${A},acme-prod\n`);
    const allowed = file("allowed.yaml", `- "${A}"\n- ${ORGANIZATION}\n`);
    const audit = await report("audit", "--names", names, "--allowed", allowed);
    const told = (image: MadeImage) => of(audit, image).grants.map(({ grantee, name, allowed: may }) => [grantee, name, may]);
    assert.deepEqual(told(golden), [
      [`account/${A}`, "acme-prod", undefined],
      [`account/${B}`, undefined, false],
    ]);
    assert.deepEqual(told(open), [["public", undefined, false]]);
    const live = await command(["report", "--live", golden.imageId, "--names", names, "--allowed", allowed]);
    assert.match(
      live.stdout,
      new RegExp(`account/${A} \\(acme-prod\\) has launch.*\n.*account/${B} has launch \\(NOT ALLOWED\\)`),
    );
    const sets = file("named.yaml", `imageId: ${golden.imageId}\naccountIds: ["${A}"]\n`);
    const check = await command(["check", sets, "--names", names, "--allowed", allowed]);
    assert.match(check.stdout, new RegExp(`account/${B} in EC2, and not declared: launch \\(NOT ALLOWED\\)`));
  });

  it("prints nothing about keys in the environment if a profile is given", async () => {
    const credentials = file("credentials", "[sharing]\naws_access_key_id = AKIAPROFILEPROFILE12\naws_secret_access_key = x\n");
    const { code, output } = await command(["audit", "--profile", "sharing"], { AWS_SHARED_CREDENTIALS_FILE: credentials });
    assert.equal(code, 0, output);
    assert.doesNotMatch(output, /credential/i);
  });

  it("works without the names that AWS Organizations does not give, and says why", async () => {
    const [golden] = (await fleet()) as [MadeImage];
    await emulator().configure({ deny: ["organizations:ListAccounts"] });
    const { code, stdout, output } = await command(["report", "--live", golden.imageId, "--names", "organizations"]);
    await emulator().configure({ deny: [] });
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`account/${A} has launch`));
    assert.match(output, /^the names of accounts are not shown: .*ListAccounts/m);
    assert.doesNotMatch(stdout, /not shown/);
  });

  for (const [name, option, text, says] of [
    ["names with an account twice", "--names", `${A},a\n${A},b\n`, /line 2: account 111122223333 has a name already/],
    ["names with a wrong id", "--names", "1111,a\n", /line 1: "1111" is not an account id of 12 digits/],
    ["allowed grantees with a wrong id", "--allowed", "golden\n", /line 1: "golden" is neither an account id/],
  ] as const)
    it(`${name}: an error that says where, no call, and exit code 2`, async () => {
      const { code, stdout, output } = await command(["audit", option, file("list.csv", text)]);
      assert.deepEqual([code, stdout], [2, ""], output);
      assert.match(output, says);
      assert.deepEqual(await emulator().calls(), []);
    });

  describe("check", () => {
    it("exits with 0 where EC2 has what a file declares, and with 1 and the differences where it has not", async () => {
      const [golden, open, organization] = (await fleet()) as [MadeImage, MadeImage, MadeImage];
      const right = `sets:
  - name: golden
    imageId: ${golden.imageId}
    accountIds: ["${A}", "${B}"]
    createVolumePermissions: { accountIds: ["${A}"], snapshotIds: [${golden.snapshotIds[0]}] }
  - name: open
    imageId: ${open.imageId}
    public: true
    acknowledgePublic: true
  - { name: some, imageId: ${organization.imageId}, mode: additive, organizationArns: ["${ORGANIZATION}"] }
`;
      const same = await command(["check", file("sets.yaml", right)]);
      assert.deepEqual([same.code, same.output.split("\n")[0]], [0, "3 AMIs: as declared."]);
      const wrong = right
        .replace(`accountIds: ["${A}", "${B}"]`, `accountIds: ["${A}", "${C}"]`)
        .replace("public: true", `accountIds: ["${A}"]`);
      const different = await command(["check", file("wrong.yaml", wrong), "--json", path.join(folder, "differences.json")]);
      assert.equal(different.code, 1, different.output);
      const found: Report = JSON.parse(fs.readFileSync(path.join(folder, "differences.json"), "utf8"));
      assert.deepEqual(
        of(found, golden).grants.map(({ grantee, change }) => [grantee, change]),
        [
          [`account/${B}`, "loses"],
          [`account/${C}`, "gains"],
          [`account/${A}`, "keeps"],
        ],
      );
      assert.deepEqual(
        of(found, open).grants.map(({ grantee, change }) => [grantee, change]),
        [
          ["public", "loses"],
          [`account/${A}`, "gains"],
        ],
      );
      assert.deepEqual(await emulator().modifications(), []);
    });

    it("reads a stack's export and a state of Terraform, and finds an AMI that is gone", async () => {
      const [golden] = (await fleet()) as [MadeImage];
      const inputs = { imageId: golden.imageId, region: "us-east-1", accountIds: [A, B] };
      const type = "ami-launch-permissions:index:LaunchPermissionSet";
      const resource = (props: object, name = "golden") => ({
        urn: `urn:pulumi:dev::app::${type}::${name}`,
        type,
        inputs: props,
        outputs: props,
      });
      const stack = (...resources: object[]) => ({ version: 3, deployment: { resources } });
      assert.equal((await command(["check", file("stack.json", stack(resource(inputs)))])).code, 0);
      const attributes = {
        image_id: golden.imageId,
        region: "us-east-1",
        account_ids: [A],
        mode: "authoritative",
        grants: {},
        id: golden.imageId,
      };
      const state = {
        version: 4,
        terraform_version: "1.11.4",
        resources: [{ mode: "managed", type: "ami_launch_permission_set", name: "x", provider: "", instances: [{ attributes }] }],
      };
      const terraform = await command(["check", file("terraform.tfstate", state)]);
      assert.equal(terraform.code, 1);
      assert.match(terraform.output, new RegExp(`account/${B} in EC2, and not declared: launch`));
      const shown = {
        format_version: "1.0",
        values: {
          root_module: {
            child_modules: [
              {
                resources: [
                  {
                    address: "module.a.ami_launch_permission_set.x",
                    mode: "managed",
                    type: "ami_launch_permission_set",
                    values: attributes,
                    sensitive_values: { account_ids: true },
                  },
                ],
              },
            ],
          },
        },
      };
      const hidden = await command(["check", file("shown.json", shown)]);
      assert.equal(hidden.code, 1);
      assert.doesNotMatch(hidden.output, /444455556666|111122223333/);
      const gone = await command(["check", file("gone.json", stack(resource({ ...inputs, imageId: "ami-0ffffffffffffffff" })))]);
      assert.equal(gone.code, 1);
      assert.match(gone.output, /^1 AMI: 1 could not be compared\.$/m);
      assert.match(gone.output, /^ {2}error: .*there is no AMI ami-0ffffffffffffffff/m);
      assert.doesNotMatch(gone.output, /as declared/);
    });

    it("compares the rest if an AMI cannot be read, names it, and exits with 2", async () => {
      const [golden, open] = (await fleet()) as [MadeImage, MadeImage];
      const sets = file(
        "some.yaml",
        `sets:\n  - { name: golden, imageId: ${golden.imageId}, accountIds: ["${A}"] }\n  - { name: open, imageId: ${open.imageId}, accountIds: ["${A}"] }\n`,
      );
      const failures = [{ action: "DescribeImageAttribute", code: "UnauthorizedOperation", resource: open.imageId, times: 9 }];
      await emulator().configure({ failures });
      const { code, output } = await command(["check", sets]);
      await emulator().configure({ failures: [] });
      assert.equal(code, 2, output);
      assert.match(output, /^2 AMIs: 1 not declared, 1 could not be compared\.$/m);
      assert.match(output, new RegExp(`^  - account/${B} in EC2, and not declared: launch`, "m"));
      assert.match(
        output,
        new RegExp(`^the caller may not call ec2:DescribeImageAttribute on ${open.imageId} .*\\[not-authorized\\]$`, "m"),
      );
    });

    it("refuses two authoritative sets of an AMI, as every engine does, and makes no call", async () => {
      const imageId = "ami-0123456789abcdef0";
      const sets = [
        { name: "one", imageId, accountIds: [A], region: "us-east-1" },
        { name: "two", imageId, accountIds: [B] },
      ];
      const { code, output } = await command(["check", file("two.json", { sets }), "--region", "us-east-1"]);
      assert.equal(code, 2);
      assert.match(output, /one and two both declare AMI ami-0123456789abcdef0 in us-east-1 .*\[conflicting-sets\]/);
      assert.deepEqual(await emulator().calls(), []);
    });

    for (const [name, text, says] of [
      ["an empty file", "", /is empty/],
      ["a list of nothing", "sets: []", /no set in this file/],
      ["prose", "hello", /no set in this file/],
      [
        "YAML that is cut off",
        'sets:\n  - {name: a, imageId: "ami-',
        /input: line 2: this is neither JSON nor YAML, or it is cut off/,
      ],
      ["a set without an AMI", "sets:\n  - accountIds: []", /set 1: imageId: is missing/],
      [
        "an argument that is none",
        "imageId: ami-0123456789abcdef0\naccounts: []",
        /set 1: accounts: there is no argument "accounts"/,
      ],
      [
        "two sets of a name",
        '[{"name":"a","imageId":"ami-0123456789abcdef0"},{"name":"a","imageId":"ami-0123456789abcdef1"}]',
        /two sets have the name a/,
      ],
      ["a number that lost its zero", `imageId: ami-0123456789abcdef0\naccountIds: [44455556666]`, /accountIds/],
      ["a preview", { steps: [] }, /this is a preview, not a state/],
      ["a plan", { format_version: "1.2", resource_changes: [] }, /this is a plan, not a state/],
      [
        "an encrypted secret",
        {
          version: 3,
          deployment: {
            resources: [
              {
                urn: "urn:pulumi:a::b::ami-launch-permissions:index:LaunchPermissionSet::c",
                type: "ami-launch-permissions:index:LaunchPermissionSet",
                inputs: {
                  accountIds: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "xyz" },
                },
              },
            ],
          },
        },
        /--show-secrets/,
      ],
      [
        "a billion laughs",
        `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
          .split("")
          .map((one, i) => `${one}: &${one} [${Array(9).fill(`*${"abcdefghij"[i]}`).join(",")}]`)
          .join("\n")}\nsets: *j`,
        /too many aliases|no set/,
      ],
    ] as const)
      it(`${name}: an error that says what to give, and exit code 2`, async () => {
        const { code, stdout, output } = await command(["check", file("input", text)]);
        assert.deepEqual([code, stdout], [2, ""], output);
        assert.match(output, says);
        assert.doesNotMatch(output, /^\s+at /m);
      });
  });
});
