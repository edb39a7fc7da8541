import { concatBytes, utf8Bytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { ReleaseError } from "./errors.ts";
import { JsonReader } from "./json-reader.ts";

const format = "latchkey/release/1";
/** Accounts and letters of one release. */
export const maxReleaseFiles = 200;
/** Names of files in a release, within its folder `content/`. */
export const releaseFileName: RegExp = /^[a-z0-9][a-z0-9._-]{0,99}$/u;
const textLimits = { short: 200, reference: 1000, identifier: 1000, list: 500, path: 300 } as const;
const sha256Hex = /^[0-9a-f]{64}$/u;

/** What one file of a release is. */
export const releaseFileKinds = ["holdings", "letter", "document"] as const;

/** One file of a release. */
export interface ReleaseFile {
  /** Under `content/`. */
  readonly name: string;
  readonly kind: (typeof releaseFileKinds)[number];
  /** Lower-case hex. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Of holdings: whose, base64url. */
  readonly accountId?: string;
  /** Of holdings: of which moment, ISO 8601 in UTC. */
  readonly asOf?: string;
  /** Of holdings: kept when the request came in (a preserved copy), and not read when it was answered. */
  readonly isPreserved?: boolean;
  /** Of a preserved copy that another request had kept: that request's number at this server. */
  readonly keptFor?: number;
  /** Of such a copy: what was held then and is not in it, since that request did not ask for it, as paths of the inventory. */
  readonly notKept?: readonly string[];
  /** Of holdings: what is held and was not ordered, as paths of the inventory; absent from the file. */
  readonly leftOut?: readonly string[];
}

/** What a release says of itself; approvals are over exactly these bytes, which name every file by its hash (rule F-7). */
export interface ReleaseManifest {
  /** Random: two releases of one request are two. Base64url of 16 bytes. */
  readonly releaseId: string;
  /** The server's public name. */
  readonly host: string;
  /** The page at which passkeys approve: its origin, and the name that passkeys are for. */
  readonly desk: { readonly origin: string; readonly rpId: string };
  readonly request: {
    readonly number: number;
    /** The authority's own. */
    readonly reference: string;
    readonly authority: string;
    /** ISO 3166-1 alpha-2. */
    readonly country: string;
    readonly type: string;
    readonly basis: string;
    /** ISO 8601. */
    readonly receivedAt: string;
  };
  /** What is answered: as it was asked, or as it was narrowed. */
  readonly asked: {
    readonly identifiers: readonly string[];
    readonly categories: readonly string[];
    /** ISO 8601 days; absent for all times. */
    readonly from?: string;
    readonly until?: string;
  };
  readonly preparedBy: string;
  readonly preparedAt: string;
  readonly files: readonly ReleaseFile[];
  /** What was asked and is not held, in words. */
  readonly notHeld: readonly string[];
}

/** The manifest's bytes. */
export function encodeManifest(manifest: ReleaseManifest): Uint8Array {
  return utf8Bytes(`${JSON.stringify({ format, ...manifest }, undefined, 1)}\n`);
}

/** @throws ReleaseError `malformed` for bytes that `encodeManifest` does not write */
export function decodeManifest(bytes: Uint8Array): ReleaseManifest {
  return JsonReader.parse(bytes, (reader) => {
    reader.choice("format", [format]);
    const manifest: ReleaseManifest = {
      releaseId: reader.text("releaseId", textLimits.short),
      host: reader.text("host", textLimits.short + 60),
      desk: reader.object("desk", (desk) => ({ origin: desk.text("origin", textLimits.path), rpId: desk.text("rpId", textLimits.path) })),
      request: reader.object("request", (request) => ({
        number: request.whole("number"),
        reference: request.text("reference", textLimits.reference),
        authority: request.text("authority", textLimits.reference),
        country: request.text("country", 2),
        type: request.text("type", textLimits.short),
        basis: request.text("basis", textLimits.reference),
        receivedAt: request.text("receivedAt", textLimits.short),
      })),
      asked: reader.object("asked", (asked) => ({
        identifiers: asked.texts("identifiers", { most: textLimits.list, longest: textLimits.identifier }),
        categories: asked.texts("categories", { most: textLimits.list, longest: textLimits.short }),
        ...optionalText(asked, "from", textLimits.short),
        ...optionalText(asked, "until", textLimits.short),
      })),
      preparedBy: reader.text("preparedBy", textLimits.short),
      preparedAt: reader.text("preparedAt", textLimits.short),
      files: reader.objects("files", maxReleaseFiles, readFile),
      notHeld: reader.texts("notHeld", { most: textLimits.list, longest: 2000 }),
    };
    const names = manifest.files.map(({ name }) => name);
    if (new Set(names).size !== names.length) throw new ReleaseError("malformed", "Two files of the release have one name.");
    return manifest;
  });
}

/**
 * What an approval is of: SHA-256 over "latchkey/release/1", a zero byte, and the manifest's bytes. It is the challenge that a passkey signs,
 * and so binds whoever approves to each file, the request and the host.
 */
export function releaseDigest(manifestBytes: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes(format), Uint8Array.of(0), manifestBytes));
}

function readFile(file: JsonReader): ReleaseFile {
  const read = {
    name: file.text("name", textLimits.short),
    kind: file.choice("kind", releaseFileKinds),
    sha256: file.text("sha256", 64),
    sizeBytes: file.whole("sizeBytes"),
    ...optionalText(file, "accountId", textLimits.short),
    ...optionalText(file, "asOf", textLimits.short),
    ...(file.has("isPreserved") ? { isPreserved: file.flag("isPreserved") } : {}),
    ...(file.has("keptFor") ? { keptFor: file.whole("keptFor") } : {}),
    ...(file.has("notKept") ? { notKept: file.texts("notKept", { most: textLimits.list, longest: textLimits.path }) } : {}),
    ...(file.has("leftOut") ? { leftOut: file.texts("leftOut", { most: textLimits.list, longest: textLimits.path }) } : {}),
  };
  if (!releaseFileName.test(read.name) || !sha256Hex.test(read.sha256)) {
    throw new ReleaseError("malformed", "The name or the hash of a file of the release is none.");
  }
  return read;
}

function optionalText<const Name extends string>(reader: JsonReader, name: Name, most: number): Partial<Record<Name, string>> {
  // One key, of this name.
  return reader.has(name) ? ({ [name]: reader.text(name, most) } as Record<Name, string>) : {};
}
