import { toBase64Url } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import type { Continuations } from "./continuations.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { otherInvitations } from "../core/rejoin.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import { keepWelcome, keptWelcome } from "./invitations.ts";
import type { VerifiedWelcome } from "./join.ts";
import { Welcomes } from "./welcomes.ts";
import type { World } from "./world.ts";

const account = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const [ada, ben] = [account(1), account(2)];

function welcomesOf(state: object): Welcomes {
  // Whose Welcome is waited for is told by the conversations alone, and of them this reads no more than what is here.
  const runner = { id: "c", state: { phase: { kind: "active" }, ...state } } as unknown as ConversationRunner;
  return new Welcomes({
    world: {} as unknown as World,
    runners: new Map([[runner.id, runner]]),
    open: async () => false,
    continuations: {} as unknown as Continuations,
    onNew: async () => undefined,
    onBack: () => undefined,
  });
}

describe("[I-4] whose Welcome is waited for, whether the person accepted them or not", () => {
  it("of whoever was a member when this device complained (G-5)", () => {
    const stranded = welcomesOf({ stranded: {}, roster: { accounts: new Map([[toBase64Url(ada), []]]) } });
    expect([...stranded.awaited(ada)]).toEqual(["c"]);
    expect([...stranded.awaited(ben)]).toEqual([]);
    expect([...welcomesOf({}).awaited(ada)]).toEqual([]);
  });

  it("of the account whose commit took this device out and back in, and of no other", () => {
    const readded = welcomesOf({ phase: { kind: "removed" }, readdedBy: ada });
    expect([...readded.awaited(ada)]).toEqual(["c"]);
    expect([...readded.awaited(ben)]).toEqual([]);
  });
});

describe("[E-10] a Welcome into a conversation that this device is in", () => {
  /** A Welcome that starts from entry `seq`, into a conversation that was read to entry 10; answers whether it was done with. */
  async function taken(seq: number): Promise<boolean> {
    let isSettled = false;
    const kept = { id: "c", host: "chat.example", kind: "group", groupId: account(9), phase: { kind: "active" }, stranded: undefined };
    const known = { id: "c", state: { ...kept, chain: { seq: 10, head: account(1) } }, load: async () => undefined };
    const world = {
      own: { accountId: account(3) },
      people: { load: async () => undefined },
      store: createMemoryStore(),
      platform: { nowMs: () => 0 },
    };
    const welcomes = new Welcomes({
      world: world as unknown as World,
      runners: new Map([["c", known as unknown as ConversationRunner]]),
      open: async () => false,
      continuations: {} as unknown as Continuations,
      onNew: async () => undefined,
      onBack: () => undefined,
    });
    const welcome = {
      state: { ...kept, chain: { seq, head: account(2) } },
      effects: [],
      sender: { accountId: ada, deviceId: new Uint8Array(16) },
      settle: async () => {
        isSettled = true;
      },
    };
    await welcomes.take(welcome as unknown as VerifiedWelcome);
    return isSettled;
  }

  it("is done with once its entry was read, and is looked at again a second later before that", async () => {
    expect(await taken(10)).toBe(true);
    await expect(taken(11)).rejects.toMatchObject({ code: "conversation_unavailable", canRetry: true, retryAfterMs: 1000 });
  });
});

