import type { Client } from "@latchkey/client";
import type { ParseArgsOptionsConfig } from "node:util";
import type { StopSignal } from "../errors.ts";
import type { Output, Writable } from "../output.ts";

/** What the command line is run in: everything from outside, so that tests can stand in for it. */
export interface Environment {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly workingDirectory: string;
  /** Whether somebody types at standard input, so that nothing is read there unasked. */
  readonly isTyped: boolean;
  /** All of standard input. @throws CommandError `invalid_text` where it is no UTF-8, `message_too_large` */
  readStdin(): Promise<string>;
  /** The next line of standard input, without its end; "" at its end. */
  readLine(): Promise<string>;
  /** The same of what is typed for nobody else to read, asked for on standard error: a terminal does not show it. */
  readSecret(prompt: string): Promise<string>;
  /** As `openNodeClient`. */
  openClient(params: { home: string; serverUrl: string; requests?: "accept"; share: boolean; join: { onLost?(): void } }): Promise<Client>;
  /** Resolves at the first SIGINT or SIGTERM, which then ends nothing by itself. */
  stopRequested(): Promise<StopSignal>;
  /** Calls `reload` at every SIGHUP; only who asked for it outlives one. */
  onReloadRequested(reload: () => void): void;
}

/** What a command gets. */
export interface CommandContext {
  readonly environment: Environment;
  readonly output: Output;
  /** Folder of the profile. */
  readonly home: string;
  /** `--server`, if given. */
  readonly serverUrl: string | undefined;
  readonly positionals: readonly string[];
  readonly values: OptionValues;
  /**
   * Opens the profile's client, runs `use` and closes the client again, whatever happens. Where another process has the profile open, it
   * goes through that one; `stays` is for a command that runs on: others may go through it, and it is told when whom it goes through ends.
   */
  withClient<T>(use: (client: Client) => Promise<T>, stays?: { onLost(): void }): Promise<T>;
}

/** Options as parsed. */
export type OptionValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** A command of `latchkey`. */
export interface Command {
  readonly name: string;
  /** Such as `send TO TEXT`. */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  /** Further lines of `--help`. */
  readonly help?: string;
  readonly options?: ParseArgsOptionsConfig;
  /** Least and most positional arguments. */
  readonly positionals: readonly [number, number];
  /** @throws CommandError, ClientError or ServerError: told in one line. */
  run(context: CommandContext): Promise<void>;
}

/** A string option's value. */
export function stringOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** All that was given of an option that may be given several times; none where it was not. */
export function stringOptions(values: OptionValues, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
