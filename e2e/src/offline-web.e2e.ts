import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page, Worker } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  createAccount,
  conversationLink,
  messageBox,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, receiveText, registerPerson, sendAndWait } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";
import { readTree, search } from "./testing/search.ts";
import { copyWebBuild, markOf, whenKept } from "./testing/web-build.ts";
import type { WebBuild } from "./testing/web-build.ts";

/** Where pictures of the screens go; none are made without. */
const pictures = process.env["E2E_PICTURES"];
/** The one lock of a browser's profile. */
const lockName = "latchkey-worker:default";

let folder: TemporaryFolder;
let web: WebBuild;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let conversationId: string;

const startServer = (): Promise<ServerProcess> =>
  startServerProcess({
    data: folder.at("data"),
    args: ["--web-root", web.folder],
    ...(server === undefined ? {} : { port: server.port }),
  });
/** Ada's browser; what it is asked for may take longer than usual: everything starts anew here again and again. */
async function openAda(): Promise<void> {
  ada = await openBrowser({ folder: folder.at("ada") });
  ada.context.setDefaultTimeout(60_000);
  ({ page } = ada);
}
const conversationUrl = (): string => `${server.url}/c/${conversationId}`;
const offlineLine = (tab: Page): Locator => tab.locator(".connection-line", { hasText: "Offline" });

async function look(tab: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(viewports)) {
    await tab.setViewportSize(viewport);
    if (pictures !== undefined) await tab.screenshot({ path: join(pictures, `${name}-${size}.png`) });
  }
  await tab.setViewportSize(viewports.desktop);
  expect(await accessibilityProblems(tab)).toEqual([]);
}

beforeAll(async () => {
  folder = createFolder();
  web = copyWebBuild(folder.at("web"));
  server = await startServer();
  await openAda();
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Benedetta" });
  await createAccount(page, { url: server.url, username: "ada" });
  await startConversation(page, { to: ["ben"] });
  await sendMessage(page, "Hello from the harbour");
  await seeTaken(page, "Hello from the harbour");
  conversationId = (await joinedConversation(ben.client, "ada")).id;
  await receiveText(ben.client, conversationId, "Hello from the harbour");
  for (let count = 0; count < 60; count++) await ben.client.send(conversationId, `Boat number ${String(count)}`);
  await sendAndWait(ben.client, conversationId, "The last boat is in");
  await seeMessage(page, "The last boat is in");
  // What is not read yet, a page that is loaded anew begins at the first of.
  await page.waitForFunction(() => !document.title.startsWith("("));
  await whenKept(page);
}, 240_000);

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** What a test that failed left, such as a server that is gone or a worker that hangs, is not the next one's. */
afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  server = await startServer();
  await openAda();
  await page.goto(conversationUrl());
}, 120_000);

