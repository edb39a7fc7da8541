import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Conversation, Message } from "@latchkey/client";
import { accessibilityProblems } from "./testing/accessibility.ts";
import {
  chooseAction,
  createAccount,
  messageBox,
  messagesWith,
  seeMessage,
  seeTaken,
  sendMessage,
  startConversation,
} from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { eventually, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let page: Page;
let ben: TestPerson;
let cyd: TestPerson;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada") });
  ({ page } = ada);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await createAccount(page, { url: server.url, username: "ada" });
  ben = await registerPerson({ server: server.url, home: folder.at("ben"), username: "ben", displayName: "Ben Smith" });
  cyd = await registerPerson({ server: server.url, home: folder.at("cyd"), username: "cyd", displayName: "Cyd Ünal" });
  await startConversation(page, { to: ["ben", "cyd"], groupName: "Trip" });
  await sendMessage(page, "Hello");
  await group(ben);
  for (const { client } of [ben, cyd]) await client.send((await group({ client })).id, "Here I am");
  for (const name of ["Ben Smith", "Cyd Ünal"]) await messagesWith(page, "Here I am").filter({ hasText: name }).waitFor();
});

afterAll(async () => {
  for (const person of [ben, cyd]) await person.client.close();
  await ada[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** The group as somebody has it. */
function group({ client }: Pick<TestPerson, "client">): Promise<Conversation> {
  return eventually(
    client,
    async () => (await client.conversations()).find(({ kind, status }) => kind === "group" && status === "active"),
    "in it",
  );
}

/** A message as Ben has it. */
async function atBens(isIt: (text: string) => boolean): Promise<Message> {
  const { id } = await group(ben);
  const look = async (): Promise<Message | undefined> =>
    (await ben.client.messages(id, { limit: 50 })).find(({ body }) => body.kind === "text" && isIt(body.text));
  return await eventually(ben.client, look, "it came");
}

const field = (): Locator => messageBox(page);
const send = (): Locator => page.getByRole("button", { name: "Send", exact: true });
const members = (): Locator => page.getByRole("listbox", { name: "Members" });
const picker = (): Locator => page.getByRole("dialog", { name: "Choose an emoji" });

/** Whether the caret is in the field. */
async function isWriting(): Promise<boolean> {
  return await field().evaluate((element) => element === document.activeElement);
}

/** Copies a text and pastes it into the field. */
async function paste(text: string): Promise<void> {
  await page.evaluate((copied) => navigator.clipboard.writeText(copied), text);
  await field().press("Control+v");
}

/** Sets how messages are written, and comes back to the group. */
async function set(name: RegExp, isOn: boolean): Promise<void> {
  await page.getByRole("button", { name: "Settings" }).click();
  await page
    .getByRole("link", { name: "Appearance" })
    .or(page.getByRole("button", { name: "Appearance" }))
    .click();
  await page.getByRole("switch", { name }).setChecked(isOn);
  expect(await accessibilityProblems(page)).toEqual([]);
  await page.getByRole("button", { name: "Back", exact: true }).click();
  await field().waitFor();
}

describe("a finger that pulls a message", () => {
  /** Puts a finger on a message of Ben's and moves it. */
  async function pull([dx, dy]: readonly [number, number]): Promise<void> {
    const message = messagesWith(page, "Here I am").filter({ hasText: "Ben Smith" });
    await message.scrollIntoViewIfNeeded();
    const box = (await message.locator(".bubble").boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const touch = await page.context().newCDPSession(page);
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    for (const part of [0.2, 0.5, 0.8, 1])
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [{ x: x + dx * part, y: y + dy * part }] });
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await touch.detach();
  }

  const answering = (): Locator => page.getByText("Answer to Ben Smith");
  const pulled = (): Locator => page.locator("[data-swipe]");

  test("answers it; not where it pulls too little, back, or up and down", async () => {
    for (const way of [
      [30, 0],
      [-110, 0],
      [20, 60],
      // Quick, and not straight.
      [60, 45],
    ] as const) {
      await pull(way);
      expect([await answering().count(), await pulled().count()]).toEqual([0, 0]);
    }
    await pull([110, 5]);
    await answering().waitFor();
    expect(await pulled().count()).toBe(0);
    expect(await isWriting()).toBe(true);
    await page.keyboard.press("Escape");
    await answering().waitFor({ state: "detached" });
  });

  test("the other way round where lines begin on the right", async () => {
    await page.evaluate(() => document.documentElement.setAttribute("dir", "rtl"));
    await pull([110, 5]);
    expect(await answering().count()).toBe(0);
    await pull([-110, 5]);
    await answering().waitFor();
    await page.keyboard.press("Escape");
    await page.evaluate(() => document.documentElement.setAttribute("dir", "ltr"));
  });
});

describe("emoji in the field", () => {
  test("are found by name, stand where the caret was, and come to the ones used last", async () => {
    await field().fill("good morning");
    await field().evaluate((element: HTMLTextAreaElement) => element.setSelectionRange(4, 4));
    await page.getByRole("button", { name: "Choose an emoji" }).click();
    await picker().getByRole("searchbox", { name: "Search emoji" }).fill("sunflower");
    await picker()
      .getByRole("button", { name: "🌻" })
      .or(picker().getByRole("gridcell", { name: /sunflower/i }))
      .first()
      .waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    // With Shift it stays for another one.
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.press("Enter");
    await picker().waitFor({ state: "detached" });
    expect(await field().inputValue()).toBe("good🌻🌻 morning");
    expect(await isWriting()).toBe(true);
    await page.getByRole("button", { name: "Choose an emoji" }).click();
    await picker().getByRole("group", { name: "Used last" }).getByRole("button", { name: "🌻" }).click();
    await page.keyboard.press("Escape");
    await picker().waitFor({ state: "detached" });
    expect(await field().inputValue()).toBe("good🌻🌻🌻 morning");
    expect(await isWriting()).toBe(true);
    await field().fill("");
  });
});

describe("emoji by their names", () => {
  test("are offered behind a colon", async () => {
    await field().pressSequentially("Noon :sunfl");
    const list = page.getByRole("listbox", { name: "Choose an emoji" });
    await list.getByRole("option", { name: /sunflower/i }).waitFor();
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Enter");
    expect(await field().inputValue()).toBe("Noon 🌻");
    expect(await list.count()).toBe(0);
    await field().fill("");
  });
});

describe("[X-1] members in the field", () => {
  test("are offered behind an @, chosen by keys, and named by an address", async () => {
    await field().pressSequentially("Ask @una");
    await members().getByRole("option").first().waitFor();
    await expect.poll(() => members().getByRole("option").allInnerTexts()).toEqual([expect.stringContaining("Cyd Ünal")]);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.keyboard.press("Enter");
    expect(await field().inputValue()).toBe("Ask @Cyd Ünal ");
    await page.keyboard.type("about it");
    await page.keyboard.press("Enter");
    const { accountId, host } = (await cyd.client.account()) ?? { accountId: "", host: "" };
    const message = await atBens((text) => text.startsWith("Ask"));
    expect(message.body).toEqual({ kind: "text", text: `Ask [@cyd](mimi://${host}/u/${accountId}) about it` });
    expect(message.mentions?.map(({ username }) => username)).toEqual(["cyd"]);
    await messagesWith(page, "Ask @Cyd Ünal about it").waitFor();
  });

  test("stay in what is changed, and go whole with their last letter", async () => {
    await seeTaken(page, "Ask @Cyd Ünal about it");
    await field().press("ArrowUp");
    await page.getByText("Change your message").waitFor();
    expect(await field().inputValue()).toBe("Ask @Cyd Ünal about it");
    await field().press("End");
    await page.keyboard.type(" now");
    await page.keyboard.press("Enter");
    await messagesWith(page, "Ask @Cyd Ünal about it now").waitFor();
    const changed = await atBens((text) => text.endsWith("now"));
    expect(changed.mentions?.map(({ username }) => username)).toEqual(["cyd"]);
    await field().pressSequentially("@b");
    await page.keyboard.press("Tab");
    expect(await field().inputValue()).toBe("@Ben Smith ");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    expect(await field().inputValue()).toBe("");
  });

  test("arrows, Escape and the mouse", async () => {
    await field().pressSequentially("@");
    await expect.poll(() => members().getByRole("option").count()).toBe(3);
    await page.keyboard.press("ArrowUp");
    expect(await members().getByRole("option", { selected: true }).innerText()).toContain("everybody");
    await page.keyboard.press("Escape");
    expect([await members().count(), await field().inputValue()]).toEqual([0, "@"]);
    await page.keyboard.type("be");
    expect(await members().count()).toBe(0);
    await field().fill("");
    await field().pressSequentially("@");
    await members()
      .getByRole("option", { name: /Ben Smith/ })
      .click();
    expect(await field().inputValue()).toBe("@Ben Smith ");
    expect(await isWriting()).toBe(true);
  });

  test("and what is written are there after the page was loaded again at once", async () => {
    await page.keyboard.type("can you?");
    await page.reload();
    await expect.poll(() => field().inputValue()).toBe("@Ben Smith can you?");
    await field().press("Enter");
    expect((await atBens((text) => text.endsWith("can you?"))).isMentioned).toBe(true);
  });
});

describe("[X-1] being mentioned", () => {
  test("stands out; answers and copies have names, not addresses", async () => {
    const { members } = await ben.client.details((await group(ben)).id);
    const { accountId, host } = members.find(({ person }) => person.username === "ada")?.person ?? { accountId: "", host: "" };
    await cyd.client.send((await group(cyd)).id, `Is [@ada](mimi://${host}/u/${accountId}) there?`);
    const message = messagesWith(page, "there?").first();
    await message.locator(".text-mention-own", { hasText: "@you" }).waitFor();
    await message.hover();
    await message.getByRole("button", { name: "Reply" }).click();
    await field().fill("I am");
    await field().press("Enter");
    await messagesWith(page, "I am").locator("blockquote", { hasText: "Is @you there?" }).waitFor();
    await chooseAction(page, message, "Copy text");
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^Is @you there\?$/iu);
  });
});

describe("keys in the field", () => {
  test("mark what is selected, and take the marks away", async () => {
    await field().fill("see this");
    await field().press("Shift+Control+ArrowLeft");
    for (const [key, text] of [
      ["b", "see **this**"],
      ["i", "see ***this***"],
      ["b", "see *this*"],
      ["i", "see this"],
      ["e", "see `this`"],
    ] as const) {
      await field().press(`Control+${key}`);
      expect(await field().inputValue()).toBe(text);
    }
    await page.keyboard.press("Control+z");
    await page.keyboard.press("Control+z");
    expect(await field().inputValue()).toBe("see this");
    await field().fill("");
  });

  test("an Enter that belongs to an input method sends nothing, neither within a composition nor as Safari has it behind one", async () => {
    const session = await page.context().newCDPSession(page);
    await field().focus();
    await session.send("Input.imeSetComposition", { text: "にほ", selectionStart: 2, selectionEnd: 2 });
    await field().evaluate((element) => {
      for (const init of [{ isComposing: true }, { keyCode: 229 }])
        element.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...init }));
    });
    await session.send("Input.insertText", { text: "日本" });
    expect(await field().inputValue()).toBe("日本");
    expect(await messagesWith(page, "日本").count()).toBe(0);
    await page.keyboard.press("Enter");
    await seeMessage(page, "日本");
    await session.detach();
  });

  test("Enter makes lines where the person wants that; Ctrl Enter sends all the same", async () => {
    await set(/^Enter sends/, false);
    await field().pressSequentially("one");
    await page.keyboard.press("Enter");
    await page.keyboard.type("two");
    expect(await field().inputValue()).toBe("one\ntwo");
    await page.keyboard.press("Control+Enter");
    await seeMessage(page, "two");
    await set(/^Enter sends/, true);
  });
});

