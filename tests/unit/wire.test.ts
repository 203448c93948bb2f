/** The checks of an HTTP response, without HTTP: whose endpoint it is from, and unknown protocols. */

import * as assert from "node:assert/strict";
import { Readable } from "node:stream";
import type { HandlerExecutionContext, HttpRequest } from "@smithy/types";
import { answerCheck, BadAnswer, endpointOf } from "../../provider/core/aws/wire";

const QUERY = "Action=DescribeImages&Version=2016-11-15";

async function answered(request: Partial<HttpRequest>, body: string, status = 200): Promise<string | undefined> {
  const context: HandlerExecutionContext = {};
  const whole = {
    protocol: "https:",
    hostname: "example.invalid",
    method: "POST",
    path: "/",
    headers: {},
    query: {},
    ...request,
  };
  const response = { statusCode: status, headers: {}, body: Readable.from([Buffer.from(body)]) };
  const check = answerCheck({ connectTimeout: 1000, requestTimeout: 1000 })(
    async () => ({ response, output: {} as never }),
    context,
  );
  await check({ request: whole, input: {} });
  assert.equal(String(response.body), body, "the check leaves the body readable for the SDK");
  return endpointOf(context);
}

describe("an HTTP response", () => {
  const good = "<DescribeImagesResponse></DescribeImagesResponse>";
  const aws = [
    "ec2.us-east-1.amazonaws.com",
    "ec2.cn-north-1.amazonaws.com.cn",
    "ec2.us-east-1.api.aws",
    "vpce-1.ec2.us-east-1.vpce.amazonaws.com",
  ];
  for (const hostname of aws)
    it(`from ${hostname} is from AWS: errors do not name the endpoint`, async () => {
      assert.equal(await answered({ hostname, body: QUERY }, good), undefined);
    });

  for (const hostname of ["amazonaws.com.example.invalid", "ec2.amazonaws.co", "notamazonaws.com"])
    it(`from ${hostname} is not from AWS: errors name the endpoint`, async () => {
      assert.equal(await answered({ hostname, port: 5055, body: QUERY }, good), `https://${hostname}:5055`);
    });

  for (const before of ["\ufeff", "\n", '<?xml version="1.0"?>\n<!-- by a proxy -->\n'])
    it(`may begin with ${JSON.stringify(before)}`, async () => {
      await answered({ body: QUERY }, before + good);
    });

  it("in an unknown protocol is left to the SDK, except for a redirect status", async () => {
    for (const body of [undefined, "", new Uint8Array([0xa0])]) {
      await answered({ body }, "\u00a0anything");
      await assert.rejects(answered({ body }, "", 307), BadAnswer);
    }
  });
});
