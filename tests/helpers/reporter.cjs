/** Mocha's spec reporter, with the files that took longest, and a last line for the totals: `N passed, N failed`. */
const { relative } = require("node:path");
const { reporters, Runner } = require("mocha");

/** The most files that are listed. */
const MAX_FILES = 12;

module.exports = class TotalsReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const milliseconds = new Map();
    const add = ({ file, parent, duration = 0 }) => {
      const name = file ?? parent?.file;
      if (name !== undefined) milliseconds.set(name, (milliseconds.get(name) ?? 0) + duration);
    };
    runner.on(Runner.constants.EVENT_TEST_END, add);
    runner.on(Runner.constants.EVENT_HOOK_END, add);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const slowest = [...milliseconds].sort(([, one], [, other]) => other - one).slice(0, MAX_FILES);
      // After the spec reporter's own epilogue, which lists the failures.
      process.nextTick(() => {
        if (process.env.CI !== undefined) {
          console.log("The files that took longest, in seconds:");
          for (const [file, time] of slowest)
            console.log(`${(time / 1000).toFixed(0).padStart(5)}  ${relative(process.cwd(), file)}`);
          console.log();
        }
        console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`);
      });
    });
  }
};
