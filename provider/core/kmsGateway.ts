/** The KMS gateway over the AWS SDK: keys, their policies and grants; the client is loaded on first use. */

import type { KMSClient, KMSClientConfig } from "@aws-sdk/client-kms";
import { userError } from "./awsErrors";
import { type CallWatch, callWatch } from "./callWatch";
import { AmiSharingError } from "./errors";
import type { KeyGateway, KeyGrant } from "./gateway";
import { accountOfPrincipal, GRANT_OPERATIONS, partitionOf } from "./keyPolicy";

type Sdk = typeof import("@aws-sdk/client-kms");

/** A gateway with region and credentials as `config` gives them, at the first call. */
export function kmsGateway(config: () => Promise<KMSClientConfig>, watch: CallWatch = {}): KeyGateway {
  let started: Promise<{ sdk: Sdk; client: KMSClient }> | undefined;
  const start = () => {
    started ??= import("@aws-sdk/client-kms").then(async (sdk) => {
      const client = new sdk.KMSClient(await config());
      client.middlewareStack.use(callWatch("KMS", watch));
      return { sdk, client };
    });
    return started;
  };

  async function call<Output>(
    action: string,
    keyId: string,
    request: (client: KMSClient, sdk: Sdk) => Promise<Output>,
  ): Promise<Output> {
    try {
      const { client, sdk } = await start();
      return await request(client, sdk);
    } catch (error) {
      throw userError(error, { action, service: "kms", keyId });
    }
  }

  return {
    manager: (keyId) =>
      orUntold(
        call("DescribeKey", keyId, async (client, sdk) => {
          const { KeyMetadata } = await client.send(new sdk.DescribeKeyCommand({ KeyId: keyId }));
          return KeyMetadata?.KeyManager;
        }),
      ),

    policy: (keyId) =>
      orUntold(
        call("GetKeyPolicy", keyId, async (client, sdk) => {
          const { Policy } = await client.send(new sdk.GetKeyPolicyCommand({ KeyId: keyId, PolicyName: "default" }));
          return Policy;
        }),
      ),

    grants: (keyId) =>
      orUntold(
        call("ListGrants", keyId, async (client, sdk) => {
          const grants: KeyGrant[] = [];
          for await (const { Grants = [] } of sdk.paginateListGrants({ client }, { KeyId: keyId }))
            for (const { GrantId = "", Name = "", GranteePrincipal = "", Operations = [] } of Grants)
              grants.push({
                keyId,
                grantId: GrantId,
                name: Name,
                accountId: accountOfPrincipal(GranteePrincipal),
                operations: Operations,
              });
          return grants;
        }),
      ),

    async createGrant(keyId, accountId, name) {
      const { GrantId = "" } = await call("CreateGrant", keyId, (client, sdk) =>
        client.send(
          new sdk.CreateGrantCommand({
            KeyId: keyId,
            GranteePrincipal: `arn:${partitionOf(keyId)}:iam::${accountId}:root`,
            Operations: [...GRANT_OPERATIONS],
            Name: name,
          }),
        ),
      );
      return GrantId;
    },

    async retireGrant(keyId, grantId) {
      await call("RetireGrant", keyId, (client, sdk) =>
        client.send(new sdk.RetireGrantCommand({ KeyId: keyId, GrantId: grantId })),
      ).catch((error: AmiSharingError) => {
        if (error.awsCode !== "NotFoundException") throw error;
      });
    },
  };
}

/** What KMS tells; undefined where the caller may not ask, or the key is another account's or gone. */
async function orUntold<Value>(asking: Promise<Value | undefined>): Promise<Value | undefined> {
  return asking.catch((error: AmiSharingError) => {
    if (error instanceof AmiSharingError && (error.code === "not-authorized" || error.awsCode === "NotFoundException"))
      return undefined;
    throw error;
  });
}
