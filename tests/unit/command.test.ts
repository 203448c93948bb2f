/** The command `ami-launch-permissions`: its help, exit codes, completion, colours and progress. */

import * as assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { completionScript, SHELLS } from "../../provider/cli/completion";
import { programFor, run } from "../../provider/cli/program";
import { ALL_RISKS } from "../../provider/cli/report/risks";
import { paintFor, progressOn, type Terminal } from "../../provider/cli/terminal";

class Collected {
  text = "";
  constructor(readonly isTTY = false) {}
  write(more: string | Uint8Array): boolean {
    this.text += String(more);
    return true;
  }
}

function terminal(isTTY = false, env: NodeJS.ProcessEnv = {}): Terminal & { stdout: Collected; stderr: Collected } {
  return { stdout: new Collected(isTTY), stderr: new Collected(isTTY), env };
}

async function ran(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const at = terminal();
  const code = await run(args, at);
  return { code, stdout: at.stdout.text, stderr: at.stderr.text };
}

const COMMANDS = programFor(terminal(), () => undefined).commands;

describe("the command", () => {
  for (const { name, examples } of COMMANDS.map((command) => ({
    name: command.name(),
    examples: command.name() !== "install-pulumi-plugin",
  })))
    it(`${name} --help exits with 0, and shows its arguments${examples ? " and examples that begin with it" : ""}`, async () => {
      const { code, stdout, stderr } = await ran(name, "--help");
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, new RegExp(`^Usage: ami-launch-permissions ${name}\\b`));
      if (examples) assert.match(stdout, new RegExp(`\\nExamples:\\n  \\$ ami-launch-permissions ${name} `));
    });

  it("names every command in its help, and prints its version", async () => {
    const { code, stdout } = await ran("--help");
    assert.equal(code, 0);
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^  ${command.name()} `, "m"));
    assert.match((await ran("--version")).stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("prints the help of a command for help COMMAND", async () => {
    const { code, stdout, stderr } = await ran("help", "check");
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(stdout, (await ran("check", "--help")).stdout);
  });

  const wrong: readonly [args: string[], says: RegExp][] = [
    [[], /^Usage: /],
    [["reprot"], /unknown command 'reprot'/],
    [["adopt"], /missing required argument 'ami-id'/],
    [["adopt", "ami-0123456789abcdef0", "ami-0123456789abcdef1"], /too many arguments/],
    [["adopt", "ami-0123456789abcdef0", "--regoin", "x"], /unknown option '--regoin'\n\(Did you mean --region\?\)/],
    [["adopt", "ami-0123456789abcdef0", "--region", ""], /'--region <region>' argument '' is invalid\. It is empty\./],
    [["adopt", "golden"], /^imageId: "golden" is not an AMI id/],
    [
      ["report", "--pulumi", "a.json", "--pulumi", "b.json"],
      /'--pulumi <file>' argument 'b\.json' is invalid\. It is given twice\./,
    ],
    [
      ["report", "--pulumi", "a.json", "--fail-on", "public", "--fail-on", "revokes"],
      /argument 'revokes' is invalid\. It is given twice\./,
    ],
    [["audit", "--regions", "eu-west-1", "--regions", "us-east-1"], /argument 'us-east-1' is invalid\. It is given twice\./],
    [["report", "--pulumi", "a.json", "--region", "eu-west-1"], /^--region belongs to --live/],
    [
      ["report", "--pulumi", "docs/report/share.preview.json", "--html", "one", "--json", "./one"],
      /^two forms go to the file .*one$/m,
    ],
    [["audit", "--endpoint", "notaurl"], /^--endpoint: it is not a URL; give a URL such as /],
    [["completion", "nu"], /Allowed choices are bash, zsh, fish/],
  ];
  for (const [args, says] of wrong)
    it(`exits with 2 and says what is wrong: ${args.join(" ") || "no command"}`, async () => {
      const { code, stdout, stderr } = await ran(...args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /^\s+at /m);
    });
});

describe("the completion", () => {
  const program = programFor(terminal(), () => undefined);

  function inBash(...words: string[]): string[] {
    const line = ["ami-launch-permissions", ...words].map((word) => `'${word}'`).join(" ");
    const script = `${completionScript(program, "bash")}\nCOMP_WORDS=(${line}); COMP_CWORD=${words.length}; _ami_launch_permissions; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr, status } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    assert.deepEqual([stderr, status], ["", 0]);
    return stdout.trim().split("\n");
  }

  it("completes commands, options and choices in bash, and leaves file names to it", () => {
    assert.deepEqual(inBash("mi"), ["migrate-terraform"]);
    assert.deepEqual(inBash("adopt", "--re"), ["--region"]);
    assert.deepEqual(inBash("completion", ""), [...SHELLS]);
    assert.deepEqual(inBash("report", "--fail-on", ""), [...ALL_RISKS]);
    assert.deepEqual(inBash("audit", "--fail-on", ""), ["public"]);
    assert.deepEqual(inBash("migrate-terraform", ""), [""]);
    assert.deepEqual(inBash("adopt", "--profile", ""), [""]);
    assert.match(completionScript(program, "bash"), /^complete -o default /m);
  });

  it("has the same words for zsh and fish", () => {
    assert.match(completionScript(program, "zsh"), /bashcompinit\n_ami_launch_permissions\(\)/);
    const fish = completionScript(program, "fish");
    for (const command of COMMANDS) assert.ok(fish.includes(`-f -a ${command.name()} -d '`), command.name());
    // A quote in a description would end the text.
    for (const line of fish.trim().split("\n")) assert.equal(line.replaceAll("\\'", "").split("'").length % 2, 1, line);
  });
});

describe("the terminal", () => {
  it("gets colours on a terminal only, unless NO_COLOR or FORCE_COLOR say otherwise", () => {
    const red = (isTTY: boolean, env: NodeJS.ProcessEnv) => paintFor(new Collected(isTTY), env)("red", "x") !== "x";
    assert.deepEqual(
      [
        red(true, {}),
        red(false, {}),
        red(true, { NO_COLOR: "1" }),
        red(true, { TERM: "dumb" }),
        red(false, { FORCE_COLOR: "1" }),
      ],
      [true, false, false, false, true],
    );
  });

  it("shows progress in one line of a terminal, and removes it; elsewhere in a line every ten seconds", () => {
    let now = 0;
    const [on, off] = [terminal(true), terminal(false)];
    const [shown, logged] = [progressOn(on, () => now), progressOn(off, () => now)];
    for (now = 1000; now <= 25_000; now += 1000) {
      shown.at("AMIs read", now / 1000, 25);
      logged.at("AMIs read", now / 1000, 25);
    }
    shown.end();
    logged.end();
    assert.deepEqual(off.stderr.text.trim().split("\n"), ["AMIs read: 10 of 25", "AMIs read: 20 of 25"]);
    assert.ok(on.stderr.text.endsWith("\r\u001b[2KAMIs read: 25 of 25\r\u001b[2K"), JSON.stringify(on.stderr.text));
    assert.ok(!on.stderr.text.includes("\n"));
  });
});
