/** The page of a report in a real browser: the matrix, the filter, keys, both themes, print, and what axe finds. */

import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { type GranteeBook, NO_GRANTEE_BOOK } from "../../provider/cli/granteeBook";
import { reportOnChanges } from "../../provider/cli/report/build";
import { PLAIN, permissionsOf, type SetChange } from "../../provider/cli/report/changes";
import { htmlOf } from "../../provider/cli/report/html";
import type { Report } from "../../provider/cli/report/model";
import { browserOnPath } from "../helpers/browser";

const AXE = createRequire(__filename).resolve("axe-core/axe.min.js");
const account = (i: number) => `account/${String(300000000000 + i)}`;

/** A plan of `amis` AMIs. Of the `each` accounts of an AMI, the first tenth loses access, the second tenth gains it, and the others keep it. */
function planOf(amis: number, each: number, book: GranteeBook = NO_GRANTEE_BOOK): Report {
  const changes = Array.from({ length: amis }, (_, i): SetChange => {
    const image = {
      imageId: `ami-${(i + 1).toString(16).padStart(17, "0")}`,
      region: i % 2 ? "eu-west-1" : "us-east-1",
      snapshotIds: ["snap-0123456789abcdef0"],
      label: "",
    };
    const ids = Array.from({ length: each }, (_, n) => account(i * 10 + n));
    const tenth = Math.ceil(each / 10);
    const grants = (some: readonly string[], words: string) =>
      permissionsOf(Object.fromEntries(some.map((one) => [one, words])), image);
    return {
      ...PLAIN,
      image,
      set: { name: `set-${i}`, address: `set-${i}`, action: "update", mode: "authoritative" },
      before: grants([...ids.slice(0, tenth), ...ids.slice(2 * tenth)], "launch"),
      after: grants(ids.slice(tenth), "launch, createVolume"),
    };
  });
  return reportOnChanges(changes, { kind: "terraform-plan", tool: "tool" }, book);
}