describe("long texts", () => {
  test("say how full the message is before it is, and cannot be sent beyond that", async () => {
    await field().fill("a".repeat(60_000));
    await page.getByText("This message is 91 % full.").waitFor();
    expect(await send().isEnabled()).toBe(true);
    await field().fill(`${"a".repeat(65_535)}é`);
    await page.getByText(/Too long for one message/).waitFor();
    expect(await send().isDisabled()).toBe(true);
    expect(await accessibilityProblems(page)).toEqual([]);
    await field().press("Enter");
    expect((await field().inputValue()).length).toBe(65_536);
    await field().fill("");
  });

  test("a megabyte that is pasted does not go into the field, and its beginning does where that is wanted", async () => {
    await field().fill("So: ");
    await paste("b".repeat(1_000_000));
    await page.getByText("That is too long for one message").waitFor();
    expect(await field().inputValue()).toBe("So: ");
    await page.getByRole("button", { name: "Paste the beginning" }).click();
    expect((await field().inputValue()).length).toBe(65_536);
    expect(await isWriting()).toBe(true);
    await page.keyboard.press("Control+z");
    expect(await field().inputValue()).toBe("So: ");
    await field().fill("");
  });

  test("of thousands of lines those go into the field that it holds, and out of it as fast as anything", async () => {
    await paste(`${"\n".repeat(50_000)}the end`);
    await page.getByRole("button", { name: "Paste the beginning" }).click();
    expect(await field().inputValue()).toBe("\n".repeat(2999));
    await page.keyboard.type("the end");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Read more" }).waitFor();
    expect(await field().inputValue()).toBe("");
  });
});

