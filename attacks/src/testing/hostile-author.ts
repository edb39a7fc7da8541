import { join } from "node:path";
import { decode, encode, fromBase64Url } from "@latchkey/codec";
import { createNodePlatform, openNodeStore } from "@latchkey/client/node";
import { loadConversation, loadGroup, sealEnvelope } from "@latchkey/client/testing";
import type { ConversationState } from "@latchkey/client/testing";
import { encryptApplicationMessage, groupId } from "@latchkey/mls";
import {
  authenticatedDataCodec,
  decodeContent,
  messageIdOf,
  roleCodecs,
  roomUri,
  seenMarkOf,
  senderUri,
  socketPath,
  subprotocol,
  viewTagOf,
} from "@latchkey/protocol";
import { WebSocket } from "ws";
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
}

/**
 * A member writes with a client of its own: it has the keys that its client had, which is closed, and puts into its messages what it
 * likes. They are signed, encrypted and in the log like any others.
 */
export async function writeAs(scene: Scene, author: Person, conversationId: string, messages: readonly Said[]): Promise<void> {
  await settle(author);
  await author.client.close();
  const { state, group, epoch } = await keysOf(scene, author, conversationId);
  const log = await RawLog.open(scene.server.url);
  const { epochId, access } = epoch;
  await log.ask({ kind: "open", logId: state.logId, epochId, access, afterSeq: state.chain.seq });
  let now = group;
  let previousOwn = state.own.mark;
  for (const [at, message] of messages.entries()) {
    const { plaintext, proofs = new Uint8Array(0), head = state.chain.head } = message;
    const { gossip = new Uint8Array(0), accountVersion = 0, accountChain = zeros } = message;
    const authenticatedData = encode(authenticatedDataCodec, {
      format: 2,
      viewTag: viewTagOf(node.sha256, epoch.view, { seq: state.chain.seq, head }),
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
    const sealed = sealEnvelope({
      key: epoch.envelope,
      logId: state.logId,
      epochId,
      kind: "message",
      body: {
        seq: state.chain.seq,
        mlsMessage: encrypted.message,
        directoryProofs: proofs,
        settings: new Uint8Array(0),
        complaint: new Uint8Array(0),
      },
      random: node.random,
      sha256: node.sha256,
    });
    if (sealed.external !== undefined) await putBlob(scene.server.url, sealed.external);
    const blobIds = sealed.external === undefined ? [] : [sealed.external.reference.blobId];
    await log.ask({ kind: "append", logId: state.logId, epochId, entryKind: "message", blob: sealed.blob, blobIds });
  }
  log.close();
}

/** What stands for a message of this author where another one names it. */
function markOf(author: Person, state: Keys["state"], plaintext: Uint8Array): Uint8Array {
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

type Keys = { state: ConversationState; group: NonNullable<ConversationState["group"]>; epoch: NonNullable<ConversationState["epoch"]> };

async function keysOf(scene: Scene, author: Person, conversationId: string): Promise<Keys> {
  const store = await openNodeStore(join(scene.folder, "people", author.name));
  const state = await store.transact("read", async (tx) => {
    const stored = await loadConversation(tx, conversationId, (id) => node.crypto.suite(id));
    return stored === undefined ? undefined : await loadGroup(tx, stored, node.crypto.suite(stored.suiteId));
  });
  await store.close();
  if (state?.group === undefined || state.epoch === undefined) throw new Error("the author is in the conversation");
  return { state, group: state.group, epoch: state.epoch };
}

type External = NonNullable<ReturnType<typeof sealEnvelope>["external"]>;

async function putBlob(url: string, { reference, ciphertext }: External): Promise<void> {
  const response = await fetch(`${url}/v1/blobs/${Buffer.from(reference.blobId).toString("base64url")}`, {
    method: "PUT",
    body: Buffer.from(ciphertext),
    headers: { "content-type": "application/octet-stream" },
  });
  if (!response.ok) throw new Error(`the server did not take the blob: ${String(response.status)}`);
}

type LogRequest = Parameters<(typeof roleCodecs)["log"]["request"]["write"]>[1]["body"];

/** A connection that says what it is told to. */
class RawLog {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (kind: string) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const { id, body } = decode(roleCodecs.log.reply, new Uint8Array(data));
      this.#waiting.get(id)?.(body.kind === "error" ? body.code : body.kind);
    });
  }

  static async open(url: string): Promise<RawLog> {
    const socket = new WebSocket(url.replace(/^http/, "ws") + socketPath("log"), [subprotocol]);
    const log = new RawLog(socket);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return log;
  }

  /** @throws Error when the server refuses */
  async ask(body: LogRequest): Promise<void> {
    const id = ++this.#lastId;
    const answer = new Promise<string>((resolve) => {
      this.#waiting.set(id, resolve);
    });
    this.#socket.send(encode(roleCodecs.log.request, { id, body }));
    const kind = await answer;
    if (kind !== "opened" && kind !== "accepted") throw new Error(`the server answered ${kind}`);
  }

  close(): void {
    this.#socket.close();
  }
}
