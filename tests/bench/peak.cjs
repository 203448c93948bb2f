/** Preloaded into the Node.js processes of an engine: it keeps the peak of the process's memory in a file of PEAK_FOLDER. */
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

const { PEAK_FOLDER = "" } = process.env;
const EVERY_MS = 50;
const [, program = ""] = process.argv;

const keep = () => {
  const kilobytes = process.resourceUsage().maxRSS;
  writeFileSync(join(PEAK_FOLDER, `${process.pid}.json`), JSON.stringify({ program, kilobytes }));
};

if (PEAK_FOLDER !== "") {
  // An engine ends a provider by a signal, after which no event tells of the end.
  setInterval(keep, EVERY_MS).unref();
  process.on("exit", keep);
}
