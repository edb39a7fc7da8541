import { afterAll, beforeAll, expect, test } from "vitest";
import { acceptRequest, createAccount, messageList, seeMessage, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let ben: BrowserProfile;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  [ada, ben] = [
    await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } }),
    await openBrowser({ folder: folder.at("ben"), viewport: { width: 390, height: 844 } }),
  ];
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await createAccount(ben.page, { url: server.url, username: "ben" });
});

afterAll(async () => {
  for (const browser of [ada, ben]) await browser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

test("[N-1] who types is seen typing by the other person, until the message is there, or nothing is written any more", async () => {
  await startConversation(ada.page, { to: ["ben"] });
  await sendMessage(ada.page, "Are you there?");
  await acceptRequest(ben.page, "ada");
  await seeMessage(ben.page, "Are you there?");

  await ben.page.locator("#composer").pressSequentially("I am wri");
  const line = ada.page.locator("main .typing-line");
  await expect.poll(() => line.innerText()).toBe("ben is typing…");
  // In the list too, where the last words stand otherwise.
  await ada.page.locator(".list-typing").filter({ hasText: "typing…" }).waitFor();
  await sendMessage(ben.page, "I am writing");
  await seeMessage(ada.page, "I am writing");
  await expect.poll(() => line.innerText()).toBe("");
  expect(await messageList(ada.page).getByText("typing…").count()).toBe(0);

  await ada.page.locator("#composer").pressSequentially("Well");
  const there = ben.page.locator("main .typing-line");
  await expect.poll(() => there.innerText()).toBe("ada is typing…");
  await ada.page.locator("#composer").fill("");
  await expect.poll(() => there.innerText()).toBe("");
});

test("[N-1] after a reload too, in a conversation that was not looked at since", async () => {
  await ada.page.goto(server.url);
  await ada.page.reload();
  await ada.page.getByRole("link", { name: "ben" }).first().waitFor();
  await expect.poll(() => ada.page.locator(".list-typing").count()).toBe(0);
  // What is said while nobody listens is said to nobody: it is said again while it goes on.
  await expect
    .poll(
      async () => {
        await ben.page.locator("#composer").pressSequentially("x");
        return await ada.page.locator(".list-typing").count();
      },
      { interval: 700 },
    )
    .toBe(1);
  await ben.page.locator("#composer").fill("");
  await ada.page.locator(".list-typing").waitFor({ state: "detached" });
  await ada.page.getByRole("link", { name: "ben" }).first().click();
  await seeMessage(ada.page, "I am writing");
});

test("[X-12] a message shows that it came, then that it was read; who tells nothing is told nothing", async () => {
  await sendMessage(ada.page, "Do you see this?");
  const mark = messageList(ada.page).locator(".bubble-row", { hasText: "Do you see this?" }).locator(".delivery");
  await expect.poll(() => mark.innerText()).toMatch(/^(?:Delivered|Read)$/u);
  await ben.page.locator("#composer").click();
  await expect.poll(() => mark.innerText()).toBe("Read");

  await ben.page.goto(`${server.url}/settings/privacy`);
  const receipts = ben.page.getByRole("switch", { name: /^Read receipts/u });
  await receipts.click();
  await expect.poll(() => receipts.isChecked()).toBe(false);
  await ben.page.reload();
  await expect.poll(() => receipts.isChecked()).toBe(false);
  await ben.page.goto(server.url);
  await ben.page.getByRole("link", { name: "ada" }).first().click();
  await sendMessage(ada.page, "And this?");
  await seeMessage(ben.page, "And this?");
  await sendMessage(ben.page, "Yes");
  await seeMessage(ada.page, "Yes");
  const quiet = messageList(ada.page).locator(".bubble-row", { hasText: "And this?" }).locator(".delivery");
  await ada.page.waitForTimeout(8000);
  expect(await quiet.innerText()).toBe("On the server");
});
