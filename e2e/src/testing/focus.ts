import type { Page } from "playwright-core";
import { expect } from "vitest";

/** Resolves when what has the focus is called so. */
export async function expectFocus(page: Page, what: string | RegExp): Promise<void> {
  const focused = (): Promise<string> =>
    page.evaluate(() => {
      const { activeElement: element } = document;
      if (!(element instanceof HTMLElement) || element === document.body) return "the page";
      const isField = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
      return element.getAttribute("aria-label") ?? (isField ? (element.labels?.[0]?.textContent ?? "") : element.innerText);
    });
  await expect.poll(focused).toMatch(what);
}
