/** A failure that is told in one line, `latchkey: CODE: reason`, and ends the command with exit status 1 (2 for wrong usage). */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code: string;
  /** 1, or 2 where the command was typed wrongly. */
  readonly exitCode: number;

  constructor(code: string, message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** Wrong usage: exit status 2. */
export function usageError(message: string): CommandError {
  return new CommandError("usage", message, { exitCode: 2 });
}

/** An option, or what stands for it, that cannot be: exit status 2. */
export function invalidOption(message: string, cause?: unknown): CommandError {
  return new CommandError("invalid_option", message, { exitCode: 2, ...(cause === undefined ? {} : { cause }) });
}

/** The line and exit status of any failure. What is unknown is told by its kind only: a stack trace helps nobody at a prompt. */
export function describeFailure(error: unknown): { code: string; reason: string; exitCode: number } {
  if (error instanceof CommandError) return { code: error.code, reason: error.message, exitCode: error.exitCode };
  if (error instanceof Error) {
    // ClientError and ServerError have a code and a message of one line for people; so have the system's errors.
    const code: unknown = Reflect.get(error, "code");
    return { code: typeof code === "string" ? code : "failed", reason: error.message, exitCode: 1 };
  }
  return { code: "failed", reason: "something was thrown that is no error", exitCode: 1 };
}
