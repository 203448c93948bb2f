/** What this package uses of the SDK to find credentials and a region in the environment and in the shared AWS files, and to repeat calls. */

export { fromNodeProviderChain, fromTemporaryCredentials } from "@aws-sdk/credential-providers";
export { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } from "@smithy/core/config";
export { StandardRetryStrategy } from "@smithy/core/retry";
