/** The number of cases of a property: few for every commit, more on request. */

/** `runs` cases, multiplied by FC_RUNS (such as FC_RUNS=20). A failure prints its seed and path. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: count * Math.max(1, Number(process.env.FC_RUNS ?? 1) || 1) };
}

/** FC_RUNS cases, or `count` without FC_RUNS. For properties with a real engine or server, whose cases take some time. */
export function cases(count: number): { numRuns: number } {
  return { numRuns: Number(process.env.FC_RUNS) || count };
}
