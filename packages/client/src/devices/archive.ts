import {
  decode,
  encode,
  enumeration,
  mapped,
  oneOf,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  toBase64Url,
  uint16,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { CipherSuiteId } from "@latchkey/mls";
import { blobReferenceCodec } from "@latchkey/protocol";
import type { BlobReference } from "@latchkey/protocol";
import { nothingYet } from "../core/begin.ts";
import { foundingSettings } from "../core/settings.ts";
import type { ConversationState } from "../core/types.ts";
import { linePrefix, decodeLine } from "../timeline/history.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { encryptBlob } from "../group/blobs.ts";
import type { Platform } from "../platform/platform.ts";
import { parseOrderSegment } from "../store/store.ts";
import type { Store } from "../store/store.ts";

/** A conversation as the archive has it: without its group, which a device joins by a Welcome only. */
export interface ArchivedConversation {
  readonly logId: Uint8Array;
  readonly host: string;
  readonly conversationKind: "direct" | "group";
  readonly name: string;
  readonly peer: Uint8Array | undefined;
  readonly suiteId: CipherSuiteId;
  /** `joined`: the new device gets a Welcome; the others stay readable without one. */
  readonly membership: "joined" | "removed" | "left";
  readonly joinedSeq: number;
  readonly memberCount: number;
  readonly readThrough: number;
  readonly unread: number;
  readonly lastOrder: number;
  readonly updatedAtMs: number;
}

/** A line with its place. */
export interface ArchivedLine {
  readonly order: number;
  /** As the store has it. */
  readonly value: Uint8Array;
}

/** A piece of the archive. */
export type ArchiveItem =
  | ({ readonly kind: "conversation" } & ArchivedConversation)
  | { readonly kind: "lines"; readonly logId: Uint8Array; readonly lines: readonly ArchivedLine[] };

/** What the archive consists of; itself in a blob, whose reference the new device gets in its inbox. */
export interface ArchiveManifest {
  readonly format: 1;
  /** Conversations that the new device was added to. */
  readonly conversations: readonly Uint8Array[];
  /** In order; each holds `ArchiveItem`s. The references' hashes fix every byte of it. */
  readonly chunks: readonly BlobReference[];
}

const id32 = opaque(32);
const large = 64 * 1024 * 1024;
// As in the store: only suites that this client made or joined.
const suiteId: Codec<CipherSuiteId> = mapped(
  uint16,
  (id: CipherSuiteId) => id,
  (id) => id as CipherSuiteId,
);

/** A conversation in an archive or a backup. */
export const conversationCodec: Codec<ArchivedConversation> = struct<ArchivedConversation>({
  logId: id32,
  host: text(260),
  conversationKind: enumeration(uint8, { direct: 1, group: 2 }),
  name: text(512),
  peer: optional(id32),
  suiteId,
  membership: enumeration(uint8, { joined: 1, removed: 2, left: 3 }),
  joinedSeq: safeUint64,
  memberCount: uint32,
  readThrough: safeUint64,
  unread: safeUint64,
  lastOrder: safeUint64,
  updatedAtMs: safeUint64,
});
/** Lines of one conversation there. */
export const linesCodec: Codec<{ logId: Uint8Array; lines: readonly ArchivedLine[] }> = struct<{
  logId: Uint8Array;
  lines: readonly ArchivedLine[];
}>({
  logId: id32,
  lines: vector(struct<ArchivedLine>({ order: safeUint64, value: opaqueV(2_097_152) }), { maxBytes: large }),
});
const itemCodec: Codec<ArchiveItem> = variant<ArchiveItem>(uint8, { conversation: [1, conversationCodec], lines: [2, linesCodec] });
const chunkCodec: Codec<readonly ArchiveItem[]> = vector(itemCodec, { maxBytes: large });

export const manifestCodec: Codec<ArchiveManifest> = struct<ArchiveManifest>({
  format: oneOf(uint16, [1]),
  conversations: vector(id32, { maxBytes: 4_194_304 }),
  chunks: vector(blobReferenceCodec, { maxBytes: large }),
});

/** A chunk's content with its framing fills a blob of 256 KiB (spec C-4). */
const chunkBytes = 240 * 1024;
const linesPerRead = 200;

/** The record of a conversation for the archive; `undefined` for what is not history. */
export function archivedOf(state: ConversationState): ArchivedConversation | undefined {
  const { kind, phase } = state;
  if (kind === "devices" || phase.kind === "creating") return undefined;
  const isGone = phase.kind === "removed" || phase.kind === "paused" || phase.kind === "superseded" || phase.kind === "continued";
  return {
    logId: state.logId,
    host: state.host,
    conversationKind: kind,
    name: state.name,
    peer: state.peer,
    suiteId: state.suiteId,
    membership: phase.kind === "active" ? "joined" : isGone ? "removed" : "left",
    joinedSeq: state.joinedSeq,
    memberCount: state.memberCount,
    readThrough: state.readThrough,
    unread: state.unread,
    lastOrder: state.lastOrder,
    updatedAtMs: state.updatedAtMs,
  };
}

/** A conversation that the new device is no member of, to be read only. */
export function unjoinedState(archived: ArchivedConversation): ConversationState {
  const { membership, conversationKind, ...fields } = archived;
  return {
    ...nothingYet,
    ...fields,
    kind: conversationKind,
    id: toBase64Url(archived.logId),
    phase: { kind: membership === "left" ? "left" : "removed" },
    chain: { seq: 0, head: new Uint8Array(32) },
    recentHeads: [new Uint8Array(32)],
    epoch: undefined,
    // What a group committed to is its members'; of this one the name is known.
    opening: {
      salt: new Uint8Array(32),
      settings: foundingSettings({ name: archived.name, accounts: 0, directory: new Uint8Array(32) }),
    },
    groupId: new Uint8Array(0),
    group: undefined,
    roster: undefined,
    sight: { atMs: 0, retentionDays: 0 },
    continuity: [],
  };
}

/**
 * Writes the history of `conversations` as encrypted chunks, each handed to `upload`, and gives the list of them. Lines beyond
 * `lastOrder` of their conversation, which the new device reads by itself, are left out.
 * @throws what `upload` throws
 */
export async function writeArchive(params: {
  store: Store;
  platform: Pick<Platform, "random" | "sha256">;
  /** Newest first: that is what the person looks at first. */
  conversations: readonly ArchivedConversation[];
  upload: (reference: BlobReference, ciphertext: Uint8Array) => Promise<void>;
  /** Conversations written so far. */
  onProgress: (done: number) => void;
}): Promise<ArchiveManifest> {
  const { store, platform, conversations } = params;
  const chunks: BlobReference[] = [];
  let items: ArchiveItem[] = [];
  let sizeBytes = 0;

  async function flush(): Promise<void> {
    if (items.length === 0) return;
    const { reference, ciphertext } = encryptBlob({ plaintext: encode(chunkCodec, items), ...platform });
    items = [];
    sizeBytes = 0;
    await params.upload(reference, ciphertext);
    chunks.push(reference);
  }

  async function add(item: ArchiveItem, itemBytes: number): Promise<void> {
    if (sizeBytes > 0 && sizeBytes + itemBytes > chunkBytes) await flush();
    items.push(item);
    sizeBytes += itemBytes;
  }

  for (const [at, conversation] of conversations.entries()) {
    const { logId, lastOrder } = conversation;
    await add({ kind: "conversation", ...conversation }, 1024);
    const prefix = linePrefix(toBase64Url(logId));
    let after: string | undefined;
    for (;;) {
      const range = after === undefined ? { prefix } : { prefix, after };
      const found = await store.transact("read", (tx) => tx.scan({ ...range, limit: linesPerRead }));
      let lines: ArchivedLine[] = [];
      let linesBytes = 0;
      for (const [key, value] of found) {
        after = key;
        const order = parseOrderSegment(key.slice(prefix.length));
        // What has a timer goes to no device that was not there (spec X-7).
        if (order > lastOrder || decodeLine(value, order)?.message?.timer !== undefined) continue;
        if (linesBytes + value.length > chunkBytes / 4) {
          await add({ kind: "lines", logId, lines }, linesBytes);
          lines = [];
          linesBytes = 0;
        }
        lines.push({ order, value });
        linesBytes += value.length + 16;
      }
      if (lines.length > 0) await add({ kind: "lines", logId, lines }, linesBytes);
      if (found.length < linesPerRead) break;
    }
    params.onProgress(at + 1);
  }
  await flush();
  return { format: 1, conversations: conversations.filter(({ membership }) => membership === "joined").map(({ logId }) => logId), chunks };
}

/** The items of a chunk. @throws CodecError */
export function readChunk(plaintext: Uint8Array): readonly ArchiveItem[] {
  return decode(chunkCodec, plaintext);
}

/** Puts the lines of a conversation where they belong; those that are there already stay. The places of those that this version cannot read. */
export async function putArchivedLines(timeline: Timeline, item: Extract<ArchiveItem, { kind: "lines" }>): Promise<readonly number[]> {
  const unreadable: number[] = [];
  for (const { order, value } of item.lines) {
    const line = decodeLine(value, order);
    if (line === undefined) unreadable.push(order);
    else await timeline.adopt(line);
  }
  return unreadable;
}
