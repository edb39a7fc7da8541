import { writeFileSync } from "node:fs";
import type { BrowserContext, Page, Worker } from "playwright-core";
import { startPushService } from "@latchkey/server/testing";
import type { TestPushService } from "@latchkey/server/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, messagesWith, seeMessage, sendMessage, seeTaken, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { look } from "./testing/look.ts";
import { joinedConversation, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { whenKept } from "./testing/web-build.ts";

interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
}

let folder: TemporaryFolder;
let push: TestPushService;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
/** A page that is none of the app's. */
let elsewhere: Page;
let ben: TestPerson;
let conversationId: string;

const endpoint = (): string => `https://${push.host}/of-ada`;

/** The browser under test reaches no push service: it subscribes to ours instead, which is all that a page sees of one. */
async function subscribeTo(context: BrowserContext, address: string): Promise<void> {
  await context.addInitScript((endpointOf) => {
    const key = "test.push-key";
    const made = (): unknown => {
      const stored = localStorage.getItem(key);
      if (stored === null) return null;
      const applicationServerKey = Uint8Array.from(stored.split(","), Number).buffer;
      const unsubscribe = async (): Promise<boolean> => {
        localStorage.removeItem(key);
        return true;
      };
      return { endpoint: endpointOf, options: { applicationServerKey }, unsubscribe };
    };
    Reflect.set(PushManager.prototype, "getSubscription", async () => made());
    Reflect.set(PushManager.prototype, "subscribe", async (options: { applicationServerKey: Uint8Array }) => {
      localStorage.setItem(key, [...options.applicationServerKey].join(","));
      return made();
    });
  }, address);
}

const appWorker = (): Worker | undefined => ada.context.serviceWorkers().find((one) => one.url().endsWith("/sw.js"));

/** What the system shows, as the app's service worker sees it; `undefined` while it does not run. */
async function shown(): Promise<readonly Shown[] | undefined> {
  return await appWorker()
    ?.evaluate(async () => {
      const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
      return (await registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }));
    })
    .catch(() => undefined);
}

const within = { timeout: 60_000, interval: 100 };

