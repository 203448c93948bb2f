/** What `--fail-on` finds in a report. No I/O. */

import { risksOf } from "./build";
import type { Report } from "./model";
import type { Risk } from "./risks";

export interface Finding {
  readonly risk: Risk;
  readonly text: string;
}

/** The AMIs named in one finding. */
const MAX_NAMED = 5;

/** What was found, a finding for each risk. What the source does not tell counts as found: a gate must not be open by accident. */
export function findingsOf({ amis, summary }: Report, risks: readonly Risk[]): Finding[] {
  return risks.flatMap((risk) => {
    const found = amis.filter((ami) => risksOf(ami).includes(risk));
    const open = amis.filter((ami) => !found.includes(ami) && ami.cannotTell.includes(risk));
    // Of a file that is not complete, nothing is known of what is not in it.
    const isCut = summary.cannotTell.includes(risk) && !amis.some((ami) => ami.cannotTell.includes(risk));
    const labels = (of: typeof amis) => {
      const more = of.length - MAX_NAMED;
      return (
        of
          .slice(0, MAX_NAMED)
          .map(({ label }) => label)
          .join(", ") + (more > 0 ? ` and ${more} more` : "")
      );
    };
    return [
      ...(found.length > 0 ? [{ risk, text: `${risk}: ${labels(found)}` }] : []),
      ...(open.length > 0 ? [{ risk, text: `${risk}: the file does not tell about ${labels(open)}` }] : []),
      ...(isCut && found.length === 0 ? [{ risk, text: `${risk}: the file is not complete` }] : []),
    ];
  });
}
