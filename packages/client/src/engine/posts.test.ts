import { toBase64Url } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import {
  maxAdministrators,
  maxDescriptionBytes,
  maxGroupNameBytes,
  maxKeptOut,
  maxInlineProofBytes,
  maxInlineTreeBytes,
} from "@latchkey/protocol";
import type { PostReply } from "@latchkey/protocol";
import { createFakeClock } from "@latchkey/testkit";
import { nobleSignatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { simInboxKey } from "../core/sim.testing.ts";
import { foundingSettings } from "../core/settings.ts";
import type { WelcomePost } from "../core/types.ts";
import type { Alarm } from "../api.ts";
import { Alarms } from "../directory/alarms.ts";
import { offlineError } from "../errors.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Tokens } from "../tokens/types.ts";
import { settle } from "../transport/fake-server.testing.ts";
import { Posts } from "./posts.ts";

const zeros = (size: number): Uint8Array => new Uint8Array(size);
/** The longest name of a host. */
const host = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`;

/** The largest Welcome that a group can lead to: as many roles and as long a name as its settings take, tree and records in its item. */
function largest(inboxKey: Uint8Array, welcomeBytes: number): WelcomePost {
  return {
    joiner: { host, accountId: zeros(32), deviceId: zeros(16), inboxId: zeros(32), inboxKey, keyPackage: zeros(0) },
    seq: 1,
    epochId: 1,
    head: zeros(32),
    welcome: zeros(welcomeBytes),
    tree: { kind: "inline", tree: zeros(maxInlineTreeBytes) },
    proofs: { kind: "inline", proofs: zeros(maxInlineProofBytes) },
    opening: {
      salt: zeros(32),
      settings: {
        ...foundingSettings({ name: "n".repeat(maxGroupNameBytes), accounts: 1, directory: zeros(32) }),
        roles: Array.from({ length: 2 * maxAdministrators }, (_, at) => ({ accountId: zeros(32).fill(at), role: 2 })),
        description: "d".repeat(maxDescriptionBytes),
        picture: zeros(256),
        continues: zeros(32),
        format: 4,
        keptOut: Array.from({ length: maxKeptOut }, (_, at) => zeros(32).fill(at)),
        ext: zeros(4096),
      },
    },
  };
}

describe("Welcomes on their way", () => {
  const store = createMemoryStore();
  const platform = { nowMs: () => 1, random: zeros, sha256, signatures: nobleSignatures, crypto: nodeCrypto };
  const own = { host, accountId: zeros(32), deviceId: zeros(16), signatureKeyPair: { secretKey: zeros(32) } };
  // Of the world this reads no more than what is here.
  const posts = new Posts({ store, platform, own } as unknown as ConstructorParameters<typeof Posts>[0]);
  const put = (post: WelcomePost): Promise<boolean> => store.transact("write", (tx) => posts.put(tx, host, zeros(32), post));

  /** A server that answers what it is told to, and what the person is told of it. */
  async function onTheWay(isMeant = true): Promise<{
    answer: (to: PostReply | undefined) => void;
    pass: (hours: number) => Promise<void>;
    asked: () => number;
    /** As the next process finds them. */
    alarms: () => Promise<readonly Alarm[]>;
    posts: Posts;
    /** One more Welcome for the same inbox. */
    add: () => Promise<boolean>;
  }> {
    const clock = createFakeClock();
    let number = 0;
    const random = (size: number): Uint8Array => zeros(size).fill(++number);
    const here = { ...platform, random, nowMs: () => clock.now(), setTimer: clock.schedule };
    let reply: PostReply | undefined;
    let asked = 0;
    // Nothing costs a token there.
    const tokens: Pick<Tokens, "spend"> = { spend: (_what, ask) => ask(zeros(0)) };
    const directory = { tokens };
    const connections = {
      once: async (_role: string, _host: string, use: (connection: unknown) => Promise<unknown>): Promise<unknown> => {
        asked++;
        if (reply === undefined) throw offlineError();
        return await use({ request: () => Promise.resolve(reply) });
      },
    };
    const own1 = createMemoryStore();
    const alarms = new Alarms({ store: own1, platform: here, emit: () => undefined });
    const appendSecrets = { capabilityFor: () => zeros(32) };
    const made = new Posts({
      store: own1,
      platform: here,
      connections,
      own,
      alarms,
      appendSecrets,
      directory,
    } as unknown as ConstructorParameters<typeof Posts>[0]);
    made.isMeant = () => isMeant;
    const add = (): Promise<boolean> => own1.transact("write", (tx) => made.put(tx, host, zeros(32), largest(simInboxKey, 8192)));
    await add();
    const pass = async (hours: number): Promise<void> => {
      for (let minute = 0; minute < hours * 60; minute++) {
        clock.advance(60_000);
        await settle();
      }
    };
    const answer = (to: PostReply | undefined): void => void (reply = to);
    const stored = async (): Promise<readonly Alarm[]> => {
      const again = new Alarms({ store: own1, platform: here, emit: () => undefined });
      await again.load();
      expect(again.list()).toEqual(alarms.list());
      return again.list();
    };
    return { answer, pass, asked: () => asked, alarms: stored, posts: made, add };
  }
  const gone: PostReply = { kind: "error", code: "not_found", retryAfterMs: 0 };

  it("[E-18] one that the server refuses is asked for a day, less and less often, and then who invited is told whom it was for", async () => {
    const { answer, pass, asked, alarms, posts: made } = await onTheWay();
    answer(gone);
    void made.deliver();
    await pass(23);
    expect(await alarms()).toEqual([]);
    // Nothing waits for it.
    expect(made.waiting).toBe(0);
    expect(asked()).toBeLessThan(40);
    await pass(3);
    const account = toBase64Url(zeros(32));
    expect(await alarms()).toMatchObject([{ failure: { code: "unreachable_device" }, accountId: account, conversationId: account }]);
    const before = asked();
    await pass(30);
    expect(asked()).toBe(before);
  });

  it("[E-18] [E-3] one that a server has refused for hours and takes then is delivered, and one that is out of reach is not given up for it", async () => {
    const { answer, pass, alarms, posts: made } = await onTheWay();
    answer(undefined);
    void made.deliver();
    await pass(40);
    expect(made.waiting).toBe(1);
    answer(gone);
    await pass(10);
    answer({ kind: "done" });
    await pass(2);
    answer(gone);
    await pass(40);
    expect([made.waiting, await alarms()]).toEqual([0, []]);
  });

  it("[T-1] who has no token for strangers' inboxes asks once for all of them, and again after a while, and each is brought once there are some", async () => {
    const { answer, pass, asked, posts: made, add } = await onTheWay();
    for (let more = 0; more < 9; more++) await add();
    answer({ kind: "error", code: "token_required", retryAfterMs: 0 });
    void made.deliver();
    await pass(1);
    expect([asked() <= 6, made.waiting]).toEqual([true, 10]);
    answer({ kind: "done" });
    await pass(1);
    expect(made.waiting).toBe(0);
  });

  it("[E-18] nobody is told of a device that is out of the group by then", async () => {
    const { answer, pass, asked, alarms, posts: made } = await onTheWay(false);
    answer(gone);
    void made.deliver();
    await pass(26);
    const before = asked();
    await pass(5);
    expect([asked(), await alarms()]).toEqual([before, []]);
  });

  it("[E-19] the largest fits an inbox: its MLS Welcome, of one joiner and one extension of the context, is below 8 KiB", async () => {
    expect(await put(largest(simInboxKey, 8192))).toBe(true);
    expect(posts.waiting).toBe(1);
  });

  it("[E-18] one that cannot be sealed is given up, and whatever else is stored with it is stored", async () => {
    const before = posts.waiting;
    expect(await put(largest(zeros(7), 8192))).toBe(false);
    expect(await put(largest(simInboxKey, 60_000))).toBe(false);
    expect(posts.waiting).toBe(before);
  });
});
