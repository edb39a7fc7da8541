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

/** A conversation as far as going on with it looks, and what it was told. */
function fake(id: number, people: readonly Uint8Array[], lines: readonly Partial<Message>[] = [], phase: object = { kind: "active" }) {
  const inputs: string[] = [];
  const accounts = new Map(people.map((accountId) => [toBase64Url(accountId), [{ host: "chat.example", accountId }]]));
  const state = {
    id: `${id}`,
    logId: account(id),
    kind: "group",
    host: "chat.example",
    phase,
    roster: { accounts },
    peer: undefined,
    changes: [],
    staged: undefined,
    outgoing: [],
    recovered: [],
    unverified: [],
    departed: [],
    stranded: undefined,
    link: { stall: undefined },
  };
  const runner = {
    id: `${id}`,
    state,
    load: async () => undefined,
    messages: async () => lines,
    input: async ({ kind }: { readonly kind: string }) => {
      inputs.push(kind);
    },
    showLastText: async () => undefined,
    emitConversation: () => undefined,
  };
  return { runner: runner as unknown as ConversationRunner, inputs };
}

const line = (kind: "created" | "added" | "text", minutesAgo: number, delivery?: "pending" | "accepted"): Partial<Message> => ({
  body: kind === "text" ? { kind, text: "anybody?" } : kind === "created" ? { kind, name: "" } : { kind, people: [] },
  sentAtMs: nowMs - minutesAgo * minuteMs,
  delivery: delivery === undefined ? undefined : delivery === "pending" ? { kind: delivery } : { kind: delivery, atMs: 0 },
});

/** Ada went on with 9 in 5, and Ben goes on with it in 3, whose log id is lower. */
async function benToo(lines: readonly Partial<Message>[], people: readonly Uint8Array[] = [ada, ben, cyd]): Promise<readonly string[]> {
  const [old, mine, his] = [fake(9, [ada, ben, cyd], [], { kind: "continued", by: "5" }), fake(5, [ada, ben, cyd], lines), fake(3, people)];
  const all = new Map([old, mine, his].map(({ runner }) => [runner.id, runner]));
  const world = { own: { accountId: ada }, platform: { nowMs: () => nowMs } } as unknown as World;
  const access = { runner: (id: string) => all.get(id), runners: () => [...all.values()] } as unknown as ContinuationAccess;
  const continuations = new Continuations(world, access);
  await continuations.offer(old.runner, his.runner.state, ben);
  await continuations.joined(old.runner, his.runner, ben);
  expect([old.inputs, his.inputs]).toEqual([[], []]);
  return mine.inputs;
}

describe("[M-9] somebody else goes on with a conversation in a group, as the person did", () => {
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
});
