/** Converts the old resources of a state, which have one principal each, to one set for each AMI. Pure, and the same for every engine. */

import { adoptionOf, type DeclaredSet, decodeDeclaredSet, problemText } from "../../core";
import type { KnownSet, OldGrant, OldState } from "./oldState";

/** The set that replaces the old resources of one AMI. */
export interface NewSet {
  readonly declared: DeclaredSet;
  /** Comments on what a set cannot declare. */
  readonly comments: readonly string[];
  /** The providers of the old resources, except the default provider. */
  readonly providers: readonly string[];
  /** The set of this AMI that is already in the state. */
  readonly known: KnownSet | undefined;
}

/** Resources that the engine removes from the state together. */
export interface Forgotten {
  readonly name: string;
  /** Grants that no set declares. They stay in EC2. */
  readonly lost: readonly Left[];
}

/** An old resource whose grant no set declares, with the reason. */
export interface Left {
  readonly grant: OldGrant;
  readonly why: string;
}

/** Snapshots with the same grantees, for which the state does not say which AMI they belong to. */
export interface Stray {
  readonly snapshotIds: readonly string[];
  readonly accountIds: readonly string[];
  readonly public: boolean;
}

export interface Migration {
  readonly sets: readonly NewSet[];
  readonly forgotten: readonly Forgotten[];
  /** Resources that stay as they are. */
  readonly left: readonly Left[];
  readonly strays: readonly Stray[];
  /** The resources to remove from the state, in addition, if the strays are added to a set. */
  readonly forgottenByStrays: readonly string[];
}

export function migrationOf({ grants, images, sets: known }: OldState): Migration {
  const left = new Map<OldGrant, string>();
  const able = grants.filter((grant) => {
    const why = obstacle(grant);
    if (why !== undefined) left.set(grant, why);
    return why === undefined;
  });
  const launches = groupedBy(
    able.filter(({ permission }) => permission === "launch"),
    ({ resourceId }) => [resourceId ?? ""],
  );
  const volumes = able.filter(({ permission }) => permission === "createVolume");
  const facts = groupedBy(images, ({ imageId }) => [imageId]);
  const holders = groupedBy(images, ({ snapshotIds }) => snapshotIds);
  /** The AMIs with launch permissions in the state; if there are none, the first AMI. */
  const imagesOf = ({ resourceId }: OldGrant) => {
    const having = [...new Set((holders.get(resourceId ?? "") ?? []).map(({ imageId }) => imageId))];
    const named = having.filter((imageId) => launches.has(imageId));
    return named.length > 0 ? named : having.slice(0, 1);
  };
  const creates = groupedBy(volumes, imagesOf);
  const astray = volumes.filter((grant) => imagesOf(grant).length === 0);

  const sets = [...new Set([...launches.keys(), ...creates.keys()])].sort().flatMap((imageId): NewSet[] => {
    const [launch, create, about] = [launches.get(imageId) ?? [], creates.get(imageId) ?? [], facts.get(imageId) ?? []];
    const owners = about.map(({ ownerId }) => ownerId);
    const bySnapshot = groupedBy(create, ({ resourceId }) => [resourceId ?? ""]);
    const snapshotIds = [...new Set([...about.flatMap((one) => one.snapshotIds), ...bySnapshot.keys()])].sort();
    const region = [...launch, ...create, ...about].find((one) => one.region !== undefined)?.region;
    const { declared: adopted, comments } = adoptionOf({
      ...{ imageId, region: region ?? "", ownerId: "", otherUserIds: [], encrypted: false, grants: {} },
      ...granteesIn(launch, owners),
      snapshots: snapshotIds.map((snapshotId) => ({
        ...{ snapshotId, encrypted: false },
        ...granteesIn(bySnapshot.get(snapshotId) ?? [], owners),
      })),
    });
    const declared = region === undefined ? withoutRegion(adopted) : adopted;
    if (declared.createVolumePermissions === undefined)
      for (const grant of create)
        left.set(grant, "the AMI's snapshots are shared differently from each other, and one set cannot declare that");
    if (launch.length === 0 && declared.createVolumePermissions === undefined) return [];
    const providers = [...new Set([...launch, ...create].flatMap(({ provider }) => provider ?? []))].sort();
    return [{ declared, comments, providers, known: known.find((one) => one.imageId === imageId) }];
  });

  const strayed = new Set(astray);
  for (const grant of astray) left.set(grant, "the state does not say which AMI the snapshot is of");
  const taken = new Set(able.filter((grant) => !left.has(grant)).map(({ forgotten }) => forgotten));
  const all = [...left].map(([grant, why]): Left => ({ grant, why }));
  const leftBy = groupedBy(all, ({ grant }) => [grant.forgotten]);
  return {
    sets,
    forgotten: [...taken].map((name) => ({ name, lost: leftBy.get(name) ?? [] })),
    left: all.filter(({ grant }) => !taken.has(grant.forgotten) && !strayed.has(grant)),
    strays: straysOf(astray),
    forgottenByStrays: [...new Set(astray.map(({ forgotten }) => forgotten))].filter((name) => !taken.has(name)),
  };
}

