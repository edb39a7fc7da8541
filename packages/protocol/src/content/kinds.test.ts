import { CodecError, concatBytes, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { encodeCbor } from "./cbor.ts";
import { ContentError } from "./errors.ts";
import { headFields } from "./head.ts";
import { historyType, maxHistoryAccounts } from "./history.ts";
import { joinLinkType } from "./join-link.ts";
import { readQueryType } from "./status.ts";
import type { JoinLinkWord } from "./join-link.ts";
import {
  createDeletionContent,
  createEditContent,
  createHistoryContent,
  createReadQueryContent,
  createJoinLinkContent,
  createPinContent,
  createPollContent,
  createPollEndContent,
  createReactionContent,
  createTextContent,
  createVoteContent,
  decodeContent,
} from "./message.ts";
import type { DecodedContent } from "./message.ts";
import { decodeMimiContent, dispositions, encodeContent } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";
import { pinType } from "./pin.ts";
import { pollType, voteType } from "./poll.ts";
import type { Poll } from "./poll.ts";

const head = { salt: new Uint8Array(16).fill(7), sentAtMs: 1_767_225_600_123 };
const id = concatBytes(new Uint8Array([1]), new Uint8Array(31).fill(9));
const poll: Poll = { question: "Where?", options: ["Here", "There"], maxSelections: 1, endsAtMs: undefined };

function read(body: NestedPart, replies = true): DecodedContent {
  return decodeContent(encodeContent({ ...headFields(head), inReplyTo: replies ? id : undefined, body }));
}

const single = (contentType: string, content: Uint8Array, disposition: number = dispositions.reaction): NestedPart => ({
  kind: "single",
  disposition,
  language: "",
  contentType,
  content,
});

describe("[X-2] what changes a message names it, and comes back as it was sent", () => {
  test("edits and deletions", () => {
    expect(decodeContent(createEditContent({ ...head, replaces: id, text: "better" }))).toMatchObject({
      kind: "edit",
      replaces: id,
      text: "better",
      sentAtMs: head.sentAtMs,
    });
    expect(decodeContent(createDeletionContent({ ...head, replaces: id }))).toMatchObject({ kind: "deletion", replaces: id });
  });

  test("[X-3] an edit to no words has a text of no bytes, which is a message of nobody's", () => {
    expect(decodeContent(createEditContent({ ...head, replaces: id, text: "" }))).toMatchObject({ kind: "edit", replaces: id, text: "" });
    const body = single("text/markdown;variant=GFM-MIMI", new Uint8Array(0), dispositions.render);
    expect(decodeContent(encodeContent({ ...headFields(head), body })).kind).toBe("unsupported");
    const preview = single("text/markdown;variant=GFM-MIMI", new Uint8Array(0), dispositions.preview);
    expect(decodeContent(encodeContent({ ...headFields(head), replaces: id, body: preview })).kind).toBe("unsupported");
    expect(() => createTextContent({ ...head, text: "" })).toThrow(ContentError);
  });

  test("an edit whose body is no text is shown as something newer, never as a message", () => {
    const fields = { ...headFields(head), replaces: id, body: single("image/png", utf8Bytes("x"), dispositions.render) };
    expect(decodeContent(encodeContent(fields)).kind).toBe("unsupported");
  });

  test("[X-14] words about a join link come back as they were said; anything else of their type is nothing that is known", () => {
    const [linkId, linkHash, tag] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2), new Uint8Array(16).fill(3)];
    const words: readonly JoinLinkWord[] = [
      { word: "open", linkId, linkHash, notAfterMs: 1_767_225_600_000, maxUses: 1000 },
      { word: "close", linkId },
      { word: "admit", linkId, tag },
      { word: "refuse", linkId, tag },
    ];
    for (const said of words) expect(decodeContent(createJoinLinkContent({ ...head, said }))).toMatchObject({ kind: "join_link", said });
    const malformed = [
      [1, linkId, linkHash, 1, 1001],
      [1, linkId, linkHash, 1, 0],
      [1, linkId, linkHash, -1, 1],
      [1, linkId, linkHash, 9e15, 1],
      [1, linkId, tag, 1, 1],
      [1, linkId, linkHash, 1],
      [2, linkId, tag],
      [2, tag],
      [3, linkId, linkId],
      [3, linkId],
      [4, linkId, tag, tag],
      [5, linkId],
      [0, linkId],
      linkId,
    ];
    for (const fields of malformed) expect(read(single(joinLinkType, encodeCbor(fields), 0), false).kind).toBe("unsupported");
    expect(read(single(joinLinkType, utf8Bytes("x"), 0), false).kind).toBe("unsupported");
  });

  test("pins, with and without an end, and taken back", () => {
    for (const until of ["forever", "never", 1_767_225_600_000] as const) {
      expect(decodeContent(createPinContent({ ...head, pin: { messageId: id, until } }))).toMatchObject({
        kind: "pin",
        messageId: id,
        until,
      });
    }
    for (const fields of [[id], [id, -1], [id, 1.5], [id.slice(1), null], [id, "x"], id, [id, 9e15]]) {
      expect(read(single(pinType, encodeCbor(fields), 0), false).kind).toBe("unsupported");
    }
    expect(read(single(pinType, utf8Bytes("x"), 0), false).kind).toBe("unsupported");
  });
});

