import { describe, expect, it } from "vitest";
import { viewHoldings } from "./holdings.ts";

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
    const { rows, notHeld } = viewHoldings(json);
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
    expect(notHeld).toBe("Nothing that it can read.");
  });

  it("shows text that is no JSON as it is", () => {
    expect(viewHoldings("oops").rows).toEqual([{ what: "", value: "oops", why: "" }]);
  });
});
