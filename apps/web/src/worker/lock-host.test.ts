import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Client, ClientEvent, FileState } from "@latchkey/client";
import type { LockSettings, LockView, Opened } from "@latchkey/client/lock";
import { createHost } from "./serve.ts";
import type { HostStatus, LockAct, Request, Response } from "./protocol.ts";

const settings: LockSettings = { afterMs: 60_000, onHide: false, wipeAfter: undefined };
const view: LockView = { hasPassphrase: true, passkeys: [], settings, waitMs: 0, triesLeft: undefined };
const right = { kind: "passphrase", passphrase: "right" } as const;
const wrong = { kind: "passphrase", passphrase: "wrong" } as const;
// Nobody looks into it here.
const key = {} as CryptoKey;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A worker over a profile whose lock is `lock`, and what was asked of it in order. */
function startHost(lock: LockView | undefined) {
  let kept = lock;
  const done: string[] = [];
  const tried: Opened<CryptoKey>["kind"][] = [];
  let emit: (event: ClientEvent) => void = () => undefined;
  const client: Partial<Client> = {
    subscribe: (listener) => {
      emit = listener;
      return () => undefined;
    },
    saveDraft: async (_id, text) => void done.push(`draft ${text}`),
    account: async () => undefined,
    close: async () => void done.push("close"),
  };
  let otherBuild = (): void => undefined;
  const host = createHost({
    canKeepKeys: async () => true,
    async openClient(given) {
      done.push(given === undefined ? "open" : "open with the key");
      // These tests call nothing else.
      return client as Client;
    },
    async withProfileLock(_waiting, hold) {
      await hold();
      done.push("released");
    },
    async eraseProfile() {
      done.push("erase");
      kept = undefined;
    },
    onAbandoned: () => void done.push("abandoned"),
    onLocked: () => void done.push("end"),
    whenGone: () => new Promise(() => undefined),
    onOtherBuild: (listener) => (otherBuild = listener),
    lock: {
      view: async () => kept,
      async unlock(opener) {
        const next = tried.shift();
        if (next === "erased") return { kind: "erased" };
        if (opener.kind === "passphrase" && opener.passphrase === "right") return { kind: "opened", value: key };
        return { kind: "wrong", view: { ...view, waitMs: 1000 } };
      },
      async change(present, change) {
        if (present.kind !== "passphrase" || present.passphrase !== "right") return { kind: "wrong", view };
        kept = change.kind === "off" ? undefined : { ...view, settings: change.kind === "settings" ? change.settings : settings };
        return { kind: "opened", value: kept };
      },
      async turnOn(_opener, _settings, onProgress) {
        onProgress(2500);
        done.push("turned on");
      },
    },
  });
  return { host, client, done, tried, otherBuild: () => otherBuild(), emit: (event: ClientEvent) => emit(event) };
}

function openPage(host: ReturnType<typeof startHost>["host"]) {
  const told: Response[] = [];
  let send: (request: Request) => void = () => undefined;
  host.addPort({
    postMessage: (response) => told.push(structuredClone(response)),
    addEventListener: (_type, listener) => (send = (request) => listener(new MessageEvent("message", { data: request }))),
  });
  let id = 0;
  return {
    told,
    send: (request: Request) => send(request),
    lock(act: LockAct) {
      id += 1;
      send({ kind: "lock", id, act });
    },
    statuses: (): HostStatus[] => told.flatMap((one) => (one.kind === "status" ? [one.status] : [])),
    answers: (): unknown[] => told.flatMap((one) => (one.kind === "result" ? [one.value] : [])),
  };
}

const pass = async (ms = 0): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

