import { once } from "node:events";
import { cpSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openNodeClient } from "@latchkey/client/node";
import { socketPath } from "@latchkey/protocol";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, messageBox, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser, viewports } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, freePort, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const built = fileURLToPath(new URL("../../apps/web/dist", import.meta.url));

let folder: TemporaryFolder;
let webRoot: string;
let server: ServerProcess;
let ben: TestPerson;
const open = new Set<BrowserProfile>();

beforeAll(async () => {
  folder = createFolder();
  webRoot = folder.at("web");
  cpSync(built, webRoot, { recursive: true });
  server = await startServerProcess({ data: folder.at("data"), args: ["--web-root", webRoot] });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben", displayName: "Ben Okafor" });
});

afterAll(async () => {
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

afterEach(async () => {
  for (const browser of open) await browser[Symbol.asyncDispose]();
  open.clear();
});

async function browserOf(name: string): Promise<BrowserProfile> {
  const browser = await openBrowser({ folder: folder.at(name) });
  open.add(browser);
  return browser;
}

/** In the page: the keys that open what the profile has. */
function keysLeft(): Promise<number> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("latchkey-side/default");
    opening.addEventListener("error", () => reject(opening.error ?? new Error("open")));
    opening.addEventListener("success", () => {
      const counting = opening.result.transaction("keys").objectStore("keys").count();
      counting.addEventListener("success", () => {
        opening.result.close();
        resolve(counting.result);
      });
    });
  });
}

function welcome(page: Page): Promise<void> {
  return page.getByRole("button", { name: "Create account", exact: true }).waitFor();
}

/** The app's folder holds another build: the same, under other names, as far as a browser can tell. */
function putAnotherBuild(): void {
  const assets = join(webRoot, "assets");
  const names = readdirSync(assets).filter((name) => /\.(?:js|css)$/.test(name));
  const rename = (text: string): string => names.reduce((result, name) => result.replaceAll(name, `b-${name}`), text);
  for (const name of readdirSync(assets)) if (/\.(?:br|gz)$/.test(name)) rmSync(join(assets, name));
  for (const name of names) {
    writeFileSync(join(assets, name), rename(readFileSync(join(assets, name), "utf8")));
    renameSync(join(assets, name), join(assets, `b-${name}`));
  }
  for (const ending of [".br", ".gz"]) rmSync(join(webRoot, `index.html${ending}`), { force: true });
  writeFileSync(join(webRoot, "index.html"), rename(readFileSync(join(webRoot, "index.html"), "utf8")));
  utimesSync(join(webRoot, "index.html"), 1, 2);
}

/** A door in front of a server that keeps back what the server answers to the first device that told it more than a question. */
async function openDoor(params: { port: number; target: number }): Promise<AsyncDisposable & { readonly keepsBack: Promise<void> }> {
  const kept = Promise.withResolvers<void>();
  let keeps = false;
  const door = createServer((socket) => {
    const inner = connect(params.target, "127.0.0.1");
    let isDevice = false;
    let toldBytes = 0;
    socket.on("data", (data) => {
      isDevice ||= data.includes(` ${socketPath("device")} `);
      toldBytes += data.length;
      if (isDevice && toldBytes > 4096 && !keeps) {
        keeps = true;
        inner.unpipe(socket);
        inner.resume();
        kept.resolve();
      }
    });
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) {
      end.on("error", () => undefined);
      end.on("close", () => {
        socket.destroy();
        inner.destroy();
      });
    }
  });
  door.listen(params.port, "localhost");
  await once(door, "listening");
  return {
    keepsBack: kept.promise,
    async [Symbol.asyncDispose]() {
      door.close();
    },
  };
}

