import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { accessibilityProblems } from "./accessibility.ts";
import { viewports } from "./chromium.ts";

/** Where a picture of each page goes; none is made without. */
const pictures = process.env["E2E_PICTURES"];

/** Finds nothing wrong with a page by axe, and nothing wider than the window, on a computer and on a phone; makes pictures of it where they are wanted. */
export async function look(page: Page, name: string, { fullPage = false }: { fullPage?: boolean } = {}): Promise<void> {
  for (const [width, size] of Object.entries(viewports)) {
    await page.setViewportSize(size);
    expect([name, width, await accessibilityProblems(page)]).toEqual([name, width, []]);
    expect([name, width, await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)]).toEqual([name, width, true]);
    if (pictures === undefined) continue;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(pictures, `${name}-${width}-${colorScheme}.png`), fullPage });
    }
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(viewports.desktop);
}
