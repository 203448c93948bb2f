/** The exact text of previews and reports: only changes are marked, everybody who loses access is named, the order is right, and there are no secrets. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject, type Ran, reportsIn } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD, FOURTH] = ["111122223333", "444455556666", "777788889999", "888899990000"] as const;

/** Declares the sets in given.json, by name. `secret` names the arguments that are secrets, completely or only in their first element. */
const PROGRAM = `
  import * as fs from "fs";
  import * as pulumi from "@pulumi/pulumi";
  import * as ami from "ami-launch-permissions";

  const first = (value: any) => (Array.isArray(value) ? [pulumi.secret(value[0]), ...value.slice(1)] : value);
  const given = JSON.parse(fs.readFileSync("given.json", "utf8"));
  export const outputs: Record<string, unknown> = {};
  for (const [name, { type = "AmiLaunchPermissionSet", args, opts, secret = [], firstSecret = [] }] of Object.entries<any>(given)) {
    for (const key of secret) args[key] = pulumi.secret(args[key]);
    for (const key of firstSecret) args[key] = first(args[key]);
    outputs[name] = new (ami as any)[type](name, args, opts).grants;
  }
`;

interface Given {
  readonly type?: "SharedAmi";
  readonly args: Record<string, unknown>;
  readonly opts?: Record<string, unknown>;
  readonly secret?: readonly string[];
  readonly firstSecret?: readonly string[];
}

function accounts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(300000000000 + i));
}

/** The lines of a preview that are marked as changed, without resource headings, reports and stack outputs. */
function changedLines(preview: string): string[] {
  const [resources = ""] = preview.split("--outputs:--");
  return (
    resources
      .split("\n")
      .map((line) => line.trim().replace(/\s+/g, " ").replace(" : ", ": "))
      .filter((line) => /^[-+~] /.test(line) && !/pulumi-nodejs:|pulumi:pulumi:/.test(line))
      // Lines of the report.
      .filter((line) => !/^[-+] (launch|createVolume)\b/.test(line))
      .filter((line) => !/^[-+~] \d+ (to|unchanged|created|updated)/.test(line))
  );
}

function flat(text: string): string {
  return text.replace(/\s+/g, " ");
}

