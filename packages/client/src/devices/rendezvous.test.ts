import { CodecError } from "@latchkey/codec";
import type { KnownWireErrorCode } from "@latchkey/protocol";
import { describe, expect, it, vi } from "vitest";
import type { LinkState } from "../api.ts";
import { offlineError } from "../errors.ts";
import { createNodePlatform } from "../platform/node-platform.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { answerPatienceMs, formatLinkCode, linkPlace } from "./link-code.ts";
import { acceptLink } from "./accept-link.ts";
import { offerLink } from "./offer-link.ts";
import type { OwnStates } from "./own-states.ts";
import { openRendezvous } from "./rendezvous.ts";

/** A place to meet at a server of which every append ends so. */
function meeting(append: () => Promise<unknown>): { say(): Promise<boolean>; readonly failed: readonly unknown[] } {
  const failed: unknown[] = [];
  const request = async ({ kind }: { kind: string }): Promise<unknown> => (kind === "append" ? await append() : { kind: "done" });
  const connections = {
    keep(_role: string, _host: string, session: { onOpen(opened: unknown): Promise<void> }) {
      void session.onOpen({ request });
      return { release: () => undefined };
    },
  };
  const rendezvous = openRendezvous({
    platform: createNodePlatform(),
    connections: connections as unknown as Connections,
    host: "chat.example",
    place: linkPlace(new Uint8Array(16)),
    creates: true,
    onEntry: () => undefined,
    onRefused: () => undefined,
    onFailed: (error) => failed.push(error),
  });
  return {
    failed,
    async say() {
      rendezvous.append(new Uint8Array(500));
      return await rendezvous.drained(50);
    },
  };
}

describe("[A-7] what two devices say to each other", () => {
  it("and cannot be sent at all ends the linking, with nobody left waiting until the code expires", async () => {
    const cause = new CodecError("limit", "too large");
    const { say, failed } = meeting(() => Promise.reject(cause));
    await say();
    await vi.waitFor(() => expect(failed).toEqual([cause]));
  });

  it("and is lost with its connection ends nothing: the next one takes it", async () => {
    const { say, failed } = meeting(() => Promise.reject(offlineError()));
    expect([await say(), failed]).toEqual([false, []]);
  });
});

describe("[A-7] [T-1] a new device that the server has no place for", () => {
  const refusals: [KnownWireErrorCode, string, RegExp][] = [
    ["token_required", "rate_limited", /network address/u],
    ["rate_limited", "rate_limited", /moment/u],
    ["storage_full", "server_full", /no space/u],
    ["unsupported", "server_refused", /earlier version/u],
  ];

  it.each(refusals)("is told at once that it is %s, by nobody's clock, and has no code to show", async (wire, code, message) => {
    const states: LinkState[] = [];
    const linking = offerAt(async () => ({ kind: "error", code: wire, retryAfterMs: 50_000 }), states);
    await expect(linking).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(states).toMatchObject([{ kind: "failed", failure: { code } }]);
  });

  it("goes on with the place that it has when its connection comes back, whatever the server says of new ones", async () => {
    const asked: string[] = [];
    let reopen = (): Promise<void> => Promise.resolve();
    const request = async ({ kind }: { kind: string }): Promise<unknown> => {
      asked.push(kind);
      return await Promise.resolve({ kind: "done" });
    };
    const { session } = await offerAt(request, [], (open) => {
      reopen = open;
    });
    await reopen();
    expect(asked).toEqual(["create", "append", "open"]);
    session.close();
  });
});

describe("[A-7] a device that takes up an offer", () => {
  it("waits two minutes for the other one, and then says that the code is an old one", async () => {
    const { session, pass, appended } = takeUp({ isReached: true });
    await pass(answerPatienceMs - 1);
    expect([session.isOver, session.machine.phase.kind]).toEqual([false, "joining"]);
    await pass(1);
    await expect(session.compared.promise).rejects.toMatchObject({ code: "link_expired" });
    // Should the other one come after all, it does not wait for somebody who is gone.
    expect(appended()).toBe(1);
  });

  it("and reaches no server says that, and spoils no code: the other device still waits under it", async () => {
    const { session, pass, appended } = takeUp({ isReached: false });
    await pass(answerPatienceMs);
    await expect(session.compared.promise).rejects.toMatchObject({ code: "offline" });
    expect([session.isOver, appended()]).toEqual([true, 0]);
  });
});

/** Takes up an offer that nobody stands behind, under a clock of the test's own. */
function takeUp({ isReached }: { readonly isReached: boolean }) {
  let appended = 0;
  let nowMs = 0;
  const timers: { atMs: number; run: () => void }[] = [];
  const request = async ({ kind }: { kind: string }): Promise<unknown> => {
    if (kind === "append") appended += 1;
    return await Promise.resolve({ kind: "done" });
  };
  const connections = {
    keep(_role: string, _host: string, kept: { onOpen(opened: unknown): Promise<void> }) {
      if (isReached) void kept.onOpen({ request });
      return { release: () => undefined };
    },
  };
  const setTimer = (delayMs: number, run: () => void): (() => void) => {
    const timer = { atMs: nowMs + delayMs, run };
    timers.push(timer);
    return () => void (timer.atMs = Number.POSITIVE_INFINITY);
  };
  const [accountId, host] = [new Uint8Array(32), "chat.example"];
  const own = { host, accountId, username: "alice", deviceName: "old", account: { state: { devices: [] } } };
  const session = acceptLink({
    store: createMemoryStore(),
    platform: { ...createNodePlatform(), setTimer },
    connections: connections as unknown as Connections,
    // Before the digits are compared nothing else of it is asked for.
    states: { own } as unknown as OwnStates,
    code: formatLinkCode(new Uint8Array(16), host),
    emit: () => undefined,
    conversations: () => [],
    onPublish: () => undefined,
    onLinked: () => undefined,
    onUndo: () => Promise.resolve(),
  });
  return {
    session,
    appended: () => appended,
    async pass(ms: number) {
      await session.settled();
      nowMs += ms;
      for (const timer of timers.filter(({ atMs }) => atMs <= nowMs)) {
        timer.atMs = Number.POSITIVE_INFINITY;
        timer.run();
      }
      await session.settled();
      await new Promise(setImmediate);
    },
  };
}

/** Offers a device for linking at a server that answers so. No time passes there. */
async function offerAt(
  request: (body: { kind: string }) => Promise<unknown>,
  states: LinkState[],
  onKept: (open: () => Promise<void>) => void = () => undefined,
) {
  const connections = {
    ownHost: () => Promise.resolve("chat.example"),
    httpUrl: () => "https://chat.example",
    keep(_role: string, _host: string, session: { onOpen(opened: unknown): Promise<void> }) {
      const open = (): Promise<void> => session.onOpen({ request });
      onKept(open);
      void open();
      return { release: () => undefined };
    },
  };
  return await offerLink({
    store: createMemoryStore(),
    platform: { ...createNodePlatform(), setTimer: () => () => undefined },
    connections: connections as unknown as Connections,
    deviceName: "new",
    directory: { lookUpOwn: () => Promise.reject(offlineError()) },
    emit: (state) => states.push(state),
    onLinked: () => Promise.resolve(),
  });
}
