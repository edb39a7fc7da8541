/** A failure that is told in one line, `latchkey: CODE: reason`, and ends the command with exit status 1 (2 for wrong usage). */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly code: string;
  /** 1, or 2 where the command was typed wrongly. */
  readonly exitCode: number;
  /** Address of the server that has a part in it, where one has. */
  readonly server: string | undefined;

  constructor(code: string, message: string, options: { exitCode?: number; server?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.exitCode = options.exitCode ?? 1;
    this.server = options.server;
  }
}

/** The signals that ask a command to end. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** A command that ended in order because it was asked to: nothing is written, and the exit status says by which signal. */
export class Stopped extends Error {
  override readonly name: string = "Stopped";
  /** 128 and the number of the signal, as shells tell it. */
  readonly exitCode: 130 | 143;

  constructor(signal: StopSignal) {
    super(`stopped by ${signal}`);
    this.exitCode = signal === "SIGINT" ? 130 : 143;
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

/** A failure as it is told. */
export interface ToldFailure {
  readonly code: string;
  readonly reason: string;
  readonly exitCode: number;
  readonly server: string | undefined;
}

/** The line and exit status of any failure. What is unknown is told by its kind only: a stack trace helps nobody at a prompt. */
export function describeFailure(error: unknown): ToldFailure {
  if (error instanceof CommandError) return { code: error.code, reason: error.message, exitCode: error.exitCode, server: error.server };
  if (!(error instanceof Error)) return { code: "failed", reason: "something was thrown that is no error", exitCode: 1, server: undefined };
  // ClientError and ServerError have a code and a message of one line for people; so have the system's errors.
  const code: unknown = Reflect.get(error, "code");
  return { code: typeof code === "string" ? code : "failed", reason: error.message, exitCode: 1, server: undefined };
}
