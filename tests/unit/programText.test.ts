/** The program text for adopting an AMI: it matches the AMI, and contains only what one set can declare. */

import * as assert from "node:assert/strict";
import * as ts from "typescript";
import { programText } from "../../provider/cli/programText";
import { declaredGrants, decodeDeclaredSet, describePermissions } from "../../provider/core";
import { MemoryGateway } from "../helpers/memoryGateway";

const [A, B] = ["account/111122223333", "account/012345678901"];
const ORGANIZATION = "arn:aws:organizations::111122223333:organization/o-abcde12345";
const UNIT = "arn:aws:organizations::111122223333:ou/o-abcde12345/ou-ab12-cdefgh34";

/** The program text for an AMI with these grantees, and its permissions. */
async function textOf(launch: readonly string[], ...volumes: readonly (readonly string[])[]) {
  const ec2 = new MemoryGateway();
  const { imageId, snapshotIds } = ec2.addImage(volumes.length);
  for (const key of launch) ec2.grantees(imageId).add(key);
  volumes.forEach((keys, i) => {
    for (const key of keys) ec2.grantees(snapshotIds[i] as string).add(key);
  });
  const permissions = await describePermissions(ec2, imageId);
  return { text: programText(permissions), permissions };
}

/** The arguments that a program's text passes to the set. */
function argumentsIn(text: string): Record<string, unknown> {
  const { outputText } = ts.transpileModule(text, { compilerOptions: { module: ts.ModuleKind.CommonJS } });
  let made: Record<string, unknown> | undefined;
  class AmiLaunchPermissionSet {
    constructor(_name: string, args: Record<string, unknown>) {
      made = args;
    }
  }
  new Function("require", "exports", outputText)(() => ({ AmiLaunchPermissionSet }), {});
  return made ?? assert.fail("the program declares no set");
}

describe("the program for a shared AMI", () => {
  it("looks as if a person wrote it", async () => {
    const { text } = await textOf([A, B, ORGANIZATION], [A, B], [A, B]);
    assert.equal(
      text,
      `import { AmiLaunchPermissionSet } from "ami-launch-permissions";

// AMI ami-00000000000000001 (model) as it is shared now.
export const set = new AmiLaunchPermissionSet("model", {
  imageId: "ami-00000000000000001",
  region: "us-east-1",
  accountIds: [
    "012345678901",
    "111122223333",
  ],
  organizationArns: ["${ORGANIZATION}"],
  createVolumePermissions: true,
});`,
    );
  });

  const cases: readonly { name: string; given: Parameters<typeof textOf> }[] = [
    { name: "nobody", given: [[], [], []] },
    { name: "no snapshots", given: [[A]] },
    {
      name: "everybody, and the snapshots",
      given: [
        ["public", A],
        ["public", A],
      ],
    },
    { name: "units, and other accounts on the snapshots", given: [[UNIT], [B], [B]] },
    { name: "one of two snapshots", given: [[A], [], [A]] },
    { name: "volumes for everybody only", given: [[], ["public"]] },
  ];
  for (const { name, given } of cases)
    it(`${name}: declares the grants that EC2 has`, async () => {
      const { text, permissions } = await textOf(...given);
      const decoded = decodeDeclaredSet(argumentsIn(text));
      assert.ok("declared" in decoded, JSON.stringify(decoded));
      const grants = Object.fromEntries(Object.entries(permissions.grants).filter(([, words]) => words !== ""));
      assert.deepEqual(declaredGrants(decoded.declared), grants);
    });

  it("has comments for what it cannot declare: snapshots with different grantees, and AWS Marketplace", async () => {
    const { text } = await textOf([A, "user/aws-marketplace"], [A], [B, "public"]);
    assert.match(text, /^\/\/ Also shared with aws-marketplace, which no set grants or revokes\.$/m);
    assert.match(text, /^\/\/ Its snapshots are shared differently.*shows this first:$/m);
    assert.match(text, /^\/\/ {3}snap-\w+: 111122223333$/m);
    assert.match(text, /^\/\/ {3}snap-\w+: 012345678901, everybody$/m);
    assert.deepEqual(argumentsIn(text), {
      imageId: "ami-00000000000000001",
      region: "us-east-1",
      accountIds: ["111122223333"],
    });
  });

  it("writes no value from outside as code", async () => {
    const { permissions } = await textOf([A]);
    const name = 'x"); process.exit(1); // \n`1`';
    const text = programText({ ...permissions, name }, { profile: 'a"b' });
    assert.equal(argumentsIn(text).profile, 'a"b');
    assert.match(text, /new AmiLaunchPermissionSet\("x-process-exit-1-1", \{/);
  });
});