describe("without a network", () => {
  test("[O-1] the page that is loaded again stands where it was with all that was said, says so, finds, and what is written waits and goes", async () => {
    // The browser's own switch does not reach workers that tabs share.
    await ada.context.setOffline(true);
    await server.kill();
    await page.reload();
    await seeMessage(page, "The last boat is in");
    await offlineLine(page).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.insertText("harbour");
    await page.locator(".found li").first().waitFor();
    await page.keyboard.press("Escape");
    await messageBox(page).fill("Written at sea");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await seeMessage(page, "Written at sea");
    await page.locator(".connection-line", { hasText: "1 message waits" }).waitFor();
    await look(page, "offline");
    // It still waits after another start.
    await page.goto(`${server.url}/`);
    await conversationLink(page, "Benedetta").click();
    await seeMessage(page, "Written at sea");
    await page.goto(`${server.url}/settings/storage`);
    await page.getByRole("heading", { level: 1 }).first().waitFor();
    await page.goto(conversationUrl());
    await seeMessage(page, "Written at sea");
    server = await startServer();
    await ada.context.setOffline(false);
    ben.client.wake();
    await receiveText(ben.client, conversationId, "Written at sea");
    await seeTaken(page, "Written at sea");
    await offlineLine(page).waitFor({ state: "detached" });
    expect(await messagesWith(page, "Written at sea").count()).toBe(1);
  }, 240_000);

  test("[O-1] a browser that is started again while the server is gone opens two tabs with it all; they go on when it is back", async () => {
    await ada[Symbol.asyncDispose]();
    await server.kill();
    await openAda();
    const second = await ada.context.newPage();
    await Promise.all([page.goto(conversationUrl()), second.goto(conversationUrl())]);
    for (const tab of [page, second]) {
      await seeMessage(tab, "The last boat is in");
      await offlineLine(tab).waitFor();
    }
    await sendMessage(second, "While nobody listened");
    await seeMessage(page, "While nobody listened");
    server = await startServer();
    // As a browser says when it finds a network again.
    await page.evaluate(() => dispatchEvent(new Event("online")));
    ben.client.wake();
    await seeTaken(page, "While nobody listened");
    await receiveText(ben.client, conversationId, "While nobody listened");
    expect(await messagesWith(page, "While nobody listened").count()).toBe(1);
    await second.close();
  }, 240_000);

  test("[O-7] the app that was installed begins where the person was, and its icon says how much waits", async () => {
    await page.goto(`${server.url}/?app`);
    await seeMessage(page, "The last boat is in");
    expect(new URL(page.url()).pathname).toBe(`/c/${conversationId}`);
    await page.addInitScript(() => {
      Object.assign(navigator, { setAppBadge: async (count: number) => void Object.assign(globalThis, { badge: count }) });
    });
    await page.goto(`${server.url}/settings/about`);
    await sendAndWait(ben.client, conversationId, "Unread one");
    await expect.poll(() => page.evaluate(() => Reflect.get(globalThis, "badge")), { timeout: 20_000 }).toBe(1);
    await page.goto(conversationUrl());
    await seeMessage(page, "Unread one");
    await page.bringToFront();
    await messageBox(page).focus();
    await expect.poll(() => page.evaluate(() => Reflect.get(globalThis, "badge")), { timeout: 20_000 }).toBe(0);
  }, 120_000);
});

describe("what is kept", () => {
  test("[O-2] is exactly the files of the build, byte by byte, and nothing of the person or of the server's own pages", async () => {
    const kept = await page.evaluate(async () => {
      const found: [string, string][] = [];
      for (const name of await caches.keys()) {
        // Words of notices, which are the build's: looked at below.
        if (name === "latchkey-notices") continue;
        const cache = await caches.open(name);
        for (const { url } of await cache.keys()) {
          const response = await cache.match(url);
          const bytes = new Uint8Array((await response?.arrayBuffer()) ?? new ArrayBuffer());
          found.push([new URL(url).pathname, bytes.toBase64()]);
        }
      }
      return found;
    });
    expect(kept.length).toBeGreaterThan(100);
    for (const [path, bytes] of kept) {
      expect(Buffer.from(bytes, "base64").equals(readFileSync(join(web.folder, path === "/" ? "index.html" : path))), path).toBe(true);
      expect(path).not.toMatch(/^\/(?:v1|media|desk|transparency|start-desk|start-counts)/);
    }
    // In German nobody reads here.
    expect(kept.filter(([path]) => path.includes("/words-")).map(([path]) => path.slice(0, 17))).toEqual(["/assets/words-en-"]);
  });

  test("[O-2] nothing of what was said, or of who, lies in the browser's caches or beside its worker", async () => {
    const files = readTree(folder.at("ada", "Default", "Service Worker"));
    expect(files.size).toBeGreaterThan(100);
    const needles = ["harbour", "The last boat", "Written at sea", "Benedetta", conversationId];
    expect(search(files, new Map(needles.map((needle) => [needle, Buffer.from(needle)])))).toEqual([]);
    // The search finds what is there.
    expect(search(files, new Map([["the app", Buffer.from("latchkey")]])).length).toBeGreaterThan(0);
  });

  test("[O-2] a build of which one file is another than its list says is not taken: the one that is here goes on", async () => {
    web.become("X", { isFalse: true });
    await page.evaluate(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      await registration?.update().catch(() => undefined);
    });
    const isOver = (): Promise<boolean> =>
      page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.installing === null);
    await expect.poll(isOver, { timeout: 30_000 }).toBe(true);
    expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.waiting ?? null)).toBeNull();
    await page.reload();
    await seeMessage(page, "The last boat is in");
    expect(await markOf(page)).toBe("t");
    // What was fetched of it is no page.
    expect(await page.evaluate(async () => (await (await caches.match("/"))?.text())?.includes("theme.js"))).toBe(true);
    // Whoever comes next is served the true list again.
    web.become("t");
  }, 120_000);

  test("[O-2] the server's own pages are the server's: they open from it, and not without it", async () => {
    const tab = await ada.context.newPage();
    await tab.goto(`${server.url}/transparency`);
    await tab.getByRole("heading", { level: 1 }).waitFor();
    await ada.context.setOffline(true);
    expect(await tab.goto(`${server.url}/transparency`).catch(() => "refused")).toBe("refused");
    await ada.context.setOffline(false);
    await tab.close();
  });
});

