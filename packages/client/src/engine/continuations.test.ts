import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import type { Message } from "../api.ts";
import { Continuations } from "./continuations.ts";
import type { ContinuationAccess } from "./continuations.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import type { World } from "./world.ts";

const minuteMs = 60_000;
const nowMs = 1e12;
const account = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const [ada, ben, cyd] = [account(1), account(2), account(3)];

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
    kind: "group",
    host: "chat.example",
    phase: { kind: "active" },
    roster: { accounts },
    peer: undefined,
    changes: [],
    staged: undefined,
    outgoing: [],
    recovered: [],
    unverified: [],
    departed: [],
    stranded: undefined,
    draft: "",
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
    messages: async () => lines,
    input: async (input: Record<string, unknown>) => {
      inputs.push(input);
    },
    showLastText: async () => undefined,
    emitConversation: () => undefined,
  };
  return { runner: runner as unknown as ConversationRunner, inputs, kinds: () => inputs.map(({ kind }) => String(kind)) };
}

const line = (kind: "created" | "added" | "text", minutesAgo: number, delivery?: "pending" | "accepted"): Partial<Message> => ({
  body: kind === "text" ? { kind, text: "anybody?" } : kind === "created" ? { kind, name: "" } : { kind, people: [] },
  sentAtMs: nowMs - minutesAgo * minuteMs,
  delivery: delivery === undefined ? undefined : delivery === "pending" ? { kind: delivery } : { kind: delivery, atMs: 0 },
});
const created = (minutesAgo: number): Partial<Message> => line("created", minutesAgo);

function around(mine: Fake, his: Fake) {
  const clock = { nowMs };
  const old = fake(9, [ada, ben, cyd], { phase: { kind: "continued", by: mine.runner.id } });
  const all = new Map([old, mine, his].map(({ runner }) => [runner.id, runner]));
  const world = { own: { accountId: ada }, platform: { nowMs: () => clock.nowMs } } as unknown as World;
  const access = { runner: (id: string) => all.get(id), runners: () => [...all.values()] } as unknown as ContinuationAccess;
  return { old, clock, continuations: new Continuations(world, access) };
}

const three = [ada, ben, cyd];

/** Ada went on with 9 in 5, and Ben goes on with it in 3, whose log id is lower. */
async function benToo(lines: Partial<Message>[], people: readonly Uint8Array[] = three): Promise<readonly string[]> {
  const [mine, his] = [fake(5, three, {}, lines), fake(3, people)];
  const { old, continuations } = around(mine, his);
  await continuations.offer(old.runner, his.runner.state, ben);
  await continuations.joined(old.runner, his.runner, ben);
  expect([old.kinds(), his.kinds()]).toEqual([[], []]);
  return mine.kinds();
}

