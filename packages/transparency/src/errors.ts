/** Why an account's state, a binding, a card, a note or a proof is refused. */
export type TransparencyErrorCode =
  | "malformed" // bytes that do not decode
  | "signature" // a signature that does not verify
  | "chain" // a state that does not continue its predecessor
  | "rule" // a change that its signer may not make (spec A-1)
  | "expired" // a card past its time
  | "proof" // a proof of the directory that does not verify
  | "missing" // something that the verification needs was not given: a node, a config, a known index
  | "fork" // two trees of one directory that do not continue each other: an alarm (spec D-4)
  | "rollback" // less than was verified before: an alarm
  | "stale" // the quorum's cosignatures are too old (spec D-3)
  | "quorum" // too few witnesses vouch for a head (spec D-3)
  | "ahead" // dated ahead of the reader's clock (spec D-2): one of both clocks is wrong
  | "config"; // a config that does not follow the one before it (spec D-2)

/** A failed verification. Names the rule of the spec; never holds names, keys or ids. */
export class TransparencyError extends Error {
  override readonly name: string = "TransparencyError";
  readonly code: TransparencyErrorCode;
  /** The rule that the input breaks: of the spec, such as "A-1", or a clause of a standard, such as "RFC 9381 5.3". */
  readonly rule: string;

  constructor(code: TransparencyErrorCode, rule: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.rule = rule;
  }
}
