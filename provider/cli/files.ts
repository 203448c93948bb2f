/** Reading the files that users name, and writing the reports that they ask for. */

import * as fs from "node:fs";
import { Failure } from "./failure";
import type { Terminal } from "./terminal";

/** The bytes of a file. @param kind what the file should be, such as `a state` */
export function readBytes(file: string, kind: string): Uint8Array {
  try {
    return fs.readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(code === "EISDIR" ? `${file} is a folder, not ${kind}` : `${file} cannot be read: ${message}`);
  }
}

/** Reads what a file contains. Errors begin with the name of the file. */
export function named<Value>(file: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    const { message } = error as Error;
    throw new Failure(message.startsWith(file) ? message : `${file}: ${message}`);
  }
}

/** Writes a text to a file, or to standard output if the file is `-`. */
export function writeText(file: string, text: string, { stdout }: Pick<Terminal, "stdout">): void {
  if (file === "-") {
    stdout.write(text);
    return;
  }
  try {
    fs.writeFileSync(file, text);
  } catch (error) {
    throw new Failure(`${file} cannot be written: ${(error as Error).message}`);
  }
}
