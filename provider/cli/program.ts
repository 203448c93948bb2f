/** The commands with their arguments, help and exit codes. Each command loads its code when it runs. */

import * as fs from "node:fs";
import * as path from "node:path";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { AuditOptions } from "./audit/command";
import type { CheckOptions } from "./check/command";
import { completionScript, SHELLS, type Shell } from "./completion";
import type { ConnectionOptions } from "./connectionOptions";
import { named, readBytes } from "./files";
import type { ReportOptions } from "./report/command";
import { ALL_RISKS, type Risk } from "./report/risks";
import { type Terminal, tellErrors } from "./terminal";

/** What a command ends with: 0: it did its work; 1: `check` or `--fail-on` found something; 2: it could not do its work. */
export type ExitCode = 0 | 1 | 2;

const NAME = "ami-launch-permissions";

/** Runs the command line. Messages of errors go to standard error, without a stack trace. */
export async function run(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  // The advice of the AWS SDK on versions of Node.js is not an answer to what was asked.
  terminal.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  let code: ExitCode = 0;
  const program = programFor(terminal, (found) => {
    code = found;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    // Commander has written its message itself.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    tellErrors([(error as Error).message], terminal);
    return 2;
  }
}

/** @param end called with the exit code, unless it is 0 */
export function programFor(terminal: Terminal, end: (code: ExitCode) => void): Command {
  const program = new Command(NAME)
    .description("Shows, audits and checks with whom AMIs are shared. The exit code is 2 if a command cannot do its work.")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("-h, --help", "print this help, or that of a command")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    .showHelpAfterError(`(${NAME} --help shows the commands, and ${NAME} COMMAND --help the options and examples of one)`)
    .configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    });
  const tool = `${NAME} ${packageVersion()}`;
  const print = (text: string) => void terminal.stdout.write(`${text}\n`);

  const report = program
    .command("report")
    .summary("show who gains and who loses access by a preview or a plan, or who has access now")
    .description(
      "Shows who gains and who loses access by a preview of Pulumi or a plan of Terraform, or who has access to AMIs now. Without --html, --markdown or --json, it prints text.",
    )
    .option("--pulumi <file>", "what pulumi preview --json printed", nonEmpty)
    .option("--terraform <file>", "what terraform show -json printed of a saved plan", nonEmpty)
    .option(
      "--messages <file>",
      "with --terraform: what terraform plan -json printed. It says whom new sets take access from",
      nonEmpty,
    )
    .option("--live <ami...>", "AMIs of the caller, as EC2 has them now")
    .addOption(failOn("exit with 1 if the change does one of these, or the file does not tell"))
    .addHelpText(
      "after",
      examples(
        "report --pulumi preview.json --markdown comment.md --fail-on public",
        "report --terraform plan.json --messages plan.log --html report.html --fail-on broadens,revokes",
        "report --live ami-0123456789abcdef0 --region eu-west-1 --json -",
      ),
    )
    .action(async (options: ReportOptions) => {
      const { runReport } = await import("./report/command");
      if (await runReport(options, tool, terminal)) end(1);
    });
  withBook(withConnection(withForms(report)));

  const audit = program
    .command("audit")
    .summary("show every AMI of the caller and who may launch it")
    .description(
      "Shows every AMI of the caller in some regions: who may launch it and copy its snapshots, whether it is public, encrypted, deprecated or protected. It reads only. If a part cannot be read, the rest is shown, and the exit code is 2.",
    )
    .addOption(
      new Option(
        "--regions <list>",
        "regions with commas between them, or all that are enabled for the account (default: the region of the environment)",
      ).argParser(listOption),
    )
    .option("--account <id>", "only AMIs that this account may launch", nonEmpty)
    .option("--usage", "ask EC2 who uses each shared AMI; this creates usage reports, and takes longer")
    .option("--profile <profile>", "a profile of the shared AWS files", nonEmpty)
    .option("--endpoint <url>", "another endpoint of EC2", nonEmpty)
    .addOption(failOn("exit with 1 if an AMI is public", ["public"]))
    .addHelpText(
      "after",
      examples(
        "audit --regions all --html audit.html",
        "audit --account 111122223333",
        "audit --regions eu-west-1,us-east-1 --json - --fail-on public",
      ),
    )
    .action(async (options: AuditOptions) => {
      const { runAudit } = await import("./audit/command");
      end(await runAudit(options, tool, terminal));
    });
  withBook(withForms(audit));

  const check = program
    .command("check")
    .summary("compare declared sets with EC2, for a nightly job")
    .description(
      "Compares declared sets with EC2. The file has sets in YAML or JSON, as the config of the stack program, or is what pulumi stack export printed, a terraform.tfstate, or what terraform show -json printed of a state. It reads only. If some AMIs cannot be read, the rest is compared. The exit code is 1 if EC2 differs, and 2 if it could not be read.",
    )
    .argument("<file>", "the sets")
    .addHelpText("after", examples("check sets.yaml --region eu-west-1", "check terraform.tfstate --json differences.json"))
    .action(async (file: string, options: CheckOptions) => {
      const { runCheck } = await import("./check/command");
      end(await runCheck(file, options, tool, terminal));
    });
  withBook(withConnection(withForms(check)));

  const adopt = program
    .command("adopt")
    .summary("print the Pulumi program that declares an AMI as it is shared now")
    .description(
      "Prints a Pulumi program in TypeScript that declares an AMI as it is shared now. An up of this program changes nothing in EC2.",
    )
    .argument("<ami-id>", "the AMI, ami-…")
    .addHelpText("after", examples("adopt ami-0123456789abcdef0 --region eu-west-1 > index.ts"))
    .action(async (imageId: string, connection: ConnectionOptions) => {
      const { adopt } = await import("./adopt");
      print(await adopt(imageId, connection));
    });
  withConnection(adopt);

  program
    .command("migrate-terraform")
    .summary("print how to migrate from resources with one principal each to sets")
    .description(
      "Prints how to migrate from aws_ami_launch_permission and aws_snapshot_create_volume_permission to sets, so that nobody loses access. For a terraform.tfstate or the output of terraform show -json, it prints Terraform blocks. For the output of pulumi stack export, it prints a program and commands. It reads only this file.",
    )
    .argument("<file>", "a state")
    .addHelpText("after", examples("migrate-terraform terraform.tfstate > migration.tf"))
    .action(async (file: string) => {
      const { migrationText } = await import("./migration");
      print(named(file, () => migrationText(readBytes(file, "a state"))).trimEnd());
    });

  program
    .command("install-terraform-provider")
    .summary("install the Terraform provider into a folder")
    .description("Installs the Terraform provider into a folder: terraform.d/plugins of a configuration, or a filesystem mirror.")
    .argument("<folder>", "the folder")
    .addHelpText("after", examples("install-terraform-provider terraform.d/plugins"))
    .action(async (folder: string) => {
      const { installProvider } = await import("../terraform");
      print(installProvider(folder).join("\n"));
    });

  program
    .command("install-pulumi-plugin")
    .summary("install the full Pulumi provider where Pulumi looks for plugins")
    .description("Installs the full Pulumi provider where Pulumi looks for plugins: the folder plugins of PULUMI_HOME.")
    .action(async () => {
      const { installPlugin } = await import("../pulumi-plugin/install");
      print(installPlugin());
    });

  program
    .command("completion")
    .summary("print the script that completes this command in a shell")
    .description("Prints the script that completes commands, options and file names in a shell.")
    .addArgument(new Argument("<shell>", "the shell").choices(SHELLS))
    .addHelpText("after", examples("completion bash > ~/.local/share/bash-completion/completions/ami-launch-permissions"))
    .action((shell: Shell) => void terminal.stdout.write(completionScript(program, shell)));
  return program;
}

