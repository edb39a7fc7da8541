import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Client, ClientEvent } from "@latchkey/client";
import { createRemoteClient } from "./remote-client.ts";
import type { ClientHost } from "./remote-client.ts";
import { createHost } from "./serve.ts";
import type { Host } from "./serve.ts";
import type { HostStatus, Request, Response } from "./protocol.ts";

class FakeClientError extends Error {
  readonly code = "unknown_user";
  readonly canRetry = false;
}

function fakeClient(): { client: Client; emit: (event: ClientEvent) => void; wake: ReturnType<typeof vi.fn> } {
  const listeners = new Set<(event: ClientEvent) => void>();
  const wake = vi.fn();
  const client: Partial<Client> = {
    checkUsername: async (username) => (username === "ben" ? "taken" : "available"),
    resolve: () => Promise.reject(new FakeClientError("no such account")),
    discard: async () => undefined,
    close: () => Promise.reject(new Error("must not be reachable")),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    wake,
  };
  return {
    // The tests call nothing else.
    client: client as Client,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    wake,
  };
}

/** A page of `host`, over a channel that copies like a real port. */
function openPage(host: Host): ClientHost {
  const toPage = new EventTarget();
  const toWorker = new EventTarget();
  const message = (data: Request | Response): MessageEvent => new MessageEvent("message", { data: structuredClone(data) });
  const page = createRemoteClient({
    postMessage: (request) => toWorker.dispatchEvent(message(request)),
    addEventListener: (type, listener) => toPage.addEventListener(type, (event) => listener(event as MessageEvent<Response>)),
  });
  host.addPort({
    postMessage: (response) => toPage.dispatchEvent(message(response)),
    addEventListener: (type, listener) => toWorker.addEventListener(type, (event) => listener(event as MessageEvent<Request>)),
  });
  return page;
}

const unlocked = async (_waiting: unknown, hold: () => Promise<void>): Promise<void> => hold();

/** What these tests have no use for. */
const others = {
  canKeepKeys: async (): Promise<boolean> => true,
  onAbandoned: (): void => undefined,
  onOtherBuild: (): void => undefined,
  whenGone: (): Promise<void> => new Promise(() => undefined),
  eraseProfile: async (): Promise<void> => undefined,
  onLocked: (): void => undefined,
  lock: {
    view: async (): Promise<undefined> => undefined,
    unlock: () => Promise.reject(new Error("there is no lock")),
    change: () => Promise.reject(new Error("there is no lock")),
    turnOn: async (): Promise<void> => undefined,
  },
};

