import "../testing/english.ts";
import { describe, expect, it } from "vitest";
import { sumUpHoldings, viewHoldings } from "./holdings.ts";

describe("a backup of the messages", () => {
  const chunk = { number: 0, day: "2026-11-30", size_bytes: 4096, sha256: "h" };
  const held = {
    history_backup: { counter: 2, chunks: 300, written: "2026-11-30", manifest: "m" },
    history_generations: [{ size_bytes: 1_500_000, chunks: Array.from({ length: 300 }, () => chunk) }],
    explanations: {
      "history_generations[].size_bytes": "The size.",
      "history_generations[].chunks": "What it consists of.",
      "history_generations[].chunks[].day": "The day.",
    },
  };

  it("is said with its size and when it was written last, and not chunk by chunk", () => {
    expect(sumUpHoldings(JSON.stringify(held))).toEqual([
      "A backup of your messages, 1.5 MB, last written on November 30, 2026. Your 24 words open it, and nothing else does.",
    ]);
    const { rows } = viewHoldings(JSON.stringify(held));
    expect(rows.length).toBeLessThan(10);
    expect(rows.map(({ value, why }) => [value, why])).toContainEqual(["300 entries", "What it consists of."]);
    for (const broken of [{ history_backup: null }, { history_backup: 7, history_generations: 7 }, { history_backup: { written: 7 } }])
      expect(sumUpHoldings(JSON.stringify(broken))).toEqual([]);
  });
});

describe("viewHoldings", () => {
  const json = JSON.stringify({
    format: 1,
    host: "a.example",
    history_bytes: 1300,
    updates: { day: "2026-01-02", count: 1 },
    usernames: [{ username: "ada", binding: "x".repeat(400) }],
    devices: [
      { device_id: "d1", inbox_items: [], key_packages: Array.from({ length: 100 }, () => ({ kind: "one-time" })) },
      { device_id: "d2", inbox_items: [], key_packages: [] },
    ],
    something_new: true,
    explanations: {
      host: "The server.",
      updates: "How often.",
      devices: "Devices.",
      "devices[].key_packages": "Keys.",
      not_held: "Nothing that it can read.",
    },
  });

  it("shows everything, each with the server's own explanation", () => {
    const { rows } = viewHoldings(json);
    const shown = rows.map(({ what, value, why }) => [what, value, why]);
    expect(shown.slice(0, 3)).toEqual([
      ["server", "a.example", "The server."],
      ["size of the account’s history", "1.3 kB", ""],
      ["changes", "day: 2026-01-02, count: 1", "How often."],
    ]);
    expect(shown).toContainEqual(["device 1 · key packages", "100 entries", "Keys."]);
    expect(shown).toContainEqual(["device 2 · key packages", "nothing", "Keys."]);
    expect(shown).toContainEqual(["device 2 · id", "d2", ""]);
    expect(shown).toContainEqual(["something new", "yes", ""]);
    expect(shown.every(([, value]) => (value?.length ?? 0) < 200)).toBe(true);
  });

  it("shows text that is no JSON as it is", () => {
    expect(viewHoldings("oops").rows).toEqual([{ what: "", value: "oops", why: "" }]);
  });
});

describe("sumUpHoldings", () => {
  const held = {
    format: 1,
    suspended_since: null,
    usernames: [
      { username: "ada", status: "bound", binding: "x" },
      { username: "before", status: "released", binding: "x" },
    ],
    states: [
      { version: 1, day: "2026-03-04", state: "x" },
      { version: 0, day: "2026-01-02", state: "x" },
    ],
    devices: [
      { inbox_items: [], key_packages: [{ taken: false }, { taken: true }, { taken: false }] },
      { inbox_items: [], key_packages: [{ taken: false }] },
    ],
  };

  it("says in five sentences what there is", () => {
    expect(sumUpHoldings(JSON.stringify(held))).toEqual([
      "Your name: ada.",
      expect.stringMatching(/^Your account, since .*2026/u),
      "2 devices of yours, by their public keys.",
      "3 spare keys, with which others can begin a conversation with you.",
      "Nothing is waiting for you.",
    ]);
  });

  it("counts what waits, and says that an account is suspended", () => {
    const [first = {}] = held.devices;
    const sentences = sumUpHoldings(
      JSON.stringify({
        ...held,
        suspended_since: "2026-05-06",
        devices: [
          { ...first, inbox_items: [{}, {}] },
          { ...first, inbox_items: [{}, {}, {}, {}, {}] },
        ],
      }),
    );
    expect(sentences.slice(4)).toEqual([
      "7 sealed items wait for your devices, which alone can open them.",
      "That your account has been suspended since 2026-05-06.",
    ]);
  });

  it.each([
    "oops",
    "[]",
    "null",
    "{}",
    '{"usernames":3,"states":[1],"devices":{}}',
    '{"states":[{"day":"never"}],"usernames":[{"username":7}]}',
  ])("says nothing of what it does not know: %s", (json) => {
    expect(sumUpHoldings(json)).toEqual([]);
  });
});
