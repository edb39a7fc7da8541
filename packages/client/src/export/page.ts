import { utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import type { Conversation, Person } from "../api.ts";
import { escapeHtml as text, pathAddress } from "./html.ts";
import type { ExportCounts, ExportedFile, MissingFile, PortableMessage } from "./portable.ts";
import { pageStyle } from "./style.ts";

/** What the page says, in the language of the person. Times are of the machine that exports. */
export interface ExportWords {
  /** BCP 47. */
  readonly language: string;
  readonly direction: "ltr" | "rtl";
  readonly heading: string;
  /** When it was made, and how to keep it. */
  readonly intro: (nowMs: number) => string;
  readonly day: (timeMs: number) => string;
  readonly time: (timeMs: number) => string;
  readonly person: (person: Person | undefined) => string;
  /** What a line says that is no text of somebody's: what happened. */
  readonly line: (message: PortableMessage, conversation: Conversation) => string;
  readonly seenOnce: string;
  readonly edited: string;
  readonly missing: (why: MissingFile) => string;
  /** A sentence for everything that is not in it. */
  readonly notIncluded: (counts: ExportCounts) => readonly string[];
}

/** Nothing but this page's own style, and files that lie beside it: no script, no form, no address of anybody. */
function policy(): string {
  const style = btoa(String.fromCharCode(...sha256(utf8Bytes(pageStyle))));
  return `default-src 'none'; style-src 'sha256-${style}'; img-src 'self' file:; media-src 'self' file:; base-uri 'none'; form-action 'none'`;
}

/** Everything before the first conversation. */
export function pageStart(params: {
  readonly words: ExportWords;
  readonly conversations: readonly Conversation[];
  readonly nowMs: number;
  readonly counts: ExportCounts;
}): string {
  const { words, conversations, nowMs, counts } = params;
  const missing = words.notIncluded(counts).map((sentence) => `<li>${text(sentence)}</li>`);
  const links = conversations.map(({ title }, at) => `<li><a href="#c${String(at + 1)}"><bdi>${text(title)}</bdi></a></li>`);
  return [
    `<!doctype html>\n<html lang="${text(words.language)}" dir="${words.direction}">\n<head>\n<meta charset="utf-8">`,
    `<meta http-equiv="Content-Security-Policy" content="${policy()}">`,
    `<meta name="referrer" content="no-referrer">\n<meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${text(words.heading)}</title>\n<style>${pageStyle}</style>\n</head>\n<body>\n<main>`,
    `<h1>${text(words.heading)}</h1>\n<p class="note">${text(words.intro(nowMs))}</p>`,
    ...(missing.length === 0 ? [] : [`<ul class="note">${missing.join("")}</ul>`]),
    ...(links.length < 2 ? [] : [`<nav><ol>${links.join("\n")}</ol></nav>`]),
    "",
  ].join("\n");
}

/** The head of a conversation. @param at its place among those of the export */
export function conversationStart({ title }: Conversation, at: number): string {
  return `<section id="c${String(at + 1)}">\n<h2><bdi>${text(title)}</bdi></h2>\n`;
}

export const conversationEnd = "</section>\n";
export const pageEnd = "</main>\n</body>\n</html>\n";

/** One message. @param params.day the heading above it, where a day begins with it */
export function messageHtml(params: {
  readonly message: PortableMessage;
  readonly words: ExportWords;
  readonly conversation: Conversation;
  readonly day: string | undefined;
}): string {
  const { message, words, conversation, day } = params;
  const heading = day === undefined ? "" : `<h3>${text(day)}</h3>\n`;
  const time = `<time datetime="${isoOf(message.sentAtMs)}">${text(words.time(message.sentAtMs))}</time>`;
  const { body, author, files = [], reactions = [], edited } = message;
  if (body.kind !== "text" && body.kind !== "poll")
    return `${heading}<p class="event"><bdi>${text(words.line(message, conversation))}</bdi> ${time}</p>\n`;
  const said = body.kind === "poll" ? body.question : body.text;
  return [
    `${heading}<article${author?.isSelf === true ? ' class="own"' : ""}>`,
    `<header><b><bdi>${text(words.person(author))}</bdi></b> ${time}${edited === undefined ? "" : ` <i>${text(words.edited)}</i>`}</header>`,
    ...(message.quote === undefined ? [] : [quoteHtml(message.quote, words)]),
    ...(message.isOnce === true ? [`<p class="note">${text(words.seenOnce)}</p>`] : []),
    ...files.map((file) => fileHtml(file, words)),
    ...(said === "" ? [] : [`<p class="text" dir="auto">${text(said)}</p>`]),
    ...(body.kind === "poll" ? [pollHtml(body.options)] : []),
    ...(reactions.length === 0
      ? []
      : [`<p class="reactions">${reactions.map(({ emoji, count }) => `${text(emoji)} ${String(count)}`).join(" · ")}</p>`]),
    "</article>\n",
  ].join("\n");
}

function isoOf(timeMs: number): string {
  const time = new Date(timeMs);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
}

function quoteHtml({ author, text: words }: NonNullable<PortableMessage["quote"]>, { person }: ExportWords): string {
  return `<blockquote dir="auto">${author === undefined ? "" : `<b><bdi>${text(person(author))}</bdi></b> `}${text(words)}</blockquote>`;
}

function pollHtml(options: readonly { readonly text: string; readonly count: number }[]): string {
  return `<ol>${options.map((option) => `<li dir="auto">${text(option.text)} (${String(option.count)})</li>`).join("")}</ol>`;
}

/** What is shown on the page. */
const shownAs: readonly (readonly [RegExp, (address: string, about: string) => string])[] = [
  [/\.(?:jpe?g|png|webp|gif|avif)$/iu, (address, about) => `<img src="${address}" alt="${about}" loading="lazy">`],
  [/\.(?:mp4|m4v|webm|mov)$/iu, (address, about) => `<video src="${address}" controls preload="none" title="${about}"></video>`],
  [
    /\.(?:mp3|m4a|aac|ogg|opus|wav|flac|weba)$/iu,
    (address, about) => `<audio src="${address}" controls preload="none" title="${about}"></audio>`,
  ],
];
/** A link leads to what no browser runs, and to nothing else: of all other files the page says where they lie. */
const linked = /\.(?:jpe?g|png|webp|gif|avif|mp4|m4v|webm|mov|mp3|m4a|aac|ogg|opus|wav|flac|weba|pdf|txt)$/iu;

function fileHtml({ path, missing, name, description, transcript }: ExportedFile, words: ExportWords): string {
  const about = description === "" ? name : description;
  const spoken = transcript === undefined ? "" : `<figcaption dir="auto">${text(transcript)}</figcaption>`;
  if (path === undefined)
    return `<figure><figcaption><bdi>${text(name)}</bdi> (${text(words.missing(missing ?? "failed"))})</figcaption>${spoken}</figure>`;
  const shown = shownAs.find(([ending]) => ending.test(path))?.[1](pathAddress(path), text(about)) ?? "";
  const where = `<bdi>${text(path)}</bdi>`;
  const caption = linked.test(path) ? `<a href="${pathAddress(path)}">${where}</a>` : where;
  return `<figure>${shown}<figcaption>${caption}</figcaption>${spoken}</figure>`;
}
