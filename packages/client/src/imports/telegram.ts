import type { ImportedLine } from "../api/imports.ts";
import { JsonItems } from "./json-items.ts";
import { listOf, member, numberOf, textOf } from "./json-values.ts";
import { ImportError, textLine } from "./parsed.ts";
import type { NamedFile, Parsed } from "./parsed.ts";

/** UTF-16 units of a message as a whole. */
const maxLength = 1_048_576;
/** A message has lists of entities with objects in them: nothing is nested deeper than a few levels. */
const maxDepth = 64;
const longestName = 255;

/** Whether the beginning of a file is of Telegram's machine-readable export: of one chat, or of an account. */
export function isTelegram(beginning: string): boolean {
  return /^\uFEFF?\s*\{\s*"(?:about|name|type|id|personal_information|chats|messages)"/u.test(beginning);
}

/** Where chats stand: the path of one. */
const chatPaths: readonly (readonly string[])[] = [[], ["chats", "list", "*"], ["left_chats", "list", "*"]];

/**
 * Reads Telegram's `result.json`, of any size: a chat is begun with its first message, by what stood before it of its name. What is nested deeper than any
 * such file ends it; what is no message, or longer than a megabyte, is kept aside.
 */
export async function* parseTelegram(pieces: AsyncIterable<Uint8Array>, title: string): AsyncGenerator<Parsed[], void, undefined> {
  const items = new JsonItems({ isWanted: (path) => isUser(path) || placeOf(path) !== undefined, maxLength, maxDepth });
  const decoder = new TextDecoder();
  const chats = new Chats(title);
  for await (const piece of pieces) yield [...items.feed(decoder.decode(piece, { stream: true }))].flatMap((found) => chats.take(found));
  yield [...items.feed(decoder.decode())].flatMap((found) => chats.take(found));
  if (!items.isWhole) throw new ImportError("not_whole", "The file ends in the middle.");
}

const isUser = (path: readonly string[]): boolean => path.length === 2 && path[0] === "personal_information" && path[1] === "user_id";

/** What of a chat stands at a path: its name, or one of its messages. */
function placeOf(path: readonly string[]): "name" | "message" | undefined {
  const depth = chatPaths.find(
    (chat) =>
      chat.every((name, at) => path[at] === name) && [1, 2].includes(path.length - chat.length) && isOfChat(path.slice(chat.length)),
  )?.length;
  if (depth === undefined) return undefined;
  return path.length - depth === 1 ? "name" : "message";
}

function isOfChat(rest: readonly string[]): boolean {
  return rest.length === 1 ? rest[0] === "name" : rest[0] === "messages" && rest[1] === "*";
}

class Chats {
  readonly #title: string;
  #count = 0;
  /** Of the chat that is read: `undefined` until its first message. */
  #key: string | undefined;
  #name: string | undefined;
  #user: string | undefined;

  constructor(title: string) {
    this.#title = title;
  }

  take(found: ReturnType<JsonItems["feed"]> extends Generator<infer T> ? T : never): Parsed[] {
    const { path } = found;
    if (found.kind === "end") {
      if (chatPaths.some((chat) => chat.length === path.length && chat.every((name, at) => path[at] === name)))
        [this.#key, this.#name] = [undefined, undefined];
      return [];
    }
    if (isUser(path)) {
      const user = found.kind === "value" ? numberOf(found.value) : undefined;
      this.#user = user === undefined ? undefined : `user${String(user)}`;
      return [];
    }
    if (placeOf(path) === "name") {
      this.#name = found.kind === "value" ? textOf(found.value) : undefined;
      return [];
    }
    const begun = this.#begin();
    const key = this.#key ?? "";
    if (found.kind === "bad") return [...begun, { kind: "aside", key, why: found.isTooLong ? "too_long" : "no_message", text: found.text }];
    const line = lineOf(found.value, this.#user);
    if (line !== undefined) return [...begun, { kind: "line", key, line, files: [fileIn(found.value)] }];
    return [...begun, { kind: "aside", key, why: "no_message", text: JSON.stringify(found.value).slice(0, 1000) }];
  }

  #begin(): Parsed[] {
    if (this.#key !== undefined) return [];
    this.#key = String(this.#count++);
    return [{ kind: "conversation", key: this.#key, title: this.#name ?? this.#title }];
  }
}

function lineOf(message: unknown, user: string | undefined): ImportedLine | undefined {
  const type = textOf(member(message, "type"));
  if (type !== "message" && type !== "service") return undefined;
  const sentAtMs = timeOf(message);
  if (type === "service") {
    const said = [
      textOf(member(message, "action")) ?? "",
      textOf(member(message, "title")) ?? "",
      ...listOf(member(message, "members")).flatMap((name) => textOf(name) ?? []),
    ];
    return textLine({
      sentAtMs,
      author: textOf(member(message, "actor")) ?? "",
      kind: "event",
      text: said.filter((word) => word !== "").join(" "),
    });
  }
  const author = textOf(member(message, "from")) ?? textOf(member(message, "from_id")) ?? "";
  const common = { sentAtMs, author, isOwn: user !== undefined && member(message, "from_id") === user };
  // It was to end by itself.
  if (numberOf(member(message, "self_destruct_period_seconds")) !== undefined) return textLine({ ...common, kind: "left_out" });
  return textLine({
    ...common,
    text: [saidIn(message), ...besides(message)].filter((part) => part !== "").join("\n"),
    fileNames: filesIn(message),
  });
}

/** A text as such, or a list of texts and of objects with one. */
function saidIn(message: unknown): string {
  const text = member(message, "text");
  const entities = listOf(member(message, "text_entities"));
  if (typeof text === "string") return text;
  return (entities.length > 0 ? entities : listOf(text)).map((part) => textOf(part) ?? textOf(member(part, "text")) ?? "").join("");
}

/** What a message says that is no text. */
function besides(message: unknown): string[] {
  const poll = member(message, "poll");
  const place = member(message, "location_information");
  const contact = member(message, "contact_information");
  const [latitude, longitude] = [member(place, "latitude"), member(place, "longitude")];
  return [
    textOf(member(message, "sticker_emoji")) ?? "",
    ...(poll === undefined
      ? []
      : [
          textOf(member(poll, "question")) ?? "",
          ...listOf(member(poll, "answers")).map((answer) => `- ${textOf(member(answer, "text")) ?? ""}`),
        ]),
    ...(typeof latitude === "number" && typeof longitude === "number" ? [`${String(latitude)}, ${String(longitude)}`] : []),
    ...(contact === undefined
      ? []
      : [
          ["first_name", "last_name", "phone_number"]
            .map((name) => textOf(member(contact, name)) ?? "")
            .join(" ")
            .trim(),
        ]),
  ];
}

/** The name of its file, without folders. */
function filesIn(message: unknown): string[] {
  return pathsIn(message, ["file_name", "file", "photo"])
    .slice(0, 1)
    .map((path) => path.slice(-longestName).split(/[/\\]/u).at(-1) ?? "");
}

function fileIn(message: unknown): NamedFile | undefined {
  const [path] = pathsIn(message, ["file", "photo"]);
  const isVoice = member(message, "media_type") === "voice_message";
  return path === undefined ? undefined : { path, mediaType: textOf(member(message, "mime_type")) ?? "", isVoice };
}

/** What the program says in place of a file that it did not take along is none. */
function pathsIn(message: unknown, names: readonly string[]): string[] {
  return names.flatMap((name) => textOf(member(message, name)) ?? []).filter((path) => !path.startsWith("("));
}

/** By the number where there is one; else as the machine that exported wrote it, in its zone. */
function timeOf(message: unknown): number | undefined {
  const unix = numberOf(member(message, "date_unixtime"));
  if (unix !== undefined) return unix * 1000;
  const date = textOf(member(message, "date"));
  const time = date !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(date) ? new Date(date).getTime() : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}
