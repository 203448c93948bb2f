/** The forms of a report: Markdown stays short and inert, HTML is inert, and each names everybody who loses access first. */

import * as assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type GranteeBook, NO_GRANTEE_BOOK } from "../../provider/cli/granteeBook";
import { reportOnChanges } from "../../provider/cli/report/build";
import { PLAIN, permissionsOf, type SetChange } from "../../provider/cli/report/changes";
import { htmlOf } from "../../provider/cli/report/html";
import { markdownOf } from "../../provider/cli/report/markdown";
import type { Report } from "../../provider/cli/report/model";
import { textOf } from "../../provider/cli/report/text";

const accounts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `account/${String(300000000000 + from + i)}`);

/** A change of one AMI: grants before and after, each with launch permission. */
function change(before: readonly string[], after: readonly string[], more: Partial<SetChange> = {}): SetChange {
  const image = { imageId: "ami-0123456789abcdef0", region: "us-east-1", snapshotIds: [], label: "" };
  const grants = (some: readonly string[]) => permissionsOf(Object.fromEntries(some.map((one) => [one, "launch"])), image);
  return {
    ...PLAIN,
    image,
    set: { name: "golden", address: "golden", action: "update" },
    before: grants(before),
    after: grants(after),
    ...more,
  };
}

function reportOf(changes: readonly SetChange[], book: GranteeBook = NO_GRANTEE_BOOK): Report {
  return reportOnChanges(changes, { kind: "terraform-plan", tool: "tool" }, book);
}

