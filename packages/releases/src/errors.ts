/** Why something of a release was refused: bytes that are none, or what is too large to be one. */
export type ReleaseErrorCode = "malformed" | "too_large";

/** A refusal by this package. Its message holds no content, names or ids. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;

  constructor(code: ReleaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
