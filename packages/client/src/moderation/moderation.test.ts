import { encode, toBase64Url } from "@latchkey/codec";
import { groupReportCodec } from "@latchkey/protocol";
import type { GroupReport } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { roles } from "../core/rights.ts";
import type { World } from "../engine/world.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { loadCame, noteCame } from "./came.ts";
import { Moderation } from "./moderation.ts";

const host = "chat.example";
const id32 = (at: number): Uint8Array => new Uint8Array(32).fill(at);
const [logId, ada, ben, cyd] = [id32(1), id32(10), id32(11), id32(12)];
const device = (accountId: Uint8Array): { accountId: Uint8Array; deviceId: Uint8Array } => ({
  accountId,
  deviceId: accountId.slice(0, 16),
});
const said = (over: Partial<GroupReport> = {}): Uint8Array =>
  encode(groupReportCodec, { format: 1, host, logId, reason: "spam", words: "", messageIds: [id32(7)], ext: new Uint8Array(0), ...over });

/** Ada's device, in a group where `role` is hers and ben is a member. */
function scene(role: number = roles.administrator): { moderation: Moderation; told: unknown[]; pass: () => void; id: string } {
  const store = createMemoryStore();
  const told: unknown[] = [];
  let [nowMs, made] = [1_800_000_000_000, 0];
  const leaves = [ada, ben].map((accountId) => ({ ...device(accountId), account: toBase64Url(accountId) }));
  const roster = {
    accounts: new Map(leaves.map((leaf) => [leaf.account, [leaf]])),
    settings: { roles: role === roles.member ? [] : [{ accountId: ada, role }] },
  };
  const id = toBase64Url(logId);
  const history = { message: async () => undefined };
  const runner = { id, state: { id, logId, host, kind: "group", roster }, load: async () => undefined, history };
  // Of the world this reads no more than what is here.
  const world = {
    store,
    own: { accountId: ada },
    people: { self: { account: toBase64Url(ada) }, load: async () => undefined, person: (accountId: Uint8Array) => toBase64Url(accountId) },
    platform: { nowMs: () => nowMs, random: (length: number) => new Uint8Array(length).fill(++made) },
    emit: (event: unknown) => told.push(event),
  } as unknown as World;
  const access = { runner: () => runner, runners: () => [runner] } as unknown as ConstructorParameters<typeof Moderation>[1];
  return { moderation: new Moderation(world, access), told, pass: () => (nowMs += 1000), id };
}

describe("[E-186] [X-26] what a member tells the administrators of a group", () => {
  test("is kept by who administers it, told once each, and gone when it was dealt with", async () => {
    const { moderation, told, id } = scene();
    await moderation.take(device(ben), said({ reason: "threat", words: "He\u202e said" }));
    const [report] = await moderation.list(id);
    expect(report).toMatchObject({
      from: toBase64Url(ben),
      reason: "threat",
      words: "He said",
      messages: [{ messageId: toBase64Url(id32(7)) }],
    });
    expect(told).toEqual([{ kind: "group_reports", conversationId: id }]);
    await moderation.dismiss(id, report?.reportId ?? "");
    expect(await moderation.list(id)).toEqual([]);
  });

  test("is nothing to a member, of another group or host, or where it does not decode; who has not come yet is looked at again", async () => {
    const member = scene(roles.member);
    await member.moderation.take(device(ben), said());
    expect([await member.moderation.list(member.id), member.told]).toEqual([[], []]);
    const { moderation, told, id } = scene();
    for (const body of [said({ logId: id32(2) }), said({ host: "other.example" }), new Uint8Array(9), said().slice(0, -1)])
      await moderation.take(device(ben), body);
    await expect(moderation.take(device(cyd), said())).rejects.toMatchObject({ code: "offline", canRetry: true });
    await expect(moderation.take({ accountId: ben, deviceId: id32(3).slice(0, 16) }, said())).rejects.toMatchObject({ code: "offline" });
    expect([await moderation.list(id), told]).toEqual([[], []]);
  });

  test("whoever tells without end is heard eight times, and their own reports go for it", async () => {
    const { moderation, pass, id } = scene();
    for (let at = 0; at < 20; at++) {
      pass();
      await moderation.take(device(ben), said({ words: String(at) }));
    }
    pass();
    await moderation.take(device(ada), said({ words: "another's" }));
    const words = (await moderation.list(id)).map((report) => report.words);
    expect(words).toEqual(["another's", "19", "18", "17", "16", "15", "14", "13", "12"]);
  });
});

describe("[E-187] [X-25] who added whom", () => {
  test("is kept of who is in the group, by the last commit that added them", async () => {
    const store = createMemoryStore();
    const note = (kind: "added" | "removed", accounts: readonly Uint8Array[], author: Uint8Array, sentAtMs: number): Promise<void> =>
      store.transact("write", async (tx) => noteCame(tx, "club", { body: { kind, accounts }, author, sentAtMs, acceptedAtMs: 0 }));
    const known = async (): Promise<unknown[]> =>
      [...(await store.transact("read", (tx) => loadCame(tx, "club")))].map(([account, came]) => [account, came]).toSorted();
    await note("added", [ben, cyd], ada, 1000);
    await note("removed", [ben], ada, 2000);
    expect(await known()).toEqual([[toBase64Url(cyd), { by: ada, atMs: 1000 }]]);
    await note("added", [ben], cyd, 3000);
    expect(await known()).toContainEqual([toBase64Url(ben), { by: cyd, atMs: 3000 }]);
    await store.transact("write", async (tx) =>
      noteCame(tx, "club", { body: { kind: "left" }, author: ben, sentAtMs: 4000, acceptedAtMs: 0 }),
    );
    expect(await known()).toEqual([[toBase64Url(cyd), { by: ada, atMs: 1000 }]]);
    expect((await store.transact("read", (tx) => loadCame(tx, "another"))).size).toBe(0);
  });
});
