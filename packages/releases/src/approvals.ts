import { concatBytes, equalBytes, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { approvalRules } from "@latchkey/protocol/desk";
import type { ApprovalRule } from "@latchkey/protocol/desk";
import { sha256 } from "@noble/hashes/sha2.js";
import { JsonReader } from "./json-reader.ts";

const format = "latchkey/release-approvals/1";
const signatureFormat = "latchkey/release-signature/1";
const maxKeyBytes = 1400;
/** Longest part of what a passkey answers, in bytes. */
export const maxAnswerBytes = 8192;
const maxApprovals = 8;
const longestName = 200;

/** As what somebody approved. */
export const approverRoles = ["moderator", "reviewer", "outside"] as const;
/** One of them. */
export type ApproverRole = (typeof approverRoles)[number];
/** How long one person alone waits, milliseconds by the server's guarded clock. */
export const waitMs = 86_400_000;

/** What a passkey answered (WebAuthn Level 3 §5.2.2); its challenge is the release's digest. */
export interface Assertion {
  readonly clientDataJson: Uint8Array;
  readonly authenticatorData: Uint8Array;
  readonly signature: Uint8Array;
}

/** One person's approval. */
export interface Approval {
  readonly who: string;
  readonly role: ApproverRole;
  readonly atMs: number;
  /** The passkey: its id, base64url, and its public key, COSE. */
  readonly credential: string;
  readonly publicKey: Uint8Array;
  readonly assertion: Assertion;
}

/** All approvals of a release. */
export interface Approvals {
  readonly rule: ApprovalRule;
  readonly releasedAtMs: number;
  readonly approvals: readonly Approval[];
}

/** The bytes of a release's approvals. */
export function encodeApprovals({ rule, releasedAtMs, approvals }: Approvals): Uint8Array {
  const json = {
    format,
    rule,
    releasedAtMs,
    approvals: approvals.map(({ who, role, atMs, credential, publicKey, assertion }) => ({
      who,
      role,
      atMs,
      credential,
      publicKey: toBase64Url(publicKey),
      clientDataJson: toBase64Url(assertion.clientDataJson),
      authenticatorData: toBase64Url(assertion.authenticatorData),
      signature: toBase64Url(assertion.signature),
    })),
  };
  return utf8Bytes(`${JSON.stringify(json, undefined, 1)}\n`);
}

/** @throws ReleaseError `malformed` */
export function decodeApprovals(bytes: Uint8Array): Approvals {
  return JsonReader.parse(bytes, (reader) => {
    reader.choice("format", [format]);
    return {
      rule: reader.choice("rule", approvalRules),
      releasedAtMs: reader.whole("releasedAtMs"),
      approvals: reader.objects("approvals", maxApprovals, (one) => ({
        who: one.text("who", longestName),
        role: one.choice("role", approverRoles),
        atMs: one.whole("atMs"),
        credential: one.text("credential", 2 * maxKeyBytes),
        publicKey: one.bytes("publicKey", maxKeyBytes),
        assertion: {
          clientDataJson: one.bytes("clientDataJson", maxAnswerBytes),
          authenticatorData: one.bytes("authenticatorData", maxAnswerBytes),
          signature: one.bytes("signature", maxAnswerBytes),
        },
      })),
    };
  });
}

/** What is missing for a release: nothing, or why these approvals are not enough. */
export type ApprovalGap = "too-few" | "same-person" | "outside-missing" | "wait-missing";

/**
 * Whether approvals that each hold by themselves are enough together. People are told apart by name and by passkey: nobody is two.
 * @param nowMs when it is released, by the guarded clock
 */
export function approvalGap({ rule, approvals }: Pick<Approvals, "rule" | "approvals">, nowMs: number): ApprovalGap | undefined {
  const isOnce = (values: readonly string[]): boolean => new Set(values).size === values.length;
  if (!isOnce(approvals.map(({ who }) => who)) || !isOnce(approvals.map(({ credential }) => credential))) return "same-person";
  if (approvals.some((one, at) => approvals.slice(0, at).some((other) => equalBytes(one.publicKey, other.publicKey)))) return "same-person";
  const staff = approvals.filter(({ role }) => role !== "outside");
  const [first] = staff;
  if (first === undefined) return "too-few";
  switch (rule) {
    case "two-staff":
      return staff.length >= 2 ? undefined : "too-few";
    case "staff-and-outside":
      return approvals.length > staff.length ? undefined : "outside-missing";
    case "staff-and-wait":
      return nowMs - first.atMs >= waitMs ? undefined : "wait-missing";
  }
}

/** The operator's signature over a whole release. */
export interface ReleaseSignature {
  /** Ed25519: the desk's, which stands in the host's public record. */
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

/** What the operator signs: the manifest, by its hash, with the approvals, by theirs. */
export function releaseTbs(manifestBytes: Uint8Array, approvalsBytes: Uint8Array): Uint8Array {
  return concatBytes(utf8Bytes(signatureFormat), Uint8Array.of(0), sha256(manifestBytes), sha256(approvalsBytes));
}

/** The bytes of the operator's signature. */
export function encodeSignature({ key, signature }: ReleaseSignature): Uint8Array {
  return utf8Bytes(
    `${JSON.stringify({ format: signatureFormat, key: toBase64Url(key), signature: toBase64Url(signature) }, undefined, 1)}\n`,
  );
}

/** @throws ReleaseError `malformed` */
export function decodeSignature(bytes: Uint8Array): ReleaseSignature {
  return JsonReader.parse(bytes, (reader) => {
    reader.choice("format", [signatureFormat]);
    return { key: reader.bytes("key", 32), signature: reader.bytes("signature", 64) };
  });
}
