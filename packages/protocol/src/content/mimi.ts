import { concatBytes, equalBytes, utf8Bytes } from "@latchkey/codec";
import { maxContentBytes } from "../limits.ts";
import type { Sha256 } from "../log-chain.ts";
import { CborTag, decodeCbor, encodeCbor } from "./cbor.ts";
import { ContentError } from "./errors.ts";

/** Most body parts of one message (draft-ietf-mimi-content-08 section 9.1). */
export const maxContentParts = 1024;
/** Deepest nesting of body parts (draft-ietf-mimi-content-08 section 6.3). */
export const maxContentDepth = 4;
const maxTopicBytes = 4096;
const maxExtensionDepth = 4;

/** Values of a part's disposition (section 4.4). Others, to 255, are read as `render`. */
export const dispositions = {
  unspecified: 0,
  render: 1,
  reaction: 2,
  profile: 3,
  inline: 4,
  icon: 5,
  attachment: 6,
  session: 7,
  preview: 8,
} as const;

/** When a message is to be deleted: so many seconds after it was read, or at that many seconds since 1970. */
export interface Expiration {
  readonly relative: boolean;
  readonly seconds: number;
}

/** How the parts of a multi-part body belong together. */
export type PartSemantics = "chooseOne" | "singleUnit" | "processAll";

/** Content kept elsewhere (section 4.5). `sizeBytes` and `expires` (seconds since 1970) are 0 where unknown. */
export interface ExternalPart {
  readonly contentType: string;
  readonly url: string;
  readonly expires: number;
  readonly sizeBytes: number;
  readonly encryptionAlgorithm: number;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  readonly hashAlgorithm: number;
  readonly contentHash: Uint8Array;
  readonly description: string;
  readonly filename: string;
}

/** A body part (section 4.4). */
export type NestedPart = { readonly disposition: number; readonly language: string } & (
  | { readonly kind: "null" }
  | { readonly kind: "single"; readonly contentType: string; readonly content: Uint8Array }
  | ({ readonly kind: "external" } & ExternalPart)
  | { readonly kind: "multi"; readonly semantics: PartSemantics; readonly parts: readonly NestedPart[] }
);

/** A message as draft-ietf-mimi-content-08 section 4.1 has it. */
export interface MimiContent {
  /** 16 random bytes. */
  readonly salt: Uint8Array;
  /** The message that this one replaces or, with a null part, deletes. */
  readonly replaces: Uint8Array | undefined;
  /** Empty for none. */
  readonly topicId: Uint8Array;
  readonly expires: Expiration | undefined;
  readonly inReplyTo: Uint8Array | undefined;
  /** Keys are integers or text of 1 to 255 bytes; values any CBOR, maps as Map. */
  readonly extensions: ReadonlyMap<number | string, unknown>;
  readonly body: NestedPart;
}

/** Deterministic CBOR. @throws ContentError */
export function encodeContent(content: MimiContent): Uint8Array {
  checkContent(content);
  const { before, after } = aroundExtensions(content);
  const encoded = concatBytes(before, encodeCbor(new Map(content.extensions)), after);
  if (encoded.length > maxContentBytes) throw new ContentError("too_large", "the message is too large");
  return encoded;
}

/** @throws ContentError for anything but deterministic CBOR of the draft's shape within the limits. */
export function decodeMimiContent(bytes: Uint8Array): MimiContent {
  if (bytes.length > maxContentBytes) throw new ContentError("too_large", "the message is too large");
  const fields = arrayOf(decodeCbor(bytes), 7);
  const [salt, replaces, topicId, expires, inReplyTo, extensions, body] = fields;
  const content: MimiContent = {
    salt: bytesOf(salt),
    replaces: optionalOf(replaces, bytesOf),
    topicId: bytesOf(topicId),
    expires: optionalOf(expires, parseExpiration),
    inReplyTo: optionalOf(inReplyTo, bytesOf),
    extensions: parseExtensions(extensions),
    body: parsePart(body, 1, { parts: 0 }),
  };
  checkContent(content);
  // Integers written as floats decode alike; around the extensions only one encoding is right.
  const { before, after } = aroundExtensions(content);
  const deterministic =
    equalBytes(bytes.subarray(0, before.length), before) && equalBytes(bytes.subarray(bytes.length - after.length), after);
  if (!deterministic) throw new ContentError("malformed", "not deterministic CBOR");
  return content;
}

