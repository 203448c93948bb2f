/** The errors that users get for errors of the AWS SDK: codes, messages and next steps. Messages contain no internal details. */

import * as assert from "node:assert/strict";
import { AmiSharingError } from "../../provider/core";
import { type Attempt, userError } from "../../provider/core/aws/awsErrors";

const IMAGE: Attempt = { action: "ModifyImageAttribute", imageId: "ami-12345678", region: "eu-west-1" };
const SNAPSHOT: Attempt = { action: "ModifySnapshotAttribute", snapshotId: "snap-12345678", region: "eu-west-1" };

/** An error as the SDK creates it from EC2's response. */
function fromAws(name: string, message: string, status = 400): Error {
  return Object.assign(new Error(message), { name, $metadata: { requestId: "req-42", httpStatusCode: status } });
}

function fromNode(properties: Record<string, unknown>, message = ""): Error {
  return Object.assign(new Error(message), properties);
}

interface Case {
  readonly name: string;
  readonly thrown: unknown;
  readonly attempt?: Attempt;
  readonly message: string;
}

const CASES: readonly Case[] = [
  {
    name: "AccessDeniedException of KMS",
    thrown: fromAws("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized"),
    attempt: { action: "CreateGrant", service: "kms", keyId: "arn:aws:kms:us-east-1:1:key/k" },
    message:
      "the caller may not call kms:CreateGrant on arn:aws:kms:us-east-1:1:key/k (AWS: AccessDeniedException, request id req-42); allow kms:CreateGrant in the caller's IAM policy and in the key's policy [not-authorized]",
  },
  {
    name: "InvalidAMIID.NotFound",
    thrown: fromAws("InvalidAMIID.NotFound", "The image id '[ami-12345678]' does not exist"),
    message:
      "there is no AMI ami-12345678 in eu-west-1 (AWS: InvalidAMIID.NotFound, request id req-42, ModifyImageAttribute); check the id and the region: an AMI exists in one region only and has to be copied to another before it is shared there; one of another account is not seen unless it is shared [image-not-found]",
  },
  {
    name: "InvalidAMIID.Malformed, no region known",
    thrown: fromAws("InvalidAMIID.Malformed", "Invalid id"),
    attempt: { action: "DescribeImages", imageId: "ami-12345678" },
    message:
      "there is no AMI ami-12345678 (AWS: InvalidAMIID.Malformed, request id req-42, DescribeImages); check the id and the region: an AMI exists in one region only and has to be copied to another before it is shared there; one of another account is not seen unless it is shared [image-not-found]",
  },
  {
    name: "InvalidAMIID.Unavailable",
    thrown: fromAws("InvalidAMIID.Unavailable", "The image ID 'ami-12345678' is no longer available"),
    message:
      "AMI ami-12345678 is deregistered or cannot be changed now (AWS: InvalidAMIID.Unavailable, request id req-42, ModifyImageAttribute); where it is disabled, enable it first (aws ec2 enable-image); where it is deregistered, nobody has access any more [image-not-found]",
  },
  {
    name: "InvalidSnapshot.NotFound",
    thrown: fromAws("InvalidSnapshot.NotFound", "The snapshot 'snap-12345678' does not exist."),
    attempt: SNAPSHOT,
    message:
      "there is no snapshot snap-12345678 in eu-west-1 (AWS: InvalidSnapshot.NotFound, request id req-42, ModifySnapshotAttribute); check snapshotIds: only snapshots in the AMI's block device mappings can be managed [snapshot-not-found]",
  },
  {
    name: "AuthFailure for a resource of another owner",
    thrown: fromAws("AuthFailure", "Not authorized for image:ami-12345678", 403),
    message:
      "ami-12345678 belongs to another account (AWS: AuthFailure, request id req-42, ModifyImageAttribute); only the owner can see and change its permissions: use the owner's credentials, or copy the AMI and share the copy [not-owner]",
  },
  {
    name: "AuthFailure for invalid credentials",
    thrown: fromAws("AuthFailure", "AWS was not able to validate the provided access credentials", 401),
    message:
      "AWS does not accept the credentials (AWS: AuthFailure, request id req-42, ModifyImageAttribute); check the access key, the secret key and the session token, and that they belong to this partition [credentials-invalid]",
  },
  {
    name: "UnauthorizedOperation, without its encoded message",
    thrown: fromAws(
      "UnauthorizedOperation",
      `You are not authorized to perform this operation. Encoded authorization failure message: ${"x9".repeat(400)}`,
      403,
    ),
    message:
      "the caller may not call ec2:ModifyImageAttribute on ami-12345678 (AWS: UnauthorizedOperation, request id req-42); allow ec2:ModifyImageAttribute in the caller's IAM policy [not-authorized]",
  },
  {
    name: "OperationNotPermitted of a snapshot",
    thrown: fromAws("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared"),
    attempt: SNAPSHOT,
    message:
      "EC2 refuses to share snap-12345678: Encrypted snapshots with EBS default key cannot be shared (AWS: OperationNotPermitted, request id req-42, ModifySnapshotAttribute); see whether block public access is on, or whether a snapshot is encrypted under the AWS managed key [sharing-refused]",
  },
  {
    name: "InvalidAMIAttributeItemValue",
    thrown: fromAws("InvalidAMIAttributeItemValue", 'Invalid attribute item value "999999999999" for userId item type.'),
    message:
      'EC2 does not accept a grantee of ami-12345678: Invalid attribute item value "999999999999" for userId item type (AWS: InvalidAMIAttributeItemValue, request id req-42, ModifyImageAttribute); check that every account, organization and organizational unit exists [invalid-argument]',
  },
  {
    name: "ResourceLimitExceeded",
    thrown: fromAws("ResourceLimitExceeded", "You have reached your quota of 1000"),
    message:
      "sharing ami-12345678 would exceed a quota: You have reached your quota of 1000 (AWS: ResourceLimitExceeded, request id req-42, ModifyImageAttribute); share with fewer, share with an organization instead of its accounts, or raise the quota in Service Quotas [quota-exceeded]",
  },
  {
    name: "RequestLimitExceeded",
    thrown: fromAws("RequestLimitExceeded", "Request limit exceeded.", 503),
    message:
      "EC2 throttles ModifyImageAttribute of ami-12345678 (AWS: RequestLimitExceeded, request id req-42); repeat later; a higher maxRetries allows more attempts [throttled]",
  },
  {
    name: "ExpiredToken",
    thrown: fromAws("ExpiredToken", "The security token included in the request is expired", 403),
    message:
      "the AWS credentials have expired (AWS: ExpiredToken, request id req-42, ModifyImageAttribute); sign in again (for example aws sso login) and repeat [credentials-expired]",
  },
  {
    name: "AccessDenied, when a role is assumed",
    thrown: fromAws("AccessDenied", "User: x is not authorized to perform: sts:AssumeRole on resource: y", 403),
    message:
      "AWS denies access: User: x is not authorized to perform: sts:AssumeRole on resource: y (AWS: AccessDenied, request id req-42, ModifyImageAttribute); check the role's trust policy, the external id and the caller's policy [not-authorized]",
  },
  {
    name: "an unknown code, in one line without a full stop",
    thrown: fromAws("InternalError", "An internal error\n   has occurred.", 500),
    message:
      "ModifyImageAttribute of ami-12345678 failed: An internal error has occurred (AWS: InternalError, request id req-42); repeat; if it stays, give AWS support the request id [aws-error]",
  },
  {
    name: "a refusal code in a response to another call",
    thrown: fromAws("InvalidParameterValue", "Value (x) is invalid"),
    attempt: { action: "CreateImageUsageReport", imageId: "ami-12345678" },
    message:
      "CreateImageUsageReport of ami-12345678 failed: Value (x) is invalid (AWS: InvalidParameterValue, request id req-42); repeat; if it stays, give AWS support the request id [aws-error]",
  },
  {
    name: "no message",
    thrown: fromAws("InternalError", "UnknownError", 500),
    message:
      "ModifyImageAttribute of ami-12345678 failed: AWS gives no reason (AWS: InternalError, request id req-42); repeat; if it stays, give AWS support the request id [aws-error]",
  },
  {
    name: "no code and no message",
    thrown: fromAws("Unknown", "Unknown", 418),
    message:
      "ModifyImageAttribute of ami-12345678 failed: AWS gives no reason (request id req-42); repeat; if it stays, give AWS support the request id [aws-error]",
  },
  {
    name: "a connection that is cut during a change",
    thrown: fromNode({ code: "ECONNRESET" }, "socket hang up"),
    message:
      "EC2's endpoint in eu-west-1 cannot be reached for ModifyImageAttribute of ami-12345678: socket hang up; whether AWS made the change is not known; check the network, the region and the endpoint [endpoint-unreachable]",
  },
  {
    name: "a message with control characters",
    thrown: fromAws("Odd\u0007", "no \u001b[31mred\u009b \u202eway\u200b"),
    message:
      "ModifyImageAttribute of ami-12345678 failed: no \\u001b[31mred\\u009b \\u202eway\\u200b (AWS: Odd\\u0007, request id req-42); repeat; if it stays, give AWS support the request id [aws-error]",
  },
  {
    name: "no credentials",
    thrown: fromNode({ name: "CredentialsProviderError" }, "Could not load credentials from any providers"),
    message:
      "no AWS credentials: Could not load credentials from any providers; set a profile, AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assumeRole [credentials-missing]",
  },
  {
    name: "an expired SSO session",
    thrown: fromNode({ name: "CredentialsProviderError" }, "The SSO session associated with this profile has expired."),
    message: "the AWS credentials have expired; sign in again (for example aws sso login) and repeat [credentials-expired]",
  },
  {
    name: "an expired SSO token",
    thrown: fromNode({ name: "TokenProviderError" }, "Token is expired. To refresh this SSO session run 'aws sso login'"),
    message: "the AWS credentials have expired; sign in again (for example aws sso login) and repeat [credentials-expired]",
  },
  {
    name: "no region",
    thrown: new Error("Region is missing"),
    attempt: { action: "DescribeImages" },
    message: "no AWS region; set the region (the argument's, or the engine's AWS configuration), or AWS_REGION [region-missing]",
  },
  {
    name: "an endpoint that refuses connections",
    thrown: fromNode({ code: "ECONNREFUSED" }, "connect ECONNREFUSED 127.0.0.1:1"),
    message:
      "EC2's endpoint in eu-west-1 cannot be reached for ModifyImageAttribute of ami-12345678: connect ECONNREFUSED 127.0.0.1:1; check the network, the region and the endpoint [endpoint-unreachable]",
  },
  {
    name: "a name that does not resolve",
    thrown: fromNode({ code: "ENOTFOUND" }, "getaddrinfo ENOTFOUND ec2.eu-west-9.amazonaws.com"),
    message:
      "EC2's endpoint in eu-west-1 cannot be reached for ModifyImageAttribute of ami-12345678: getaddrinfo ENOTFOUND ec2.eu-west-9.amazonaws.com; check the network, the region and the endpoint [endpoint-unreachable]",
  },
  {
    name: "several addresses that refuse connections, in an AggregateError without a message",
    thrown: new AggregateError([new Error("connect ECONNREFUSED ::1:1"), new Error("connect ECONNREFUSED 127.0.0.1:1")]),
    message:
      "EC2's endpoint in eu-west-1 cannot be reached for ModifyImageAttribute of ami-12345678: connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1; check the network, the region and the endpoint [endpoint-unreachable]",
  },
  {
    name: "a request that timed out, in a cause",
    thrown: new Error("request failed", { cause: new Error("ETIMEDOUT") }),
    message:
      "EC2's endpoint in eu-west-1 cannot be reached for ModifyImageAttribute of ami-12345678: request failed; whether AWS made the change is not known; check the network, the region and the endpoint [endpoint-unreachable]",
  },
  {
    name: "a thrown value that is not an Error",
    thrown: "boom",
    message:
      "ModifyImageAttribute of ami-12345678 failed: boom; repeat; if it stays, give AWS support the request id [aws-error]",
  },
];

