/** The schema of the full Pulumi provider: every argument is in it, described, and what it says holds. */

import * as assert from "node:assert/strict";
import { ARGUMENT_NAMES, describePermissions, PROVIDER_ARGUMENTS } from "../../provider/core";
import { SECRET_CONFIG } from "../../provider/pulumi-plugin/configArguments";
import { GET_PERMISSIONS, SET_TYPE } from "../../provider/pulumi-plugin/names";
import { packageSchema } from "../../provider/pulumi-plugin/schema";
import { MemoryGateway } from "../helpers/memoryGateway";

type Node = Record<string, unknown>;
interface Shape {
  readonly properties: Record<string, Node>;
  readonly inputProperties: Record<string, Node>;
  readonly required: readonly string[];
}

const schema = packageSchema();
const set = schema.resources[SET_TYPE] as unknown as Shape;

/** Every object in a value, with where it stands. */
function objectsIn(value: unknown, at = "schema"): (readonly [string, Node])[] {
  if (typeof value !== "object" || value === null) return [];
  const own = Array.isArray(value) ? [] : [[at, value as Node] as const];
  return [...own, ...Object.entries(value).flatMap(([name, member]) => objectsIn(member, `${at}.${name}`))];
}

describe("the full Pulumi provider's schema", () => {
  it("has every argument of a set as input and output, and the outputs", () => {
    assert.deepEqual(Object.keys(set.inputProperties).sort(), [...ARGUMENT_NAMES].sort());
    assert.deepEqual(
      Object.keys(set.properties)
        .filter((name) => !(ARGUMENT_NAMES as readonly string[]).includes(name))
        .sort(),
      ["grants", "ownerId", "snapshotIds"],
    );
    assert.deepEqual(
      Object.keys(set.inputProperties).filter((name) => set.inputProperties[name]?.willReplaceOnChanges),
      ["imageId", "region"],
    );
  });

  it("has the same arguments in the provider and in the config", () => {
    const { inputProperties } = schema.provider as unknown as Shape;
    const { variables } = schema.config as { variables: object };
    assert.deepEqual(Object.keys(inputProperties), [
      ...Object.keys(PROVIDER_ARGUMENTS),
      ...["endpoints", "assumeRoles", "accessKey", "secretKey", "token", "sharedConfigFiles", "sharedCredentialsFiles"],
    ]);
    const secrets = Object.keys(inputProperties).filter((name) => inputProperties[name]?.secret);
    assert.deepEqual(secrets, ["accessKey", "secretKey", "token"]);
    assert.deepEqual(secrets, [...SECRET_CONFIG]);
    assert.deepEqual(inputProperties, variables);
  });

  it("describes every property and every type, by the provider's own configuration", () => {
    const bare = objectsIn(schema)
      .filter(([at]) =>
        /\.(properties|inputProperties|variables|types|resources|functions)\.[^.]+$/.test(at.replace(/:index:/g, "/")),
      )
      .filter(([, { description }]) => typeof description !== "string" || description === "");
    assert.deepEqual(
      bare.map(([at]) => at),
      [],
    );
    assert.doesNotMatch(JSON.stringify(schema), /aws:(region|profile|endpoints|assumeRole)|stack's/);
  });

  it("refers to types that it has, and has no other", () => {
    const refs = objectsIn(schema).flatMap(([, { $ref }]) => (typeof $ref === "string" ? [$ref.replace("#/types/", "")] : []));
    assert.deepEqual([...new Set(refs)].sort(), Object.keys(schema.types).sort());
  });

  it("gives a property one type, so that Go and C# have one: only createVolumePermissions is also true or false", () => {
    const unions = objectsIn(schema).filter(([, { oneOf }]) => oneOf !== undefined);
    assert.deepEqual([...new Set(unions.map(([at]) => at.split(".").at(-1)))], ["createVolumePermissions"]);
    assert.doesNotMatch(JSON.stringify(schema), /\\"none\\"/);
  });

  it("has an example in every language", () => {
    const { description } = schema.resources[SET_TYPE] as { description: string };
    for (const language of ["typescript", "python", "go", "csharp", "java", "yaml"])
      assert.match(description, new RegExp(`\`\`\`${language}\n`));
  });

  it("tells what the function answers", async () => {
    const ec2 = new MemoryGateway();
    const { imageId } = ec2.addImage(1);
    const answer = await describePermissions(ec2, imageId);
    const { properties, required } = (schema.functions[GET_PERMISSIONS] as unknown as { outputs: Shape }).outputs;
    assert.deepEqual(
      Object.keys(answer).filter((name) => !(name in properties)),
      [],
    );
    assert.deepEqual(
      required.filter((name) => !(name in answer)),
      [],
    );
  });
});
