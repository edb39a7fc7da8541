import { enumeration, struct, uint16, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

/** Every refusal that the server sends, with its number on the wire. */
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
} as const;

/** A refusal's name. */
export type WireErrorCode = keyof typeof wireErrorNumbers;

/** A refusal as the server sends it. */
export interface WireError {
  readonly code: WireErrorCode;
  /** When to try again, in milliseconds from now; 0 where trying again does not help by itself. */
  readonly retryAfterMs: number;
}

export const wireErrorCodec: Codec<WireError> = struct<WireError>({
  code: enumeration<WireErrorCode>(uint16, wireErrorNumbers),
  retryAfterMs: uint32,
});

/** WebSocket close codes (RFC 6455 section 7.4.2, private range) that end a connection. */
export const closeCodes = {
  /** A frame that does not decode or is not allowed on this role. */
  protocolError: 4400,
  /** A frame above the limit. */
  tooLarge: 4413,
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