describe("[M-9] [C34] somebody else goes on with a conversation in a group, as the person did", () => {
  test("within minutes, with the same people, before anything was said: the lower log id stays; what waits here is nothing said", async () => {
    expect(await benToo([line("created", 9)])).toEqual(["offered", "unoffered", "supersede"]);
    expect(await benToo([line("created", 9), line("added", 9), line("text", 1, "pending")])).toEqual(["offered", "unoffered", "supersede"]);
  });

  test("once something was said, whatever was told since, later, or with other people, it is offered, and nobody is moved", async () => {
    for (const text of [line("text", 5), line("text", 5, "accepted")])
      expect(await benToo([line("created", 9), text, line("added", 1)])).toEqual(["offered"]);
    expect(await benToo([line("created", 11), line("added", 0)])).toEqual(["offered"]);
    expect(await benToo([line("created", 9)], [ada, ben])).toEqual(["offered"]);
    expect(await benToo(Array.from({ length: 100 }, () => line("added", 0)))).toEqual(["offered"]);
    expect(await benToo([])).toEqual(["offered"]);
  });

  test("what the person was writing in the one that goes along is not lost: the draft", async () => {
    const mine = fake(5, three, { draft: "half a sentence" }, [created(1)]);
    const his = fake(3, three);
    const { old, continuations } = around(mine, his);
    await continuations.offer(old.runner, his.runner.state, ben);
    await continuations.joined(old.runner, his.runner, ben);
    expect(mine.kinds()).toEqual(["offered", "unoffered", "supersede"]);
    expect(his.inputs).toContainEqual({ kind: "draft", text: "half a sentence" });
  });

  test("what is sealed and on its way was said: the others may read it there, and nobody is moved from it", async () => {
    const sealed = { id: "a", purpose: "text", text: "anybody?", content: account(0), failure: undefined, sealed: {}, accepted: undefined };
    const text: Partial<Message> = { body: { kind: "text", text: "anybody?" }, sentAtMs: nowMs - 1000, delivery: { kind: "pending" } };
    const mine = fake(5, three, { outgoing: [sealed] }, [created(1), text]);
    const his = fake(3, three);
    const { old, continuations } = around(mine, his);
    await continuations.offer(old.runner, his.runner.state, ben);
    await continuations.joined(old.runner, his.runner, ben);
    // The person stays where it is.
    expect(mine.kinds()).toEqual(["offered"]);
  });

  test("something is said, or the ten minutes end, between the two looks: it is offered all the same", async () => {
    const lines = [created(9)];
    const mine = fake(5, three, {}, lines);
    const his = fake(3, three);
    const { old, continuations } = around(mine, his);
    await continuations.offer(old.runner, his.runner.state, ben);
    lines.push({ body: { kind: "text", text: "here we are" }, sentAtMs: nowMs, delivery: undefined });
    await continuations.joined(old.runner, his.runner, ben);
    expect(mine.kinds()).toEqual(["offered"]);
  });

  test("the machine stops once the other's is stored: it starts, and both end up in one", async () => {
    const mine = fake(5, three, { continuesId: "9" }, [created(1)]);
    const his = fake(3, three, { continuesId: "9", joinedSeq: 1 });
    const { old, continuations } = around(mine, his);
    await continuations.offer(old.runner, his.runner.state, ben);
    // Here it stops; the inbox item was settled with the conversation.
    await continuations.resume();
    expect([...mine.kinds(), ...his.kinds()].some((kind) => kind === "supersede" || kind === "offered")).toBe(true);
  });

  test("who says that they leave theirs is not put into another's", async () => {
    const mine = fake(5, three, { phase: { kind: "leaving" } }, [created(1)]);
    const his = fake(3, three);
    const { old, continuations } = around(mine, his);
    await continuations.offer(old.runner, his.runner.state, ben);
    await continuations.joined(old.runner, his.runner, ben);
    expect(mine.kinds()).toEqual(["offered"]);
  });

  test("where others go on stays offered where this person is: they went along with one of them, or with their own", async () => {
    const offers = [
      { id: "3", accountId: ben, missing: [] },
      { id: "4", accountId: cyd, missing: [ben] },
    ];
    const old = fake(9, three, { phase: { kind: "paused", reason: "unreadable_commit" }, offers });
    const [his, hers] = [fake(3, three), fake(4, [ada, cyd])];
    const all = new Map([old, his, hers].map(({ runner }) => [runner.id, runner]));
    const world = { own: { accountId: ada }, platform: { nowMs: () => nowMs } } as unknown as World;
    const access = { runner: (id: string) => all.get(id), runners: () => [...all.values()] } as unknown as ContinuationAccess;
    await new Continuations(world, access).goOn(old.runner, { into: "3" }).catch(() => undefined);
    expect(old.kinds()).toEqual(["continued"]);
    expect(his.inputs.filter(({ kind }) => kind === "offered").map(({ offer }) => (offer as { id: string }).id)).toEqual(["4"]);
  });

  test("[P5] the machine stops once what waited was handed over and sent there: it is not sent again", async () => {
    const waits = {
      id: "a",
      purpose: "text",
      text: "hello",
      content: account(0),
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
    const his = fake(3, three, {}, [
      created(1),
      { id: "a", body: { kind: "text", text: "hello" }, sentAtMs: nowMs, delivery: { kind: "accepted", atMs: 0 } },
    ]);
    const all = new Map([old, his].map(({ runner }) => [runner.id, runner]));
    const world = { own: { accountId: ada }, platform: { nowMs: () => nowMs } } as unknown as World;
    const access = { runner: (id: string) => all.get(id), runners: () => [...all.values()] } as unknown as ContinuationAccess;
    await new Continuations(world, access).goOn(old.runner, { into: "3" }).catch(() => undefined);
    expect(his.kinds()).not.toContain("compose");
  });

  test("nothing was said, as far as one knows who has not read it yet: nobody is moved from where the others talk", async () => {
    // Taken a minute ago, hours after Ben made it, and its log was not read.
    const added: Partial<Message> = { body: { kind: "added", people: [] }, sentAtMs: nowMs - minuteMs, delivery: undefined };
    const mine = fake(5, three, { joinedSeq: 1, chain: { seq: 1 }, link: { stall: undefined, kind: "opening", readUpTo: 0 } }, [added]);
    const his = fake(3, three, { joinedSeq: 1 });
    const { old, continuations } = around(mine, his);
    await continuations.offer(old.runner, his.runner.state, cyd);
    await continuations.joined(old.runner, his.runner, cyd);
    expect(mine.kinds()).toEqual(["offered"]);
  });
});
