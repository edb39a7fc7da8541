import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  acceptRequest,
  conversationLink,
  createAccount,
  messageList,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { commandLinePeer, createFolder, startServerProcess } from "./testing/processes.ts";
import type { CommandLinePeer, ServerProcess, TemporaryFolder } from "./testing/processes.ts";

// High enough for all that is said here: the list keeps only what is near the screen in the document.
const viewport = { width: 1280, height: 2000 };
const groupName = "Harvest festival";

let folder: TemporaryFolder;
let server: ServerProcess;
let annabel: BrowserProfile;
let benedict: BrowserProfile;
let claudia: CommandLinePeer;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  [annabel, benedict] = await Promise.all([
    openBrowser({ folder: folder.at("annabel"), viewport }),
    openBrowser({ folder: folder.at("benedict"), viewport }),
  ]);
  claudia = commandLinePeer({ home: folder.at("claudia"), server: server.url });
});

afterAll(async () => {
  await annabel[Symbol.asyncDispose]();
  await benedict[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Line {
  readonly id: string;
  readonly conversationId: string;
  readonly order: number;
  readonly body: { readonly kind: string; readonly text?: string };
}

/** The texts of the group as the command line has them, oldest first. */
async function textsOfClaudia(): Promise<string[]> {
  const group = (await claudia.run<{ id: string; title: string }>("conversations")).find(({ title }) => title === groupName);
  const lines = await claudia.run<Line>("read", "--conversation", group?.id ?? "", "--limit", "1000");
  return lines.flatMap(({ body }) => (body.text === undefined ? [] : [body.text]));
}

/** Those texts that a browser shows, in its order. */
async function textsShown(page: Page, texts: readonly string[]): Promise<string[]> {
  const items = await messageList(page).getByRole("listitem").allInnerTexts();
  return items.flatMap((item) => texts.filter((text) => item.includes(text)));
}

describe("two browsers and a command line", () => {
  test("create accounts", async () => {
    await Promise.all([
      createAccount(annabel.page, { url: server.url, username: "annabel" }),
      createAccount(benedict.page, { url: server.url, username: "benedict" }),
      claudia.run("register", "claudia", "--display-name", "Claudia from the shell"),
    ]);
    expect(await claudia.run("whoami")).toMatchObject([{ username: "claudia", displayName: "Claudia from the shell" }]);
    const taken = await commandLinePeer({ home: folder.at("impostor"), server: server.url }).attempt("register", "annabel");
    expect([taken.status, taken.stderr]).toEqual([1, expect.stringMatching(/^\{"error":\{"code":"username_taken","message":"[^\n]+\n$/)]);
  });

  test("talk one to one", async () => {
    await startConversation(annabel.page, { to: ["benedict"] });
    await sendMessage(annabel.page, "Are the apples in?");
    await acceptRequest(benedict.page, "annabel");
    await seeMessage(benedict.page, "Are the apples in?");
    await sendMessage(benedict.page, "All but the last tree");
    await seeMessage(annabel.page, "All but the last tree");
    await seeTaken(annabel.page, "Are the apples in?");
    expect(await claudia.run("send", "annabel", "Hello from a terminal")).toMatchObject([{ delivery: { kind: "accepted" } }]);
    await acceptRequest(annabel.page, "claudia");
    await seeMessage(annabel.page, "Hello from a terminal");
    await sendMessage(annabel.page, "Hello from a window");
    await seeTaken(annabel.page, "Hello from a window");
    const lines = await claudia.run<Line>("read");
    expect(lines.map(({ body }) => body.text)).toContain("Hello from a window");
  });

  test("talk in a group", async () => {
    await startConversation(annabel.page, { to: ["benedict", "claudia"], groupName });
    await sendMessage(annabel.page, "Who brings the cider?");
    await conversationLink(benedict.page, groupName).click();
    await seeMessage(benedict.page, "Who brings the cider?");
    await sendMessage(benedict.page, "I do");
    await seeTaken(benedict.page, "I do");
    expect(await textsOfClaudia()).toEqual(["Who brings the cider?", "I do"]);
    const [group] = (await claudia.run<{ id: string; title: string }>("conversations")).filter(({ title }) => title === groupName);
    await claudia.run("send", group?.id ?? "", "And I bring the cups");
    for (const { page } of [annabel, benedict]) await seeMessage(page, "And I bring the cups");
  });

  test("[P5] the server is killed in mid-conversation: nothing acknowledged is lost, nothing is doubled, and what waits is sent by itself", async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `Harvest note ${String(index + 1).padStart(2, "0")}`);
    const [before, during, after] = [texts.slice(0, 8), texts.slice(8, 14), texts.slice(14)];
    for (const text of before) await sendMessage(annabel.page, text);
    // Killed while the last ones are on their way: some may be on disk without their sender knowing.
    await server.kill();
    const offline = annabel.page.getByText(/^Offline since/);
    await offline.waitFor();
    await benedict.page.getByText(/^Offline since/).waitFor();
    for (const text of during) await sendMessage(annabel.page, text);
    for (const text of during) await messagesWith(annabel.page, text).getByText("Waiting to be sent").waitFor({ state: "attached" });
    const unreachable = await claudia.attempt("send", "annabel", "Nobody hears this yet", "--timeout", "1");
    expect([unreachable.status, unreachable.stderr]).toEqual([
      1,
      expect.stringMatching(/^\{"error":\{"code":"offline","message":"[^\n]+\n$/),
    ]);

    server = await startServerProcess({ data: folder.at("data"), port: server.port });
    await offline.waitFor({ state: "detached" });
    for (const text of after) await sendMessage(annabel.page, text);
    for (const text of texts) {
      await seeTaken(annabel.page, text);
      await seeMessage(benedict.page, text);
    }
    // Once each and in the order in which they were written, for everybody.
    expect(await textsShown(annabel.page, texts)).toEqual(texts);
    expect(await textsShown(benedict.page, texts)).toEqual(texts);
    expect((await textsOfClaudia()).filter((text) => texts.includes(text))).toEqual(texts);
    // The command that gave up kept its message: the next one that reached the server took it along.
    await conversationLink(annabel.page, "Claudia from the shell").click();
    await seeMessage(annabel.page, "Nobody hears this yet");
  });

  test("a message written while offline survives the end of the browser", async () => {
    await conversationLink(annabel.page, groupName).click();
    await server.kill();
    await annabel.page.getByText(/^Offline since/).waitFor();
    await sendMessage(annabel.page, "Written in the dark");
    await messagesWith(annabel.page, "Written in the dark").getByText("Waiting to be sent").waitFor({ state: "attached" });
    // The list shows what the client has kept; the message itself is drawn while it is handed over.
    await annabel.page.getByRole("list", { name: "Conversations" }).getByText("Written in the dark").waitFor();
    await annabel[Symbol.asyncDispose]();
    server = await startServerProcess({ data: folder.at("data"), port: server.port });
    annabel = await openBrowser({ folder: folder.at("annabel"), viewport });
    await annabel.page.goto(server.url);
    await seeMessage(benedict.page, "Written in the dark");
    await conversationLink(annabel.page, groupName).click();
    await seeTaken(annabel.page, "Written in the dark");
    expect((await textsOfClaudia()).filter((text) => text === "Written in the dark")).toHaveLength(1);
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    for (const { violations, errors } of [annabel, benedict]) {
      expect(violations).toEqual([]);
      expect(errors).toEqual([]);
    }
  });
});
