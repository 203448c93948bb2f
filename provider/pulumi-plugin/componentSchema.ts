/** The component SharedAmi in the schema: what it has besides the arguments of a set; no behaviour. */

import { OUTPUTS } from "../core";
import { PACKAGE } from "./names";

type Typed = Readonly<Record<string, unknown>>;

const STRING = { type: "string" } as const;
const BY_REGION = { type: "object", additionalProperties: STRING } as const;
const COPY = `${PACKAGE}:index:SharedAmiCopy`;

/** The types of its arguments that are objects. */
export const COMPONENT_TYPES: Readonly<Record<string, Typed>> = {
  [COPY]: {
    type: "object",
    description: "How the copies of an AMI are made. If a field is absent, the default of EC2 applies.",
    properties: {
      name: {
        ...STRING,
        description:
          "The name of every copy. Default: the name of the component, the region and a random suffix. The suffix lets a new copy exist before the old one is deleted. If you set a name, use a different one for each source AMI.",
      },
      description: { ...STRING, description: "The description of every copy. Default: EC2's, which names the source." },
      encrypted: {
        type: "boolean",
        description:
          "Encrypts the copies of an unencrypted AMI under the default EBS key of each region. That key must be a customer managed one, because an AMI under the AWS managed key cannot be shared. Default: as the source; `true` with `kmsKeyIds`.",
      },
      kmsKeyIds: {
        ...BY_REGION,
        description:
          "The customer managed key of the copy in each region that is copied to: region → ARN. The regions must be known in previews. Default: none.",
      },
      tags: { ...BY_REGION, description: "Tags of the copies. The tags of the source are not copied. Default: none." },
    },
  },
};

const ARGUMENTS: Readonly<Record<string, Typed>> = {
  imageIds: {
    ...BY_REGION,
    description: "AMIs that exist: region → AMI id. The regions must be known in previews. The ids need not.",
  },
  sourceImageId: {
    ...STRING,
    description:
      "The AMI to copy, with `sourceRegion` and `regions`. If it changes, new copies are made and shared before the old ones are unshared.",
  },
  sourceRegion: { ...STRING, plain: true, description: "The region of the source AMI." },
  regions: {
    type: "array",
    items: STRING,
    plain: true,
    description:
      "The regions to share the AMI in. The AMI is copied to each of them. If the source region is in the list, the source itself is shared there; if not, the source is not changed.",
  },
  copy: { $ref: `#/types/${COPY}`, description: "How the copies are made." },
};

const DESCRIPTION =
  "An AMI that is shared with the same grantees in many regions. With `imageIds`, the AMIs exist. Otherwise the component makes copies with `aws.ec2.AmiCopy` of the `aws` package 7. The copies use the provider `aws` in the options of the component, or the default one.";

/** @param permissions the arguments of a set that all regions have in common */
export function componentSchema(permissions: Readonly<Record<string, Typed>>): Typed {
  return {
    isComponent: true,
    description: DESCRIPTION,
    inputProperties: { ...ARGUMENTS, ...permissions },
    properties: {
      imageIds: { ...BY_REGION, description: "Region → the AMI that is shared there." },
      grants: {
        type: "object",
        additionalProperties: { type: "object", additionalProperties: STRING },
        description: `By region: ${OUTPUTS.grants.text}`,
      },
    },
    required: ["imageIds", "grants"],
  };
}
