import { empty, struct } from "@latchkey/codec";
import { wireErrorCodec } from "../errors.ts";
import type { WireError } from "../errors.ts";
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

/** What a client asks on a `post` connection. */
export type PostRequest = ({ readonly kind: "post" } & PostItem) | { readonly kind: "ping" };

/** What the server answers on a `post` connection. */
export type PostReply = ({ readonly kind: "hello" } & Hello) | ({ readonly kind: "error" } & WireError) | { readonly kind: "done" };

export const postRequestCodec: FrameCodec<PostRequest> = frameCodec<PostRequest>({
  post: [1, struct<PostItem>({ inboxId: id32, capability: id32, blob: blobBytes, token: tokenCodec })],
  ping: [2, empty],
});

export const postReplyCodec: FrameCodec<PostReply> = frameCodec<PostReply>({
  hello: [0, helloCodec],
  error: [1, wireErrorCodec],
  done: [2, empty],
});
