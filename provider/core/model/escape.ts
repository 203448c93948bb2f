/** Escaping characters that change a terminal's output or that a terminal does not show. */

/**
 * C0, C1 and DEL; zero-width characters; line and paragraph separators; characters that change the text direction (Unicode,
 * "Bidirectional Algorithm", explicit formatting characters).
 */
const CONTROLS = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** All characters that are not visible, except the normal space: also other spaces, format characters, fillers and variation selectors. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}/gu;

/** The text with each control character as an escape such as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, escaped);
}

/** The text with each invisible character as an escape such as `\u200b`. */
export function escapeInvisible(text: string): string {
  return text.replace(INVISIBLE, escaped);
}

/** The text without invisible characters. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, "");
}

function escaped(one: string): string {
  const code = (one.codePointAt(0) ?? 0).toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}