describe("a newer build", () => {
  test("[O-4] a tab whose profile a newer build has written says so, and its button brings the newer build; nothing was changed", async () => {
    await using cyd = await openBrowser({ folder: folder.at("cyd") });
    const tab = cyd.page;
    await createAccount(tab, { url: server.url, username: "cyd" });
    await whenKept(tab);
    const other = await cyd.context.newPage();
    await other.goto(`${server.url}/healthz`);
    await tab.goto("about:blank");
    const count = (): Promise<number> =>
      other.evaluate(async () => {
        const database = await new Promise<IDBDatabase>((resolve, reject) => {
          const opening = indexedDB.open("latchkey/default", 99);
          opening.addEventListener("success", () => resolve(opening.result));
          opening.addEventListener("error", () => reject(opening.error ?? new Error("not opened")));
        });
        const counting = database.transaction("records").objectStore("records").count();
        const found = await new Promise<number>((resolve) => counting.addEventListener("success", () => resolve(counting.result)));
        database.close();
        return found;
      });
    const before = await count();
    await tab.goto(`${server.url}/`);
    await tab.getByRole("heading", { name: "A newer Latchkey has used this browser" }).waitFor();
    await look(tab, "older-tab");
    web.become("3");
    await tab.getByRole("button", { name: "Reload" }).click();
    await expect.poll(() => markOf(tab).catch(() => undefined), { timeout: 60_000 }).toBe("3");
    expect(await count()).toBe(before);
  }, 240_000);
});