describe("a moment of trouble", () => {
  test("logging out erases this device, in every tab, and says before what that means", async () => {
    const { context, page, errors } = await browserOf("log-out");
    await createAccount(page, { url: server.url, username: "greta" });
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "To be erased");
    const other = await context.newPage();
    await other.goto(page.url());
    await seeMessage(other, "To be erased");
    await page.goto(`${server.url}/settings/devices`);
    await page.getByRole("button", { name: "Log out and erase this device" }).click();
    const dialog = page.getByRole("alertdialog");
    // The words are not on paper, and there is no other device: that is said as it is.
    await dialog.getByText("the account is lost for good").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Erase", exact: true }).click();
    for (const tab of [page, other]) await welcome(tab);
    expect(await page.getByText("This browser has cleared").count()).toBe(0);
    await page.reload();
    await createAccount(page, { url: server.url, username: "greta2" });
    expect(await page.getByText("To be erased").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("[O-12] a browser that is ended while it logs out, and the server says nothing, begins anew as one in which nobody was", async () => {
    const { page, [Symbol.asyncDispose]: close } = await browserOf("log-out-silent");
    await createAccount(page, { url: server.url, username: "gretel" });
    const laptop = await openNodeClient({ home: folder.at("gretel-2"), serverUrl: server.url });
    onTestFinished(() => laptop.close());
    const { words } = await laptop.offerLink({ deviceName: "Laptop" });
    await page.goto(`${server.url}/settings/devices`);
    await page.getByRole("button", { name: "Link a device", exact: true }).click();
    await page.getByRole("textbox", { name: "Words or code from the new device" }).fill(words.join(" "));
    await page.getByRole("button", { name: "Go on", exact: true }).click();
    await page.getByRole("textbox", { name: /Type “my device”/ }).fill("my device");
    await page.getByRole("button", { name: "Yes, add this device" }).click();
    await laptop.confirmLink(true);
    await page.getByRole("heading", { name: "The device is linked" }).waitFor();
    await page.goto(`${server.url}/settings/account`);
    await page.getByRole("button", { name: "Log out and erase this device" }).click();
    const dialog = page.getByRole("alertdialog");
    await dialog.getByText("your other devices, go on as before").waitFor();
    process.kill(server.pid, "SIGSTOP");
    try {
      await dialog.getByRole("button", { name: "Erase", exact: true }).click();
      await dialog.getByRole("button", { name: "Erasing…" }).waitFor();
      await expect.poll(() => page.evaluate(keysLeft)).toBe(0);
      await close();
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    const again = await browserOf("log-out-silent");
    await again.page.goto(server.url);
    await welcome(again.page);
    expect(await again.page.getByText("This browser has cleared").count()).toBe(0);
    expect(again.errors).toEqual([]);
  });

  test("what was cleared by the browser: linking and the 24 words stand first", async () => {
    const { context, page } = await browserOf("cleared");
    await createAccount(page, { url: server.url, username: "hedda" });
    await expect.poll(() => page.evaluate(() => localStorage.getItem("latchkey.has-account"))).toBe("1");
    await page.goto("about:blank");
    const session = await context.newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", { origin: server.url, storageTypes: "indexeddb" });
    await page.goto(server.url);
    await page.getByText("This browser has cleared Latchkey’s data").waitFor();
    const place = async (name: string): Promise<number> => (await page.getByRole("button", { name, exact: true }).boundingBox())?.y ?? -1;
    const places = [await place("I have an account: link this device"), await place("Recover"), await place("Create account")];
    expect(places.every((y) => y >= 0)).toBe(true);
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setViewportSize(viewports.phone);
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  test("an account that was being made when the page was closed is made, and that is said", async () => {
    const { page, errors } = await browserOf("interrupted");
    const [port, target] = [await freePort(), await freePort()];
    const host = `localhost:${String(port)}`;
    await using _inner = await startServerProcess({
      data: folder.at("inner"),
      port: target,
      args: ["--host", host, "--web-root", webRoot],
    });
    await using door = await openDoor({ port, target });
    await page.goto(`http://${host}`);
    await page.getByRole("textbox", { name: "Username", exact: true }).fill("ilse");
    await page.getByRole("textbox", { name: "Your name (optional)" }).fill("Ilse Bach");
    await page.getByRole("button", { name: "Create account", exact: true }).click();
    await door.keepsBack;
    await page.reload();
    await page.getByText(/The account .?ilse.? was being made when this page was closed/u).waitFor();
    await page.getByRole("button", { name: "New conversation", exact: true }).first().waitFor();
    await page.goto(`http://${host}/settings`);
    await page.getByText("Ilse Bach").first().waitFor();
    await page.reload();
    await page.getByText("Ilse Bach").first().waitFor();
    expect(await page.getByText("was being made").count()).toBe(0);
    expect(errors).toEqual([]);
  });

  test("a part that could not be fetched comes by itself once the network is back", async () => {
    const { context, page } = await browserOf("part");
    await createAccount(page, { url: server.url, username: "jutta" });
    await context.setOffline(true);
    await page.getByRole("button", { name: "Settings", exact: true }).click();
    // The list of the settings, and the part that is open beside it.
    await page.getByText("This part of Latchkey could not be fetched").first().waitFor();
    await context.setOffline(false);
    await page.getByRole("heading", { name: "Settings", exact: true }).waitFor();
    await page.getByRole("heading", { name: "Profile", exact: true }).waitFor();
    expect(await page.getByText("This part of Latchkey could not be fetched").count()).toBe(0);
  });

  test("a worker that could not be fetched whole is begun anew by the next page, whatever other tabs are open", async () => {
    const { context, page } = await browserOf("worker");
    const hosts = readdirSync(join(webRoot, "assets")).filter((name) => name.startsWith("client-host-"));
    expect(hosts.length).toBeGreaterThan(0);
    const move = (from: (name: string) => string, to: (name: string) => string, atS: number): void => {
      for (const name of hosts) renameSync(from(name), to(name));
      utimesSync(join(webRoot, "index.html"), 1, atS);
    };
    const inPlace = (name: string): string => join(webRoot, "assets", name);
    const away = (name: string): string => folder.at(name);
    move(inPlace, away, 11);
    const other = await context.newPage();
    for (const tab of [page, other]) {
      await tab.goto(server.url);
      await tab.getByRole("button", { name: "Try again", exact: true }).waitFor();
    }
    move(away, inPlace, 12);
    await page.getByRole("button", { name: "Try again", exact: true }).click();
    await welcome(page);
    await other.getByRole("button", { name: "Try again", exact: true }).click();
    await welcome(other);
  });

  test("a tab of an older build makes way for one of a newer, and loses nothing that was being written", async () => {
    const { context, page } = await browserOf("builds");
    await createAccount(page, { url: server.url, username: "karin" });
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "By the older one");
    await messageBox(page).fill("Not sent yet");
    putAnotherBuild();
    const newer = await context.newPage();
    await newer.goto(page.url());
    await seeMessage(newer, "By the older one");
    // The older tab has loaded itself again, and both are of one build.
    await expect
      .poll(() => page.evaluate(() => document.querySelector("script[type=module]")?.getAttribute("src") ?? ""))
      .toContain("/b-index-");
    await seeMessage(page, "By the older one");
    expect(await messageBox(page).inputValue()).toBe("Not sent yet");
    await sendMessage(newer, "By the newer one");
    await seeMessage(page, "By the newer one");
  });

  test("a conversation with one person that was left is in the archive, not among those one writes in", async () => {
    const { page } = await browserOf("left");
    await createAccount(page, { url: server.url, username: "lotte" });
    await startConversation(page, { to: ["ben"] });
    await sendMessage(page, "The last word");
    await page.getByRole("button", { name: "Conversation details", exact: true }).click();
    await page.getByRole("button", { name: "Leave conversation" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Leave", exact: true }).click();
    await page.getByRole("button", { name: "Archived (1)" }).click();
    await expect.poll(() => page.getByRole("list", { name: "Conversations", exact: true }).getByRole("link").count()).toBe(1);
    await page.getByRole("list", { name: "Conversations", exact: true }).getByRole("link").click();
    await seeMessage(page, "The last word");
    expect(await messageBox(page).count()).toBe(0);
  });

  test("an old copy of a profile says so, and can be erased to begin anew", async () => {
    const { page } = await browserOf("old-copy");
    await createAccount(page, { url: server.url, username: "mona" });
    // A page of this origin without the app: nobody has the profile open.
    await page.goto(`${server.url}/v1/info`);
    await expect
      .poll(() =>
        page.evaluate(async () => (await navigator.locks.query()).held?.filter(({ name }) => name?.startsWith("latchkey")).length),
      )
      .toBe(0);
    await page.evaluate(async () => {
      const opening = indexedDB.open("latchkey-side/default");
      await new Promise((resolve) => (opening.onsuccess = resolve));
      const transaction = opening.result.transaction("numbers", "readwrite");
      transaction.objectStore("numbers").put(1_000_000, "generation");
      await new Promise((resolve) => (transaction.oncomplete = resolve));
      opening.result.close();
    });
    await page.goto(server.url);
    await page.getByRole("heading", { name: "This is an old copy of your data" }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.getByRole("button", { name: "Erase and start again" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Erase", exact: true }).click();
    await welcome(page);
    expect(await page.getByText("This browser has cleared").count()).toBe(0);
  });

  test("over plain http it is said that the address is not protected, not that another tab is open", async () => {
    const { page } = await browserOf("insecure");
    // An address of this machine that counts as a stranger's.
    await page.goto(`http://0.0.0.0:${String(server.port)}/`);
    await page.getByRole("heading", { name: "This address is not protected" }).waitFor();
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    expect(await page.getByRole("link", { name: "Try https" }).getAttribute("href")).toBe("https://0.0.0.0");
    expect(await accessibilityProblems(page)).toEqual([]);
  });
});
