import axe from "axe-core";
import type { Page } from "playwright-core";

/** What axe finds wrong on the screen, in both colour schemes. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const problems: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The new colours are on the screen, and nothing is on its way to another one.
    await page.evaluate(async () => {
      for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
      await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    });
    // Once for all looks at a document: it takes longer than a look.
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(`${axe.source}; undefined`);
    const found = await page.evaluate(async (hasAllRules) => {
      // Put there just now.
      const { axe: there } = globalThis as unknown as { readonly axe: typeof axe };
      const { violations } = await there.run(document, {
        resultTypes: ["violations"],
        // Only colours differ between the schemes.
        ...(hasAllRules ? {} : { runOnly: { type: "rule", values: ["color-contrast"] } }),
      });
      return violations.flatMap(({ id, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary ?? ""}`),
      );
    }, colorScheme === "light");
    problems.push(...found.map((problem) => `${colorScheme}: ${problem}`));
  }
  return problems;
}
