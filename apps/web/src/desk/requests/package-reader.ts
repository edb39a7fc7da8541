import { fromBase64Url, toHex } from "@latchkey/client/bytes";
import { decodeManifest, ReleaseError, releaseDigest } from "@latchkey/releases/reading";
import type { ReleaseFile, ReleaseManifest } from "@latchkey/releases/reading";
import type { AskDesk, DeskRefusal, DeskResult } from "../office/desk-api.ts";
import { sha256 } from "../sha256.ts";

/** A file of a release, as this browser read it. */
export interface PackageFile extends Pick<ReleaseFile, "name" | "kind" | "sizeBytes"> {
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
  /** What an approval signs (rule F-7). */
  readonly digest: Uint8Array;
  /** The manifest's own text. */
  readonly manifest: string;
  readonly files: readonly PackageFile[];
  /** What was asked and is not held, in English. */
  readonly notHeld: readonly string[];
  /** Whether every file is as the manifest names it. */
  readonly isWhole: boolean;
}

/** Why nothing is shown of a release: not all of it came, which says nothing of it, or its manifest is none. */
export type NotRead = DeskRefusal | "no_package";

/** What came of reading a release. */
export type PackageRead = { readonly kind: "seen"; readonly seen: PackageSeen } | { readonly kind: "failed"; readonly code: NotRead };

/** Fetches a file of a release by its name. */
export type FetchFile = (name: string) => Promise<DeskResult<Uint8Array>>;

/**
 * Reads a release and makes every hash again: what the server says of it counts for nothing here. What did not come is no other file than
 * the one that was named: then nothing is known, and it is read again.
 * @param manifest its bytes, which name all of it
 */
export async function readPackage(manifest: Uint8Array, fetchFile: FetchFile): Promise<PackageRead> {
  const said = manifestOf(manifest);
  if (said === undefined) return { kind: "failed", code: "no_package" };
  const files: PackageFile[] = [];
  for (const { name, kind, sha256: hash, isPreserved = false, leftOut = [], notKept = [] } of said.files) {
    const result = await fetchFile(name);
    if (result.kind === "refused") return { kind: "failed", code: result.code };
    const bytes = result.value;
    const isAsNamed = toHex(await sha256(bytes)) === hash;
    files.push({ name, kind, sizeBytes: bytes.length, isAsNamed, bytes, isPreserved, leftOut, notKept });
  }
  const seen = {
    digest: releaseDigest(manifest),
    manifest: new TextDecoder().decode(manifest),
    files,
    notHeld: said.notHeld,
    isWhole: files.every(({ isAsNamed }) => isAsNamed),
  };
  return { kind: "seen", seen };
}

/** Reads what would be released upon a request, for whoever works at the desk. */
export async function readPackageOfRequest(ask: AskDesk, number: number): Promise<PackageRead> {
  const fetchFile: FetchFile = async (name) => bytesOf(await ask("request-package-file", { number, name }));
  const manifest = await fetchFile("manifest.json");
  return manifest.kind === "done" ? await readPackage(manifest.value, fetchFile) : { kind: "failed", code: manifest.code };
}

/** The same for somebody outside, by the key that their passkey opened. @param manifest as it came with that */
export async function readPackageOutside(ask: AskDesk, { key, manifest }: { key: string; manifest: string }): Promise<PackageRead> {
  return await readPackage(new TextEncoder().encode(manifest), async (name) => bytesOf(await ask("outside-file", { key, name })));
}

function manifestOf(bytes: Uint8Array): ReleaseManifest | undefined {
  try {
    return decodeManifest(bytes);
  } catch (error) {
    if (error instanceof ReleaseError) return undefined;
    throw error;
  }
}

function bytesOf(result: DeskResult<{ readonly bytes: string }>): DeskResult<Uint8Array> {
  if (result.kind === "refused") return result;
  try {
    return { kind: "done", value: fromBase64Url(result.value.bytes) };
  } catch {
    // What was cut short or changed on its way is as good as no answer.
    return { kind: "refused", code: "no_answer", waitMs: 0 };
  }
}
