import { opaque, opaqueV, safeUint64, struct, text, uint16, uint32, uint8, variant } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { formatTwo } from "../format.ts";
import { maxInlineBytes } from "../limits.ts";

/** The versions of frames and requests that this side speaks: the oldest and the newest. */
export const spokenVersions: VersionRange = { min: 1, max: 1 };

/** A range of versions, both ends included. */
export interface VersionRange {
  readonly min: number;
  readonly max: number;
}

const subprotocolPrefix = "latchkey.";

/** A version as a WebSocket subprotocol (RFC 6455 section 1.9). */
export function subprotocolOf(version: number): string {
  return `${subprotocolPrefix}${version}`;
}

/** The newest version spoken, as a WebSocket subprotocol. */
export const subprotocol: string = subprotocolOf(spokenVersions.max);

/** The subprotocols of all versions in `range`, the newest first: what a client offers. */
export function subprotocolsOf(range: VersionRange): string[] {
  return Array.from({ length: range.max - range.min + 1 }, (_, at) => subprotocolOf(range.max - at));
}

/** What two sides that state their versions come to. */
export type Negotiated =
  | { readonly kind: "version"; readonly version: number }
  /** They have none in common, and this side is the one to be updated. */
  | { readonly kind: "client_outdated" | "server_outdated" };

/** The highest version that both speak, or who of them is too old (spec E-74). */
export function negotiate(client: VersionRange, server: VersionRange): Negotiated {
  if (client.max < server.min) return { kind: "client_outdated" };
  if (server.max < client.min) return { kind: "server_outdated" };
  return { kind: "version", version: Math.min(client.max, server.max) };
}

/** The versions that a client offers by its subprotocols; `undefined` where none of them is ours. */
export function offeredVersions(subprotocols: readonly string[]): VersionRange | undefined {
  const versions = subprotocols.flatMap((name) => {
    const digits = name.startsWith(subprotocolPrefix) ? name.slice(subprotocolPrefix.length) : "";
    return /^[1-9][0-9]{0,4}$/.test(digits) ? [Number(digits)] : [];
  });
  return versions.length === 0 ? undefined : { min: Math.min(...versions), max: Math.max(...versions) };
}

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
  blobs: "/v1/blobs",
  uploads: "/v1/uploads",
  directory: "/v1/directory",
  desk: "/v1/desk",
  suspended: "/v1/suspended",
  holdings: "/v1/holdings",
  inventory: "/v1/inventory",
  counts: "/v1/counts",
} as const;

/** A 32-byte id or hash. */
export const id32: Codec<Uint8Array> = opaque(32);
export const deviceIdCodec: Codec<Uint8Array> = opaque(16);

/** Room for structures to come; empty today (spec C-1). */
export const extCodec: Codec<Uint8Array> = opaqueV(4096);

/** A token (spec T-1): an encoded `Token`, or nothing. */
export const tokenCodec: Codec<Uint8Array> = opaqueV(1024);

/** The bytes of an entry or inbox item. */
export const blobBytes: Codec<Uint8Array> = opaqueV(maxInlineBytes);

/** The first frame of every connection, from the server. Every version of it reads the same: what is new goes into `ext`. */
export interface Hello {
  readonly format: 2;
  /** The versions that the server speaks: the highest that both sides do counts. */
  readonly versions: VersionRange;
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
  format: formatTwo,
  versions: struct<VersionRange>({ min: uint16, max: uint16 }),
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

/** A codec of frames, and the kinds that it knows: names by their numbers. */
export interface FrameCodec<Body> extends Codec<Frame<Body>> {
  readonly kinds: ReadonlyMap<number, string>;
}

/** Frames of the kinds in `cases`: name to number and fields, as for `variant`. */
export function frameCodec<Body extends { readonly kind: string }>(cases: {
  readonly [K in Body["kind"]]: readonly [number, Codec<Omit<Extract<Body, { kind: K }>, "kind">>];
}): FrameCodec<Body> {
  // Each value of the mapped type is such a pair, which Object.entries forgets.
  const pairs = Object.entries(cases) as [string, readonly [number, unknown]][];
  const kinds = new Map(pairs.map(([name, [number]]) => [number, name]));
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
