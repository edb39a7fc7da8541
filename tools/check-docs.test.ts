import { expect, test } from "vitest";
import { unclaimedCommands } from "./check-docs.js";

test("texts that tell people to run somebody else's package are found", () => {
  const found = unclaimedCommands([
    ["docs/a.md", "Run this:\nnpx latchkey serve --port 1\nnpx --yes @latchkey/cli serve"],
    ["docs/b.md", "`npx vitest run packages/codec`, `npx vite apps/web`"],
  ]);
  expect(found).toHaveLength(2);
  expect(found[0]).toContain("docs/a.md:2 npx latchkey");
  expect(found[1]).toContain("docs/a.md:3 npx --yes @latchkey/cli");
});
