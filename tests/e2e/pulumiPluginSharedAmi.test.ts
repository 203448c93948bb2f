/** The component SharedAmi of the full provider, with the real CLI: AMIs that exist, copies, secrets, options of the component, refusals. */

import * as assert from "node:assert/strict";
import * as path from "node:path";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { installPulumiAwsStandIn } from "../helpers/pulumiAwsStandIn";
import { SET_TYPE, usePluginProject, writeProgram } from "../helpers/pulumiPlugin";

const [A, B, C] = ["111122223333", "444455556666", "777788889999"] as const;

interface Resource {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly provider?: string;
  readonly protect?: boolean;
  readonly dependencies?: readonly string[];
  readonly outputs?: Record<string, unknown>;
}

describe("the full Pulumi provider's SharedAmi", function () {
  this.timeout(600_000);
  const emulator = useEmulator();
  const project = usePluginProject(emulator);

  const program = (body: string) => writeProgram(project(), body);
  const allOf = (images: readonly MadeImage[]) => Object.fromEntries(images.map(({ region, imageId }) => [region, imageId]));
  const launchersOf = (images: readonly MadeImage[], ...accounts: string[]) =>
    images.flatMap(({ imageId }) => accounts.map((account) => `${imageId} account/${account}`)).sort();
  const twoImages = async () => [
    await emulator().image({ snapshots: 1 }),
    await emulator().image({ snapshots: 1, region: "eu-west-1" }),
  ];

  async function resources(): Promise<Resource[]> {
    const { text } = await project().state();
    return JSON.parse(text).deployment.resources ?? [];
  }

  it("shares AMIs that exist: preview, up, change, a region less, destroy", async () => {
    const images = await twoImages();
    const declare = (imageIds: object, ...accountIds: string[]) =>
      program(`
        const shared = new SharedAmi("golden", ${JSON.stringify({ imageIds, accountIds })});
        export const { imageIds, grants } = shared;
      `);
    declare(allOf(images), A, B);
    const preview = await project().preview();
    for (const { imageId, region } of images) assert.match(preview, new RegExp(`AMI ${imageId} in ${region}: 2 gain`));
    assert.deepEqual(await emulator().modifications(), []);
    await project().up();
    assert.deepEqual(await emulator().pairs(images), launchersOf(images, A, B));
    const grants = { [`account/${A}`]: "launch", [`account/${B}`]: "launch" };
    assert.deepEqual(await project().outputs(), {
      imageIds: allOf(images),
      grants: { "us-east-1": grants, "eu-west-1": grants },
    });
    const all = await resources();
    const component = all.find(({ type }) => type.endsWith(":SharedAmi"));
    const sets = all.filter(({ type }) => type === SET_TYPE);
    assert.deepEqual(sets.map(({ urn, parent }) => [urn.split("::").at(-1), parent]).sort(), [
      ["golden-eu-west-1", component?.urn],
      ["golden-us-east-1", component?.urn],
    ]);
    assert.deepEqual(component?.outputs, { imageIds: allOf(images), grants: { "us-east-1": grants, "eu-west-1": grants } });

    await emulator().forgetCalls();
    assert.match(await project().preview(), /\b4 unchanged/);
    await project().up();
    assert.deepEqual(await emulator().calls(), [], "nothing to change: nothing is asked");

    declare(allOf(images), A, C);
    const change = await project().preview();
    for (const line of [`- account/${B}: "launch"`, `\\+ account/${C}: "launch"`])
      assert.equal(change.match(new RegExp(`^ +${line}`, "gm"))?.length, 2, change);
    await project().up();
    assert.deepEqual(await emulator().pairs(images), launchersOf(images, A, C));

    declare(allOf(images.slice(0, 1)), A, C);
    await project().up();
    assert.deepEqual(await emulator().pairs(images), launchersOf(images.slice(0, 1), A, C));
    await project().destroy();
    assert.deepEqual(await emulator().pairs(images), []);
  });

  it("copies with the package aws: the copy is not known in the preview, then shared; a new source is copied before the old copy goes", async () => {
    const plugins = path.join(project().folder, "plugins");
    installPulumiAwsStandIn(plugins);
    project().env.PATH = `${plugins}${path.delimiter}${project().env.PATH}`;
    const source = await emulator().image({ snapshots: 1 });
    const declare = (sourceImageId: string, name: string, more: object = {}) =>
      program(
        `export const { imageIds } = new SharedAmi("golden", ${JSON.stringify({
          ...{ sourceImageId, sourceRegion: "us-east-1", regions: ["us-east-1", "eu-west-1"], accountIds: [A] },
          ...{ copy: { name }, ...more },
        })});`,
      );
    declare(source.imageId, "golden-1");
    const preview = await project().preview();
    assert.match(preview, new RegExp(`AMI ${source.imageId} in us-east-1: 1 gains`));
    assert.match(preview, /the AMI is not known yet/);
    assert.match(preview, /\+ aws:ec2\/amiCopy:AmiCopy: \(create\)/);
    await project().up();
    const { imageIds } = (await project().outputs()) as { imageIds: Record<string, string> };
    const copied = { imageId: imageIds["eu-west-1"] ?? "", region: "eu-west-1", snapshotIds: [], accountId: "" };
    assert.notEqual(copied.imageId, source.imageId);
    assert.deepEqual(await emulator().pairs([source, copied]), launchersOf([source, copied], A));
    const found = await resources();
    const copy = found.find(({ type }) => type.startsWith("aws:"));
    const far = found.find(({ type, urn }) => type === SET_TYPE && urn.endsWith("eu-west-1"));
    assert.deepEqual(far?.dependencies, [copy?.urn]);
    assert.match(await project().preview(), /\b5 unchanged/);

    const next = await emulator().image({ snapshots: 1 });
    declare(next.imageId, "golden-2");
    await project().up();
    const later = (await project().outputs()).imageIds as Record<string, string>;
    assert.notEqual(later["eu-west-1"], copied.imageId);
    const fresh = { ...copied, imageId: later["eu-west-1"] ?? "" };
    assert.deepEqual(await emulator().pairs([source, next, fresh]), launchersOf([next, fresh], A));

    declare(next.imageId, "golden-2", { profile: "other" });
    assert.match((await project().fail("preview")).output, /profile reaches the sets only/);
    declare(next.imageId, "golden-2");
    await project().destroy();
    assert.deepEqual(await emulator().pairs([source, next]), []);
  });

  it("keeps secrets out of state, display and events, passes its options on to the sets, and takes ids from other resources", async () => {
    const images = await twoImages();
    program(`
      class Provider extends pulumi.ProviderResource {
        constructor(name: string, args: object) {
          super("ami-launch-permissions", name, args);
        }
      }
      const provider = new Provider("explicit", { maxRetries: 3 });
      const one = new LaunchPermissionSet("one", { imageId: "${images[0]?.imageId}", accountIds: [], mode: "additive" }, { provider });
      const shared = new SharedAmi(
        "golden",
        {
          imageIds: { "us-east-1": one.imageId, "eu-west-1": pulumi.secret("${images[1]?.imageId}") },
          accountIds: pulumi.secret(["${A}", "${B}"]),
        },
        { provider, protect: true },
      );
      export const { imageIds, grants } = shared;
    `);
    const texts = [await project().preview(), await project().up(), (await project().run("preview", "--json")).output];
    assert.deepEqual(await emulator().pairs(images), launchersOf(images, A, B));
    const found = await resources();
    texts.push(JSON.stringify(found), JSON.stringify(await project().outputs()));
    for (const text of texts) {
      assert.doesNotMatch(text, new RegExp(`${A}|${B}`));
      assert.doesNotMatch(text.replace(/reports?.*/g, ""), new RegExp(`"?(imageId|eu-west-1)"?: "${images[1]?.imageId}"`));
    }
    const provider = found.find(({ urn }) => urn.endsWith("::explicit"));
    const one = found.find(({ urn }) => urn.endsWith("::one"));
    const sets = found.filter(({ urn }) => urn.includes("SharedAmi$"));
    assert.equal(sets.length, 2);
    for (const set of sets) {
      assert.equal(set.protect, true);
      assert.equal(set.provider?.startsWith(`${provider?.urn}::`), true, set.provider);
      assert.ok(set.dependencies?.includes(one?.urn ?? ""), String(set.dependencies));
    }
    await project().fail("destroy", "--yes", "--skip-preview");
    await project().succeed("state", "unprotect", "--all", "--yes");
    await project().destroy();
    assert.deepEqual(await emulator().pairs(images), []);
  });

  it("runs its sets in the provider of the program's own sets, so that they know each other", async () => {
    const [image] = await twoImages();
    const { imageId } = image as MadeImage;
    program(`
      new LaunchPermissionSet("one", { imageId: "${imageId}", accountIds: ["${A}"] });
      new SharedAmi("golden", { imageIds: { "us-east-1": "${imageId}" }, accountIds: ["${B}"], mode: "additive" });
    `);
    await project().up();
    assert.deepEqual(await emulator().launchers(imageId), [A, B]);
    const providers = (await resources()).filter(({ type }) => type.startsWith("pulumi:providers:"));
    assert.equal(providers.length, 1);
    await project().destroy();
    assert.deepEqual(await emulator().launchers(imageId), []);
  });

  it("refuses arguments that contradict each other before anything is registered, and a set's mistake as that set's", async () => {
    const [image] = await twoImages();
    const fails = async (args: string, words: RegExp) => {
      program(`new SharedAmi("golden", ${args});`);
      const { output } = await project().fail("up", "--yes", "--skip-preview");
      assert.match(output.replace(/\s+/g, " "), words);
    };
    await fails("{ accountIds: [] }", /SharedAmi "golden": nothing to share: give imageIds, or .*\[invalid-argument\]/);
    await fails(`{ imageIds: { virginia: "${image?.imageId}" } }`, /imageIds: "virginia" is not a region/);
    await fails(`{ imageIds: { "us-east-1": "${image?.imageId}" }, accountIds: ["12"] }`, /accountIds\[0\].*"12" has 2 digits/);
    assert.deepEqual(
      (await resources()).filter(({ type }) => type === SET_TYPE),
      [],
    );
    assert.deepEqual(await emulator().modifications(), []);
  });
});
