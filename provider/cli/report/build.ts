/** Makes a report from what each set changes: one entry for each AMI, whichever sets share it. No I/O. */

import {
  broadenings,
  escapeControls,
  type GranteeKey,
  granteesOf,
  isEmpty,
  minus,
  type Permissions,
  PUBLIC,
  parseGranteeKey,
  union,
} from "../../core";
import { SECRET_OF_OTHERS, withoutSecrets } from "../../pulumi/secrets";
import { bookForOwner, type GranteeBook } from "../granteeBook";
import { countsOf, EVERY_SNAPSHOT, type SetChange } from "./changes";
import { type Access, FORMAT_VERSION, type Hidden, type Report, type ReportedAmi, type ReportedGrant } from "./model";
import { ALL_RISKS, type Risk } from "./risks";

/** What a report is made from, besides its AMIs. */
export interface ReportSource extends Pick<Report, "kind" | "tool"> {
  readonly readAt?: string | undefined;
  /** Whether all changes are in the file. Default: they are. */
  readonly isComplete?: boolean;
  readonly warnings?: readonly string[];
  readonly notes?: readonly string[];
}

/** The report on the changes of a plan. */
export function reportOnChanges(changes: readonly SetChange[], source: ReportSource, book: GranteeBook): Report {
  const byAmi = new Map<string, SetChange[]>();
  for (const change of changes) {
    const { imageId, region = "" } = change.image;
    // Two AMIs that are not known yet may be one, or two.
    const key = imageId === undefined ? `unknown ${byAmi.size}` : `${region}/${imageId}`;
    byAmi.set(key, [...(byAmi.get(key) ?? []), change]);
  }
  const amis = [...byAmi.values()].map((group) => amiOfChanges(group, book));
  // A check shows what EC2 has.
  return reportOn(source.kind === "check" ? amis : amis.map(withoutMarksOfThoseWhoLeave), source);
}

/** After a plan, they have no access, so that it is no matter whether they are allowed. */
function withoutMarksOfThoseWhoLeave(ami: ReportedAmi): ReportedAmi {
  const grants = ami.grants.map(({ allowed, ...grant }) => {
    const leaves = !grant.after.launch && grant.after.createVolume === "none";
    return allowed === undefined || leaves ? grant : { ...grant, allowed };
  });
  return { ...ami, grants };
}

/** The report on AMIs. Those that broaden access come first, then those that take it away, then those that give it. */
export function reportOn(amis: readonly ReportedAmi[], source: ReportSource): Report {
  const { kind, tool, readAt, warnings = [], notes = [], isComplete = true } = source;
  const sorted = [...amis].sort((a, b) => rankOf(a) - rankOf(b) || (sortText(a) < sortText(b) ? -1 : 1));
  const notAllowed = sorted.flatMap(({ grants }) => grants.filter(({ allowed }) => allowed === false)).length;
  const total = (name: keyof Hidden) => sorted.reduce((sum, ami) => sum + countOf(ami, name), 0);
  return {
    formatVersion: FORMAT_VERSION,
    kind,
    tool,
    ...(readAt === undefined ? {} : { readAt }),
    summary: {
      amis: sorted.length,
      gains: total("gains"),
      loses: total("loses"),
      keeps: total("keeps"),
      risks: ALL_RISKS.filter((risk) => sorted.some((ami) => risksOf(ami).includes(risk))),
      cannotTell: ALL_RISKS.filter((risk) => !isComplete || sorted.some((ami) => ami.cannotTell.includes(risk))),
    },
    amis: sorted,
    warnings: [
      ...(notAllowed > 0 ? [`not in the list of --allowed: ${notAllowed} of those who have access`] : []),
      ...warnings,
    ].map(escapeControls),
    notes: notes.map(escapeControls),
  };
}

/** How many grantees of an AMI gain, lose or keep access, hidden ones included. */
export function countOf({ grants, hidden }: ReportedAmi, name: keyof Hidden): number {
  const named = grants.filter(({ change }) => change === name || (change === "gains and loses" && name !== "keeps"));
  return named.length + (hidden?.[name] ?? 0);
}

/** What `--fail-on` can find at an AMI. */
export function risksOf(ami: ReportedAmi): Risk[] {
  const isPublic =
    ami.details?.public ?? ami.broadens.some(({ kind, text }) => kind === "public" || text.startsWith("everybody"));
  return ALL_RISKS.filter((risk) => {
    if (risk === "broadens") return ami.broadens.length > 0;
    return risk === "public" ? isPublic : countOf(ami, "loses") > 0;
  });
}