describe("exact previews", function () {
  this.timeout(300_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  beforeEach(async () => {
    project = await PulumiProject.create(emulator(), { program: PROGRAM });
  });
  afterEach(() => project.remove());

  function given(sets: Record<string, Given>): void {
    fs.writeFileSync(path.join(project.folder, "given.json"), JSON.stringify(sets));
  }

  async function byHand(imageId: string, launchPermission: string): Promise<void> {
    await emulator().aws("ec2", "modify-image-attribute", "--image-id", imageId, "--launch-permission", launchPermission);
  }

  it("mark only what changes, with 1,000 accounts: update, drift, replacement (P1)", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const all = accounts(1000);
    const without = all.filter((_, i) => i !== 3);
    const [gone, left] = [all[3], all[5]] as [string, string];
    given({ golden: { args: { imageId, accountIds: all, neverRevoke: [all[0], all[1]], createVolumePermissions: true } } });
    await project.up();

    given({
      golden: { args: { imageId, accountIds: without, neverRevoke: [all[0], all[1]], createVolumePermissions: true } },
    });
    const minus = `- account/${gone}: "launch, createVolume"`;
    assert.deepEqual(changedLines(await project.preview()), ["~ accountIds (hidden)", "~ grants: {", minus]);

    await byHand(imageId, `Remove=[{UserId=${left}}]`);
    const [, drift = "", update = ""] = (await project.preview("--refresh")).split(
      /AmiLaunchPermissionSet: \((?:refresh|update)\)/,
    );
    assert.deepEqual(changedLines(drift.replace("--outputs:--", "")), [
      "~ grants: {",
      `~ account/${left}: "launch, createVolume" => "createVolume"`,
    ]);
    assert.deepEqual(changedLines(update), [
      "~ accountIds (hidden)",
      "~ grants: {",
      minus,
      `~ account/${left}: "createVolume" => "launch, createVolume"`,
    ]);

    const newer = await emulator().image({ snapshots: 1 });
    given({
      golden: { args: { imageId: newer.imageId, accountIds: without, createVolumePermissions: { accountIds: without } } },
    });
    // The owner and the snapshots of the new AMI are not known before EC2 is read.
    assert.deepEqual(
      changedLines(await project.preview()).filter(
        (line) => !line.includes(imageId) && !/^- (ownerId|snapshotIds|\[0\]: "snap-)/.test(line),
      ),
      ["~ accountIds (hidden)", "~ createVolumePermissions (hidden)", "~ neverRevoke (hidden)", "~ grants: {", minus],
    );
  });

  it("mark only what changes in SharedAmi, and keep the program's own hideDiffs (P1)", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const all = accounts(60);
    const shared = (accountIds: string[]): Given => ({
      type: "SharedAmi",
      args: { imageIds: { "us-east-1": imageId }, accountIds },
    });
    given({ golden: shared(all) });
    await project.up();
    given({ golden: shared(all.slice(1)) });
    assert.deepEqual(changedLines(await project.preview()), [
      "~ accountIds (hidden)",
      "~ grants: {",
      `- account/${all[0]}: "launch"`,
    ]);
    await project.destroy();

    given({ golden: { args: { imageId, accountIds: all, mode: "authoritative" } } });
    await project.up();
    const opts = { hideDiffs: ["mode"] };
    given({ golden: { args: { imageId, accountIds: all.slice(1), neverRevoke: [all[2]], mode: "additive" }, opts } });
    const preview = await project.preview();
    assert.deepEqual(changedLines(preview), [
      "~ accountIds (hidden)",
      "~ mode (hidden)",
      "~ neverRevoke (hidden)",
      "~ grants: {",
      `- account/${all[0]}: "launch"`,
    ]);
    assert.match(preview, new RegExp(`neverRevoke, new: ${all[2]}`), "the report explains what the grants cannot show");
    const { stdout } = await project.succeed("preview", "--json");
    const steps: { op: string; newState: { inputs: { accountIds: string[] } } }[] = JSON.parse(stdout).steps;
    assert.deepEqual(steps.find(({ op }) => op === "update")?.newState.inputs.accountIds, all.slice(1));
  });

  it('use the arguments that ignoreChanges leaves; grants cannot be ignored alone, but "*" works (P1, P10)', async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    given({ golden: { args: { imageId, accountIds: [FIRST, SECOND] } } });
    await project.up();
    given({ golden: { args: { imageId, accountIds: [FIRST], checkUsage: false }, opts: { ignoreChanges: ["accountIds"] } } });
    const ignoring = await project.preview();
    assert.deepEqual(changedLines(ignoring), ["+ checkUsage: false"]);
    assert.match(ignoring, /in us-east-1: nothing changes, 2 keep access/);

    for (const ignored of ["grants", `grants["account/${FIRST}"]`, '["grants"]']) {
      given({ golden: { args: { imageId, accountIds: [FIRST, SECOND] }, opts: { ignoreChanges: [ignored] } } });
      const { output } = await project.fail("preview");
      assert.match(output, /set "golden": ignoreChanges names .*grants.* set mode to "additive"/);
      assert.doesNotMatch(output, /no argument "grants"|<nil>/);
    }
    await byHand(imageId, `Add=[{UserId=${THIRD}}]`);
    given({ golden: { args: { imageId, accountIds: [FIRST] }, opts: { ignoreChanges: ["*"] } } });
    assert.match(await project.up("--refresh"), /2 unchanged/);
    assert.deepEqual(await emulator().launchers(imageId), [FIRST, SECOND, THIRD]);
  });

  it("keep secrets in previews, reports, outputs, state and errors (P3)", async () => {
    const images = await emulator().images(Array.from({ length: 3 }, () => ({ snapshots: 1 })));
    const [whole, part, other] = images.map(({ imageId }) => imageId) as [string, string, string];
    const organization = "arn:aws:organizations::222233334444:organization/o-secret1234";
    const seen: string[] = [];
    const ran = async (run: Promise<Ran>) => {
      const { output } = await run;
      seen.push(output);
      return output;
    };
    const sets = (accountIds: readonly string[], imageId = whole): Record<string, Given> => ({
      whole: {
        args: { imageId, accountIds, organizationArns: [organization], createVolumePermissions: true },
        secret: ["accountIds", "organizationArns"],
      },
      part: { args: { imageId: part, accountIds, neverRevoke: [FIRST] }, firstSecret: ["accountIds"], secret: ["neverRevoke"] },
    });
    given(sets([FIRST, SECOND]));
    assert.match(await ran(project.succeed("preview", "--diff")), /grants +: \[secret\]/);
    await ran(project.succeed("up", "--yes", "--skip-preview", "--diff"));
    assert.deepEqual(await emulator().launchers(part), [FIRST, SECOND]);
    await ran(project.succeed("stack", "output", "--json"));

    await byHand(whole, `Remove=[{UserId=${FIRST}}]`);
    given(sets([FIRST, THIRD]));
    const update = flat(await ran(project.succeed("preview", "--diff", "--refresh")));
    assert.match(update, /2 gain, 1 loses, \d keeps? access \+ launch, createVolume \(new\): 1 grantee/);
    assert.match(update, /- launch, createVolume \(granted by this set\): 1 grantee/);
    await ran(project.succeed("preview", "--json"));
    await ran(project.succeed("refresh", "--yes", "--skip-preview", "--diff"));
    await ran(project.succeed("stack", "export"));
    await emulator().configure({ deny: ["ec2:ModifyImageAttribute"] });
    await ran(project.fail("up", "--yes", "--skip-preview"));
    await ran(project.succeed("stack", "export"));
    await emulator().configure({ deny: [] });
    assert.match(flat(await ran(project.succeed("up", "--yes", "--skip-preview", "--diff"))), /gained?.* access/);

    given(sets(["9999000011112", "8888777766665"]));
    assert.match(await ran(project.fail("preview")), /set "whole": accountIds\[0\]: "\[secret\]" has 13 digits/);
    given({ whole: sets(["9999000011112"]).whole as Given });
    assert.match(await ran(project.fail("preview")), /accountIds\[0\]: "\[secret\]" has 13 digits/);
    given({ whole: { ...sets([FIRST]).whole, args: { ...sets([FIRST]).whole?.args, maxRevocations: 0 } } });
    await ran(project.fail("preview", "--diff"));

    given({ whole: sets([FIRST, FOURTH], other).whole as Given });
    assert.match(flat(await ran(project.succeed("preview", "--diff"))), /then AMI .* is unshared: 3 lose access/);
    await ran(project.succeed("up", "--yes", "--skip-preview", "--diff"));
    await ran(project.succeed("stack", "export"));
    await ran(project.succeed("destroy", "--yes", "--skip-preview", "--diff"));
    const files = fs
      .readdirSync(project.folder, { recursive: true, encoding: "utf8", withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.pulumi/.test(entry.parentPath));
    assert.ok(files.length > 0);
    seen.push(...files.map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name), "utf8")));
    for (const text of seen)
      for (const secret of [FIRST, THIRD, FOURTH, "9999000011112", "8888777766665", "o-secret1234"])
        assert.ok(!text.includes(secret), `the output has ${secret}:\n${text}`);
    // SECOND is not secret beside a secret element, but the engine makes the whole list secret.
    for (const text of seen) assert.ok(!text.includes(SECOND), `the output has ${SECOND}:\n${text}`);
  });

  it("report each set with invalid arguments, except ignored ones (ignoreChanges), and change nothing (P4)", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    const fine = { imageId, accountIds: [FIRST], mode: "additive" };
    const all = { args: { imageId, mode: "additive", acountIds: "1234" }, opts: { ignoreChanges: ["*"] } };
    given({ ignored: { args: fine }, all: { args: fine } });
    await project.up();
    await emulator().forgetCalls();
    // The engine uses the recorded value.
    const ignored = { args: { ...fine, accountIds: ["1234"] }, opts: { ignoreChanges: ["accountIds"] } };
    given({ ignored, all });
    assert.match(await project.preview(), /3 unchanged/);
    given({
      ignored,
      all,
      fine: { args: { imageId, accountIds: [FIRST], mode: "additive" } },
      short: { args: { imageId: "ami-0123456789abcdef0", accountIds: ["1234"] } },
      dashes: { args: { imageId: "ami-0123456789abcdef1", accountIds: ["1111-2222-3333"] } },
      name: { args: { imageId: "ami-0123456789abcdef2", accountIDs: [FIRST] } },
      beside: {
        args: { imageId: "ami-0123456789abcdef3", accountIds: ["12345"], mode: "additiv" },
        opts: { ignoreChanges: ["mode", 'createVolumePermissions["accountIds"]'] },
      },
    });
    for (const command of [["preview"], ["up", "--yes", "--skip-preview"]]) {
      const { output } = await project.fail(...command);
      assert.match(output, /error: set "short": accountIds\[0\]: "1234" has 4 digits/);
      assert.match(output, /error: set "dashes": accountIds\[0\]: "1111-2222-3333" has dashes/);
      assert.match(output, /error: set "name": accountIDs: there is no argument "accountIDs"/);
      assert.match(output, /error: set "beside": accountIds\[0\]: "12345" has 5 digits/);
      assert.match(output, /error: 4 sets have wrong arguments, as their errors say; nothing was changed/);
      assert.doesNotMatch(output, /set "(ignored|all|fine)"|additiv"|at refuseWrongSets|promises were still active/);
    }
    assert.deepEqual(await emulator().modifications(), []);
  });

  it("show the order of a replacement, and what retainOnDelete keeps (P5, P9)", async () => {
    const images = await emulator().images(Array.from({ length: 3 }, () => ({ snapshots: 0 })));
    const [older, newer, newest] = images.map(({ imageId }) => imageId) as [string, string, string];
    const set = (imageId: string, opts: Record<string, unknown>) =>
      given({ golden: { args: { imageId, accountIds: [FIRST, SECOND] }, opts } });
    set(older, {});
    await project.up();
    // If the new AMI does not exist, nobody loses access in the engine's default order. With deleteBeforeReplace, everybody is unshared first.
    set("ami-00000000000000000", { deleteBeforeReplace: true });
    assert.match((await project.fail("preview")).output, /will fail: there is no AMI ami-00000000000000000 .*/);
    set("ami-00000000000000000", {});
    assert.match(await project.preview(), /will fail: there is no AMI ami-00000000000000000 .*/);
    set(newer, { deleteBeforeReplace: true });
    const first = flat(await project.preview());
    const lose = `first AMI ${older}, whose set is replaced, is unshared: 2 lose access to it, as recorded - launch (granted by this set; 2): account/${FIRST}, account/${SECOND}`;
    assert.ok(first.includes(lose), first);
    assert.ok(first.indexOf(lose) < first.indexOf(`AMI ${newer} in us-east-1: 2 gain access`), "the order is the engine's");
    assert.doesNotMatch(first, /then AMI/);
    await emulator().forgetCalls();
    const up = flat(await project.up());
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${older}`, `ModifyImageAttribute ${newer}`]);
    assert.ok(up.includes(`AMI ${older} was unshared: 2 lost access to it, as recorded - launch (granted by this set; 2)`), up);

    set(newer, { retainOnDelete: true });
    await project.up();
    set(newest, { retainOnDelete: true });
    const kept = flat(await project.preview());
    assert.ok(kept.includes(`then AMI ${newer}, whose set is replaced, stays shared: retainOnDelete.`), kept);
    assert.match(kept, /If no up before this one had that option: then AMI .* is unshared: 2 lose access/);
    assert.doesNotMatch(flat(await project.up()), /was unshared/);
    assert.deepEqual(await emulator().launchers(newer), [FIRST, SECOND]);

    // The program cannot see options of sets that it does not declare any more, or that come from a parent.
    given({ other: { args: { imageId: older, accountIds: [] } } });
    assert.match(flat(await project.preview()), /note: if the last up recorded retainOnDelete for it, everybody keeps access/);
    await project.up();
    assert.deepEqual(await emulator().launchers(newest), [FIRST, SECOND]);
  });

  it("report drift that a refresh found as drifted, until it is corrected (P6)", async () => {
    const { imageId } = await emulator().image({ snapshots: 0 });
    given({ golden: { args: { imageId, accountIds: [FIRST, SECOND] } } });
    await project.up();
    await byHand(imageId, `Remove=[{UserId=${FIRST}}]`);
    await project.refresh();
    await project.refresh();
    given({ golden: { args: { imageId, accountIds: [FIRST, SECOND, THIRD] } } });
    const lines = [`  + launch (new): account/${THIRD}`, `  + launch (drifted: taken away outside this set): account/${FIRST}`];
    assert.deepEqual(reportsIn(await project.preview()).slice(1, 3), lines);
    assert.deepEqual(reportsIn(await project.up()).slice(1, 3), lines);

    given({ golden: { args: { imageId, accountIds: [SECOND] } } });
    await project.up();
    given({ golden: { args: { imageId, accountIds: [FIRST, SECOND] } } });
    assert.match(
      flat(await project.preview()),
      new RegExp(`\\+ launch \\(new\\): account/${FIRST}`),
      "the grant counts as new again",
    );
  });

  it("name everybody who loses access, before and after: update, replacement, removal and reset (P8)", async () => {
    const elsewhere = accounts(60);
    const launchPermissions = elsewhere.map((UserId) => ({ UserId }));
    const [image, next] = await emulator().images([{ snapshots: 0, launchPermissions }, { snapshots: 0 }]);
    const [imageId, nextId] = [String(image?.imageId), String(next?.imageId)];
    const namesAll = (output: string, what: string, ids = elsewhere) => {
      for (const id of ids) assert.ok(output.includes(id), `${what}: ${id}\n${output}`);
    };
    given({ golden: { args: { imageId, accountIds: [FIRST] } } });
    namesAll(await project.preview(), "preview");
    namesAll(await project.up(), "up");

    given({ golden: { args: { imageId, accountIds: elsewhere } } });
    assert.match(flat(await project.up()), /and 50 more/, "a list of gaining grantees may be shortened");
    given({ golden: { args: { imageId: nextId, accountIds: [FIRST] } } });
    const replacing = await project.succeed("preview");
    namesAll(replacing.output, "replacement, preview");
    namesAll((await project.succeed("up", "--yes", "--skip-preview")).output, "replacement");

    given({ golden: { args: { imageId: nextId, accountIds: [FIRST], mode: "additive", onDelete: "reset" } } });
    await project.up();
    await byHand(nextId, `Add=[${elsewhere.map((id) => `{UserId=${id}}`).join(",")}]`);
    given({ other: { args: { imageId, accountIds: [] } } });
    namesAll((await project.succeed("preview")).output, "departure, preview");
    const reset = (await project.succeed("up", "--yes", "--skip-preview")).output;
    namesAll(reset, "reset");
    assert.match(flat(reset), /lost every grant, those set elsewhere too \(onDelete: reset\)/);
    assert.deepEqual(await emulator().launchers(nextId), []);
  });
});