describe("[X-6] a reaction is one emoji, or several", () => {
  test.each(["👍", "❤️", "👩🏽‍🚒", "🇵🇸", "1️⃣"])("%s", (emoji) => {
    expect(decodeContent(createReactionContent({ ...head, inReplyTo: id, emoji }))).toMatchObject({
      kind: "reaction",
      inReplyTo: id,
      emoji: [emoji],
    });
  });

  test("the form without its selector is the same emoji", () => {
    expect(decodeContent(createReactionContent({ ...head, inReplyTo: id, emoji: "❤" }))).toMatchObject({ emoji: ["❤️"] });
  });

  test.each(["", "a", "👍👍", "👍 ", "1", "yes 👍", "\u200d", "<b>"])("%j is none", (emoji) => {
    expect(() => createReactionContent({ ...head, inReplyTo: id, emoji })).toThrow(ContentError);
  });

  test("what is meant as a reaction and is none is an answer in words", () => {
    expect(read(single("text/plain;charset=utf-8", utf8Bytes("great idea")))).toMatchObject({
      kind: "text",
      text: "great idea",
      inReplyTo: id,
    });
    expect(read(single("text/plain;charset=utf-8", utf8Bytes("👍👍")))).toMatchObject({ kind: "text", text: "👍👍" });
    expect(read(single("image/png", utf8Bytes("x")))).toMatchObject({ kind: "unsupported" });
  });

  test("several are read, each once, the first six", () => {
    const emoji = ["👍", "👍", "😀", "😁", "😂", "🤣", "😃", "😄"];
    const parts = emoji.map((one) => single("text/plain;charset=utf-8", utf8Bytes(one)));
    const body: NestedPart = { kind: "multi", disposition: dispositions.reaction, language: "", semantics: "processAll", parts };
    expect(read(body)).toMatchObject({ kind: "reaction", emoji: ["👍", "😀", "😁", "😂", "🤣", "😃"] });
  });

  test("a reaction to nothing is a text", () => {
    expect(read(single("text/plain;charset=utf-8", utf8Bytes("👍")), false).kind).toBe("unsupported");
  });
});

