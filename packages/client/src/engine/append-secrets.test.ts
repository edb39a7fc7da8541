import { decode, toBase64Url } from "@latchkey/codec";
import { appendCapability, appendSecretCodec, noCapability } from "@latchkey/protocol";
import type { AppendSecret } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { seededRandom } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import type { OwnAccount } from "../account/own-account.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Store } from "../store/store.ts";
import { AppendSecrets, appendSecretPrefix, ownAppendSecretKey } from "./append-secrets.ts";
import { Standings } from "./standings.ts";

const dayMs = 86_400_000;
const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [own, ben, mal] = [id(1), id(2), id(3)];
const inbox = id(9);
const stored = Promise.resolve();

interface Device {
  readonly secrets: AppendSecrets;
  readonly store: Store;
  readonly records: Map<string, Uint8Array>;
  readonly clock: { nowMs: number };
  /** For each change of one's own, whether it was made here. */
  readonly changes: boolean[];
  readonly platform: { nowMs(): number; random(length: number): Uint8Array; sha256(bytes: Uint8Array): Uint8Array };
}

/** A device of the account, with what an earlier run left in its store; `random` and the clock go on. */
async function device(before: Partial<Pick<Device, "records" | "clock" | "platform">> = {}): Promise<Device> {
  const { records = new Map(), clock = { nowMs: Date.UTC(2026, 10, 27) } } = before;
  const platform = before.platform ?? { nowMs: () => clock.nowMs, random: seededRandom("append secrets"), sha256 };
  const store = createMemoryStore(records);
  const secrets = new AppendSecrets({ store, platform, own: { accountId: own } as OwnAccount });
  const changes: boolean[] = [];
  await secrets.load();
  secrets.onChange((isOurs) => changes.push(isOurs));
  return { secrets, store, records, clock, changes, platform };
}

function ownOf({ secrets }: Pick<Device, "secrets">): AppendSecret {
  if (secrets.own === undefined) throw new Error("it has one from the beginning");
  return secrets.own;
}

async function take({ store, secrets }: Device, from: Uint8Array, told: AppendSecret): Promise<void> {
  await store.transact("write", (tx) => secrets.take(tx, from, told));
}

async function renew({ store, secrets }: Device): Promise<AppendSecret> {
  const renewed = await store.transact("write", (tx) => secrets.renew(tx));
  secrets.adopt(renewed);
  return renewed;
}

/** What another device of the account would be told of this one's. */
function record({ records }: Device): Uint8Array {
  return records.get(ownAppendSecretKey) ?? new Uint8Array(0);
}

const shown = (secret: AppendSecret): Uint8Array => appendCapability(sha256, secret, inbox);

