/** What this package uses of the KMS client. */

export {
  CreateGrantCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  type KMSClientConfig,
  ListGrantsCommand,
  RevokeGrantCommand,
} from "@aws-sdk/client-kms";
