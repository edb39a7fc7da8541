import { meaningOf } from "@latchkey/protocol";
import type { WireError, WireErrorCode } from "@latchkey/protocol";
import type { ClientErrorCode, ClientFailure } from "./api.ts";

/** Codes where the same call may succeed later without anybody changing anything. */
const retryable: ReadonlySet<ClientErrorCode> = new Set<ClientErrorCode>([
  "offline",
  "rate_limited",
  "server_full",
  "storage_full",
  "server_down",
  "way_blocked",
  "conflict",
  "change_waits",
  "unreachable_device",
  "storage_in_use",
  "app_outdated",
  "server_outdated",
  "clock_skew",
  "waiting_room_full",
]);

/** Every failure that leaves the client. The message is one plain sentence that never holds names, text or keys. */
export class ClientError extends Error implements ClientFailure {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;
  readonly canRetry: boolean;
  /** When the server asks to wait: for how long, in milliseconds; else 0. */
  readonly retryAfterMs: number;

  constructor(code: ClientErrorCode, message: string, options: { canRetry?: boolean; retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.canRetry = options.canRetry ?? retryable.has(code);
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }

  /** Whether doing the same again later can help. */
  shouldRetry(): boolean {
    return this.canRetry;
  }
}

const wireFailures: Readonly<Partial<Record<WireErrorCode, readonly [ClientErrorCode, string]>>> = {
  too_large: ["message_too_large", "This is larger than the server takes."],
  wrong_access_key: ["not_a_member", "The server does not accept this device's key to the conversation."],
  unknown_log: ["unknown_conversation", "The server does not have this conversation."],
  conflict: ["change_waits", "Somebody else changed the group at the same moment."],
  stale: ["change_waits", "The group changed at the same moment."],
  account_conflict: ["conflict", "The account was changed at the same moment. Try again."],
  invalid_username: ["invalid_username", "A username is 3 to 32 of a-z, 0-9, underscore, dot and hyphen."],
  username_taken: ["username_taken", "This username is taken."],
  not_found: ["unknown_user", "There is no such account on that server."],
  no_key_package: ["unreachable_device", "A device of this person has no keys on the server now. Try again later."],
  inbox_full: ["unreachable_device", "A device of this person takes nothing more until it has been online."],
  rate_limited: ["rate_limited", "Too much at once. Try again in a moment."],
  too_many_updates: ["rate_limited", "The account was changed too often today."],
  storage_full: ["server_full", "The server has no space left. Nothing is lost; it is tried again."],
  registration_closed: ["registration_closed", "This server takes no new accounts, or needs an invitation."],
  account_suspended: [
    "account_suspended",
    "Who runs this server has suspended this account: nothing new comes to it. Conversations go on. Ask them.",
  ],
  token_required: [
    "rate_limited",
    "This device has no token left for this, of which the server gives each account so many a day. Try again in an hour, or tomorrow.",
  ],
  token_invalid: ["rate_limited", "Too much at once. Try again in a moment."],
  shutting_down: ["offline", "The server is restarting."],
  internal: ["server_refused", "The server failed. Try again later."],
  unavailable: ["server_refused", "The server failed. Try again later."],
  unsupported: ["server_refused", "The server is of an earlier version that cannot do this."],
  clock_off: [
    "clock_skew",
    "The clock of this device or that of the server is wrong. Correct the date and time of this device, or tell who runs the server if they are right.",
  ],
  client_outdated: ["app_outdated", "This version of Latchkey is too old for the server. Update it."],
  server_outdated: ["server_outdated", "The server is too old for this version of Latchkey. Who runs it must update it."],
  unknown: ["server_refused", "The server refused this for a reason that this version of Latchkey does not know."],
};

/** A refusal of the server in the words of the client. */
export function refusal(wire: WireError): ClientError {
  const known = wireFailures[wire.code];
  const [code, message] = known ?? (["server_refused", "The server refused this."] as const);
  const canRetry = retryable.has(code) || meaningOf(wire) === "passing";
  return new ClientError(code, message, { canRetry, retryAfterMs: wire.retryAfterMs, cause: new Error(`refused: ${wire.code}`) });
}

/** The failure in `error` as plain data; anything unexpected becomes `fallback` and keeps no detail of it. */
export function failureOf(error: unknown, fallback: ClientErrorCode = "server_refused"): ClientFailure {
  if (error instanceof ClientError) return { code: error.code, message: error.message, canRetry: error.canRetry };
  return { code: fallback, message: "Something went wrong that should not.", canRetry: false };
}

/** What cannot be told before the conversation's log was read on: asked again in a moment (spec E-3). */
export function notReadYet(): ClientError {
  return new ClientError("conversation_unavailable", "The conversation was not read so far yet. Try again in a moment.", {
    canRetry: true,
    retryAfterMs: 1000,
  });
}

/** The network failed, or the connection ended before the answer; `message` where it is known why. */
export function offlineError(cause?: unknown, message: string = "The server cannot be reached now."): ClientError {
  return new ClientError("offline", message, { cause });
}