describe("[O-5] the one lock", () => {
  /** A page of the server's own, beside the app: it has nothing to do with the profile, and wakes the service worker. */
  let beside: Page;
  beforeEach(async () => {
    beside = await ada.context.newPage();
    await beside.goto(`${server.url}/healthz`);
  });
  afterEach(async () => await beside.close());

  /** A worker that was ended answers nothing, ever, and may be listed for as long as the browser runs. */
  const silent = (): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, 10_000, undefined));
  /**
   * The one that answers pages; another may be on its way with a newer build. Where it was ended while no page of the app is open nothing else begins it
   * again, so a page is loaded for that.
   */
  const serviceWorker = async (): Promise<Worker> => {
    await beside.reload();
    const asked = ada.context.serviceWorkers().map(async (worker) => {
      const state = await worker.evaluate(() => (Reflect.get(globalThis, "serviceWorker") as ServiceWorker).state);
      if (state !== "activated") throw new Error(`it is ${state}`);
      return worker;
    });
    const worker = await Promise.race([Promise.any(asked), silent()]);
    if (worker === undefined) throw new Error("no service worker answers");
    return worker;
  };
  /** Whether the service worker would be given the profile now; nothing, if it does not say. */
  const workerMayHave = async (): Promise<boolean | undefined> => {
    const worker = await serviceWorker();
    const asked = worker.evaluate(
      async (name) => await navigator.locks.request(name, { ifAvailable: true }, async (lock) => lock !== null),
      lockName,
    );
    return await Promise.race([asked, silent()]);
  };
  /** Leaves the app, until nobody has the profile any more; returns the service worker. */
  const leave = async (): Promise<Worker> => {
    await page.goto("about:blank");
    await expect.poll(workerMayHave, { timeout: 60_000 }).toBe(true);
    return await serviceWorker();
  };
  const open = async (tab: Page): Promise<void> => {
    await tab.goto(conversationUrl());
    await seeMessage(tab, "The last boat is in");
  };

  test("of two tabs that are opened together one worker has the profile, and the service worker none while it does", async () => {
    await page.goto("about:blank");
    const second = await ada.context.newPage();
    await Promise.all([open(page), open(second)]);
    expect(await workerMayHave()).toBe(false);
    const held = await page.evaluate(
      async (name) => (await navigator.locks.query()).held?.filter((lock) => lock.name === name).length,
      lockName,
    );
    expect(held).toBe(1);
    await sendMessage(second, "From the second tab");
    await seeTaken(page, "From the second tab");
    await second.close();
    expect(await workerMayHave()).toBe(false);
  }, 120_000);

  test("the service worker has it, as when it catches up: a tab that opens waits, says so after a while, and goes on when it lets go; one that died holds nothing", async () => {
    const worker = await leave();
    await worker.evaluate((name) => {
      const heard: unknown[] = [];
      new BroadcastChannel("latchkey-builds:default").addEventListener("message", ({ data }) => heard.push(data));
      const { promise, resolve } = Promise.withResolvers<void>();
      Object.assign(globalThis, { heard, letGo: resolve });
      void navigator.locks.request(name, async () => await promise);
    }, lockName);
    await page.goto(conversationUrl());
    await page.getByRole("heading", { name: "Latchkey is open in another tab" }).waitFor();
    await look(page, "in-use");
    const heard = await worker.evaluate(() => Reflect.get(globalThis, "heard") as { waitedMs: number }[]);
    expect(heard[0]?.waitedMs).toBe(0);
    await worker.evaluate(() => Reflect.apply(Reflect.get(globalThis, "letGo"), undefined, []));
    await seeMessage(page, "The last boat is in");
    // Again, and this time it is ended by the browser.
    const again = await leave();
    await again.evaluate((name) => void navigator.locks.request(name, async () => await new Promise(() => undefined)), lockName);
    await page.goto(conversationUrl());
    // It waits, and nothing of its own is on the way by that worker.
    await page.getByRole("heading", { name: "Latchkey is open in another tab" }).waitFor();
    const session = await ada.context.newCDPSession(page);
    await session.send("ServiceWorker.enable");
    await session.send("ServiceWorker.stopAllWorkers");
    await seeMessage(page, "The last boat is in");
  }, 300_000);

  test("a worker whose script never comes, as when the service worker ends just then, is passed over: the tab opens by itself, and the next by the same one", async () => {
    const worker = await leave();
    const asked = await worker.evaluateHandle(() => {
      const found: string[] = [];
      // What the cache is asked for may also be a look whether all of the build is kept, as a while after a page opened.
      const event = Reflect.get(globalThis, "FetchEvent") as { prototype: { respondWith(answer: Promise<Response>): void } };
      const { respondWith } = event.prototype;
      event.prototype.respondWith = function (answer) {
        const { url } = Reflect.get(this, "request") as Request;
        const isFirst = url.includes("client-worker") && found.push(url) === 1;
        respondWith.call(this, isFirst ? new Promise(() => undefined) : answer);
      };
      return found;
    });
    await open(page);
    expect(await asked.evaluate((found) => found.length)).toBe(2);
    const second = await ada.context.newPage();
    await open(second);
    await sendMessage(second, "Past the one that hangs");
    await seeTaken(page, "Past the one that hangs");
    expect(await asked.evaluate((found) => found.length)).toBe(2);
    await second.close();
    await leave();
    await open(page);
  }, 300_000);

  test("a worker whose script comes late, when another one has the profile already, ends: the next tab joins the one that has it", async () => {
    const worker = await leave();
    await worker.evaluate(() => {
      const late = Promise.withResolvers<void>();
      const event = Reflect.get(globalThis, "FetchEvent") as { prototype: { respondWith(answer: Promise<Response>): void } };
      const { respondWith } = event.prototype;
      let isFirst = true;
      event.prototype.respondWith = function (answer) {
        const isLate = isFirst && (Reflect.get(this, "request") as Request).url.includes("client-worker");
        if (isLate) isFirst = false;
        respondWith.call(this, isLate ? late.promise.then(() => answer) : answer);
      };
      Object.assign(globalThis, { comeNow: late.resolve });
    });
    await open(page);
    const workers = async (): Promise<number> =>
      await worker.evaluate(async () => {
        const clients = Reflect.get(globalThis, "clients") as { matchAll(options: object): Promise<readonly unknown[]> };
        return (await clients.matchAll({ type: "sharedworker", includeUncontrolled: true })).length;
      });
    expect(await workers()).toBe(1);
    // It is there for half a second: seen from within, however slow it is to be asked from here.
    await worker.evaluate(async () => {
      const clients = Reflect.get(globalThis, "clients") as { matchAll(options: object): Promise<readonly unknown[]> };
      Reflect.apply(Reflect.get(globalThis, "comeNow"), undefined, []);
      while ((await clients.matchAll({ type: "sharedworker", includeUncontrolled: true })).length !== 2)
        await new Promise((resolve) => setTimeout(resolve, 10));
    });
    await expect.poll(workers).toBe(1);
    const second = await ada.context.newPage();
    await open(second);
    await sendMessage(second, "By the same worker");
    await seeTaken(page, "By the same worker");
    await second.close();
  }, 300_000);

  test("a tab is killed while it has it: the next one goes on at once with nothing lost", async () => {
    await open(page);
    await sendMessage(page, "Before the crash");
    await page.goto("chrome://crash").catch(() => undefined);
    await page.close();
    page = await ada.context.newPage();
    await open(page);
    await seeTaken(page, "Before the crash");
    await receiveText(ben.client, conversationId, "Before the crash");
    expect(await messagesWith(page, "Before the crash").count()).toBe(1);
    // Whatever else the browser had in that process.
    await ada[Symbol.asyncDispose]();
    await openAda();
  }, 120_000);
});

