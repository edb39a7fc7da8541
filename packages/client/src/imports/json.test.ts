import { utf8Bytes } from "@latchkey/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ImportedLine } from "../api/imports.ts";
import { JsonItems } from "./json-items.ts";
import type { JsonFound } from "./json-items.ts";
import type { Parsed } from "./parsed.ts";
import { isSignal, parseSignal } from "./signal.ts";
import { isTelegram, parseTelegram } from "./telegram.ts";

async function* piecesOf(text: string, size: number): AsyncGenerator<Uint8Array> {
  const bytes = utf8Bytes(text);
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

async function allOf(parsing: AsyncIterable<Parsed[]>): Promise<Parsed[]> {
  const parsed: Parsed[] = [];
  for await (const some of parsing) parsed.push(...some);
  return parsed;
}

const telegram = (value: unknown, size = 11): Promise<Parsed[]> =>
  allOf(parseTelegram(piecesOf(typeof value === "string" ? value : JSON.stringify(value), size), "file"));
const signal = (frames: readonly unknown[], size = 11): Promise<Parsed[]> =>
  allOf(parseSignal(piecesOf(frames.map((frame) => (typeof frame === "string" ? frame : JSON.stringify(frame))).join("\n"), size)));
const linesOf = (parsed: readonly Parsed[], key?: string): ImportedLine[] =>
  parsed.flatMap((one) => (one.kind === "line" && (key === undefined || one.key === key) ? one.line : []));
const asideOf = (parsed: readonly Parsed[]): string[] => parsed.flatMap((one) => (one.kind === "aside" ? one.why : []));
const titlesOf = (parsed: readonly Parsed[]): string[] => parsed.flatMap((one) => (one.kind === "conversation" ? one.title : []));

describe("a JSON text that is read as it comes", () => {
  const read = (text: string, size: number, maxLength = 1000): JsonFound[] => {
    const items = new JsonItems({ isWanted: (path) => path.length === 2 && path[0] === "list", maxLength, maxDepth: 32 });
    const found: JsonFound[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...items.feed(text.slice(at, at + size)));
    return found;
  };

  test("[Y-5] gives what is wanted, wherever the pieces end, and nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        fc.jsonValue({ maxDepth: 3 }),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        (list, other, size, isSpaced) => {
          const text = JSON.stringify({ before: other, list, after: other }, undefined, isSpaced ? 2 : 0);
          const found = read(text, size, 100_000).filter(({ kind }) => kind === "value");
          expect(found.map((one) => (one.kind === "value" ? one.value : undefined))).toEqual(JSON.parse(JSON.stringify(list)));
          expect(found.every(({ path }) => path.join() === "list,*")).toBe(true);
        },
      ),
    );
  });

  test("[Y-6] ends with what is nested without end, and throws nothing else, whatever it is", () => {
    expect(() => read(`{"list":[${"[".repeat(40)}`, 7)).toThrow(expect.objectContaining({ code: "nested" }) as Error);
    expect(() => read("[".repeat(1_000_000), 65_536)).toThrow(expect.objectContaining({ code: "nested" }) as Error);
    const parts = fc.constantFrom("{", "}", "[", "]", '"', "\\", ",", ":", '"list"', "1", "null", "\u0000", "x");
    fc.assert(
      fc.property(fc.array(parts), fc.integer({ min: 1, max: 5 }), (list, size) => {
        try {
          read(list.join(""), size);
        } catch (error) {
          expect(error).toMatchObject({ name: "ImportError", code: "nested" });
        }
      }),
    );
  });

  test("[Y-6] says of what is too long that it is, and goes on behind it", () => {
    const text = JSON.stringify({ list: ["x".repeat(5000), 2, { long: "y".repeat(5000) }, 4] });
    for (const size of [1, 1000, 20_000])
      expect(
        read(text, size).map((one) => (one.kind === "value" ? one.value : one.kind === "bad" ? [one.isTooLong, one.text.length] : "end")),
      ).toEqual([[true, 1000], 2, [true, 1000], 4, "end", "end"]);
  });
});

