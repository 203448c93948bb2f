/** What policy packs and `preview --json` get from a set, although the display hides a part of it. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { useEmulator } from "../helpers/emulator";
import { fetchPackage } from "../helpers/packageCopy";
import { PulumiProject } from "../helpers/pulumiProject";

const [FIRST, SECOND, THIRD] = ["111122223333", "444455556666", "777788889999"];

/** Declares the set in given.json. */
const PROGRAM = `
  import * as fs from "fs";
  import { AmiLaunchPermissionSet } from "ami-launch-permissions";

  const { args, opts } = JSON.parse(fs.readFileSync("given.json", "utf8"));
  export const grants = new AmiLaunchPermissionSet("golden", args, opts).grants;
`;

/** Records its input, and refuses access for unknown accounts. */
const PACK = `
  const fs = require("fs");
  const path = require("path");
  const { PolicyPack } = require("@pulumi/policy");

  new PolicyPack("known-accounts", {
    policies: [
      {
        name: "known-accounts",
        description: "AMIs are shared with known accounts only.",
        enforcementLevel: "mandatory",
        validateResource: ({ type, props }, report) => {
          if (!type.endsWith(":AmiLaunchPermissionSet")) return;
          fs.writeFileSync(path.join(__dirname, "seen.json"), JSON.stringify(props));
          for (const grantee of Object.keys(props.grants)) if (grantee === "account/${THIRD}") report(grantee + " is not known");
        },
      },
    ],
  });
`;

/** Runs the pack in its folder, like the script that is part of Pulumi's CLI but not of the engine that set-up builds. */
const LAUNCHER = `#!/bin/sh
cd "$(dirname "$0")" && exec node node_modules/@pulumi/pulumi/cmd/run-policy-pack "$1" .
`;

describe("policy packs and preview --json (P1)", function () {
  this.timeout(600_000);
  const emulator = useEmulator();
  let project: PulumiProject;
  let pack: string;
  before(async () => {
    const nodeModules = await fetchPackage("@pulumi/policy", "1.21.0");
    pack = fs.mkdtempSync(path.join(os.tmpdir(), "ami-policy-"));
    fs.writeFileSync(path.join(pack, "PulumiPolicy.yaml"), "runtime: nodejs\n");
    fs.writeFileSync(path.join(pack, "package.json"), '{ "name": "known-accounts", "version": "1.0.0", "main": "index.js" }');
    fs.writeFileSync(path.join(pack, "index.js"), PACK);
    fs.symlinkSync(nodeModules, path.join(pack, "node_modules"));
    fs.writeFileSync(path.join(pack, "run"), LAUNCHER, { mode: 0o755 });
    project = await PulumiProject.create(emulator(), { program: PROGRAM });
  });
  after(() => {
    project.remove();
    fs.rmSync(pack, { recursive: true, force: true });
  });

  function given(args: object, opts: object = {}): void {
    fs.writeFileSync(path.join(project.folder, "given.json"), JSON.stringify({ args, opts }));
  }

  function seen(): Record<string, unknown> {
    const file = path.join(pack, "seen.json");
    const props = JSON.parse(fs.readFileSync(file, "utf8"));
    fs.rmSync(file);
    return props;
  }

  it("see every list and the grants, with the set's own hideDiffs and with more in the program", async () => {
    const { imageId } = await emulator().image({ snapshots: 1 });
    const args = { imageId, neverRevoke: [FIRST], createVolumePermissions: { accountIds: [FIRST] } };
    given({ ...args, accountIds: [FIRST] });
    await project.up("--policy-pack", path.join(pack, "run"));
    for (const opts of [{}, { hideDiffs: ["grants", "mode"] }]) {
      const changed = { ...args, accountIds: [FIRST, SECOND], mode: "additive" };
      given(changed, opts);
      const { output } = await project.succeed("preview", "--diff", "--policy-pack", path.join(pack, "run"));
      assert.match(output, /~ accountIds +\(hidden\)/);
      const { grants, ...props } = seen();
      for (const [name, value] of Object.entries(changed)) assert.deepEqual(props[name], value, name);
      const words = { [`account/${FIRST}`]: "launch, createVolume", [`account/${SECOND}`]: "launch" };
      assert.deepEqual(grants, words);
      const { steps } = JSON.parse((await project.succeed("preview", "--json")).stdout);
      const { newState } = steps.find(({ op }: { op: string }) => op === "update");
      assert.deepEqual(newState.inputs.grants, words);
      assert.deepEqual(newState.inputs.accountIds, [FIRST, SECOND]);
    }
    given({ ...args, accountIds: [FIRST, THIRD] });
    const { output } = await project.fail("preview", "--diff", "--policy-pack", path.join(pack, "run"));
    assert.match(output, new RegExp(`account/${THIRD} is not known`));
    await emulator().forgetCalls();
    await project.fail("up", "--yes", "--skip-preview", "--policy-pack", path.join(pack, "run"));
    assert.deepEqual(await emulator().modifications(), [], "the engine changes nothing that the pack forbids");
  });
});
