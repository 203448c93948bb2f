/** Mocha's spec reporter with a last line for the totals: `N passed, N failed`. */
const { reporters, Runner } = require("mocha");

module.exports = class TotalsReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      // After the spec reporter's own epilogue, which lists the failures.
      process.nextTick(() => console.log(`${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ""}`));
    });
  }
};