describe("[M-9] [P7] an invitation", () => {
  /** A Welcome comes about which the person is asked, into a conversation that takes the news of it like this; answers what became of its item. */
  async function asked(input: (state: { invitations: readonly object[] }) => Promise<void>): Promise<readonly string[]> {
    const store = createMemoryStore();
    const outcome: string[] = [];
    const kept = { id: "c", host: "chat.example", kind: "group", groupId: account(9), chain: { seq: 10, head: account(1) } };
    const settings = { name: "", roles: [], continues: new Uint8Array(0), directory: account(0) };
    const known = {
      ...kept,
      phase: { kind: "removed" },
      readdedBy: undefined,
      roster: undefined,
      formerMembers: [account(1)],
      opening: { settings },
      stranded: undefined,
      arrival: undefined,
      invitations: [],
    };
    const runner = { id: "c", state: known, load: async () => undefined, input: () => input(known) };
    const world = { own: { accountId: account(3) }, people: { load: async () => undefined }, store, platform: { nowMs: () => 0 } };
    const welcomes = new Welcomes({
      world: world as unknown as World,
      runners: new Map([["c", runner as unknown as ConversationRunner]]),
      open: async () => false,
      continuations: {} as unknown as Continuations,
      onNew: async () => undefined,
      onBack: () => undefined,
    });
    const roster = { accounts: new Map([[toBase64Url(account(1)), []]]), leaves: new Map(), settings };
    const itemId = new Uint8Array(16);
    const welcome = {
      state: { ...kept, chain: { seq: 20, head: account(2) }, phase: { kind: "active" }, roster },
      effects: [],
      sender: { host: "chat.example", accountId: account(1), deviceId: new Uint8Array(16), itemId, notAfterMs: 1 },
      body: new Uint8Array(1),
      isAgreed: false,
      settle: async () => {
        outcome.push("settled");
      },
      putAside: () => {
        outcome.push("put aside");
      },
    };
    await welcomes.take(welcome as unknown as VerifiedWelcome).catch(() => outcome.push("failed"));
    const isKept = (await store.transact("read", (tx) => keptWelcome(tx, "c", itemId))) !== undefined;
    return isKept ? [...outcome, "kept"] : outcome;
  }

  it("is not done with where the machine stops before the conversation has it", async () => {
    const failing = async (): Promise<void> => {
      throw new Error("the power fails");
    };
    // Its item was dealt with, and nothing in the conversation says so: it is never looked at again.
    expect(await asked(failing)).toEqual(["failed"]);
  });

  it("[E-10] waits with its Welcome; of one that has no room beside the others nothing stays", async () => {
    const taking = async (state: { invitations: readonly object[] }): Promise<void> => {
      state.invitations = [{ itemId: new Uint8Array(16) }];
    };
    expect(await asked(taking)).toEqual(["put aside", "kept"]);
    expect(await asked(async () => undefined)).toEqual(["settled"]);
  });
});

describe("[G-5] [P7] an invitation that stayed once another was taken, and leads nowhere", () => {
  it("is not accepted without a word: it goes, or the person reads why", async () => {
    const [itemId, dee] = [new Uint8Array(16), account(7)];
    const invitation = {
      itemId,
      accountId: ben,
      host: "chat.example",
      deviceId: itemId,
      wasMember: false,
      missing: [],
      atMs: 0,
      notAfterMs: 1,
    };
    const inputs: string[] = [];
    const store = createMemoryStore();
    const base = { id: "c", host: "chat.example", kind: "group", groupId: account(9), phase: { kind: "active" }, stranded: undefined };
    const sender = { host: "chat.example", accountId: ben, deviceId: itemId, itemId, notAfterMs: 1 };
    const paused = {
      ...base,
      phase: { kind: "paused", reason: "missed_commit" },
      invitations: [invitation, { ...invitation, accountId: dee }],
    };
    // It had arrived somewhere once; now its person took Cyd's.
    const arrival = { by: dee, answerers: [ada, dee], declined: [], behind: [5], seq: 5, epochId: 4, sinceMs: 0 };
    const invitations = otherInvitations({ ...paused, arrival } as never, dee);
    const state = {
      ...base,
      chain: { seq: 20, head: account(1) },
      arrival,
      invitations,
      roster: { accounts: new Map() },
      spoken: new Map(),
    };
    const runner = {
      id: "c",
      state,
      load: async () => undefined,
      rejoin: async () => {
        inputs.push("rejoin");
      },
      input: async ({ kind }: { kind: string }) => {
        inputs.push(kind);
      },
    };
    const world = {
      own: { accountId: account(3) },
      people: { load: async () => undefined },
      store,
      platform: { nowMs: () => 30 * 86_400_000 },
    };
    const welcomes: Welcomes = new Welcomes({
      world: world as unknown as World,
      runners: new Map([["c", runner as unknown as ConversationRunner]]),
      open: async () => {
        await welcomes.take({
          state: { ...base, chain: { seq: 15, head: account(2) }, roster: { accounts: new Map(), leaves: new Map() } },
          effects: [],
          sender,
          body: new Uint8Array(1),
          isAgreed: true,
          settle: async () => undefined,
          putAside: () => undefined,
        } as unknown as VerifiedWelcome);
        return true;
      },
      continuations: {} as unknown as Continuations,
      onNew: async () => undefined,
      onBack: () => undefined,
    });
    await store.transact("write", (tx) => keepWelcome(tx, "c", { sender, body: new Uint8Array(1) }));
    if (invitations.length === 0) return;
    const outcome = await welcomes.accept(runner as unknown as ConversationRunner, toBase64Url(ben)).then(
      () => "done",
      () => "told",
    );
    expect([outcome, inputs]).not.toEqual(["done", []]);
  });
});
