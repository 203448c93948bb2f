/** The registry of the sets that one provider process has seen. */

import * as assert from "node:assert/strict";
import { ClaimRegistry, claimOf, decodeDeclaredSet, type PermissionSet, permissionSetOf } from "../../provider/core";

const [X, Y] = ["us-east-1 ami-0123456789abcdef0", "us-east-1 ami-0123456789abcdef1"];

describe("the registry of claims", () => {
  it("a set that is declared again for another AMI claims nothing on the first one", () => {
    const registry = new ClaimRegistry();
    registry.declare(X, "one", claimOf('set "one"', setOf(X)), true);
    registry.declare(Y, "one", claimOf('set "one"', setOf(Y)), true);
    assert.deepEqual(registry.neighbours(X, "two").claims, []);
    assert.equal(registry.neighbours(Y, "two").claims.length, 1);
    // Another set can be authoritative for the first AMI.
    assert.equal(registry.declare(X, "two", claimOf('set "two"', setOf(X)), true), undefined);
  });

  it("what the state recorded of a set stays a claim on its first AMI until it is removed", () => {
    const registry = new ClaimRegistry();
    registry.record(X, "one", claimOf('set "one"', setOf(X)), "record");
    registry.declare(Y, "one", claimOf('set "one"', setOf(Y)), true);
    assert.equal(registry.neighbours(X, "two").claims.length, 1);
    registry.removed(X, "record");
    assert.deepEqual(registry.neighbours(X, "two").claims, []);
  });
});

function setOf(place: string): PermissionSet {
  const decoded = decodeDeclaredSet({ imageId: place.split(" ")[1], accountIds: ["111122223333"] });
  const set = "declared" in decoded ? permissionSetOf(decoded.declared) : undefined;
  assert.ok(set);
  return set;
}
