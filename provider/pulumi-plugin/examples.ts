/** The example of a set in each language, as Pulumi's registry and the generated SDKs show it; no behaviour. */

import { GO_PACKAGE } from "./names";

const TYPESCRIPT = `import { LaunchPermissionSet } from "@ami-launch-permissions/pulumi";

const golden = new LaunchPermissionSet("golden", {
    imageId: "ami-0123456789abcdef0",
    accountIds: ["111122223333", "444455556666"],
    createVolumePermissions: true,
});
export const grants = golden.grants;`;

const PYTHON = `import pulumi
import pulumi_ami_launch_permissions as ami

golden = ami.LaunchPermissionSet("golden",
    image_id="ami-0123456789abcdef0",
    account_ids=["111122223333", "444455556666"],
    create_volume_permissions=True)
pulumi.export("grants", golden.grants)`;

const GO = `package main

import (
	ami "${GO_PACKAGE}"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		golden, err := ami.NewLaunchPermissionSet(ctx, "golden", &ami.LaunchPermissionSetArgs{
			ImageId:                 pulumi.String("ami-0123456789abcdef0"),
			AccountIds:              pulumi.StringArray{pulumi.String("111122223333"), pulumi.String("444455556666")},
			CreateVolumePermissions: pulumi.Bool(true),
		})
		if err != nil {
			return err
		}
		ctx.Export("grants", golden.Grants)
		return nil
	})
}`;

const CSHARP = `using System.Collections.Generic;
using Pulumi;
using Pulumi.AmiLaunchPermissions;

return await Deployment.RunAsync(() =>
{
    var golden = new LaunchPermissionSet("golden", new()
    {
        ImageId = "ami-0123456789abcdef0",
        AccountIds = new[] { "111122223333", "444455556666" },
        CreateVolumePermissions = true,
    });
    return new Dictionary<string, object?> { ["grants"] = golden.Grants };
});`;

const JAVA = `package example;

import com.pulumi.Pulumi;
import com.pulumi.amilaunchpermissions.LaunchPermissionSet;
import com.pulumi.amilaunchpermissions.LaunchPermissionSetArgs;
import com.pulumi.core.Either;

public class App {
    public static void main(String[] args) {
        Pulumi.run(ctx -> {
            var golden = new LaunchPermissionSet("golden", LaunchPermissionSetArgs.builder()
                .imageId("ami-0123456789abcdef0")
                .accountIds("111122223333", "444455556666")
                .createVolumePermissions(Either.ofRight(true))
                .build());
            ctx.export("grants", golden.grants());
        });
    }
}`;

const YAML = `resources:
  golden:
    type: ami-launch-permissions:LaunchPermissionSet
    properties:
      imageId: ami-0123456789abcdef0
      accountIds: ["111122223333", "444455556666"]
      createVolumePermissions: true
outputs:
  grants: \${golden.grants}`;

/** The programs, by language. */
export const BLOCKS = { typescript: TYPESCRIPT, python: PYTHON, go: GO, csharp: CSHARP, java: JAVA, yaml: YAML };

/** In the form that SDK generators pick each language's block from. */
export const EXAMPLES = `{{% examples %}}
## Example Usage

{{% example %}}
### Share an AMI and its snapshots with two accounts

${Object.entries(BLOCKS)
  .map(([language, text]) => `\`\`\`${language}\n${text}\n\`\`\``)
  .join("\n")}

{{% /example %}}
{{% /examples %}}

## Import

An AMI that is shared already is imported by its id, or with its region in front:

\`\`\`sh
pulumi import ami-launch-permissions:index:LaunchPermissionSet golden ami-0123456789abcdef0
pulumi import ami-launch-permissions:index:LaunchPermissionSet golden eu-west-1/ami-0123456789abcdef0
\`\`\``;
