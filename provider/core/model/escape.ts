/** Characters that a terminal acts on or does not show, made visible. */

/**
 * C0, C1 and DEL; zero-width characters; line and paragraph separators; what turns the direction of writing (Unicode, "Bidirectional
 * Algorithm", explicit formatting characters).
 */
const CONTROLS = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** The same, and all else that looks like a blank or like nothing: Unicode's other blanks, formats, fillers and variation selectors. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}/gu;

/** The text with each control character as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** The text with each character that people do not see as `\u200b`. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, escaped);
}

/** The text without them. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, "");
}

function escaped(one: string): string {
  const code = (one.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}
