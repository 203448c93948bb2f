/** Names of accounts: files in every form, what is wrong with them, and how texts show names. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
  AmiSharingError,
  accountNamesInFile,
  accountNamesInText,
  decodeAccountNames,
  type ListFormat,
  rulesOf,
  withNames,
} from "../../provider/core";
import { useFolder } from "../helpers/folder";

const [A, B, ZERO] = ["111122223333", "444455556666", "012345678901"] as const;
const BOTH = [
  [A, "acme-prod"],
  [ZERO, "acme tools, old"],
] as const;

describe("names of accounts", () => {
  const texts: readonly (readonly [string, ListFormat, string])[] = [
    ["a map in YAML, with unquoted ids", "yaml", `${A}: acme-prod\n${ZERO}: acme tools, old # a comment\n`],
    ["a list in YAML", "yaml", `- id: ${A}\n  name: acme-prod\n- { id: ${ZERO}, name: "acme tools, old" }\n`],
    ["a map in JSON", "json", `{ "${A}": "acme-prod", "${ZERO}": "acme tools, old" }`],
    [
      "what aws organizations list-accounts prints",
      "json",
      `{ "Accounts": [{ "Id": "${A}", "Arn": "arn:aws:…", "Name": "acme-prod" }, { "Id": "${ZERO}", "Name": "acme tools, old" }] }`,
    ],
    ["the same in YAML", "yaml", `Accounts:\n- Id: '${A}'\n  Name: acme-prod\n- Id: '${ZERO}'\n  Name: acme tools, old\n`],
    ["two columns", "csv", `# names\r\n${A},acme-prod\r\n\r\n${ZERO},"acme tools, old"\r\n`],
    [
      "columns with headers in another order",
      "csv",
      `\ufeffName,Email,Account ID\nacme-prod,a@b.c,${A}\n"acme tools, old",d@e.f,${ZERO}`,
    ],
  ];
  for (const [name, format, text] of texts)
    it(`are read from ${name}`, () => {
      const decoded = accountNamesInText(text, format);
      assert.deepEqual("names" in decoded ? [...decoded.names] : decoded.problems, BOTH);
    });

  it("are read from a map of a program", () => {
    const decoded = decodeAccountNames({ [A]: " acme-prod ", [B]: "b" });
    assert.deepEqual("names" in decoded && [...decoded.names], [
      [A, "acme-prod"],
      [B, "b"],
    ]);
  });

  const wrong: readonly (readonly [string, ListFormat, string, readonly RegExp[]])[] = [
    ["an id twice in YAML", "yaml", `${A}: a\n${B}: b\n${A}: c`, [/^line 3: account 111122223333 has a name already$/]],
    ["an id twice in JSON", "json", `{"${A}": "a", "${A}": "b"}`, [/^has "111122223333" twice$/]],
    ["an id twice in CSV", "csv", `id,name\n${A},a\n${A},b`, [/^line 3: account 111122223333 has a name already$/]],
    [
      "wrong ids",
      "csv",
      "12345678901,lost zero\n1.11122E+11,rounded\nacme,no id",
      [/^line 1: "12345678901" is not an account id of 12 digits$/, /^line 2: "1\.11122E\+11"/, /^line 3: "acme"/],
    ],
    ["a number that lost its zero", "json", `[{"id": 12345678901, "name": "a"}]`, [/^entry 1: "?12345678901"? is not/]],
    ["an account without a name", "yaml", `${A}:\n${B}: ""`, [/^line 1: account 111122223333 has no name$/, /^line 2/]],
    ["an empty file", "yaml", "# nothing\n", [/^is empty$/]],
    ["an empty CSV file", "csv", "\n", [/^is empty$/]],
    ["an empty JSON file", "json", "", [/^is empty$/]],
    ["a truncated JSON file", "json", `{"${A}": "ac`, [/^is not JSON: /]],
    ["a truncated YAML file", "yaml", `${A}: "ac`, [/^is not YAML: line 1: /]],
    ["quotes that do not end", "csv", `${A},"ac`, [/^is not CSV: /]],
    ["a single text", "yaml", "hello", [/^is neither a map nor a list$/]],
    ["an alias without an anchor", "yaml", `${A}: *prod`, [/^is not YAML: /]],
  ];
  for (const [name, format, text, problems] of wrong)
    it(`report ${name}`, () => {
      const decoded = accountNamesInText(text, format);
      const found = "problems" in decoded ? decoded.problems : assert.fail(JSON.stringify([...decoded.names]));
      assert.equal(found.length, problems.length, found.join("\n"));
      for (const [i, words] of problems.entries()) assert.match(found[i] ?? "", words);
    });

  describe("in a file", () => {
    const folder = useFolder();
    const problem = (file: string) => {
      try {
        accountNamesInFile(file);
      } catch (error) {
        assert.ok(error instanceof AmiSharingError && error.code === "invalid-argument", String(error));
        return error.message;
      }
      return assert.fail("it was expected to fail");
    };
    const put = (name: string, contents: string | Uint8Array) => {
      const file = path.join(folder(), name);
      fs.writeFileSync(file, contents);
      return file;
    };

    it("are read by its ending", () => {
      assert.deepEqual([...accountNamesInFile(put("names.YML", `${A}: acme-prod`))], [[A, "acme-prod"]]);
    });

    it("report the path, the first problems, and what to do", () => {
      const message = problem(put("names.csv", Array.from({ length: 8 }, (_, i) => `${i},x`).join("\n")));
      assert.match(
        message,
        /^accountNames: the file ".*names\.csv" line 1: "0" is not an account id .* and 3 more; correct the file: /,
      );
    });

    it("report a missing file, a folder, another ending, other bytes, and 50 MB, which are not read", () => {
      assert.match(problem(path.join(folder(), "none.json")), /none\.json" does not exist/);
      fs.mkdirSync(path.join(folder(), "folder.json"));
      assert.match(problem(path.join(folder(), "folder.json")), /is a folder/);
      assert.match(problem(put("names.xlsx", "x")), /has none of the endings \.json, \.yaml, \.yml, \.csv and \.txt/);
      assert.match(problem(put("utf16.csv", Buffer.from(`${A},a`, "utf16le"))), /utf16\.csv"/);
      assert.match(problem(put("latin.csv", Buffer.from([0xe9, 0x0a]))), /is not text in UTF-8/);
      fs.truncateSync(put("large.json", ""), 50_000_000);
      assert.match(problem(path.join(folder(), "large.json")), /has 50 MB, and 20 MB is the most that is read/);
      fs.truncateSync(put("large.yaml", ""), 3_000_000);
      assert.match(problem(path.join(folder(), "large.yaml")), /has 3 MB, and 2 MB is the most that is read/);
      if (os.platform() !== "win32") assert.match(problem("/dev/null.json"), /does not exist|is not a file/);
    });
  });

  describe("in a text", () => {
    const names = new Map([
      [A, "acme-prod"],
      [B, "a\u202eb\u001b[31m\nc"],
      [ZERO, "x".repeat(100)],
    ]);

    it("follow each id, once, and not in quotes, ARNs and other words", () => {
      const cases = {
        [`+ launch (new; 2): account/${A}, account/777788889999`]: `+ launch (new; 2): account/${A} (acme-prod), account/777788889999`,
        [`belongs to account ${A}, and`]: `belongs to account ${A} (acme-prod), and`,
        [`account/${A}.`]: `account/${A} (acme-prod).`,
        [`account ${A}: not`]: `account ${A} (acme-prod): not`,
      };
      for (const [text, named] of Object.entries(cases)) {
        assert.equal(withNames(text, names), named);
        assert.equal(withNames(named, names), named);
      }
      for (const text of [`"${A}" is wrong`, `arn:aws:kms:us-east-1:${A}:key/1`, `user/${A}`, `${A}1`, `snap-${A}`, `${A}.5`])
        assert.equal(withNames(text, names), text);
    });

    it("are in one line, without characters that nobody sees, and shortened", () => {
      assert.equal(withNames(`account/${B}`, names), `account/${B} (a\\u202eb\\u001b[31m\\u000ac)`);
      assert.equal(withNames(`account/${ZERO}`, names), `account/${ZERO} (${"x".repeat(60)}...)`);
    });
  });

  it("of the map override those of the file; what is not known yet is left out", async () => {
    const { names } = rulesOf({ accountNames: { [A]: "acme-prod" } }, "the stack", () => ({}));
    assert.equal(await names.in(`account/${A}`), `account/${A} (acme-prod)`);
    assert.throws(
      () => rulesOf({ accountNames: { "1234": "x" } }, "the stack", () => ({})),
      /^AmiSharingError: the stack's accountNames: "1234": "1234" is not an account id of 12 digits \[invalid-argument\]$/,
    );
    assert.throws(
      () => rulesOf({ accountNames: [], names: 7 }, "the stack", () => ({})),
      /is not a map from account id to name.*names: 7 is not/s,
    );
  });
});
