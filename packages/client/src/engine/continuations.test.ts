import { toBase64Url } from "@latchkey/codec";
import { createTextContent } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import type { Message } from "../api.ts";
import { Receipts } from "../receipts/receipts.ts";
import { OwnThings } from "../own/own-things.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { Continuations } from "./continuations.ts";
import type { ContinuationAccess } from "./continuations.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { contentIdIn } from "./message-ids.ts";
import type { World } from "./world.ts";

const nowMs = 1e12;
const account = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const [ada, ben, cyd] = [account(1), account(2), account(3)];
const own = { host: "chat.example", accountId: ada };

interface Fake {
  readonly runner: ConversationRunner;
  readonly inputs: Record<string, unknown>[];
  readonly kinds: () => string[];
}

function fake(id: number, people: readonly Uint8Array[], more: object = {}, lines: Partial<Message>[] = []): Fake {
  const inputs: Record<string, unknown>[] = [];
  const accounts = new Map(people.map((accountId) => [toBase64Url(accountId), [{ host: "chat.example", accountId }]]));
  const state = {
    id: `${id}`,
    logId: account(id),
    groupId: account(id),
    kind: "group",
    host: "chat.example",
    phase: { kind: "active" },
    roster: { accounts },
    opening: { settings: { timerS: 0 } },
    peer: undefined,
    changes: [],
    staged: undefined,
    outgoing: [],
    recovered: [],
    unverified: [],
    departed: [],
    stranded: undefined,
    draft: "",
    name: "Allotment",
    invitations: [],
    offers: [],
    joinedSeq: 0,
    continuesId: undefined,
    link: { stall: undefined },
    ...more,
  };
  const runner = {
    id: `${id}`,
    state,
    load: async () => undefined,
    history: { line: async (id: string) => lines.find((line) => line.id === id) },
    input: async (input: Record<string, unknown>) => {
      inputs.push(input);
    },
    showLastText: async () => undefined,
    emitConversation: () => undefined,
  };
  return { runner: runner as unknown as ConversationRunner, inputs, kinds: () => inputs.map(({ kind }) => String(kind)) };
}

function continuationsOf(...fakes: Fake[]): Continuations {
  const all = new Map(fakes.map(({ runner }) => [runner.id, runner]));
  const ownThings = new OwnThings({ store: createMemoryStore(), platform: { random: () => new Uint8Array(16) } });
  const world = {
    own,
    platform: { sha256, nowMs: () => 0 },
    people: { self: own },
    ownThings,
    receipts: new Receipts(),
  } as unknown as World;
  const access = { runner: (id: string) => all.get(id), runners: () => [...all.values()] } as unknown as ContinuationAccess;
  return new Continuations(world, access);
}

function around(mine: Fake, his: Fake) {
  const old = fake(9, [ada, ben, cyd], { phase: { kind: "continued", by: mine.runner.id } });
  return { old, continuations: continuationsOf(old, mine, his) };
}

/** Ada goes on with the old one where she is offered it. */
async function goOn(old: Fake, others: Fake[], into: string): Promise<void> {
  await continuationsOf(old, ...others).goOn(old.runner, { into });
}

const three = [ada, ben, cyd];

/** Ada went on with 9 in `mine`, and an account goes on with it in `his`. */
async function another(mine: Fake, his: Fake, sender = ben): Promise<void> {
  const { old, continuations } = around(mine, his);
  await continuations.offer(old.runner, his.runner.state, sender);
  await continuations.joined(old.runner, his.runner, sender);
  expect(old.kinds()).toEqual([]);
}

const stopped = { link: { stall: "unknown_log" } };

describe("[M-9] [C34] somebody else goes on with a conversation in a group, as the person did", () => {
  test("it is one more in the list, whatever its log id: nobody is moved, nor asked", async () => {
    for (const id of [3, 7]) {
      const [mine, his] = [fake(5, three), fake(id, three)];
      await another(mine, his);
      expect([...mine.kinds(), ...his.kinds()]).toEqual([]);
    }
  });

  test("where the one that the person went on in has stopped, it is offered there", async () => {
    const [mine, his] = [fake(5, three, stopped), fake(3, [ada, ben])];
    await another(mine, his);
    expect(mine.inputs).toEqual([{ kind: "offered", offer: { id: "3", accountId: ben, missing: [cyd] } }]);
    expect(his.kinds()).toEqual([]);
  });

  test("of two that the person's own devices made, the lower log id stays, and a draft goes along", async () => {
    const [mine, his] = [fake(5, three, { draft: "half a sentence" }), fake(3, three)];
    await another(mine, his, ada);
    expect(mine.kinds()).toEqual(["supersede"]);
    expect(his.inputs).toEqual([{ kind: "draft", text: "half a sentence" }]);
  });

  test("two that the person's own devices made with other people both go on", async () => {
    const [mine, his] = [fake(5, three), fake(3, [ada, ben])];
    await another(mine, his, ada);
    expect([...mine.kinds(), ...his.kinds()]).toEqual([]);
  });

  test("the person takes an offer: the old one ends, and nothing is told of the others, which are in the list", async () => {
    const offers = [
      { id: "3", accountId: ben, missing: [] },
      { id: "4", accountId: cyd, missing: [ben] },
    ];
    const old = fake(9, three, { phase: { kind: "paused", reason: "unreadable_commit" }, offers });
    const [his, hers] = [fake(3, three), fake(4, [ada, cyd])];
    await goOn(old, [his, hers], "3");
    expect([old.kinds(), his.kinds(), hers.kinds()]).toEqual([["continued"], [], []]);
  });

  test("[E-16] an offer is taken where the log was read to its end, or has stopped: who made it may have been removed", async () => {
    const offers = [{ id: "3", accountId: ben, missing: [] }];
    const [old, his] = [fake(9, three, { chain: { seq: 1 }, link: { kind: "opening", stall: undefined }, offers }), fake(3, three)];
    await expect(goOn(old, [his], "3")).rejects.toMatchObject({ code: "conversation_unavailable", canRetry: true });
    expect(old.kinds()).toEqual([]);
  });

  test("who went on already takes no offer from there", async () => {
    const [mine, his] = [fake(5, three), fake(3, three)];
    const { old, continuations } = around(mine, his);
    await expect(continuations.goOn(old.runner, { into: "3" })).rejects.toMatchObject({ code: "not_permitted" });
    expect([mine.kinds(), his.kinds()]).toEqual([[], []]);
  });

  test("[P5] the machine stops once what waited was handed over and sent there: it is not sent again", async () => {
    const content = createTextContent({ text: "hello", salt: new Uint8Array(16), sentAtMs: 1 });
    const waits = {
      id: "a",
      purpose: "text",
      text: "hello",
      content,
      failure: undefined,
      sealed: undefined,
      accepted: undefined,
    };
    const old = fake(9, three, {
      phase: { kind: "paused", reason: "unreadable_commit" },
      offers: [{ id: "3", accountId: ben, missing: [] }],
      outgoing: [waits],
    });
    // Handed over before the stop, and in the log since.
    const there = fake(3, three);
    const id = contentIdIn({ own, platform: { sha256 } } as unknown as World, there.runner.state, content);
    const his = fake(3, three, {}, [
      { id, body: { kind: "text", text: "hello" }, sentAtMs: nowMs, delivery: { kind: "accepted", atMs: 0 } },
    ]);
    await goOn(old, [his], "3");
    expect(his.kinds()).not.toContain("compose");
  });
});
