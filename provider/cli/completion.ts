/** Completion scripts of shells, written from the commands and their options. Pure functions. */

import type { Command } from "commander";

/** The shells that have a script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script that completes commands, options, their choices, and else file names. */
export function completionScript(program: Command, shell: Shell): string {
  if (shell === "fish") return fish(program);
  const load = shell === "zsh" ? "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n" : "";
  return load + bash(program);
}

function bash(program: Command): string {
  const name = program.name();
  const each = program.commands.map((command) => {
    const options = optionsOf(command);
    const rules = options
      .filter(({ takesValue }) => takesValue)
      .map(({ flags, values }) => `        ${flags.join("|")}) words='${values.join(" ")}' ;;\n`);
    const flags = options.flatMap((option) => option.flags).join(" ");
    const words = `      if [[ $current == -* ]]; then words='${flags}'; else words='${argumentChoices(command).join(" ")}'; fi\n`;
    const byOption = rules.length > 0 ? `      case $previous in\n${rules.join("")}      esac\n` : "";
    return `    ${command.name()})\n${words}${byOption}      ;;\n`;
  });
  const own = optionsOf(program).flatMap(({ flags }) => flags);
  // Without a word of the list, bash completes file names.
  return `_${identifier(name)}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=''
  if ((COMP_CWORD == 1)); then
    words='${[...program.commands.map((command) => command.name()), ...own].join(" ")}'
  else
    case \${COMP_WORDS[1]} in
${each.join("")}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${identifier(name)} ${name}
`;
}

function fish(program: Command): string {
  const name = program.name();
  const lines = [
    ...optionsOf(program).map((option) => fishOption(name, "__fish_use_subcommand", option)),
    ...program.commands.flatMap((command) => {
      const within = `__fish_seen_subcommand_from ${command.name()}`;
      const choices = argumentChoices(command);
      return [
        `complete -c ${name} -n __fish_use_subcommand -f -a ${command.name()} -d ${quoted(command.summary() || command.description())}`,
        ...(choices.length > 0 ? [`complete -c ${name} -n ${quoted(within)} -f -a ${quoted(choices.join(" "))}`] : []),
        ...optionsOf(command).map((option) => fishOption(name, quoted(within), option)),
      ];
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function fishOption(name: string, within: string, { flags, takesValue, values, text }: CompletedOption): string {
  const named = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(" ");
  const value = values.length > 0 ? ` -x -a ${quoted(values.join(" "))}` : takesValue ? " -r" : "";
  return `complete -c ${name} -n ${within} ${named}${value} -d ${quoted(text)}`;
}

interface CompletedOption {
  /** Such as `-h` and `--help`. */
  readonly flags: readonly string[];
  readonly takesValue: boolean;
  /** The values that it can have, if they are a fixed list. */
  readonly values: readonly string[];
  readonly text: string;
}

function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map(({ short, long, required, optional, argChoices = [], description }) => ({
      flags: [short, long].filter((flag) => flag !== undefined),
      takesValue: required || optional,
      values: argChoices,
      text: description,
    }));
}

function argumentChoices(command: Command): readonly string[] {
  return command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
}

function identifier(name: string): string {
  return name.replaceAll("-", "_");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
