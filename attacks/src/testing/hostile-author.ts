import { encode, fromBase64Url } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { seal, sealEnvelope, sealUnbounded } from "@latchkey/client/testing";
import type { ConversationState } from "@latchkey/client/testing";
import { encryptApplicationMessage, groupId, nextGeneration } from "@latchkey/mls";
import {
  authenticatedDataCodec,
  decodeContent,
  encodeEnvelope,
  entryHead,
  fitsInline,
  messageIdOf,
  roomUri,
  seenMarkOf,
  senderUri,
  viewTagOf,
} from "@latchkey/protocol";
import { Insider } from "./insider.ts";
import { settle } from "./scene.ts";
import type { Person, Scene } from "./scene.ts";

const node = createNodePlatform();
const zeros = new Uint8Array(32);

/** What a hostile member puts into one message: content of any bytes, and records beside it. */
export interface Said {
  readonly plaintext: Uint8Array;
  readonly proofs?: Uint8Array;
  /** It says that it saw this head after the last entry, instead of the log's. */
  readonly head?: Uint8Array;
  /** What it says of the server's public record and of its own account (spec L-10, D-4). */
  readonly gossip?: Uint8Array;
  readonly accountVersion?: number;
  readonly accountChain?: Uint8Array;
  /** Whether content that is too large for an entry is stored nowhere. */
  readonly isNowhere?: boolean;
}

/**
 * A member writes with a client of its own: it has the keys that its client had, which is closed, and puts into its messages what it
 * likes. They are signed, encrypted and in the log like any others.
 */
export async function writeAs(
  scene: Scene,
  author: Person,
  conversationId: string,
  said: readonly Said[] | ((insider: Insider) => Promise<readonly Said[]>),
): Promise<void> {
  await settle(author);
  using insider = await Insider.take(scene, author, conversationId);
  const messages = typeof said === "function" ? await said(insider) : said;
  const { state } = insider;
  const { epoch } = state;
  if (epoch === undefined) throw new Error("the author is in the conversation");
  const { epochId } = epoch;
  await insider.open();
  let now = insider.group;
  let previousOwn = state.own.mark;
  for (const [at, message] of messages.entries()) {
    const { plaintext, proofs = new Uint8Array(0), head = state.chain.head } = message;
    const { gossip = new Uint8Array(0), accountVersion = 0, accountChain = zeros } = message;
    const authenticatedData = encode(authenticatedDataCodec, {
      format: 3,
      viewTag: viewTagOf(node.sha256, epoch.view, { seq: state.chain.seq, head }),
      generation: nextGeneration(now),
      ownNumber: state.own.number + 1 + at,
      previousOwn,
      seen: zeros,
      accountVersion,
      accountChain,
      gossip,
      ext: new Uint8Array(0),
    });
    const encrypted = await encryptApplicationMessage(now, { plaintext, authenticatedData, random: node.random });
    now = encrypted.state;
    previousOwn = markOf(author, state, plaintext);
    const body = {
      seq: state.chain.seq,
      mlsMessage: encrypted.message,
      directoryProofs: proofs,
      settings: new Uint8Array(0),
      complaint: new Uint8Array(0),
      leaves: new Uint8Array(0),
    };
    const { random, sha256 } = node;
    const place = { key: epoch.envelope, logId: state.logId, epochId, body, random, sha256 };
    const sealed = fitsInline(body) ? sealEnvelope({ kind: "message", ...place }) : sealUnbounded(place);
    const external = message.isNowhere === true ? undefined : sealed.external;
    if (external !== undefined) await putBlob(scene.server.url, external);
    const answer = await insider.append(epochId, sealed.blob);
    if (answer.kind !== "accepted") throw new Error(`the server answered ${answer.kind === "error" ? answer.code : answer.kind}`);
  }
}

/** What stands for a message of this author where another one names it. */
function markOf(author: Person, state: ConversationState, plaintext: Uint8Array): Uint8Array {
  const content = decodeContent(plaintext);
  if (content.kind === "malformed" || state.group === undefined) return zeros;
  const { sha256 } = node;
  const id = messageIdOf({
    sha256,
    senderUri: senderUri(state.host, fromBase64Url(author.accountId)),
    roomUri: roomUri(state.host, groupId(state.group)),
    content: plaintext,
    salt: content.salt,
  });
  return seenMarkOf(sha256, id);
}

type External = NonNullable<ReturnType<typeof sealEnvelope>["external"]>;

/** An entry whose blob the server has, as it names it, and in which nobody finds anything. */
export async function sealGarbage(
  url: string,
  { state }: Pick<Insider, "state">,
  { kind, nextAccessHash }: { readonly kind: "message" | "commit"; readonly nextAccessHash: Uint8Array },
): Promise<Uint8Array> {
  const { epoch, logId } = state;
  if (epoch === undefined) throw new Error("an epoch");
  const ciphertext = node.random(1024);
  const reference = { blobId: node.random(32), key: node.random(32), hash: node.sha256(ciphertext), sizeBytes: 1024 };
  await putBlob(url, { reference, ciphertext });
  const head = entryHead([reference]);
  const content = { kind: "external" as const, ...reference };
  const padded = encodeEnvelope({ format: 3, kind, nextAccessHash, content }, head);
  return seal({ key: epoch.envelope, logId, epochId: epoch.epochId, kind }, { head, padded, random: node.random });
}

/** Stores the content of an entry that is too large for it. */
export async function putBlob(url: string, { reference, ciphertext }: External): Promise<void> {
  const response = await fetch(`${url}/v1/blobs/${Buffer.from(reference.blobId).toString("base64url")}`, {
    method: "PUT",
    body: Buffer.from(ciphertext),
    headers: { "content-type": "application/octet-stream" },
  });
  if (!response.ok) throw new Error(`the server did not take the blob: ${String(response.status)}`);
}
