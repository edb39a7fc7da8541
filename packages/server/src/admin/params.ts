import { AdminError } from "./errors.ts";

/** What a command does: takes its parameters, answers what is shown. */
export type AdminCommand = (params: Params) => Promise<object>;

/** Commands by their names. */
export type AdminCommands = Readonly<Record<string, AdminCommand>>;

/** The parameters of one command: a JSON object of short texts and whole numbers. Every one is read, or the command is refused. */
export class Params {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #unread: Set<string>;

  /** @throws AdminError `usage` for what is no JSON object */
  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new AdminError("usage", "The parameters are a JSON object.");
    this.#values = new Map(Object.entries(value));
    this.#unread = new Set(this.#values.keys());
  }

  /** A text; `undefined` where there is none. @throws AdminError `usage` */
  text(name: string, { maxLength }: { maxLength: number }): string | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value !== "string" || value.length > maxLength) {
      throw new AdminError("usage", `"${name}" is a text of at most ${String(maxLength)} characters.`);
    }
    return value;
  }

  /** A whole number; `undefined` where there is none. @throws AdminError `usage` */
  whole(name: string, { least, most }: { least: number; most: number }): number | undefined {
    const value = this.#take(name);
    if (value === undefined) return undefined;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
      throw new AdminError("usage", `"${name}" is a whole number from ${String(least)} to ${String(most)}.`);
    }
    return value;
  }

  /** Called when all were read. @throws AdminError `usage` for one that the command does not have */
  end(): void {
    if (this.#unread.size > 0) throw new AdminError("usage", "This command does not take all of these parameters.");
  }

  #take(name: string): unknown {
    this.#unread.delete(name);
    return this.#values.get(name);
  }
}
