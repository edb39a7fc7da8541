/** What went wrong, for programs. */
export type MlsErrorCode =
  | "malformed" // bytes that do not decode, or a value outside its bounds
  | "unsupported" // a protocol version, cipher suite or feature that this package does not offer
  | "crypto" // an AEAD, HPKE, MAC or signature check failed
  | "invalid-leaf" // a leaf node or key package that RFC 9420 section 7.3 or 10.1 refuses
  | "invalid-tree" // a ratchet tree that RFC 9420 section 12.4.3.1 refuses
  | "invalid-proposal" // a proposal or proposal list that RFC 9420 section 12.2 refuses
  | "invalid-commit" // a commit that RFC 9420 section 12.4.2 refuses
  | "invalid-welcome" // a Welcome that RFC 9420 section 12.4.3.1 refuses
  | "wrong-group" // a message of another group
  | "wrong-epoch" // a message of another epoch
  | "removed" // this member is not in the group any more
  | "consumed" // a generation whose key was used or erased
  | "too-far" // a generation too far ahead
  | "usage"; // a call that makes no sense in this state

/**
 * Which part of judging a commit failed. `public`: what every member of the epoch sees alike, from its state and the
 * bytes alone. `private`: what needs this member's own keys. `policy`: what the caller brought (its clock, `acceptAdd`).
 */
export type MlsCheck = "public" | "private" | "policy";

/** Every failure of this package. The message never holds keys, plaintext or identities. */
export class MlsError extends Error {
  override readonly name: string = "MlsError";
  readonly code: MlsErrorCode;
  /** The clause that the input breaks, such as "RFC 9420 §12.4.2". */
  readonly clause: string | undefined;
  /** Which check of an incoming commit failed, where that is known. */
  readonly check: MlsCheck | undefined;

  constructor(code: MlsErrorCode, message: string, options: { clause?: string; check?: MlsCheck; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.clause = options.clause;
    this.check = options.check;
  }
}
