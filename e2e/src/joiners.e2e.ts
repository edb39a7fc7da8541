import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { acceptRequest, chooseAction, createAccount, messageList, messagesWith, seeMessage } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { eventually, registerPerson, textsOf } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { commandLinePeer, createFolder, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let cyd: TestPerson;
let dan: CommandLinePeer;
let id: string;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ({ page } = ada);
  await createAccount(page, { url: server.url, username: "ada" });
  [ben, cyd] = (await Promise.all(
    ["ben", "cyd"].map((username) => registerPerson({ server: server.url, home: folder.at(username), username })),
  )) as [TestPerson, TestPerson];
  dan = commandLinePeer({ home: folder.at("dan"), server: server.url });
  await dan.run("register", "dan");
  ({ id } = await ben.client.startConversation({ to: ["cyd"], name: "Choir" }));
  await ben.client.changeSettings(id, { rights: { history: "7_days" } });
  const { id: first } = await ben.client.send(id, "We sing on Tuesdays");
  await eventually(cyd.client, async () => ((await hasRead(cyd, 1)) ? true : undefined), "cyd reads it");
  await cyd.client.react(id, first, "🎵");
  await cyd.client.send(id, "At seven, then");
  await eventually(ben.client, async () => ((await hasRead(ben, 2)) ? true : undefined), "ben reads it");
});

afterAll(async () => {
  for (const { client } of [ben, cyd]) await client.close();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Whether somebody is in the group, and has so many messages of it. */
async function hasRead({ client }: TestPerson, count: number): Promise<boolean> {
  const isIn = (await client.conversations()).some((conversation) => conversation.id === id);
  return isIn && (await textsOf(client, id)).length === count;
}

interface Shown {
  readonly id: string;
  readonly body: { readonly kind: string; readonly text?: string };
  readonly sharedBy?: { readonly username: string };
}

describe("what who joins is given of what was said before", () => {
  test("[R-5] stands in the app where it was said, with who gave it, is nothing unread, and is told to all", async () => {
    await ben.client.addMembers(id, ["ada"]);
    await acceptRequest(page, "ben");
    await seeMessage(page, "We sing on Tuesdays");
    await seeMessage(page, "At seven, then");
    await messageList(page).getByText("From before you came, given by ben").first().waitFor();
    await messageList(page).getByText("ben gave you what was said before").waitFor();
    expect(await page.getByText("New messages").count()).toBe(0);
    await chooseAction(page, messagesWith(page, "At seven, then"), "Message info");
    await page.getByRole("dialog", { name: "Message info" }).getByText("Given to you, with proof of its author, by").waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Escape");
    const told = await cyd.client.messages(id, { limit: 50 });
    expect(told.some(({ body }) => body.kind === "history_given" && body.people[0]?.username === "ada")).toBe(true);
  });

  test("[R-5] is read on the command line, and what is known of it", async () => {
    await ben.client.addMembers(id, ["dan"]);
    await ben.client.settle({ timeoutMs: 60_000 });
    await dan.run("read", "--accept-requests");
    const lines = await dan.run<Shown>("read", "--conversation", id);
    const given = lines.filter(({ body }) => body.kind === "text");
    expect(given.map(({ body, sharedBy }) => [body.text, sharedBy?.username])).toEqual([
      ["We sing on Tuesdays", "ben"],
      ["At seven, then", "ben"],
    ]);
    const [info] = await dan.run<{ message: Shown }>("info", given[0]?.id ?? "");
    expect(info?.message.sharedBy?.username).toBe("ben");
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
