/** Invalid input of Terraform users: the error and its line, and that EC2 and the state do not change. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { type TerraformDiagnostic, TerraformProject } from "../helpers/terraformProject";

const [A, B] = ["111122223333", "444455556666"];
const [CALLER, OTHER] = ["123456789012", "222222222222"];
const ABSENT = "ami-0123456789abcdef0";
const SECRETS = [
  "test-secret-key-that-must-not-show",
  "secret-key-of-the-expired",
  "token-of-the-expired",
  "external-id-that-must-not-show",
];

/** The configuration of one set. */
const set = (name: string, ...lines: string[]) =>
  `resource "ami_launch_permission_set" "${name}" {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;

describe("bad input in Terraform", () => {
  const emulator = useEmulator();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-tf-credentials-"));
  let project: TerraformProject;
  let kept: MadeImage;
  let state: unknown;

  before(async () => {
    const AWS_SHARED_CREDENTIALS_FILE = path.join(folder, "credentials");
    fs.writeFileSync(
      AWS_SHARED_CREDENTIALS_FILE,
      `[expired]\naws_access_key_id = ASIAEXPIRED123456789\naws_secret_access_key = ${SECRETS[1]}\naws_session_token = ${SECRETS[2]}\n`,
    );
    project = await TerraformProject.create(emulator(), "", { env: { AWS_SHARED_CREDENTIALS_FILE } });
    kept = await emulator().image({ snapshots: 1 });
    project.configure(set("kept", `image_id = "${kept.imageId}"`, `account_ids = ["${A}"]`, "create_volume_permissions = {}"));
    await project.apply();
    state = recorded();
  });
  after(() => {
    project.remove();
    fs.rmSync(folder, { recursive: true });
  });

  function recorded(): unknown {
    return JSON.parse(fs.readFileSync(path.join(project.folder, "terraform.tfstate"), "utf8")).resources;
  }

  async function nothingChanged(): Promise<void> {
    assert.deepEqual(await emulator().modifications(), []);
    assert.deepEqual(recorded(), state);
  }

  async function stillShared(): Promise<void> {
    assert.deepEqual(await emulator().launchers(kept.imageId), [A]);
    assert.deepEqual(await emulator().volumeCreators(kept.snapshotIds[0] ?? ""), [A]);
  }

  /** Runs a command that must fail, and checks that its output contains nothing forbidden. */
  async function told(of: TerraformProject, command: "validate" | "plan" | "apply"): Promise<readonly TerraformDiagnostic[]> {
    const { code, output, diagnostics } = await of.diagnostics(command);
    assert.equal(code, 1, output);
    noSecrets(output);
    return diagnostics;
  }

  function noSecrets(output: string): void {
    assert.doesNotMatch(output, /(^|\\n)\s+at \S+ \(/m, "the output has a stack trace");
    for (const secret of SECRETS) assert.ok(!output.includes(secret), `the output has ${secret}`);
  }

  /** `line → message`, sorted, for one resource or for all. */
  function placed(diagnostics: readonly TerraformDiagnostic[], address?: string): string[] {
    const asked = diagnostics.filter((one) => address === undefined || one.address === address);
    return asked.map(({ line, detail }) => `${line} → ${detail}`).sort();
  }

  it("names every invalid argument of a set at once, with its line, Terraform's names, and what to write instead", async () => {
    const lines = {
      image_id: 'image_id = "ami-12345"',
      account_ids: `account_ids = ["12345", "1234567890123", "11112222333x", "1111-2222-3333", 44455556666, null, "${A}"]`,
      organization_arns: 'organization_arns = ["o-abcde12345"]',
      organizational_unit_arns: 'organizational_unit_arns = ["ou-ab12-cdefgh34"]',
      create_volume_permissions: 'create_volume_permissions = { account_ids = ["1"], snapshot_ids = ["snap-1"] }',
      max_revocations: "max_revocations = -1",
      unrecorded: 'unrecorded = "keep"',
      never_revoke: 'never_revoke = ["all"]',
      allowed_grantees: 'allowed_grantees = ["all"]',
      kms_access: 'kms_access = "yes"',
      mode: 'mode = "strict"',
      on_delete: 'on_delete = "never"',
      region: 'region = "Ireland"',
    };
    project.configure(set("wrong", ...Object.values(lines)));
    const diagnostics = await told(project, "validate");
    const words: [keyof typeof lines, string][] = [
      ["image_id", 'image_id: "ami-12345" is not an AMI id; write one such as ami-1234567890abcdef0'],
      ["account_ids", 'account_ids: "12345" has 5 digits, an account id has 12: a leading zero may have been lost'],
      ["account_ids", 'account_ids: "1234567890123" has 13 digits, an account id has 12'],
      ["account_ids", 'account_ids: "11112222333x" is not an account id; write 12 digits in quotes, such as "111122223333"'],
      ["account_ids", 'account_ids: "1111-2222-3333" has dashes; write "111122223333"'],
      ["account_ids", 'account_ids: "44455556666" has 11 digits, an account id has 12: a leading zero may have been lost'],
      ["account_ids", "account_ids: null is not an account id; remove it, or check where its value should come from"],
      [
        "organization_arns",
        'organization_arns: "o-abcde12345" is not an organization\'s ARN; write one such as arn:aws:organizations::111122223333:organization/o-abcde12345',
      ],
      [
        "organizational_unit_arns",
        'organizational_unit_arns: "ou-ab12-cdefgh34" is not an organizational unit\'s ARN; write one such as arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34',
      ],
      [
        "create_volume_permissions",
        'create_volume_permissions.account_ids: "1" has 1 digit, an account id has 12: a leading zero may have been lost',
      ],
      [
        "create_volume_permissions",
        'create_volume_permissions.snapshot_ids: "snap-1" is not a snapshot id; write one such as snap-1234567890abcdef0',
      ],
      ["max_revocations", "max_revocations: -1 is not a whole number of grantees"],
      ["unrecorded", 'unrecorded: "keep" is not one of "revoke", "refuse"'],
      [
        "never_revoke",
        'never_revoke: "all" is not an account id; it stands for everybody: only single accounts can be named here',
      ],
      [
        "allowed_grantees",
        'allowed_grantees: "all" is not an account id, a full ARN of an organization or organizational unit, "public", or a file such as file://allowed.yaml; it stands for everybody: write "public"',
      ],
      ["kms_access", 'kms_access: "yes" is not one of "check", "grant", "ignore"'],
      ["mode", 'mode: "strict" is not one of "authoritative", "additive"'],
      ["on_delete", 'on_delete: "never" is not one of "revoke", "reset", "retain"'],
      ["region", 'region: "Ireland" is not a region; write one such as us-east-1'],
    ];
    assert.deepEqual(
      placed(diagnostics, "ami_launch_permission_set.wrong"),
      words.map(([name, text]) => `${lines[name]} → ${text} [invalid-argument]`).sort(),
    );
    assert.deepEqual(
      new Set(diagnostics.map(({ summary }) => summary)),
      new Set(Object.keys(lines).map((name) => `Invalid ${name}`)),
    );
    assert.deepEqual(await emulator().calls(), []);
    await nothingChanged();
  });

  it("says what is meant by values that people paste or convert", async () => {
    const organization = "arn:aws:organizations::111122223333:organization/o-abcde12345";
    const unit = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";
    const lines = {
      image_id: `image_id = "${ABSENT} "`,
      account_ids: `account_ids = ["", "*", "arn:aws:iam::${A}:root", "\u200b${A}", 1e11]`,
      organization_arns: `organization_arns = ["${unit}"]`,
      organizational_unit_arns: `organizational_unit_arns = ["${organization}"]`,
    };
    project.configure(set("pasted", ...Object.values(lines)));
    const diagnostics = await told(project, "validate");
    const no = "is not an account id; ";
    const words: [keyof typeof lines, string][] = [
      ["image_id", `"${ABSENT} " is not an AMI id; it has a space before or after it: write "${ABSENT}"`],
      ["account_ids", `"" ${no}it is empty, as when an environment variable is not set: take the item out; an empty list is []`],
      ["account_ids", `"*" ${no}it stands for everybody: for every AWS account, write public = true`],
      ["account_ids", `"arn:aws:iam::${A}:root" ${no}write "${A}"`],
      ["account_ids", `"\\u200b${A}" ${no}it has invisible characters: write "${A}"`],
      [
        "organization_arns",
        `"${unit}" is not an organization's ARN; it is an organizational unit's ARN: name it in organizational_unit_arns`,
      ],
      [
        "organizational_unit_arns",
        `"${organization}" is not an organizational unit's ARN; it is an organization's ARN: name it in organization_arns`,
      ],
    ];
    const shown = (line: string) => line.replace("\u200b", "");
    assert.deepEqual(
      placed(diagnostics).map(shown),
      words.map(([name, text]) => shown(`${lines[name]} → ${name}: ${text} [invalid-argument]`)).sort(),
    );
    // Terraform converts the number to a string, which may be the right id.
    project.configure(set("rounded", `image_id = "${kept.imageId}"`, "account_ids = [1.11122E+11]"));
    const { code, diagnostics: doubts } = await project.diagnostics("validate");
    assert.equal(code, 0);
    assert.deepEqual(
      doubts.map(({ severity, summary }) => [severity, summary]),
      [["warning", "An account id may be a rounded number"]],
    );
    assert.match(doubts[0]?.detail ?? "", /^account_ids: "111122000000" ends in zeros/);
    await nothingChanged();
  });

  it("refuses a set that names nobody without saying so, and takes an empty list", async () => {
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: B }] });
    const where = `image_id = "${imageId}"`;
    for (const lines of [[], ["account_ids = null"], ["create_volume_permissions = {}"], ["public = false"]]) {
      project.configure(set("nobody", where, ...lines));
      const [first, ...others] = await told(project, "plan");
      assert.deepEqual([first?.address, others], ["ami_launch_permission_set.nobody", []]);
      assert.match(
        first?.detail ?? "",
        /^account_ids: no grantee is declared, .* write account_ids = \[\] if nobody is to have access/,
      );
    }
    assert.deepEqual(await emulator().launchers(imageId), [B]);
    project.configure(set("nobody", where, "account_ids = []"));
    assert.match(await project.plan(), /1 loses access/);
    project.configure(set("kept", `image_id = "${kept.imageId}"`, `account_ids = ["${A}"]`, "create_volume_permissions = {}"));
    await nothingChanged();
  });

  it("refuses public sharing without acknowledge_public, fractions, and other errors that only the provider finds", async () => {
    const own = {
      public: "public = true",
      volumes: "create_volume_permissions = { public = true }",
      fraction: "max_revocations = 1.5",
    };
    const readOnly = ['id = "ami-1"', `owner_id = "${A}"`, 'snapshot_ids = ["snap-1"]', `grants = { "account/${A}" = "launch" }`];
    project.configure(
      [
        ...Object.entries(own).map(([name, line]) => set(name, `image_id = "${ABSENT}"`, line)),
        set("told", `image_id = "${ABSENT}"`, ...readOnly),
        `data "ami_launch_permissions" "told" {\n  image_id = "i-1234567890abcdef0"\n  region = ""\n  public = true\n}\n`,
      ].join(""),
    );
    const diagnostics = await told(project, "validate");
    const acknowledge = "true would give every AWS account a copy of the disk; add acknowledge_public = true if that is meant";
    const leaveOut = (line: string) =>
      `${line} → ${line.split(" ")[0]}: is computed by the provider; leave it out [invalid-argument]`;
    assert.deepEqual(
      placed(diagnostics),
      [
        `${own.public} → public = ${acknowledge} [invalid-argument]`,
        `${own.volumes} → create_volume_permissions.public = ${acknowledge} [invalid-argument]`,
        `${own.fraction} → max_revocations: 1.5 is not a whole number of grantees [invalid-argument]`,
        ...readOnly.map(leaveOut),
        leaveOut("public = true"),
        `image_id = "i-1234567890abcdef0" → image_id: "i-1234567890abcdef0" is not an AMI id; it is an instance's id: name the AMI [invalid-argument]`,
        'region = "" → region: "" is not a region; write one such as us-east-1 [invalid-argument]',
      ].sort(),
    );
    assert.deepEqual(await emulator().calls(), []);
    await nothingChanged();
  });

  it("has types and names that Terraform itself checks", async () => {
    const typed = [
      `account_ids = "${A}"`,
      'organization_arns = "o-abcde12345"',
      'organizational_unit_arns = "ou-ab12-cdefgh34"',
      'public = "yes"',
      'acknowledge_public = "perhaps"',
      "create_volume_permissions = true",
      'max_revocations = "none"',
      `never_revoke = "${A}"`,
      `allowed_grantees = "${A}"`,
      "check_usage = 3",
      "mode = []",
    ];
    project.configure(
      typed.map((line, n) => set(`typed${n}`, `image_id = "${ABSENT}"`, line)).join("") +
        set("misspelt", `imageId = "${ABSENT}"`, `acount_ids = ["${A}"]`),
    );
    const diagnostics = await told(project, "validate");
    const wrongType = diagnostics.filter(({ summary }) => summary === "Incorrect attribute value type");
    assert.deepEqual(wrongType.map(({ line }) => line).sort(), [...typed].sort());
    const words = diagnostics.map(({ detail }) => detail);
    assert.ok(words.includes('The argument "image_id" is required, but no definition was found.'));
    assert.ok(words.includes('An argument named "imageId" is not expected here. Did you mean "image_id"?'));
    assert.ok(words.includes('An argument named "acount_ids" is not expected here. Did you mean "account_ids"?'));
    await nothingChanged();
  });

  it("names every invalid argument of a provider block", async () => {
    const lines = [
      'region = "Ireland"',
      'endpoint = "localhost"',
      'assume_role = { role_arn = "admin", external_id = "", session_name = "a b" }',
      "max_retries = -1",
    ];
    project.configure(
      `provider "ami" {\n  alias = "wrong"\n  profile = ""\n${lines.map((line) => `  ${line}\n`).join("")}}\n${set(
        "wrong",
        "provider = ami.wrong",
        `image_id = "${ABSENT}"`,
      )}`,
    );
    const [region, endpoint, role, retries] = lines;
    assert.deepEqual(
      placed(await told(project, "validate")),
      [
        `${region} → region: "Ireland" is not a region; write one such as us-east-1 [invalid-argument]`,
        `${endpoint} → endpoint: "localhost" is not a URL; write one such as https://ec2.us-east-1.amazonaws.com [invalid-argument]`,
        `${role} → assume_role.role_arn: "admin" is not a role's ARN; write one such as arn:aws:iam::111122223333:role/share-images [invalid-argument]`,
        `${role} → assume_role.external_id: "" is not an external id; write one such as partner-42 [invalid-argument]`,
        `${role} → assume_role.session_name: "a b" is not a session name; write one such as share-images [invalid-argument]`,
        `${retries} → max_retries: -1 is not a whole number of retries [invalid-argument]`,
      ].sort(),
    );
    await nothingChanged();
  });

  const image = ({ imageId }: Pick<MadeImage, "imageId">) => `image_id = "${imageId}"`;
  const accounts = `account_ids = ["${A}"]`;

  it("fails the plan for what EC2 will certainly refuse", async () => {
    const own = await emulator().image({ snapshots: 1 });
    const crowded = await emulator().image({ launchPermissions: [{ UserId: A }, { UserId: B }] });
    const west = await emulator().image({ snapshots: 1, region: "us-west-2" });
    const foreign = await emulator().image({ snapshots: 1, accountId: OTHER });
    const lent = await emulator().image({ snapshots: 1, accountId: OTHER, launchPermissions: [{ UserId: CALLER }] });
    const managed = await emulator().image({ snapshots: 1, encrypted: true });
    const [stray] = kept.snapshotIds;
    const refused = [
      set("absent", image({ imageId: ABSENT }), accounts),
      set("west", image(west), accounts),
      set("foreign", image(foreign), accounts),
      set("lent", image(lent), accounts),
      set("managed", image(managed), accounts),
      set("stray", image(own), accounts, `create_volume_permissions = { snapshot_ids = ["${stray}"] }`),
      set("crowded", image(crowded), "account_ids = []", "max_revocations = 1"),
      `data "ami_launch_permissions" "lent" {\n  ${image(lent)}\n}\n`,
    ].join("");
    const imports = [ABSENT, `nowhere/${own.imageId}`, `us-west-2/us-east-1/${own.imageId}`, own.snapshotIds[0]];
    const imported = imports
      .map(
        (id, n) =>
          `import {\n  to = ami_launch_permission_set.imported${n}\n  id = "${id}"\n}\n${set(`imported${n}`, image(own), accounts)}`,
      )
      .join("");

    project.configure(refused + imported);
    const diagnostics = await told(project, "plan");
    const of = (address: string) => diagnostics.filter((one) => one.address?.endsWith(`.${address}`));
    const expected: Record<string, [line: string, ...words: RegExp[]]> = {
      absent: [
        image({ imageId: ABSENT }),
        new RegExp(
          `^there is no AMI ${ABSENT} in us-east-1 \\(AWS: InvalidAMIID.NotFound, request id [-\\w]+, DescribeImages at http://127.0.0.1:\\d+\\); check the id and the region`,
        ),
        /exists in one region only and has to be copied to another .* \[image-not-found\]$/,
      ],
      west: [image(west), new RegExp(`^there is no AMI ${west.imageId} in us-east-1 .*\\[image-not-found\\]$`)],
      foreign: [
        image(foreign),
        new RegExp(`^there is no AMI ${foreign.imageId} .*is not seen unless it is shared \\[image-not-found\\]$`),
      ],
      managed: [
        image(managed),
        new RegExp(`snapshot ${managed.snapshotIds[0]} is encrypted under the AWS managed key \\(alias/aws/ebs\\)`),
        /copy the AMI with a customer managed key .*\[sharing-refused\]$/,
      ],
      stray: [
        `create_volume_permissions = { snapshot_ids = ["${stray}"] }`,
        new RegExp(
          `^create_volume_permissions.snapshot_ids: ${stray} is not among the snapshots of AMI ${own.imageId}; its EBS snapshots are ${own.snapshotIds[0]} \\[invalid-argument\\]$`,
        ),
      ],
      crowded: [
        "max_revocations = 1",
        new RegExp(
          `would take access from 2 grantees \\(account/${A}, account/${B}\\), and max_revocations is 1; if this is intended, set max_revocations to 2 \\[too-many-revocations\\]$`,
        ),
      ],
    };
    // A missing AMI does not stop the other sets (T9). Its own set fails in the apply.
    const warned = ["absent", "west", "foreign"];
    for (const [name, [line, ...words]] of Object.entries(expected)) {
      assert.deepEqual(
        of(name).map(({ severity }) => severity),
        [warned.includes(name) ? "warning" : "error"],
        name,
      );
      const [what = "", next] = of(name)[0]?.detail.split("\n\n") ?? [];
      for (const expression of words) assert.match(what, expression);
      // There is no set yet, so the error does not mention a destroy.
      assert.equal(next, undefined);
      assert.equal(of(name)[0]?.line, line);
    }
    // Once for the set and once for the data source.
    assert.equal(of("lent").length, 2);
    for (const { severity, detail, line } of of("lent")) {
      assert.deepEqual([severity, line], ["error", image(lent)]);
      assert.match(
        detail,
        /belongs to another account \(AWS: AuthFailure, .*only the owner can see and change its permissions.* \[not-owner\]$/,
      );
    }
    assert.match(of("absent")[0]?.summary ?? "", /^AMI ami-0123456789abcdef0 cannot be shared as configured$/);

    const invalid = diagnostics.filter(({ summary }) => summary.startsWith("Invalid import id"));
    assert.deepEqual(
      invalid.map(({ summary }) => summary).sort(),
      imports
        .slice(1)
        .map((id) => `Invalid import id "${id}"`)
        .sort(),
    );
    assert.match(invalid[0]?.detail ?? "", /"ami-1234567890abcdef0" or "eu-west-1\/ami-1234567890abcdef0" \[invalid-argument\]$/);
    assert.ok(
      diagnostics.some(
        ({ summary, detail }) => summary === `AMI ${ABSENT} cannot be imported` && /\[image-not-found\]$/.test(detail),
      ),
    );
    await nothingChanged();
    await stillShared();
  });

  it("only warns of what may be fixed before the apply; if it is not, the apply changes nothing", async () => {
    const [mended, everybody] = await emulator().images([{ snapshots: 1 }, { snapshots: 1 }]);
    assert.ok(mended && everybody);
    await emulator().aws("ec2", "disable-image", "--image-id", mended.imageId);
    const block = ["--image-block-public-access-state", "block-new-sharing"];
    await emulator().aws("ec2", "enable-image-block-public-access", ...block);
    project.configure(
      [
        set("kept", image(kept), accounts, "create_volume_permissions = {}"),
        set("disabled", image(mended), accounts),
        set("everybody", image(everybody), "public = true", "acknowledge_public = true"),
      ].join(""),
    );
    const diagnostics = await told(project, "apply");
    // The apply plans again, and repeats the warning.
    const of = (line: string) => [
      ...new Set(diagnostics.filter((one) => one.severity === "warning" && one.line === line).map(({ detail }) => detail)),
    ];
    assert.deepEqual(of(image(mended)), [
      `AMI ${mended.imageId} is disabled; enable it first (aws ec2 enable-image) [image-not-shareable]`,
    ]);
    const blocked = `block public access is on for AMIs: AMI ${everybody.imageId} cannot be made public; if it is intended, turn it off first (aws ec2 disable-image-block-public-access) [public-access-blocked]`;
    const publicly = of("public = true");
    assert.equal(publicly.length, 2);
    assert.equal(publicly[0], blocked);
    assert.match(publicly[1] ?? "", /broadens access: everybody/);
    assert.doesNotMatch(publicly[1] ?? "", /will fail/, "the refusal is reported twice");
    assert.deepEqual(
      diagnostics
        .filter(({ severity }) => severity === "error")
        .map(({ summary }) => summary)
        .sort(),
      [mended, everybody].map(({ imageId }) => `AMI ${imageId} is not shared as planned: nothing was changed`).sort(),
    );
    await nothingChanged();
  });

  it("names a missing region and missing credentials, and no secret even in Terraform's trace", async () => {
    const none = {
      AWS_REGION: undefined,
      AWS_DEFAULT_REGION: undefined,
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      TF_LOG: "trace",
    };
    const alias = 'provider "ami" {\n  alias  = "east"\n  region = "us-east-1"\n}\n';
    const bare = await TerraformProject.create(emulator(), "", { env: none, provider: alias });
    try {
      const where = `image_id = "${kept.imageId}"`;
      bare.configure(
        set("lost", where, `account_ids = ["${A}"]`) +
          set("unknown", "provider = ami.east", where, `account_ids = ["${A}"]`) +
          `data "ami_launch_permissions" "lost" {\n  ${where}\n}\n`,
      );
      const { code, output, diagnostics } = await bare.diagnostics("plan");
      assert.equal(code, 1);
      noSecrets(output);
      const missing = "no AWS region; set region, here or in the provider block, or AWS_REGION [region-missing]";
      const of = (address: string) => diagnostics.filter((one) => one.address === address).map(({ detail }) => detail);
      assert.deepEqual(of("ami_launch_permission_set.lost"), [missing]);
      assert.deepEqual(of("data.ami_launch_permissions.lost"), [missing]);
      assert.match(
        of("ami_launch_permission_set.unknown").join(),
        /^no AWS credentials: .*; set a profile, AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assume_role \[credentials-missing\]$/,
      );
      assert.deepEqual(await emulator().calls(), []);
    } finally {
      bare.remove();
    }
  });

  it("names expired credentials, a dead endpoint or a refused role, and no secret even in Terraform's trace", async () => {
    await emulator().configure({ deny: ["sts:AssumeRole"] });
    const role = `arn:aws:iam::${OTHER}:role/share`;
    const blocks = {
      expired: 'profile = "expired"',
      down: 'endpoint = "http://127.0.0.1:1"\n  max_retries = 0',
      profileless: 'profile = "nobody"',
      denied: `assume_role = { role_arn = "${role}", external_id = "${SECRETS[3]}", session_name = "test" }`,
    };
    project.configure(
      Object.entries(blocks)
        .map(
          ([name, lines]) =>
            `provider "ami" {\n  alias = "${name}"\n  region = "us-east-1"\n  ${lines}\n}\n${set(
              name,
              `provider = ami.${name}`,
              `image_id = "${kept.imageId}"`,
              accounts,
            )}`,
        )
        .join(""),
    );
    project.env.TF_LOG = "trace";
    const diagnostics = await told(project, "plan").finally(() => delete project.env.TF_LOG);
    const of = (name: string) => diagnostics.filter(({ address }) => address === `ami_launch_permission_set.${name}`);
    const words = {
      expired:
        /^the AWS credentials have expired \(AWS: RequestExpired, request id [-\w]+, DescribeImages at http:\/\/127.0.0.1:\d+\); sign in again .*\[credentials-expired\]$/,
      down: /^EC2's endpoint http:\/\/127.0.0.1:1 in us-east-1 cannot be reached for DescribeImages of ami-\w+: connect ECONNREFUSED 127.0.0.1:1; check the network, the region and the endpoint \[endpoint-unreachable\]$/,
      profileless: /^no AWS credentials in profile "nobody": .*\[credentials-missing\]$/,
      denied:
        /^AWS denies access: .*; check the role's trust policy, the external id and the caller's policy \[not-authorized\]$/,
    };
    const summaries = {
      expired: "The provider's AWS credentials have expired",
      down: "The provider cannot reach AWS",
      profileless: "The provider has no AWS credentials",
      denied: "AWS denies the provider access",
    };
    for (const [name, expression] of Object.entries(words)) {
      assert.equal(of(name).length, 1, name);
      assert.match(of(name)[0]?.detail ?? "", expression);
      assert.equal(of(name)[0]?.summary, summaries[name as keyof typeof words]);
    }
    await nothingChanged();
    await stillShared();
  });
});
