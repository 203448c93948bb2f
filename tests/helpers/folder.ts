/** A temporary folder for the tests of one `describe`. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** Makes a folder before the tests, and deletes it after them. Returns its path. */
export function useFolder(): () => string {
  let folder = "";
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-files-"));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return () => folder;
}
