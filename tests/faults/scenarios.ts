/** The cases of the fault suite, and the runs that try hundreds of them at once: one AMI for each case, one fault for each AMI, one program for all. */

import * as path from "node:path";
import { decodeDeclaredSet } from "../../provider/core";
import { Emulator, type MadeImage } from "../helpers/emulator";
import { runPython } from "../helpers/pythonHost";
import {
  type Begin,
  type Driver,
  type Phase,
  pluginDriver,
  pulumiDriver,
  type Said,
  type SetArguments,
  terraformDriver,
} from "./drivers";
import * as judge from "./judge";
import { FAULTS, type Fault, FaultProxy, isAttributeRead, type ProxiedCall } from "./proxy";

/** `Pulumi`: with the dynamic provider; `plugin`: Pulumi with the full one. */
export const ENGINES = ["Pulumi", "plugin", "Terraform"] as const;
export const OPERATIONS = ["create", "update", "refresh", "destroy", "preview"] as const;
/** The two modes, and `key`: an encrypted AMI in additive mode, with KMS grants for its accounts. */
export const VARIANTS = ["authoritative", "additive", "key"] as const;
export type EngineName = (typeof ENGINES)[number];
export type Operation = (typeof OPERATIONS)[number];
export type Variant = (typeof VARIANTS)[number];

const DRIVERS = { Pulumi: pulumiDriver, plugin: pluginDriver, Terraform: terraformDriver } as const;

/** Accounts: in both sets, only in the old set, only in the new set, and one with all permissions granted by hand before. */
const [KEPT, LEAVING, COMING, BYSTANDER] = ["111122223333", "444455556666", "777788889999", "999900001111"] as const;

/** Whether the package ends a call that is never answered. Only then can such faults be tried. */
const ENDS_SILENCE = process.env.FAULTS_SILENCE === "1";
const SILENCE = ["silence-40s", "never-answered"];

/** Used instead of real credentials. They must not show anywhere. */
export const CANARIES = {
  AWS_SECRET_ACCESS_KEY: "canary-of-the-secret-access-key-0123456789",
  AWS_SESSION_TOKEN: "canary-of-the-session-token-0123456789",
};

export interface Case {
  readonly engine: EngineName;
  readonly variant: Variant;
  readonly operation: Operation;
  readonly phase: Phase;
  /** The position of the call, counted from 1 in the phase, at which the fault is injected. */
  readonly position: number;
  /** The action of that call in a run without faults. */
  readonly action: string;
  /** undefined: no fault, to find out the calls. */
  readonly fault: Fault | undefined;
  /** Whether the set names the account that has all permissions by hand. */
  readonly namesBystander: boolean;
}

export interface Result {
  readonly of: Case;
  readonly verdict: judge.Verdict;
  /** Whether the fault was injected at all. */
  readonly reached: boolean;
  readonly imageId: string;
}

export function caseId({ engine, variant, operation, phase, position, action, fault }: Case): string {
  return `${engine} ${variant} ${operation} ${phase}:${position} ${action} ${fault?.name ?? "none"}`;
}

/** The calls that concern one AMI in each phase of an operation without faults. */
export type Learned = ReadonlyMap<string, Readonly<Record<Phase, readonly ProxiedCall[]>>>;
export const learnedKey = (operation: Operation, variant: Variant) => `${operation} ${variant}`;

/** Runs every operation once without faults, and counts the calls. */
export async function learn(engine: EngineName): Promise<Learned> {
  const scouts = OPERATIONS.flatMap((operation) =>
    VARIANTS.map((variant): Case => {
      return { engine, variant, operation, phase: "apply", position: 0, action: "", fault: undefined, namesBystander: false };
    }),
  );
  const learned = new Map<string, Record<Phase, ProxiedCall[]>>();
  const run = new Lifecycle(engine, scouts);
  for (const { of, verdict } of await run.results())
    if (verdict.outcome !== "ok") throw new Error(`without a fault: ${caseId(of)}: ${verdict.why}`);
  for (const [i, { operation, variant }] of scouts.entries()) learned.set(learnedKey(operation, variant), run.callsOf(i));
  return learned;
}

/** One case for each pair of call and fault. */
export function allCases(engine: EngineName, learned: Learned): Case[] {
  const cases: Case[] = [];
  for (const operation of OPERATIONS)
    for (const variant of VARIANTS)
      for (const phase of ["plan", "apply"] as const)
        for (const [i, call] of (learned.get(learnedKey(operation, variant))?.[phase] ?? []).entries())
          for (const fault of FAULTS)
            if (makesSense(fault, call, variant)) {
              const namesBystander = variant !== "key" && cases.length % 2 === 1;
              cases.push({ engine, variant, operation, phase, position: i + 1, action: call.action, fault, namesBystander });
            }
  return cases;
}

