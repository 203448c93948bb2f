/** The number of cases of a property: few for every commit, more on request. */

/** `runs` cases, times FC_RUNS (such as FC_RUNS=20); a failure prints its seed and path. */
export function runs(count: number): { numRuns: number } {
  return { numRuns: count * Math.max(1, Number(process.env.FC_RUNS ?? 1) || 1) };
}

/** FC_RUNS cases themselves, where each of them takes a real engine or server some time; `count` without it. */
export function cases(count: number): { numRuns: number } {
  return { numRuns: Number(process.env.FC_RUNS) || count };
}