describe("time to undo", () => {
  test("a message is taken back by its button, and by the key that changes the last one", async () => {
    await set(/^Time to undo/, true);
    for (const how of ["button", "key"]) {
      await field().fill(`Too early, by ${how}`);
      await field().press("Enter");
      await messagesWith(page, "Too early").getByRole("button", { name: "Undo" }).waitFor();
      if (how === "button") await messagesWith(page, "Too early").getByRole("button", { name: "Undo" }).click();
      else await field().press("ArrowUp");
      await expect.poll(() => field().inputValue()).toBe(`Too early, by ${how}`);
      expect(await messagesWith(page, "Too early").count()).toBe(0);
      expect(await isWriting()).toBe(true);
    }
    await field().fill("");
  });

  test("it goes out when the page goes, once; nothing that was taken back ever came", async () => {
    await field().fill("Now then");
    await field().press("Enter");
    await messagesWith(page, "Now then").getByRole("button", { name: "Undo" }).waitFor();
    await page.reload();
    await atBens((text) => text === "Now then");
    await seeTaken(page, "Now then");
    await sendMessage(page, "And this by itself");
    await atBens((text) => text === "And this by itself");
    const { id } = await group(ben);
    const texts = (await ben.client.messages(id, { limit: 100 })).flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
    expect(texts.filter((text) => text === "Now then")).toHaveLength(1);
    expect(texts.filter((text) => text.startsWith("Too early"))).toEqual([]);
  });

  test("no page broke a policy or threw an error meanwhile", () => {
    expect([ada.violations, ada.errors]).toEqual([[], []]);
  });
});