function makesSense({ name, on }: Fault, call: ProxiedCall, variant: Variant): boolean {
  if (!ENDS_SILENCE && SILENCE.includes(name)) return false;
  // The other calls are the same as for an AMI without encryption.
  if (variant === "key" && !call.resource.startsWith("arn:")) return false;
  return on === "any" || (on === "change" ? call.isChange : isAttributeRead(call));
}

/** A fixed sample of the cases, with every action of each operation, and every fault. */
export function sampleOf(cases: readonly Case[], seed: number): Case[] {
  const covered = new Set<string>();
  return shuffled(cases, seed).filter(({ operation, variant, phase, action, fault }) => {
    const aspects = [`${operation} ${phase} ${action}`, `${variant === "key"} ${operation}`, `fault ${fault?.name}`];
    const isNew = aspects.some((aspect) => !covered.has(aspect));
    if (isNew) for (const aspect of aspects) covered.add(aspect);
    return isNew;
  });
}

/** Uses a small random generator of its own (mulberry32), so that a seed gives the same order everywhere. */
function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return items
    .map((item) => [random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** The AMI of one case. */
interface Trial extends judge.Subject {
  readonly of: Case;
  readonly verdicts: judge.Verdict[];
  reached: boolean;
}

type Truth = (subject: judge.Subject) => judge.Pairs;

/** A local EC2 behind the proxy, and a project of an engine that connects only to the proxy. */
export class World {
  private constructor(
    readonly emulator: Emulator,
    readonly proxy: FaultProxy,
    readonly driver: Driver,
  ) {}

  static async start(engine: EngineName, env: Record<string, string> = {}): Promise<World> {
    const emulator = await Emulator.start();
    const proxy = new FaultProxy(emulator.url);
    const all = {
      ...CANARIES,
      AWS_ENDPOINT_URL: await proxy.start(),
      AWS_MAX_ATTEMPTS: "4",
      AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS: "3000",
      ...env,
    };
    const driver = await DRIVERS[engine](emulator, all);
    return new World(emulator, proxy, driver);
  }

  async stop(): Promise<void> {
    this.proxy.stop();
    this.driver.remove();
    await this.emulator.stop();
  }

  /** Makes an AMI for each case, with the grants made by hand. */
  async subjects(asked: readonly Pick<Case, "variant" | "operation" | "namesBystander">[]): Promise<judge.Subject[]> {
    const keys: (string | undefined)[] = [];
    for (const { variant } of asked) keys.push(variant === "key" ? await this.emulator.kmsKey() : undefined);
    const byHand = ({ variant, namesBystander }: (typeof asked)[number]) =>
      variant === "authoritative" && !namesBystander ? [] : [{ UserId: BYSTANDER }];
    const images = await this.emulator.images(
      asked.map((one, i) => ({
        snapshots: 2,
        ...(keys[i] ? { encrypted: true, kmsKeyId: keys[i] } : {}),
        launchPermissions: byHand(one),
        createVolumePermissions: [byHand(one), byHand(one)],
      })),
    );
    const operations = ["--operations", "Decrypt", "DescribeKey"];
    for (const keyArn of keys)
      if (keyArn) {
        const principal = ["--grantee-principal", `arn:aws:iam::${BYSTANDER}:root`, "--name", "by-hand"];
        await this.emulator.aws("kms", "create-grant", "--key-id", keyArn, ...principal, ...operations);
      }
    return asked.map((one, i) => {
      const image = images[i] as MadeImage;
      const keyArn = keys[i];
      const resources = judge.resourcesOf({ image, keyArn });
      this.proxy.know(image.imageId, ...resources.slice(1));
      const pairs = (accounts: readonly string[]) =>
        resources.flatMap((resource) => accounts.map((id) => `${resource} account/${id}`));
      const { old, new: now } = accountsOf(one);
      return {
        image,
        keyArn,
        mode: one.variant === "authoritative" ? "authoritative" : "additive",
        old: pairs(old ?? []),
        new: pairs(now ?? []),
        bystanders: byHand(one).length > 0 ? pairs([BYSTANDER]) : [],
      };
    });
  }

  /** What EC2 and KMS have, read with boto3 without the proxy. */
  async truth(subjects: readonly judge.Subject[]): Promise<Truth> {
    const found = await this.emulator.pairs(subjects.map(({ image }) => image));
    const keys = subjects.flatMap(({ keyArn }) => keyArn ?? []);
    if (keys.length > 0) {
      const run = { script: path.join(__dirname, "readKeyGrants.py"), stdin: JSON.stringify(keys) };
      const read = await runPython(run, { ...process.env, ...this.emulator.environment() });
      const grants = JSON.parse(read) as Record<string, string[]>;
      for (const [key, accounts] of Object.entries(grants))
        for (const account of new Set(accounts)) found.push(`${key} ${account}`);
    }
    const byResource = new Map<string, string[]>();
    for (const pair of found) {
      const [resource = ""] = pair.split(" ");
      byResource.set(resource, [...(byResource.get(resource) ?? []), pair]);
    }
    return (subject) => judge.resourcesOf(subject).flatMap((resource) => byResource.get(resource) ?? []);
  }

  /** Fails if a secret shows in the output of a run or in the state. */
  refuseSecrets(...texts: readonly string[]): void {
    for (const text of [...texts, this.driver.writtenText()])
      for (const [name, value] of Object.entries(CANARIES)) if (text.includes(value)) throw new Error(`${name} shows`);
  }
}

/** The declared accounts before and after an operation; undefined: there is no set. */
export function accountsOf({ operation, namesBystander }: Pick<Case, "operation" | "namesBystander">): {
  readonly old: readonly string[] | undefined;
  readonly new: readonly string[] | undefined;
} {
  const too = namesBystander ? [BYSTANDER] : [];
  const [before, after] = [
    [KEPT, LEAVING, ...too],
    [KEPT, COMING, ...too],
  ];
  switch (operation) {
    case "create":
      return { old: undefined, new: after };
    case "update":
    case "preview":
      return { old: before, new: after };
    case "refresh":
      return { old: before, new: before };
    case "destroy":
      return { old: before, new: undefined };
  }
}

export function setFor({ variant }: Pick<Case, "variant">, subject: judge.Subject, accountIds: readonly string[]): SetArguments {
  return {
    imageId: subject.image.imageId,
    accountIds,
    mode: subject.mode,
    ...(variant === "key" ? { kmsAccess: "grant" } : {}),
    ...TIMEOUTS,
  };
}

/** EC2 never shows a change that was not made. A shorter wait for it, if the package has this argument. */
const SHORT = { create: "30s", update: "30s", delete: "30s" };
const TIMEOUTS =
  "declared" in decodeDeclaredSet({ imageId: "ami-12345678", accountIds: [KEPT], timeouts: SHORT }) ? { timeouts: SHORT } : {};

/** Runs all operations in order on the AMIs of many cases. Each AMI gets its fault in its own operation only. */
export class Lifecycle {
  private trials: Trial[] = [];
  private readonly marks: { readonly operations: readonly Operation[]; readonly phase: Phase; readonly at: number }[] = [];
  private world!: World;

  constructor(
    private readonly engine: EngineName,
    private readonly cases: readonly Case[],
    private readonly explain: (text: string) => void = () => undefined,
  ) {}

  async results(): Promise<Result[]> {
    this.world = await World.start(this.engine);
    try {
      await this.run();
    } finally {
      await this.world.stop();
    }
    return this.trials.map(({ of, verdicts, reached, image }) => {
      return { of, verdict: judge.worst(...verdicts), reached, imageId: image.imageId };
    });
  }

  /** The calls that concerned the AMI of a case in each phase of its operation. */
  callsOf(index: number): Record<Phase, ProxiedCall[]> {
    const trial = this.trials[index] as Trial;
    const inPhase = (phase: Phase) =>
      this.marks.flatMap((mark, i) =>
        mark.operations.includes(trial.of.operation) && mark.phase === phase
          ? this.world.proxy.calls.slice(mark.at, this.marks[i + 1]?.at).filter((call) => concerns(call, trial))
          : [],
      );
    return { plan: inPhase("plan"), apply: inPhase("apply") };
  }

  private async run(): Promise<void> {
    const { world } = this;
    const { proxy, driver } = world;
    const subjects = await world.subjects(this.cases);
    this.trials = subjects.map((subject, i) => ({ ...subject, of: this.cases[i] as Case, verdicts: [], reached: false }));
    for (const { of, image } of this.trials) if (of.fault?.stale === "before") proxy.remember(image.imageId);

    const [create, update, refresh, destroy, preview] = OPERATIONS.map((operation) => this.trialsOf(operation)) as [
      Trial[],
      Trial[],
      Trial[],
      Trial[],
      Trial[],
    ];
    this.declare("old");
    this.mustSucceed("the set-up", await driver.apply(this.withoutFaults));
    const before = await world.truth(this.trials);
    for (const trial of this.trials) {
      const left = judge.unasked({ ...trial, new: trial.old }, trial.old, before(trial), []);
      if (trial.old.some((pair) => !before(trial).includes(pair)))
        throw new Error(`the set-up did not share: ${caseId(trial.of)} ${left.why}`);
    }

    this.declare("new");
    await this.withFaults(
      preview,
      (begin) => driver.preview(begin),
      async (tried, said) => {
        for (const trial of tried) {
          const calls = this.callsIn("preview", trial);
          trial.verdicts.push(judge.judgePreview(trial, said, before(trial), calls, trial.of.fault?.stale !== undefined));
        }
      },
    );

    const changed = [...create, ...update];
    await this.withFaults(
      changed,
      (begin) => driver.apply(begin),
      async (tried, said) => {
        const [after, state] = [await world.truth(tried), await driver.state()];
        for (const trial of tried) {
          trial.verdicts.push(
            judge.judgeChange(trial, said, after(trial), state.get(trial.image.imageId)),
            judge.unasked(trial, before(trial), after(trial), this.callsIn(trial.of.operation, trial)),
          );
        }
      },
    );
    if (this.isScouting) world.proxy.disarm();
    else await this.heal([...changed, ...preview]);

    await this.withFaults(
      refresh,
      (begin) => driver.refresh(begin),
      async (tried, said) => {
        const [after, state] = [await world.truth(tried), await driver.state()];
        for (const trial of tried) {
          const recorded = state.get(trial.image.imageId);
          trial.verdicts.push(
            judge.judgeRefresh(trial, said, after(trial), recorded, trial.of.fault?.stale !== undefined),
            judge.unasked(trial, before(trial), after(trial), this.callsIn("refresh", trial)),
          );
        }
      },
    );

    await this.withFaults(
      destroy,
      (begin) => driver.destroy(begin),
      async (tried, said) => {
        const [after, state] = [await world.truth(tried), await driver.state()];
        for (const trial of tried) {
          trial.verdicts.push(
            judge.judgeDestroy(trial, said, after(trial), state.get(trial.image.imageId)),
            judge.unasked(trial, before(trial), after(trial), this.callsIn("destroy", trial)),
          );
        }
      },
    );
    if (this.isScouting) return;
    const last = await this.without("the last destroy", (begin) => driver.destroy(begin));
    const [end, state] = [await world.truth(this.trials), await driver.state()];
    for (const trial of this.trials) {
      trial.verdicts.push(judge.judgeEnd(trial, end(trial)));
      if (state.has(trial.image.imageId))
        trial.verdicts.push({ outcome: "not healed", why: `the last destroy failed: ${errorsOf(last, trial)}` });
      const stays = trial.bystanders.filter((pair) => trial.mode === "additive" && !end(trial).includes(pair));
      if (stays.length > 0) trial.verdicts.push({ outcome: "unasked", why: `lost by the end: ${stays.join(", ")}` });
    }
    if (proxy.trapped.length > 0) throw new Error(`a redirect was followed: ${proxy.trapped.join(", ")}`);
  }

  /** A second run without faults, after which nothing must be left to do. */
  private async heal(trials: readonly Trial[]): Promise<void> {
    const { world } = this;
    const said = await this.without("the second run", (begin) => world.driver.apply(begin));
    const [after, state] = [await world.truth(trials), await world.driver.state()];
    const unsettled = await world.driver.unsettled().catch((error: Error) => {
      this.explain(error.message);
      return [] as string[];
    });
    for (const trial of trials) {
      const healed = judge.judgeHealed(trial, said, after(trial), state.get(trial.image.imageId));
      const restless: judge.Verdict = { outcome: "not healed", why: "after the second run a preview still shows a change" };
      trial.verdicts.push(healed, ...(unsettled.includes(trial.image.imageId) ? [restless] : []));
    }
  }

  /** Whether calls are only counted: then each operation runs once. */
  private get isScouting(): boolean {
    return this.cases.every(({ fault }) => fault === undefined);
  }

  private trialsOf(operation: Operation): Trial[] {
    return this.trials.filter(({ of }) => of.operation === operation);
  }

  /** Declares every set as it is before or after its operation. Sets to destroy stay declared until then. */
  private declare(which: "old" | "new"): void {
    this.world.driver.declare(
      this.trials.flatMap((trial) => {
        const accounts = accountsOf(trial.of);
        const wanted = which === "old" ? accounts.old : (accounts.new ?? accounts.old);
        return wanted ? [setFor(trial.of, trial, wanted)] : [];
      }),
    );
  }

  private readonly withoutFaults: Begin = async (phase) => this.mark([], phase);

  private async without(what: string, run: (begin: Begin) => Promise<Said>): Promise<Said> {
    this.world.proxy.disarm();
    const said = await run(this.withoutFaults);
    this.world.refuseSecrets(said.output);
    if (said.code !== 0) this.explain(`${what} exited with ${said.code}: ${said.output.slice(-2000)}`);
    return said;
  }

  /** Runs an operation with the fault of each AMI. If errors of other sets stop it before an AMI's fault, it is tried again. */
  private async withFaults(
    trials: readonly Trial[],
    run: (begin: Begin) => Promise<Said>,
    judged: (trials: readonly Trial[], said: Said) => Promise<void>,
  ): Promise<void> {
    const { proxy } = this.world;
    let pending = trials;
    for (let attempt = 1; pending.length > 0; attempt++) {
      proxy.disarm();
      const trying = pending;
      const said = await run(async (phase, failed) => {
        // After a failed plan, sets with an error keep their result, and the others start again.
        this.mark([...new Set(trying.map(({ of }) => of.operation))], phase);
        for (const { of, image } of trying) {
          if (failed.has(image.imageId)) proxy.disarm(image.imageId);
          else if (of.fault && of.phase === phase) await proxy.arm(image.imageId, of.fault, of.position);
        }
      });
      this.mark([], "apply");
      this.world.refuseSecrets(said.output);
      for (const trial of trying)
        trial.reached ||=
          this.callsIn(trial.of.operation, trial).some(({ fault }) => fault !== undefined) || proxy.hasBegun(trial.image.imageId);
      const missed =
        said.code === 0 || attempt === 3 ? [] : trying.filter((trial) => !trial.reached && !judge.isTold(said, trial));
      const tried = trying.filter((trial) => !missed.includes(trial));
      proxy.disarm();
      await judged(tried, said);
      for (const trial of tried) this.explain(this.story(trial, said));
      pending = missed;
    }
  }

  /** What happened to one AMI in its operation. */
  private story(trial: Trial, said: Said): string {
    const calls = this.callsIn(trial.of.operation, trial).map(({ action, resource, fault, isChange, params }) => {
      return `    ${action} ${resource}${fault ? ` <- ${fault}` : ""}${isChange ? ` ${JSON.stringify(params)}` : ""}`;
    });
    const words = said.told.filter(({ name, text }) => name === trial.image.imageId || text.includes(trial.image.imageId));
    const told = words.map(
      ({ isError, text }) => `    ${isError ? "error" : "told"}: ${text.trim().replaceAll("\n", "\n      ")}`,
    );
    const verdict = judge.worst(...trial.verdicts);
    return [`  ${caseId(trial.of)} ${trial.image.imageId}: ${verdict.outcome} ${verdict.why}`, ...calls, ...told].join("\n");
  }

  private mark(operations: readonly Operation[], phase: Phase): void {
    this.marks.push({ operations, phase, at: this.world.proxy.calls.length });
  }

  /** Every call that concerned an AMI in an operation, retries included. */
  private callsIn(operation: Operation, trial: Trial): ProxiedCall[] {
    const isOf = (mark: { readonly operations: readonly Operation[] }) => mark.operations.includes(operation);
    const from = this.marks.find(isOf)?.at ?? 0;
    const to = this.marks[this.marks.findLastIndex(isOf) + 1]?.at;
    return this.world.proxy.calls.slice(from, to).filter((call) => concerns(call, trial));
  }

  private mustSucceed(what: string, { code, output }: Said): void {
    if (code !== 0) throw new Error(`${what} exited with ${code}:\n${output.slice(-4000)}`);
    this.world.refuseSecrets(output);
  }
}

function concerns({ imageIds }: ProxiedCall, { image }: judge.Subject): boolean {
  return imageIds.includes(image.imageId);
}

function errorsOf({ told }: Said, { image }: judge.Subject): string {
  return told
    .filter(({ isError, name, text }) => isError && (name === image.imageId || text.includes(image.imageId)))
    .map(({ text }) => text.trim().split("\n").join(" "))
    .join("; ");
}