describe("Markdown", () => {
  it("has what broadens first, then each AMI with who loses before who gains", () => {
    const text = markdownOf(reportOf([change(["account/111122223333"], ["public", "account/444455556666"])]));
    const order = [
      "broadens access",
      "### `ami-0123456789abcdef0`",
      "- account/111122223333 loses launch",
      "+ public gains launch",
      "+ account/444455556666",
    ];
    const places = order.map((part) => text.indexOf(part));
    assert.ok(!places.includes(-1), text);
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    );
  });

  it("puts AMIs that broaden first, then those that take access away, then those that give it, then the others", () => {
    const at = (imageId: string, one: SetChange): SetChange => ({ ...one, image: { ...one.image, imageId } });
    const changes = [
      at("ami-00000001", change(["account/111122223333"], ["account/111122223333"])),
      at("ami-00000002", change([], ["account/111122223333"])),
      at("ami-00000003", change(["account/111122223333"], [])),
      at("ami-00000004", change([], ["public"])),
    ];
    const headings = [...markdownOf(reportOf(changes)).matchAll(/^### `(ami-\w+)`/gm)].map(([, id]) => id);
    assert.deepEqual(headings, ["ami-00000004", "ami-00000003", "ami-00000002", "ami-00000001"]);
  });

  for (const [count, collapsed] of [
    [20, false],
    [21, true],
  ] as const)
    it(`${collapsed ? "collapses" : "shows"} ${count} lines`, () => {
      const text = markdownOf(reportOf([change([], accounts(count))]));
      assert.equal(text.includes("<details>"), collapsed);
      assert.equal(text.includes("<summary>21 lines: who gains or loses access</summary>"), collapsed);
      assert.equal(text.match(/^\+ account/gm)?.length, count);
    });

  it("fits a comment: first who keeps access is left out, then who gains it, and it says so", () => {
    const size = (before: readonly string[], after: readonly string[]) => {
      const text = markdownOf(reportOf([change(before, after)]));
      assert.ok(text.length <= 60_000, `${text.length}`);
      return {
        loses: text.match(/^- account/gm)?.length ?? 0,
        gains: text.match(/^\+ account/gm)?.length ?? 0,
        keeps: text.match(/^ {2}account/gm)?.length ?? 0,
        text,
      };
    };
    const keeping = size([...accounts(10), ...accounts(3000, 5000)], [...accounts(10, 100), ...accounts(3000, 5000)]);
    assert.deepEqual([keeping.loses, keeping.gains, keeping.keeps], [10, 10, 0]);
    assert.match(keeping.text, /… 3000 more keep access: see the HTML page or the JSON/);
    const gaining = size(accounts(500), accounts(3000, 5000));
    assert.deepEqual([gaining.loses, gaining.gains], [500, 20]);
    assert.match(gaining.text, /… 2980 more gain access/);
    const losing = size(accounts(3000), []);
    assert.ok(losing.loses > 0);
    assert.match(losing.text, new RegExp(`… ${3000 - losing.loses} more lose access`));
    // The counts are there, however short it gets.
    assert.match(losing.text, /3000 lose access/);
  });

  it("fits a comment with a thousand AMIs", () => {
    const changes = Array.from({ length: 1000 }, (_, i): SetChange => {
      const one = change(accounts(5), accounts(5, 100));
      return { ...one, image: { ...one.image, imageId: `ami-${(i + 1).toString(16).padStart(17, "0")}` } };
    });
    const text = markdownOf(reportOf(changes));
    assert.ok(text.length <= 60_000, `${text.length}`);
    assert.match(text, /\*\*1000 AMIs: 5000 gain, 5000 lose access\.\*\*/);
    assert.match(text, /more AMIs?: see the HTML page|longer than a comment/);
  });

  it("lets no text of others become markup, a mention, a link or a new line", () => {
    const evil = "```\n</details><script>alert(1)</script>\n# @admin [x](https://evil.example) `` ` \u202e";
    const book: GranteeBook = { nameOf: () => evil, isAllowed: () => false };
    const [given] = [
      change([], ["account/111122223333"], {
        set: { name: evil, address: evil, action: "create" },
        warnings: [evil],
        errors: [evil],
        notes: [evil],
      }),
    ];
    const text = markdownOf(reportOf([given], book));
    // Outside of code, nothing of it is left.
    const withoutBlocks = text.replace(/^(`{3,})(diff|text)\n[\s\S]*?^\1$/gm, "");
    const outside = withoutBlocks.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, "");
    assert.doesNotMatch(outside, /script|@admin|evil|</);
    assert.match(text, /@admin/);
    assert.doesNotMatch(text, /\u202e/);
  });
});

describe("allowed grantees", () => {
  const [a, b, c] = ["account/111122223333", "account/444455556666", "account/777788889999"] as const;
  const book: GranteeBook = { nameOf: () => undefined, isAllowed: (grantee) => grantee === a, hasAllowList: true };

  it("marks who has access after the change, not who loses it, and counts", () => {
    const { amis, warnings } = reportOf([change([b], [a, c])], book);
    assert.deepEqual(
      amis[0]?.grants.map(({ grantee, change: what, allowed }) => [grantee, what, allowed]),
      [
        [b, "loses", undefined],
        [a, "gains", undefined],
        [c, "gains", false],
      ],
    );
    assert.deepEqual(warnings, ["not in the list of --allowed: 1 of those who have access"]);
  });

  it("says which grantees were not checked", () => {
    const secret = reportOf([change([], [a], { hidden: { gains: 1, loses: 0, keeps: 0 } })], book);
    assert.match(secret.amis[0]?.notes.join() ?? "", /are a secret, so they were not checked against --allowed/);
    const unknown = reportOf([change([], [a], { unknown: new Map([["account/[unknown]", "launch"]]) })], book);
    assert.match(unknown.amis[0]?.notes.join() ?? "", /not known yet were not checked against --allowed/);
    assert.deepEqual(reportOf([change([], [a])], book).amis[0]?.notes, []);
  });
});

describe("HTML", () => {
  const evil = `</script><img src=x onerror=alert(1)>"'&`;
  const text = htmlOf(
    reportOf(
      [
        change([], ["account/111122223333"], {
          set: { name: evil, address: evil, action: "create" },
          warnings: [evil],
          errors: [evil],
          notes: [evil],
        }),
      ],
      {
        nameOf: () => evil,
        isAllowed: () => true,
      },
    ),
  );

  it("has no markup of others", () => {
    assert.equal(text.match(/<script/g)?.length, 1);
    assert.equal(text.match(/<\/script>/g)?.length, 1);
    assert.doesNotMatch(text, /<img/);
    assert.match(text, /&#60;img src=x onerror=alert\(1\)&#62;&#34;&#39;&#38;/);
  });

  it("has a policy that lets only its own style and script work, and no address", () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text)?.[1] ?? "";
    for (const element of ["style", "script"]) {
      const content = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(text)?.[1] ?? "";
      assert.ok(content.length > 500);
      const hash = createHash("sha256").update(content).digest("base64");
      assert.ok(policy.includes(`${element}-src 'sha256-${hash}'`), policy);
    }
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(text, /https?:\/\/|url\(|@import| src=(?!x)| href=/);
  });
});

describe("text", () => {
  it("names everybody who loses access, and cuts those who keep it", () => {
    const report = reportOf([change([...accounts(300), ...accounts(50, 1000)], accounts(50, 1000))]);
    const lines = textOf(report, (_, text) => text).split("\n");
    assert.equal(lines.filter((line) => line.includes("loses launch")).length, 300);
    assert.equal(lines.filter((line) => line.includes("keeps launch")).length, 20);
    assert.ok(lines.includes("    30 more keep access"));
  });
});
