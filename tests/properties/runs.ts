/** How many cases a property tries: few for every commit, FC_RUNS times as many on demand. */

/** `runs` cases, times FC_RUNS (such as FC_RUNS=20); a failure prints its seed and path. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: count * Math.max(1, Number(process.env.FC_RUNS ?? 1) || 1) };
}
