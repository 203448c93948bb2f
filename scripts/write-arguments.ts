/**
 * Writes the parts of files that are generated from the tables of arguments: the interfaces of Pulumi programs, the interfaces and tables
 * of the constructs, and the tables in docs/. With
 * `--check`, the script writes nothing, and fails if a part is out of date.
 */

import {
  type Argument,
  type Arguments,
  CONNECTION_ARGUMENTS,
  defaultOf,
  descriptionOf,
  type Engine,
  isMembers,
  type Members,
  meaningOf,
  OUTPUTS,
  type Output,
  PROVIDER_ARGUMENTS,
  SET_ARGUMENTS,
} from "../provider/core/declaration/argumentTable";
import { CONFIG_ARGUMENTS } from "../provider/pulumi-plugin/configArguments";
import { camelCase, inTerraformWords, snakeCase } from "../provider/terraform/diagnostics";
import { type Parts, writeParts } from "./parts";

const WIDTH = 130;

const { region, ...others } = SET_ARGUMENTS;

const FILES: Parts = {
  "provider/pulumi/amiLaunchPermissionSet.ts": {
    arguments: [
      ...objectsIn({ ...CONNECTION_ARGUMENTS, ...others }).map((members) =>
        interfaceOf(`export interface ${members.name}Args`, members.text, members.members, pulumiMember),
      ),
      interfaceOf(
        "export interface ConnectionArgs",
        "How to reach EC2. Default: the stack's `aws:*` config, then the SDK's default chain.",
        { region, ...CONNECTION_ARGUMENTS },
        pulumiMember,
      ),
      interfaceOf(
        "export interface AmiLaunchPermissionSetArgs extends ConnectionArgs",
        "The arguments of a set.",
        others,
        pulumiMember,
      ),
    ].join("\n\n"),
    outputs: Object.entries<Output>(OUTPUTS)
      .filter(([name]) => name !== "id")
      .map(([name, { type, text }]) => {
        const inPulumi = { string: "string", strings: "string[]", grants: "Grants" }[type];
        return `${comment(text, "  ")}\n  declare readonly ${name}: pulumi.Output<${inPulumi}>;`;
      })
      .join("\n"),
  },
  "provider/cdk/amiLaunchPermissionSet.ts": {
    arguments: [...constructs("AmiLaunchPermissionSet", SET_ARGUMENTS), ...computed(OUTPUTS)].join("\n\n"),
  },
  "provider/cdk/amiProvider.ts": { arguments: constructs("AmiProvider", PROVIDER_ARGUMENTS).join("\n\n") },
  "docs/arguments.md": {
    arguments: table(rowsOf({ ...SET_ARGUMENTS, ...CONNECTION_ARGUMENTS }, "pulumi")),
    outputs: outputTable("pulumi"),
  },
  "docs/terraform.md": {
    provider: table(rowsOf(PROVIDER_ARGUMENTS, "terraform")),
    arguments: table(rowsOf(SET_ARGUMENTS, "terraform")),
    outputs: outputTable("terraform"),
  },
  "docs/pulumi-plugin.md": { config: table(rowsOf(CONFIG_ARGUMENTS, "config")) },
};

/** The tables that the parts come from, if it is not the core's. */
const SOURCES: Readonly<Record<string, string>> = { "docs/pulumi-plugin.md": "provider/pulumi-plugin/configArguments.ts" };

main(process.argv.includes("--check"));

function main(isCheck: boolean): void {
  for (const file of writeParts(FILES, source, isCheck)) {
    if (!isCheck) continue;
    console.error(`write-arguments: ${file} is out of date: run npm run fix`);
    process.exitCode = 1;
  }
}

function source(file: string): string {
  if (!file.endsWith(".md")) return "`npm run fix` writes it from core/declaration/argumentTable.ts";
  return `npm run fix writes it from ${SOURCES[file] ?? "provider/core/declaration/argumentTable.ts"}`;
}

/** The arguments that are objects. */
function objectsIn(args: Arguments): Members[] {
  return Object.values(args).flatMap(({ type }) => (isMembers(type) ? [type] : []));
}

function interfaceOf(head: string, text: string, args: Arguments, memberOf: typeof pulumiMember): string {
  const members = Object.entries(args).map(([name, argument]) => memberOf(name, argument));
  return [comment(text), `${head} {`, ...members, "}"].join("\n");
}

function pulumiMember(name: string, argument: Argument): string {
  const { type, isRequired, orInPulumi } = argument;
  const list = (item: string) => `pulumi.Input<${item}>[]`;
  const plain =
    typeof type === "object"
      ? "members" in type
        ? `${type.name}Args`
        : type.name
      : {
          string: "string",
          boolean: "boolean",
          number: "number",
          strings: list("string"),
          accounts: list("AccountId"),
          names: "Record<string, pulumi.Input<string>>",
        }[type];
  const input = `pulumi.Input<${orInPulumi === undefined ? plain : `${plain} | ${orInPulumi}`}>`;
  return `${comment(descriptionOf(argument, "pulumi"), "  ")}\n  ${name}${isRequired ? `: ${input}` : `?: ${input} | undefined`};`;
}