describe("the client behind a port", () => {
  it("a part of the client that does not come is asked for once more; after that the page is told, and may try again", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { client } = fakeClient();
    let missing = 1;
    const openClient = vi.fn(async () => {
      if (missing-- > 0) throw Object.assign(new Error("a part does not come"), { code: "offline", canRetry: true });
      return client;
    });
    const kinds: HostStatus["kind"][] = [];
    const listen = (page: ClientHost): void => void page.subscribeStatus(({ kind }) => void (kinds.at(-1) !== kind && kinds.push(kind)));
    listen(openPage(createHost({ openClient, withProfileLock: unlocked, ...others })));
    await vi.advanceTimersByTimeAsync(1000);
    expect([kinds, openClient.mock.calls.length]).toEqual([["starting", "ready"], 2]);
    kinds.length = 0;
    missing = 2;
    const page = openPage(createHost({ openClient, withProfileLock: unlocked, ...others }));
    listen(page);
    await vi.advanceTimersByTimeAsync(1000);
    page.reopen();
    await vi.advanceTimersByTimeAsync(1000);
    expect([kinds, openClient.mock.calls.length]).toEqual([["starting", "failed", "starting", "ready"], 5]);
  });

  it("answers calls, also those made before it was open", async () => {
    const { client } = fakeClient();
    const { promise, resolve } = Promise.withResolvers<Client>();
    const host = createHost({ openClient: () => promise, withProfileLock: unlocked, ...others });
    const page = openPage(host);
    const answer = page.client.checkUsername("ben");
    resolve(client);
    expect(await answer).toBe("taken");
    expect(await page.client.checkUsername("ada")).toBe("available");
    expect(page.status()).toEqual({ kind: "ready" });
  });

  it("carries failures as they are", async () => {
    const { client } = fakeClient();
    const page = openPage(createHost({ openClient: async () => client, withProfileLock: unlocked, ...others }));
    await expect(page.client.resolve("nobody")).rejects.toMatchObject({
      failure: { code: "unknown_user", message: "no such account", canRetry: false },
    });
  });

  it("opens nothing, and takes no lock, where this worker cannot keep keys: every page that comes is told so", async () => {
    const openClient = vi.fn(async () => fakeClient().client);
    const withProfileLock = vi.fn(unlocked);
    const host = createHost({ ...others, openClient, withProfileLock, canKeepKeys: async () => false });
    for (let page = 0; page < 2; page++) {
      const told: Response[] = [];
      host.addPort({ postMessage: (response) => told.push(response), addEventListener: () => undefined });
      await vi.waitFor(() => expect(told.at(-1)).toEqual({ kind: "unfit" }));
    }
    expect(openClient).not.toHaveBeenCalled();
    expect(withProfileLock).not.toHaveBeenCalled();
  });

  it("calls no method but those of the interface", async () => {
    const { client } = fakeClient();
    const host = createHost({ openClient: async () => client, withProfileLock: unlocked, ...others });
    const answers: Response[] = [];
    let send: (request: Request) => void = () => undefined;
    host.addPort({
      postMessage: (response) => answers.push(response),
      addEventListener: (_type, listener) => (send = (request) => listener(new MessageEvent("message", { data: request }))),
    });
    await vi.waitFor(() => expect(answers).toContainEqual({ kind: "status", status: { kind: "ready" } }));
    for (const method of ["close", "constructor", "toString", "__proto__"]) send({ kind: "call", id: 1, method, args: [] });
    await vi.waitFor(() => expect(answers.filter(({ kind }) => kind === "failure")).toHaveLength(4));
  });

  it("tells every page what happens", async () => {
    const { client, emit } = fakeClient();
    const host = createHost({ openClient: async () => client, withProfileLock: unlocked, ...others });
    const pages = [openPage(host), openPage(host)];
    const heard: ClientEvent[][] = [[], []];
    for (const [index, page] of pages.entries()) page.subscribe((event) => heard[index]?.push(event));
    await pages[0]?.client.checkUsername("ben");
    emit({ kind: "connection", connection: { kind: "online" } });
    const expected = [{ kind: "connection", connection: { kind: "online" } }];
    expect(heard).toEqual([expected, expected]);
  });

  it("ends when the last page went, and not before what that page asked for is done", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const client = { ...fakeClient().client, saveDraft: () => promise } as Client;
    const onAbandoned = vi.fn();
    const host = createHost({ ...others, openClient: async () => client, withProfileLock: unlocked, onAbandoned });
    const sends = Array.from({ length: 2 }, () => {
      let send: (request: Request) => void = () => undefined;
      const told: Response[] = [];
      host.addPort({
        postMessage: (response) => told.push(response),
        addEventListener: (_type, listener) => (send = (request) => listener(new MessageEvent("message", { data: request }))),
      });
      return { send, told };
    });
    const [first, last] = sends;
    await vi.waitFor(() => expect(last?.told).toContainEqual({ kind: "status", status: { kind: "ready" } }));
    first?.send({ kind: "bye" });
    last?.send({ kind: "call", id: 1, method: "saveDraft", args: ["c", "text"] });
    last?.send({ kind: "bye" });
    expect(onAbandoned).not.toHaveBeenCalled();
    resolve();
    await vi.waitFor(() => expect(onAbandoned).toHaveBeenCalled());
  });

  it("[O-5] ends when the last page was killed, which says no word", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbandoned = vi.fn();
    const whenGone = vi.fn(() => promise);
    const host = createHost({ ...others, openClient: async () => fakeClient().client, withProfileLock: unlocked, onAbandoned, whenGone });
    let send: (request: Request) => void = () => undefined;
    host.addPort({
      postMessage: () => undefined,
      addEventListener: (_type, listener) => (send = (request) => listener(new MessageEvent("message", { data: request }))),
    });
    send({ kind: "here", lock: "latchkey-page:1" });
    expect([whenGone.mock.calls, onAbandoned.mock.calls]).toEqual([[["latchkey-page:1"]], []]);
    resolve();
    await vi.waitFor(() => expect(onAbandoned).toHaveBeenCalledOnce());
  });

  it("passes on that the network is back", async () => {
    const { client, wake } = fakeClient();
    const page = openPage(createHost({ openClient: async () => client, withProfileLock: unlocked, ...others }));
    await page.client.checkUsername("ben");
    page.client.wake();
    await vi.waitFor(() => expect(wake).toHaveBeenCalledOnce());
  });

  it("says when another tab has the profile, and goes on when that is closed", async () => {
    const { client } = fakeClient();
    let free: () => void = () => undefined;
    const host = createHost({
      openClient: async () => client,
      withProfileLock: async ({ onWait }, hold) => {
        onWait();
        await new Promise<void>((resolve) => (free = resolve));
        await hold();
      },
      ...others,
    });
    const page = openPage(host);
    const seen: HostStatus["kind"][] = [];
    page.subscribeStatus((status) => seen.push(status.kind));
    await vi.waitFor(() => expect(page.status().kind).toBe("in_use"));
    // Whoever hears no more of it knows that it has ended.
    await vi.waitFor(() => expect(seen).toEqual(["in_use", "in_use"]), 2000);
    free();
    expect(await page.client.checkUsername("ben")).toBe("taken");
    expect(seen.slice(-2)).toEqual(["starting", "ready"]);
  });

  it("sends its pages to another worker of its build that has the profile, and ends", async () => {
    const onAbandoned = vi.fn();
    let found: () => void = () => undefined;
    const host = createHost({
      ...others,
      openClient: async () => fakeClient().client,
      withProfileLock: async ({ onSibling }) => {
        found = onSibling;
        await new Promise(() => undefined);
      },
      onAbandoned,
    });
    const told: Response["kind"][] = [];
    host.addPort({ postMessage: ({ kind }) => void told.push(kind), addEventListener: () => undefined });
    await vi.waitFor(() => expect(told).toEqual(["status"]));
    found();
    expect([told, onAbandoned.mock.calls.length]).toEqual([["status", "elsewhere"], 1]);
  });

  it("says why it cannot be opened, and tries again when asked", async () => {
    const { client } = fakeClient();
    let tries = 0;
    const host = createHost({
      openClient: async () => {
        tries += 1;
        if (tries === 1) throw Object.assign(new Error("no storage"), { code: "storage_denied", canRetry: true });
        return client;
      },
      withProfileLock: unlocked,
      ...others,
    });
    const page = openPage(host);
    await vi.waitFor(() => expect(page.status()).toMatchObject({ kind: "failed", failure: { code: "storage_denied" } }));
    page.reopen();
    expect(await page.client.checkUsername("ben")).toBe("taken");
  });

  it("lets go of the profile when the account is deleted, tells every page, and can be opened anew", async () => {
    let opened = 0;
    const close = vi.fn(async () => undefined);
    const host = createHost({
      openClient: async () => {
        opened += 1;
        return { ...fakeClient().client, deleteAccount: async () => undefined, close };
      },
      withProfileLock: unlocked,
      ...others,
    });
    const pages = [openPage(host), openPage(host)];
    await pages[0]?.client.deleteAccount();
    for (const page of pages)
      await vi.waitFor(() => expect(page.status()).toMatchObject({ kind: "failed", failure: { code: "account_deleted" } }));
    expect(close).toHaveBeenCalledOnce();
    pages[1]?.reopen();
    expect(await pages[0]?.client.checkUsername("ben")).toBe("taken");
    expect(opened).toBe(2);
  });

  it("opens the profile anew when it was erased, for every page, as one in which nobody was yet", async () => {
    let opened = 0;
    const close = vi.fn(async () => undefined);
    const host = createHost({
      openClient: async () => {
        opened += 1;
        return { ...fakeClient().client, erase: async () => undefined, close };
      },
      withProfileLock: unlocked,
      ...others,
    });
    const page = openPage(host);
    await page.client.checkUsername("ben");
    const seen: HostStatus["kind"][] = [];
    page.subscribeStatus((status) => seen.push(status.kind));
    await page.client.erase();
    await vi.waitFor(() => expect(seen).toEqual(["starting", "ready"]));
    expect([opened, close.mock.calls.length]).toEqual([2, 1]);
  });

  it("lets another build's worker go on: the pages are told first, and what they hand over then is still taken", async () => {
    let ask: () => void = () => undefined;
    let isFree = false;
    const saveDraft = vi.fn(async () => undefined);
    const host = createHost({
      openClient: async () => ({ ...fakeClient().client, saveDraft, close: async () => undefined }),
      withProfileLock: async (_waiting, hold) => {
        await hold();
        isFree = true;
      },
      ...others,
      onOtherBuild: (listener) => (ask = listener),
    });
    const page = openPage(host);
    await page.client.checkUsername("ben");
    page.subscribeStatus(({ kind }) => {
      if (kind === "replaced") void page.client.saveDraft("c", "kept");
    });
    ask();
    expect([page.status().kind, isFree]).toEqual(["replaced", false]);
    await vi.waitFor(() => expect(isFree).toBe(true));
    expect(saveDraft).toHaveBeenCalledWith("c", "kept");
    expect(page.status().kind).toBe("replaced");
  });

  it("erases a profile that opens never again when asked, and no other", async () => {
    let why: string | undefined = "storage_in_use";
    const eraseProfile = vi.fn(async () => {
      why = undefined;
    });
    const host = createHost({
      openClient: async () => {
        if (why !== undefined) throw Object.assign(new Error("no"), { code: why, canRetry: false });
        return fakeClient().client;
      },
      withProfileLock: unlocked,
      ...others,
      eraseProfile,
    });
    const page = openPage(host);
    await vi.waitFor(() => expect(page.status()).toMatchObject({ kind: "failed", failure: { code: "storage_in_use" } }));
    page.startOver();
    why = "profile_restored";
    page.reopen();
    await vi.waitFor(() => expect(page.status()).toMatchObject({ kind: "failed", failure: { code: "profile_restored" } }));
    expect(eraseProfile).not.toHaveBeenCalled();
    page.startOver();
    await vi.waitFor(() => expect(page.status()).toEqual({ kind: "ready" }));
    expect(eraseProfile).toHaveBeenCalledTimes(1);
  });
});
