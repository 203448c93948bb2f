/** Changes by Terraform that fail in part: refused, interrupted, killed, throttled. The state is right, and the next apply completes the change. */

import * as assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type MadeImage, useEmulator } from "../helpers/emulator";
import { endsSoon, isAlive, onlyProcess } from "../helpers/processes";
import { SlowEc2 } from "../helpers/slowEc2";
import { TerraformProject } from "../helpers/terraformProject";

const [A, B] = ["111122223333", "444455556666"];
const BOTH = "launch, createVolume";
const ADDRESS = "ami_launch_permission_set";

interface StateResource {
  readonly name: string;
  readonly instances: [{ readonly status?: string; readonly attributes: { readonly grants: unknown } }];
}

describe("a change by Terraform that fails in part", () => {
  const emulator = useEmulator();
  let ec2: SlowEc2;
  let project: TerraformProject;
  before(async () => {
    ec2 = new SlowEc2(emulator());
    project = await TerraformProject.create(emulator(), "", { env: { AWS_ENDPOINT_URL: await ec2.start() } });
    // Temporary files of a killed provider are deleted with the project.
    project.env.TMPDIR = project.folder;
  });
  afterEach(() => {
    ec2.letGo();
    for (const name of ["terraform.tfstate", "terraform.tfstate.backup", "aliases.tf"])
      fs.rmSync(path.join(project.folder, name), { force: true });
  });
  after(() => {
    ec2.stop();
    project.remove();
  });

  const wanted = ({ imageId }: MadeImage, ...account_ids: (string | undefined)[]) => ({
    image_id: imageId,
    account_ids,
    create_volume_permissions: {},
  });

  /** The grants in the state, by set. */
  function recorded(): Record<string, unknown> {
    const { resources } = JSON.parse(fs.readFileSync(path.join(project.folder, "terraform.tfstate"), "utf8"));
    return Object.fromEntries(
      resources.map(({ name, instances: [set] }: StateResource) => {
        assert.equal(set.status, undefined, "the resource is tainted");
        return [name, set.attributes.grants];
      }),
    );
  }

  /** All permissions, as `image account` or `snapshot account`. */
  const pairs = (...made: MadeImage[]) => emulator().pairs(made);
  const allOf = (made: MadeImage, ...ids: (string | undefined)[]) =>
    [made.imageId, ...made.snapshotIds].flatMap((resource) => ids.map((id) => `${resource} account/${id}`)).sort();

  const refuseLaunch = ({ imageId }: MadeImage) => ({
    ...{ action: "ModifyImageAttribute", resource: imageId, code: "OperationNotPermitted", status: 400, message: "not today" },
  });
  const refuseVolumes = (snapshotId = "") => ({
    ...{ action: "ModifySnapshotAttribute", resource: snapshotId, code: "UnauthorizedOperation" },
  });

  const providerOf = async ({ pid }: ChildProcess) => onlyProcess(pid, /terraform-provider-ami/);

  /** Starts an apply, and waits until EC2 has shared both snapshots but the provider has no response yet. */
  async function applyUntilHeld() {
    ec2.hold("ModifySnapshotAttribute");
    const running = project.start("apply", "-auto-approve");
    await Promise.race([ec2.holds(2), running.ended.then(({ output }) => assert.fail(output))]);
    return { ...running, provider: await providerOf(running.child) };
  }

  it("in a create: shows a clear warning, taints and revokes nothing, and the next apply makes the missing calls", async () => {
    const [noLaunch, noVolumes] = (await emulator().images([{ snapshots: 2 }, { snapshots: 2 }])) as [MadeImage, MadeImage];
    const [shared, last] = [...noVolumes.snapshotIds].sort();
    await emulator().configure({ failures: [refuseLaunch(noLaunch), refuseVolumes(last)] });
    project.declare({ launch: wanted(noLaunch, A), volumes: wanted(noVolumes, A) });
    const { code, output, diagnostics } = await project.diagnostics("apply");
    assert.equal(code, 0, output);
    const loud = diagnostics.filter(({ summary }) => summary.startsWith("NOT COMPLETE: "));
    assert.deepEqual(
      loud.map(({ severity, summary, address }) => [severity, summary, address]).sort(),
      [
        ["warning", `NOT COMPLETE: AMI ${noLaunch.imageId} is shared in part only`, `${ADDRESS}.launch`],
        ["warning", `NOT COMPLETE: AMI ${noVolumes.imageId} is shared in part only`, `${ADDRESS}.volumes`],
      ].sort(),
    );
    const details = loud.map(({ detail }) => detail).join("\n");
    assert.match(
      details,
      new RegExp(`EC2 refuses to share ${noLaunch.imageId}: not today \\(AWS: OperationNotPermitted, request id `),
    );
    assert.match(details, new RegExp(`the caller may not call ec2:ModifySnapshotAttribute on ${last} .*\\[not-authorized\\]`));
    assert.match(details, /Run terraform apply again: it grants what is missing\./);
    assert.doesNotMatch(output, /^\s+at \S/m);
    assert.deepEqual(recorded(), {
      launch: { [`account/${A}`]: "createVolume" },
      volumes: { [`account/${A}`]: `createVolume on ${shared}` },
    });
    assert.deepEqual(
      await pairs(noLaunch, noVolumes),
      [...noLaunch.snapshotIds, shared].map((id) => `${id} account/${A}`).sort(),
    );

    const { resource_changes = [] } = await project.planJson();
    assert.deepEqual(
      resource_changes.map(({ change }) => [change.actions, change.after?.grants]),
      [
        [["update"], { [`account/${A}`]: BOTH }],
        [["update"], { [`account/${A}`]: BOTH }],
      ],
    );
    await emulator().forgetCalls();
    await project.succeed("apply", "plan.bin");
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [
        ...[noLaunch, noVolumes].map(({ imageId }) => `ModifyImageAttribute ${imageId}`),
        `ModifySnapshotAttribute ${last}`,
      ].sort(),
    );
    const params = (await emulator().calls()).flatMap((call) => [...Object.keys(call.params), ...Object.values(call.params)]);
    assert.ok(!params.some((param) => /remove/i.test(param)), "a grant was revoked");
    assert.deepEqual(await pairs(noLaunch, noVolumes), [...allOf(noLaunch, A), ...allOf(noVolumes, A)].sort());
    assert.ok(await project.isSettled());
  });

  it("in a create without any change: an error, and no set in the state", async () => {
    const ami = await emulator().image({ snapshots: 1 });
    await emulator().configure({ failures: [refuseVolumes(ami.snapshotIds[0])] });
    project.declare({ golden: wanted(ami, A) });
    const { code, diagnostics } = await project.diagnostics("apply");
    assert.equal(code, 1);
    const [failed] = diagnostics.filter(({ severity }) => severity === "error");
    assert.equal(failed?.summary, `AMI ${ami.imageId} is not shared as planned: nothing was changed`);
    assert.deepEqual(recorded(), {});
    assert.deepEqual(await pairs(ami), []);
  });

  it("in an update or a destroy: an error, a state with what EC2 has, and the next run makes only the missing calls", async () => {
    const [noLaunch, noVolumes] = (await emulator().images([{ snapshots: 2 }, { snapshots: 2 }])) as [MadeImage, MadeImage];
    const [shared, last] = [...noVolumes.snapshotIds].sort();
    const failures = () => ({ failures: [refuseLaunch(noLaunch), refuseVolumes(last)] });
    project.declare({ launch: wanted(noLaunch, A), volumes: wanted(noVolumes, A) });
    await project.apply();

    project.declare({ launch: wanted(noLaunch, B), volumes: wanted(noVolumes, B) });
    await emulator().configure(failures());
    const update = await project.diagnostics("apply");
    assert.equal(update.code, 1);
    assert.deepEqual(
      update.diagnostics
        .filter(({ severity }) => severity === "error")
        .map(({ summary }) => summary)
        .sort(),
      [noLaunch, noVolumes].map(({ imageId }) => `AMI ${imageId} is shared in part only`).sort(),
    );
    assert.deepEqual(recorded(), {
      launch: { [`account/${A}`]: BOTH, [`account/${B}`]: "createVolume" },
      volumes: { [`account/${A}`]: BOTH, [`account/${B}`]: `createVolume on ${shared}` },
    });
    await emulator().forgetCalls();
    await project.apply();
    const volumesOf = (...ids: (string | undefined)[]) => ids.map((id) => `ModifySnapshotAttribute ${id}`);
    const launches = [noLaunch, noVolumes].map(({ imageId }) => `ModifyImageAttribute ${imageId}`);
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [...launches, ...volumesOf(...noLaunch.snapshotIds, ...noVolumes.snapshotIds, last)].sort(),
      "the AMI that failed is shared, then all AMIs are unshared",
    );
    assert.deepEqual(await pairs(noLaunch, noVolumes), [...allOf(noLaunch, B), ...allOf(noVolumes, B)].sort());
    assert.ok(await project.isSettled());

    await emulator().configure(failures());
    const destroy = await project.diagnostics("destroy");
    assert.equal(destroy.code, 1);
    assert.deepEqual(
      destroy.diagnostics
        .filter(({ severity }) => severity === "error")
        .map(({ summary }) => summary)
        .sort(),
      [noLaunch, noVolumes].map(({ imageId }) => `AMI ${imageId} is still shared`).sort(),
    );
    assert.deepEqual(Object.keys(recorded()).sort(), ["launch", "volumes"]);
    await emulator().forgetCalls();
    await project.destroy();
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [`ModifyImageAttribute ${noLaunch.imageId}`, ...volumesOf(...noLaunch.snapshotIds, last)].sort(),
    );
    assert.deepEqual(await pairs(noLaunch, noVolumes), []);
    assert.deepEqual(recorded(), {});
  });

  it("in a destroy: a sensitive list stays sensitive in the state and in the next plan", async () => {
    const made = await emulator().image({ snapshots: 1 });
    const secret = { variable: { partner: { type: "string", sensitive: true, default: A } } };
    const declare = (resource?: object) =>
      project.write("secret.tf.json", JSON.stringify({ ...secret, ...(resource ? { resource } : {}) }));
    try {
      project.declare({});
      declare({ [ADDRESS]: { secret: wanted(made, `\${var.partner}`, B) } });
      await project.succeed("apply", "-auto-approve");
      declare();
      await emulator().configure({ deny: ["ec2:ModifyImageAttribute"] });
      const failed = await project.fail("apply", "-auto-approve");
      assert.match(failed.output, /is still shared/);
      await emulator().reset();
      const plan = (await project.succeed("plan")).output;
      assert.match(plan, /account_ids +=.*sensitive value/);
      assert.doesNotMatch(plan, new RegExp(`"${A}"`));
      await project.succeed("apply", "-auto-approve");
      assert.deepEqual(await pairs(made), []);
    } finally {
      fs.rmSync(path.join(project.folder, "secret.tf.json"));
    }
  });

  it("by Ctrl-C: stops between calls, saves what was done, and the next apply makes the missing call", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    project.declare({ golden: wanted(ami, A) });
    project.env.TF_LOG_PROVIDER = "debug";
    const { child, ended, provider } = await applyUntilHeld().finally(() => delete project.env.TF_LOG_PROVIDER);
    const asked = new Promise<void>((done) => {
      let log = "";
      child.stderr?.on("data", (text) => {
        log += text;
        if (log.includes("asked to stop")) done();
      });
    });
    // Ctrl-C in a shell reaches the whole process group: Terraform and its provider.
    assert.ok(child.pid);
    process.kill(-child.pid, "SIGINT");
    await Promise.race([asked, ended]);
    ec2.letGo();
    const { code, output } = await ended;
    assert.equal(code, 1);
    const words = output.replace(/\s+/g, " ");
    assert.match(words, /Gracefully shutting down/);
    assert.match(
      words,
      /Warning: NOT COMPLETE: AMI \S+ is shared in part only .* stopped before EC2's ModifyImageAttribute; nothing more was sent; repeat to go on \[stopped\]/,
    );
    assert.ok(!isAlive(provider));
    assert.deepEqual(recorded(), { golden: { [`account/${A}`]: "createVolume" } });
    assert.deepEqual(await pairs(ami), ami.snapshotIds.map((id) => `${id} account/${A}`).sort());

    await emulator().forgetCalls();
    await project.apply();
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${ami.imageId}`]);
    assert.ok(await project.isSettled());
  });

  /** Starts an apply. EC2 gets its ModifyImageAttribute and never responds. */
  async function applyUnanswered(imageId: string) {
    ec2.hold("ModifyImageAttribute");
    project.declare({ golden: { image_id: imageId, account_ids: [A] } });
    const running = project.start("apply", "-auto-approve", "-no-color");
    await Promise.race([ec2.holds(1), running.ended.then(({ output }) => assert.fail(output))]);
    return { ...running, provider: await providerOf(running.child) };
  }

  it("by Ctrl-C in a call without a response: ends, says [stopped], and the next apply completes the change", async () => {
    const ami = await emulator().image({ snapshots: 0 });
    const { child, ended, provider } = await applyUnanswered(ami.imageId);
    assert.ok(child.pid);
    process.kill(-child.pid, "SIGINT");
    const ran = await Promise.race([ended, sleep(15_000)]);
    // Whatever the result, no process must remain.
    if (!ran) process.kill(-child.pid, "SIGKILL");
    assert.ok(ran, "it still runs 15 seconds after Ctrl-C");
    assert.match(ran.output.replace(/[\s│╷╵]+/g, " "), /ModifyImageAttribute .*\[stopped\]/);
    await endsSoon(provider);

    ec2.letGo();
    await project.apply();
    assert.deepEqual(await pairs(ami), allOf(ami, A));
    assert.ok(await project.isSettled());
  });

  it("by a call without a response: ends, names call, AMI and endpoint, and the next apply completes the change", async () => {
    const ami = await emulator().image({ snapshots: 0 });
    project.env.AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS = "1500";
    const { child, ended } = await applyUnanswered(ami.imageId).finally(
      () => delete project.env.AMI_LAUNCH_PERMISSIONS_REQUEST_TIMEOUT_MS,
    );
    const ran = await Promise.race([ended, sleep(30_000)]);
    if (!ran && child.pid) process.kill(-child.pid, "SIGKILL");
    assert.ok(ran, "it still runs after 30 seconds");
    assert.match(
      ran.output.replace(/[\s│╷╵]+/g, " "),
      new RegExp(
        `${project.env.AWS_ENDPOINT_URL}.* did not answer .*ModifyImageAttribute of ${ami.imageId}.*\\[endpoint-unreachable\\]`,
      ),
    );
    const sent = await emulator().modifications();
    assert.deepEqual(sent, Array(3).fill(`ModifyImageAttribute ${ami.imageId}`), "the call was sent more than three times");

    ec2.letGo();
    await project.apply();
    assert.deepEqual(await pairs(ami), allOf(ami, A));
    assert.ok(await project.isSettled());
  });

  it("by kill -9 of the provider: the next apply makes the missing call", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    project.declare({ golden: wanted(ami, A) });
    const { ended, provider } = await applyUntilHeld();
    process.kill(provider, "SIGKILL");
    const { code, output } = await ended;
    assert.equal(code, 1);
    // Terraform's message depends on what it detects first.
    assert.match(output, /Plugin did not respond|Request cancelled/);
    ec2.letGo();
    await emulator().forgetCalls();
    await project.apply();
    assert.deepEqual(await emulator().modifications(), [`ModifyImageAttribute ${ami.imageId}`]);
    assert.deepEqual(await pairs(ami), allOf(ami, A));
    assert.ok(await project.isSettled());
  });

  it("by kill -9 of Terraform: the provider changes nothing more and ends; the next apply completes the change", async () => {
    const ami = await emulator().image({ snapshots: 2 });
    project.declare({ golden: wanted(ami, A) });
    const hanging = await applyUntilHeld();
    hanging.child.kill("SIGKILL");
    await hanging.ended;
    await endsSoon(hanging.provider);
    ec2.letGo();
    assert.deepEqual(await pairs(ami), ami.snapshotIds.map((id) => `${id} account/${A}`).sort());

    // If EC2 responds, an orphaned provider does not continue.
    project.declare({ golden: wanted(ami, B) });
    const orphaned = await applyUntilHeld();
    orphaned.child.kill("SIGKILL");
    await orphaned.ended;
    await sleep(2000);
    ec2.letGo();
    await endsSoon(orphaned.provider);
    assert.deepEqual(
      await pairs(ami),
      ami.snapshotIds.flatMap((id) => [A, B].map((account) => `${id} account/${account}`)).sort(),
    );

    await emulator().forgetCalls();
    await project.apply();
    assert.deepEqual(
      (await emulator().modifications()).sort(),
      [`ModifyImageAttribute ${ami.imageId}`, ...ami.snapshotIds.map((id) => `ModifySnapshotAttribute ${id}`)].sort(),
    );
    assert.deepEqual(await pairs(ami), allOf(ami, B));
    assert.ok(await project.isSettled());
  });

  it("by throttling: retries up to max_retries, and logs each call with its request id and no secret", async () => {
    const [patient, hasty] = (await emulator().images([{}, {}])) as [MadeImage, MadeImage];
    const throttled = ({ imageId }: MadeImage, times: number) => ({
      ...{
        action: "ModifyImageAttribute",
        resource: imageId,
        code: "RequestLimitExceeded",
        message: "Request limit exceeded.",
        times,
      },
    });
    await emulator().configure({ failures: [throttled(patient, 2), throttled(hasty, 2)] });
    const alias = (name: string, retries: number) =>
      `provider "ami" {\n  alias = "${name}"\n  region = "us-east-1"\n  max_retries = ${retries}\n}\n`;
    project.write("aliases.tf", alias("patient", 2) + alias("hasty", 1));
    const named = (name: string) => ({ provider: `ami.${name}` });
    project.declare({
      patient: { ...named("patient"), image_id: patient.imageId, account_ids: [A] },
      hasty: { ...named("hasty"), image_id: hasty.imageId, account_ids: [A] },
    });
    project.env.TF_LOG = "trace";
    const { code, output, diagnostics } = await project.diagnostics("apply").finally(() => delete project.env.TF_LOG);
    assert.equal(code, 1);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    assert.equal(errors.length, 1);
    assert.match(
      errors[0]?.detail ?? "",
      /^EC2 throttles ModifyImageAttribute of ami-\w+, after 2 attempts in \d+\.\d s \(AWS: RequestLimitExceeded, request id [-\w]+, at http:\/\/127.0.0.1:\d+\); repeat later; a higher max_retries allows more attempts \[throttled\]$/,
    );
    assert.equal(errors[0]?.address, `${ADDRESS}.hasty`);
    const calls = await emulator().calls();
    const attempts = ({ imageId }: MadeImage) =>
      calls.filter(({ action, resource }) => action === "ModifyImageAttribute" && resource === imageId).length;
    assert.deepEqual([attempts(patient), attempts(hasty)], [3, 2]);
    assert.deepEqual(await pairs(patient, hasty), [`${patient.imageId} account/${A}`]);

    const log = output.split("\n").filter((line) => /\] +provider\.terraform-provider-ami/.test(line));
    const logged = (level: string, ...words: string[]) =>
      assert.ok(
        log.some((line) => line.includes(`[${level}]`) && words.every((word) => line.includes(word))),
        `missing in the log: ${level} ${words}`,
      );
    // Retries are logged as attempts of one call.
    for (const { action, requestId } of calls.filter(({ code: error }) => error === ""))
      logged("DEBUG", `: EC2 ${action}: `, `requestId=${requestId}`, "milliseconds=");
    logged("DEBUG", ": EC2 ModifyImageAttribute: ", "attempts=3");
    logged("DEBUG", ": EC2 ModifyImageAttribute: ", "attempts=2", "awsCode=RequestLimitExceeded");
    logged("TRACE", ": answered ApplyResourceChange: ");
    logged("INFO", `AMI ${patient.imageId} in us-east-1: 1 gained access`);
    const { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = "" } = emulator().environment();
    for (const secret of [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]) assert.ok(!output.includes(secret), "the log has a secret");
  });
});
