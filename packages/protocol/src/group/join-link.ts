import { CodecError, concatBytes, encode, mapped, opaque, safeUint64, struct, text, uint16, utf8Bytes, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { hostCodec } from "../addresses.ts";
import { maxSentAtMs } from "../content/head.ts";
import { formatOne } from "../format.ts";
import { deviceIdCodec, extCodec, id32 } from "../frames/common.ts";
import { maxLinkUses } from "../limits.ts";
import type { Sha256 } from "../log-chain.ts";
import { hmacSha256 } from "./hmac.ts";

/** Longest name of a group, in bytes, that a join link says. */
export const maxLinkNameBytes = 128;
/** Accounts that a join link's record names as refused. */
export const maxRefusedTags = 1000;

/** What the fragment of a join link says (spec X-14). */
export interface JoinLinkCode {
  readonly host: string;
  readonly linkId: Uint8Array;
  /** SHA-256 of the key that knocks are sealed to. */
  readonly keyHash: Uint8Array;
  readonly secret: Uint8Array;
  /** H(DirectoryConfig) of the host's public log, as whoever made the link knows it. */
  readonly directory: Uint8Array;
  /** "" where the link does not say where it leads. */
  readonly name: string;
}

export const joinLinkCodeCodec: Codec<JoinLinkCode> = struct<JoinLinkCode>({
  host: hostCodec,
  linkId: id32,
  keyHash: id32,
  secret: opaque(16),
  directory: id32,
  name: text(maxLinkNameBytes),
});

/** Body of an inbox item `knock`: somebody asks to be let in (spec X-14). */
export interface Knock {
  readonly format: 1;
  /** That its sender has the link: `knockMac`. */
  readonly mac: Uint8Array;
  /** What whoever lets them in shows, so that they know that it is an answer. */
  readonly answer: Uint8Array;
  readonly ext: Uint8Array;
}

export const knockCodec: Codec<Knock> = struct<Knock>({ format: formatOne, mac: id32, answer: id32, ext: extCodec });

/** What the MAC of a knock is over: who knocks, where. */
export interface KnockScope {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly linkId: Uint8Array;
  readonly answer: Uint8Array;
}

const knockScopeCodec: Codec<KnockScope> = struct<KnockScope>({
  host: hostCodec,
  accountId: id32,
  deviceId: deviceIdCodec,
  linkId: id32,
  answer: id32,
});

/** HMAC-SHA256(secret of the link, "latchkey/knock/1" || who knocks, where, with which answer). */
export function knockMac(sha256: Sha256, secret: Uint8Array, scope: KnockScope): Uint8Array {
  return hmacSha256(sha256, secret, concatBytes(utf8Bytes("latchkey/knock/1"), encode(knockScopeCodec, scope)));
}

/** Body of an inbox item `admission`: whoever knocked is let in, by the sender of this (spec X-14). */
export interface Admission {
  readonly format: 1;
  readonly linkId: Uint8Array;
  /** As the knock said it. */
  readonly answer: Uint8Array;
  readonly ext: Uint8Array;
}

export const admissionCodec: Codec<Admission> = struct<Admission>({ format: formatOne, linkId: id32, answer: id32, ext: extCodec });

/** Who was refused, by the tag of their account, how often. */
export interface RefusedTag {
  readonly tag: Uint8Array;
  readonly times: number;
}

/** Body of an inbox item `linkShare`: what opens a join link, for those who have the right `invite`, with what became of it (spec X-14). */
export interface LinkShare {
  readonly format: 1;
  readonly host: string;
  readonly logId: Uint8Array;
  readonly seed: Uint8Array;
  /** Whoever opened it. */
  readonly accountId: Uint8Array;
  /** Milliseconds since 1970, to the end of 2099. */
  readonly notAfterMs: number;
  /** 1 to `maxLinkUses`. */
  readonly maxUses: number;
  readonly admitted: readonly Uint8Array[];
  readonly refused: readonly RefusedTag[];
  /** What the link says of where it leads. */
  readonly name: string;
  readonly ext: Uint8Array;
}

/** A number that is refused outside of its bounds, as where the log says it. */
function within(codec: Codec<number>, least: number, most: number): Codec<number> {
  const bounded = (value: number): number => {
    if (value < least || value > most) throw new CodecError("limit", "out of bounds");
    return value;
  };
  return mapped(codec, bounded, bounded);
}

export const linkShareCodec: Codec<LinkShare> = struct<LinkShare>({
  format: formatOne,
  host: hostCodec,
  logId: id32,
  seed: id32,
  accountId: id32,
  notAfterMs: within(safeUint64, 0, maxSentAtMs),
  maxUses: within(uint16, 1, maxLinkUses),
  admitted: vector(opaque(16), { maxBytes: 16 * maxLinkUses }),
  refused: vector(struct<RefusedTag>({ tag: opaque(16), times: uint16 }), { maxBytes: 18 * maxRefusedTags }),
  name: text(maxLinkNameBytes),
  ext: extCodec,
});
