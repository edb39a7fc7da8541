import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { isHost } from "../addresses.ts";
import { fileKeyBytes, filePrefixBytes, maxFileBytes } from "../files/geometry.ts";
import { blobPath } from "../frames/common.ts";
import { ContentError } from "./errors.ts";
import { maxFileDescription, maxFileName, maxFiles } from "./limits.ts";
import { dispositions } from "./mimi.ts";
import type { ExternalPart, MimiContent, NestedPart } from "./mimi.ts";
import { textOf, textPart } from "./text.ts";

/** How a file is shown; "file" by its name alone. */
export type FileKind = "file" | "picture" | "video" | "audio" | "voice";

/** What is known of a file before it is here, by its author's word: whoever shows it believes nothing of it. */
export interface FileLooks {
  /** Pixels, as it is shown. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly durationMs?: number | undefined;
  /** What it looks like, in 5 to 25 bytes (thumbhash). */
  readonly thumbhash?: Uint8Array | undefined;
  /** How loud it is, at most 64 times over its length, 0 to 255. */
  readonly peaks?: Uint8Array | undefined;
}

/** A file of a message, and what it takes to read it (spec X-23). */
export interface FilePart extends FileLooks {
  readonly kind: FileKind;
  /** Who keeps it: the host of the conversation's log, else nobody fetches it. */
  readonly host: string;
  readonly blobId: Uint8Array;
  /** Of AES-256-GCM, 32 bytes. */
  readonly key: Uint8Array;
  /** What every nonce begins with, 7 bytes. */
  readonly prefix: Uint8Array;
  /** SHA-256 of the ciphertext. */
  readonly hash: Uint8Array;
  /** Of the file itself. */
  readonly sizeBytes: number;
  /** As its author calls it; "" for nothing. */
  readonly name: string;
  /** A media type in lower case, without parameters. */
  readonly mediaType: string;
  /** What it shows, for who cannot see it. */
  readonly description: string;
}

/** Beside an IANA number this one is private: AES-256-GCM as a STREAM of 64 KiB. */
const streamAlgorithm = 0xf0_a5;
const sha256Algorithm = 1;
const mediaKey = "latchkey.media";
const onceKey = "latchkey.once";
const kinds: readonly FileKind[] = ["file", "picture", "video", "audio", "voice"];
const unknownType = "application/octet-stream";

/** The body of a message with files, with its words where it has some, and what of it stands in the extensions. @throws ContentError */
export function filesPart(params: { readonly text: string; readonly files: readonly FilePart[]; readonly isOnce: boolean }): {
  readonly body: NestedPart;
  readonly extensions: readonly (readonly [string, unknown])[];
} {
  const { text, files, isOnce } = params;
  if (!areFiles(files) || (isOnce && !canBeOnce(files))) throw new ContentError("malformed", "these cannot be files of one message");
  const parts = [...(text === "" ? [] : [textPart(text)]), ...files.map((file) => externalOf(file))];
  const [only] = parts;
  const body: NestedPart =
    parts.length === 1 && only !== undefined
      ? only
      : { kind: "multi", disposition: dispositions.render, language: "", semantics: "processAll", parts };
  const looks = files.map(({ kind, width, height, durationMs, thumbhash, peaks }) => [
    kinds.indexOf(kind),
    width ?? null,
    height ?? null,
    durationMs ?? null,
    thumbhash ?? null,
    peaks ?? null,
  ]);
  return { body, extensions: [[mediaKey, looks], ...(isOnce ? [[onceKey, true] as const] : [])] };
}

/** What of content is a message with files. */
export interface FilesBody {
  /** "" where it has no words. */
  readonly text: string;
  readonly files: readonly FilePart[];
  /** It is to be seen once (spec X-8). */
  readonly isOnce: boolean;
}

/**
 * The files of content, with its words; `undefined` where it has none, and "unreadable" where a part of it is kept elsewhere in a way that
 * this version does not know.
 */
export function filesOf({ body, extensions }: Pick<MimiContent, "body" | "extensions">): FilesBody | "unreadable" | undefined {
  const parts = body.kind === "multi" && body.semantics === "processAll" ? body.parts : [body];
  const external = parts.filter((part) => part.kind === "external");
  if (external.length === 0) return undefined;
  const looks: unknown = extensions.get(mediaKey);
  const files = external.map((part, at) => fileOf(part, Array.isArray(looks) ? looks[at] : undefined)).filter((file) => file !== undefined);
  if (files.length < external.length || !areFiles(files)) return "unreadable";
  const others = parts.filter((part) => part.kind !== "external");
  const texts = others.map((part) => textOf(part)).filter((text) => text !== undefined);
  if (texts.length < others.length) return "unreadable";
  return { text: texts.join("\n\n"), files, isOnce: extensions.get(onceKey) === true && canBeOnce(files) };
}

