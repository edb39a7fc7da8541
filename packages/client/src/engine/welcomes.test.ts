import { toBase64Url } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import type { Continuations } from "./continuations.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
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
