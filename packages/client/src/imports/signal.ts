import { concatBytes, fromBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import type { ImportedLine } from "../api/imports.ts";
import { listOf, member, numberOf, textOf } from "./json-values.ts";
import { textLine } from "./parsed.ts";
import type { NamedFile, Parsed } from "./parsed.ts";
import { textLines } from "./text-lines.ts";

/** UTF-16 units of a frame. */
const maxLength = 1_048_576;
/** People and chats of a file that are remembered. */
const mostRemembered = 100_000;
/** UTF-16 units of a name that is remembered. */
const maxKnownLength = 256;

/** Whether the beginning of a file is of the JSON shape of Signal's backups: a frame a line, the first of which says of which version. */
export function isSignal(beginning: string): boolean {
  const [first = ""] = beginning.replace(/^\uFEFF/u, "").split("\n");
  return /^\s*\{.*"(?:backupTimeMs|mediaRootBackupKey)"/u.test(first);
}

interface Known {
  readonly name: string;
  readonly isSelf: boolean;
}

/**
 * Reads frames in the order of the file, in which whoever is named was described before. Kinds of frames and of items that are not known are passed over, as
 * their format asks; a line that is no JSON, and an item of an unknown chat, is kept aside. What was to be seen once, and what goes after a time, has no words.
 */
export async function* parseSignal(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Parsed[], void, undefined> {
  const people = new Map<string, Known>();
  const chats = new Map<string, string>();
  const takeFrame = (frame: unknown, text: string): Parsed[] => {
    const recipient = member(frame, "recipient");
    if (recipient !== undefined) remember(people, idOf(member(recipient, "id")), knownOf(recipient));
    const chat = member(frame, "chat");
    if (chat !== undefined) remember(chats, idOf(member(chat, "id")), idOf(member(chat, "recipientId")) ?? "");
    const item = member(frame, "chatItem");
    if (item === undefined) return [];
    const key = idOf(member(item, "chatId"));
    const recipientId = key === undefined ? undefined : chats.get(key);
    if (key === undefined || recipientId === undefined)
      return [{ kind: "aside", key: undefined, why: "no_message", text: text.slice(0, 1000) }];
    const line = lineOf(item, people);
    const title = people.get(recipientId)?.name ?? "";
    return line === undefined
      ? []
      : [
          { kind: "conversation", key, title },
          { kind: "line", key, line, files: namedIn(item).map(({ file }) => file) },
        ];
  };
  for await (const lines of textLines(pieces, maxLength))
    yield lines.flatMap(({ text, isCut }): Parsed[] => {
      if (text.trim() === "") return [];
      if (isCut) return [{ kind: "aside", key: undefined, why: "too_long", text: text.slice(0, 1000) }];
      try {
        return takeFrame(JSON.parse(text), text);
      } catch {
        // No JSON, or nested deeper than is read.
        return [{ kind: "aside", key: undefined, why: "no_message", text: text.slice(0, 1000) }];
      }
    });
}

function remember<T>(map: Map<string, T>, id: string | undefined, value: T): void {
  if (id !== undefined && (map.size < mostRemembered || map.has(id))) map.set(id, value);
}

/** The beginning of a text, and nothing that holds on to the rest: a hundred thousand of them are kept. */
function copyOf(text: string, length: number): string {
  return new TextDecoder().decode(utf8Bytes(text.slice(0, length)));
}

function idOf(value: unknown): string | undefined {
  return typeof value === "string" ? copyOf(value, 32) : typeof value === "number" ? String(value) : undefined;
}

function knownOf(recipient: unknown): Known {
  if (member(recipient, "self") !== undefined) return { name: "", isSelf: true };
  const title = member(member(member(recipient, "group"), "snapshot"), "title");
  const contact = member(recipient, "contact");
  const nickname = member(contact, "nickname");
  const full = (of: unknown, given: string, family: string): string =>
    [given, family]
      .map((name) => textOf(member(of, name)) ?? "")
      .join(" ")
      .trim();
  const names = [
    textOf(title) ?? textOf(member(title, "title")) ?? "",
    full(nickname, "given", "family"),
    full(contact, "systemGivenName", "systemFamilyName"),
    full(contact, "profileGivenName", "profileFamilyName"),
    textOf(member(contact, "username")) ?? "",
    numberOf(member(contact, "e164")) === undefined ? "" : `+${String(numberOf(member(contact, "e164")))}`,
  ];
  return { name: copyOf(names.find((name) => name !== "") ?? "", maxKnownLength), isSelf: false };
}

function lineOf(item: unknown, people: ReadonlyMap<string, Known>): ImportedLine | undefined {
  const author = people.get(idOf(member(item, "authorId")) ?? "");
  const common = {
    sentAtMs: numberOf(member(item, "dateSent")),
    author: author?.name ?? "",
    isOwn: author?.isSelf === true || member(item, "outgoing") !== undefined,
  };
  // What goes after a time went with its author's word: it stays nowhere for ever.
  if (member(item, "viewOnceMessage") !== undefined || (numberOf(member(item, "expiresInMs")) ?? 0) > 0)
    return textLine({ ...common, kind: "left_out" });
  if (member(item, "remoteDeletedMessage") !== undefined) return textLine({ ...common, kind: "deleted" });
  const message = member(item, "standardMessage") ?? member(item, "directStoryReplyMessage");
  if (message !== undefined) {
    const text =
      textOf(member(member(message, "text"), "body")) ?? textOf(member(member(member(message, "textReply"), "text"), "body")) ?? "";
    return textLine({ ...common, text, fileNames: namedIn(item).map(({ name }) => name) });
  }
  const sticker = member(member(item, "stickerMessage"), "sticker");
  if (sticker !== undefined) return textLine({ ...common, text: textOf(member(sticker, "emoji")) ?? "" });
  const poll = member(item, "poll");
  if (poll !== undefined) {
    const options = listOf(member(poll, "options")).map((option) => `- ${textOf(member(option, "option")) ?? textOf(option) ?? ""}`);
    return textLine({ ...common, text: [textOf(member(poll, "question")) ?? "", ...options].join("\n") });
  }
  return undefined;
}

/** What came with a message, and where it lies. */
function namedIn(item: unknown): { readonly name: string; readonly file: NamedFile | undefined }[] {
  const message = member(item, "standardMessage") ?? member(item, "directStoryReplyMessage");
  return [...listOf(member(message, "attachments")), member(message, "longText")].flatMap((attachment) => {
    const pointer = member(attachment, "pointer") ?? attachment;
    const mediaType = textOf(member(pointer, "contentType")) ?? "";
    const name = textOf(member(pointer, "fileName")) ?? mediaType;
    const path = pathOf(member(pointer, "locatorInfo"));
    const isVoice = member(attachment, "flag") === "VOICE_MESSAGE";
    return name === "" ? [] : [{ name, file: path === undefined ? undefined : { path, mediaType, isVoice } }];
  });
}

/** Where a backup that lies as files has it: by the hash of its own hash and of the key that it would be encrypted under. */
function pathOf(locator: unknown): string | undefined {
  const [plaintextHash, localKey] = [bytesOf(member(locator, "plaintextHash")), bytesOf(member(locator, "localKey"))];
  if (plaintextHash === undefined || localKey === undefined) return undefined;
  const name = toHex(sha256(concatBytes(plaintextHash, localKey)));
  return `files/${name.slice(0, 2)}/${name}`;
}

/** As proto JSON writes bytes. */
function bytesOf(value: unknown): Uint8Array | undefined {
  const text = textOf(value);
  if (text === undefined || text === "" || text.length > 128) return undefined;
  try {
    return fromBase64Url(text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/u, ""));
  } catch {
    return undefined;
  }
}
