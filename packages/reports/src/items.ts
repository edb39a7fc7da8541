import { CodecError, concatBytes, decode, equalBytes, toHex, utf8Bytes } from "@latchkey/codec";
import { MlsError, readMessageEvidence, verifyMessageEvidence } from "@latchkey/mls";
import type { CipherSuite, ProvenMessage } from "@latchkey/mls";
import {
  authenticatedDataCodec,
  decodeContent,
  latchkeyGroupCodec,
  latchkeyGroupExtensionType,
  messageIdOf,
  roomUri,
  seenMarkOf,
  senderUri,
} from "@latchkey/protocol";
import type { AuthenticatedData, DecodedContent } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { judgeAuthor } from "./accounts.ts";
import type { KnownState } from "./accounts.ts";
import { verdictOn } from "./claims.ts";
import type { Verdict } from "./claims.ts";
import type { ReportItem } from "./report.ts";

/** A message of a report, read, with what is proved of it by itself. */
export interface ReadItem {
  readonly item: ReportItem;
  /** H over signed bytes, signature and key: the same message in two reports is one. */
  readonly identity: Uint8Array;
  /** Absent where the bytes are no message. */
  readonly message: ReadMessage | undefined;
  readonly signed: Verdict<"signed">;
  readonly author: Verdict<"author">;
}

/** What the signed bytes say. */
export interface ReadMessage {
  readonly proven: ProvenMessage;
  readonly content: DecodedContent;
  /** Zeros where content without a salt has no id. */
  readonly messageId: Uint8Array;
  /** What stands for it in `previousOwn` and `seen` of others. */
  readonly mark: string;
  readonly said: AuthenticatedData | undefined;
}

const identityLabel = utf8Bytes("latchkey/report-evidence/1");

/** Reads a message and judges what it proves by itself. `history` is that of the account that it is said to be of. */
export async function readItem(params: {
  readonly suite: CipherSuite;
  readonly item: ReportItem;
  readonly context: Uint8Array | undefined;
  readonly history: readonly KnownState[] | undefined;
}): Promise<ReadItem> {
  const { suite, item, context, history } = params;
  const { content, signature, signaturePublicKey, sender } = item;
  const identity = sha256(concatBytes(identityLabel, sha256(content), sha256(signature), sha256(signaturePublicKey)));
  const evidence = { content, signature, signaturePublicKey, context: context ?? new Uint8Array(0) };
  const message = readMessage(item, evidence.context);
  const nothing = verdictOn("author", "not-proved", "nothing is proved to be signed");
  if (message === undefined) {
    const signed = verdictOn("signed", "contradicted", "these bytes are no message of a member");
    return { item, identity, message, signed, author: nothing };
  }
  if (!(await isSigned(suite, evidence))) {
    return { item, identity, message, signed: verdictOn("signed", "contradicted", "the signature is wrong"), author: nothing };
  }
  const { said } = message;
  const author =
    said === undefined
      ? verdictOn("author", "not-proved", "the message does not say of which account it is")
      : judgeAuthor({ sender, key: signaturePublicKey, said, history });
  return { item, identity, message, signed: verdictOn("signed", "proved"), author };
}

/** Whether a message is proved to be of whom it is said to be. */
export function isProved({ signed, author }: Pick<ReadItem, "signed" | "author">): boolean {
  return signed.verdict === "proved" && author.verdict === "proved";
}

async function isSigned(suite: CipherSuite, evidence: Parameters<typeof verifyMessageEvidence>[1]): Promise<boolean> {
  try {
    await verifyMessageEvidence(suite, evidence);
    return true;
  } catch (error) {
    if (error instanceof MlsError) return false;
    throw error;
  }
}

function readMessage({ content, sender }: ReportItem, context: Uint8Array): ReadMessage | undefined {
  let proven: ProvenMessage;
  try {
    proven = readMessageEvidence({ content, context });
  } catch (error) {
    if (error instanceof MlsError) return undefined;
    throw error;
  }
  const decoded = decodeContent(proven.plaintext);
  const messageId =
    decoded.kind === "malformed"
      ? new Uint8Array(32)
      : messageIdOf({
          sha256,
          senderUri: senderUri(sender.host, sender.accountId),
          roomUri: roomUri(hostOfGroup(proven) ?? sender.host, proven.groupId),
          content: proven.plaintext,
          salt: decoded.salt,
        });
  const mark = toHex(seenMarkOf(sha256, messageId));
  return { proven, content: decoded, messageId, mark, said: saidBy(proven.authenticatedData) };
}

function saidBy(bytes: Uint8Array): AuthenticatedData | undefined {
  try {
    return decode(authenticatedDataCodec, bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

function hostOfGroup({ extensions }: ProvenMessage): string | undefined {
  const extension = extensions.find(({ type }) => type === latchkeyGroupExtensionType);
  if (extension === undefined) return undefined;
  try {
    return decode(latchkeyGroupCodec, extension.data).host;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

/** Whether two messages are of one author, as far as is said. */
export function isSameAuthor(a: ReportItem, b: ReportItem): boolean {
  return a.sender.host === b.sender.host && equalBytes(a.sender.accountId, b.sender.accountId);
}