/** Where a report goes. Without any of these, a command prints text. */
function withForms(command: Command): Command {
  return command
    .option("--html <file>", "write one HTML page, which needs no network; - is standard output", nonEmpty)
    .option("--markdown <file>", "write Markdown, as for the comment on a pull request; - is standard output", nonEmpty)
    .option("--json <file>", "write JSON, of the form in docs/report.schema.json; - is standard output", nonEmpty);
}

function withConnection(command: Command): Command {
  return command
    .option("--region <region>", "the AMI's region", nonEmpty)
    .option("--profile <profile>", "a profile of the shared AWS files", nonEmpty)
    .option("--endpoint <url>", "another endpoint of EC2", nonEmpty);
}

/** What EC2 does not know of grantees. */
function withBook(command: Command): Command {
  return command
    .option(
      "--names <file>",
      "names of accounts, which are shown beside their ids: a YAML, JSON or CSV file, or organizations to ask AWS Organizations",
      nonEmpty,
    )
    .option(
      "--allowed <file>",
      "a YAML, JSON, CSV or text file of the only grantees that are allowed; others who have access are marked and counted",
      nonEmpty,
    );
}

function failOn(text: string, risks: readonly Risk[] = ALL_RISKS): Option {
  // The choices are for the help and for completion: the value can be a list of them.
  return new Option("--fail-on <list>", text).choices(risks).argParser((value, before: unknown): Risk[] => {
    const names = listOption(value, before);
    const isWrong = names.some((name) => !(risks as readonly string[]).includes(name));
    if (isWrong)
      throw new InvalidArgumentError(
        risks.length === 1
          ? `Here, only ${risks[0]} can be found.`
          : `Name one or more of ${risks.join(", ")}, with commas between them.`,
      );
    return names as Risk[];
  });
}

function listOption(value: string, before: unknown): string[] {
  refuseSecond(before);
  const items = value.split(",").map((item) => item.trim());
  if (items.includes("")) throw new InvalidArgumentError("Give names with commas between them.");
  return items;
}

function nonEmpty(value: string, before: unknown): string {
  refuseSecond(before);
  if (value.trim() === "") throw new InvalidArgumentError("It is empty.");
  return value;
}

/** @param before what the same option was given before */
function refuseSecond(before: unknown): void {
  if (before !== undefined) throw new InvalidArgumentError("It is given twice.");
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${NAME} ${line}\n`).join("")}`;
}

function packageVersion(): string {
  const folder = path.join(__dirname, path.basename(path.dirname(__dirname)) === "dist" ? "../.." : "..");
  return (JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8")) as { version: string }).version;
}