/** A line for each old resource that no set declares, with the reason. */
export function told(left: readonly Left[]): string[] {
  return left.map(({ grant, why }) => `  ${grant.address}: ${why}`);
}

function withoutRegion({ region: _, ...declared }: DeclaredSet): DeclaredSet {
  return declared;
}

/** The reason why a set cannot declare a grant; undefined if it can. */
function obstacle({ permission, resourceId, grantee, leaving }: OldGrant): string | undefined {
  if (leaving) return "it waits to be destroyed";
  if (resourceId === undefined) return `the state does not tell its ${permission === "launch" ? "AMI" : "snapshot"}`;
  if (!grantee) return "the state does not tell whom it grants to";
  const who = grantee.argument === "public" ? { public: true } : { [grantee.argument]: [grantee.value] };
  const decoded = decodeDeclaredSet(
    permission === "launch"
      ? { imageId: resourceId, ...who, acknowledgePublic: true }
      : { imageId: ANY_IMAGE, createVolumePermissions: { ...who, snapshotIds: [resourceId] }, acknowledgePublic: true },
  );
  if ("declared" in decoded) return undefined;
  const [problem] = decoded.problems;
  return problem && problemText(problem);
}

const ANY_IMAGE = "ami-00000000000000000";

function granteesIn(grants: readonly OldGrant[], without: readonly (string | undefined)[] = []) {
  const values = (argument: string) => {
    const found = grants.flatMap(({ grantee }) =>
      grantee && grantee.argument === argument && "value" in grantee ? [grantee.value] : [],
    );
    return [...new Set(found)].filter((value) => !without.includes(value)).sort();
  };
  return {
    accountIds: values("accountIds"),
    // AWS ignores the case of these ARNs.
    organizationArns: [...new Set(values("organizationArns").map((arn) => arn.toLowerCase()))],
    organizationalUnitArns: [...new Set(values("organizationalUnitArns").map((arn) => arn.toLowerCase()))],
    public: grants.some(({ grantee }) => grantee?.argument === "public"),
  };
}

function straysOf(astray: readonly OldGrant[]): Stray[] {
  const bySnapshot = groupedBy(astray, ({ resourceId }) => [resourceId ?? ""]);
  const shared = [...bySnapshot]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([snapshotId, grants]) => ({ snapshotId, grantees: granteesIn(grants) }));
  return [...groupedBy(shared, ({ grantees }) => [JSON.stringify(grantees)]).values()].map((alike) => ({
    snapshotIds: alike.map(({ snapshotId }) => snapshotId),
    accountIds: alike[0]?.grantees.accountIds ?? [],
    public: alike[0]?.grantees.public ?? false,
  }));
}

function groupedBy<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items)
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group) group.push(item);
      else groups.set(key, [item]);
    }
  return groups;
}
