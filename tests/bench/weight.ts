/** Measures what the package weighs: its start beside a trivial dynamic resource of Pulumi, memory, its size on disk, and the handshake of the Terraform provider. */

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Emulator, ROOT } from "../helpers/emulator";
import { fetchPackage, npm } from "../helpers/packageCopy";
import { PulumiProject } from "../helpers/pulumiProject";
import { accounts } from "./calls";
import { DYNAMIC_PROVIDER, Peaks, PROGRAM } from "./peaks";
import { handshakeTime, medians, type Ratio } from "./times";

/** A set for each AMI. */
const SETS = `import * as pulumi from "@pulumi/pulumi";
import { AmiLaunchPermissionSet } from "ami-launch-permissions";

const config = new pulumi.Config();
const accountIds = config.requireObject<string[]>("accountIds");
for (const imageId of config.requireObject<string[]>("imageIds"))
  new AmiLaunchPermissionSet(imageId, { imageId, accountIds, createVolumePermissions: true });
`;

/** The same program, with a dynamic resource that does nothing. */
const TRIVIAL = `import * as pulumi from "@pulumi/pulumi";

const provider: pulumi.dynamic.ResourceProvider = {
  check: async (_olds, inputs) => ({ inputs }),
  diff: async () => ({ changes: false }),
  create: async (inputs) => ({ id: inputs.imageId, outs: inputs }),
};
class Nothing extends pulumi.dynamic.Resource {
  constructor(name: string, args: { imageId: string; accountIds: string[]; createVolumePermissions: boolean }) {
    super(provider, name, args);
  }
}

const config = new pulumi.Config();
const accountIds = config.requireObject<string[]>("accountIds");
for (const imageId of config.requireObject<string[]>("imageIds"))
  new Nothing(imageId, { imageId, accountIds, createVolumePermissions: true });
`;

/** The version of Node.js whose handshake is measured besides that of the running one. */
const NEWER_NODE = "24.22.3";

/** In megabytes. A refresh and a destroy run no program. */
interface PeaksOfSets {
  readonly program: number;
  readonly provider: number;
}

export interface PeakRow {
  readonly operation: string;
  readonly sets: PeaksOfSets;
  readonly trivial: PeaksOfSets;
}

export interface Weight {
  readonly ratios: readonly Ratio[];
  readonly peaks: readonly PeakRow[];
  /** In bytes: the package, and all that `npm install` of it puts into node_modules. */
  readonly size: { readonly packageBytes: number; readonly installedBytes: number; readonly packages: number };
}

export async function measureWeight(rounds: number, many: number): Promise<Weight> {
  const newer = await fetchPackage(`node-${process.platform}-${process.arch}`, NEWER_NODE);
  const [bin] = fs.readdirSync(newer).flatMap((name) => (name.startsWith("node-") ? [path.join(newer, name, "bin")] : []));
  const one = await besideTrivial(1, rounds);
  const oneChecked = await besideTrivial(1, rounds, { PULUMI_NODEJS_TRANSPILE_ONLY: undefined });
  const fleet = await besideTrivial(many, Math.min(rounds, 3));
  return {
    ratios: [
      { name: "no-op up of 1 set ÷ of a trivial dynamic resource", ...one.up, atMost: 1.1 },
      { name: "the same, with type checks of the program", ...oneChecked.up, atMost: 1.1 },
      { name: `preview of ${many} unchanged sets ÷ of trivial ones`, ...fleet.preview, atMost: 1.2 },
      ...(await handshakeTime(rounds * 2 + 1)),
      ...(await handshakeTime(rounds * 2 + 1, bin)),
    ],
    peaks: [...one.peaks, ...fleet.peaks],
    size: await installedSize(),
  };
}

interface Beside {
  readonly up: Pick<Ratio, "dividend" | "divisor">;
  readonly preview: Pick<Ratio, "dividend" | "divisor">;
  readonly peaks: readonly PeakRow[];
}

/** Runs a program with some sets, and the same program with trivial resources, in turn. */
async function besideTrivial(count: number, rounds: number, env: Record<string, string | undefined> = {}): Promise<Beside> {
  const emulator = await Emulator.start();
  const images = await emulator.images(Array.from({ length: count }, () => ({ snapshots: 2 })));
  const config = { imageIds: images.map(({ imageId }) => imageId), accountIds: accounts(2) };
  const [sets, trivial] = await Promise.all([SETS, TRIVIAL].map((program) => Measured.create(emulator, program, env)));
  if (!sets || !trivial) throw new Error("no project");
  try {
    for (const { project } of [sets, trivial]) project.config(config);
    const row = async (operation: string, run: (one: Measured) => Promise<unknown>): Promise<PeakRow> => ({
      operation: `${operation}, ${count}`,
      sets: await sets.peaks(run),
      trivial: await trivial.peaks(run),
    });
    const peaks = [await row("first up", ({ project }) => project.up())];
    const time = await medians(rounds, {
      setsUp: () => sets.project.up(),
      trivialUp: () => trivial.project.up(),
      setsPreview: () => sets.project.succeed("preview"),
      trivialPreview: () => trivial.project.succeed("preview"),
    });
    peaks.push(await row("no-op up", ({ project }) => project.up()));
    peaks.push(await row("refresh", ({ project }) => project.refresh()));
    peaks.push(await row("destroy", ({ project }) => project.destroy()));
    return {
      up: { dividend: time.setsUp, divisor: time.trivialUp },
      preview: { dividend: time.setsPreview, divisor: time.trivialPreview },
      peaks,
    };
  } finally {
    for (const one of [sets, trivial]) one.remove();
    await emulator.stop();
  }
}

/** A project, and the memory of its processes. */
class Measured {
  private constructor(
    readonly project: PulumiProject,
    private readonly memory: Peaks,
  ) {}

  static async create(emulator: Emulator, program: string, env: Record<string, string | undefined>): Promise<Measured> {
    const memory = new Peaks();
    return new Measured(await PulumiProject.create(emulator, { program, env: { ...memory.env, ...env } }), memory);
  }

  async peaks(run: (one: Measured) => Promise<unknown>): Promise<PeaksOfSets> {
    const of = await this.memory.during(() => run(this));
    return { program: of(PROGRAM), provider: of(DYNAMIC_PROVIDER) };
  }

  remove(): void {
    this.project.remove();
    this.memory.remove();
  }
}

/** The package as npm installs it in an empty project. */
async function installedSize(): Promise<Weight["size"]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-bench-"));
  try {
    const [packed] = JSON.parse(await npm(ROOT, "pack", "--workspace=provider", "--json", `--pack-destination=${folder}`));
    fs.writeFileSync(path.join(folder, "package.json"), '{ "private": true }');
    await npm(folder, "install", "--ignore-scripts", `./${packed.filename}`);
    const files = fs.readdirSync(path.join(folder, "node_modules"), { recursive: true, withFileTypes: true });
    const bytes = files.filter((file) => file.isFile()).map((file) => fs.statSync(path.join(file.parentPath, file.name)).size);
    return {
      packageBytes: packed.unpackedSize,
      installedBytes: bytes.reduce((sum, size) => sum + size, 0),
      packages: files.filter(
        ({ name, parentPath }) => name === "package.json" && /node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+$/.test(parentPath),
      ).length,
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
