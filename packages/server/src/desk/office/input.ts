import { fromBase64Url } from "@latchkey/codec";
import { DeskError } from "./desk-error.ts";

/** Control characters, and those that change the direction of what stands beside them; line ends and tabs are none. */
// eslint-disable-next-line no-control-regex -- these are what is looked for
const hidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** A JSON object that somebody sent: every part of it is read by its type and bounds, or it is refused. */
export class Input {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #unread: Set<string>;

  /** @throws DeskError `malformed` for what is no JSON object */
  constructor(value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DeskError("malformed");
    this.#values = new Map(Object.entries(value));
    this.#unread = new Set(this.#values.keys());
  }

  /** Reads the body of a request. @throws DeskError `malformed` */
  static parse(body: string): Input {
    try {
      return new Input(JSON.parse(body) as unknown);
    } catch (error) {
      throw error instanceof DeskError ? error : new DeskError("malformed");
    }
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** Whether it is there and says that there is none. */
  isNull(name: string): boolean {
    const isNone = this.#values.get(name) === null;
    if (isNone) this.#unread.delete(name);
    return isNone;
  }

  /** A text of `least` to `most` characters, without spaces around it. */
  text(name: string, { least = 1, most }: { least?: number; most: number }): string {
    const value = this.#take(name);
    // Lone halves of surrogate pairs cannot be stored as they are.
    if (typeof value !== "string" || value.length > most * 2 || hidden.test(value) || !value.isWellFormed())
      throw new DeskError("malformed");
    const text = value.trim();
    if (text.length < least || text.length > most) throw new DeskError("malformed");
    return text;
  }

  /** A document, as it came: whoever reads it says what it does not take. */
  document(name: string, { mostBytes }: { mostBytes: number }): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value.length > mostBytes || Buffer.byteLength(value) > mostBytes) throw new DeskError("malformed");
    return value;
  }

  whole(name: string, { least, most }: { least: number; most: number }): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) throw new DeskError("malformed");
    return value;
  }

  /** Whole numbers from `least` to `most`, each once; one at least, so many at most. */
  wholes(name: string, { least, most, atMost }: { least: number; most: number; atMost: number }): readonly number[] {
    const items = this.#list(name, atMost);
    const numbers = items.filter(
      (item) => typeof item === "number" && Number.isSafeInteger(item) && item >= least && item <= most,
    ) as number[];
    if (numbers.length === 0 || numbers.length !== items.length || new Set(numbers).size !== numbers.length)
      throw new DeskError("malformed");
    return numbers;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== "boolean") throw new DeskError("malformed");
    return value;
  }

  /** One of a list of words. */
  choice<Word extends string>(name: string, words: readonly Word[]): Word {
    const word = asWord(this.#take(name), words);
    if (word === undefined) throw new DeskError("malformed");
    return word;
  }

  /** Some of a list of words, each once. */
  choices<Word extends string>(name: string, words: readonly Word[], { least = 0 }: { least?: number } = {}): readonly Word[] {
    const found = this.#list(name, words.length).map((item) => asWord(item, words));
    const known = found.filter((word) => word !== undefined);
    if (known.length !== found.length || known.length < least || new Set(known).size !== known.length) throw new DeskError("malformed");
    return known;
  }

  /** Bytes that are written as base64url. */
  bytes(name: string, { length }: { length: number }): Uint8Array {
    const value = this.#take(name);
    const bytes = typeof value === "string" && value.length <= length * 2 ? bytesOf(value) : undefined;
    if (bytes?.length !== length) throw new DeskError("malformed");
    return bytes;
  }

  /** An object within. */
  object(name: string): Input {
    return new Input(this.#take(name));
  }

  /** What another library reads: an object as it came. */
  opaque(name: string): Readonly<Record<string, unknown>> {
    const value = this.#take(name);
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DeskError("malformed");
    return { ...value };
  }

  /** Objects, at most so many. */
  objects(name: string, { least = 0, most }: { least?: number; most: number }): readonly Input[] {
    const items = this.#list(name, most);
    if (items.length < least) throw new DeskError("malformed");
    return items.map((item) => new Input(item));
  }

  /** Texts that match a pattern, each once. */
  texts(name: string, { most, pattern }: { most: number; pattern: RegExp }): readonly string[] {
    const items = this.#list(name, most);
    const texts = items.filter((item) => typeof item === "string" && pattern.test(item)) as string[];
    if (texts.length !== items.length || new Set(texts).size !== texts.length) throw new DeskError("malformed");
    return texts;
  }

  /** Called when all was read: what nobody asked for was meant otherwise. @throws DeskError `malformed` */
  end(): void {
    if (this.#unread.size > 0) throw new DeskError("malformed");
  }

  #list(name: string, most: number): readonly unknown[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > most) throw new DeskError("malformed");
    return value;
  }

  #take(name: string): unknown {
    this.#unread.delete(name);
    return this.#values.get(name);
  }
}

function asWord<Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return fromBase64Url(text);
  } catch {
    return undefined;
  }
}
