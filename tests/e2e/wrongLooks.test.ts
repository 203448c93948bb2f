/** Invalid arguments of the functions that only read: the CLI shows the error and nothing else. */

import * as assert from "node:assert/strict";
import { useEmulator } from "../helpers/emulator";
import { PulumiProject } from "../helpers/pulumiProject";

const WRONG = `imageId: "ami-1" is not an AMI id; write one such as ami-1234567890abcdef0 [invalid-argument]`;
const OWNER = `owner: "me" is neither "self" nor "others" [invalid-argument]`;
/** A value that Pulumi waits for before it evaluates later exports. */
const SLOW = "export const a = new Promise((done) => setTimeout(() => done(1), 500));";

const CASES: readonly { name: string; program: string; says: string }[] = [
  {
    name: "getAmiLaunchPermissions",
    program: `export const seen = getAmiLaunchPermissions({ imageId: "ami-1" });`,
    says: `getAmiLaunchPermissions: ${WRONG}`,
  },
  {
    name: "getAmiLaunchPermissions that is awaited",
    program: `export = async () => ({ seen: await getAmiLaunchPermissions({ imageId: "ami-1" }) });`,
    says: `getAmiLaunchPermissions: ${WRONG}`,
  },
  {
    name: "getAmiLaunchPermissions behind a slow export",
    program: `${SLOW} export const seen = getAmiLaunchPermissions({ imageId: "ami-1" });`,
    says: `getAmiLaunchPermissions: ${WRONG}`,
  },
  {
    name: "getAmiLaunchPermissions whose result nobody uses",
    program: `getAmiLaunchPermissions({ imageId: "ami-1" });`,
    says: `getAmiLaunchPermissions: ${WRONG}`,
  },
  {
    name: "getAmiLaunchPermissionsOutput, beside an output",
    program: `export const seen = getAmiLaunchPermissionsOutput({ imageId: "ami-1", region: output("us-east-1") });`,
    says: `getAmiLaunchPermissions: ${WRONG}`,
  },
  {
    name: "getSharedAmis",
    program: `export const seen = getSharedAmis({ owner: "me" } as never);`,
    says: `getSharedAmis: ${OWNER}`,
  },
  {
    name: "getSharedAmisOutput",
    program: `export const seen = getSharedAmisOutput({ owner: "me" } as never);`,
    says: `getSharedAmis: ${OWNER}`,
  },
];

describe("an invalid argument in a program that only reads", () => {
  const emulator = useEmulator();
  let project: PulumiProject;
  before(async () => {
    project = await PulumiProject.create(emulator(), { program: "" });
  });
  after(() => project.remove());

  for (const { name, program, says } of CASES)
    it(`of ${name}: its error is the only message`, async () => {
      project.program(
        `import { getAmiLaunchPermissions, getAmiLaunchPermissionsOutput, getSharedAmis, getSharedAmisOutput } from "ami-launch-permissions";
        import { output } from "@pulumi/pulumi";
        ${program}`,
      );
      const { output } = await project.fail("preview");
      const [, said = output] = /Diagnostics:\n +pulumi:pulumi:Stack \(\S+\):\n(.*?)\n\n/s.exec(output) ?? [];
      assert.equal(said.trim(), `error: ${says}`);
      assert.deepEqual(await emulator().calls(), []);
    });
});
