import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import type { ClientEvent } from "../api.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { Alarms } from "./alarms.ts";

let nowMs = 1000;

function open(store: Store): { alarms: Alarms; events: ClientEvent[] } {
  const events: ClientEvent[] = [];
  return { alarms: new Alarms({ store, platform: { nowMs: () => nowMs++, sha256 }, emit: (event) => events.push(event) }), events };
}

const failure = { code: "account_changed" as const, message: "Your account was changed.", canRetry: false };

describe("alarms", () => {
  it("are there until the person handled them, over a restart, and come once each", async () => {
    const store = createMemoryStore();
    const { alarms, events } = open(store);
    await alarms.load();
    await alarms.raise({ failure, about: "one" });
    await alarms.raise({ failure, about: "one" });
    await alarms.raise({ failure, about: "two", conversationId: "c" });
    expect(events.map((event) => event.kind)).toEqual(["alarm", "alarms", "alarm", "alarms"]);
    expect(alarms.standing("account_changed")).toEqual(failure);
    const { alarms: again, events: later } = open(store);
    await again.load();
    expect(again.list()).toHaveLength(2);
    const [first, second] = again.list();
    await again.handle(first?.id ?? "");
    await again.handle("unknown");
    expect(later).toEqual([{ kind: "alarms" }]);
    expect(again.list()).toEqual([second]);
    // What was handled is not told again; something new is.
    await again.raise({ failure, about: "one" });
    expect(again.list()).toEqual([second]);
    expect(again.wasHandled("account_changed", "one")).toBe(true);
    await again.raise({ failure, about: "three" });
    expect(again.list()).toHaveLength(2);
    const { alarms: third } = open(store);
    await third.load();
    expect(third.list()).toEqual(again.list());
  });

  it("are one of a kind by code, conversation and subject, whatever their sentence says", async () => {
    const { alarms } = open(createMemoryStore());
    await alarms.load();
    await alarms.raise({ failure, conversationId: "c", about: "foreign_head 4" });
    await alarms.raise({ failure: { ...failure, message: "The same, in other words." }, conversationId: "c", about: "foreign_head 4" });
    expect(alarms.list()).toHaveLength(1);
    await alarms.raise({ failure, conversationId: "d", about: "foreign_head 4" });
    await alarms.raise({ failure, conversationId: "c", about: "foreign_head 9" });
    expect(alarms.list()).toHaveLength(3);
  });

  it("of a transaction are told after it", async () => {
    const store = createMemoryStore();
    const { alarms, events } = open(store);
    await store.transact("write", (tx) => alarms.put(tx, { failure }));
    expect(events).toEqual([]);
    alarms.tell({ failure });
    expect(alarms.list()).toHaveLength(1);
  });
});
