/** The list resource for `terraform query`: its configuration, and one event for each shared AMI of a region. */

import {
  type AmiPermissions,
  type AmiSharingError,
  type ArgumentProblem,
  decodeDeclaredSet,
  eachOwnAmi,
  policyOf,
  UNKNOWN,
} from "../core";
import { type Diagnostic, errorDiagnostic, faultOfProvider, readingDiagnostic } from "./diagnostics";
import { type IdentityData, identityOf } from "./identity";
import type { ProviderConfig } from "./providerConfig";
import { RESOURCE_SCHEMA } from "./schema";
import { adopted } from "./set";
import { type DynamicValue, encodeValue, type ObjectValue } from "./values";

/** tfplugin6.proto, ListResource.Event. */
export interface ListEvent {
  readonly identity?: IdentityData | undefined;
  readonly display_name?: string;
  readonly resource_object?: DynamicValue;
  readonly diagnostic?: readonly Diagnostic[];
}

export interface ListRequest {
  readonly config: ObjectValue;
  /** Whether each event includes the resource, as an import would create it. */
  readonly includeResource: boolean;
  /** The maximum number of AMIs; 0 means all. */
  readonly limit: number;
}

/** What is wrong with a configuration. */
export function listProblems({ region = null }: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decodeDeclaredSet({ imageId: UNKNOWN, region });
  return "problems" in decoded ? decoded.problems : [];
}

/**
 * Yields an event for each own AMI that is shared, by id, and a warning for each AMI whose permissions cannot be read. It yields an error
 * only if no AMI can be read, because Terraform then drops the whole list.
 */
export async function* listShared(
  { config, includeResource, limit }: ListRequest,
  provider: ProviderConfig,
): AsyncGenerator<ListEvent> {
  let [read, listed] = [0, 0];
  let failure: AmiSharingError | undefined;
  try {
    const region = await provider.regionToRead(config.region);
    for await (const ami of eachOwnAmi(provider.gateway(region))) {
      if ("error" in ami) {
        const { imageId, error } = ami;
        if (faultOfProvider(error) !== undefined || policyOf(error)?.affectsEveryAmi) throw error;
        failure ??= error;
        yield { diagnostic: [unread(imageId, error)] };
        continue;
      }
      read += 1;
      if (Object.keys(ami.permissions.grants).length === 0) continue;
      yield event(ami.permissions, includeResource);
      listed += 1;
      if (listed === limit) return;
    }
    if (failure && read === 0) throw failure;
  } catch (error) {
    yield { diagnostic: [readingDiagnostic("The shared AMIs of the region cannot be listed", error, ["region"])] };
  }
}

function unread(imageId: string, error: AmiSharingError): Diagnostic {
  const summary = `AMI ${imageId} is not listed: who it is shared with cannot be read`;
  return { ...errorDiagnostic(summary, error), severity: "WARNING" };
}

function event(permissions: AmiPermissions, includeResource: boolean): ListEvent {
  const { imageId, name } = permissions;
  const { state, diagnostics } = adopted(permissions);
  return {
    identity: identityOf(state),
    display_name: name === undefined ? imageId : `${name} (${imageId})`,
    ...(includeResource ? { resource_object: encodeValue(state, RESOURCE_SCHEMA), diagnostic: diagnostics } : {}),
  };
}
