/** Kills the provider or the engine in the middle of changes to many AMIs, at another call for each AMI. Then the command runs again. */

import { setTimeout as sleep } from "node:timers/promises";
import { descendants, endWithin, kill, killAll, type Running } from "./cli";
import { type Begin, type Said, WITH_TRACE } from "./drivers";
import * as judge from "./judge";
import { HELD } from "./proxy";
import { accountsOf, type EngineName, type Learned, learnedKey, setFor, World } from "./scenarios";

export const VICTIMS = ["provider", "engine"] as const;
export type Victim = (typeof VICTIMS)[number];
const OPERATIONS = ["create", "update", "destroy"] as const;
const MODES = ["authoritative", "additive"] as const;

/** An AMI with a call in progress at the time of the kill. */
interface Kill {
  readonly variant: (typeof MODES)[number];
  readonly operation: (typeof OPERATIONS)[number];
  readonly namesBystander: boolean;
  /** Which of the change calls for the AMI, counted from 1. */
  readonly change: number;
  /** Whether the call has already reached EC2. */
  readonly held: keyof typeof HELD;
}

export interface Killed {
  readonly id: string;
  readonly operation: Kill["operation"];
  readonly verdict: judge.Verdict;
}

/** Time limits in seconds: until every AMI is at its call; for an engine whose provider was killed; for a provider whose engine was killed. */
const [TO_ARRIVE, TO_FAIL, TO_END] = [120, 120, 15];

interface Trial extends judge.Subject {
  readonly of: Kill;
  readonly id: string;
  readonly verdicts: judge.Verdict[];
}

export async function tryKills(engine: EngineName, victim: Victim, learned: Learned): Promise<Killed[]> {
  const world = await World.start(engine, WITH_TRACE);
  try {
    return await new Kills(engine, victim, learned, world).results();
  } finally {
    await world.stop();
  }
}

class Kills {
  private trials: Trial[] = [];

  constructor(
    private readonly engine: EngineName,
    private readonly victim: Victim,
    private readonly learned: Learned,
    private readonly world: World,
  ) {}

  async results(): Promise<Killed[]> {
    const { world } = this;
    const { driver, proxy } = world;
    const kills = OPERATIONS.flatMap((operation) =>
      MODES.flatMap((variant) =>
        this.changesOf(operation, variant).flatMap((_, i) =>
          (["before", "after"] as const).map((held): Kill => {
            return { variant, operation, held, change: i + 1, namesBystander: variant === "authoritative" };
          }),
        ),
      ),
    );
    const subjects = await world.subjects(kills);
    this.trials = subjects.map((subject, i) => {
      const of = kills[i] as Kill;
      const id = `${this.engine} ${of.variant} ${of.operation} kill of the ${this.victim} ${of.held} change ${of.change}`;
      return { ...subject, of, id, verdicts: [] };
    });

    this.declare("old");
    await this.succeed((begin) => driver.apply(begin));
    const before = await world.truth(this.trials);

    this.declare("new");
    await this.killed("apply", ["create", "update"]);
    await this.look(before, ["create", "update"]);
    const rerun = await driver.apply(async () => undefined);
    await this.healed(rerun);

    await this.killed("destroy", ["destroy"]);
    await this.look(before, ["destroy"]);
    await driver.destroy(async () => undefined);
    const [end, state] = [await world.truth(this.trials), await driver.state()];
    for (const trial of this.trials)
      trial.verdicts.push(...this.atTheEnd(trial, end(trial), state.has(trial.image.imageId), rerun));
    if (proxy.trapped.length > 0) throw new Error(`a redirect was followed: ${proxy.trapped.join(", ")}`);
    return this.trials.map(({ id, of, verdicts }) => ({ id, operation: of.operation, verdict: judge.worst(...verdicts) }));
  }

  /** The positions of the changes among the calls of an operation's last phase. */
  private changesOf(operation: Kill["operation"], variant: Kill["variant"]): number[] {
    const calls = this.learned.get(learnedKey(operation, variant))?.apply ?? [];
    return calls.flatMap(({ isChange }, i) => (isChange ? [i + 1] : []));
  }

  private declare(which: "old" | "new"): void {
    this.world.driver.declare(
      this.trials.flatMap((trial) => {
        const accounts = accountsOf(trial.of);
        const wanted = which === "old" ? accounts.old : (accounts.new ?? accounts.old);
        return wanted ? [setFor(trial.of, trial, wanted)] : [];
      }),
    );
  }

  private async succeed(run: (begin: Begin) => Promise<Said>): Promise<void> {
    const { code, output } = await run(async () => undefined);
    if (code !== 0) throw new Error(`the set-up exited with ${code}:\n${output.slice(-4000)}`);
  }

