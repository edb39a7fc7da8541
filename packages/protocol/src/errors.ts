import { CodecError, uint16, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** Every refusal that the server sends, with its number on the wire. A number is never used for something else. */
export const wireErrorNumbers = {
  malformed: 1,
  too_large: 2,
  not_allowed_here: 3,
  unauthenticated: 4,
  wrong_access_key: 5,
  unknown_log: 6,
  unknown_epoch: 7,
  log_exists: 8,
  stale: 9,
  conflict: 10,
  purged: 11,
  invalid_username: 12,
  username_taken: 13,
  no_reservation: 14,
  invalid_account_state: 15,
  account_conflict: 16,
  too_many_updates: 17,
  not_found: 18,
  no_key_package: 19,
  inbox_full: 20,
  rate_limited: 21,
  storage_full: 22,
  unknown_blob: 23,
  registration_closed: 24,
  shutting_down: 25,
  internal: 26,
  unsupported: 27,
  clock_off: 28,
  client_outdated: 29,
  server_outdated: 30,
  account_suspended: 31,
  token_required: 32,
  token_invalid: 33,
  unavailable: 34,
} as const;

/** The name of a refusal that this version knows, and may send. */
export type KnownWireErrorCode = keyof typeof wireErrorNumbers;

/** A refusal's name; `unknown` for one of a later version. */
export type WireErrorCode = KnownWireErrorCode | "unknown";

/** A refusal as the server sends it. */
export type WireError = {
  /** When to try again, in milliseconds from now; 0 where trying again does not help by itself. The server's word: bound it. */
  readonly retryAfterMs: number;
} & ({ readonly code: KnownWireErrorCode } | { readonly code: "unknown"; /** As on the wire. */ readonly number: number });

const namesByNumber = new Map<number, KnownWireErrorCode>(
  // Object.entries widens the keys that the table has.
  (Object.entries(wireErrorNumbers) as [KnownWireErrorCode, number][]).map(([name, number]) => [number, name]),
);

/** Reads a number that this version does not know as `unknown`, with the number (spec E-70). @throws CodecError */
export const wireErrorCodec: Codec<WireError> = {
  write(w, error) {
    if (error.code === "unknown" && namesByNumber.has(error.number)) throw new CodecError("invalid", "a known number");
    uint16.write(w, error.code === "unknown" ? error.number : wireErrorNumbers[error.code]);
    uint32.write(w, error.retryAfterMs);
  },
  read(r) {
    const number = uint16.read(r);
    const retryAfterMs = uint32.read(r);
    const code = namesByNumber.get(number);
    return code === undefined ? { code: "unknown", number, retryAfterMs } : { code, retryAfterMs };
  },
};

/**
 * What a refusal means for what was asked, whatever that was:
 *
 * - `passing`: the server cannot now. Wait, and ask the same again.
 * - `raced`: something else came first. Take that in, then ask anew.
 * - `unknown_thing`: this server does not know it today, which proves nothing (it may have lost its data). Wait, and ask again.
 * - `not_accepted`: a key, a signature or a device that the server does not accept for this.
 * - `limit`: larger than the server takes. The same again is refused again.
 * - `clock`: a time in it that is off by the server's clock. One of the two clocks is wrong.
 * - `expired`: older than the server keeps.
 * - `final`: refused for what it says. The same again is refused again.
 * - `breach`: the two sides do not understand each other: a fault of one of them, or a version that lacks this.
 * - `outdated`: the two sides have no version in common. One of them must be updated.
 * - `unknown`: a refusal of a later version. It ends this one request and nothing else; with a time to wait it is `passing`.
 */
export type RefusalMeaning =
  | "passing"
  | "raced"
  | "unknown_thing"
  | "not_accepted"
  | "limit"
  | "clock"
  | "expired"
  | "final"
  | "breach"
  | "outdated"
  | "unknown";

/** What each refusal means: the one table of it (spec/00-common.md, "Error codes"). */
export const refusalMeanings: Readonly<Record<WireErrorCode, RefusalMeaning>> = {
  malformed: "breach",
  too_large: "limit",
  not_allowed_here: "breach",
  unauthenticated: "not_accepted",
  wrong_access_key: "not_accepted",
  unknown_log: "unknown_thing",
  unknown_epoch: "unknown_thing",
  log_exists: "final",
  stale: "raced",
  conflict: "raced",
  purged: "expired",
  invalid_username: "final",
  username_taken: "final",
  no_reservation: "final",
  invalid_account_state: "final",
  account_conflict: "raced",
  too_many_updates: "passing",
  not_found: "unknown_thing",
  no_key_package: "passing",
  inbox_full: "passing",
  rate_limited: "passing",
  storage_full: "passing",
  unknown_blob: "unknown_thing",
  registration_closed: "final",
  shutting_down: "passing",
  internal: "passing",
  unsupported: "breach",
  clock_off: "clock",
  client_outdated: "outdated",
  server_outdated: "outdated",
  account_suspended: "final",
  token_required: "passing",
  token_invalid: "passing",
  unavailable: "passing",
  unknown: "unknown",
};

/** What a refusal means for what was asked. */
export function meaningOf(refusal: { readonly code: WireErrorCode; readonly retryAfterMs: number }): RefusalMeaning {
  const meaning = refusalMeanings[refusal.code];
  return meaning === "unknown" && refusal.retryAfterMs > 0 ? "passing" : meaning;
}

/** WebSocket close codes (RFC 6455 section 7.4.2, private range) that end a connection. */
export const closeCodes = {
  /** A frame that does not decode or is not allowed on this role. */
  protocolError: 4400,
  /** A frame above the limit. */
  tooLarge: 4413,
  /** The two sides have no version in common. */
  outdated: 4426,
  /** Too many requests. */
  rateLimited: 4429,
  /** The peer did not read; open again and catch up. */
  tooSlow: 4408,
  /** The server stops; open again later. */
  shuttingDown: 4503,
  /** Another connection of the same device took over the inbox. */
  replaced: 4409,
  /** The device is no longer in its account. */
  deviceRemoved: 4403,
} as const;