describe("an error for users", () => {
  for (const { name, thrown, attempt = IMAGE, message } of CASES)
    it(`${name}`, () => {
      const error = userError(thrown, attempt);
      assert.equal(error.message, message);
      assert.equal(error.code, /\[([a-z-]+)\]$/.exec(message)?.[1]);
      assert.equal(error.cause, thrown);
      assert.equal(error.imageId, attempt.imageId);
      const fromEc2 = typeof thrown === "object" && thrown !== null && "$metadata" in thrown;
      assert.equal(error.requestId, fromEc2 ? "req-42" : undefined);
      assert.doesNotMatch(error.message, /\n| at .*:\d+/);
    });

  const sameCode: Record<string, readonly string[]> = {
    "image-not-found": ["InvalidAMIID.NotFound", "InvalidAMIID.Malformed", "InvalidAMIID.Unavailable"],
    "snapshot-not-found": ["InvalidSnapshot.NotFound", "InvalidSnapshotID.Malformed"],
    "sharing-refused": ["OperationNotPermitted", "InvalidParameter", "InvalidParameterValue", "UnsupportedOperation"],
    "credentials-expired": ["RequestExpired", "ExpiredToken", "ExpiredTokenException"],
    "credentials-invalid": [
      "InvalidClientTokenId",
      "UnrecognizedClientException",
      "SignatureDoesNotMatch",
      "IncompleteSignature",
    ],
    throttled: ["RequestLimitExceeded", "Throttling", "ThrottlingException"],
  };
  for (const [code, names] of Object.entries(sameCode))
    for (const name of names)
      it(`maps ${name} to ${code}`, () => assert.equal(userError(fromAws(name, "words"), IMAGE).code, code));

  it("is returned unchanged if it is already an error for users", () => {
    const error = new AmiSharingError("not-visible", "later");
    assert.equal(userError(error, IMAGE), error);
  });

  it("does not blame the network if EC2 answered", () => {
    assert.equal(userError(fromAws("InternalError", "upstream ECONNRESET", 500), IMAGE).code, "aws-error");
  });

  it("shows AWS's message without the encoded authorization message", () => {
    const { message } = userError(fromAws("AccessDenied", "denied. Encoded authorization failure message: AbC123\nmore"), IMAGE);
    assert.doesNotMatch(message, /AbC123|Encoded|more/);
    assert.match(message, /^AWS denies access: denied \(/);
  });
});