describe("[I-1] append secrets", () => {
  test("[E-48] of contacts: the latest counts, for that account alone, and one is kept of a thousand", async () => {
    const ada = await device();
    const now = ada.clock.nowMs;
    expect(ada.secrets.capabilityFor(ben, inbox)).toEqual(noCapability);
    await take(ada, ben, { generation: now - 5, secret: id(20) });
    expect(ada.secrets.capabilityFor(ben, inbox)).toEqual(shown({ generation: 0, secret: id(20) }));
    // Another inbox of the same account has another one: none of them says anything of the rest.
    expect(ada.secrets.capabilityFor(ben, id(8))).not.toEqual(ada.secrets.capabilityFor(ben, inbox));
    await take(ada, ben, { generation: now - 6, secret: id(21) });
    // Somebody else's is theirs alone, whatever they say.
    await take(ada, mal, { generation: now, secret: id(22) });
    expect(ada.secrets.capabilityFor(ben, inbox)).toEqual(shown({ generation: 0, secret: id(20) }));
    for (let count = 0; count < 1000; count++) await take(ada, mal, { generation: now - 1000 + count, secret: id(count % 256) });
    expect([...ada.records.keys()].filter((key) => key.startsWith(appendSecretPrefix))).toHaveLength(3);
    const again = await device(ada);
    expect(again.secrets.capabilityFor(ben, inbox)).toEqual(shown({ generation: 0, secret: id(20) }));
  });

  test("[E-48] of contacts: one that claims to be of the future is replaced by what they tell later", async () => {
    const ada = await device();
    await take(ada, ben, { generation: Number.MAX_SAFE_INTEGER, secret: id(20) });
    expect(ada.secrets.capabilityFor(ben, inbox)).toEqual(shown({ generation: 0, secret: id(20) }));
    // Made before it was heard of: late.
    await take(ada, ben, { generation: ada.clock.nowMs - 1, secret: id(21) });
    expect(ada.secrets.capabilityFor(ben, inbox)).toEqual(shown({ generation: 0, secret: id(20) }));
    ada.clock.nowMs += 1000;
    await take(ada, ben, { generation: ada.clock.nowMs, secret: id(22) });
    expect(ada.secrets.capabilityFor(ben, inbox)).toEqual(shown({ generation: 0, secret: id(22) }));
  });

  test("[E-48] one's own is told once to each conversation, again after 30 days, after a message that was discarded, and when it is another one", async () => {
    const ada = await device();
    const { secrets, clock } = ada;
    const first = ownOf(ada);
    expect([secrets.untold("a"), secrets.isOutdated("a")]).toEqual([first, false]);
    await secrets.tell("a", first, stored);
    expect([secrets.untold("a"), secrets.untold("b")]).toEqual([undefined, first]);
    await secrets.untell("a");
    expect(secrets.untold("a")).toEqual(first);
    await secrets.tell("a", first, stored);
    await expect(secrets.tell("b", first, Promise.reject(new Error("the store failed")))).rejects.toThrow("the store failed");
    expect(secrets.untold("b")).toEqual(first);
    clock.nowMs += 30 * dayMs;
    expect([secrets.untold("a"), secrets.isOutdated("a")]).toEqual([first, false]);
    await secrets.tell("a", first, stored);
    const second = await renew(ada);
    expect([secrets.untold("a"), secrets.isOutdated("a"), secrets.isOutdated("b")]).toEqual([second, true, false]);
    await secrets.tell("a", second, stored);
    expect([secrets.untold("a"), secrets.isOutdated("a")]).toEqual([undefined, false]);
  });

  test("[E-48] what another device of one's own told counts as told; what it tells late of an earlier one does not", async () => {
    const ada = await device();
    const { secrets, store } = ada;
    const first = ownOf(ada);
    const note = (conversation: string, told: AppendSecret): Promise<void> =>
      store.transact("write", (tx) => secrets.noteTold(tx, conversation, told));
    await note("a", first);
    expect(secrets.untold("a")).toBeUndefined();
    const second = await renew(ada);
    expect(secrets.isOutdated("a")).toBe(true);
    await secrets.tell("a", second, stored);
    await note("a", first);
    expect(secrets.untold("a")).toBeUndefined();
    // One that this device has not heard of: it tells no earlier one over it.
    await note("b", { generation: second.generation + 1, secret: id(7) });
    expect([secrets.untold("b"), secrets.isOutdated("b")]).toEqual([undefined, false]);
  });

  test("a renewal that was not stored changes nothing; one that was goes on after a crash, before anybody heard of it", async () => {
    const ada = await device();
    const first = ownOf(ada);
    await ada.secrets.tell("a", first, stored);
    const failing = ada.store.transact("write", async (tx) => {
      await ada.secrets.renew(tx);
      throw new Error("the disk is full");
    });
    await expect(failing).rejects.toThrow("the disk is full");
    expect([ada.secrets.own, ada.secrets.isOutdated("a"), ada.changes]).toEqual([first, false, []]);
    // The process ends between the transaction and `adopt`.
    const renewed = await ada.store.transact("write", (tx) => ada.secrets.renew(tx));
    expect(ada.secrets.own).toEqual(first);
    const again = await device(ada);
    expect(again.secrets.own).toEqual(renewed);
    expect([again.secrets.isOutdated("a"), again.secrets.untold("a")]).toEqual([true, renewed]);
  });

  test("[E-44] with a block in one transaction: neither counts without the other, and the block is known before anybody is told", async () => {
    const ada = await device();
    const standings = new Standings({ ...ada, own: { accountId: own } as OwnAccount });
    await standings.accept([mal]);
    const heard: string[] = [];
    ada.secrets.onChange(() => heard.push(`secret while ${standings.of(mal)}`));
    standings.onChange(() => heard.push("standing"));
    const before = record(ada);
    const failing = standings.setBlocked(mal, true, {
      async write(tx) {
        await ada.secrets.renew(tx);
        throw new Error("the disk is full");
      },
      stored: () => undefined,
    });
    await expect(failing).rejects.toThrow("the disk is full");
    expect([standings.of(mal), record(ada), heard]).toEqual(["accepted", before, []]);
    let renewed: AppendSecret | undefined;
    await standings.setBlocked(mal, true, {
      async write(tx) {
        renewed = await ada.secrets.renew(tx);
      },
      stored: () => renewed !== undefined && ada.secrets.adopt(renewed),
    });
    expect(heard).toEqual(["secret while blocked", "standing"]);
    expect(decode(appendSecretCodec, record(ada))).toEqual(renewed);
  });

  test("[E-48] two devices of one's own that renew at once end with the same one, and its maker tells it", async () => {
    for (const [aheadMs, winner] of [
      [0, undefined],
      [3, "tablet"],
    ] as const) {
      const phone = await device();
      // Linked: it inherits what the phone has, and makes other numbers.
      const tablet = await device({
        records: new Map(phone.records),
        platform: { ...phone.platform, random: seededRandom("tablet"), nowMs: () => phone.clock.nowMs + aheadMs },
      });
      expect(tablet.secrets.own).toEqual(phone.secrets.own);
      for (const { secrets } of [phone, tablet]) await secrets.tell("a", ownOf(phone), stored);
      await Promise.all([renew(phone), renew(tablet)]);
      const [ofPhone, ofTablet] = [record(phone), record(tablet)];
      await phone.secrets.takeOwn(ofTablet);
      await tablet.secrets.takeOwn(ofPhone);
      expect(phone.secrets.own).toEqual(tablet.secrets.own);
      expect(record(phone)).toEqual(record(tablet));
      if (winner !== undefined) {
        expect([phone, tablet].map(({ secrets }) => secrets.isOutdated("a"))).toEqual([false, true]);
        // Whoever made the other one only tells the server.
        expect([phone.changes, tablet.changes]).toEqual([[true, false], [true]]);
      }
      // A contact that hears both, in whichever order, has the one that counts.
      for (const order of [
        [ofPhone, ofTablet],
        [ofTablet, ofPhone],
      ]) {
        const contact = await device();
        contact.clock.nowMs += dayMs;
        for (const told of order) await take(contact, ben, decode(appendSecretCodec, told));
        expect(contact.secrets.capabilityFor(ben, inbox)).toEqual(shown(ownOf(phone)));
      }
    }
  });

  test("[E-48] another device's word of one's own: an earlier one, one of another age, and what is none change nothing", async () => {
    const ada = await device();
    const first = ownOf(ada);
    const before = record(ada);
    const word = (generation: number): Uint8Array => {
      const bytes = before.slice();
      new DataView(bytes.buffer).setBigUint64(0, BigInt(generation));
      return bytes;
    };
    await ada.secrets.takeOwn(word(first.generation - 1));
    await expect(ada.secrets.takeOwn(word(ada.clock.nowMs + 2 * dayMs))).rejects.toMatchObject({ code: "invalid" });
    await expect(ada.secrets.takeOwn(before.subarray(1))).rejects.toMatchObject({ name: "CodecError" });
    expect([record(ada), ada.changes]).toEqual([before, []]);
    // A device whose clock is wrong, or that is not its owner's any more: there is still room for those after it.
    await ada.secrets.takeOwn(word(ada.clock.nowMs + dayMs));
    expect((await renew(ada)).generation).toBe(ada.clock.nowMs + dayMs + 1);
  });

  test("[E-48] what a device of one's own claims that it told, of the end of time or later than all that is here, keeps nobody from learning the newest", async () => {
    const ada = await device();
    const { secrets, store, clock } = ada;
    const note = (generation: number): Promise<void> =>
      store.transact("write", (tx) => secrets.noteTold(tx, "a", { generation, secret: id(66) }));
    const first = ownOf(ada);
    await note(Number.MAX_SAFE_INTEGER);
    expect(secrets.untold("a")).toEqual(first);
    await note(clock.nowMs + dayMs);
    expect(secrets.untold("a")).toBeUndefined();
    // That device left: nobody has what it claimed, and a day later nobody waits for it.
    await store.transact("write", (tx) => secrets.deviceLeft(tx));
    await secrets.removedEverywhere();
    const renewed = ownOf(ada);
    clock.nowMs += dayMs;
    expect(secrets.untold("a")).toEqual(renewed);
    const again = await device(ada);
    expect(again.secrets.untold("a")).toEqual(renewed);
    await again.secrets.tell("a", renewed, stored);
    expect(again.secrets.untold("a")).toBeUndefined();
  });

  test("[E-48] a device whose own clock was years ahead makes one of now once it is right again, and takes those of the others", async () => {
    const ada = await device();
    ada.clock.nowMs += 1000 * dayMs;
    await renew(ada);
    ada.clock.nowMs -= 999 * dayMs;
    const again = await device(ada);
    expect(ownOf(again).generation).toBe(ada.clock.nowMs);
    const other = await device({ records: new Map(), clock: { nowMs: ada.clock.nowMs + 1 } });
    await again.secrets.takeOwn(record(other));
    expect(ownOf(again)).toEqual(ownOf(other));
  });

  test("[E-46] another device blocked somebody whom this one had told the newest: it is renewed; told by it or an earlier one: it is not", async () => {
    const phone = await device();
    const { secrets } = phone;
    await secrets.tell("mal", ownOf(phone), stored);
    await phone.store.transact("write", (tx) => secrets.noteTold(tx, "other", ownOf(phone)));
    await secrets.blockedElsewhere(["other", "never told"]);
    expect(phone.changes).toEqual([]);
    await secrets.blockedElsewhere(["mal"]);
    expect(phone.changes).toEqual([true]);
    await secrets.blockedElsewhere(["mal"]);
    expect(phone.changes).toEqual([true]);
  });

  test("[E-49] a server that claims a later generation gets one renewal a day, no more", async () => {
    const ada = await device();
    await ada.secrets.outrun();
    expect(ada.changes).toEqual([]);
    for (let hour = 0; hour < 72; hour++) {
      ada.clock.nowMs += dayMs / 24;
      await ada.secrets.outrun();
    }
    expect(ada.changes).toEqual([true, true, true]);
  });

  test("after a device left the account: once, when it is out of every conversation, and not forgotten by a crash", async () => {
    const ada = await device();
    await ada.secrets.removedEverywhere();
    expect(ada.changes).toEqual([]);
    await ada.store.transact("write", (tx) => ada.secrets.deviceLeft(tx));
    expect(ada.changes).toEqual([]);
    const again = await device(ada);
    await again.secrets.removedEverywhere();
    await again.secrets.removedEverywhere();
    expect(again.changes).toEqual([true]);
    expect(toBase64Url(ownOf(again).secret)).not.toBe(toBase64Url(ownOf(ada).secret));
  });
});