describe("[X-11] polls and votes", () => {
  test("come back, with what an older program reads beside them", () => {
    const content = createPollContent({ ...head, poll: { ...poll, endsAtMs: 1_767_225_700_000, maxSelections: 2 } });
    expect(decodeContent(content)).toMatchObject({ kind: "poll", ...poll, endsAtMs: 1_767_225_700_000, maxSelections: 2 });
    expect(new TextDecoder().decode(content)).toContain("1. Here");
    for (const options of [[], [0], [0, 1]]) {
      expect(decodeContent(createVoteContent({ ...head, inReplyTo: id, options }))).toMatchObject({ kind: "vote", inReplyTo: id, options });
    }
    expect(decodeContent(createPollEndContent({ ...head, inReplyTo: id }))).toMatchObject({ kind: "poll_end", inReplyTo: id });
  });

  test.each([
    ["no question", { ...poll, question: " " }],
    ["a question that is too long", { ...poll, question: "x".repeat(301) }],
    ["one option", { ...poll, options: ["Here"] }],
    ["13 options", { ...poll, options: Array.from({ length: 13 }, (_, at) => String(at)) }],
    ["two of the same", { ...poll, options: ["Here", "Here"] }],
    ["an option that is too long", { ...poll, options: ["Here", "x".repeat(101)] }],
    ["no choice", { ...poll, maxSelections: 0 }],
    ["more choices than options", { ...poll, maxSelections: 3 }],
    ["an end out of all time", { ...poll, endsAtMs: 9e15 }],
  ])("%s is no poll, for its author and its readers", (_, bad: Poll) => {
    expect(() => createPollContent({ ...head, poll: bad })).toThrow(ContentError);
    const fields = [bad.question, [...bad.options], bad.maxSelections, bad.endsAtMs ?? null];
    const parts = [single(pollType, encodeCbor(fields), 0), single("text/plain", utf8Bytes("a poll"), 1)];
    const body: NestedPart = { kind: "multi", disposition: 1, language: "", semantics: "chooseOne", parts };
    expect(read(body, false)).toMatchObject({ kind: "text", text: "a poll" });
  });

  test("votes that are none are shown as something newer", () => {
    for (const fields of [[1, 0], [0, 0], [-1], [0.5], ["0"], "x", Array.from({ length: 13 }, (_, at) => at)]) {
      expect(read(single(voteType, encodeCbor(fields)))).toMatchObject({ kind: "unsupported" });
    }
    expect(read(single(voteType, utf8Bytes("xx")))).toMatchObject({ kind: "unsupported" });
  });
});

describe("[X-9] a forwarded text says how often", () => {
  test.each([
    [0, 0],
    [1, 1],
    [300, 255],
  ])("%d", (forwardedHops, read) => {
    expect(decodeContent(createTextContent({ ...head, text: "x", forwardedHops }))).toMatchObject({ forwardedHops: read });
  });

  test.each([-1, 1.5, "5", 0])("%j is as if it were not there", (value) => {
    const { extensions, ...rest } = headFields(head);
    const body = single("text/plain", utf8Bytes("x"), 1);
    const content = encodeContent({ ...rest, extensions: new Map([...extensions, ["latchkey.forwarded", value]]), body });
    expect(decodeContent(content)).toMatchObject({ kind: "text", forwardedHops: 0 });
  });
});

describe("[R-5] what joiners are given", () => {
  const given = {
    joinedSeq: 7,
    accounts: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
    archive: { blobId: new Uint8Array(32).fill(3), key: new Uint8Array(32).fill(4), hash: new Uint8Array(32).fill(5), sizeBytes: 65_536 },
  };

  test("names them, the commit by which they joined, and where it lies", () => {
    expect(decodeContent(createHistoryContent({ ...head, given }))).toMatchObject({ kind: "history", ...given });
  });

  test("what is no such thing, or too much of it, is something newer", () => {
    const { body } = decodeMimiContent(createHistoryContent({ ...head, given }));
    if (body.kind !== "single") throw new Error("one part");
    for (const content of [body.content.slice(1), concatBytes(body.content, utf8Bytes("x")), new Uint8Array(0)])
      expect(read(single(historyType, content, 0), false).kind).toBe("unsupported");
    const many = Array.from({ length: maxHistoryAccounts + 1 }, () => new Uint8Array(32));
    expect(() => createHistoryContent({ ...head, given: { ...given, accounts: many } })).toThrow(CodecError);
    expect(() => createHistoryContent({ ...head, given: { ...given, accounts: [] } })).toThrow(CodecError);
  });
});

describe("[R-3] a question who has read a message", () => {
  test("names it by its id, and what is none is something newer", () => {
    const messageId = new Uint8Array(32).fill(1);
    expect(decodeContent(createReadQueryContent({ ...head, messageId }))).toMatchObject({ kind: "read_query", messageId });
    for (const content of [messageId.slice(1), new Uint8Array(33).fill(1), new Uint8Array(32).fill(2), new Uint8Array(0)])
      expect(read(single(readQueryType, content, 0), false).kind).toBe("unsupported");
  });
});