function rankOf(ami: ReportedAmi): number {
  if (ami.broadens.length > 0) return 0;
  if (countOf(ami, "loses") > 0 || ami.errors.length > 0) return 1;
  return countOf(ami, "gains") > 0 || ami.cannotTell.length > 0 ? 2 : 3;
}

function sortText({ region = "", label, sets }: ReportedAmi): string {
  return [region, label, ...sets.map(({ address }) => address)].join(" ");
}

/** What the sets of one AMI change. */
export function amiOfChanges(changes: readonly SetChange[], book: GranteeBook): ReportedAmi {
  const images = changes.map(({ image }) => image);
  const known = <Value>(values: readonly (Value | undefined)[]) => values.find((value) => value !== undefined);
  const snapshotIds = known(images.map((image) => image.snapshotIds));
  const whole = (permissions: readonly Permissions[]) => expanded(permissions.reduce(union), snapshotIds);
  const [before, after] = [whole(changes.map((one) => one.before)), whole(changes.map((one) => one.after))];
  const why = new Map(changes.flatMap((one) => [...one.why]));
  const unknown = changes.flatMap((one) => [...one.unknown]);
  const [imageId, region, ownerId] = [
    known(images.map((image) => image.imageId)),
    known(images.map((image) => image.region)),
    known(images.map((image) => image.ownerId)),
  ];
  const isHidden = changes.some(({ hidden }) => hidden);
  const texts = (name: "warnings" | "errors" | "notes") => [
    ...new Set(changes.flatMap((one) => one[name].map((text) => escapeControls(isHidden ? withoutGrantees(text) : text)))),
  ];
  // The other sets of the AMI show the same grantees, so they are a secret there, too.
  const open = isHidden && !(isEmpty(before) && isEmpty(after)) ? [countsOf(before, after)] : [];
  const secrets = [...changes.flatMap(({ hidden }) => hidden ?? []), ...open];
  return {
    label: imageId ?? escapeControls(images[0]?.label ?? ""),
    ...(imageId === undefined ? {} : { imageId }),
    ...(region === undefined ? {} : { region: escapeControls(region) }),
    ...(ownerId === undefined ? {} : { ownerId }),
    sets: changes
      .map(({ set }) => escapedSet(set))
      .filter((set, i, all) => all.findIndex((one) => one.address === set.address) === i),
    grants: isHidden
      ? []
      : [
          ...grantsOf(before, after, snapshotIds, why, bookForOwner(book, ownerId)),
          ...unknown.map(([grantee, words]) => unknownGrant(grantee, words)),
        ],
    ...(isHidden ? { hidden: secrets.reduce(added) } : {}),
    broadens: [...broadeningsOf(before, after), ...changes.flatMap(({ hiddenBroadens }) => hiddenBroadens)],
    cannotTell: ALL_RISKS.filter((risk) => changes.some(({ cannotTell }) => cannotTell.includes(risk))),
    warnings: texts("warnings"),
    errors: texts("errors"),
    notes: [...texts("notes"), ...uncheckedNotes(book, isHidden, unknown.length)],
  };
}

/** What the list of allowed grantees could not be compared with. */
function uncheckedNotes(book: GranteeBook, isHidden: boolean, unknown: number): string[] {
  if (!book.hasAllowList) return [];
  return [
    ...(isHidden ? ["the grantees are a secret, so they were not checked against --allowed"] : []),
    ...(!isHidden && unknown > 0 ? ["grantees that are not known yet were not checked against --allowed"] : []),
  ];
}

function withoutGrantees(text: string): string {
  return withoutSecrets(text, {}, [SECRET_OF_OTHERS]);
}

/** What broadens access from `before` to `after`. */
export function broadeningsOf(before: Permissions, after: Permissions): ReportedAmi["broadens"] {
  return broadenings(minus(after, before)).map(({ property, text }) => ({ kind: KINDS[property], text }));
}

const KINDS = {
  public: "public",
  organizationArns: "organization",
  organizationalUnitArns: "organizationalUnit",
  createVolumePermissions: "createVolume",
} as const;

function escapedSet(set: SetChange["set"]): SetChange["set"] {
  return Object.fromEntries(
    Object.entries(set).map(([name, value]) => [name, value === undefined ? value : escapeControls(value)]),
  ) as unknown as SetChange["set"];
}

