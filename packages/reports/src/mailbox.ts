import { concatBytes, decode, encode, equalBytes, utf8Bytes } from "@latchkey/codec";
import type { RandomBytes } from "@latchkey/mls";
import { signedCodec, signedContent } from "@latchkey/transparency";
import type { Signatures } from "@latchkey/transparency";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { reportAnswerCodec, reportReceiptCodec } from "./answers.ts";
import type { ReportAnswer, ReportReceipt } from "./answers.ts";
import { ReportError } from "./errors.ts";
import { parse } from "./seal.ts";

const mailboxLabel = utf8Bytes("latchkey/report-mailbox/1");
const keyLabel = utf8Bytes("latchkey/report-answers/1");
const nonceBytes = 24;

/** Where the answers to a report lie: H(label || reply secret) (spec V-4). */
export function mailboxOf(replySecret: Uint8Array): Uint8Array {
  return sha256(concatBytes(mailboxLabel, replySecret));
}

const answerKeyOf = (replySecret: Uint8Array): Uint8Array => sha256(concatBytes(keyLabel, replySecret));

/** The desk's side: signs what it answers and seals it for whoever has the report's reply secret. */
export async function sealAnswer(params: {
  readonly signatures: Signatures;
  readonly secretKey: Uint8Array;
  readonly random: RandomBytes;
  readonly replySecret: Uint8Array;
  readonly answer: ReportAnswer;
}): Promise<Uint8Array> {
  const { signatures, secretKey, random, replySecret } = params;
  const body = encode(reportAnswerCodec, params.answer);
  const signature = await signatures.sign(secretKey, signedContent("ReportAnswer", body));
  const nonce = random(nonceBytes);
  const cipher = xchacha20poly1305(answerKeyOf(replySecret), nonce, mailboxOf(replySecret));
  return concatBytes(nonce, cipher.encrypt(encode(signedCodec, { body, signature })));
}

/**
 * The reporter's side: an answer of the desk to this report.
 * @param params `deskKeys` signature keys of the desk: the one of now, and those that it had since the report
 * @throws ReportError `unopened`, `malformed`, or `signature` where none of the desk's keys signed it
 */
export async function openAnswer(params: {
  readonly signatures: Signatures;
  readonly deskKeys: readonly Uint8Array[];
  readonly replySecret: Uint8Array;
  readonly reportId: Uint8Array;
  readonly sealed: Uint8Array;
}): Promise<ReportAnswer> {
  const { signatures, deskKeys, replySecret, reportId, sealed } = params;
  let opened: Uint8Array;
  try {
    const cipher = xchacha20poly1305(answerKeyOf(replySecret), sealed.subarray(0, nonceBytes), mailboxOf(replySecret));
    opened = cipher.decrypt(sealed.subarray(nonceBytes));
  } catch (cause) {
    throw new ReportError("unopened", "an answer to another report", { cause });
  }
  const { body, signature } = parse(() => decode(signedCodec, opened));
  await requireSigned({ signatures, deskKeys, content: signedContent("ReportAnswer", body), signature });
  const answer = parse(() => decode(reportAnswerCodec, body));
  if (!equalBytes(answer.reportId, reportId)) throw new ReportError("malformed", "an answer to another report");
  return answer;
}

/** The desk's side: what it signs for a report that arrived. `Signed`, encoded. */
export async function signReceipt(signatures: Signatures, secretKey: Uint8Array, receipt: ReportReceipt): Promise<Uint8Array> {
  const body = encode(reportReceiptCodec, receipt);
  return encode(signedCodec, { body, signature: await signatures.sign(secretKey, signedContent("ReportReceipt", body)) });
}

/** The reporter's side. @throws ReportError `malformed`, or `signature` where it is not the desk's, or of another report */
export async function verifyReceipt(params: {
  readonly signatures: Signatures;
  readonly deskKeys: readonly Uint8Array[];
  readonly reportId: Uint8Array;
  readonly reportHash: Uint8Array;
  readonly receipt: Uint8Array;
}): Promise<ReportReceipt> {
  const { signatures, deskKeys, reportId, reportHash } = params;
  const { body, signature } = parse(() => decode(signedCodec, params.receipt));
  await requireSigned({ signatures, deskKeys, content: signedContent("ReportReceipt", body), signature });
  const receipt = parse(() => decode(reportReceiptCodec, body));
  const isOfIt = equalBytes(receipt.reportId, reportId) && equalBytes(receipt.reportHash, reportHash);
  if (!isOfIt) throw new ReportError("signature", "a receipt of another report");
  return receipt;
}

async function requireSigned(params: {
  readonly signatures: Signatures;
  readonly deskKeys: readonly Uint8Array[];
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}): Promise<void> {
  const { signatures, deskKeys, content, signature } = params;
  for (const key of deskKeys) if (await signatures.verify(key, content, signature)) return;
  throw new ReportError("signature", "not signed by the desk");
}
