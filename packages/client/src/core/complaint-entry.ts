import { CodecError, decode, encode, equalBytes } from "@latchkey/codec";
import { complaintCodec, entryId, zeroHash } from "@latchkey/protocol";
import type { Complaint } from "@latchkey/protocol";
import { signedCodec, signedContent } from "@latchkey/transparency";
import type { Signatures, Signed } from "@latchkey/transparency";
import { sealEnvelope } from "../group/envelope.ts";
import { isSameDevice, leafOf } from "./roster.ts";
import type { Turn } from "./turn.ts";
import type { ClosedEpoch, EpochKeys, Roster, RosterLeaf, SealedEntry } from "./types.ts";

const nothing = new Uint8Array(0);

/** A fresh key package by which this device can be let in, and the inbox for the Welcome. */
export type FreshKeys = Pick<Complaint, "keyPackage" | "inboxId" | "inboxKey">;

/** What this device says of a commit in the epoch that it ended, signed and sealed (spec G-4). */
export async function sealComplaint(
  turn: Turn,
  { epochId, envelope }: Pick<EpochKeys, "epochId" | "envelope">,
  said: FreshKeys & Pick<Complaint, "seq" | "authorId" | "reason" | "at" | "leafKeys">,
): Promise<SealedEntry> {
  const { logId, chain } = turn.state;
  const { self, random, sha256, signatures } = turn.context;
  const { accountId, deviceId } = self;
  const body = encode(complaintCodec, { format: 1, logId, epochId, accountId, deviceId, ...said, ext: nothing });
  const signature = await signatures.sign(self.signatureKeyPair.secretKey, signedContent("Complaint", body));
  const { blob, external } = sealEnvelope({
    key: envelope,
    logId,
    epochId,
    kind: "complaint",
    body: {
      seq: chain.seq,
      mlsMessage: nothing,
      directoryProofs: nothing,
      settings: nothing,
      complaint: encode(signedCodec, { body, signature }),
      leaves: nothing,
    },
    random,
    sha256,
  });
  if (external !== undefined) throw new Error("a complaint fits an entry");
  return { entryId: entryId(sha256, { epochId, kind: "complaint", nextAccessHash: zeroHash, blob }), epochId, blob, blobs: [] };
}

/** What a complaint says, whoever signed it; `undefined` for none. */
export function parseComplaint(signed: Uint8Array): (Signed & { readonly complaint: Complaint }) | undefined {
  try {
    const { body, signature } = decode(signedCodec, signed);
    return { body, signature, complaint: decode(complaintCodec, body) };
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

/** A complaint in this log by a member, and the leaf by whose key it is signed. */
export async function verifyComplaint(
  signed: Uint8Array,
  { logId, roster, signatures }: { readonly logId: Uint8Array; readonly roster: Roster; readonly signatures: Signatures },
): Promise<{ readonly complaint: Complaint; readonly leaf: RosterLeaf } | undefined> {
  const parsed = parseComplaint(signed);
  if (parsed === undefined || !equalBytes(parsed.complaint.logId, logId)) return undefined;
  const { complaint, body, signature } = parsed;
  const leaf = leafOf(roster, complaint);
  if (leaf === undefined) return undefined;
  return (await signatures.verify(leaf.signaturePublicKey, signedContent("Complaint", body), signature)) ? { complaint, leaf } : undefined;
}

/** A complaint in this log by a member of a closed epoch who is in the group no more. */
export async function verifyOfGone(
  signed: Uint8Array,
  { gone }: Pick<ClosedEpoch, "gone">,
  { logId, signatures }: { readonly logId: Uint8Array; readonly signatures: Signatures },
): Promise<{ readonly complaint: Complaint } | undefined> {
  const parsed = gone.length === 0 ? undefined : parseComplaint(signed);
  if (parsed === undefined || !equalBytes(parsed.complaint.logId, logId)) return undefined;
  const { complaint, body, signature } = parsed;
  const member = gone.find((one) => isSameDevice(one, complaint));
  if (member === undefined) return undefined;
  return (await signatures.verify(member.signaturePublicKey, signedContent("Complaint", body), signature)) ? { complaint } : undefined;
}
