/** Characters that a terminal acts on or does not show, made visible. */

/**
 * C0, C1 and DEL; zero-width characters; line and paragraph separators; what turns the direction of writing (Unicode, "Bidirectional
 * Algorithm", explicit formatting characters).
 */
const INVISIBLE = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** The text with each such character as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(INVISIBLE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
