/** Why something of a report was refused: `malformed` bytes, what does not `open`, a `signature` that is not one, `too_large`. */
export type ReportErrorCode = "malformed" | "unopened" | "signature" | "too_large";

/** A refusal by this package. Its message holds no content, keys or ids. */
export class ReportError extends Error {
  override readonly name = "ReportError";
  readonly code: ReportErrorCode;

  constructor(code: ReportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
