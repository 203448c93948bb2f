/** The options of commands that ask EC2. */

/** How to reach EC2. What is absent comes from the environment and the shared AWS files, as for the AWS CLI. */
export interface ConnectionOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
}

/** Only these of all the options of a command. */
export function connectionIn({ region, profile, endpoint }: ConnectionOptions): ConnectionOptions {
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
