/** The words of a report that all its forms share. */

import { countOf } from "./build";
import type { Access, Hidden, Report, ReportedAmi, ReportedGrant, ReportedSet } from "./model";

/** How many grantees gain, lose and keep access. */
export type Counts = Readonly<Record<keyof Hidden, number>>;

/** `1 grantee`, `2 grantees`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** The permissions as in a grants map; empty: none. */
export function accessWords({ launch, createVolume }: Access): string {
  const volumes =
    createVolume === "none" ? [] : createVolume === "all" ? ["createVolume"] : [`createVolume on ${createVolume.join(", ")}`];
  return [...(launch ? ["launch"] : []), ...volumes].join(", ");
}

/** A grantee, what happens to its access, its mark and the reason, such as `account/111122223333 gains launch (set elsewhere)`. */
export function grantWords(grant: ReportedGrant, report: Pick<Report, "kind">): string {
  const reasons = [...(grant.allowed === false ? ["NOT ALLOWED"] : []), ...(grant.why === undefined ? [] : [grant.why])];
  return `${granteeWords(grant)} ${changeWords(grant, report)}${reasons.length > 0 ? ` (${reasons.join("; ")})` : ""}`;
}

/** What happens to the access of a grantee, such as `gains launch, createVolume`. */
export function changeWords({ change, before, after }: ReportedGrant, { kind }: Pick<Report, "kind">): string {
  const [gained, lost] = [accessWords(beyond(after, before)), accessWords(beyond(before, after))];
  switch (change) {
    case "gains":
      return kind === "check" ? `declared, and not in EC2: ${gained}` : `gains ${gained}`;
    case "loses":
      return kind === "check" ? `in EC2, and not declared: ${lost}` : `loses ${lost}`;
    case "gains and loses":
      return kind === "check" ? `declared: ${gained}; in EC2: ${lost}` : `gains ${gained}, loses ${lost}`;
    case "keeps":
      return `${kind === "pulumi-preview" || kind === "terraform-plan" ? "keeps" : "has"} ${accessWords(after)}`;
  }
}

/** The part of an access that another one does not have. */
function beyond(a: Access, b: Access): Access {
  const ids = (one: Access) => (Array.isArray(one.createVolume) ? one.createVolume : []);
  const createVolume =
    a.createVolume === "none" || b.createVolume === "all"
      ? "none"
      : a.createVolume === "all"
        ? // The report does not list the rest of the snapshots.
          "all"
        : ids(a).filter((id) => !ids(b).includes(id));
  return {
    launch: a.launch && !b.launch,
    createVolume: Array.isArray(createVolume) && createVolume.length === 0 ? "none" : createVolume,
  };
}

/** Whether the report is about a change, not about how things are. */
export function isPlan({ kind }: Pick<Report, "kind">): boolean {
  return kind === "pulumi-preview" || kind === "terraform-plan";
}

const VERBS = { gains: ["gains", "gain"], loses: ["loses", "lose"], keeps: ["keeps", "keep"] } as const;

/** `2 gain, 1 loses, 3 keep access`. @param isKnown whether these are all */
export function countWords(counts: Counts, isKnown: boolean): string {
  const parts = (["gains", "loses", "keeps"] as const).flatMap((name) => {
    const [one, many] = VERBS[name];
    return counts[name] > 0 ? [`${counts[name]} ${counts[name] === 1 ? one : many}`] : [];
  });
  if (parts.length > 0) return `${parts.join(", ")} access`;
  return isKnown ? "nobody has access" : "who has access is not in the file";
}

/** The counts of an AMI. */
export function amiCounts(ami: ReportedAmi): Counts {
  return { gains: countOf(ami, "gains"), loses: countOf(ami, "loses"), keeps: countOf(ami, "keeps") };
}

/** What an AMI's heading says, after its id and region. */
export function amiWords(ami: ReportedAmi, report: Pick<Report, "kind">): string {
  if (isPlan(report)) return countWords(amiCounts(ami), isKnown(ami));
  if (report.kind === "check") return ami.errors.length > 0 ? "could not be compared" : checkWords(amiCounts(ami));
  return sharedWords(amiCounts(ami).keeps, ami.details?.public ?? false);
}

