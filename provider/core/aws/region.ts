/** The region of a connection: where it is looked up, and in which order. */

import type { Provider } from "@smithy/types";

export interface RegionSources {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly sharedConfigFile?: string | undefined;
  readonly sharedCredentialsFile?: string | undefined;
}

/** The region, or a function that looks it up; undefined if the SDK can look it up. */
export async function regionOf(sources: RegionSources): Promise<string | Provider<string> | undefined> {
  const { region, profile, sharedConfigFile, sharedCredentialsFile } = sources;
  // The SDK for JavaScript reads only AWS_REGION. Infrastructure tools also read AWS_DEFAULT_REGION.
  const known = region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (known !== undefined || (sharedConfigFile ?? sharedCredentialsFile) === undefined) return known;
  // An SDK client looks for the region of a profile only in the default files.
  const { loadConfig, NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS } = await (await import("./sdk")).config();
  return loadConfig(NODE_REGION_CONFIG_OPTIONS, {
    ...NODE_REGION_CONFIG_FILE_OPTIONS,
    ...(profile === undefined ? {} : { profile }),
    ...(sharedConfigFile === undefined ? {} : { configFilepath: sharedConfigFile }),
    ...(sharedCredentialsFile === undefined ? {} : { filepath: sharedCredentialsFile }),
  });
}