/**
 * The 32-byte id of a message (section 3.3): 0x01 for SHA-256, then the first 31 bytes of the hash. `content` is the
 * encoding exactly as sent.
 */
export function messageIdOf(params: {
  sha256: Sha256;
  senderUri: string;
  roomUri: string;
  content: Uint8Array;
  salt: Uint8Array;
}): Uint8Array {
  const withLength = (uri: string): Uint8Array => {
    const bytes = utf8Bytes(uri);
    if (bytes.length > 0xffff) throw new ContentError("too_large", "a URI is too long");
    return concatBytes(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
  };
  const hash = params.sha256(concatBytes(withLength(params.senderUri), withLength(params.roomUri), params.content, params.salt));
  return concatBytes(new Uint8Array([1]), hash.subarray(0, 31));
}

const semanticsNumbers: readonly PartSemantics[] = ["chooseOne", "singleUnit", "processAll"];

function aroundExtensions(content: MimiContent): { before: Uint8Array; after: Uint8Array } {
  const { expires } = content;
  const fields = [
    content.salt,
    content.replaces ?? null,
    content.topicId,
    expires === undefined ? null : [expires.relative, expires.seconds],
    content.inReplyTo ?? null,
  ];
  return {
    // An array of seven items.
    before: concatBytes(new Uint8Array([0x87]), ...fields.map((field) => encodeCbor(field))),
    after: encodeCbor(partFields(content.body)),
  };
}

function partFields(part: NestedPart): unknown[] {
  const head = [part.disposition, part.language];
  switch (part.kind) {
    case "null":
      return [...head, 0];
    case "single":
      return [...head, 1, part.contentType, part.content];
    case "external":
      return [
        ...head,
        2,
        part.contentType,
        part.url,
        part.expires,
        part.sizeBytes,
        part.encryptionAlgorithm,
        part.key,
        part.nonce,
        part.aad,
        part.hashAlgorithm,
        part.contentHash,
        part.description,
        part.filename,
      ];
    case "multi":
      return [...head, 3, semanticsNumbers.indexOf(part.semantics), part.parts.map((inner) => partFields(inner))];
  }
}

function parsePart(value: unknown, depth: number, count: { parts: number }): NestedPart {
  if (depth > maxContentDepth) throw new ContentError("too_deep", "parts are nested too deeply");
  if (++count.parts > maxContentParts) throw new ContentError("too_large", "too many parts");
  const fields = arrayOf(value);
  const [disposition, language, cardinality] = fields;
  const head = { disposition: uintOf(disposition, 255), language: textOf(language) };
  switch (cardinality) {
    case 0:
      arrayOf(fields, 3);
      return { ...head, kind: "null" };
    case 1: {
      const [, , , contentType, content] = arrayOf(fields, 5);
      return { ...head, kind: "single", contentType: textOf(contentType), content: bytesOf(content) };
    }
    case 2: {
      const [, , , contentType, url, expires, size, algorithm, key, nonce, aad, hashAlgorithm, hash, description, filename] = arrayOf(
        fields,
        15,
      );
      return {
        ...head,
        kind: "external",
        contentType: textOf(contentType),
        url: textOf(url),
        expires: uintOf(expires, 0xffff_ffff),
        sizeBytes: uintOf(size, Number.MAX_SAFE_INTEGER),
        encryptionAlgorithm: uintOf(algorithm, 0xffff),
        key: bytesOf(key),
        nonce: bytesOf(nonce),
        aad: bytesOf(aad),
        hashAlgorithm: uintOf(hashAlgorithm, 255),
        contentHash: bytesOf(hash),
        description: textOf(description),
        filename: textOf(filename),
      };
    }
    case 3: {
      const [, , , number, parts] = arrayOf(fields, 5);
      const semantics = semanticsNumbers[uintOf(number, 2)];
      if (semantics === undefined) throw malformed();
      return { ...head, kind: "multi", semantics, parts: arrayOf(parts).map((inner) => parsePart(inner, depth + 1, count)) };
    }
    default:
      throw malformed();
  }
}

function parseExpiration(value: unknown): Expiration {
  const [relative, seconds] = arrayOf(value, 2);
  if (typeof relative !== "boolean") throw malformed();
  return { relative, seconds: uintOf(seconds, 0xffff_ffff) };
}

function parseExtensions(value: unknown): ReadonlyMap<number | string, unknown> {
  if (!(value instanceof Map)) throw malformed();
  const extensions = new Map<number | string, unknown>();
  for (const [key, item] of value) {
    if (typeof key !== "number" && typeof key !== "string") throw malformed();
    extensions.set(key, item);
  }
  return extensions;
}

/** What holds for content of either direction beyond its shape. */
function checkContent(content: MimiContent): void {
  const isId = (id: Uint8Array | undefined): boolean => id === undefined || (id.length === 32 && id[0] === 1);
  if (content.salt.length !== 16 || !isId(content.replaces) || !isId(content.inReplyTo)) throw malformed();
  if (content.topicId.length > maxTopicBytes) throw new ContentError("too_large", "the topic's id is too long");
  if (content.expires !== undefined) uintOf(content.expires.seconds, 0xffff_ffff);
  for (const [key, value] of content.extensions) {
    checkKey(key);
    checkExtension(value, 2);
    if ((key === 1 || key === 2) && typeof value !== "string") throw malformed();
  }
  checkPart(content.body, 1, { parts: 0 });
}

function checkPart(part: NestedPart, depth: number, count: { parts: number }): void {
  if (depth > maxContentDepth) throw new ContentError("too_deep", "parts are nested too deeply");
  if (++count.parts > maxContentParts) throw new ContentError("too_large", "too many parts");
  uintOf(part.disposition, 255);
  if (part.kind !== "multi") return;
  if (part.parts.length < 2) throw malformed();
  for (const inner of part.parts) checkPart(inner, depth + 1, count);
}

function checkKey(key: unknown): void {
  const valid =
    typeof key === "number" ? Number.isSafeInteger(key) : typeof key === "string" && key.length > 0 && utf8Bytes(key).length <= 255;
  if (!valid) throw malformed();
}

function checkExtension(value: unknown, depth: number): void {
  let inner: Iterable<unknown>;
  if (Array.isArray(value)) inner = value;
  else if (value instanceof CborTag) inner = [value.contents];
  else if (value instanceof Map) {
    for (const key of value.keys()) {
      const valid = typeof key === "number" ? Number.isSafeInteger(key) : typeof key === "string" || key instanceof Uint8Array;
      if (!valid) throw malformed();
    }
    inner = value.values();
  } else return;
  if (depth > maxExtensionDepth) throw new ContentError("too_deep", "an extension is nested too deeply");
  for (const item of inner) checkExtension(item, depth + 1);
}

function malformed(): ContentError {
  return new ContentError("malformed", "not the shape of a message");
}

function arrayOf(value: unknown, length?: number): readonly unknown[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length)) throw malformed();
  return value;
}

function bytesOf(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed();
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw malformed();
  return value;
}

function uintOf(value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > max || Object.is(value, -0)) throw malformed();
  return value;
}

function optionalOf<T>(value: unknown, parse: (value: unknown) => T): T | undefined {
  return value === null ? undefined : parse(value);
}
