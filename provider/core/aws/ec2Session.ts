/** The session of a gateway: the EC2 client, single calls and calls with pages, their errors, and the caller's account from STS. */

import type * as v from "valibot";
import { AmiSharingError } from "../model";
import * as answers from "./answers";
import { ask, type CallOptions, type Pauses } from "./asking";
import { type Attempt, userError } from "./awsErrors";
import { type CallWatch, callWatch } from "./callWatch";
import { type Connection, clientConfig, maxAttemptsOf, stsEndpointOf, timeoutsOf } from "./connection";
import { Pacer } from "./pacing";
import type { EC2Client } from "./sdk/ec2";

type Sdk = typeof import("./sdk/ec2");
type Options = { readonly abortSignal?: AbortSignal };
type Page = { readonly NextToken?: string | undefined };
type Token = { readonly NextToken?: string };
type Send = (client: EC2Client, sdk: Sdk, options: Options) => Promise<object>;
type SendForPage = (client: EC2Client, sdk: Sdk, options: Options, token: Token) => Promise<object>;

/** At the first call, the session loads the SDK, and resolves credentials and region. */
export class Ec2Session {
  readonly asking: CallOptions;
  private started: Promise<{ sdk: Sdk; client: EC2Client }> | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly watch: CallWatch,
    pauses: Pauses,
  ) {
    this.asking = { watch, pauses, maxAttempts: maxAttemptsOf(connection) };
  }

  region(): Promise<string> {
    return this.withUserError({ action: "DescribeImages" }, async () => (await this.start()).client.config.region());
  }

  call<Schema extends v.GenericSchema>(attempt: Attempt, send: Send, schema: Schema): Promise<v.InferOutput<Schema>> {
    return this.withUserError(attempt, async () => {
      const { client, sdk } = await this.start();
      return ask(this.asking, attempt, (options) => send(client, sdk, options), schema);
    });
  }

  /** Requests all pages of a list. */
  async pages<One extends Page>(attempt: Attempt, send: SendForPage, schema: v.GenericSchema<unknown, One>): Promise<One[]> {
    const found: One[] = [];
    let token: Token = {};
    for (;;) {
      const now = token;
      const sendNow: Send = (client, sdk, options) => send(client, sdk, options, now);
      const page = await this.call(attempt, sendNow, answers.pageAfter(schema, now));
      found.push(page);
      if (!page.NextToken) return found;
      token = { NextToken: page.NextToken };
    }
  }

  /** The account of the credentials. Undefined if STS does not answer, or if its answer is not valid. */
  async callerAccountId(): Promise<string | undefined> {
    const attempt: Attempt = { action: "GetCallerIdentity", service: "sts" };
    const { STSClient, GetCallerIdentityCommand } = await (await import("./sdk")).sts();
    try {
      const client = new STSClient(await this.configFor(stsEndpointOf(this.connection)));
      client.middlewareStack.use(callWatch("STS", { signal: this.watch.signal }, timeoutsOf(this.connection)));
      const send = (options: Options) => client.send(new GetCallerIdentityCommand({}), options);
      const { Account } = await ask(this.asking, attempt, send, answers.callerIdentity).finally(() => client.destroy());
      return Account;
    } catch (error) {
      if (error instanceof AmiSharingError && error.code === "stopped") throw error;
      return undefined;
    }
  }

  /** The configuration for the client of another service. It shares region and credentials with EC2, so that a role is assumed only once. */
  async configFor(endpoint: string | undefined) {
    const { region, credentials } = (await this.start()).client.config;
    const { maxAttempts, retryStrategy, requestHandler } = await clientConfig(this.connection, this.watch);
    return { region, credentials, maxAttempts, retryStrategy, requestHandler, ...(endpoint === undefined ? {} : { endpoint }) };
  }

  private start() {
    this.started ??= import("./sdk").then(async (parts) => {
      const sdk = await parts.ec2();
      const client = new sdk.EC2Client(await clientConfig(this.connection, this.watch));
      client.middlewareStack.use(callWatch("EC2", this.watch, timeoutsOf(this.connection), new Pacer()));
      return { sdk, client };
    });
    return this.started;
  }

  /** Runs an attempt, and converts its error to one for users. */
  private async withUserError<Value>(attempt: Attempt, trying: () => Promise<Value>): Promise<Value> {
    try {
      return await trying();
    } catch (error) {
      const { region, profile } = this.connection;
      const resolved = this.started?.then(({ client }) => client.config.region()).catch(() => undefined);
      throw userError(error, { ...attempt, region: region ?? (await resolved), profile });
    }
  }
}
