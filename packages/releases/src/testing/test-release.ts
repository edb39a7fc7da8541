import { toHex, utf8Bytes } from "@latchkey/codec";
import type { ApprovalRule } from "@latchkey/protocol/desk";
import { sha256 } from "@noble/hashes/sha2.js";
import { encodeApprovals, encodeSignature, releaseTbs } from "../approvals.ts";
import type { Approval } from "../approvals.ts";
import { zipRelease } from "../file.ts";
import { encodeManifest, releaseDigest } from "../manifest.ts";
import type { ReleaseFile, ReleaseManifest } from "../manifest.ts";
import { TestPasskey } from "./test-passkey.ts";

/** The page at which test approvals are made, and when. */
export const testOrigin = "https://chat.example";
/** Milliseconds since 1970. */
export const testNowMs = 1_780_000_000_000;
/** What is held of the account. */
export const testHoldings: Uint8Array = utf8Bytes('{"account_id":"AAAA"}');
/** The letter that comes with it. */
export const testLetter: Uint8Array = utf8Bytes("%PDF-1.7 letter");

/** Name, hash and size of a file, as a manifest names it. */
export function fileOf(name: string, bytes: Uint8Array): Pick<ReleaseFile, "name" | "sha256" | "sizeBytes"> {
  return { name, sha256: toHex(sha256(bytes)), sizeBytes: bytes.length };
}

/** A manifest of both. */
export const testManifest: ReleaseManifest = {
  releaseId: "AAAAAAAAAAAAAAAAAAAAAA",
  host: "chat.example",
  desk: { origin: testOrigin, rpId: "chat.example" },
  request: {
    number: 7,
    reference: "12 Js 34/26",
    authority: "Staatsanwaltschaft",
    country: "DE",
    type: "eu-production",
    basis: "Art. 5",
    receivedAt: "2026-11-28T10:00:00Z",
  },
  asked: { identifiers: ["anna"], categories: ["subscriber"], from: "2026-11-01" },
  preparedBy: "Ines",
  preparedAt: "2026-11-29T10:00:00Z",
  files: [
    { ...fileOf("account-1.json", testHoldings), kind: "holdings", accountId: "AAAA", asOf: "2026-11-29T10:00:00Z", leftOut: ["devices"] },
    { ...fileOf("letter-1.pdf", testLetter), kind: "letter" },
  ],
  notHeld: ["Content: the server has no key."],
};

/** Both by their names. */
export const testContent: ReadonlyMap<string, Uint8Array> = new Map([
  ["account-1.json", testHoldings],
  ["letter-1.pdf", testLetter],
]);

/** A release as a desk makes one, with what is to be wrong with it. */
export interface TestRelease {
  readonly manifest?: ReleaseManifest;
  readonly content?: ReadonlyMap<string, Uint8Array>;
  readonly rule?: ApprovalRule;
  readonly releasedAtMs?: number;
  approve?(digest: Uint8Array): Promise<readonly Approval[]>;
  /** In place of the manifest that was approved. */
  readonly alteredAfter?: ReleaseManifest;
  readonly isUnsigned?: boolean;
}

/** Makes a release file, and says by which operator's key. */
export async function makeRelease(parts: TestRelease = {}): Promise<{ readonly zip: Uint8Array; readonly key: Uint8Array }> {
  const operator = await TestPasskey.create();
  const approved = encodeManifest(parts.manifest ?? testManifest);
  const approvals = await (parts.approve ?? approvedByTwo)(releaseDigest(approved));
  const manifest = parts.alteredAfter === undefined ? approved : encodeManifest(parts.alteredAfter);
  const { rule = "two-staff", releasedAtMs = testNowMs + 10 } = parts;
  const encoded = encodeApprovals({ rule, releasedAtMs, approvals });
  const { key, signature } = await operator.sign(releaseTbs(manifest, encoded));
  const zip = zipRelease({
    manifest,
    approvals: encoded,
    ...(parts.isUnsigned === true ? {} : { signature: encodeSignature({ key, signature }) }),
    content: parts.content ?? testContent,
  });
  return { zip, key };
}

async function approvedByTwo(digest: Uint8Array): Promise<readonly Approval[]> {
  const [one, other] = await Promise.all([TestPasskey.create(), TestPasskey.create()]);
  return Promise.all([
    one.approve({ digest, origin: testOrigin, who: "Ana", atMs: testNowMs }),
    other.approve({ digest, origin: testOrigin, who: "Ben", atMs: testNowMs + 5 }),
  ]);
}