describe("the page of a report in a browser", function () {
  this.timeout(120_000);
  const executablePath = browserOnPath();
  let browser: Browser;
  let folder: string;

  before(async function () {
    if (!executablePath) {
      console.log("      no Chromium on PATH: set-up could not install one (npm run setup -- --only=browser says why)");
      this.skip();
    }
    folder = fs.mkdtempSync(path.join(os.tmpdir(), "ami-page-"));
    // A container has no user namespaces for the sandbox; the page is this test's own.
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  });
  after(async () => {
    await browser?.close();
    if (folder) fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Opens a page from a file, and collects what it asks for and what it complains about. */
  async function open(
    report: Report,
    options: Parameters<Browser["newPage"]>[0] = {},
  ): Promise<{ page: Page; requests: string[]; errors: string[] }> {
    const file = path.join(folder, "report.html");
    fs.writeFileSync(file, htmlOf(report));
    const page = await browser.newPage(options);
    const [requests, errors]: [string[], string[]] = [[], []];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(pathToFileURL(file).href);
    return { page, requests, errors };
  }

  const rows = (page: Page) => page.locator("table.matrix tbody tr:visible");

  for (const [name, report, size] of [
    ["1 grant", planOf(1, 1), 1],
    ["50 grants", planOf(5, 10), 5 * 10],
    ["2,000 grants on one AMI", planOf(1, 2000), 2000],
    ["2,000 grants on 40 AMIs", planOf(40, 50), 40 * 50],
  ] as const)
    it(`shows ${name}, asks the network for nothing, and breaks no rule of its policy`, async () => {
      const { page, requests, errors } = await open(report);
      assert.deepEqual([requests.length, errors], [1, []]);
      const cells = page.locator("table.matrix td.gains, table.matrix td.loses, table.matrix td.both, table.matrix td.keeps");
      assert.equal(await cells.count(), size);
      assert.equal(
        report.amis.reduce((sum, { grants }) => sum + grants.length, 0),
        size,
      );
      // Each change is told by its sign and by words, not by its colour alone.
      const lost = page.locator("table.matrix td.loses").first();
      assert.match((await lost.textContent()) ?? "", /^\u2212loses launch/);
      await page.close();
    });

  it("filters by grantee, by AMI and by change, and says how many rows are left", async () => {
    const { page } = await open(planOf(40, 50));
    const total = await rows(page).count();
    const shown = () => page.locator("#shown").textContent();
    assert.equal(await shown(), `${total} rows`);
    await page.fill("#query", "300000000005");
    assert.deepEqual(new Set(await rows(page).locator("th").allTextContents()), new Set(["account/300000000005"]));
    assert.equal(await shown(), `${await rows(page).count()} of ${total} rows`);
    await page.fill("#query", "AMI-00000000000000003");
    assert.equal(await page.locator("table.matrix thead th[scope=col]:visible").count(), 2);
    assert.equal(await rows(page).count(), 50);
    await page.selectOption("#change", "loses");
    assert.equal(await rows(page).count(), 5);
    assert.equal(await page.locator("td.loses:visible").count(), 5);
    await page.fill("#query", "nobody");
    assert.equal(await rows(page).count(), 0);
    assert.equal(await page.locator("section:has(table.matrix):visible").count(), 0);
    await page.click("button[type=reset]");
    await page.locator("#shown", { hasText: new RegExp(`^${total} rows$`) }).waitFor();
    await page.close();
  });

  it("works with the keyboard alone", async () => {
    const { page } = await open(planOf(2, 30));
    const focused = () =>
      page.evaluate<string>("(({ id, className, tagName }) => id || className || tagName)(document.activeElement)");
    await page.keyboard.press("/");
    assert.equal(await focused(), "query");
    await page.keyboard.type("300000000005");
    assert.equal(await rows(page).count(), 1);
    await page.keyboard.press("Escape");
    assert.deepEqual([await focused(), await page.inputValue("#query"), await rows(page).count()], ["query", "", 40]);
    // In the filter, the key is a character.
    await page.keyboard.type("/");
    assert.equal(await page.inputValue("#query"), "/");
    await page.keyboard.press("Escape");
    const reached: (string | undefined)[] = [];
    for (let i = 0; i < 5; i++) {
      await page.keyboard.press("Tab");
      reached.push(await focused());
    }
    assert.deepEqual(reached, ["change", "BUTTON", "scroll", "SUMMARY", "SUMMARY"]);
    await page.close();
  });

  it("shows names, marks who is not allowed, and shows nothing of theirs as markup", async () => {
    const name = '<img src=x onerror="document.title=1">&amp;';
    const book: GranteeBook = { nameOf: () => name, isAllowed: (grantee) => grantee !== account(1) };
    const { page, errors } = await open(planOf(1, 10, book));
    assert.deepEqual([errors, await page.locator("main img").count()], [[], 0]);
    assert.equal(await page.title(), "Changes of AMI launch permissions");
    assert.equal(await page.locator("tbody th small").first().textContent(), name);
    assert.deepEqual(await page.locator(".bad").allTextContents(), ["not allowed"]);
    await page.close();
  });

  it("is readable without its script", async () => {
    const { page } = await open(planOf(1, 10), { javaScriptEnabled: false });
    assert.equal(await rows(page).count(), 10);
    assert.equal(await page.locator("form:visible").count(), 0);
    await page.close();
  });

  for (const colorScheme of ["light", "dark"] as const)
    it(`has a ${colorScheme} theme in which axe finds nothing`, async () => {
      const { page } = await open(planOf(3, 12, { nameOf: () => "acme-prod", isAllowed: (one) => one !== account(1) }), {
        colorScheme,
      });
      const dark = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      assert.equal(dark, colorScheme === "dark" ? "rgb(13, 17, 23)" : "rgb(255, 255, 255)");
      // The policy of the page lets no other script in, so the debugger brings it.
      const client = await page.context().newCDPSession(page);
      await client.send("Runtime.evaluate", { expression: fs.readFileSync(AXE, "utf8") });
      const found = await client.send("Runtime.evaluate", {
        expression:
          "axe.run(document).then(({ violations, passes }) => JSON.stringify([violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html)), passes.map(({ id }) => id)]))",
        awaitPromise: true,
      });
      const [violations, passes] = JSON.parse(found.result.value);
      assert.deepEqual(violations, []);
      assert.ok(passes.includes("color-contrast") && passes.length > 15, passes.join());
      await page.close();
    });

  it("prints every row, without the filter, and with the details open", async () => {
    const report = planOf(40, 50);
    const { page } = await open(report, { colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("form:visible").count(), 0);
    assert.equal(await page.evaluate<string>("getComputedStyle(document.querySelector('.scroll')).overflow"), "visible");
    const pdf = await page.pdf({ preferCSSPageSize: true });
    const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
    assert.ok(pages > 3, `${pages} pages`);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    assert.equal(await page.locator("details:not([open])").count(), 0);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    assert.ok((await page.locator("details:not([open])").count()) > 30);
    await page.close();
  });
});
