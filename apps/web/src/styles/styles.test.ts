import { expect, test } from "vitest";

const components: Readonly<Record<string, string>> = import.meta.glob("../components/*.tsx", {
  query: "?raw",
  import: "default",
  eager: true,
});
const sheets: Readonly<Record<string, string>> = import.meta.glob("../**/*.css", { query: "?raw", import: "default", eager: true });

/** Sides that do not trade places where a language runs from the right. */
const physical =
  /(?:(?:margin|padding|border|inset)-(?:left|right)|border-(?:top|bottom)-(?:left|right)-radius|(?<![-\w])(?:left|right))\s*:|(?:text-align|float|clear)\s*:\s*(?:left|right)/u;

test("styles know the start and the end of a line, not left and right", () => {
  expect(Object.keys(sheets).length).toBeGreaterThan(15);
  const found = Object.entries(sheets).flatMap(([name, sheet]) =>
    sheet.split("\n").flatMap((line, index) => (physical.test(line) ? [`${name}:${index + 1} ${line.trim()}`] : [])),
  );
  expect(found).toEqual([]);
  for (const bad of ["  left: 0;", "margin-right: 1px;", "text-align: left;", "float: right;"]) expect(physical.test(bad)).toBe(true);
});

test("what opens over the page speaks the app's language, and not the browser's", () => {
  const opening = Object.entries(components).filter(([, text]) => /<Popover\b/u.test(text));
  expect(opening.length).toBeGreaterThan(2);
  expect(opening.filter(([, text]) => !text.includes("<MenuLanguage>")).map(([name]) => name)).toEqual([]);
});
