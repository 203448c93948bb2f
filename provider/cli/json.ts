/** Decoding the JSON of files that other tools wrote. */

import * as v from "valibot";
import { escapeControls } from "../core";

/** Decodes UTF-8, or UTF-16, which PowerShell writes to redirected files. Undefined: it is not text. */
export function textIn(file: Uint8Array): string | undefined {
  const encoding = file[0] === 0xff && file[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(file);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * The value of a JSON file.
 *
 * @param kind what the file should be, such as `a state`
 * @param wanted what to give instead
 * @throws Error without any part of the file, which can be a secret
 */
export function parsedJson(file: Uint8Array, kind: string, wanted: string): unknown {
  const text = textIn(file);
  if (text === undefined)
    throw new Error(
      `this is not text, so it is not ${kind}; if it is a saved plan: terraform show -json PLAN > FILE; else ${wanted}`,
    );
  if (text.trim() === "") throw new Error(`the file is empty; ${wanted}`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`this is not JSON, or it is cut off; ${wanted}`);
  }
}

/**
 * Decodes the value of a file with schemas.
 *
 * @param kind what the file is, such as `state`
 * @throws Error that says where the value is wrong
 */
export function decodedBy<Value>(decode: () => Value, kind: string, wanted: string): Value {
  try {
    return decode();
  } catch (error) {
    if (error instanceof RangeError) throw new Error(`this ${kind} cannot be read: it nests too deeply; ${wanted}`);
    if (!v.isValiError(error)) throw error;
    const [issue] = error.issues;
    const [where, what] = [v.getDotPath(issue) ?? "it", issue.message].map(escapeControls);
    throw new Error(`this ${kind} cannot be read: ${where}: ${what}; ${wanted}`);
  }
}
