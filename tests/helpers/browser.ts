/** The browser of the tests. */

import { accessSync, constants } from "node:fs";
import * as path from "node:path";

/** Chromium or Chrome on PATH. Set-up installs one where it can. */
export function browserOnPath(): string | undefined {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const files = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].flatMap((name) =>
    folders.map((folder) => path.join(folder, name)),
  );
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