describe("[O-6] what another app shares", () => {
  beforeAll(async () => {
    await page.goto(conversationUrl());
    await seeMessage(page, "The last boat is in");
  });

  const share = async (text: string, withFile: boolean): Promise<void> => {
    await page.goto("about:blank");
    await page.setContent(
      `<form method="post" action="${server.url}/share" enctype="multipart/form-data">` +
        '<input name="title"><input name="text"><input name="url"><input type="file" name="files" multiple><button>Go</button></form>',
    );
    await page.locator("[name=text]").fill(text);
    if (withFile)
      await page.locator("[name=files]").setInputFiles([{ name: "tide.txt", mimeType: "text/plain", buffer: Buffer.from("low") }]);
    await page.getByRole("button", { name: "Go" }).click();
    await page.getByRole("heading", { name: "Send to" }).waitFor();
  };

  test("is shown with the conversations it can go to, stands then where the person writes, and is sent by them alone", async () => {
    await share("https://example.org/tides", true);
    await page.getByRole("region", { name: "What was shared" }).getByText("1 file").waitFor();
    await look(page, "share");
    await page.getByRole("button", { name: "Benedetta", exact: true }).click();
    await expect.poll(() => messageBox(page).inputValue()).toBe("https://example.org/tides");
    await page
      .getByRole("region", { name: "Files to send", exact: true })
      .getByRole("button", { name: /^tide\.txt, / })
      .waitFor();
    // A newer build may wait meanwhile.
    const names = await page.evaluate(async () => await caches.keys());
    expect(names.filter((name) => !name.startsWith("latchkey-app-") && name !== "latchkey-notices")).toEqual([]);
    expect(await messagesWith(page, "example.org/tides").count()).toBe(0);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await receiveText(ben.client, conversationId, "https://example.org/tides");
  }, 120_000);

  test("is kept nowhere when the person cancels, and is given out once: whoever comes again is told", async () => {
    await share("a secret of another app", false);
    const address = page.url();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.goto(address);
    await page.getByText("not here any more").waitFor();
    await look(page, "share-gone");
    await page.goto(conversationUrl());
    await seeMessage(page, "The last boat is in");
    expect(await messageBox(page).inputValue()).toBe("");
    const profile = readTree(folder.at("ada", "Default", "Service Worker"));
    expect(search(profile, new Map([["it", Buffer.from("a secret of another app")]]))).toEqual([]);
    // Neither did the server hear of it.
    expect(server.output()).not.toContain("/share");
  }, 120_000);
});

