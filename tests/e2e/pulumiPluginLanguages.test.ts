/** The full Pulumi provider in programs of other languages: generated SDKs, the schema's examples, and the code that `pulumi import` prints. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { packageSchema } from "../../provider/pulumi-plugin/schema";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { example, generateSdks, type LanguageName, LanguageProject, PLUGIN } from "../helpers/pulumiLanguages";
import { changedLines, SET_TYPE } from "../helpers/pulumiPlugin";
import { PulumiProject } from "../helpers/pulumiProject";

/** The accounts of the schema's examples. */
const [A, B] = ["111122223333", "444455556666"] as const;
const C = "077788889999";
const BOTH = { [`account/${A}`]: "launch, createVolume", [`account/${B}`]: "launch, createVolume" };

const ORGANIZATION = { OrganizationArn: "arn:aws:organizations::111122223333:organization/o-abcde12345" };
const UNIT = { OrganizationalUnitArn: "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34" };
const [a, b, c] = [{ UserId: A }, { UserId: B }, { UserId: C }];
const EVERYBODY = { Group: "all" };
const MANY = Array.from({ length: 60 }, (_, i) => ({ UserId: String(200_000_000_000 + i) }));

/** AMIs as others have shared them: who may launch, and who may create volumes from each snapshot. */
const SHARED: readonly (readonly [launch: readonly object[], ...volumes: (readonly object[])[]])[] = [
  [[]],
  [[], []],
  [[a]],
  [[a, c], [c], []],
  [[a], []],
  [
    [a, b],
    [a, b],
    [a, b],
  ],
  [[a], [a, b], [a, b]],
  [[a], [a], []],
  [[], [a]],
  [[EVERYBODY], []],
  [[EVERYBODY], [EVERYBODY], [EVERYBODY]],
  [[EVERYBODY, a], [a]],
  [[a], [EVERYBODY]],
  [[a], [EVERYBODY, c], []],
  [[ORGANIZATION], []],
  [[UNIT], []],
  [
    [ORGANIZATION, UNIT, a, c],
    [a, c],
  ],
  [MANY, MANY],
  [[...MANY, a], [a], [a], []],
  // No set can declare these snapshots: it leaves them.
  [[a], [a], [b]],
];

/** What the programs have after the schema's example: the package's functions. */
const FUNCTIONS = {
  yaml: `  now: \${now.accountIds}
  own: \${own.amis}
variables:
  now:
    fn::invoke:
      function: ami-launch-permissions:getAmiLaunchPermissions
      arguments:
        imageId: \${golden.imageId}
  own:
    fn::invoke:
      function: ami-launch-permissions:getSharedAmis
      arguments:
        owner: self
`,
  typescript: `
import { getAmiLaunchPermissionsOutput, getSharedAmisOutput } from "@ami-launch-permissions/pulumi";
export const now = getAmiLaunchPermissionsOutput({ imageId: golden.imageId }).accountIds;
export const own = getSharedAmisOutput({ owner: "self" }).amis;
`,
  python: `
owner = ami.Provider("owner", region="us-east-1", assume_role={"role_arn": "arn:aws:iam::123456789012:role/reader"})
options = pulumi.InvokeOptions(provider=owner)
pulumi.export("now", ami.get_ami_launch_permissions_output(image_id=golden.image_id, opts=options).account_ids)
pulumi.export("own", ami.get_shared_amis_output(owner=ami.AmiOwner.SELF).apply(lambda found: [{"imageId": each.image_id} for each in found.amis]))
`,
  go: "",
};

