/** What the provider processes of one run tell each other: through files of one user, for one engine, while the processes run. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { userKey } from "../../provider/core";
import { DynamicProvider } from "../../provider/pulumi/dynamicProvider";
import { OtherProviders } from "../../provider/pulumi/otherProviders";
import { CONTEXT, encodeContext } from "../../provider/pulumi/state";
import { MemoryGateway } from "../helpers/memoryGateway";

const ENGINE = ["node", "main.js", "127.0.0.1:4711"];
const [PLACE, URN] = ["us-east-1 ami-0123456789abcdef0", "urn:pulumi:test::p::t::golden"];
const SET = { place: PLACE, urn: URN, authoritative: true, snapshots: false, made: false };
/** No process has it: the largest id of Linux is 4194304. */
const NOBODY = 4_999_999;
const [A, B] = ["111122223333", "444455556666"] as const;

describe("the other provider processes of a run", () => {
  let base: string;
  const made: OtherProviders[] = [];
  /** A process that runs, as this one sees it. Its id has to be one of a running process. */
  const processOf = (pid = process.pid, argv: readonly string[] = ENGINE) => {
    const one = new OtherProviders(argv, base, pid);
    made.push(one);
    return one;
  };

  beforeEach(() => {
    base = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "ami-others-")), "own");
  });
  afterEach(() => {
    for (const one of made.splice(0)) one.engineAt("");
    fs.rmSync(path.dirname(base), { recursive: true, force: true });
  });

  it("know each other's sets as they were told of last, and not their own", () => {
    const [one, two] = [processOf(), processOf(process.ppid)];
    assert.deepEqual(one.at(PLACE), []);
    one.tell(SET);
    assert.deepEqual([one.at(PLACE), two.at(PLACE), two.at("us-east-1 ami-other")], [[], [SET], []]);
    one.tell({ ...SET, made: true });
    one.tell({ ...SET, urn: `${URN}-2` });
    assert.deepEqual(two.at(PLACE), [
      { ...SET, made: true },
      { ...SET, urn: `${URN}-2` },
    ]);
  });

  it("know what was told after they asked, also of a process that begins again, and nothing that is told in part", () => {
    const [one, two] = [processOf(), processOf(process.ppid)];
    const urns = () => two.at(PLACE).map(({ urn }) => urn);
    one.tell(SET);
    assert.deepEqual(urns(), [URN]);
    const file = path.join(base, "127.0.0.1-4711", String(process.pid));
    const line = JSON.stringify({ ...SET, urn: "second" });
    fs.appendFileSync(file, line.slice(0, 9));
    assert.deepEqual(urns(), [URN]);
    fs.appendFileSync(file, `${line.slice(9)}\n`);
    assert.deepEqual(urns(), [URN, "second"]);
    one.engineAt("127.0.0.1:4711");
    one.tell({ ...SET, urn: "third" });
    assert.deepEqual(urns(), ["third"]);
  });

  it("know nothing of another engine, nor without one", () => {
    const one = processOf();
    one.tell(SET);
    for (const argv of [["node", "main.js", "127.0.0.1:4712"], ["node", "main.js"], []])
      assert.deepEqual(processOf(process.ppid, argv).at(PLACE), []);
    const alone = processOf(process.ppid, []);
    alone.tell(SET);
    assert.deepEqual(one.at(PLACE), []);
    alone.engineAt("127.0.0.1:4711");
    alone.tell({ ...SET, urn: "attached" });
    assert.deepEqual(
      one.at(PLACE).map(({ urn }) => urn),
      ["attached"],
    );
  });

  it("leave nothing behind, and delete what processes left that were killed", () => {
    processOf(NOBODY, ["node", "main.js", "127.0.0.1:4000"]).tell(SET);
    processOf(NOBODY).tell(SET);
    const one = processOf();
    assert.deepEqual(one.at(PLACE), [], "a process that is gone declares nothing");
    one.tell(SET);
    assert.deepEqual(fs.readdirSync(base), ["127.0.0.1-4711"]);
    assert.deepEqual(fs.readdirSync(path.join(base, "127.0.0.1-4711")), [String(process.pid)]);
    one.engineAt("");
    assert.deepEqual(fs.readdirSync(base), []);
  });

  it("trust no folder that others can write to, and fail for none", () => {
    const one = processOf();
    one.tell(SET);
    fs.chmodSync(base, 0o777);
    assert.deepEqual(processOf(process.ppid).at(PLACE), []);
    fs.rmSync(base, { recursive: true });
    fs.writeFileSync(base, "a file");
    const two = processOf(process.ppid);
    two.tell(SET);
    assert.deepEqual(two.at(PLACE), []);
  });

  describe("when a set is deleted that another process declares", () => {
    const ec2 = new MemoryGateway();
    const waitOptions = { timeout: 0.05, minDelay: 0.001, maxDelay: 0.002, absencePause: 0 };
    let imageId: string;
    let told: string[];
    const providerIn = (others: OtherProviders) =>
      new DynamicProvider({ gateway: () => ec2, waitOptions, tell: (words) => told.push(words), others });

    beforeEach(() => {
      imageId = ec2.addImage(1).imageId;
      told = [];
    });

    /** The outputs of a set that a provider makes. */
    async function make(provider: DynamicProvider, name: string, args: object, olds: Record<string, unknown> = {}) {
      const context = { urn: `urn:pulumi:test::p::t::${name}`, recorded: {} };
      const { inputs, failures } = await provider.check(olds, {
        imageId,
        accountIds: [A, B],
        ...args,
        [CONTEXT]: encodeContext(context),
      });
      assert.deepEqual(failures ?? [], []);
      return (await provider.create(inputs as Record<string, unknown>)).outs as Record<string, unknown>;
    }

    it("nothing is revoked where that set is authoritative and made", async () => {
      const old = await make(providerIn(processOf(process.ppid, [])), "old", {});
      await make(providerIn(processOf()), "heir", {});
      await providerIn(processOf(process.ppid)).delete(imageId, old);
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [userKey(A), userKey(B)]);
      assert.match(told.join("\n"), /nobody loses access, because set "heir" of another provider has taken over/);
      const file = fs.readFileSync(path.join(base, "127.0.0.1-4711", String(process.pid)), "utf8");
      assert.match(file, new RegExp(imageId));
      assert.doesNotMatch(file, new RegExp(`${A}|${B}`), "grantees can be secrets");
    });

    it("it is refused where nobody would own its grants", async () => {
      const outs = await make(providerIn(processOf(process.ppid, [])), "old", { mode: "additive" });
      await make(providerIn(processOf()), "heir", { mode: "additive" });
      const refused = /set "heir" of another provider declares AMI .* keeps its grants; if the two .*\[hand-over-incomplete\]/;
      const deleting = providerIn(processOf(process.ppid));
      await assert.rejects(deleting.delete(imageId, outs), { message: refused });
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [userKey(A), userKey(B)]);
      await deleting.delete(imageId, { ...outs, onDelete: "retain" });
    });

    it("it is refused where the set made KMS grants, which no other set would revoke", async () => {
      const outs = await make(providerIn(processOf(process.ppid, [])), "old", { kmsAccess: "grant" });
      await make(providerIn(processOf()), "heir", {});
      const deleting = providerIn(processOf(process.ppid)).delete(imageId, outs);
      await assert.rejects(deleting, { message: /set "heir" of another provider .*\[hand-over-incomplete\]/ });
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [userKey(A), userKey(B)]);
    });

    it("it is refused where that set does not manage the snapshots that the set shared", async () => {
      const volumes = { createVolumePermissions: true };
      const outs = await make(providerIn(processOf(process.ppid, [])), "old", volumes);
      const heir = processOf();
      await make(providerIn(heir), "heir", {});
      const deleting = providerIn(processOf(process.ppid));
      await assert.rejects(deleting.delete(imageId, outs), { message: /\[hand-over-incomplete\]/ });
      await make(providerIn(heir), "heir", volumes);
      await deleting.delete(imageId, outs);
      assert.deepEqual([...ec2.grantees(imageId)].sort(), [userKey(A), userKey(B)]);
    });

    it("another AMI is not meant", async () => {
      const old = await make(providerIn(processOf(process.ppid, [])), "old", {});
      processOf().tell({ ...SET, made: true });
      await providerIn(processOf(process.ppid)).delete(imageId, old);
      assert.deepEqual([...ec2.grantees(imageId)], []);
    });
  });
});