/** Whether nobody is left out of the counts of an AMI. */
function isKnown({ hidden, cannotTell }: ReportedAmi): boolean {
  return cannotTell.length === 0 && (!hidden || hidden.keeps !== undefined);
}

function checkWords({ gains, loses }: Counts): string {
  if (gains + loses === 0) return "as declared";
  const parts = [gains > 0 ? `${gains} missing in EC2` : "", loses > 0 ? `${loses} not declared` : ""];
  return parts.filter((part) => part !== "").join(", ");
}

export function sharedWords(count: number, isPublic: boolean): string {
  const shared = count === 0 ? "shared with nobody" : `shared with ${counted(count, "grantee")}`;
  return isPublic ? `${shared}, public` : shared;
}

/** The heading of a report, and its summary in one sentence. */
export function titleOf({ kind }: Pick<Report, "kind">): string {
  if (kind === "audit") return "AMIs and who they are shared with";
  if (kind === "live") return "Who AMIs are shared with";
  return kind === "check" ? "Declared and actual AMI launch permissions" : "Changes of AMI launch permissions";
}

export function summaryWords(report: Report): string {
  const { amis, gains, loses, keeps } = report.summary;
  const ofAmis = counted(amis, "AMI");
  if (amis === 0 && isPlan(report) && report.summary.cannotTell.length > 0)
    return "No set is in this file, which is not complete.";
  if (amis === 0) return isPlan(report) ? "No set in this plan: no launch permission changes." : "There is no AMI.";
  const failed = report.amis.filter(({ errors }) => errors.length > 0).length;
  if (isPlan(report)) {
    const will = failed > 0 ? `; changes of ${counted(failed, "AMI")} will fail` : "";
    return `${ofAmis}: ${countWords({ gains, loses, keeps }, report.amis.every(isKnown))}${will}.`;
  }
  if (report.kind === "check") {
    const compared = failed < amis ? [checkWords({ gains, loses, keeps })] : [];
    return `${ofAmis}: ${[...compared, ...(failed > 0 ? [`${failed} could not be compared`] : [])].join(", ")}.`;
  }
  const open = report.amis.filter(({ details }) => details?.public).length;
  return `${ofAmis}, shared ${counted(keeps, "time")}${open > 0 ? `; ${open} public` : ""}.`;
}

/** What an error of an AMI means. */
export function errorTitle(report: Pick<Report, "kind">): string {
  return isPlan(report) ? "This will fail" : "This could not be compared";
}

/** An error of an AMI, where it stands among other remarks. */
export function errorWords(text: string, report: Pick<Report, "kind">): string {
  return `${isPlan(report) ? "will fail" : "error"}: ${text}`;
}

/** A set, and what happens with it. @param show how a form writes a name */
export function setWords(
  { name, action, movedFrom }: ReportedSet,
  report: Pick<Report, "kind">,
  show: (text: string) => string,
): string {
  const happens = [...(isPlan(report) ? [action] : []), ...(movedFrom === undefined ? [] : [`moved from ${show(movedFrom)}`])];
  return happens.length > 0 ? `${show(name)} (${happens.join(", ")})` : show(name);
}

/** What a grantee is called: its key, and its name if it has one. */
export function granteeWords({ grantee, name }: Pick<ReportedGrant, "grantee" | "name">): string {
  return name === undefined ? grantee : `${grantee} (${name})`;
}

/** What is hidden at an AMI. */
export function hiddenWords({ hidden }: ReportedAmi): string | undefined {
  if (!hidden) return undefined;
  const known = (["gains", "loses", "keeps"] as const).flatMap((name) => {
    const count = hidden[name];
    return !count ? [] : [`${count} ${VERBS[name][count === 1 ? 0 : 1]}`];
  });
  return `grantees are hidden, because they are a secret of the program${known.length > 0 ? `: ${known.join(", ")} access` : ""}`;
}

const RISK_WORDS = { broadens: "broadens access", public: "makes an AMI public", revokes: "takes access away" } as const;

export function cannotTellWords(risks: Report["summary"]["cannotTell"]): string {
  return `The file does not tell for all AMIs whether the change ${risks.map((risk) => RISK_WORDS[risk]).join(", or ")}. Notes and warnings say why.`;
}
