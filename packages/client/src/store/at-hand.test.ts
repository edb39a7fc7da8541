import { seededRandom } from "@latchkey/testkit";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import type { Directory } from "../account/directory.ts";
import type { OwnAccount } from "../account/own-account.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { AppendSecrets } from "../engine/append-secrets.ts";
import { People } from "../engine/people.ts";
import type { Standings } from "../engine/standings.ts";
import { Words } from "../engine/words.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { StoredLinks } from "../join-links/stored-links.ts";
import { Drafts } from "../own/drafts-in-step.ts";
import { noDraftMark, noLog } from "../own/facts.ts";
import { OwnThings } from "../own/own-things.ts";
import { Receipts } from "../receipts/receipts.ts";
import { putPlace } from "../timeline/ids.ts";
import { createMemoryStore } from "./memory-store.testing.ts";
import type { Store, StoreTransaction } from "./store.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const conversation = "conversation";
const nowMs = Date.UTC(2026, 10, 29);
const platform = { nowMs: () => nowMs, random: seededRandom("at hand"), sha256 };

/** Something that keeps at hand what the store has. */
interface Kept {
  readonly name: string;
  /** As an earlier run left it. */
  open(store: Store): Promise<{
    /** One operation after the other; each in transactions of `store`. */
    readonly operations: readonly (() => Promise<unknown>)[];
    /** Everything that is at hand of it. */
    atHand(): unknown;
  }>;
}

const inOne =
  (store: Store, run: (tx: StoreTransaction) => unknown): (() => Promise<unknown>) =>
  () =>
    store.transact("write", async (tx) => void (await run(tx)));

