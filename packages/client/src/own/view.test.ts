import { toBase64Url } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import type { OwnSettings } from "../api.ts";
import { muteEnd } from "../api/own.ts";
import { entryOrder } from "../core/order.ts";
import type { ConversationState, Invitation, Line } from "../core/types.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { mutedForever } from "./facts.ts";
import type { OwnFact } from "./facts.ts";
import { OwnThings } from "./own-things.ts";
import { maxPinnedConversations, ownSettingsOf, pinnedIds } from "./view.ts";

const logId = new Uint8Array(32).fill(1);

interface Last extends Partial<Pick<ConversationState, "joinedSeq" | "invitations">> {
  seq: number;
  atMs: number;
  isMessage?: boolean;
}

async function settings(facts: readonly OwnFact[], last?: Last): Promise<OwnSettings> {
  const things = new OwnThings({ store: createMemoryStore(), platform: { random: seededRandom("view") } });
  await things.say(facts);
  const message = last?.isMessage === false ? undefined : {};
  const line = last === undefined ? undefined : ({ order: entryOrder(last.seq), message } as Line);
  const { joinedSeq = 1, invitations = [], atMs: updatedAtMs = 0 } = last ?? {};
  return ownSettingsOf(things, { id: toBase64Url(logId), logId, updatedAtMs, outgoing: [], invitations, joinedSeq }, line, 1000);
}

const archived: OwnFact = { kind: "archive", logId, throughSeq: 5 };
const muted = (untilMs: number): OwnFact => ({ kind: "mute", logId, untilMs });

describe("[X-18] how a conversation looks", () => {
  test("an archived one comes back with a message, not with what the group's settings say", async () => {
    expect((await settings([archived], { seq: 5, atMs: 900 })).isArchived).toBe(true);
    expect((await settings([archived], { seq: 6, atMs: 900 })).isArchived).toBe(false);
    expect((await settings([archived], { seq: 6, atMs: 900, isMessage: false })).isArchived).toBe(true);
    expect((await settings([{ ...archived, throughSeq: undefined }], { seq: 5, atMs: 900 })).isArchived).toBe(false);
  });

  test("a muted one stays away, also when the mute is over; what comes after that brings it back", async () => {
    expect((await settings([archived, muted(mutedForever)], { seq: 9, atMs: 900 })).isArchived).toBe(true);
    expect((await settings([archived, muted(950)], { seq: 9, atMs: 900 })).isArchived).toBe(true);
    expect((await settings([archived, muted(950)], { seq: 9, atMs: 960 })).isArchived).toBe(false);
  });

  test("a deleted one is in no list until something is said in it again, or the person is asked or let in again", async () => {
    const deleted: OwnFact = { kind: "deleted", logId, throughSeq: 5 };
    expect((await settings([deleted])).isDeleted).toBe(true);
    expect((await settings([deleted], { seq: 5, atMs: 900 })).isDeleted).toBe(true);
    expect((await settings([deleted], { seq: 6, atMs: 900, isMessage: false })).isDeleted).toBe(true);
    expect((await settings([deleted], { seq: 6, atMs: 900 })).isDeleted).toBe(false);
    expect((await settings([])).isDeleted).toBe(false);
    const invitation = { itemId: logId, accountId: logId } as Invitation;
    expect((await settings([deleted], { seq: 5, atMs: 900, invitations: [invitation] })).isDeleted).toBe(false);
    expect((await settings([deleted], { seq: 5, atMs: 900, joinedSeq: 5 })).isDeleted).toBe(true);
    expect((await settings([deleted], { seq: 6, atMs: 900, isMessage: false, joinedSeq: 6 })).isDeleted).toBe(false);
  });

  test("a mute ends by the reader's clock", async () => {
    expect((await settings([muted(1001)])).mutedUntil).toBe(1001);
    expect((await settings([muted(1000)])).mutedUntil).toBeUndefined();
    expect((await settings([muted(mutedForever)])).mutedUntil).toBe("always");
  });

  test("those on top have an order and a bound", async () => {
    const things = new OwnThings({ store: createMemoryStore(), platform: { random: seededRandom("pins") } });
    const pin = (of: number, rank: number | undefined): OwnFact => ({ kind: "pin", logId: new Uint8Array(32).fill(of), rank });
    await things.say(Array.from({ length: maxPinnedConversations + 5 }, (_, at) => pin(at, 40 - at)));
    await things.say([pin(24, undefined)]);
    const ids = pinnedIds(things);
    expect(ids).toHaveLength(maxPinnedConversations);
    expect(ids[0]).toBe(toBase64Url(new Uint8Array(32).fill(23)));
  });

  test("the usual times of a mute; the morning is the next one", () => {
    const evening = new Date(2026, 10, 28, 22, 15).getTime();
    const night = new Date(2026, 10, 29, 2, 15).getTime();
    expect(muteEnd("1h", evening)).toBe(evening + 3_600_000);
    expect(muteEnd("8h", evening)).toBe(evening + 28_800_000);
    expect(muteEnd("morning", evening)).toBe(new Date(2026, 10, 29, 8).getTime());
    expect(muteEnd("morning", night)).toBe(new Date(2026, 10, 29, 8).getTime());
    expect(muteEnd("always", night)).toBe("always");
  });
});
