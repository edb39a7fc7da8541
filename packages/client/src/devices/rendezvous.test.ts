import { CodecError } from "@latchkey/codec";
import type { KnownWireErrorCode } from "@latchkey/protocol";
import { describe, expect, it, vi } from "vitest";
import type { LinkState } from "../api.ts";
import { offlineError } from "../errors.ts";
import { createNodePlatform } from "../platform/node-platform.ts";
import { createMemoryStore } from "../store/memory-store.testing.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { linkPlace } from "./link-code.ts";
import { offerLink } from "./offer-link.ts";
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
