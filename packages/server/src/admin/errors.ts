/** Why a command of the operator was not done. */
export type AdminErrorCode =
  | "usage" // a parameter is missing or cannot be
  | "unknown_command"
  | "not_found" // there is no such account, name or invitation
  | "limit" // there are as many as there may be
  | "not_now"; // it cannot be done in this state of the server

/** A command that was not done: one sentence that says what to do instead. */
export class AdminError extends Error {
  override readonly name: string = "AdminError";
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