/** Sums. What is not known in one of them is not known in the sum. */
function added(a: Hidden, b: Hidden): Hidden {
  const names = ["gains", "loses", "keeps"] as const;
  return Object.fromEntries(
    names.flatMap((name) => (a[name] === undefined || b[name] === undefined ? [] : [[name, a[name] + b[name]]])),
  );
}

/** Replaces what stands for all snapshots by their ids, where these are known. */
function expanded(permissions: Permissions, snapshotIds: readonly string[] | undefined): Permissions {
  const every = permissions.createVolume.get(EVERY_SNAPSHOT);
  if (every === undefined || snapshotIds === undefined) return permissions;
  const named = new Map([...permissions.createVolume].filter(([id]) => id !== EVERY_SNAPSHOT));
  return union(
    { ...permissions, createVolume: named },
    { launch: new Set(), createVolume: new Map(snapshotIds.map((id) => [id, every])) },
  );
}

const ORDER: readonly ReportedGrant["change"][] = ["loses", "gains and loses", "gains", "keeps"];

/** The grants of an AMI: who gains access to more than one account first, then who loses, gains and keeps. */
export function grantsOf(
  before: Permissions,
  after: Permissions,
  snapshotIds: readonly string[] | undefined,
  why: ReadonlyMap<GranteeKey, string>,
  book: GranteeBook,
): ReportedGrant[] {
  const [gaining, losing] = [granteesOf(minus(after, before)), granteesOf(minus(before, after))];
  const [had, has] = [accessesOf(before, snapshotIds), accessesOf(after, snapshotIds)];
  const changeOf = (key: GranteeKey) =>
    gaining.has(key) ? (losing.has(key) ? "gains and loses" : "gains") : losing.has(key) ? "loses" : "keeps";
  const grants = [...granteesOf(union(before, after))].map((grantee): ReportedGrant => {
    const [name, reason] = [book.nameOf(grantee), why.get(grantee)];
    return {
      grantee: escapeControls(grantee),
      kind: parseGranteeKey(grantee).kind,
      ...(name === undefined ? {} : { name: escapeControls(name) }),
      ...(book.isAllowed(grantee) ? {} : { allowed: false }),
      change: changeOf(grantee),
      before: had.get(grantee) ?? NOTHING,
      after: has.get(grantee) ?? NOTHING,
      ...(reason === undefined ? {} : { why: escapeControls(reason) }),
    };
  });
  return grants.sort((a, b) => ORDER.indexOf(a.change) - ORDER.indexOf(b.change) || byBreadth(a, b));
}

/** Sorts everybody first, then organizations and units, then accounts. */
export function byBreadth(a: ReportedGrant, b: ReportedGrant): number {
  const [x, y] = [a, b].map(({ kind, grantee }) => `${BREADTH.indexOf(kind)} ${grantee}`) as [string, string];
  return x < y ? -1 : x > y ? 1 : 0;
}

const BREADTH: readonly ReportedGrant["kind"][] = ["public", "organization", "organizationalUnit", "other", "account"];

const NOTHING: Access = { launch: false, createVolume: "none" };

function accessesOf({ launch, createVolume }: Permissions, snapshotIds: readonly string[] | undefined): Map<GranteeKey, Access> {
  const volumes = new Map<GranteeKey, string[]>();
  for (const [id, keys] of createVolume) for (const key of keys) volumes.set(key, [...(volumes.get(key) ?? []), id]);
  return new Map(
    [...new Set([...launch, ...volumes.keys()])].map((key) => {
      const on = volumes.get(key) ?? [];
      const all =
        on.includes(EVERY_SNAPSHOT) || (snapshotIds?.length === on.length && snapshotIds.every((id) => on.includes(id)));
      return [key, { launch: launch.has(key), createVolume: on.length === 0 ? "none" : all ? "all" : on.sort() }];
    }),
  );
}

/** A grantee that is known only after the change. */
function unknownGrant(grantee: string, words: string): ReportedGrant {
  const kind = grantee === PUBLIC ? "public" : (grantee.split("/")[0] as ReportedGrant["kind"]);
  const [launch, copies] = [words.includes("launch"), words.includes("createVolume")];
  const on = / on (snap-.+)$/.exec(words)?.[1]?.split(", ");
  return {
    grantee,
    kind,
    change: "gains",
    before: NOTHING,
    after: { launch, createVolume: copies ? (on ?? "all") : "none" },
    why: "known after the change",
  };
}