describe("a worker whose profile is locked", () => {
  test("[O-9] opens nothing and tells nothing but the lock, until somebody unlocks it; then it is open for all pages", async () => {
    const { host, done } = startHost(view);
    const pages = [openPage(host), openPage(host)];
    await pass(10_000);
    pages[0]?.send({ kind: "call", id: 99, method: "account", args: [] });
    await pass();
    expect(done).toEqual([]);
    for (const page of pages) expect(page.statuses().at(-1)).toEqual({ kind: "locked", lock: view });
    expect(pages[0]?.told.find((one) => one.kind === "failure")).toMatchObject({ id: 99 });
    pages[1]?.lock({ kind: "unlock", opener: wrong });
    await pass();
    for (const page of pages) expect(page.statuses().at(-1)).toMatchObject({ kind: "locked", lock: { waitMs: 1000 } });
    pages[0]?.lock({ kind: "unlock", opener: right });
    await pass();
    expect(done).toEqual(["open with the key"]);
    for (const page of pages) expect(page.statuses().at(-1)).toMatchObject({ kind: "ready", lock: { hasPassphrase: true } });
  });

  test("[O-9] locked, its pages hand over what they have, the client is closed, and the worker ends", async () => {
    const { host, done } = startHost(view);
    const page = openPage(host);
    await pass();
    page.lock({ kind: "unlock", opener: right });
    await pass();
    page.lock({ kind: "now" });
    await pass();
    expect(page.statuses().at(-1)).toEqual({ kind: "locking", isDone: false });
    page.send({ kind: "call", id: 7, method: "saveDraft", args: ["c", "half a word"] });
    await pass(400);
    expect(done).toEqual(["open with the key", "draft half a word", "close", "released", "end"]);
    expect(page.statuses().at(-1)).toEqual({ kind: "locking", isDone: true });
  });

  test("[O-9] a client that does not come to its end, as a server says nothing, keeps no key: the worker ends some seconds later", async () => {
    const { host, done, client } = startHost(view);
    client.close = () => new Promise(() => undefined);
    const page = openPage(host);
    await pass();
    page.lock({ kind: "unlock", opener: right });
    await pass();
    page.lock({ kind: "now" });
    await pass(5000);
    expect(page.statuses().at(-1)).toEqual({ kind: "locking", isDone: false });
    await pass(500);
    expect(done).toEqual(["open with the key", "released", "end"]);
    expect(page.statuses().at(-1)).toEqual({ kind: "locking", isDone: true });
  });

  test("[O-9] it locks by itself when nothing is done in any page", async () => {
    const { host, done } = startHost(view);
    const page = openPage(host);
    await pass();
    page.lock({ kind: "unlock", opener: right });
    await pass(50_000);
    page.send({ kind: "active", isVisible: true });
    await pass(59_000);
    expect(page.statuses().at(-1)?.kind).toBe("ready");
    await pass(1400);
    expect(done.at(-1)).toBe("end");
  });

  test("[O-9] [E-272] not while an upload comes further or a page says that something goes on; one that stands or begins again holds nothing", async () => {
    const { host, done, emit } = startHost(view);
    const page = openPage(host);
    const file = (state: FileState): void => emit({ kind: "file", conversationId: "c", messageId: "m", fileId: "f", state });
    const sending = (sentBytes: number): void => file({ kind: "sending", sentBytes, totalBytes: 1000 });
    await pass();
    page.lock({ kind: "unlock", opener: right });
    await pass();
    page.send({ kind: "active", isVisible: false });
    for (const sentBytes of [100, 200, 300]) {
      await pass(50_000);
      sending(sentBytes);
    }
    await pass(50_000);
    page.send({ kind: "goes_on" });
    await pass(50_000);
    expect(page.statuses().at(-1)?.kind).toBe("ready");
    for (const sentBytes of [300, 0, 300]) sending(sentBytes);
    file({ kind: "remote", hereBytes: 500, totalBytes: 1000 });
    await pass(10_400);
    expect(done.at(-1)).toBe("end");
  });

  test("[O-9] the one page that is loaded again finds it open; where none comes back, the worker ends with the key", async () => {
    const { host, done } = startHost(view);
    const page = openPage(host);
    await pass();
    page.lock({ kind: "unlock", opener: right });
    await pass();
    page.send({ kind: "bye" });
    await pass(2500);
    const again = openPage(host);
    await pass(10_000);
    expect(again.statuses().at(-1)?.kind).toBe("ready");
    expect(done).toEqual(["open with the key"]);
    again.send({ kind: "bye" });
    await pass(3000);
    expect(done.at(-1)).toBe("abandoned");
  });

  test("[O-8] changed, the pages hear of it; turned off, it never locks; who may not changes nothing", async () => {
    const { host, done } = startHost(view);
    const page = openPage(host);
    await pass();
    page.lock({ kind: "unlock", opener: right });
    await pass();
    page.lock({ kind: "change", present: wrong, change: { kind: "off" } });
    await pass();
    expect(page.answers().at(-1)).toEqual({ kind: "wrong", view });
    page.lock({ kind: "change", present: right, change: { kind: "settings", settings: { ...settings, afterMs: 120_000 } } });
    await pass();
    expect(page.statuses().at(-1)).toMatchObject({ kind: "ready", lock: { settings: { afterMs: 120_000 } } });
    page.lock({ kind: "change", present: right, change: { kind: "off" } });
    await pass();
    expect(page.statuses().at(-1)).toEqual({ kind: "ready" });
    page.lock({ kind: "now" });
    await pass(24 * 3_600_000);
    expect(done).toEqual(["open with the key"]);
  });

  test("[O-8] turned on while it is open: closed first, then its records get their key, and the worker ends", async () => {
    const { host, done } = startHost(undefined);
    const page = openPage(host);
    await pass();
    page.lock({ kind: "turn_on", opener: right, settings });
    page.lock({ kind: "turn_on", opener: right, settings });
    await pass(400);
    expect(done).toEqual(["open", "close", "turned on", "released", "end"]);
    expect(page.statuses().slice(-3)).toEqual([
      { kind: "sealing", records: 0 },
      { kind: "sealing", records: 2500 },
      { kind: "locking", isDone: true },
    ]);
  });

  test("[O-9] [O-10] begun anew from the lock screen, or wrong once too often: all is erased, and it is a new profile", async () => {
    for (const way of ["start_over", "wrong"] as const) {
      const { host, done, tried } = startHost(view);
      const page = openPage(host);
      await pass();
      if (way === "wrong") tried.push("erased");
      if (way === "wrong") page.lock({ kind: "unlock", opener: wrong });
      else page.send({ kind: "start_over" });
      await pass();
      expect(done, way).toEqual(["erase", "released", "open"]);
      expect(page.statuses().at(-1), way).toEqual({ kind: "ready" });
    }
  });

  test("[O-4] [O-9] a worker of another build gets a profile that is locked at once", async () => {
    const { host, done, otherBuild } = startHost(view);
    const page = openPage(host);
    await pass();
    otherBuild();
    await pass();
    expect(page.statuses().at(-1)).toEqual({ kind: "replaced" });
    expect(done).toEqual(["released"]);
  });
});
