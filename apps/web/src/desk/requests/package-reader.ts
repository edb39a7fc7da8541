import type { AskDesk } from "../office/desk-api.ts";
import { bytesOfBase64Url, hexOf, sha256 } from "./bytes.ts";

/** A file of a release, as this browser read it. */
export interface PackageFile {
  readonly name: string;
  readonly kind: string;
  readonly sizeBytes: number;
  /** Whether its bytes are those that the manifest names by their hash. */
  readonly isAsNamed: boolean;
  readonly bytes: Uint8Array;
  readonly isPreserved: boolean;
  /** What of it is held and does not go out. */
  readonly leftOut: readonly string[];
  /** Of a copy that an order to preserve had kept: what of it was held then and is not in the copy. */
  readonly notKept: readonly string[];
}

/** A release, read in this browser: what goes out, what does not, and what a passkey would sign. */
export interface PackageSeen {
  /** SHA-256 of "latchkey/release/1", a zero byte, and the manifest (rule F-7). */
  readonly digest: Uint8Array;
  /** The manifest's own text. */
  readonly manifest: string;
  readonly files: readonly PackageFile[];
  /** What was asked and is not held, in English. */
  readonly notHeld: readonly string[];
  /** Whether every file is as the manifest names it. */
  readonly isWhole: boolean;
}

/** Fetches a file of a release by its name; `undefined` where it does not come. */
export type FetchFile = (name: string) => Promise<Uint8Array | undefined>;

/** What is read here of a manifest; the rest is shown as it stands. */
interface Manifest {
  readonly files?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly sha256: string;
    readonly isPreserved?: boolean;
    readonly leftOut?: readonly string[];
    readonly notKept?: readonly string[];
  }[];
  readonly notHeld?: readonly string[];
}

const prefix = "latchkey/release/1";

/**
 * Reads a release and makes every hash again: what the server says of it counts for nothing here.
 * @param manifest its bytes, which name all of it
 * @throws Error for bytes that are no manifest
 */
export async function readPackage(manifest: Uint8Array, fetchFile: FetchFile): Promise<PackageSeen> {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(manifest);
  const said = JSON.parse(text) as Manifest;
  const files: PackageFile[] = [];
  for (const { name, kind, sha256: hash, isPreserved = false, leftOut = [], notKept = [] } of said.files ?? []) {
    const bytes = await fetchFile(name);
    const isAsNamed = bytes !== undefined && hexOf(await sha256(bytes)) === hash;
    files.push({ name, kind, sizeBytes: bytes?.length ?? 0, isAsNamed, bytes: bytes ?? new Uint8Array(), isPreserved, leftOut, notKept });
  }
  return {
    digest: await releaseDigest(manifest),
    manifest: text,
    files,
    notHeld: said.notHeld ?? [],
    isWhole: files.every(({ isAsNamed }) => isAsNamed),
  };
}

/** Fetches files of what would be released, for whoever works at the desk. */
export function filesOfRequest(ask: AskDesk, number: number): FetchFile {
  return async (name) => {
    const result = await ask("request-package-file", { number, name });
    return result.kind === "done" ? bytesOfBase64Url(result.value.bytes) : undefined;
  };
}

/** The same for somebody outside, by the key that their passkey opened. */
export function filesOfOutside(ask: AskDesk, key: string): FetchFile {
  return async (name) => {
    const result = await ask("outside-file", { key, name });
    return result.kind === "done" ? bytesOfBase64Url(result.value.bytes) : undefined;
  };
}

/** What an approval of a release signs (rule F-7). */
async function releaseDigest(manifest: Uint8Array): Promise<Uint8Array> {
  const head = new TextEncoder().encode(prefix);
  const input = new Uint8Array(head.length + 1 + manifest.length);
  input.set(head);
  input.set(manifest, head.length + 1);
  return await sha256(input);
}