describe("Telegram's export", () => {
  const chat = {
    name: "Ben",
    type: "personal_chat",
    id: 1,
    messages: [
      {
        id: 1,
        type: "service",
        date: "2024-01-31T17:30:00",
        date_unixtime: "1706718600",
        actor: "Ada",
        action: "create_group",
        title: "Picnic",
        members: ["Ben", null],
      },
      { id: 2, type: "message", date: "2024-01-31T17:31:00", date_unixtime: "1706718660", from: "Ada", from_id: "user7", text: "hello" },
      {
        id: 3,
        type: "message",
        date: "2020-01-31T17:31:00",
        from: null,
        from_id: "user8",
        text: ["see ", { type: "link", text: "x.org" }],
      },
      {
        id: 4,
        type: "message",
        date_unixtime: "1706718661",
        from: "Ben",
        from_id: "user8",
        text: [],
        text_entities: [{ type: "bold", text: "so" }],
        photo: "../../photos/a.jpg",
      },
      {
        id: 5,
        type: "message",
        date_unixtime: "1",
        from: "Ben",
        file: "(File not included. Change data exporting settings to download.)",
        text: "",
      },
      { id: 6, type: "message", from: "Ben", self_destruct_period_seconds: 5, text: "secret", photo: "photos/s.jpg" },
      {
        id: 7,
        type: "message",
        from: "Ben",
        poll: { question: "When?", answers: [{ text: "now" }, 4] },
        location_information: { latitude: 1.5, longitude: 2 },
        text: "",
      },
    ],
  };

  test("[Y-5] of one chat, with texts in either form, times in either, and files by their names alone", async () => {
    expect(isTelegram(JSON.stringify(chat, undefined, 1))).toBe(true);
    const parsed = await telegram(chat);
    expect(titlesOf(parsed)).toEqual(["Ben"]);
    expect(linesOf(parsed).map(({ sentAtMs, author, kind, text, fileNames }) => [sentAtMs, author, kind, text, ...fileNames])).toEqual([
      [1_706_718_600_000, "Ada", "event", "create_group Picnic Ben"],
      [1_706_718_660_000, "Ada", "text", "hello"],
      [new Date(2020, 0, 31, 17, 31).getTime(), "user8", "text", "see x.org"],
      [1_706_718_661_000, "Ben", "text", "so", "a.jpg"],
      [1000, "Ben", "text", ""],
      [undefined, "Ben", "left_out", ""],
      [undefined, "Ben", "text", "When?\n- now\n- \n1.5, 2"],
    ]);
  });

  test("[Y-5] of an account: each chat by itself, one's own messages as such", async () => {
    const account = {
      about: "x",
      personal_information: { user_id: 7, first_name: "Ada" },
      contacts: { list: [{ name: "not a chat", messages: [chat.messages[1]] }] },
      chats: { about: "", list: [chat, { name: null, type: "saved_messages", id: 2, messages: [chat.messages[1]] }] },
      left_chats: { list: [{ type: "private_group", id: 3, messages: [chat.messages[3]] }] },
    };
    const parsed = await telegram(account, 64);
    expect(titlesOf(parsed)).toEqual(["Ben", "file", "file"]);
    expect(
      linesOf(parsed)
        .filter(({ isOwn }) => isOwn)
        .map(({ text }) => text),
    ).toEqual(["hello", "hello"]);
    expect(linesOf(parsed, "2").map(({ text }) => text)).toEqual(["so"]);
  });

  test("[Y-6] what is no message is kept aside, and a file that ends in the middle is none", async () => {
    const parsed = await telegram({
      name: "Ben",
      messages: [1, null, {}, { type: "other" }, "x", [], { type: "message", text: "ok", from: 5, date_unixtime: {} }],
    });
    expect(asideOf(parsed)).toEqual(Array.from({ length: 6 }, () => "no_message"));
    expect(linesOf(parsed)).toEqual([{ sentAtMs: undefined, author: "", isOwn: false, kind: "text", text: "ok", fileNames: [] }]);
    const text = JSON.stringify(chat);
    await expect(telegram(text.slice(0, -40))).rejects.toMatchObject({ code: "not_whole" });
    await expect(telegram(`{"messages":${'{"a":'.repeat(1000)}`)).rejects.toMatchObject({ code: "nested" });
    const long = await telegram(
      JSON.stringify({ name: "B", messages: [{ type: "message", text: "x".repeat(2_000_000) }, chat.messages[1]] }),
      65_536,
    );
    expect([asideOf(long), linesOf(long).map(({ text: said }) => said)]).toEqual([["too_long"], ["hello"]]);
  });

  test("[Y-6] whatever stands in a message, it is a line or kept aside", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record(
            {
              type: fc.constantFrom("message", "service", 1),
              text: fc.jsonValue(),
              text_entities: fc.jsonValue(),
              from: fc.jsonValue(),
              photo: fc.jsonValue(),
              poll: fc.jsonValue(),
              members: fc.jsonValue(),
              date: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
        ),
        async (messages) => {
          const parsed = await telegram({ messages }, 50);
          expect(parsed.filter(({ kind }) => kind !== "conversation").length).toBe(messages.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("the JSON shape of Signal's backups", () => {
  const frames = [
    { version: "1", backupTimeMs: "1706718600000", mediaRootBackupKey: "AA==" },
    { account: { profileKey: "AA==" } },
    { recipient: { id: "1", self: {} } },
    { recipient: { id: "2", contact: { e164: "491701234567", profileGivenName: "Ben", profileFamilyName: "B", nickname: {} } } },
    { recipient: { id: "3", group: { masterKey: "AA==", snapshot: { title: { title: "Picnic" } } } } },
    { chat: { id: "10", recipientId: "2" } },
    { chat: { id: "11", recipientId: "3", muteUntilMs: "9223372036854775807" } },
    {
      chatItem: {
        chatId: "10",
        authorId: "1",
        dateSent: "1706718600000",
        outgoing: {},
        standardMessage: {
          text: { body: "hello" },
          attachments: [{ pointer: { fileName: "a.pdf" } }, { pointer: { contentType: "image/jpeg" } }],
        },
      },
    },
    {
      chatItem: { chatId: "11", authorId: "2", dateSent: "1706718600001", incoming: {}, standardMessage: { text: { body: "who comes?" } } },
    },
    { chatItem: { chatId: "10", authorId: "2", dateSent: "1706718600002", incoming: {}, viewOnceMessage: { attachment: {} } } },
    {
      chatItem: {
        chatId: "10",
        authorId: "2",
        dateSent: "1706718600003",
        expireStartDate: "1706718600003",
        expiresInMs: "1000",
        standardMessage: { text: { body: "over" } },
      },
    },
    {
      chatItem: {
        chatId: "10",
        authorId: "2",
        dateSent: "1706718600004",
        expiresInMs: "1000",
        standardMessage: { text: { body: "not begun" } },
      },
    },
    { chatItem: { chatId: "10", authorId: "2", dateSent: "1706718600005", remoteDeletedMessage: {} } },
    { chatItem: { chatId: "10", authorId: "2", dateSent: "1706718600006", stickerMessage: { sticker: { emoji: "🗝" } } } },
    { chatItem: { chatId: "10", authorId: "2", dateSent: "1706718600007", somethingNew: {} } },
    { stickerPack: {} },
  ];

  test("[Y-5] each chat by itself, in the order of the file; what goes after a time, or was to be seen once, has no words", async () => {
    expect(isSignal(frames.map((frame) => JSON.stringify(frame)).join("\n"))).toBe(true);
    const parsed = await signal(frames);
    expect([...new Set(titlesOf(parsed))]).toEqual(["Ben B", "Picnic"]);
    expect(linesOf(parsed, "10").map(({ author, isOwn, kind, text, fileNames }) => [author, isOwn, kind, text, ...fileNames])).toEqual([
      ["", true, "text", "hello", "a.pdf", "image/jpeg"],
      ["Ben B", false, "left_out", ""],
      ["Ben B", false, "left_out", ""],
      ["Ben B", false, "left_out", ""],
      ["Ben B", false, "deleted", ""],
      ["Ben B", false, "text", "🗝"],
    ]);
    expect(linesOf(parsed, "11").map(({ text, sentAtMs }) => [text, sentAtMs])).toEqual([["who comes?", 1_706_718_600_001]]);
    expect(asideOf(parsed)).toEqual([]);
  });

  test("[Y-6] what is no frame, or of no chat, is kept aside", async () => {
    const bad = [
      "{",
      "[".repeat(100_000),
      `{"x":"${"y".repeat(1_100_000)}"}`,
      { chatItem: { chatId: "99", standardMessage: {} } },
      { chatItem: 5 },
      "null",
      { chat: null },
      { recipient: { id: {}, contact: [] } },
    ];
    const parsed = await signal([...frames, ...bad], 65_536);
    expect(asideOf(parsed)).toEqual(["no_message", "no_message", "too_long", "no_message", "no_message"]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ recipient: fc.jsonValue(), chat: fc.jsonValue(), chatItem: fc.jsonValue() }, { requiredKeys: [] })),
        async (list) => {
          await expect(signal(list, 40)).resolves.toBeInstanceOf(Array);
        },
      ),
      { numRuns: 100 },
    );
  });
});
