import { fromBase64Url } from "@latchkey/codec";
import { ReleaseError } from "./errors.ts";

/** A JSON object of a release: each field is read by its type and bounds, and a field that is not read is refused. */
export class JsonReader {
  readonly #fields: Map<string, unknown>;

  private constructor(fields: Map<string, unknown>) {
    this.#fields = fields;
  }

  /** Reads UTF-8 JSON, all of which `read` has to use. @throws ReleaseError `malformed` */
  static parse<Value>(bytes: Uint8Array, read: (reader: JsonReader) => Value): Value {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch (cause) {
      throw new ReleaseError("malformed", "A part of the release is no JSON.", { cause });
    }
    return readWhole(value, read);
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** @param most characters */
  text(name: string, most: number): string {
    const value = this.#take(name);
    if (typeof value !== "string" || value.length > most) throw malformed(name);
    return value;
  }

  whole(name: string, most: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#take(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > most) throw malformed(name);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== "boolean") throw malformed(name);
    return value;
  }

  choice<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#take(name);
    const word = words.find((one) => one === value);
    if (word === undefined) throw malformed(name);
    return word;
  }

  texts(name: string, { most, longest }: { most: number; longest: number }): readonly string[] {
    return this.#list(name, most).map((item) => {
      if (typeof item !== "string" || item.length > longest) throw malformed(name);
      return item;
    });
  }

  /** Bytes in base64url, at most so many. */
  bytes(name: string, most: number): Uint8Array {
    const value = this.text(name, 2 * most);
    try {
      const bytes = fromBase64Url(value);
      if (bytes.length <= most) return bytes;
    } catch {
      // Said below.
    }
    throw malformed(name);
  }

  object<Value>(name: string, read: (reader: JsonReader) => Value): Value {
    return readWhole(this.#take(name), read);
  }

  objects<Value>(name: string, most: number, read: (reader: JsonReader) => Value): readonly Value[] {
    return this.#list(name, most).map((item) => readWhole(item, read));
  }

  #list(name: string, most: number): readonly unknown[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > most) throw malformed(name);
    return value;
  }

  #take(name: string): unknown {
    const value = this.#fields.get(name);
    this.#fields.delete(name);
    return value;
  }

  static of<Value>(value: object, read: (reader: JsonReader) => Value): Value {
    const reader = new JsonReader(new Map(Object.entries(value)));
    const result = read(reader);
    for (const name of reader.#fields.keys()) throw malformed(name.slice(0, 40));
    return result;
  }
}

function readWhole<Value>(value: unknown, read: (reader: JsonReader) => Value): Value {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ReleaseError("malformed", "A part is no object.");
  return JsonReader.of(value, read);
}

function malformed(field: string): ReleaseError {
  return new ReleaseError("malformed", `The field "${field.replaceAll(/[^\w.-]/gu, "?")}" of the release is not as it has to be.`);
}
