/** The program and the commands that take Pulumi from the one-principal resources to sets; pure text. */

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
    "1. Add the sets below to the program, beside the old resources, and run pulumi up. Go on only if its preview says that nothing",
    "   changes and nobody loses access: what it would change, the state did not know, or a comment below says what to add.",
    ...(dependents.length === 0
      ? []
      : [
          "   These depend on old resources; in the same up, take that out of the program:",
          ...dependents.map((one) => `     ${one.address}`),
        ]),
    "2. Take the old resources out of the program. Run no up yet: it would revoke what they granted.",
    "3. Have the stack forget them; nothing changes in AWS:",
    "",
    ...commands([...gone], state.isProtected),
    "",
    "4. pulumi preview. GO ON ONLY IF IT DELETES NOTHING. Then pulumi up.",
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
    ...(declared.region === undefined ? ["Its region is not in the state: add region, where it is not the stack's."] : []),
    ...providers.map(
      (one) =>
        `It was shared through the provider ${JSON.stringify(one)}: add profile or assumeRole, where that is another account than the stack's.`,
    ),
  ];
  if (known)
    return blockComment([
      `AMI ${name} is in the stack already, as ${known.address}. Its lists have to hold what is in these:`,
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
    "The state does not say which AMIs these snapshots are of:",
    "  aws ec2 describe-images --owners self --filters Name=block-device-mapping.snapshot-id,Values=SNAPSHOT",
    "Where it is an AMI above, put the line into its set, or only createVolumePermissions: true where these are all its snapshots and accounts.",
    "",
    ...strays.map(({ snapshotIds, accountIds, public: everybody }) => {
      const volumes = { accountIds, snapshotIds, ...(everybody ? { public: true } : {}) };
      return `  createVolumePermissions: ${JSON.stringify(volumes)},${everybody ? " acknowledgePublic: true," : ""}`;
    }),
    ...(forgotten.length === 0
      ? []
      : [
          "",
          "Then, and only then, have the stack forget these in step 3. Otherwise leave them in the program.",
          "",
          ...commands(forgotten, isProtected),
        ]),
  ];
}

/** What depends on another one stands after it in a state, and is forgotten before it. */
function commands(urns: readonly string[], isProtected: ReadonlySet<string>): string[] {
  return [...urns].reverse().map((urn) => `pulumi state delete --yes${isProtected.has(urn) ? " --force" : ""} ${quoted(urn)}`);
}

/** One word of a POSIX shell; what would end the comment or does not show is written by its number, as bash and zsh read it. */
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
