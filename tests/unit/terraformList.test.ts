/** The list of shared AMIs: which AMIs it contains, which it does not contain, errors of a read, and the number of reads. */

import * as assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { AmiSharingError } from "../../provider/core";
import { MAX_CONCURRENT_CALLS } from "../../provider/core/model/limits";
import type { Diagnostic } from "../../provider/terraform/diagnostics";
import type { ListEvent } from "../../provider/terraform/listResource";
import { LIST_SCHEMA, RESOURCE, RESOURCE_SCHEMA } from "../../provider/terraform/schema";
import { providerServer } from "../../provider/terraform/server";
import { type DynamicValue, decodeValue, encodeValue, type ObjectValue } from "../../provider/terraform/values";
import { MemoryGateway, OWNER } from "../helpers/memoryGateway";
import { type Answer, ask, errors, MemoryTerraform } from "../helpers/memoryTerraform";

const [A, B] = ["account/111122223333", "account/444455556666"] as const;

interface Asked {
  readonly config?: ObjectValue;
  readonly includeResource?: boolean;
  readonly limit?: number;
  /** After how many events the caller stops reading. */
  readonly leaves?: number;
}

function world() {
  const ec2 = new MemoryGateway();
  const server = providerServer({ env: { AWS_REGION: "us-east-1" }, log: () => undefined, window: 0, makeGateway: () => ec2 });
  const list = ({ config = {}, includeResource = false, limit = 100, leaves }: Asked = {}): Promise<ListEvent[]> =>
    new Promise((done) => {
      const events: ListEvent[] = [];
      const request = {
        type_name: RESOURCE,
        config: encodeValue(config, LIST_SCHEMA),
        include_resource_object: includeResource,
        limit,
      };
      const call = Object.assign(new EventEmitter(), {
        request,
        cancelled: false,
        write(event: ListEvent) {
          events.push(event);
          call.cancelled = events.length === leaves;
        },
        end: () => done(events),
      });
      (server.service.ListResource as unknown as (one: typeof call) => void)(call);
    });
  return { ec2, server, list };
}

const idOf = ({ identity }: ListEvent) => decodeValue(identity?.identity_data)?.image_id;
const diagnosticsOf = (events: readonly ListEvent[]): readonly Diagnostic[] =>
  events.flatMap(({ diagnostic }) => diagnostic ?? []);

