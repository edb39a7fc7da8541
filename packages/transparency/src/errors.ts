/** Why an account's state, a binding, a card, a note or a proof is refused. */
export type TransparencyErrorCode =
  | "malformed" // bytes that do not decode
  | "signature" // a signature that does not verify
  | "chain" // a state that does not continue its predecessor
  | "rule" // a change that its signer may not make (spec A-1)
  | "expired" // a card past its time
  | "proof"; // a proof of the directory that does not verify

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
