import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { deleteDB, openDB } from "idb";
import type { AccountInfo, Client, Message } from "../api.ts";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { turnLockOn } from "../lock/web-lock.ts";
import { takeProfileLock, tryProfileLock } from "./profile-lock.ts";
import { openWebStore } from "./web-store.ts";
import { visitWebProfile } from "./web-visit.ts";
import { openWebClient } from "./web-client.ts";
import type * as WebClient from "./web-client.ts";

// Files that ran before in this process have these modules without what is put in their place here, and those that come have them so again.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  vi.doUnmock("./web-client.ts");
  vi.resetModules();
});

vi.mock("./web-client.ts", async (load) => ({ openWebClient: vi.fn((await load<typeof WebClient>()).openWebClient) }));

let count = 0;
let profile = "";
const look = vi.fn(async () => undefined);
let more = (): void => undefined;
const visit = async (lingerMs = 0, longestMs = 60_000): Promise<string> => {
  const times = { timeoutMs: 1000, lingerMs, longestMs };
  const onOpen = (again: () => void): void => void (more = again);
  return await visitWebProfile({ serverUrl: "http://127.0.0.1:1", profile, ...times, onOpen, listener: () => undefined, look });
};

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  // A worker's scope has it.
  vi.stubGlobal("addEventListener", () => undefined);
  profile = `visited-${String(count++)}`;
  look.mockClear();
});

afterEach(() => void vi.unstubAllGlobals());

/** Whether somebody may have the profile now. */
async function isFree(): Promise<boolean> {
  const lock = await tryProfileLock({ profile });
  await lock?.release();
  return lock !== undefined;
}

describe("[O-22] a visit of a profile", () => {
  test("never waits: of one that somebody has nothing is opened", async () => {
    const lock = await takeProfileLock({ profile, by: "a tab" });
    expect(await visit()).toBe("in_use");
    expect(await indexedDB.databases()).toEqual([]);
    await lock.release();
  });

  test("ends at one without an account, and lets go of it", async () => {
    expect([await visit(), await isFree(), look.mock.calls.length]).toEqual(["nobody", true, 0]);
  });

  test("[O-9] opens none that has a lock", async () => {
    const store = await openWebStore(profile);
    await store.close();
    const secret = new Uint8Array(32).fill(7);
    const settings = { afterMs: undefined, onHide: false, wipeAfter: undefined };
    await turnLockOn(profile, { kind: "passkey", id: secret, salt: secret, secret, name: "Key" }, settings);
    expect([await visit(), await isFree(), look.mock.calls.length]).toEqual(["locked", true, 0]);
  });

  test("[O-4] opens none that a newer build has written, and changes nothing there", async () => {
    await (await openWebStore(profile)).close();
    for (const name of [`latchkey-side/${profile}`, `latchkey/${profile}`]) {
      const newer = await openDB(name, 99);
      newer.close();
      await expect(visit(), name).rejects.toMatchObject({ code: "storage_newer" });
      expect((await indexedDB.databases()).find((one) => one.name === name)?.version).toBe(99);
      expect(await isFree()).toBe(true);
      await deleteDB(name);
    }
  });

  test("while it stays open looks again at what comes, and when it is asked to, and is open no longer than it may", async () => {
    const client: Partial<Client> = {
      account: async () => ({}) as AccountInfo,
      settle: async () => undefined,
      close: async () => undefined,
    };
    vi.mocked(openWebClient).mockImplementation(async () => client as Client);
    const lingers = visit(60_000);
    await vi.waitFor(() => expect(look).toHaveBeenCalledTimes(1));
    expect(await isFree()).toBe(false);
    const hear = vi.mocked(openWebClient).mock.lastCall?.[0].listener;
    const message = {} as Message;
    hear?.({ kind: "message", message, isNew: true });
    await vi.waitFor(() => expect(look).toHaveBeenCalledTimes(2));
    // What came in the middle of a look is looked at too.
    look.mockImplementationOnce(async () => hear?.({ kind: "message", message, isNew: true }) as undefined);
    more();
    await vi.waitFor(() => expect(look).toHaveBeenCalledTimes(4));
    hear?.({ kind: "message", message, isNew: false });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(look).toHaveBeenCalledTimes(4);
    const next = await takeProfileLock({ profile, by: "a tab" });
    expect(await lingers).toBe("caught_up");
    await next.release();
    look.mockImplementation(async () => {
      more();
      return undefined;
    });
    expect([await visit(60_000, 50), await isFree()]).toEqual(["caught_up", true]);
    look.mockReset();
    vi.mocked(openWebClient).mockReset();
  });

  test("looks at what came once all was read, or the time is over, and then closes; who asks for the profile meanwhile has it at once", async () => {
    const done: string[] = [];
    let settle = (): Promise<void> => Promise.resolve();
    const client: Partial<Client> = {
      account: async () => ({}) as AccountInfo,
      settle: async () => await settle(),
      close: async () => void done.push("close"),
    };
    // Nothing else of it is used.
    vi.mocked(openWebClient).mockImplementation(async () => client as Client);
    look.mockImplementation(async () => void done.push("look"));
    expect([await visit(), done.splice(0), await isFree()]).toEqual(["caught_up", ["look", "close"], true]);
    // Nobody is there.
    expect(vi.mocked(openWebClient).mock.lastCall?.[0]).toMatchObject({ isVisit: true });
    settle = () => Promise.reject(new Error("offline"));
    expect([await visit(), done.splice(0), await isFree()]).toEqual(["late", ["look", "close"], true]);
    const reading = Promise.withResolvers<undefined>();
    settle = () => {
      reading.resolve(undefined);
      return new Promise(() => undefined);
    };
    const visited = visit();
    await reading.promise;
    const lock = await takeProfileLock({ profile, by: "a tab" });
    expect([await visited, done.splice(0)]).toEqual(["wanted", ["close"]]);
    await lock.release();
    settle = () => Promise.resolve();
    const stays = visit(60_000);
    const next = await takeProfileLock({ profile, by: "a tab" });
    expect(await stays).toMatch(/caught_up|wanted/);
    await next.release();
    vi.mocked(openWebClient).mockReset();
  });
});