describe("the list of shared AMIs", () => {
  it("contains each own shared AMI, by id, with identity and name, but no AMI of others or without grantees", async () => {
    const { ec2, list } = world();
    const [launched, copied, unshared] = [ec2.addImage(1), ec2.addImage(1), ec2.addImage(1)];
    const foreign = ec2.addImage(1, "222222222222");
    ec2.grantees(launched.imageId).add(A);
    ec2.grantees(copied.snapshotIds[0] as string).add(A);
    ec2.grantees(foreign.imageId).add(A);
    // EC2 may list the owner as a grantee.
    ec2.grantees(unshared.imageId).add(`account/${OWNER}`);
    const events = await list();
    assert.deepEqual(
      events.map(({ identity, ...rest }) => [decodeValue(identity?.identity_data), rest]),
      [launched, copied].map(({ imageId }) => [
        { image_id: imageId, region: "us-east-1", account_id: OWNER },
        { display_name: `model (${imageId})` },
      ]),
    );
  });

  it("includes the resource, as an import would return it, if that is requested", async () => {
    const { ec2, server, list } = world();
    const { imageId, snapshotIds } = ec2.addImage(2);
    for (const key of [A, B, "user/aws-marketplace"]) ec2.grantees(imageId).add(key);
    for (const id of snapshotIds) ec2.grantees(id).add(A);
    const [event] = await list({ includeResource: true });
    const imported = await ask(server, "ImportResourceState", { type_name: RESOURCE, id: imageId });
    const [resource] = imported.imported_resources as { state: DynamicValue }[];
    assert.deepEqual(decodeValue(event?.resource_object), decodeValue(resource?.state));
    assert.deepEqual(event?.diagnostic, imported.diagnostics);
    // The generated configuration has an empty plan.
    const terraform = new MemoryTerraform({ makeGateway: () => ec2 });
    terraform.state = decodeValue(event?.resource_object);
    await terraform.refresh();
    const { config } = await ask(server, "GenerateResourceConfig", {
      type_name: RESOURCE,
      state: encodeValue(terraform.state, RESOURCE_SCHEMA),
    });
    assert.deepEqual((await terraform.plan(decodeValue(config as DynamicValue) ?? {})).planned, terraform.state);
  });

  it("ends at the limit, or when the caller stops, and reads nothing more", async () => {
    for (const asked of [{ limit: 3 }, { leaves: 3 }]) {
      const { ec2, list } = world();
      for (let n = 0; n < MAX_CONCURRENT_CALLS * 4; n++) ec2.grantees(ec2.addImage(0).imageId).add(A);
      assert.equal((await list(asked)).length, 3);
      const read = ec2.calls.filter(({ action }) => action === "DescribeImageAttribute");
      assert.equal(read.length, MAX_CONCURRENT_CALLS);
    }
  });

  it("contains all AMIs without a limit", async () => {
    const { ec2, list } = world();
    for (let n = 0; n < MAX_CONCURRENT_CALLS * 2 + 1; n++) ec2.grantees(ec2.addImage(0).imageId).add(A);
    assert.equal((await list({ limit: 0 })).length, MAX_CONCURRENT_CALLS * 2 + 1);
  });

  it("warns of an AMI or snapshot whose permissions cannot be read, and contains the other AMIs", async () => {
    for (const snapshot of [false, true]) {
      const { ec2, list } = world();
      const images = [ec2.addImage(1), ec2.addImage(1), ec2.addImage(1)];
      for (const { imageId } of images) ec2.grantees(imageId).add(A);
      const [first, hidden, last] = images.map(({ imageId }) => imageId);
      const refused = snapshot ? images[1]?.snapshotIds[0] : hidden;
      const error = new AmiSharingError("not-authorized", "it may not be read");
      for (const name of ["launchPermissions", "createVolumePermissions"] as const) {
        const read = ec2[name].bind(ec2);
        ec2[name] = (id) => (id === refused ? Promise.reject(error) : read(id));
      }
      const events = await list();
      assert.deepEqual(events.map(idOf), [first, undefined, last]);
      assert.deepEqual(diagnosticsOf(events), [
        {
          severity: "WARNING",
          summary: `AMI ${hidden} is not listed: who it is shared with cannot be read`,
          detail: "it may not be read [not-authorized]",
        },
      ]);
    }
  });

  it("fails if no AMI can be read, so that nobody takes the list for empty", async () => {
    const { ec2, list } = world();
    ec2.addImage(0);
    ec2.launchPermissions = () => Promise.reject(new AmiSharingError("not-authorized", "it may not be read"));
    const diagnostics = diagnosticsOf(await list());
    assert.deepEqual(
      diagnostics.map(({ severity }) => severity),
      ["WARNING", "ERROR"],
    );
    assert.equal(diagnostics[1]?.summary, "The shared AMIs of the region cannot be listed");
  });

  it("skips an AMI that is deleted in between, without a warning", async () => {
    const { ec2, list } = world();
    const [gone, kept] = [ec2.addImage(0), ec2.addImage(0)];
    for (const { imageId } of [gone, kept]) ec2.grantees(imageId).add(A);
    const read = ec2.launchPermissions.bind(ec2);
    const error = new AmiSharingError("image-not-found", "it is gone");
    ec2.launchPermissions = (id) => (id === gone.imageId ? Promise.reject(error) : read(id));
    assert.deepEqual((await list()).map(idOf), [kept.imageId]);
  });

  for (const [code, summary] of [
    ["credentials-expired", "The provider's AWS credentials have expired"],
    ["endpoint-unreachable", "The provider cannot reach AWS"],
    ["throttled", "The shared AMIs of the region cannot be listed"],
    ["stopped", "The shared AMIs of the region cannot be listed"],
  ] as const)
    it(`ends with a single error if the cause affects all AMIs, and says whose error it is (${code})`, async () => {
      const { ec2, list } = world();
      for (let n = 0; n < 20; n++) ec2.grantees(ec2.addImage(0).imageId).add(B);
      ec2.launchPermissions = () => Promise.reject(new AmiSharingError(code, "it failed"));
      const events = await list();
      assert.deepEqual(
        diagnosticsOf(events).map(({ severity, summary: said, detail }) => [severity, said, detail]),
        [["ERROR", summary, `it failed [${code}]`]],
      );
      assert.equal(events.length, 1);
    });

  it("uses the region that it names, and refuses an invalid one", async () => {
    const regions: (string | undefined)[] = [];
    const ec2 = new MemoryGateway();
    const server = providerServer({
      env: { AWS_REGION: "us-east-1" },
      log: () => undefined,
      makeGateway: ({ region }) => {
        regions.push(region);
        return ec2;
      },
    });
    const validate = (config: ObjectValue): Promise<Answer> =>
      ask(server, "ValidateListResourceConfig", { type_name: RESOURCE, config: encodeValue(config, LIST_SCHEMA) });
    assert.deepEqual((await validate({})).diagnostics, []);
    assert.deepEqual((await validate({ region: "eu-west-1" })).diagnostics, []);
    assert.match(errors(await validate({ region: "nowhere" }))[0]?.detail ?? "", /^region: "nowhere" is not a region/);
    await new Promise<void>((end) => {
      const request = { type_name: RESOURCE, config: encodeValue({ region: "eu-west-1" }, LIST_SCHEMA), limit: 1 };
      (server.service.ListResource as unknown as (call: object) => void)({ request, write: () => undefined, end });
    });
    assert.deepEqual(regions, ["eu-west-1"]);
  });
});