describe("[O-7] the installed app", () => {
  test("has a manifest that the browser takes, and an entry in the settings where the browser offers it", async () => {
    await page.addInitScript(() => {
      // The browser's own may come at any moment, and would take the place of this one.
      addEventListener("beforeinstallprompt", (event) => event.isTrusted && event.stopImmediatePropagation(), { capture: true });
      // Again and again: a newer build that begins just now loads the page again. What was asked outlives that.
      setInterval(() => {
        if (localStorage.getItem("test-asked") !== null) return;
        const prompt = async (): Promise<void> => localStorage.setItem("test-asked", "yes");
        dispatchEvent(Object.assign(new Event("beforeinstallprompt"), { prompt }));
      }, 200);
    });
    await page.goto(`${server.url}/settings/about`);
    const session = await ada.context.newCDPSession(page);
    const { errors, data } = await session.send("Page.getAppManifest");
    expect(errors).toEqual([]);
    expect(JSON.parse(data ?? "{}")).toMatchObject({
      display: "standalone",
      shortcuts: [{ url: "/new" }],
      share_target: { action: "/share" },
    });
    expect(
      (await session.send("Page.getInstallabilityErrors")).installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"),
    ).toEqual([]);
    await page.getByRole("heading", { name: "App on this device" }).waitFor();
    await look(page, "install");
    await page.getByRole("button", { name: "Install", exact: true }).click();
    await expect.poll(() => page.evaluate(() => localStorage.getItem("test-asked")).catch(() => undefined)).toBe("yes");
    await page.getByRole("heading", { name: "App on this device" }).waitFor({ state: "detached" });
  }, 120_000);
});

test("[O-1] who logs out leaves neither the worker nor what it kept; nothing broke a rule of the page on the way", async () => {
  await page.goto(`${server.url}/settings/account`);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Erase" }).click();
  await page.getByRole("button", { name: "Create account" }).waitFor();
  const left = (): Promise<number[]> =>
    page.evaluate(async () => [(await navigator.serviceWorker.getRegistrations()).length, (await caches.keys()).length]);
  await expect.poll(left, { timeout: 20_000 }).toEqual([0, 0]);
  expect(ada.violations).toEqual([]);
}, 120_000);