  /** Starts an operation, waits until the call of every AMI is held back, and kills. */
  private async killed(command: "apply" | "destroy", operations: readonly Kill["operation"][]): Promise<void> {
    const { proxy, driver } = this.world;
    const chosen = this.trials.filter(({ of }) => operations.includes(of.operation));
    const running = await driver.start(command, async () => {
      for (const { of, image } of chosen)
        await proxy.arm(image.imageId, HELD[of.held], this.changesOf(of.operation, of.variant)[of.change - 1] ?? 1);
    });
    const started = await this.arrived(running, chosen);
    await driver.quiet();
    const provider = started.filter(({ command: words }) => driver.providerCommand.test(words));
    if (provider.length === 0) throw new Error(`no provider runs: ${started.map(({ command: words }) => words).join("\n")}`);
    if (this.victim === "engine") kill(running.pid);
    else for (const { pid } of provider) kill(pid);
    if (this.victim === "provider") await endWithin(TO_FAIL, [running.pid]);
    // Waiting connections are closed only now: an orphaned provider sees that its call failed, and must not continue.
    await sleep(1000);
    proxy.disarm();
    await endWithin(TO_END, [running.pid, ...started.map(({ pid }) => pid)]);
    this.world.refuseSecrets((await running.ended).output);
    await driver.recover();
  }

  /** Waits until the call of each AMI is held back. Returns the processes that run at that time. */
  private async arrived(running: Running, chosen: readonly Trial[]) {
    const { proxy } = this.world;
    const until = Date.now() + TO_ARRIVE * 1000;
    const missing = () => chosen.filter(({ image }) => !proxy.held.includes(image.imageId));
    while (missing().length > 0) {
      if (Date.now() > until) {
        await killAll(running.pid);
        const { output } = await running.ended;
        throw new Error(`never at their calls: ${missing().map(({ id }) => id)}\n${output.slice(-4000)}`);
      }
      await sleep(50);
    }
    return descendants(running.pid);
  }

  /** Checks that no grant changed that nobody asked to change. */
  private async look(before: (subject: judge.Subject) => judge.Pairs, operations: readonly Kill["operation"][]): Promise<void> {
    const chosen = this.trials.filter(({ of }) => operations.includes(of.operation));
    const after = await this.world.truth(chosen);
    for (const trial of chosen) {
      const calls = this.world.proxy.calls.filter(({ imageIds }) => imageIds.includes(trial.image.imageId));
      // Calls of the set-up add what was declared then.
      trial.verdicts.push(judge.unasked(trial, before(trial), after(trial), calls));
    }
  }

  private async healed(said: Said): Promise<void> {
    const chosen = this.trials.filter(({ of }) => of.operation !== "destroy");
    const [after, state] = [await this.world.truth(chosen), await this.world.driver.state()];
    const unsettled = await this.world.driver.unsettled();
    for (const trial of chosen) {
      trial.verdicts.push(judge.judgeHealed(trial, said, after(trial), state.get(trial.image.imageId)));
      if (unsettled.includes(trial.image.imageId))
        trial.verdicts.push({ outcome: "not healed", why: "after the second run a preview still shows a change" });
    }
  }

  /**
   * Judges which grants are left at the end. After a kill, an additive set cannot know that it made a grant that it did not record. The run
   * that finds the grant must report it.
   */
  private atTheEnd(trial: Trial, end: judge.Pairs, isRecorded: boolean, rerun: Said): judge.Verdict[] {
    if (isRecorded) return [{ outcome: "not healed", why: "the last destroy failed" }];
    const left = judge.leftIn(trial, end);
    const lost = trial.bystanders.filter((pair) => trial.mode === "additive" && !end.includes(pair));
    if (lost.length > 0) return [{ outcome: "unasked", why: `lost by the end: ${lost.join(", ")}` }];
    if (left.length === 0) return [];
    const excused = trial.mode === "additive" && trial.of.operation !== "destroy";
    if (!excused) return [{ outcome: "left behind", why: left.join(", ") }];
    const words = rerun.told.filter(({ name }) => name === trial.image.imageId).map(({ text }) => text);
    const accounts = [...new Set(left.map((pair) => pair.split(" ")[1] ?? ""))];
    const isNamed = accounts.every((account) => words.some((text) => namesAsFound(text, account)));
    return isNamed ? [judge.TOLD] : [{ outcome: "documented", why: left.join(", ") }];
  }
}

/** Whether a report says that an account's grant was found in place. */
function namesAsFound(text: string, account: string): boolean {
  return text
    .replace(/\n {6,}/g, " ")
    .split("\n")
    .some((line) => line.includes(account) && /already|in place|not granted by|does not own|found/.test(line));
}
