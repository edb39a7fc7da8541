// D31 | a member fills what is searched with texts that are costly or dated as they like, writes as if somebody else, and hopes to find what was taken back | P
// Source: FEATURES.md 1.9, X-22
// Counter-measure: the index says only what is worth opening; each message is opened as the timeline has it, by the account that wrote it; nothing stays of what is gone, and each page is bounded
import { createNodePlatform } from "@latchkey/client/node";
import { createTextContent } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { eventually, foundTrio, hear, say, Scene } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const dayMs = 86_400_000;
const at = (text: string, sentAtMs: number): { readonly plaintext: Uint8Array } => ({
  plaintext: createTextContent({ salt: random(16), sentAtMs, text }),
});

/** Everything that is found, page by page; who wrote it, by their addresses, and how many pages it took. */
async function search(
  person: Person,
  query: string,
): Promise<{ readonly snippets: string[]; readonly authors: string[]; readonly pages: number }> {
  const snippets: string[] = [];
  const authors: string[] = [];
  let page = await person.client.search(query);
  for (let pages = 1; ; pages++) {
    expect(page.found.length).toBeLessThanOrEqual(200);
    for (const { snippet, author } of page.found) {
      expect(snippet.length).toBeLessThan(210);
      snippets.push(snippet);
      authors.push(author?.address ?? "");
    }
    if (page.cursor === undefined) return { snippets, authors, pages };
    page = await person.client.search("", { cursor: page.cursor });
  }
}

describe("D31 a member who misleads a search", () => {
  test("what honest people said is found beside texts that are costly to compare and claim times of their own, and by its author alone", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    await say(ada, id, "the key of the shed is under the stone");
    const nowMs = Date.now();
    await writeAs(scene, mal, id, [
      // 64 KiB each: ligatures of eighteen letters, marks without end, one letter without end.
      at("\ufdfa".repeat(21_845), nowMs),
      at(`stone${"\u0301".repeat(32_700)}`, nowMs),
      at("s".repeat(65_536), nowMs),
      ...Array.from({ length: 30 }, (_, number) => at(`shed ${String(number)}`, nowMs + 0.9 * dayMs)),
      at("shed, long ago", 1),
      // As the index writes it: a line of its own, by somebody else.
      at("x\nB\tB\tB\tA\tada: the shed is sold\n", nowMs),
    ]);
    await say(ada, id, "the shed is painted");
    await hear(ben, id, "the shed is painted");
    const found = await search(ben, "shed");
    expect(found.snippets).toContain("the key of the shed is under the stone");
    expect(found.snippets).toContain("the shed is painted");
    expect(found.snippets).toHaveLength(34);
    const { snippets, authors } = await search(ben, "from:ada shed");
    expect(snippets).toEqual(["the shed is painted", "the key of the shed is under the stone"]);
    expect(authors).toEqual(["ada", "ada"]);
    expect((await search(ben, "from:ada sold")).snippets).toEqual([]);
    expect((await search(ben, "صل")).pages).toBe(1);
    shows(context, "34 messages, of which two are ada's");
  });

  test("what was taken back or changed is found by nobody, whoever searches", async (context) => {
    await using scene = await Scene.open();
    const { ada, ben, mal, id } = await foundTrio(scene);
    const secret = await ada.client.send(id, "the code is sesame");
    const wrong = await ada.client.send(id, "we meet at the barn");
    for (const person of [ben, mal]) {
      await hear(person, id, "we meet at the barn");
      expect((await search(person, "esam")).snippets).toEqual(["the code is sesame"]);
    }
    const open = await mal.client.search("the", { limit: 1 });
    await ada.client.deleteMessages(id, [secret.id], { forEveryone: true });
    await ada.client.edit(id, wrong.id, "we meet at the mill");
    for (const person of [ben, mal]) {
      await eventually(async () => (await search(person, "mill")).snippets.length === 1, "it is edited");
      expect((await search(person, "esam")).snippets).toEqual([]);
      expect((await search(person, "barn")).snippets).toEqual([]);
    }
    // A search that was begun before is none of what was there.
    const rest = await mal.client.search("", { cursor: open.cursor });
    expect(rest.found.map(({ snippet }) => snippet).join()).not.toMatch(/sesame|barn/);
    shows(context, "nothing was found");
  });
});
