import { equalBytes } from "@latchkey/codec";
import { unzipSync, zipSync } from "fflate";
import { ReleaseError } from "./errors.ts";
import { maxReleaseFiles } from "./manifest.ts";

const [manifestName, approvalsName, signatureName, folder] = ["manifest.json", "approvals.json", "signature.json", "content/"];
/** Largest release, in bytes: what one process can hold and hash at once. */
export const maxReleaseBytes = 1_000_000_000;

/** The parts of a release file, as bytes. */
export interface ReleaseParts {
  readonly manifest: Uint8Array;
  readonly approvals: Uint8Array;
  readonly signature?: Uint8Array;
  /** By name, without the folder. */
  readonly content: ReadonlyMap<string, Uint8Array>;
}

/**
 * Writes a release as a ZIP: the same bytes for the same parts, whenever and in whatever time zone. Entries are stored as they are, so that
 * no compressor's version is in the bytes; their time is a fixed one, put together from local parts since ZIP has local time.
 */
export function zipRelease({ manifest, approvals, signature, content }: ReleaseParts): Uint8Array {
  const entries: [string, Uint8Array][] = [
    [manifestName, manifest],
    [approvalsName, approvals],
    ...(signature === undefined ? [] : [[signatureName, signature] satisfies [string, Uint8Array]]),
    ...[...content]
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, bytes]) => [`${folder}${name}`, bytes] satisfies [string, Uint8Array]),
  ];
  return zipSync(Object.fromEntries(entries), { level: 0, os: 3, attrs: 0o100600 << 16, mtime: new Date(1980, 0, 1, 12) });
}

/** A release file that was read. */
export interface ReadRelease {
  readonly parts: ReleaseParts;
  /** Entries that are none of a release. */
  readonly strangers: readonly string[];
  /** Whether the file holds these parts and no byte besides. */
  readonly isAsWritten: boolean;
}

/** Reads a release file; says nothing of what it is worth. @throws ReleaseError */
export function unzipRelease(file: Uint8Array): ReadRelease {
  if (file.length > maxReleaseBytes) throw new ReleaseError("too_large", "The file is too large for a release.");
  const entries = unzip(file);
  const [manifest, approvals, signature] = [entries.get(manifestName), entries.get(approvalsName), entries.get(signatureName)];
  if (manifest === undefined || approvals === undefined) throw new ReleaseError("malformed", "The file holds no manifest or no approvals.");
  const content = new Map<string, Uint8Array>();
  const strangers: string[] = [];
  for (const [name, bytes] of entries) {
    if (name.startsWith(folder)) content.set(name.slice(folder.length), bytes);
    else if (name !== manifestName && name !== approvalsName && name !== signatureName) strangers.push(name.slice(0, 200));
  }
  const parts = { manifest, approvals, ...(signature === undefined ? {} : { signature }), content };
  return { parts, strangers, isAsWritten: strangers.length === 0 && equalBytes(zipRelease(parts), file) };
}

function unzip(file: Uint8Array): ReadonlyMap<string, Uint8Array> {
  let count = 0;
  try {
    const entries = unzipSync(file, {
      filter({ compression, originalSize, size }) {
        count += 1;
        // Stored only: what is small here and large when it is read was not written by us.
        if (count > maxReleaseFiles + 3 || compression !== 0 || originalSize !== size || size > file.length) {
          throw new ReleaseError("malformed", "The file is not written as a release is.");
        }
        return true;
      },
    });
    return new Map(Object.entries(entries));
  } catch (cause) {
    throw cause instanceof ReleaseError ? cause : new ReleaseError("malformed", "The file is no ZIP archive that can be read.", { cause });
  }
}
