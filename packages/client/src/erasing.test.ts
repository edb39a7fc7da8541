import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createClient } from "./create-client.ts";
import { createNewDevice } from "./devices/new-device.ts";
import { adding, createWorld, platform } from "./devices/own-states.testing.ts";
import type { Store } from "./store/store.ts";
import { createMemoryFileStore } from "./files/memory-file-store.testing.ts";
import { openWebClient } from "./platform/web-client.ts";
import { openSide } from "./platform/web-side.ts";
import { openWebStore } from "./platform/web-store.ts";
import { createMemoryStore } from "./store/memory-store.testing.ts";
import { createFakeServer, settle } from "./transport/fake-server.testing.ts";
// Loaded before: the clock of these tests waits for no file.
import "./removing.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** What the profile of an account's device has, one of two, and something of a conversation. */
async function filled(): Promise<Map<string, Uint8Array>> {
  const world = await createWorld();
  const states = await world.open();
  await states.publish(await adding(states, await createNewDevice(platform, "Tablet")));
  await world.store.transact("write", (tx) => {
    for (let number = 0; number < 2500; number++) tx.put(`note/${String(number)}`, new Uint8Array(1000));
  });
  return new Map(await world.store.transact("read", (tx) => tx.scan({ prefix: "" })));
}

/** A server that takes every connection and answers nothing on any. */
function silentServer() {
  const server = createFakeServer("erasing");
  server.respondHttp = () => new Promise(() => undefined);
  const fileStore = createMemoryFileStore();
  const files = async () => ({ store: fileStore, hash: () => ({ update: () => undefined, digest: () => new Uint8Array(32) }) });
  const open = (store: Store) => createClient({ store, platform: { ...server.platform, files }, serverUrl: "https://chat.example" });
  const isOver = async (work: Promise<unknown>, seconds: number): Promise<boolean> => {
    let isDone = false;
    void work.finally(() => (isDone = true));
    for (let second = 0; second <= seconds && !isDone; second++) {
      await settle();
      if (!isDone) server.clock.advance(1000);
    }
    return isDone;
  };
  return { server, fileStore, open, isOver };
}

describe("[O-12] a profile that is erased", () => {
  test("is gone seconds later, whatever a server does not say, and its client is closed", async () => {
    const records = await filled();
    const { open, isOver, fileStore } = silentServer();
    const client = await open(createMemoryStore(records));
    await fileStore.begin("x".repeat(43), 10, 1);
    await settle();
    const erasing = client.erase();
    expect(await isOver(erasing, 8)).toBe(true);
    await erasing;
    expect([...records.keys()]).toEqual([]);
    expect(await fileStore.list()).toEqual([]);
    await expect(client.devices()).rejects.toMatchObject({ code: "closed" });
    await client.close();
  });

  test("goes on with the next start wherever a program ended, before anything of it is shown", async () => {
    const whole = await filled();
    for (let writes = 1; ; writes++) {
      const records = new Map(whole);
      const { open, isOver } = silentServer();
      const store = createMemoryStore(records);
      let left = Infinity;
      let stopped = (): void => undefined;
      const isKilled = new Promise<void>((resolve) => (stopped = resolve));
      const killed: Store = {
        ...store,
        async transact(mode, run) {
          if (mode === "write" && left-- <= 0) {
            stopped();
            return await new Promise(() => undefined);
          }
          return await store.transact(mode, run);
        },
      };
      const client = await open(killed);
      await settle();
      left = writes;
      const erasing = client.erase();
      expect(await isOver(Promise.race([erasing, isKilled]), 8)).toBe(true);
      const isDone = await Promise.race([erasing.then(() => true), isKilled.then(() => false)]);
      const next = await silentServer().open(createMemoryStore(records));
      expect(await next.account()).toBeUndefined();
      expect([...records.keys()]).toEqual([]);
      await next.close();
      if (isDone) return expect(writes).toBeGreaterThan(4);
    }
  });

  test("stays as it is where that it goes cannot be written down", async () => {
    const records = await filled();
    const { open } = silentServer();
    const store = createMemoryStore(records);
    const client = await open({
      ...store,
      transact: (mode, run) =>
        store.transact(mode, (tx) =>
          run({
            ...tx,
            put(key, value) {
              if (key === "erasing") throw new RangeError("full");
              tx.put(key, value);
            },
          }),
        ),
    });
    await expect(client.erase()).rejects.toThrow("full");
    expect(await client.account()).toMatchObject({ username: "ann" });
    await client.close();
  });

  test("opens no more in a browser from the first moment on, and all of it is removed with the next opening", async () => {
    globalThis.indexedDB = new IDBFactory();
    vi.stubGlobal("addEventListener", () => undefined);
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    class SilentSocket extends EventTarget {
      close(): void {
        this.dispatchEvent(new CloseEvent("close"));
      }
    }
    vi.stubGlobal("WebSocket", SilentSocket);
    const records = await filled();
    const held = { release: async () => undefined, onWanted: () => undefined };
    const store = await openWebStore("ann", held);
    await store.transact("write", (tx) => {
      for (const [key, value] of records) tx.put(key, value);
    });
    await store.close();
    const params = { serverUrl: "https://chat.example", profile: "ann", lock: held };
    const client = await openWebClient(params);
    expect(await client.account()).toMatchObject({ username: "ann" });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const erasing = client.erase();
    await vi.waitFor(async () => {
      const side = await openSide("ann");
      expect([await side.count("keys"), await side.get("numbers", "erasing")]).toEqual([0, 1]);
      side.close();
    });
    // The browser is killed here, or some seconds later.
    await vi.advanceTimersByTimeAsync(7000);
    await erasing;
    const next = await openWebStore("ann", held);
    expect(await next.transact("read", (tx) => tx.scan({ prefix: "" }))).toEqual([]);
    await next.close();
  });
});
