/** Why bytes were refused: `truncated`, `trailing`, `limit` (a length bound), `invalid` (a value not allowed there). */
export type CodecErrorCode = "truncated" | "trailing" | "limit" | "invalid";

/** Malformed or over-limit input or output. Never holds the bytes themselves. */
export class CodecError extends Error {
  override readonly name: string = "CodecError";
  readonly code: CodecErrorCode;

  constructor(code: CodecErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
