import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccount, messageList, seeMessage, seeTaken, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { commandLinePeer, createFolder, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let mika: CommandLinePeer;
let asked = "";
let conversation = "";

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 1400 } });
  mika = commandLinePeer({ home: folder.at("mika"), server: server.url });
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await mika.run("register", "mika");
  await startConversation(ada.page, { to: ["mika"] });
  await sendMessage(ada.page, "At the shed at noon?");
  await seeTaken(ada.page, "At the shed at noon?");
  const read = await mika.run<Shown>("read", "--accept-requests");
  asked = read.at(-1)?.id ?? "";
  conversation = read.at(-1)?.conversationId ?? "";
});

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Shown {
  readonly id: string;
  readonly conversationId: string;
  readonly body: { readonly kind: string; readonly options?: readonly { readonly text: string; readonly count: number }[] };
  readonly reactions?: readonly { readonly emoji: string; readonly count: number }[];
}

/** The button of a reaction or of a poll's option, once it says so. */
async function seeButton(page: Page, name: RegExp, isPressed: boolean): Promise<void> {
  await messageList(page).getByRole("button", { name, pressed: isPressed }).waitFor();
}

describe("what belongs to messages, in the app", () => {
  test("[X-2] an answer stands under what it answers", async () => {
    await mika.run("reply", asked, "Yes, with the seeds");
    await seeMessage(ada.page, "Yes, with the seeds");
    const quoted = messageList(ada.page).locator("blockquote").filter({ hasText: "At the shed at noon?" });
    await quoted.waitFor();
    expect(await quoted.innerText()).toContain("You");
  });

  test("[X-6] a reaction comes by itself, and one's own is seen at once, and stays", async () => {
    await mika.run("react", asked, "👍");
    await seeButton(ada.page, /👍 \d, by mika/u, false);
    await messageList(ada.page).getByRole("button", { name: /👍/u }).click();
    await seeButton(ada.page, /👍 \d, by mika, You/u, true);
    // What the app is told last is what is so.
    await expect
      .poll(async () => (await mika.run<Shown>("read")).find(({ id }) => id === asked)?.reactions)
      .toMatchObject([{ emoji: "👍", count: 2 }]);
    await seeButton(ada.page, /👍 \d, by mika, You/u, true);
    await messageList(ada.page).getByRole("button", { name: /👍/u }).click();
    await seeButton(ada.page, /👍 \d, by mika$/u, false);
  });

  test("[X-11] a poll is answered with a click", async () => {
    const [poll] = await mika.run<Shown>("poll", conversation, "Which bed first?", "Tomatoes", "Beans");
    await messageList(ada.page).getByRole("button", { name: "Beans 0" }).click();
    await seeButton(ada.page, /Beans 1/u, true);
    await expect
      .poll(async () => (await mika.run<Shown>("read")).find(({ id }) => id === poll?.id)?.body.options?.map(({ count }) => count), {
        timeout: 30_000,
      })
      .toEqual([0, 1]);
    await seeButton(ada.page, /Beans 1/u, true);
  });

  test("[X-3] [X-4] an edit and a deletion are shown where the message stood", async () => {
    const [sent] = await mika.run<Shown>("send", conversation, "See you at eleven");
    await seeMessage(ada.page, "See you at eleven");
    await mika.run("edit", sent?.id ?? "", "See you at twelve");
    await messageList(ada.page).getByText("See you at twelve").waitFor();
    await messageList(ada.page).getByText("edited").waitFor();
    await mika.run("delete", sent?.id ?? "");
    await messageList(ada.page).getByText("mika deleted a message").waitFor();
    expect(await messageList(ada.page).getByText("See you at").count()).toBe(0);
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    expect([ada.errors, ada.violations]).toEqual([[], []]);
  });
});
