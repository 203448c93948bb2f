/** Cases that the dynamic resource has, with the full Pulumi provider: secrets everywhere, unrecorded grants, hand-over, and how long a set waits. */

import * as assert from "node:assert/strict";
import { watchAccess } from "../helpers/accessWatch";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { declaredSet, usePluginProject, writeProgram } from "../helpers/pulumiPlugin";
import type { Ran } from "../helpers/pulumiProject";
import { EVENTS, requireHidden } from "../helpers/shownSecrets";

const [A, B, C, OPEN] = ["111122223333", "444455556666", "777788889999", "888899990000"] as const;
const ORGANIZATION = "arn:aws:organizations::222233334444:organization/o-secret1234";

describe("the full Pulumi provider, as the dynamic resource", function () {
  this.timeout(900_000);
  const emulator = useEmulator();
  let image: MadeImage;
  let seen: string[];
  const project = usePluginProject(emulator, () => ({
    env: { AMI_LAUNCH_PERMISSIONS_SIGN_OF_LIFE_MS: "300", PULUMI_DEBUG_COMMANDS: "true" },
  }));

  beforeEach(async () => {
    image = await emulator().image({ snapshots: 1 });
    seen = [];
  });
  afterEach(() => emulator().configure({ staleReads: 0 }));

  const flat = (output: string) => output.replace(/\s+/g, " ");

  /** Runs a command; what it printed is looked through in the end. */
  async function ran(run: Promise<Ran>): Promise<string> {
    const { output } = await run;
    seen.push(output);
    return flat(output);
  }

  const preview = (...args: string[]) => project().succeed("preview", "--diff", ...args);
  const up = (...args: string[]) => project().succeed("up", "--yes", "--skip-preview", "--diff", "--event-log", EVENTS, ...args);

  describe("secret lists of grantees", () => {
    /** A set under a component, whose `secret` arguments are secrets; its grants are an output of the program. */
    const hidden = (name: string, args: object, secret: readonly string[] = []) => `{
      const args: Record<string, unknown> = ${JSON.stringify(args)};
      for (const key of ${JSON.stringify(secret)}) args[key] = pulumi.secret(args[key]);
      const team = new Team("team-${name}", {}, {});
      outputs["${name}"] = new LaunchPermissionSet("team-${name}", args, { parent: team }).grants;
    }\n`;
    const program = (...sets: string[]) =>
      writeProgram(
        project(),
        `class Team extends pulumi.ComponentResource {
          constructor(name: string, args: object, opts: pulumi.ComponentResourceOptions) {
            super("test:index:Team", name, args, opts);
          }
        }
        export const outputs: Record<string, unknown> = {};
        ${sets.join("")}`,
      );

    it("show nowhere: create, change, drift, refresh, destroy", async () => {
      const args = (accountIds: readonly string[]) => ({
        ...{ imageId: image.imageId, accountIds, organizationArns: [ORGANIZATION] },
        createVolumePermissions: true,
      });
      const secret = ["accountIds", "organizationArns"];
      program(hidden("golden", args([A, B]), secret));
      assert.match(await ran(preview()), /grants *: \[secret\]/);
      assert.match(await ran(up()), /3 gained access/);
      assert.deepEqual(await emulator().launchers(image.imageId), [A, B, ORGANIZATION]);
      program(hidden("golden", args([A, C]), secret));
      assert.match(await ran(preview()), /1 gains, 1 loses, 2 keep access/);
      await ran(project().succeed("preview", "--json"));
      await ran(up());
      assert.deepEqual(await emulator().launchers(image.imageId), [A, C, ORGANIZATION]);
      await emulator().aws(
        ...["ec2", "modify-image-attribute", "--image-id", image.imageId, "--launch-permission"],
        `Remove=[{UserId=${A}}]`,
      );
      await ran(preview("--refresh"));
      await ran(project().succeed("refresh", "--yes", "--skip-preview", "--diff"));
      await requireHidden(project(), seen, [A, B, C, "o-secret1234"]);
      assert.match(await ran(project().succeed("destroy", "--yes", "--skip-preview", "--diff")), /unshared: \d lost? access/);
      await requireHidden(project(), seen, [A, B, C, "o-secret1234"]);
      assert.deepEqual(await emulator().pairs([image]), []);
    });

    it("show not in an open set of the AMI, whose grants and reports tell of both", async () => {
      const secret = hidden("hidden", { imageId: image.imageId, mode: "additive", accountIds: [A, B] }, ["accountIds"]);
      const open = (accountIds: readonly string[]) => hidden("open", { imageId: image.imageId, accountIds });
      program(secret);
      await ran(up());
      const stays = /= launch \(stays: set "team-hidden" declares it\): 2 grantees/;
      for (const accountIds of [[OPEN], [OPEN, C]]) {
        program(secret, open(accountIds));
        assert.match(await ran(preview()), stays);
        await ran(up());
      }
      await ran(preview("--refresh"));
      await ran(project().succeed("refresh", "--yes", "--skip-preview", "--diff"));
      program(secret);
      await ran(preview());
      await ran(up());
      assert.deepEqual(await emulator().launchers(image.imageId), [A, B]);
      await requireHidden(project(), seen, [A, B]);
    });

    it("show not in refusals, nor in what EC2 is waited for", async () => {
      const { imageId } = await emulator().image({ snapshots: 0, launchPermissions: [{ UserId: C }] });
      const declare = (accountIds: readonly string[], more: object = {}) =>
        program(hidden("golden", { imageId, accountIds, ...more }, ["accountIds"]));
      declare([A, B], { unrecorded: "refuse" });
      for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
        assert.match(await ran(project().fail(...command)), /1 grantee whom the state does not record: .*\[unrecorded-grants\]/);
      declare([A, B], { maxRevocations: 0 });
      for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
        assert.match(await ran(project().fail(...command)), /take access from 1 grantee .*\[too-many-revocations\]/);
      declare([`${A.slice(0, 4)}-${A.slice(4, 8)}-${A.slice(8)}`]);
      const wrong = await ran(project().fail("preview"));
      assert.match(wrong, /accountIds\[0\]: \S*\[secret\]\S* has dashes \[invalid-argument\]/);
      assert.doesNotMatch(wrong, /__secrets/);

      await emulator().configure({ staleReads: 1e6 });
      declare([A, B], { timeouts: { create: "2s", update: "2s" } });
      const waiting = await ran(project().fail("up", "--yes", "--skip-preview"));
      assert.match(waiting, /waiting for EC2 to show the change of AMI ami-\w+: not shown yet: \S*\[secret\] \(launch\)/);
      assert.match(waiting, /raise timeouts\.create and timeouts\.update \[not-visible\]/);
      await emulator().configure({ staleReads: 0 });
      await ran(up());

      // What is recorded is refused by what the program does not know to be a secret any more.
      program(hidden("golden", { imageId, accountIds: [OPEN], maxRevocations: 0 }));
      assert.match(await ran(project().fail("preview", "--diff")), /take access from 2 grantees .*\[too-many-revocations\]/);
      await requireHidden(project(), seen, [A, B, C]);
    });

    it("become secret later: one more up takes them out of the outputs, and calls nothing", async () => {
      const args = { imageId: image.imageId, accountIds: [A, B] };
      program(hidden("golden", args));
      await project().up();
      program(hidden("golden", args, ["accountIds"]));
      await emulator().forgetCalls();
      await up();
      assert.deepEqual(await emulator().modifications(), []);
      const exported = [await project().succeed("stack", "output", "--json"), await project().succeed("stack", "export")];
      for (const { output } of exported) for (const id of [A, B]) assert.ok(!output.includes(id), output);
      assert.match((await preview()).output, /3 unchanged/);
    });
  });

  it('unrecorded: "refuse" fails preview and up for whom the state does not record, until a refresh shows them', async () => {
    const { imageId } = await emulator().image({ snapshots: 1, launchPermissions: [{ UserId: C }] });
    const declare = (accountIds: readonly string[], unrecorded: string) =>
      writeProgram(project(), declaredSet("golden", { imageId, accountIds, unrecorded }));
    const refusal = new RegExp(
      `take access from 1 grantee whom the state does not record: account/${C}; .*\\[unrecorded-grants\\]`,
    );
    const isRefused = async () => {
      for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
        assert.match(flat((await project().fail(...command)).output), refusal);
    };
    declare([A], "refuse");
    await isRefused();
    assert.deepEqual(await emulator().modifications(), []);
    declare([A], "revoke");
    await project().up();
    await emulator().aws(
      ...["ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", `Add=[{UserId=${C}}]`],
    );
    declare([B], "refuse");
    await isRefused();
    assert.deepEqual(await emulator().launchers(imageId), [A, C]);
    await project().refresh();
    assert.match(await project().preview(), /- account\/777788889999/);
    await project().up();
    assert.deepEqual(await emulator().launchers(imageId), [B]);
  });

  describe("hand-over", () => {
    const set = (name: string, accountIds: readonly string[], more: object = {}) =>
      declaredSet(name, { imageId: image.imageId, accountIds, createVolumePermissions: true, ...more });
    const program = (...sets: string[]) => writeProgram(project(), sets.join(""));

    /** Runs `up` while EC2 is watched: the accounts hold access at every moment. */
    async function upKeeps(accounts: readonly string[], ...args: string[]): Promise<void> {
      const watch = watchAccess(emulator(), [image], accounts, { volumes: true });
      await project().up(...args);
      const { lost, looks } = await watch.end();
      assert.deepEqual(lost, [], "somebody lost access for a moment");
      assert.ok(looks > 20, `EC2 was looked at ${looks} times only`);
    }

    async function nobodyIsLeft(): Promise<void> {
      await project().destroy();
      assert.deepEqual(await emulator().pairs([image]), []);
    }

    it("H1: a renamed set that drops an account takes it from that one alone", async () => {
      program(set("one", [A, B, C]));
      await project().up();
      program(set("two", [A, C]));
      await upKeeps([A, C]);
      assert.deepEqual(await emulator().launchers(image.imageId), [A, C]);
      assert.match(await project().preview(), /2 unchanged/);
      await nobodyIsLeft();
    });

    it("H1: a rename by an alias changes nothing, and shrinks the set where it is to", async () => {
      program(set("one", [A, B], { mode: "additive" }));
      await project().up();
      const args = { imageId: image.imageId, accountIds: [A, B], createVolumePermissions: true, mode: "additive" };
      const renamed = (accountIds: readonly string[], name = "two", before = "one") =>
        program(
          `new LaunchPermissionSet("${name}", ${JSON.stringify({ ...args, accountIds })}, { aliases: [{ name: "${before}" }] });`,
        );
      renamed([A, B]);
      await emulator().forgetCalls();
      await upKeeps([A, B]);
      assert.deepEqual(await emulator().modifications(), []);
      renamed([A]);
      await upKeeps([A]);
      assert.deepEqual(await emulator().launchers(image.imageId), [A]);
      renamed([B], "three", "two");
      await project().up("--refresh");
      assert.deepEqual(await emulator().launchers(image.imageId), [B]);
      await nobodyIsLeft();
    });

    it("H4: whichever of two additive sets goes first, the other keeps what both declare, and a destroy leaves nobody", async () => {
      const more = { mode: "additive" };
      for (const stays of ["two", "one"]) {
        program(set("one", [A, B], more), set("two", [A], more));
        await project().up();
        program(set(stays, [A], more));
        // The engine tells of a set that left the program only if it refreshes.
        await upKeeps([A], "--refresh");
        assert.deepEqual(await emulator().launchers(image.imageId), [A], `${stays} stays`);
        assert.match(await project().preview(), /2 unchanged/);
        await nobodyIsLeft();
      }
    });

    it("H4: an account that one additive set drops and another one declares stays, and the report says who declares it", async () => {
      const more = { mode: "additive" };
      program(set("one", [A, B], more), set("two", [A], more));
      await project().up();
      program(set("one", [B], more), set("two", [A], more));
      assert.match(
        flat(await project().preview()),
        /= launch, createVolume \(stays: set "two" declares it\): account\/111122223333/,
      );
      await upKeeps([A, B]);
      // If the engine tells of the set that shrank first, it has an update in which nothing changes.
      assert.match(flat(await project().preview()), /3 unchanged|nothing changes, 2 keep access/);
      await emulator().forgetCalls();
      await project().up();
      assert.deepEqual(await emulator().modifications(), []);
      await nobodyIsLeft();
    });
  });

  it("waits as long as customTimeouts says, as the argument says where it does; they alone change nothing", async () => {
    const { imageId } = image;
    const declare = (customTimeouts: object, more: object = {}) =>
      writeProgram(
        project(),
        `new LaunchPermissionSet("golden", ${JSON.stringify({ imageId, accountIds: [A], ...more })}, ${JSON.stringify({ customTimeouts })});`,
      );
    declare({ create: "2s" });
    await emulator().configure({ staleReads: 1e6 });
    assert.match(
      flat((await project().fail("up", "--yes", "--skip-preview")).output),
      /does not show it after 2s; .*\[not-visible\]/,
    );
    declare({ create: "30m", update: "30m" }, { timeouts: { update: "3s" }, accountIds: [B] });
    assert.match(
      flat((await project().fail("up", "--yes", "--skip-preview")).output),
      /does not show it after 3s; .*\[not-visible\]/,
    );
    await emulator().configure({ staleReads: 0 });
    declare({ create: "30m" });
    await project().up();
    assert.deepEqual(await emulator().launchers(imageId), [A]);
    await emulator().forgetCalls();
    declare({ create: "20m", delete: "2s" });
    assert.match(await project().up(), /2 unchanged/);
    assert.deepEqual(await emulator().calls(), []);
    await emulator().configure({ staleReads: 1e6 });
    const { output } = await project().fail("destroy", "--yes", "--skip-preview");
    assert.match(flat(output), /after 2s; .*\[not-visible\]/);
  });
});
