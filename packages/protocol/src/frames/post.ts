import { bool, empty, opaqueV, safeUint64, struct, uint32, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { wireErrorCodec } from "../errors.ts";
import type { WireError } from "../errors.ts";
import { maxKnockBytes, maxKnocks, maxWakeTokenBytes } from "../limits.ts";
import { blobBytes, frameCodec, helloCodec, id32, tokenCodec } from "./common.ts";
import type { FrameCodec, Hello } from "./common.ts";

/** Puts a sealed item into somebody's inbox. Storing the same bytes again is a retry. Answer: `done`. */
export interface PostItem {
  readonly inboxId: Uint8Array;
  /** Append capability of the inbox (spec I-1), 32 zeros for none. A wrong one is as good as none, and answered alike. */
  readonly capability: Uint8Array;
  readonly blob: Uint8Array;
  readonly token: Uint8Array;
}

/** Opens the inbox of a join link (spec I-5); the same again is a retry. Nobody says who they are. Answer: `done`. */
export interface OpenLinkInbox {
  readonly linkId: Uint8Array;
  /** SHA-256 of the key that reads, clears and closes it. */
  readonly readHash: Uint8Array;
  /** What knocks are sealed to. */
  readonly key: Uint8Array;
  readonly notAfterMs: number;
  readonly token: Uint8Array;
}

/** Knocks at a join link: a sealed item for its inbox; the same bytes again are a retry. Answer: `done`. */
export interface PostKnock {
  readonly linkId: Uint8Array;
  readonly blob: Uint8Array;
  readonly token: Uint8Array;
}

/** Whoever holds a link shows its read key. */
export interface LinkInboxReader {
  readonly linkId: Uint8Array;
  readonly readKey: Uint8Array;
}

/** Reads what waits after `afterSeq`. Answer: `knocks`. */
export interface ReadKnocks extends LinkInboxReader {
  readonly afterSeq: number;
}

/** Erases these of what waits. Answer: `done`. */
export interface EraseKnocks extends LinkInboxReader {
  readonly seqs: readonly number[];
}

/** Has the device woken whose token it is (spec W-1). Answer: `done`, whatever becomes of it. */
export interface WakeDevice {
  /** An encoded `WakeToken`. */
  readonly token: Uint8Array;
}

/** What a client asks on a `post` connection. */
export type PostRequest =
  | ({ readonly kind: "post" } & PostItem)
  | { readonly kind: "ping" }
  | ({ readonly kind: "open_link_inbox" } & OpenLinkInbox)
  /** Answer: `link_key`, or `not_found`. */
  | { readonly kind: "take_link_key"; readonly linkId: Uint8Array }
  | ({ readonly kind: "knock" } & PostKnock)
  | ({ readonly kind: "read_knocks" } & ReadKnocks)
  | ({ readonly kind: "erase_knocks" } & EraseKnocks)
  /** Erases the inbox with all that waits there. Answer: `done`. */
  | ({ readonly kind: "close_link_inbox" } & LinkInboxReader)
  | ({ readonly kind: "wake" } & WakeDevice);

/** A knock as it waits. */
export interface WaitingKnock {
  readonly seq: number;
  readonly blob: Uint8Array;
}

/** A page of what waits in a link inbox. */
export interface KnockPage {
  readonly knocks: readonly WaitingKnock[];
  /** Whether there is more behind it. */
  readonly isMore: boolean;
}

/** What the server answers on a `post` connection. */
export type PostReply =
  | ({ readonly kind: "hello" } & Hello)
  | ({ readonly kind: "error" } & WireError)
  | { readonly kind: "done" }
  | { readonly kind: "link_key"; readonly key: Uint8Array }
  | ({ readonly kind: "knocks" } & KnockPage);

const linkKeyBytes: Codec<Uint8Array> = opaqueV(2048);
const knockBytes: Codec<Uint8Array> = opaqueV(maxKnockBytes);

export const postRequestCodec: FrameCodec<PostRequest> = frameCodec<PostRequest>({
  post: [1, struct<PostItem>({ inboxId: id32, capability: id32, blob: blobBytes, token: tokenCodec })],
  ping: [2, empty],
  open_link_inbox: [
    3,
    struct<OpenLinkInbox>({ linkId: id32, readHash: id32, key: linkKeyBytes, notAfterMs: safeUint64, token: tokenCodec }),
  ],
  take_link_key: [4, struct<{ linkId: Uint8Array }>({ linkId: id32 })],
  knock: [5, struct<PostKnock>({ linkId: id32, blob: knockBytes, token: tokenCodec })],
  read_knocks: [6, struct<ReadKnocks>({ linkId: id32, readKey: id32, afterSeq: safeUint64 })],
  erase_knocks: [
    7,
    struct<EraseKnocks>({ linkId: id32, readKey: id32, seqs: vector(safeUint64, { maxBytes: 8 * maxKnocks, maxItems: maxKnocks }) }),
  ],
  close_link_inbox: [8, struct<LinkInboxReader>({ linkId: id32, readKey: id32 })],
  wake: [9, struct<WakeDevice>({ token: opaqueV(maxWakeTokenBytes) })],
});

export const postReplyCodec: FrameCodec<PostReply> = frameCodec<PostReply>({
  hello: [0, helloCodec],
  error: [1, wireErrorCodec],
  done: [2, empty],
  link_key: [3, struct<{ key: Uint8Array }>({ key: linkKeyBytes })],
  knocks: [
    4,
    struct<KnockPage>({
      knocks: vector(struct<WaitingKnock>({ seq: uint32, blob: knockBytes }), { maxBytes: 245_760, maxItems: maxKnocks }),
      isMore: bool,
    }),
  ],
});
