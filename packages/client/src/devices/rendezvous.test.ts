import { CodecError } from "@latchkey/codec";
import { describe, expect, it, vi } from "vitest";
import { offlineError } from "../errors.ts";
import { createNodePlatform } from "../platform/node-platform.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { linkPlace } from "./link-code.ts";
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
