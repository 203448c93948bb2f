/** The list of a region's shared AMIs, for `terraform query`: what it takes, and one event for each AMI. */

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
  /** Whether each event is to have the resource as an import would make it. */
  readonly includeResource: boolean;
  /** How many AMIs are wanted; 0: all. */
  readonly limit: number;
}

/** What is wrong with a configuration. */
export function listProblems({ region = null }: ObjectValue): readonly ArgumentProblem[] {
  const decoded = decodeDeclaredSet({ imageId: UNKNOWN, region });
  return "problems" in decoded ? decoded.problems : [];
}

/**
 * An event for each own AMI that is shared, by id, and a warning for each whose permissions cannot be read: Terraform drops the whole
 * list for an error, so that is only where nothing can be read.
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
        if (faultOfProvider(error) !== undefined || policyOf(error)?.everyAmi) throw error;
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
