/** The table of arguments is correct: its names, accepted values and defaults are the ones that the decoder and the planner use. */

import * as assert from "node:assert/strict";
import {
  ARGUMENT_NAMES,
  type Argument,
  type Arguments,
  CONNECTION_ARGUMENTS,
  DEFAULT_WAIT_OPTIONS,
  type DeclaredSet,
  decodeConnection,
  decodeDeclaredSet,
  durationSeconds,
  PROVIDER_ARGUMENTS,
  permissionSetOf,
  SET_ARGUMENTS,
} from "../../provider/core";

const ALL: Arguments = { ...SET_ARGUMENTS, ...CONNECTION_ARGUMENTS };
const MINIMUM = { imageId: "ami-1234567890abcdef0", accountIds: ["111122223333"] };

/** What is wrong with one argument, if all other arguments are valid. */
function problems(args: Record<string, unknown>): string[] {
  const decoded = decodeDeclaredSet({ ...MINIMUM, ...args });
  return "problems" in decoded ? decoded.problems.map(({ message }) => message) : [];
}

function setOf(args: object) {
  const decoded = decodeDeclaredSet({ ...MINIMUM, ...args });
  assert.ok("declared" in decoded, JSON.stringify(decoded));
  return permissionSetOf(decoded.declared as DeclaredSet);
}

describe("the table of arguments", () => {
  it("has each argument, and no others", () => {
    assert.deepEqual(Object.keys(ALL).sort(), [...ARGUMENT_NAMES].sort());
    const decoded = decodeConnection({ stranger: 1 });
    assert.ok("problems" in decoded);
    assert.deepEqual(namesTold(decoded.problems.map(({ message }) => message)).sort(), Object.keys(PROVIDER_ARGUMENTS).sort());
  });

  for (const [name, { type }] of Object.entries(ALL)) {
    if (typeof type !== "object") continue;
    if ("members" in type)
      it(`has each member of ${name}, and no others`, () => {
        assert.deepEqual(namesTold(problems({ [name]: { stranger: 1 } })), Object.keys(type.members));
      });
    else
      it(`lists each value that ${name} accepts, and no others`, () => {
        for (const value of type.values) assert.deepEqual(problems({ [name]: value }), []);
        assert.match(problems({ [name]: "another" }).join(), /is not one of/);
      });
  }

  for (const [name, argument] of Object.entries<Argument>(SET_ARGUMENTS)) {
    if (argument.default === undefined) continue;
    it(`has the default of ${name}, as the planner uses it`, () => {
      assert.deepEqual(setOf({ [name]: argument.default }), setOf({}));
    });
  }

  it("has the timeout that applies if timeouts does not set it", () => {
    for (const { default: missing } of Object.values(SET_ARGUMENTS.timeouts.type.members))
      assert.equal(durationSeconds(missing), DEFAULT_WAIT_OPTIONS.timeout);
  });

  it("describes each argument in sentences", () => {
    const told = (args: Arguments): string[] =>
      Object.values(args).flatMap(({ type, text, pulumi, terraform }) => [
        ...[text, pulumi, terraform].filter((words) => words !== undefined),
        ...(typeof type === "object" && "members" in type ? [type.text, ...told(type.members)] : []),
      ]);
    for (const words of [...told(ALL), ...told(PROVIDER_ARGUMENTS)]) assert.match(words, /^[A-Z`[].*\.$/);
  });
});

/** The names that the error for an unknown argument lists. */
function namesTold(messages: readonly string[]): string[] {
  const lists = messages.map((message) => /the arguments are (.*)/.exec(message)?.[1]);
  return lists.find((list) => list !== undefined)?.split(", ") ?? [];
}