function externalOf(file: FilePart): NestedPart {
  return {
    kind: "external",
    disposition: file.kind === "file" ? dispositions.attachment : dispositions.inline,
    language: "",
    contentType: file.mediaType,
    url: `https://${file.host}${blobPath(toBase64Url(file.blobId))}`,
    expires: 0,
    sizeBytes: file.sizeBytes,
    encryptionAlgorithm: streamAlgorithm,
    key: file.key,
    nonce: file.prefix,
    aad: new Uint8Array(0),
    hashAlgorithm: sha256Algorithm,
    contentHash: file.hash,
    description: file.description.toWellFormed(),
    filename: file.name.toWellFormed(),
  };
}

function fileOf(part: ExternalPart, looks: unknown): FilePart | undefined {
  const place = placeOf(part.url);
  const isKnown = part.encryptionAlgorithm === streamAlgorithm && part.hashAlgorithm === sha256Algorithm && part.aad.length === 0;
  if (place === undefined || !isKnown || part.contentHash.length !== 32) return undefined;
  const [kind, ...told]: unknown[] = Array.isArray(looks) ? looks : [];
  return {
    kind: (typeof kind === "number" ? kinds[kind] : undefined) ?? "file",
    ...place,
    key: part.key.slice(),
    prefix: part.nonce.slice(),
    hash: part.contentHash.slice(),
    sizeBytes: part.sizeBytes,
    name: part.filename.slice(0, maxFileName).toWellFormed(),
    mediaType: mediaTypeOf(part.contentType),
    description: part.description.slice(0, maxFileDescription).toWellFormed(),
    ...looksOf(told),
  };
}

/** What is out of bounds is as if it were not there. */
function looksOf([width, height, durationMs, thumbhash, peaks]: readonly unknown[]): FileLooks {
  const isNumber = (value: unknown, max: number): value is number =>
    typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= max;
  const isBytes = (value: unknown, min: number, max: number): value is Uint8Array =>
    value instanceof Uint8Array && value.length >= min && value.length <= max;
  return {
    ...(isNumber(width, 65_535) && isNumber(height, 65_535) ? { width, height } : {}),
    ...(isNumber(durationMs, 0xffff_ffff) ? { durationMs } : {}),
    ...(isBytes(thumbhash, 5, 32) ? { thumbhash: thumbhash.slice() } : {}),
    ...(isBytes(peaks, 1, 64) ? { peaks: peaks.slice() } : {}),
  };
}

/** The host and the blob that an address names, if it is one of ours, written as we write it. */
function placeOf(url: string): { readonly host: string; readonly blobId: Uint8Array } | undefined {
  const [, host = "", path = ""] = /^https:\/\/([^/]{1,253})(\/.{1,100})$/.exec(url) ?? [];
  const id = path.slice(path.lastIndexOf("/") + 1);
  if (!isHost(host) || path !== blobPath(id)) return undefined;
  try {
    const blobId = fromBase64Url(id);
    return blobId.length === 32 ? { host, blobId } : undefined;
  } catch {
    return undefined;
  }
}

function areFiles(files: readonly FilePart[]): boolean {
  const ids = new Set(files.map(({ blobId }) => toBase64Url(blobId)));
  return files.length > 0 && files.length <= maxFiles && ids.size === files.length && files.every((file) => isFile(file));
}

function isFile({ host, blobId, key, prefix, hash, sizeBytes, name, mediaType, description }: FilePart): boolean {
  return (
    isHost(host) &&
    blobId.length === 32 &&
    key.length === fileKeyBytes &&
    prefix.length === filePrefixBytes &&
    hash.length === 32 &&
    Number.isSafeInteger(sizeBytes) &&
    sizeBytes >= 0 &&
    sizeBytes <= maxFileBytes &&
    name.length <= maxFileName &&
    description.length <= maxFileDescription &&
    isMediaType(mediaType)
  );
}

/** One picture, video or voice message and nothing else. */
function canBeOnce(files: readonly FilePart[]): boolean {
  return files.length === 1 && files.every(({ kind }) => kind === "picture" || kind === "video" || kind === "voice");
}

/** The media type in what somebody calls one: in lower case, without parameters; `application/octet-stream` where it is none. */
export function mediaTypeOf(text: string): string {
  const mediaType = text.split(";")[0]?.trim().toLowerCase() ?? "";
  return isMediaType(mediaType) ? mediaType : unknownType;
}

function isMediaType(text: string): boolean {
  return text.length <= 127 && /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/.test(text);
}
