/** Secret lists of grantees in all places where they could show: components, sets of the same AMI without secrets, errors, and progress messages (P3). */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { useEmulator } from "../helpers/emulator";
import { installPulumiAwsStandIn } from "../helpers/pulumiAwsStandIn";
import { PulumiProject, type Ran } from "../helpers/pulumiProject";
import { EVENTS, requireHidden } from "../helpers/shownSecrets";

/** Secret account ids, and one that is not secret. */
const [FIRST, SECOND, THIRD, OPEN] = ["111122223333", "444455556666", "777788889999", "888899990000"] as const;
const ORGANIZATION = "arn:aws:organizations::222233334444:organization/o-secret1234";

/** Declares the sets in given.json, by name, each in a component. `secret` names the arguments that are secrets. */
const PROGRAM = `
  import * as fs from "fs";
  import * as pulumi from "@pulumi/pulumi";
  import * as ami from "ami-launch-permissions";

  class Team extends pulumi.ComponentResource {
    readonly grants: pulumi.Output<unknown>;
    constructor(name: string, type: string, args: any, opts: any) {
      super("test:index:Team", name, args);
      this.grants = new (ami as any)[type](name, args, { parent: this, ...opts }).grants;
      this.registerOutputs({ grants: this.grants, list: args.accountIds });
    }
  }

  const given = JSON.parse(fs.readFileSync("given.json", "utf8"));
  export const outputs: Record<string, unknown> = {};
  for (const [name, { type = "AmiLaunchPermissionSet", args, opts, secret = [] }] of Object.entries<any>(given)) {
    for (const key of secret) args[key] = pulumi.secret(args[key]);
    outputs[name] = new Team(\`team-\${name}\`, type, args, opts).grants;
  }
`;

interface Given {
  readonly type?: "SharedAmi";
  readonly args: Record<string, unknown>;
  readonly opts?: Record<string, unknown>;
  readonly secret?: readonly string[];
}

