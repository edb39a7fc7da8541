import { utf8Bytes } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Category } from "../../../inventory/entry.ts";
import { fields } from "../../../inventory/fields.ts";
import { narrowHoldings } from "./narrow.ts";

const held = {
  format: 2,
  host: "chat.example",
  not_held: "Content: not held",
  copy_kept: "A copy may be kept",
  held_elsewhere: "The desk",
  account_id: "AAAA",
  row: 7,
  version: 3,
  history_bytes: 900,
  updates: { day: "2026-11-10", count: 2 },
  tokens: { day: "2026-11-20", count: 100 },
  deletion: null,
  suspended_since: "2026-11-01",
  restrictions: [{ what: "suspended", by: "operator", since: "2026-11-01", until: null }],
  usernames: [{ username: "anna", status: "bound", reserved_until: null, binding: "BBBB" }],
  states: [
    { version: 1, day: "2026-10-01", state: "C1", proofs_of_possession: ["D1"] },
    { version: 2, day: "2026-11-12", state: "C2", proofs_of_possession: [] },
  ],
  devices: [
    {
      row: 9,
      device_id: "EEEE",
      card: "FFFF",
      inbox_id: "GGGG",
      inbox_last_seq: 4,
      inbox_size: { items: 2, bytes: 900, stranger_items: 0, stranger_bytes: 0 },
      inbox_items: [
        { seq: 3, day: "2026-11-09", part: 0, size_bytes: 400, sha256: "H3", sealed: "I3" },
        { seq: 4, day: "2026-11-19", part: 0, size_bytes: 500, sha256: "H4", sealed: "I4" },
      ],
    },
  ],
  directory: [{ row: 1, label: "account", value: "AAAA", index: "JJ", vrf_proof: "KK", values: [{ version: 1, commitment: "LL" }] }],
  explanations: {
    host: "The server.",
    updates: "How often.",
    "states[].state": "A state.",
    "devices[].inbox_items": "Sealed items.",
    account_id: "The id.",
  },
};
const bytes = utf8Bytes(JSON.stringify(held, undefined, 1));
const categoryOf = (path: string): Category | undefined => fields[path]?.category;
const read = (of: Uint8Array): Record<string, unknown> => JSON.parse(new TextDecoder().decode(of)) as Record<string, unknown>;

describe("what an order is for", () => {
  test("[F-7] everything is the very bytes that were assembled", () => {
    const { bytes: given, leftOut } = narrowHoldings(bytes, { categories: ["subscriber", "traffic", "content"] }, categoryOf);
    expect(given).toBe(bytes);
    expect(leftOut).toEqual([]);
  });

  test("[F-7] who has the account: no days of use, no sealed items", () => {
    const { bytes: given, leftOut } = narrowHoldings(bytes, { categories: ["subscriber"] }, categoryOf);
    const json = read(given);
    expect(json).toMatchObject({ account_id: "AAAA", usernames: [{ username: "anna" }], states: [{ state: "C1" }, { state: "C2" }] });
    const text = JSON.stringify(json);
    for (const word of ["2026-11-10", "2026-11-20", "2026-11-19", "I3", "I4", '"items"', "inbox_last_seq"])
      expect(text).not.toContain(word);
    expect(leftOut).toEqual(expect.arrayContaining(["updates.day", "tokens.count", "devices[].inbox_items[].sealed", "states[].day"]));
    expect(Object.keys(json["explanations"] as object)).toEqual(["host", "states[].state", "account_id"]);
  });

  test("[F-7] days of use: no name, no keys", () => {
    const json = read(narrowHoldings(bytes, { categories: ["traffic"] }, categoryOf).bytes);
    expect(json).toMatchObject({
      account_id: "AAAA",
      updates: { day: "2026-11-10", count: 2 },
      states: [{ day: "2026-10-01" }, { day: "2026-11-12" }],
    });
    const text = JSON.stringify(json);
    for (const word of ["anna", "C1", "FFFF", "GGGG", "I3"]) expect(text).not.toContain(word);
  });

  test("[F-7] a period leaves out what is of other days, at either end, and says so", () => {
    const order = { categories: ["traffic", "content"], period: { fromDay: "2026-11-10", toDay: "2026-11-19" } } as const;
    const { bytes: given, leftOut } = narrowHoldings(bytes, order, categoryOf);
    const json = read(given);
    expect(json).toMatchObject({ updates: { day: "2026-11-10" }, states: [{ day: "2026-11-12" }] });
    expect(json["tokens"]).toBeUndefined();
    expect(JSON.stringify(json)).toContain("I4");
    expect(JSON.stringify(json)).not.toContain("I3");
    expect(leftOut).toEqual(
      expect.arrayContaining(["tokens of other days", "states[] of other days", "devices[].inbox_items[] of other days"]),
    );
  });

  test("[F-7] what is asked to learn who somebody is, such as addresses, finds nothing", () => {
    const json = read(narrowHoldings(bytes, { categories: ["identification"] }, categoryOf).bytes);
    expect(Object.keys(json).toSorted()).toEqual([
      "account_id",
      "copy_kept",
      "explanations",
      "format",
      "held_elsewhere",
      "host",
      "not_held",
    ]);
  });

  test("[F-7] a field that the inventory does not have is in no narrowed package", () => {
    const more = utf8Bytes(JSON.stringify({ ...held, new_field: "secret", devices: [{ ...held.devices[0], other: { deep: "secret" } }] }));
    const { bytes: given, leftOut } = narrowHoldings(more, { categories: ["subscriber", "traffic"] }, categoryOf);
    expect(JSON.stringify(read(given))).not.toContain("secret");
    expect(leftOut).toEqual(expect.arrayContaining(["new_field", "devices[].other.deep"]));
  });

  test("[F-7] narrowing again what was narrowed leaves it as it is", () => {
    const categories = fc.subarray(["subscriber", "identification", "traffic", "content"] as const);
    const day = fc.constantFrom("2026-10-01", "2026-11-10", "2026-11-12", "2026-11-20");
    fc.assert(
      fc.property(categories, fc.option(fc.record({ fromDay: day, toDay: day })), (chosen, period) => {
        const order = { categories: chosen, ...(period === null ? {} : { period }) };
        const once = narrowHoldings(bytes, order, categoryOf);
        expect(read(narrowHoldings(once.bytes, order, categoryOf).bytes)).toEqual(read(once.bytes));
      }),
    );
  });
});
