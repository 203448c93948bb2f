/** Runs Python programs for the tests: the AWS CLI, scripts that use boto3, and the local EC2. One process loads them once, and forks for each run. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import * as path from "node:path";

export const PYTHON_BIN = path.resolve(__dirname, "../../.toolchain/python/bin");

let host: Promise<number> | undefined;

/** Starts the process. It ends with this one. */
async function start(): Promise<number> {
  const child = spawn(path.join(PYTHON_BIN, "python"), [path.join(__dirname, "pythonHost.py")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code]) => Promise.reject(new Error(`pythonHost.py exited with ${code}`)));
  ended.catch(() => undefined);
  const [port] = (await Promise.race([once(child.stdout, "data"), ended])) as [Buffer];
  // The process and its pipe do not keep a finished test run alive.
  child.unref();
  (child.stdout as net.Socket).unref();
  return Number(port);
}

async function connect(asked: object): Promise<net.Socket> {
  host ??= start();
  const socket = net.connect(await host, "127.0.0.1");
  socket.setEncoding("utf8").write(`${JSON.stringify(asked)}\n`);
  return socket;
}

/** Runs the AWS CLI, or a script with a text as its input, and returns its output. Fails unless it exits with 0. */
export async function runPython(
  asked: { readonly aws: readonly string[] } | { readonly script: string; readonly stdin: string },
  env: NodeJS.ProcessEnv,
): Promise<string> {
  let answer = "";
  for await (const text of await connect({ ...asked, env })) answer += text;
  const { code, stdout, stderr } = JSON.parse(answer || '{ "stderr": "no answer" }');
  if (code !== 0) throw new Error(`${JSON.stringify(asked)} exited with ${code}:\n${stderr}`);
  return stdout;
}

/** Starts a local EC2. It ends with `stop()`, or with this process. */
export async function serveEc2(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const socket = await connect({ serve: true });
  const [line] = (await Promise.race([once(socket, "data"), once(socket, "close")])) as [string?];
  const url = /^emulator ready (\S+)\n$/.exec(`${line}`)?.[1];
  if (url === undefined) throw new Error(`the local EC2 did not start: ${line}`);
  socket.unref();
  const stop = async () => {
    const ended = once(socket, "close");
    socket.ref().end();
    await ended;
  };
  return { url, stop };
}
