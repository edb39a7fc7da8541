import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { arrivalOf, outcomeOf, startCountedServer } from "@latchkey/server/testing";
import type { CaseOfPast } from "@latchkey/server/testing";
import { expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import { createFolder } from "./testing/processes.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];
const webRoot = fileURLToPath(new URL("../../apps/web/dist", import.meta.url));

const countries = ["DE", "DE", "DE", "DE", "FR", "FR", "FR", "NL", "AT"];
const requests: readonly CaseOfPast[] = countries.flatMap((country, at) => [
  { ref: `request:${at}`, week: at, count: arrivalOf({ country, type: at % 3 === 0 ? "eu-epoc" : "us-2703d", isEmergency: at === 5 }) },
  {
    ref: `request:${at}`,
    week: at + 1,
    count: at % 4 === 0 ? outcomeOf({ result: "refused", given: [], approvals: "none", notice: "none" }) : outcomeOf(),
  },
]);
const reports: readonly CaseOfPast[] = Array.from({ length: 7 }, (_, at) => [
  { ref: `case:${at}`, week: 3 + at, count: arrivalOf({ of: "notice", type: at < 4 ? "harassment" : "spam", categories: [] }) },
  {
    ref: `case:${at}`,
    week: 4 + at,
    count: outcomeOf({ of: "notice", result: at < 3 ? "dismiss" : "warn", given: [], days: "2-3", approvals: "none" }),
  },
]).flat();
const secret: CaseOfPast = { ref: "request:secret", week: 5, count: arrivalOf({ country: "DE", secrecy: { kind: "open" } }) };

test("whoever has no account sees what a server counts, and verifies the whole page in their own browser", async () => {
  using folder = createFolder();
  const counted = await startCountedServer({
    dataDirectory: folder.at("data"),
    cases: [...requests, ...reports, secret],
    options: { webRoot },
  });
  try {
    await using browser = await openBrowser({ folder: folder.at("reader") });
    const { page } = browser;
    await page.goto(`${counted.server.url}/transparency`);
    await page.getByText("They are not verified yet.").waitFor();
    const [year, part] = counted.text.split("-");
    const half = page.getByRole("region", { name: `${part === "1" ? "January to June" : "July to December"} ${year}` });
    await half.getByRole("row", { name: /us-2703d 6/ }).waitFor();
    // A secret case is counted nowhere; a country with few is not named.
    await half.getByRole("row", { name: /^Germany 4/ }).waitFor();
    await half.getByRole("row", { name: /^France 3/ }).waitFor();
    expect(await half.getByRole("row", { name: /^(?:Netherlands|Austria)/ }).count()).toBe(0);
    await page.getByRole("button", { name: "Verify in this browser" }).click();
    await page.getByText("Verified: all of it stands in the server's public record, unchanged").waitFor();
    for (const [width, size] of Object.entries(viewports)) {
      await page.setViewportSize(size);
      expect([width, await accessibilityProblems(page)]).toEqual([width, []]);
      expect([width, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)]).toEqual([width, true]);
      await page.emulateMedia({ colorScheme: "light" });
      if (pictures !== undefined) await page.screenshot({ path: join(pictures, `transparency-${width}.png`), fullPage: true });
    }
    expect([browser.violations, browser.errors]).toEqual([[], []]);
    // No account, no worker, nothing kept.
    expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
  } finally {
    await counted.server.close();
  }
}, 600_000);
