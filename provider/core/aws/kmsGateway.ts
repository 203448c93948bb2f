/** The gateway to KMS that uses the AWS SDK: keys, their policies and their grants. It loads the client on first use. */

import type * as v from "valibot";
import { AmiSharingError, accountOfPrincipal, partitionOf, policyOf } from "../model";
import * as answers from "./answers";
import { ask, type CallOptions } from "./asking";
import { type Attempt, userError } from "./awsErrors";
import { callWatch } from "./callWatch";
import type { KeyGateway, KeyGrant } from "./gateway";
import type { KMSClient, KMSClientConfig } from "./sdk/kms";
import type { Timeouts } from "./wire";

/** The operations that a grant allows: those needed to launch or copy an encrypted AMI. KMS developer guide, "Grant operations". */
export const GRANT_OPERATIONS = [
  "DescribeKey",
  "Decrypt",
  "CreateGrant",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
] as const;

type Sdk = typeof import("./sdk/kms");
type Send = (client: KMSClient, sdk: Sdk, options: { readonly abortSignal?: AbortSignal }) => Promise<object>;

/** Returns a gateway to KMS. It calls `config` before its first request. */
export function kmsGateway(
  config: () => Promise<KMSClientConfig>,
  callOptions: CallOptions,
  timeouts: () => Timeouts,
): KeyGateway {
  let started: Promise<{ sdk: Sdk; client: KMSClient }> | undefined;
  const start = () => {
    started ??= import("./sdk").then(async (parts) => {
      const sdk = await parts.kms();
      const client = new sdk.KMSClient(await config());
      client.middlewareStack.use(callWatch("KMS", callOptions.watch, timeouts()));
      return { sdk, client };
    });
    return started;
  };

  async function call<Schema extends v.GenericSchema>(
    action: string,
    keyId: string,
    send: Send,
    schema: Schema,
  ): Promise<v.InferOutput<Schema>> {
    const attempt: Attempt = { action, service: "kms", keyId };
    try {
      const { client, sdk } = await start();
      return await ask(callOptions, attempt, (options) => send(client, sdk, options), schema);
    } catch (error) {
      throw userError(error, attempt);
    }
  }

  async function grantsOf(keyId: string): Promise<KeyGrant[]> {
    const grants: KeyGrant[] = [];
    let marker: string | undefined;
    do {
      const Marker = marker;
      const { Grants, NextMarker } = await call(
        "ListGrants",
        keyId,
        (client, sdk, options) =>
          client.send(new sdk.ListGrantsCommand({ KeyId: keyId, ...(Marker ? { Marker } : {}) }), options),
        answers.keyGrants(Marker),
      );
      for (const { GrantId, Name, GranteePrincipal, Operations } of Grants)
        grants.push({
          keyId,
          grantId: GrantId,
          name: Name ?? "",
          accountId: accountOfPrincipal(GranteePrincipal ?? ""),
          operations: Operations,
        });
      marker = NextMarker || undefined;
    } while (marker);
    return grants;
  }

  return {
    manager: (keyId) =>
      unlessDenied(
        call(
          "DescribeKey",
          keyId,
          (client, sdk, options) => client.send(new sdk.DescribeKeyCommand({ KeyId: keyId }), options),
          answers.keyById(keyId),
        ).then(({ KeyMetadata }) => KeyMetadata.KeyManager),
      ),

    policy: (keyId) =>
      unlessDenied(
        call(
          "GetKeyPolicy",
          keyId,
          (client, sdk, options) => client.send(new sdk.GetKeyPolicyCommand({ KeyId: keyId, PolicyName: "default" }), options),
          answers.keyPolicy,
        ).then(({ Policy }) => Policy),
      ),

    grants: (keyId) => unlessDenied(grantsOf(keyId)),

    /** KMS API reference, CreateGrant, Name: if the request has a name and is repeated, KMS returns the existing grant. */
    async createGrant(keyId, accountId, name) {
      try {
        const { GrantId } = await call(
          "CreateGrant",
          keyId,
          (client, sdk, options) =>
            client.send(
              new sdk.CreateGrantCommand({
                KeyId: keyId,
                GranteePrincipal: `arn:${partitionOf(keyId)}:iam::${accountId}:root`,
                Operations: [...GRANT_OPERATIONS],
                Name: name,
              }),
              options,
            ),
          answers.madeGrant,
        );
        return GrantId;
      } catch (error) {
        if (policyOf(error)?.change !== "unknown") throw error;
        const all = await grantsOf(keyId).catch(() => []);
        const made = all.filter((grant) => grant.name === name && grant.accountId === accountId && hasAll(grant.operations));
        if (made.length !== 1) throw error;
        return (made[0] as KeyGrant).grantId;
      }
    },

    async revokeGrant(keyId, grantId) {
      await call(
        "RevokeGrant",
        keyId,
        (client, sdk, options) => client.send(new sdk.RevokeGrantCommand({ KeyId: keyId, GrantId: grantId }), options),
        answers.done,
      ).catch((error: AmiSharingError) => {
        if (error.awsCode !== "NotFoundException") throw error;
      });
    },
  };
}

function hasAll(operations: readonly string[]): boolean {
  return GRANT_OPERATIONS.every((operation) => operations.includes(operation));
}

/** The answer of KMS. Undefined if the caller is not authorized, or if the key does not exist. */
async function unlessDenied<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  return answer.catch((error: AmiSharingError) => {
    if (error instanceof AmiSharingError && (error.code === "not-authorized" || error.awsCode === "NotFoundException"))
      return undefined;
    throw error;
  });
}