describe("the full Pulumi provider in other languages", function () {
  this.timeout(900_000);
  const emulator = useEmulator();
  const sdks = fs.mkdtempSync(path.join(os.tmpdir(), "ami-sdks-"));
  const projects: PulumiProject[] = [];

  before(async () => {
    const project = await projectInTypeScript();
    await generateSdks(project, sdks);
    project.remove();
  });
  afterEach(() => {
    for (const project of projects.splice(0)) project.remove();
  });
  after(() => fs.rmSync(sdks, { recursive: true, force: true }));

  async function projectIn(language: LanguageName): Promise<LanguageProject> {
    const made = await LanguageProject.create(emulator(), language, sdks);
    projects.push(made.project);
    return made;
  }

  async function projectInTypeScript(): Promise<PulumiProject> {
    const project = await PulumiProject.create(emulator(), { program: "" });
    projects.push(project);
    return project;
  }

  /** Who has access to an AMI and to each of its snapshots, as EC2 says it. */
  async function access({ imageId, snapshotIds }: MadeImage): Promise<string[][]> {
    return [await emulator().launchers(imageId), ...(await Promise.all(snapshotIds.map((id) => emulator().volumeCreators(id))))];
  }

  /** The outputs of a program that shares an AMI with two accounts. */
  async function expectOutputs(project: PulumiProject, imageId: string): Promise<void> {
    const { grants, now, own } = await project.outputs();
    assert.deepEqual(grants, BOTH);
    assert.deepEqual(now, [A, B]);
    assert.ok((own as { imageId: string }[]).some((ami) => ami.imageId === imageId));
  }

  /** Imports AMIs that are shared already: the code that is printed is a program that changes nothing. */
  async function importChangesNothing(stack: LanguageProject, images: readonly MadeImage[], ...args: readonly string[]) {
    await emulator().forgetCalls();
    stack.write(await stack.import(...args));
    await stack.project.succeed("preview", "--expect-no-changes");
    assert.deepEqual(await emulator().modifications(), []);
    const imported = (await stack.project.state()).text;
    for (const { imageId } of images) assert.ok(imported.includes(`"id": "${imageId}"`), imageId);
  }

  it("has a schema that the CLI reads", async () => {
    const { stdout } = await (await projectInTypeScript()).succeed("package", "get-schema", PLUGIN);
    assert.deepEqual(withoutEmpty(JSON.parse(stdout)), withoutEmpty(packageSchema()));
  });

  it("works in YAML: preview, up, refresh, one line for the one account that leaves, destroy, import", async () => {
    const stack = await projectIn("yaml");
    const { project } = stack;
    const image = await emulator().image({ snapshots: 2 });
    const program = `${example("yaml", image.imageId)}${FUNCTIONS.yaml}`;
    stack.write(program);
    assert.match(await project.preview(), new RegExp(`AMI ${image.imageId} in us-east-1: 2 gain`));
    assert.deepEqual(await emulator().pairs([image]), []);
    await project.up();
    assert.deepEqual(await access(image), [
      [A, B],
      [A, B],
      [A, B],
    ]);
    await expectOutputs(project, image.imageId);
    assert.match(await project.refresh(), /\b2 unchanged/);

    stack.write(program.replace(`, "${B}"`, ""));
    assert.deepEqual(changedLines(await project.preview()), ["~ grants: {", `- account/${B}: "launch, createVolume"`]);
    await project.up();
    assert.deepEqual(await access(image), [[A], [A], [A]]);
    await project.destroy();
    assert.deepEqual(await emulator().pairs([image]), []);

    const [shared] = await emulator().images([imageOf([[a, c], [c], []])]);
    await importChangesNothing(stack, [shared as MadeImage], SET_TYPE, "golden", (shared as MadeImage).imageId);
  });

  for (const language of ["typescript", "python", "go"] as const)
    it(`works in ${language} with the generated SDK: the schema's example, and the code that an import of ${SHARED.length + 1} AMIs prints`, async () => {
      const stack = await projectIn(language);
      const { project } = stack;
      const image = await emulator().image({ snapshots: 2 });
      stack.write(`${example(language, image.imageId)}${FUNCTIONS[language]}`);
      await project.up();
      assert.deepEqual(await access(image), [
        [A, B],
        [A, B],
        [A, B],
      ]);
      if (FUNCTIONS[language] !== "") await expectOutputs(project, image.imageId);
      await project.destroy();
      assert.deepEqual(await emulator().pairs([image]), []);

      const images = await emulator().images([...SHARED.map(imageOf), { ...imageOf([[b], [b]]), region: "eu-west-1" }]);
      const resources = images.map(({ imageId, region }, i) => ({ type: SET_TYPE, name: `set${i}`, id: `${region}/${imageId}` }));
      const file = path.join(project.folder, "import.json");
      fs.writeFileSync(file, JSON.stringify({ resources }));
      await importChangesNothing(stack, images, "--file", file);
    });

  it("has no mistake that Go finds in the whole generated SDK", async () => {
    const { project } = await projectIn("go");
    // In the SDK's own module: a pattern with another module's path makes Go look into every module, also those that no build downloads.
    const { code, output } = await project.script("go", "-C", "sdk", "vet", "./...");
    assert.equal(code, 0, output);
  });

  it("has an SDK for .NET, and import code in C#, which nothing here can compile", async () => {
    const files = fs.readdirSync(path.join(sdks, "dotnet"), { recursive: true, encoding: "utf8" });
    const text = files
      .filter((file) => file.endsWith(".cs"))
      .map((file) => fs.readFileSync(path.join(sdks, "dotnet", file), "utf8"))
      .join("\n");
    for (const declared of [
      "namespace Pulumi.AmiLaunchPermissions",
      "class LaunchPermissionSet : global::Pulumi.CustomResource",
      "class LaunchPermissionSetArgs : global::Pulumi.ResourceArgs",
      "Input<string> ImageId",
      "InputList<string> AccountIds",
      "InputUnion<Inputs.CreateVolumePermissionsArgs, bool>? CreateVolumePermissions",
      "Input<int>? MaxRevocations",
      "Input<Pulumi.AmiLaunchPermissions.OnDelete>? OnDelete",
      "Output<ImmutableDictionary<string, string>> Grants",
      "struct Mode : IEquatable<Mode>",
      "class GetAmiLaunchPermissions",
      "class GetSharedAmis",
    ])
      assert.ok(text.includes(declared), declared);
    assert.ok(files.includes("Pulumi.AmiLaunchPermissions.csproj"));

    const stack = await projectIn("csharp");
    const { imageId } = (await emulator().images([imageOf([[a], [c], []])]))[0] as MadeImage;
    const printed = await stack.import(SET_TYPE, "golden", imageId);
    assert.match(printed, /using AmiLaunchPermissions = Pulumi\.AmiLaunchPermissions;/);
    assert.match(printed, /new AmiLaunchPermissions\.LaunchPermissionSet\("golden", new\(\)/);
    for (const value of [imageId, A, C]) assert.ok(printed.includes(`"${value}"`), printed);
  });
});

/** What makes an AMI that is shared like that. */
function imageOf([launchPermissions = [], ...createVolumePermissions]: (typeof SHARED)[number]) {
  return { snapshots: createVolumePermissions.length, launchPermissions, createVolumePermissions };
}

/** JSON without empty objects and lists, which the CLI leaves out. */
function withoutEmpty(value: unknown): unknown {
  const isEmpty = (member: unknown) => typeof member === "object" && member !== null && Object.keys(member).length === 0;
  return JSON.parse(JSON.stringify(value), (_, member) => (isEmpty(member) ? undefined : member));
}
