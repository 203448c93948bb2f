/** What AWS is asked and answers: the gateway that the rest talks to, the clients behind it, connections, and errors in our words. */

export type { AnsweredCall, CallWatch } from "./callWatch";
export {
  type AccessKey,
  type Connection,
  endpointProblem,
  endpointWarning,
  environmentEndpoint,
  NOT_A_URL,
  type RoleToAssume,
} from "./connection";
export { ec2Gateway } from "./ec2Gateway";
export type {
  BlockPublicAccess,
  Gateway,
  Image,
  KeyGateway,
  KeyGrant,
  KeyManager,
  LaunchChange,
  PublicAccessBlock,
  Snapshot,
  Usage,
  UsageGateway,
  UsageReport,
} from "./gateway";
export { organizationAccountNames } from "./organizations";
export { RecentReads } from "./recentReads";
