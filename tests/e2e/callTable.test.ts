/** The EC2 calls of every operation, counted at the endpoint for sets with 0, 1, 2 and 8 snapshots, with each engine. `npm run bench -- --calls` has more sizes. */

import * as assert from "node:assert/strict";
import { countTable } from "../bench/callTable";

describe("the number of calls for 12 sets with 0, 1, 2 and 8 snapshots", function () {
  this.timeout(600_000);

  const shape = Array.from({ length: 12 }, (_, i) => [0, 1, 2, 8][i % 4] as number);
  for (const engine of ["Pulumi", "plugin", "Terraform"] as const)
    it(`by ${engine} is the expected one for each set, and sets share DescribeImages calls`, async () => {
      const rows = await countTable(engine, shape, { accounts: 20, added: 2, removed: 1 });
      for (const { operation, wrong, others, images, imagesAlone } of rows) {
        assert.deepEqual({ operation, wrong, others }, { operation, wrong: [], others: [] });
        assert.ok(images <= imagesAlone, `${operation}: ${images} DescribeImages calls for ${imagesAlone} sets`);
      }
      const plan = rows.find(({ operation }) => operation === "plan of the create");
      assert.ok(plan && plan.images < plan.imagesAlone / 2, `${plan?.images} DescribeImages calls in the plan`);
    });
});
