import { maxFiles, maxTextBytes } from "@latchkey/client/limits";
import { describe, expect, it } from "vitest";
import { createShares, itemsOf } from "./shares.ts";

function form(fields: Readonly<Record<string, string>>, files: readonly File[] = []): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  for (const file of files) made.append("files", file);
  return made;
}

describe("[O-6] [E-262] what another app shares", () => {
  it("is one text of its three fields, and what stands in another of them is not said twice", () => {
    expect(itemsOf(form({ title: "A page", text: "", url: "https://example.org/a" })).text).toBe("A page\nhttps://example.org/a");
    expect(itemsOf(form({ title: "A page", text: "A page https://example.org/a", url: "https://example.org/a" })).text).toBe(
      "A page https://example.org/a",
    );
    expect(itemsOf(form({ title: "same", text: "same" })).text).toBe("same");
    expect(itemsOf(form({}))).toEqual({ text: "", files: [] });
  });

  it("is bounded: no more text than a message has, whole characters, and one file more than go with one, so that it is said", () => {
    const { text } = itemsOf(form({ text: "ü".repeat(maxTextBytes) }));
    expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(maxTextBytes);
    expect(text).toMatch(/^ü+$/u);
    const many = Array.from({ length: 100 }, (_, at) => new File(["x"], `${String(at)}.txt`));
    expect(itemsOf(form({}, many)).files).toHaveLength(maxFiles + 1);
  });

  it("takes a file for a text, or a text for a file, as nothing", () => {
    const odd = new FormData();
    odd.append("text", new File(["x"], "x.txt"));
    odd.append("files", "no file");
    expect(itemsOf(odd)).toEqual({ text: "", files: [] });
  });

  it("is given out once, by its token alone, and is gone after a while, or when more comes than waits", () => {
    const timers: (() => void)[] = [];
    let tokens = 0;
    const shares = createShares({ newToken: () => `t${String(tokens++)}`, setTimer: (_delayMs, run) => timers.push(run) });
    const first = shares.put(form({ text: "one" }));
    expect(shares.take("other")).toBeUndefined();
    expect(shares.take(first)?.text).toBe("one");
    expect(shares.take(first)).toBeUndefined();
    const late = shares.put(form({ text: "two" }));
    for (const run of timers) run();
    expect(shares.take(late)).toBeUndefined();
    const all = Array.from({ length: 6 }, (_, at) => shares.put(form({ text: String(at) })));
    expect(all.map((token) => shares.take(token)?.text)).toEqual([undefined, undefined, "2", "3", "4", "5"]);
  });
});
