import { CodecError, decode, encode, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { appendSecretCodec } from "../group/append-secret.ts";
import type { AppendSecret } from "../group/append-secret.ts";
import { leafMarkBytes } from "../group/leave.ts";
import { ContentError } from "./errors.ts";
import { decodeMimiContent, dispositions, encodeContent } from "./mimi.ts";
import type { Expiration, MimiContent, NestedPart } from "./mimi.ts";

/** Longest text of one message, in bytes of UTF-8. */
export const maxTextBytes = 65_536;
/** Longest shown name, in bytes of UTF-8. */
export const maxDisplayNameBytes = 256;

/** What a time in content may be, milliseconds since 1970: before the year 2100. Whatever lies outside is as if it were not there. */
export const maxSentAtMs = 4_102_444_800_000;
/** Longest text that is shown of one message of any sender, in UTF-16 units. */
const maxShownText = 4 * maxTextBytes;

/** GitHub-flavoured Markdown without HTML (draft-ietf-mimi-content-08 section 7.1.1). */
export const markdownType = "text/markdown;variant=GFM-MIMI";
/** Content that says its sender leaves the group (spec M-3). */
export const leaveType = "application/vnd.latchkey.leave";
/** What devices of one account tell each other, in the group that they alone are in. */
export const syncType = "application/vnd.latchkey.sync";

/** Private-use extension keys: the sender's clock in milliseconds since 1970, the name that the sender goes by, its AppendSecret. */
const sentAtKey = "latchkey.sent";
const displayNameKey = "latchkey.name";
const appendSecretKey = "latchkey.append";

/** What every kind of content carries. */
export interface ContentHead {
  /** 16 random bytes, never used twice. */
  readonly salt: Uint8Array;
  /** The sender's clock, milliseconds since 1970. */
  readonly sentAtMs: number;
  /** The name that the sender goes by, when it is to be told. */
  readonly displayName?: string | undefined;
  /** What lets the other person of a direct conversation into the sender's inboxes, when it is to be told (spec I-1). */
  readonly appendSecret?: AppendSecret | undefined;
}

/** A text. @throws ContentError `too_large` above `maxTextBytes`, `malformed` for a text without characters. */
export function createTextContent(
  params: ContentHead & {
    readonly text: string;
    readonly inReplyTo?: Uint8Array | undefined;
    readonly expires?: Expiration | undefined;
  },
): Uint8Array {
  const text = params.text.toWellFormed();
  if (text.length === 0) throw new ContentError("malformed", "a message has at least one character");
  if (utf8Bytes(text).length > maxTextBytes) throw new ContentError("too_large", "the text is too long");
  return encodeContent({
    ...headFields(params),
    expires: params.expires,
    inReplyTo: params.inReplyTo,
    body: {
      kind: "single",
      disposition: dispositions.render,
      language: "",
      contentType: markdownType,
      content: utf8Bytes(escapeTags(text)),
    },
  });
}

/** Tells the group the name that the sender goes by. @throws ContentError `too_large` */
export function createProfileContent(params: ContentHead & { readonly displayName: string }): Uint8Array {
  return encodeContent({ ...headFields(params), body: { kind: "null", disposition: dispositions.profile, language: "" } });
}

/** Tells the group that the sender leaves it (spec M-3). `leaf` is the `leafMarkOf` its leaf: the word is about that one alone. */
export function createLeaveContent(params: ContentHead & { readonly leaf: Uint8Array }): Uint8Array {
  const body: NestedPart = {
    kind: "single",
    disposition: dispositions.unspecified,
    language: "",
    contentType: leaveType,
    content: params.leaf,
  };
  return encodeContent({ ...headFields(params), body });
}

/** What one device tells the account's other devices: `payload` is a structure of the client's (spec section 60). */
export function createSyncContent(params: ContentHead & { readonly payload: Uint8Array }): Uint8Array {
  const { unspecified } = dispositions;
  const body: NestedPart = { kind: "single", disposition: unspecified, language: "", contentType: syncType, content: params.payload };
  return encodeContent({ ...headFields(params), body });
}

/** Content as far as this version understands it. */
export type DecodedContent =
  | ({ readonly kind: "text"; readonly text: string } & DecodedHead)
  | ({ readonly kind: "sync"; readonly payload: Uint8Array } & DecodedHead)
  | ({ readonly kind: "leave"; readonly leaf: Uint8Array } & DecodedHead)
  | ({ readonly kind: "profile" | "unsupported" } & DecodedHead)
  /** Bytes that are no content at all. */
  | { readonly kind: "malformed" };

/** What was found around the body. */
export interface DecodedHead {
  readonly salt: Uint8Array;
  readonly sentAtMs: number | undefined;
  readonly displayName: string | undefined;
  readonly appendSecret: AppendSecret | undefined;
  readonly inReplyTo: Uint8Array | undefined;
  readonly expires: Expiration | undefined;
}

/** Reads content of any version and vendor; never throws. */
export function decodeContent(bytes: Uint8Array): DecodedContent {
  let content: MimiContent;
  try {
    content = decodeMimiContent(bytes);
  } catch (error) {
    if (error instanceof ContentError) return { kind: "malformed" };
    throw error;
  }
  const head: DecodedHead = {
    salt: content.salt,
    sentAtMs: sentAtOf(content),
    displayName: displayNameOf(content),
    appendSecret: appendSecretOf(content),
    inReplyTo: content.inReplyTo,
    expires: content.expires,
  };
  const { body } = content;
  // An edit or deletion shown as a new message would say something that nobody said.
  if (content.replaces !== undefined) return { kind: "unsupported", ...head };
  if (body.kind === "null" && body.disposition === dispositions.profile) return { kind: "profile", ...head };
  if (body.kind === "single" && body.contentType === leaveType) {
    return body.content.length === leafMarkBytes ? { kind: "leave", leaf: body.content, ...head } : { kind: "unsupported", ...head };
  }
  if (body.kind === "single" && body.contentType === syncType) return { kind: "sync", payload: body.content, ...head };
  const text = textOfPart(body);
  return text === undefined || text.length > maxShownText ? { kind: "unsupported", ...head } : { kind: "text", text, ...head };
}

/** The URI of an account as a sender (input of `messageIdOf`). */
export function senderUri(host: string, accountId: Uint8Array): string {
  return `mimi://${host}/u/${toBase64Url(accountId)}`;
}

/**
 * The URI of a group as a room (input of `messageIdOf`). It names the group by its MLS group id, which every member signs with every
 * message: whoever is shown messages alone can compute their ids, and nobody can find the log by them.
 */
export function roomUri(host: string, groupId: Uint8Array): string {
  return `mimi://${host}/r/${toBase64Url(groupId)}`;
}

function headFields(head: ContentHead): Omit<MimiContent, "body"> {
  const extensions = new Map<number | string, unknown>([[sentAtKey, head.sentAtMs]]);
  if (head.displayName !== undefined) {
    const name = head.displayName.toWellFormed();
    if (utf8Bytes(name).length > maxDisplayNameBytes) throw new ContentError("too_large", "the name is too long");
    extensions.set(displayNameKey, name);
  }
  if (head.appendSecret !== undefined) extensions.set(appendSecretKey, encode(appendSecretCodec, head.appendSecret));
  return { salt: head.salt, replaces: undefined, topicId: new Uint8Array(0), expires: undefined, inReplyTo: undefined, extensions };
}

function sentAtOf(content: MimiContent): number | undefined {
  const value = content.extensions.get(sentAtKey);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= maxSentAtMs ? value : undefined;
}

function displayNameOf(content: MimiContent): string | undefined {
  const value = content.extensions.get(displayNameKey);
  return typeof value === "string" && value.length > 0 && utf8Bytes(value).length <= maxDisplayNameBytes ? value : undefined;
}

function appendSecretOf(content: MimiContent): AppendSecret | undefined {
  const value = content.extensions.get(appendSecretKey);
  if (!(value instanceof Uint8Array)) return undefined;
  try {
    return decode(appendSecretCodec, value);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Dispositions that mean "show it"; unknown ones are read so (draft section 9.1). */
function isShown(disposition: number): boolean {
  const { unspecified, render, inline, preview } = dispositions;
  return disposition === unspecified || disposition === render || disposition === inline || disposition > preview;
}

function textOfPart(part: NestedPart): string | undefined {
  if (!isShown(part.disposition)) return undefined;
  if (part.kind === "single") return textOfSingle(part.contentType, part.content);
  if (part.kind !== "multi") return undefined;
  const texts = part.parts.map((inner) => textOfPart(inner));
  const readable = texts.filter((text) => text !== undefined);
  if (part.semantics === "chooseOne") return readable[0];
  if (readable.length === 0 || (part.semantics === "singleUnit" && readable.length < texts.length)) return undefined;
  return readable.join("\n\n");
}

function textOfSingle(contentType: string, content: Uint8Array): string | undefined {
  const [type = "", ...parameters] = contentType
    .toLowerCase()
    .split(";")
    .map((piece) => piece.trim());
  if (type !== "text/markdown" && type !== "text/plain") return undefined;
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (charset !== undefined && charset !== "utf-8" && charset !== "us-ascii") return undefined;
  if (content.length === 0 || content.length > 4 * maxTextBytes) return undefined;
  try {
    const text = utf8.decode(content);
    return type === "text/markdown" ? unescapeTags(text) : text;
  } catch {
    return undefined;
  }
}

/** The "No HTML" extension: `<` of what may be an HTML tag is sent as `&lt;` (draft section 7.1.1); autolinks stay. */
function escapeTags(markdown: string): string {
  return markdown.replace(/<(?=[a-z/!?])(?![a-z][a-z0-9+.-]{1,31}:[^\s<>]*>)/giu, "&lt;");
}

/** What `escapeTags` did, undone: in Markdown both mean the same, and a plain display shows what was written. */
function unescapeTags(markdown: string): string {
  return markdown.replace(/&lt;(?=[a-z/!?])/giu, "<");
}