describe("secret lists of grantees (P3)", function () {
  this.timeout(900_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  let seen: string[];
  beforeEach(async () => {
    // The Automation API reads this event log. Users do not see it.
    const env = { AMI_LAUNCH_PERMISSIONS_SIGN_OF_LIFE_MS: "300", PULUMI_DEBUG_COMMANDS: "true" };
    project = await PulumiProject.create(emulator(), { program: PROGRAM, env });
    const plugins = path.join(project.folder, "plugins");
    installPulumiAwsStandIn(plugins);
    project.env.PATH = `${plugins}${path.delimiter}${project.env.PATH}`;
    seen = [];
  });
  afterEach(async () => {
    await emulator().configure({ staleReads: 0 });
    project.remove();
  });

  function given(sets: Record<string, Given>): void {
    fs.writeFileSync(path.join(project.folder, "given.json"), JSON.stringify(sets));
  }

  /** Runs a command. Its output is searched for secrets at the end. */
  async function ran(run: Promise<Ran>): Promise<string> {
    const { output } = await run;
    seen.push(output);
    return output.replace(/\s+/g, " ");
  }

  const up = (...args: string[]) => project.succeed("up", "--yes", "--skip-preview", "--diff", "--event-log", EVENTS, ...args);

  const nothingShows = (...secrets: string[]) => requireHidden(project, seen, secrets);

  it("of SharedAmi do not show, for existing AMIs and copies, in a component of the program", async () => {
    const [here, source] = await emulator().images([{ snapshots: 1 }, { snapshots: 1 }]);
    const lists = (accountIds: readonly string[]) => ({
      accountIds,
      organizationArns: [ORGANIZATION],
      createVolumePermissions: true,
    });
    const sets = (accountIds: readonly string[]): Record<string, Given> => ({
      existing: {
        type: "SharedAmi",
        args: { imageIds: { "us-east-1": here?.imageId }, ...lists(accountIds) },
        secret: ["accountIds", "organizationArns"],
      },
      copied: {
        type: "SharedAmi",
        args: {
          ...{ sourceImageId: source?.imageId, sourceRegion: "us-east-1", regions: ["us-east-1", "eu-west-1"] },
          ...lists(accountIds),
        },
        secret: ["accountIds", "organizationArns"],
      },
    });
    given(sets([FIRST, SECOND]));
    assert.match(await ran(project.succeed("preview", "--diff")), /grants ?: \[secret\]/);
    assert.match(await ran(up()), /AMI ami-\w+ in eu-west-1: 3 gained access/);
    for (const made of [here, source])
      assert.deepEqual(await emulator().launchers(String(made?.imageId)), [FIRST, SECOND, ORGANIZATION]);
    given(sets([FIRST, THIRD]));
    assert.match(await ran(project.succeed("preview", "--diff")), /in eu-west-1: 1 gains, 1 loses, 2 keep access/);
    await ran(project.succeed("preview", "--json"));
    await ran(up());
    await ran(project.succeed("refresh", "--yes", "--skip-preview", "--diff"));
    await nothingShows(FIRST, SECOND, THIRD, "o-secret1234");
    assert.match(await ran(project.succeed("destroy", "--yes", "--skip-preview", "--diff")), /was unshared: 3 lost access/);
    await nothingShows(FIRST, SECOND, THIRD, "o-secret1234");
  });

  it("do not show beside a set of the same AMI without secrets, whose grants and reports cover both", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const sets = (secretIds: readonly string[], openIds: readonly string[]): Record<string, Given> => ({
      hidden: { args: { imageId, mode: "additive", accountIds: secretIds }, secret: ["accountIds"] },
      open: { args: { imageId, accountIds: openIds } },
    });
    given({ hidden: sets([FIRST, SECOND], []).hidden as Given });
    await ran(up());
    given(sets([FIRST, SECOND], [OPEN]));
    const stays = /= launch \(stays: set "team-hidden" declares it\): 2 grantees/;
    assert.match(await ran(project.succeed("preview", "--diff")), stays);
    await ran(up());
    given(sets([FIRST, SECOND], [OPEN, THIRD]));
    assert.match(
      await ran(project.succeed("preview", "--diff")),
      /= launch \(stays: set "team-hidden" declares it\): 2 grantees/,
    );
    await ran(up());
    await ran(project.succeed("preview", "--diff", "--refresh"));
    await ran(project.succeed("refresh", "--yes", "--skip-preview", "--diff"));
    given({ hidden: sets([FIRST, SECOND], []).hidden as Given });
    assert.match(await ran(project.succeed("preview", "--diff")), /"team-open" is not declared any more/);
    await ran(up());
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND]);
    await nothingShows(FIRST, SECOND);
  });

  it("do not show in errors, or in messages about what the set waits for", async () => {
    const { imageId } = await emulator().image({ snapshots: 0, launchPermissions: [{ UserId: THIRD }] });
    const set = (accountIds: readonly string[], more: object = {}): Record<string, Given> => ({
      golden: { args: { imageId, accountIds, ...more }, secret: ["accountIds"] },
    });
    given(set([FIRST, SECOND], { unrecorded: "refuse" }));
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
      assert.match(await ran(project.fail(...command)), /1 grantee whom the state does not record: .*\[unrecorded-grants\]/);
    given(set([FIRST, SECOND], { maxRevocations: 0 }));
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]])
      assert.match(await ran(project.fail(...command)), /take access from 1 grantee .*\[too-many-revocations\]/);

    given(set([`${FIRST.slice(0, 4)}-${FIRST.slice(4, 8)}-${FIRST.slice(8)}`]));
    const wrong = await ran(project.fail("preview"));
    assert.match(wrong, /accountIds\[0\]: \S*\[secret\]\S* has dashes \[invalid-argument\]/);
    assert.doesNotMatch(wrong, /__secrets/);

    await emulator().configure({ staleReads: 1e6 });
    given(set([FIRST, SECOND], { timeouts: { create: "2s", update: "2s" } }));
    const waiting = await ran(project.fail("up", "--yes", "--skip-preview"));
    assert.match(waiting, /waiting for EC2 to show the change of AMI ami-\w+: not shown yet: \S*\[secret\] \(launch\)/);
    assert.match(waiting, /raise timeouts\.create and timeouts\.update \[not-visible\]/);
    await emulator().configure({ staleReads: 0 });
    await ran(up());

    // The recorded accounts are still secret, although the program's arguments are not.
    const open: Record<string, Given> = { golden: { args: { imageId, accountIds: [OPEN], maxRevocations: 0 } } };
    given(open);
    assert.match(await ran(project.fail("preview", "--diff")), /take access from 2 grantees .*\[too-many-revocations\]/);
    await nothingShows(FIRST, SECOND, THIRD);
  });

  it("that become secret later: the next up removes them from the outputs, and makes no call", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    const args = { imageId, accountIds: [FIRST, SECOND] };
    given({ golden: { args } });
    await project.up();
    given({ golden: { args, secret: ["accountIds"] } });
    await emulator().forgetCalls();
    await up();
    assert.deepEqual(await emulator().calls(), []);
    const exported = [await project.succeed("stack", "output", "--json"), await project.succeed("stack", "export")];
    for (const { output } of exported) for (const id of [FIRST, SECOND]) assert.ok(!output.includes(id), output);
    assert.match((await project.succeed("preview", "--diff")).output, /3 unchanged/);
  });

  it("with ignoreChanges stay secret, although the program has other values in plain text", async () => {
    const { imageId } = await emulator().image();
    given({ golden: { args: { imageId, accountIds: [FIRST, SECOND] }, secret: ["accountIds"] } });
    await ran(up());
    given({
      golden: { args: { imageId, accountIds: [FIRST], maxRevocations: 5 }, opts: { ignoreChanges: ["accountIds"] } },
    });
    await ran(project.succeed("preview", "--diff"));
    await ran(up());
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND]);
    await nothingShows(SECOND);
  });

  it("from the stack's config do not show, for one set and for several", async () => {
    const own = await PulumiProject.create(emulator());
    try {
      const images = await emulator().images([{ snapshots: 0 }, { snapshots: 0 }]);
      const [one, two] = images.map(({ imageId }) => imageId);
      const set = (secretOrNot: string, place: string, value: string | undefined) =>
        own.succeed("config", "set", secretOrNot, "--path", place, String(value));
      await set("--plaintext", "imageId", one);
      await set("--secret", "accountIds[0]", FIRST);
      await ran(own.succeed("preview", "--diff"));
      await ran(own.succeed("up", "--yes", "--skip-preview", "--diff"));
      assert.deepEqual(await emulator().launchers(String(one)), [FIRST]);

      for (const name of ["imageId", "accountIds"]) await own.succeed("config", "rm", name);
      await set("--plaintext", "sets[0].name", "golden");
      await set("--plaintext", "sets[0].imageId", two);
      await set("--secret", "sets[0].accountIds[0]", SECOND);
      await ran(own.succeed("preview", "--diff"));
      await ran(own.succeed("up", "--yes", "--skip-preview", "--diff"));
      assert.deepEqual(await emulator().launchers(String(two)), [SECOND]);
      for (const command of [
        ["stack", "output", "--json"],
        ["stack", "export"],
      ])
        await ran(own.succeed(...command));
      for (const text of seen) for (const id of [FIRST, SECOND]) assert.ok(!text.includes(id), `the output has ${id}:\n${text}`);
    } finally {
      own.remove();
    }
  });
});
