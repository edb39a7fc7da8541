/** Why a witness or an audit cannot go on. */
export type WitnessErrorCode =
  | "invalid_options"
  | "key_unusable" // the key file cannot be read, written or understood
  | "state_in_use" // another witness has the state open
  | "state_unusable" // the state cannot be read or written
  | "address_in_use"
  | "unreachable" // the log's server does not answer, or not in time
  | "bad_answer" // the log's server answers with something that is no part of a log
  | "other_log"; // the server has another log than the one that was pinned

/** A failure with a message of one line for people. Holds no keys. */
export class WitnessError extends Error {
  override readonly name: string = "WitnessError";
  readonly code: WitnessErrorCode;

  constructor(code: WitnessErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}
