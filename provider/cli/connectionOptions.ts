/** The options of commands that ask EC2. */

import { endpointProblem } from "../core";
import { Failure } from "./failure";

/** How to reach EC2. What is absent comes from the environment and the shared AWS files, as for the AWS CLI. */
export interface ConnectionOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly endpoint?: string;
}

/** Only these of all the options of a command. @throws Failure if the endpoint is none */
export function connectionIn({ region, profile, endpoint }: ConnectionOptions): ConnectionOptions {
  const problem = endpoint === undefined ? undefined : endpointProblem(endpoint);
  // The endpoint is not repeated, because it can contain a password.
  if (problem) throw new Failure(`--endpoint: it ${problem}; give a URL such as https://ec2.eu-west-1.amazonaws.com`);
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(endpoint === undefined ? {} : { endpoint }),
  };
}
