/** Names of accounts from AWS Organizations. It loads the client on first use. */

import type * as v from "valibot";
import type { AccountNames } from "../model";
import * as answers from "./answers";
import { ask, PAUSES } from "./asking";
import { type Attempt, userError } from "./awsErrors";
import { type CallWatch, callWatch } from "./callWatch";
import { type Connection, clientConfig, maxAttemptsOf, organizationsEndpointOf, timeoutsOf } from "./connection";

/**
 * The names of all accounts of the caller's organization, 20 in each call. AWS Organizations API reference, ListAccounts: only the management
 * account and delegated administrators may call it; a page can be empty and not be the last.
 *
 * @throws AmiSharingError such as `not-authorized`
 */
export async function organizationAccountNames(connection: Connection, watch: CallWatch = {}): Promise<AccountNames> {
  const attempt: Attempt = { action: "ListAccounts", service: "organizations", profile: connection.profile };
  const { OrganizationsClient, ListAccountsCommand } = await (await import("./sdk")).organizations();
  const names = new Map<string, string>();
  try {
    const endpoint = organizationsEndpointOf(connection);
    const { endpoint: _ec2, region = DEFAULT_REGION, ...config } = await clientConfig(connection, watch);
    const client = new OrganizationsClient({ ...config, region, ...(endpoint === undefined ? {} : { endpoint }) });
    client.middlewareStack.use(callWatch("Organizations", watch, timeoutsOf(connection)));
    const asking = { watch, pauses: PAUSES, maxAttempts: maxAttemptsOf(connection) };
    let page: v.InferOutput<typeof answers.organizationAccounts> = { Accounts: [] };
    do {
      const token = page.NextToken ? { NextToken: page.NextToken } : {};
      const schema = answers.pageAfter(answers.organizationAccounts, token);
      page = await ask(asking, attempt, (options) => client.send(new ListAccountsCommand(token), options), schema);
      for (const { Id, Name } of page.Accounts) if (Name) names.set(Id, Name);
    } while (page.NextToken);
    client.destroy();
    return names;
  } catch (error) {
    throw userError(error, attempt);
  }
}

/** Organizations has one endpoint for each partition, so that any region of the partition will do. */
const DEFAULT_REGION = "us-east-1";
