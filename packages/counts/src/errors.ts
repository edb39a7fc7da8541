/** Why something that was given to be counted or verified is refused. */
export type CountsErrorCode =
  | "malformed" // bytes or text that are none of ours
  | "unproven"; // the public log does not show it

/** What is counted cannot be read, or is not what the public record has. */
export class CountsError extends Error {
  override readonly name: string = "CountsError";
  readonly code: CountsErrorCode;

  constructor(code: CountsErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
