import { opaque, opaqueV, safeUint64, struct, text, uint16, uint32, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { maxInlineBytes } from "../limits.ts";

/** The version spoken, as the WebSocket subprotocol. */
export const subprotocol = "latchkey.1";

/** The roles of a connection; they never mix (spec C-5). */
export const roles = ["device", "log", "post", "lookup"] as const;
/** One of `roles`. */
export type Role = (typeof roles)[number];

/** The path of a role's WebSocket. */
export function socketPath(role: Role): string {
  return `/v1/${role}`;
}

/** The path of a blob, by its base64url id. */
export function blobPath(id: string): string {
  return `/v1/blobs/${id}`;
}

/** Paths over HTTP. */
export const httpPaths = {
  info: "/v1/info",
  health: "/healthz",
  metrics: "/metrics",
  blobs: "/v1/blobs",
  directory: "/v1/directory",
} as const;

/** A 32-byte id or hash. */
export const id32: Codec<Uint8Array> = opaque(32);
export const deviceIdCodec: Codec<Uint8Array> = opaque(16);

/** Room for structures to come; empty today (spec C-1). */
export const extCodec: Codec<Uint8Array> = opaqueV(4096);

/** An anonymous token (spec T-1); empty until tokens are built, limits per connection stand in their place. */
export const tokenCodec: Codec<Uint8Array> = opaqueV(1024);

/** The bytes of an entry or inbox item. */
export const blobBytes: Codec<Uint8Array> = opaqueV(maxInlineBytes);

/** The first frame of every connection, from the server. */
export interface Hello {
  readonly format: number;
  readonly host: string;
  /** The server's name for people. */
  readonly serverName: string;
  /** Signed by `connect` so that it cannot be replayed; fresh for each connection. */
  readonly nonce: Uint8Array;
  readonly timeMs: number;
  readonly maxFrameBytes: number;
  readonly maxBlobBytes: number;
  readonly retentionDays: number;
  /** 0 open, 1 by invitation, 2 closed. */
  readonly registration: number;
  readonly ext: Uint8Array;
}

export const helloCodec: Codec<Hello> = struct<Hello>({
  format: uint16,
  host: hostCodec,
  serverName: text(256),
  nonce: id32,
  timeMs: safeUint64,
  maxFrameBytes: uint32,
  maxBlobBytes: uint32,
  retentionDays: uint16,
  registration: uint8,
  ext: extCodec,
});

/** A request or its answer: `id` is chosen by the client and returned; 0 marks an event of the server's own. */
export interface Frame<Body> {
  readonly id: number;
  readonly body: Body;
}

/** A codec of frames, and the numbers of the kinds that it knows. */
export interface FrameCodec<Body> extends Codec<Frame<Body>> {
  readonly kinds: ReadonlySet<number>;
}

/** Frames of the kinds in `cases`: name to number and fields, as for `variant`. */
export function frameCodec<Body extends { readonly kind: string }>(cases: {
  readonly [K in Body["kind"]]: readonly [number, Codec<Omit<Extract<Body, { kind: K }>, "kind">>];
}): FrameCodec<Body> {
  // Each value of the mapped type is such a pair, which Object.values forgets.
  const kinds = new Set((Object.values(cases) as (readonly [number, unknown])[]).map(([number]) => number));
  return { ...struct<Frame<Body>>({ id: uint32, body: variant<Body>(uint8, cases) }), kinds };
}

/**
 * The id and kind of any frame, also of a kind that this version does not know: such a frame is skipped, or answered as
 * `unsupported`, and the connection goes on (spec E-71). `undefined` for what is too short to be a frame.
 */
export function frameHead(bytes: Uint8Array): { readonly id: number; readonly kind: number } | undefined {
  const kind = bytes[4];
  if (kind === undefined) return undefined;
  return { id: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), kind };
}