/** The interfaces and tables of a construct: of its objects, of its other arguments, and of all arguments. */
function constructs(construct: string, args: Arguments): string[] {
  const member = (name: string, argument: Argument) => constructMember(construct, name, argument);
  const objects = objectsIn(args);
  const plain = Object.fromEntries(Object.entries(args).filter(([, argument]) => !isMembers(argument.type)));
  const nested = Object.fromEntries(Object.entries(args).filter(([, argument]) => isMembers(argument.type)));
  return [
    ...objects.map(({ name, text, members }) => interfaceOf(`export interface ${construct}${name}`, text, members, member)),
    interfaceOf("interface PlainArguments", "The arguments that are not objects.", plain, member),
    interfaceOf("interface Arguments extends PlainArguments", "All arguments.", nested, member),
    ...objects.map(({ name, members }) => kinds(constantOf(name), `${construct}${name}`, members)),
    kinds("ARGUMENTS", "Arguments", args),
  ];
}

function constructMember(construct: string, name: string, argument: Argument): string {
  const { type, isRequired } = argument;
  const written =
    typeof type === "object"
      ? "members" in type
        ? `${construct}${type.name}`
        : "string"
      : {
          string: "string",
          boolean: "boolean | cdktn.IResolvable",
          number: "number",
          strings: "string[]",
          accounts: "string[]",
          names: "{ [key: string]: string }",
        }[type];
  const words = inConstructs(descriptionOf(argument, "terraform"));
  return `${comment(words, "  ")}\n  readonly ${name}${isRequired ? `: ${written}` : `?: ${written} | undefined`};`;
}

function computed(outputs: Readonly<Record<string, Output>>): string[] {
  const members = Object.entries(outputs).map(([name, { type, text }]) => {
    const written = { string: "string", strings: "string[]", grants: "cdktn.StringMap" }[type];
    return `${comment(text, "  ")}\n  readonly ${name}: ${written};`;
  });
  const kindsOf = Object.entries(outputs).map(([name, { type }]) => [
    name,
    { string: '"string"', strings: '"set"', grants: '"map"' }[type],
  ]);
  return [
    [comment("The attributes that Terraform computes."), "interface Computed {", ...members, "}"].join("\n"),
    constant(
      "COMPUTED",
      "Computed",
      kindsOf.map(([name, kind]) => `${name}: ${kind}`),
    ),
  ];
}

/** The table of an interface's members. The base of the constructs reads it. */
function kinds(name: string, shape: string, args: Arguments): string {
  const entries = Object.entries(args).map(([argument, { type }]) => {
    if (typeof type === "object") return `${argument}: ${"members" in type ? constantOf(type.name) : '"string"'}`;
    return `${argument}: "${{ string: "string", boolean: "bool", number: "number", strings: "set", accounts: "set", names: "map" }[type]}"`;
  });
  return constant(name, shape, entries);
}

function constant(name: string, shape: string, entries: readonly string[]): string {
  const head = `const ${name}: TableOf<${shape}> = {`;
  const line = `${head} ${entries.join(", ")} };`;
  return line.length <= WIDTH ? line : [head, ...entries.map((entry) => `  ${entry},`), "};"].join("\n");
}

function constantOf(name: string): string {
  return snakeCase(name).replace(/^_/, "").toUpperCase();
}

/** Converts names and assignments of Terraform to those of programs. */
function inConstructs(words: string): string {
  return words.replace(/`[a-z_ ={}]+`/g, (code) => camelCase(code).replaceAll(" = ", ": "));
}

/** A doc comment, wrapped to the line width. */
function comment(text: string, indent = ""): string {
  const line = `${indent}/** ${text} */`;
  if (line.length <= WIDTH) return line;
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= WIDTH) lines.splice(-1, 1, longer);
    else lines.push(`${indent} * ${word}`);
  }
  return [`${indent}/**`, ...lines, `${indent} */`].join("\n");
}

/**
 * The rows of a table in docs: each argument and its members, with meaning and default. The configuration of Pulumi's plugin has the meaning
 * of Terraform's provider block, and the names of the table.
 */
function rowsOf(args: Arguments, view: Engine | "config", parent = ""): string[] {
  const inWords = view === "terraform" ? inTerraformWords : (words: string) => words;
  const engine = view === "pulumi" ? "pulumi" : "terraform";
  return Object.entries(args).flatMap(([name, argument]) => {
    const { type, see, isRequired } = argument;
    const path = `${parent}${view === "terraform" ? snakeCase(name) : name}`;
    const more = see === undefined ? "" : ` See [${see.replace(/#.*/, "")}](${see})`;
    const missing = isRequired ? "required" : inWords(defaultOf(argument, engine) ?? "");
    const row = `| \`${path}\` | ${inWords(meaningOf(argument, engine)).replace(/\.$/, more === "" ? "" : ".")}${more} | ${missing} |`;
    return [row, ...(isMembers(type) ? rowsOf(type.members, view, `${path}.`) : [])];
  });
}

function table(rows: readonly string[]): string {
  return ["| argument | meaning | default |", "|---|---|---|", ...rows].join("\n");
}

function outputTable(engine: Engine): string {
  const rows = Object.entries<Output>(OUTPUTS).map(
    ([name, { text }]) => `| \`${engine === "terraform" ? snakeCase(name) : name}\` | ${text.replace(/\.$/, "")} |`,
  );
  return ["| output | meaning |", "|---|---|", ...rows].join("\n");
}