const kept: readonly Kept[] = [
  {
    name: "receipts",
    async open(store) {
      const receipts = new Receipts();
      await receipts.load(store);
      const read = (order: number) => ({
        order: order + 1,
        accountId: id(1),
        statuses: [{ messageId: id(order), status: "read" as const }],
      });
      return {
        operations: [
          inOne(store, (tx) => receipts.take(tx, conversation, read(3))),
          // The earlier one comes behind the later one, in one transaction.
          inOne(store, async (tx) => {
            await receipts.take(tx, conversation, read(7));
            await receipts.take(tx, conversation, read(5));
          }),
          inOne(store, (tx) =>
            receipts.follow(tx, conversation, { author: undefined, order: 9, body: { kind: "removed", accounts: [id(1)] } }, ["other"]),
          ),
        ],
        atHand: () => [...receipts.of(conversation)],
      };
    },
  },
  {
    name: "names",
    async open(store) {
      const own = { accountId: id(9), host: "chat.example", username: "ann", displayName: "Ann" };
      const people = new People({
        store,
        directory: { cached: async () => undefined } as unknown as Directory,
        own: own as unknown as OwnAccount,
        standings: {} as unknown as Standings,
      });
      await people.load([id(1)]);
      return {
        operations: ["Ben", "Benjamin"].map((name) => inOne(store, (tx) => people.setName(tx, id(1), name))),
        atHand: () => people.person(id(1)).displayName,
      };
    },
  },
  {
    name: "append secrets",
    async open(store) {
      const secrets = new AppendSecrets({ store, platform, own: { accountId: id(9) } as OwnAccount });
      await secrets.load();
      const told = (generation: number) => ({ generation, secret: id(generation) });
      return {
        operations: [
          inOne(store, async (tx) => {
            await secrets.take(tx, id(1), told(5));
            await secrets.take(tx, id(1), told(3));
          }),
          inOne(store, (tx) => secrets.noteTold(tx, conversation, { ...(secrets.own ?? told(1)) })),
          () => secrets.untell(conversation),
        ],
        atHand: () => [secrets.capabilityFor(id(1), id(2)), secrets.untold(conversation), secrets.own],
      };
    },
  },
  {
    name: "join links",
    async open(store) {
      const links = new StoredLinks();
      await links.load(store);
      const held = { seed: id(4), told: [], isInboxClosed: false, name: "" };
      const open = { word: "open", linkId: id(3), linkHash: id(4), notAfterMs: nowMs, maxUses: 3 } as const;
      const knock = { linkId: id(3), host: "chat.example", name: "", answer: id(5), sentAtMs: nowMs, notAfterMs: nowMs };
      return {
        operations: [
          inOne(store, (tx) => links.take(tx, conversation, { kind: "said", accountId: id(1), said: open })),
          inOne(store, (tx) => links.hold(tx, conversation, id(3), held)),
          inOne(store, (tx) => links.putKnock(tx, knock)),
          inOne(store, (tx) => links.hold(tx, conversation, id(3), { ...held, isInboxClosed: true })),
          inOne(store, (tx) => links.endKnock(tx, id(3))),
          inOne(store, (tx) => links.forget(tx, conversation)),
        ],
        atHand: () => [links.of(conversation), links.held(conversation, id(3)), links.knocks],
      };
    },
  },
  {
    name: "false words",
    async open(store) {
      const words = new Words({ store, platform });
      await words.load();
      return {
        operations: [() => words.note("ben", "record"), () => words.note("mal", "record"), () => words.note("ben", "account")],
        atHand: () => [words.of("ben"), words.of("mal")],
      };
    },
  },
  {
    name: "a person's own things",
    async open(store) {
      const things = new OwnThings({ store, platform });
      things.isAlone = () => false;
      await things.load();
      return {
        operations: [
          () => things.say([{ kind: "mute", logId: id(1), untilMs: 5 }]),
          () => things.take([{ place: { era: 1, log: noLog, order: 1 }, fact: { kind: "unread", logId: id(1), isUnread: true } }]),
          () => things.prepare(noLog),
          () => things.settleAlone(),
        ],
        atHand: () => [
          things.all("mute"),
          things.all("unread"),
          things.waiting,
          [...things.state].toSorted(([a], [b]) => (a < b ? -1 : 1)),
        ],
      };
    },
  },
  {
    name: "drafts",
    async open(store) {
      const runner = { id: conversation, state: { logId: id(1), kind: "group", draft: "written here" }, emitConversation: () => undefined };
      const things = new OwnThings({ store, platform });
      await things.load();
      const world = { store, platform, ownThings: things } as unknown as World;
      const drafts = new Drafts(world, { runners: () => [runner as unknown as ConversationRunner] });
      await drafts.load();
      const fact = { kind: "draft", logId: id(1), text: "written there", over: noDraftMark } as const;
      const registers = [{ place: { era: 1, log: noLog, order: 1 }, fact }];
      return {
        operations: [
          () => drafts.taking(registers, (along) => things.take(registers, along)),
          () => drafts.decide(runner as unknown as ConversationRunner, false),
        ],
        atHand: () => [drafts.other(conversation), things.all("draft")],
      };
    },
  },
];

/** A store of which every transaction that writes fails at its end while `isOut`. */
function failing(store: Store, power: { isOut: boolean }): Store {
  return {
    ...store,
    transact: (mode, run) =>
      store.transact(mode, async (tx) => {
        const result = await run(tx);
        if (mode === "write" && power.isOut) throw new ClientError("storage_denied", "The power is out.");
        return result;
      }),
  };
}

describe("what is kept at hand beside the store", () => {
  test.each(kept)("$name: is what the store has, whichever transaction fails, and how often", async ({ open }) => {
    const records = new Map<string, Uint8Array>();
    const power = { isOut: false };
    const messages = createMemoryStore(records);
    await messages.transact("write", (tx) => {
      for (const order of [3, 5, 7]) putPlace(tx, conversation, id(order), { kind: "message", order, author: id(9) });
    });
    const { operations, atHand } = await open(failing(createMemoryStore(records), power));
    const stored = async (): Promise<unknown> => (await open(createMemoryStore(new Map(records)))).atHand();
    const seen = new Set([JSON.stringify(atHand())]);
    for (const operation of operations) {
      const before = structuredClone(atHand());
      power.isOut = true;
      for (let times = 0; times < 2; times++) await expect(operation()).rejects.toBeInstanceOf(ClientError);
      expect(atHand()).toEqual(before);
      expect(await stored()).toEqual(before);
      power.isOut = false;
      await operation();
      expect(atHand()).toEqual(await stored());
      seen.add(JSON.stringify(atHand()));
    }
    // Else nothing was tried.
    expect(seen.size).toBeGreaterThan(2);
  });
});
