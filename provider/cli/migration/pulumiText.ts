/** Writes the program and the commands that migrate from Pulumi's old resources, which have one principal each, to sets. */

import { escapeControls } from "../../core";
import { IMPORT, setText } from "../programText";
import { type Migration, type NewSet, type Stray, told } from "./migration";
import type { PulumiState } from "./oldState";

export function pulumiText(migration: Migration, state: PulumiState): string {
  const { sets, forgotten, left, strays, forgottenByStrays } = migration;
  const gone = new Set(forgotten.map(({ name }) => name));
  const dependents = state.dependents.filter(({ on }) => on.some((urn) => gone.has(urn)));
  const lost = forgotten.flatMap((one) => one.lost);
  const steps = [
    "Written by: ami-launch-permissions migrate-terraform",
    "",
    "1. Add the sets below to the program, beside the old resources, and run pulumi up. Continue only if its preview says that nothing",
    "   changes and nobody loses access. If it shows a change, somebody else shared the AMI, or a comment below says what to add.",
    ...(dependents.length === 0
      ? []
      : [
          "   These resources depend on old resources. In the same up, remove these dependencies from the program:",
          ...dependents.map((one) => `     ${one.address}`),
        ]),
    "2. Remove the old resources from the program. Do not run up yet: it would revoke what they granted.",
    "3. Remove them from the state. Nothing changes in AWS:",
    "",
    ...commands([...gone], state.isProtected),
    "",
    "4. Run pulumi preview. CONTINUE ONLY IF IT DELETES NOTHING. Then run pulumi up.",
    ...(lost.length === 0 ? [] : ["", "No set manages these from here on; they stay shared:", ...told(lost)]),
    ...(left.length === 0 ? [] : ["", "These stay as they are; leave them in the program:", ...told(left)]),
  ];
  return `${[
    blockComment(steps),
    IMPORT,
    ...sets.map((one) => setOf(one)),
    ...(strays.length === 0 ? [] : [blockComment(strayLines(strays, forgottenByStrays, state.isProtected))]),
  ].join("\n\n")}\n`;
}

function setOf({ declared, comments, providers, known }: NewSet): string {
  const name = String(declared.imageId);
  const notes = [
    ...comments,
    ...(declared.region === undefined
      ? ["Its region is not in the state: add region if it is not the region of the stack."]
      : []),
    ...providers.map(
      (one) =>
        `It was shared through the provider ${JSON.stringify(one)}: add profile or assumeRole if that is another account than the stack's.`,
    ),
  ];
  if (known)
    return blockComment([
      `AMI ${name} is in the stack already, as ${known.address}. Its lists must contain the values of these lists:`,
      ...notes,
      ...setText(name, declared),
    ]);
  const { imageId, region, ...rest } = declared;
  return [
    ...[`AMI ${name}`, ...notes].map((line) => `// ${escapeControls(line)}`),
    ...setText(name, { imageId, region, ...rest }),
  ].join("\n");
}

function strayLines(strays: readonly Stray[], forgotten: readonly string[], isProtected: ReadonlySet<string>): string[] {
  return [
    "The state does not say which AMIs these snapshots belong to. To find out, run:",
    "  aws ec2 describe-images --owners self --filters Name=block-device-mapping.snapshot-id,Values=SNAPSHOT",
    "If it is an AMI above, add the line to its set. If these are all its snapshots and accounts, createVolumePermissions: true is enough.",
    "",
    ...strays.map(({ snapshotIds, accountIds, public: everybody }) => {
      const volumes = { accountIds, snapshotIds, ...(everybody ? { public: true } : {}) };
      return `  createVolumePermissions: ${JSON.stringify(volumes)},${everybody ? " acknowledgePublic: true," : ""}`;
    }),
    ...(forgotten.length === 0
      ? []
      : [
          "",
          "Only if you did so, remove these from the state, too, in step 3. Otherwise leave them in the program.",
          "",
          ...commands(forgotten, isProtected),
        ]),
  ];
}

/** In a state, a resource comes after the resources that it depends on. It must be removed before them. */
function commands(urns: readonly string[], isProtected: ReadonlySet<string>): string[] {
  return [...urns].reverse().map((urn) => `pulumi state delete --yes${isProtected.has(urn) ? " --force" : ""} ${quoted(urn)}`);
}

/** Quotes one word for a shell. Characters that would end the comment, and invisible ones, are written as escapes of bash and zsh. */
function quoted(word: string): string {
  const isPlain = escapeControls(word) === word && !word.includes("*/");
  if (isPlain) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = word.replace(/['\\]/g, (one) => `\\${one}`).replaceAll("*/", "*\\x2f");
  return `$'${escapeControls(escaped)}'`;
}

function blockComment(lines: readonly string[]): string {
  const safe = lines.map((line) => escapeControls(line).replaceAll("*/", "*\\/").trimEnd());
  return ["/*", ...safe, "*/"].join("\n");
}
