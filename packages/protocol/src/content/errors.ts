/** Why content is refused. */
export type ContentErrorCode =
  | "malformed" // not CBOR, not deterministic, or not the shape that the draft gives
  | "too_large" // more bytes or parts than the limits of this package
  | "too_deep"; // parts or extensions nested deeper than the draft allows

/** Content that cannot be encoded or decoded. Never holds any of it. */
export class ContentError extends Error {
  override readonly name: string = "ContentError";
  readonly code: ContentErrorCode;

  constructor(code: ContentErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