/** Has the browser's push service wake the app's worker, with nothing in it, as a real one does. */
async function deliverPush(): Promise<void> {
  const session = await ada.context.newCDPSession(elsewhere);
  const found = Promise.withResolvers<string>();
  session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    const own = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${server.url}/` && !isDeleted);
    if (own !== undefined) found.resolve(own.registrationId);
  });
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.deliverPushMessage", { origin: server.url, registrationId: await found.promise, data: "" });
  await session.detach();
}

/** Ends the app's worker, as a browser does with one that is idle, whatever it does just then. */
async function stopWorkers(): Promise<void> {
  const session = await ada.context.newCDPSession(elsewhere);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await session.detach();
}

/** Nobody looks at the app's page: the automation says otherwise of every page. */
async function lookAway(): Promise<void> {
  await page.evaluate(() => {
    Reflect.set(document, "hasFocus", () => false);
    // It hears of that as of any other: else it takes what comes as read.
    dispatchEvent(new Event("blur"));
  });
  await appWorker()?.evaluate(() => {
    const pages: unknown = Reflect.get(globalThis, "WindowClient");
    if (typeof pages === "function") Object.defineProperty(pages.prototype, "focused", { get: () => false });
  });
  await elsewhere.bringToFront();
}

/** Whether nobody has the profile. */
async function isFree(): Promise<boolean> {
  // Another origin has other locks: the app's own worker is asked, and begins if it has ended.
  return (
    (await appWorker()
      ?.evaluate(async () => (await navigator.locks.query()).held?.every(({ name }) => name !== "latchkey-worker:default"))
      .catch(() => undefined)) ?? false
  );
}

/** No page of the app is open any more, and its worker has let go. */
async function closeApp(): Promise<void> {
  await elsewhere.bringToFront();
  await page.close();
  await expect.poll(isFree, within).toBe(true);
}

async function openApp(): Promise<void> {
  page = await ada.context.newPage();
  await page.goto(`${server.url}/c/${conversationId}`);
}

beforeAll(async () => {
  folder = createFolder();
  push = await startPushService();
  const ca = folder.at("push-ca.pem");
  writeFileSync(ca, push.ca);
  server = await startServerProcess({
    data: folder.at("data"),
    args: ["--push-services", push.host],
    environment: { NODE_EXTRA_CA_CERTS: ca },
  });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await ada.context.grantPermissions(["notifications"], { origin: server.url });
  await subscribeTo(ada.context, endpoint());
  elsewhere = await ada.context.newPage();
  await page.bringToFront();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Benedetta" });
  await createAccount(page, { url: server.url, username: "ada" });
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Hello from the harbour");
  await seeTaken(page, "Hello from the harbour");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
  await whenKept(page);
}, 240_000);

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await push.close();
  folder[Symbol.dispose]();
});

describe("notifications", () => {
  test("[O-21] the app asks after the first message that came, by one line, and the settings say what is on", async () => {
    const ask = page.getByRole("button", { name: "Turn on notifications" });
    expect(await ask.count()).toBe(0);
    await sendAndWait(ben.client, conversationId, "The ferry is late");
    await seeMessage(page, "The ferry is late");
    await ask.waitFor();
    await look(page, "notices-ask");
    await ask.click();
    await ask.waitFor({ state: "detached" });
    await page.goto(`${server.url}/settings/notifications`);
    await page.getByText("Also while Latchkey is closed").waitFor();
    await look(page, "notices-settings");
    await page.getByRole("combobox", { name: "What they say" }).selectOption("Who wrote, and what");
    await page.goto(`${server.url}/c/${conversationId}`);
    await seeMessage(page, "The ferry is late");
  }, 240_000);

  test("[O-20] while nobody looks, what comes is shown by the system, merged, and taken away when it was read", async () => {
    // A page that was opened just now has other things to do first.
    const first = async (): Promise<number | undefined> => {
      await lookAway();
      await sendAndWait(ben.client, conversationId, "It comes at nine");
      return (await shown())?.length;
    };
    await expect.poll(first, { timeout: 60_000, interval: 2000 }).toBe(1);
    await sendAndWait(ben.client, conversationId, "Or at ten");
    await expect.poll(shown, within).toEqual([{ title: "Benedetta", body: "Or at ten", tag: conversationId }]);
    // In the encryption, to her conversations alone, and empty: the server asked for nothing else.
    await expect
      .poll(() => push.requests.map(({ path, bytes }) => ({ path, bytes })), within)
      .toContainEqual({ path: "/of-ada", bytes: 0 });
    await page.evaluate(() => Reflect.deleteProperty(document, "hasFocus"));
    await page.bringToFront();
    await page.reload();
    await seeMessage(page, "Or at ten");
    await expect.poll(shown, within).toEqual([]);
  }, 240_000);

  test("[O-22] a push while the app is closed has the worker read what came and tell it as a page would; the page that opens then has it at once, without the server", async () => {
    await closeApp();
    const before = push.requests.length;
    const { order } = await sendAndWait(ben.client, conversationId, "The boat has left");
    await expect.poll(() => push.requests.length, { timeout: 90_000 }).toBeGreaterThan(before);
    await stopWorkers();
    const startMs = performance.now();
    await deliverPush();
    const isTold = async (): Promise<void> => {
      await expect
        .poll(shown, { ...within, interval: 20 })
        .toEqual([{ title: "Benedetta", body: "The boat has left", tag: conversationId }]);
    };
    // On a machine that is busy with other browsers the worker may have said only that something came: the next push has it look again.
    await isTold().catch(async () => {
      await deliverPush();
      await isTold();
    });
    process.stdout.write(`push to notification: ${(performance.now() - startMs).toFixed(0)} ms\n`);
    // It says so to whoever wrote, as any device that is on.
    const isDelivered = async (): Promise<boolean | undefined> =>
      (await ben.client.conversations())
        .find(({ id }) => id === conversationId)
        ?.receipts.some(({ deliveredThrough, readThrough }) => deliveredThrough >= order && readThrough < order);
    await expect.poll(isDelivered, within).toBe(true);
    // Nothing new: what is shown stays, and nothing is said beside it.
    await deliverPush();
    await expect.poll(isFree, within).toBe(true);
    expect(await shown()).toHaveLength(1);
    // From now on the server says nothing: the worker that is woken waits for it, with the profile open.
    process.kill(server.pid, "SIGSTOP");
    try {
      await deliverPush();
      await expect.poll(isFree, within).toBe(false);
      await openApp();
      await seeMessage(page, "The boat has left");
      expect(await messagesWith(page, "The boat has left").count()).toBe(1);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await expect.poll(shown, within).toEqual([]);
    await sendAndWait(ben.client, conversationId, "Is anybody there?");
    await seeMessage(page, "Is anybody there?");
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  }, 240_000);

  test("[O-22] a worker that is ended while it reads has lost nothing and doubled nothing", async () => {
    await closeApp();
    const texts = Array.from({ length: 12 }, (_, at) => `Crate ${String(at)} of 12`);
    for (const [at, text] of texts.entries()) {
      await sendAndWait(ben.client, conversationId, text);
      if (at % 4 !== 3) continue;
      await deliverPush();
      // Anywhere between its start and its end.
      for (let tries = 0; tries < 100 && (await isFree()); tries++) await elsewhere.waitForTimeout(5);
      await elsewhere.waitForTimeout(at * 10);
      await stopWorkers();
    }
    await openApp();
    for (const text of texts) {
      await seeMessage(page, text);
      expect(await messagesWith(page, text).count()).toBe(1);
    }
    await sendMessage(page, "All crates are here");
    await seeTaken(page, "All crates are here");
  }, 240_000);
});
