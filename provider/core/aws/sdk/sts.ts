/** What this package uses of the STS client. */

export { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
