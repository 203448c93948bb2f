/** Shares a golden image, and its snapshots, with the accounts that the environment names. */

import { AmiLaunchPermissionSet, AmiProvider } from "ami-launch-permissions/cdktf";
import { App, TerraformOutput, TerraformStack } from "cdktf";
import type { Construct } from "constructs";

class GoldenImage extends TerraformStack {
  constructor(scope: Construct, id: string) {
    super(scope, id);
    // Region and credentials come from where the AWS CLI has them, too.
    new AmiProvider(this, "ami");
    const golden = new AmiLaunchPermissionSet(this, "golden", {
      imageId: environment("IMAGE_ID"),
      accountIds: environment("ACCOUNT_IDS").split(","),
      // The snapshots, too, all of them for the same accounts: an account that copies the AMI needs them.
      createVolumePermissions: {},
      // No change of the list may take access from more than this many accounts.
      maxRevocations: 5,
      // A new AMI is shared before the old one is unshared.
      lifecycle: { createBeforeDestroy: true },
    });
    // Grantee → permissions.
    new TerraformOutput(this, "grants", { value: golden.grants });
  }
}

function environment(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}

const app = new App();
new GoldenImage(app, "golden-image");
app.synth();
