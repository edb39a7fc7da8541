import { ClientError, createClient } from "@latchkey/client";
import type { Client, Platform, Store } from "@latchkey/client";
import { createNodePlatform, openNodeStore } from "@latchkey/client/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, sendAndWait, textsOf } from "./testing/people.ts";
import { isNightly } from "./testing/profile.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** A store whose power fails: from a given write on, nothing reaches the disk any more. */
interface FailingStore extends Store {
  /** Lets so many writes through from now on. */
  failAfter(writes: number): void;
  /** Resolves with the first write that does not reach the disk. */
  readonly failing: Promise<void>;
  readonly hasFailed: boolean;
}

async function openFailingStore(home: string): Promise<FailingStore> {
  const store = await openNodeStore(home);
  let left = Number.POSITIVE_INFINITY;
  const { promise: failing, resolve: fail } = Promise.withResolvers<void>();
  return {
    failing,
    transact(mode, run) {
      if (mode !== "write" || --left >= 0) return store.transact(mode, run);
      fail();
      return Promise.reject(new ClientError("storage_denied", "The power is out."));
    },
    close: () => store.close(),
    failAfter(writes) {
      left = writes;
    },
    get hasFailed() {
      return left < 0;
    },
  };
}

/** How much sooner long waits are over. */
interface Haste {
  by: number;
}

/**
 * A linking is over after some seconds, in place of ten minutes, as long as there is haste; what is waited for a minute, such as the word of
 * who changed an account, has its time. Its clock can be put forward.
 */
function hastyPlatform(haste: Haste, aheadMs: number): Platform {
  const platform = createNodePlatform();
  return {
    ...platform,
    nowMs: () => platform.nowMs() + aheadMs,
    setTimer: (delayMs, run) => platform.setTimer(delayMs > 60_000 ? delayMs / haste.by : delayMs, run),
  };
}

const open = (store: Store, haste: Haste, aheadMs: number = 0): Promise<Client> =>
  createClient({ store, platform: hastyPlatform(haste, aheadMs), serverUrl: server.url, requests: "accept" });

/** Resolves when the linking ended there: "done", or why it did not come to its end. */
function ended(client: Client): Promise<string> {
  return new Promise((resolve) => {
    client.subscribe((event) => {
      if (event.kind !== "link") return;
      if (event.state.kind === "done") resolve("done");
      if (event.state.kind === "failed") resolve(event.state.failure.code);
    });
  });
}

const pause = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));

/** Links with one side's power failing after so many of its writes, and starts that side again. */
async function linkWithCrash(params: { name: string; crashes: "new" | "existing"; writes: number }): Promise<{
  existing: Client;
  added: Client;
  conversationId: string;
  failed: boolean;
  close(): Promise<void>;
}> {
  const { name, crashes, writes } = params;
  const stores = { existing: await openFailingStore(folder.at(`${name}-1`)), new: await openFailingStore(folder.at(`${name}-2`)) };
  const haste: Haste = { by: 40 };
  let existing = await open(stores.existing, haste);
  let added = await open(stores.new, haste);
  await existing.register({ username: name });
  const { id } = await existing.startConversation({ to: [name], name: "" });
  await sendAndWait(existing, id, "note to myself");
  await existing.settle();
  const offer = await added.offerLink({ deviceName: "Second" });
  const ends = { existing: ended(existing), new: ended(added) };
  await existing.acceptLink(offer.code);
  stores[crashes].failAfter(writes);
  await Promise.all([existing.confirmLink(true), added.confirmLink(true)]);
  await Promise.race([Promise.all([ends.existing, ends.new]), stores[crashes].failing.then(() => pause(2000))]);
  const failed = stores[crashes].hasFailed;
  // The power is back.
  if (crashes === "new") {
    await added.close().catch(() => undefined);
    await stores.new.close();
    added = await open(await openNodeStore(folder.at(`${name}-2`)), haste);
  } else {
    await existing.close().catch(() => undefined);
    await stores.existing.close();
    existing = await open(await openNodeStore(folder.at(`${name}-1`)), haste, 11 * 60_000);
  }
  // Whoever is left alone with it gives it up.
  await ends[crashes === "new" ? "existing" : "new"];
  haste.by = 1;
  return {
    existing,
    added,
    conversationId: id,
    failed,
    async close() {
      await existing.close();
      await added.close();
    },
  };
}

// Side by side: each waits most of the time for the side whose power failed.
describe.concurrent("[A-7] a linking whose power fails in the middle", () => {
  test.each([
    ...(isNightly ? [0, 1, 2, 3, 5, 8, 12] : [0, 2, 5]).map((writes) => ({ crashes: "new" as const, writes })),
    ...(isNightly ? [0, 1, 2, 3, 4, 5, 7, 9, 12, 16] : [0, 1, 3, 5, 9]).map((writes) => ({ crashes: "existing" as const, writes })),
  ])("of the $crashes device, after $writes of its writes, is finished or undone on both", async ({ crashes, writes }) => {
    const linked = await linkWithCrash({ name: `${crashes}-${String(writes)}`, crashes, writes });
    const { existing, added, conversationId } = linked;
    try {
      const hasAccount = (await added.account()) !== undefined;
      const isSettled = async (): Promise<true | undefined> => {
        const devices = await existing.devices();
        if (!hasAccount) return devices.length === 1 ? true : undefined;
        const isIn = (await added.conversations()).some(({ id }) => id === conversationId);
        return devices.length === 2 && isIn && (await textsOf(added, conversationId)).includes("note to myself") ? true : undefined;
      };
      // What was left to finish or to undo may not have begun.
      await existing.settle({ timeoutMs: 60_000 });
      const untilMs = Date.now() + 60_000;
      while ((await isSettled()) === undefined && Date.now() < untilMs) await pause(200);
      expect(await existing.devices()).toHaveLength(hasAccount ? 2 : 1);
      if (!hasAccount) {
        // The same profile can be linked once more.
        const offer = await added.offerLink({ deviceName: "Again" });
        const ends = Promise.all([ended(existing), ended(added)]);
        await existing.acceptLink(offer.words.join(" "));
        await Promise.all([existing.confirmLink(true), added.confirmLink(true)]);
        expect(await ends).toEqual(["done", "done"]);
      }
      expect(await textsOf(added, conversationId)).toEqual(["note to myself"]);
      // Nothing is left of the one that came to nothing.
      const names = async (): Promise<true | undefined> => ((await existing.devices()).length === 2 ? true : undefined);
      await eventually(existing, names, "there are two devices");
      await sendAndWait(added, conversationId, "from the second");
      await eventually(
        existing,
        async () => ((await textsOf(existing, conversationId)).includes("from the second") ? true : undefined),
        "both are in step",
      );
    } finally {
      await linked.close();
    }
  });
});
