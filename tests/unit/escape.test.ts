/** Control characters and invisible characters: each kind is escaped, and all other text is unchanged. */

import * as assert from "node:assert/strict";
import { AmiSharingError, escapeControls } from "../../provider/core";

describe("control characters", () => {
  const ranges: readonly (readonly [from: number, to: number])[] = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x061c, 0x061c],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x2069],
    [0xfeff, 0xfeff],
  ];

  it("are all shown by their code points, and other characters are unchanged", () => {
    for (let code = 0; code <= 0xffff; code++) {
      const escaped = ranges.some(([from, to]) => code >= from && code <= to);
      const one = String.fromCharCode(code);
      assert.equal(escapeControls(one), escaped ? `\\u${code.toString(16).padStart(4, "0")}` : one);
    }
    assert.equal(escapeControls("Äß 漢 🙂 ‘“"), "Äß 漢 🙂 ‘“");
  });

  it("are escaped in every part of an error's message, which is one line", () => {
    const details = { awsCode: "a\u0007", requestId: "b\n", call: "c\u009b", endpoint: "d\u202e", next: "e\u200b" };
    assert.equal(
      new AmiSharingError("aws-error", "f\u001b[31m", details).message,
      "f\\u001b[31m (AWS: a\\u0007, request id b\\u000a, c\\u009b at d\\u202e); e\\u200b [aws-error]",
    );
  });
});
