/** Everything that this package uses of the Pulumi SDK and engine outside their published API. Each has its source, and a test in unit/sdkInternals or unit/process. */

import { Server } from "node:net";
import type * as pulumi from "@pulumi/pulumi";

/** Stands for an unknown value in serialized properties. Pulumi SDK, runtime/rpc.ts, `unknownValue`. */
export const PULUMI_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The property that has the kind of a wrapped value, in serialized properties. Pulumi SDK, runtime/rpc.ts, `specialSigKey`. */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The value of SIGNATURE for a secret. Pulumi SDK, runtime/rpc.ts, `specialSecretSig`. */
export const SECRET_MARK = "1b47061264138c4ac30d75fd1eb44270";

/** The engine's function that reads the outputs of a stack's resources. pulumi/pulumi, pkg/resource/deploy/builtins.go. */
export const READ_STACK = "pulumi:pulumi:readStackResourceOutputs";

/** An output, with members that the SDK does not have in its public types. Pulumi SDK, output.ts, `OutputImpl`. */
export interface InternalOutput {
  /** Whether the value is known. In a preview, it may not be. */
  readonly isKnown: Promise<boolean>;
  /** The value. With `withUnknowns`, an unknown value is given as the SDK's marker or undefined. */
  promise(withUnknowns?: boolean): Promise<unknown>;
  /** The resources that are known at once to be needed for the value. */
  resources(): ReadonlySet<pulumi.Resource>;
}

/** An output of a resource, by its name. */
export function output(resource: pulumi.CustomResource, name: string): InternalOutput {
  return (resource as unknown as Record<string, InternalOutput>)[name] as InternalOutput;
}

/** The parts of a resource's URN. Pulumi SDK, resource.ts: `__aliases`, `__pulumiType`, `__name` and `__parentResource` of `Resource`. */
export interface Lineage {
  /** Its own aliases, as URNs, without those that come from its parents. */
  readonly aliases: pulumi.Output<string>[];
  readonly type: string;
  readonly name: string;
  readonly parent: pulumi.Resource | undefined;
}

export function lineageOf(resource: pulumi.Resource): Lineage {
  const { __aliases, __pulumiType, __name, __parentResource } = resource as unknown as {
    __aliases?: pulumi.Output<string>[];
    __pulumiType: string;
    __name: string;
    __parentResource?: pulumi.Resource;
  };
  return { aliases: __aliases ?? [], type: __pulumiType, name: __name, parent: __parentResource };
}

/**
 * Switches stack traces off, and returns how to switch them on again. The constructor of a resource keeps a trace for each of the four
 * promises of every property, to tell of promises that never end (Pulumi SDK, runtime/debuggable.ts, `debuggablePromise`). With ts-node,
 * that is most of the time and of the memory that a set needs. With PULUMI_DEBUG_PROMISE_LEAKS, the traces stay.
 */
export function stackTracesOff(): () => void {
  const { stackTraceLimit } = Error;
  if (!process.env.PULUMI_DEBUG_PROMISE_LEAKS) Error.stackTraceLimit = 0;
  return () => {
    Error.stackTraceLimit = stackTraceLimit;
  };
}

/** An object in place of a resource, for SDK functions that read only the aliases. */
export function aliased(aliases: pulumi.Output<string>[]): pulumi.Resource {
  return { __aliases: aliases } as unknown as pulumi.Resource;
}

/** The main file of a program that the CLI runs: Pulumi, sdk/nodejs/cmd/run. */
const PROGRAM_FILE = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/]index\.js$/;

/**
 * Resolves when the program has declared every resource.
 *
 * Pulumi SDK, resource.ts: `ComponentResource.getData` returns the result of `initialize`. For a stack, this is the program's own code. A
 * function in `apply` can declare resources later. A program that the CLI runs has ended when its process has nothing left to do: Pulumi's
 * own handler of that event runs after all others (sdk/nodejs/cmd/run/index.ts, `beforeExitHandler`).
 */
export async function programEnd(stack: pulumi.Resource | undefined): Promise<void> {
  const isOfCli = PROGRAM_FILE.test(require.main?.filename ?? "");
  const idle = isOfCli ? new Promise<void>((resolve) => process.once("beforeExit", () => resolve())) : undefined;
  await (stack as unknown as { getData?: () => Promise<unknown> } | undefined)?.getData?.().catch(() => undefined);
  await idle;
}

/** The main file of the host: Pulumi, sdk/nodejs/cmd/dynamic-provider. */
export const HOST_FILE = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]dynamic-provider[\\/]index\.js$/;

/** Whether this process is the host of dynamic providers. */
export function isProviderHost(): boolean {
  return HOST_FILE.test(require.main?.filename ?? "");
}

/** The address of the engine: the last argument of the host. Pulumi, sdk/nodejs/cmd/dynamic-provider/index.ts, `main`. */
export function engineAddress(argv: readonly string[]): { host: string; port: number } | undefined {
  const [, host, port] = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]):(\d+)$/.exec(argv.at(-1) ?? "") ?? [];
  return host && port ? { host: host.replace(/[[\]]/g, ""), port: Number(port) } : undefined;
}

/** The RPC by which the engine says that its user cancels: Pulumi, proto/pulumi/provider.proto. */
export const CANCEL_RPC = "/pulumirpc.ResourceProvider/Cancel";

/**
 * Calls `cancel` when the engine sends the RPC Cancel. The SDK's host answers this RPC itself, and gives the provider no way to see it
 * (sdk/nodejs/cmd/dynamic-provider/index.ts, `cancel`). So this function listens to the HTTP/2 server under the host's gRPC server.
 * `_getActiveHandles` is an undocumented function of Node.js: if it is missing, a cancellation waits until the running calls end.
 */
export function onCancel(cancel: () => void): void {
  const handles = (process as { _getActiveHandles?: () => unknown[] })._getActiveHandles?.() ?? [];
  for (const handle of handles)
    if (handle instanceof Server && handle.listenerCount("stream") > 0)
      handle.on("stream", (_stream: unknown, headers?: Record<string, unknown>) => {
        if (headers?.[":path"] === CANCEL_RPC) cancel();
      });
}
