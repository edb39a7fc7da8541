import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./node.js";

const folders = [".", "docs", "docs/decisions", "spec", "sim", "interop"];
const texts = folders.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name)),
);

/** The anchors of a text's headings, as GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test.each(texts)("every link of %s leads to a file and a heading that are there", (path) => {
  const broken: string[] = [];
  for (const [link, target, anchor] of readFileSync(join(root, path), "utf8").matchAll(/\]\(([^)#\s]+)?(#[^)\s]+)?\)/g)) {
    if (target !== undefined && /^[a-z]+:/.test(target)) continue;
    const file = join(root, target === undefined ? path : join(dirname(path), target));
    const isThere = existsSync(file) && (anchor === undefined || anchorsOf(readFileSync(file, "utf8")).includes(anchor.slice(1)));
    if (!isThere) broken.push(link);
  }
  expect(broken).toEqual([]);
});
