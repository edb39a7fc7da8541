import type { DeskErrorCode } from "@latchkey/protocol/desk";

/** What is not done at the desk, and why; says nothing of what was asked for. */
export class DeskError extends Error {
  override readonly name: string = "DeskError";
  readonly code: DeskErrorCode;
  readonly retryAfterMs: number;

  constructor(code: DeskErrorCode, retryAfterMs: number = 0) {
    super(code);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The status of HTTP that goes with each. */
export const deskStatuses: Readonly<Record<DeskErrorCode, number>> = {
  not_found: 404,
  malformed: 400,
  code_refused: 403,
  passkey_refused: 403,
  not_signed_in: 401,
  not_allowed: 403,
  other_person: 409,
  changed: 409,
  not_verified: 409,
  not_independent: 409,
  too_early: 409,
  last_administrator: 409,
  limit: 409,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
};
