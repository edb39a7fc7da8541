import { ImportError } from "./parsed.ts";

/** Something that was found in a JSON text: names and places of what it stands in, with `*` for an element of a list. */
export type JsonFound =
  | { readonly kind: "value"; readonly path: readonly string[]; readonly value: unknown }
  /** One that is none, or longer than what is read: its beginning. */
  | { readonly kind: "bad"; readonly path: readonly string[]; readonly text: string; readonly isTooLong: boolean }
  /** An object, or a list, ended. */
  | { readonly kind: "end"; readonly path: readonly string[] };

/** What of a JSON text is read as a whole. */
export interface JsonWanted {
  isWanted(path: readonly string[]): boolean;
  /** UTF-16 units of what is read as a whole. */
  readonly maxLength: number;
  readonly maxDepth: number;
}

interface Level {
  readonly isList: boolean;
  /** Of the member that is read. */
  key: string;
  /** The next text is the name of a member. */
  expectsKey: boolean;
}

const beginningLength = 1000;
/** Longest name of a member. */
const maxKeyLength = 256;

/**
 * Reads a JSON text as it comes: what is wanted is given as a value as soon as it ends, everything else is passed over, so that nothing is in memory but the
 * names of where one is. What is not JSON between the wanted values is passed over too: it is they that are judged.
 */
export class JsonItems {
  readonly #wanted: JsonWanted;
  readonly #levels: Level[] = [];
  #inText = false;
  #isEscaped = false;
  /** Of a text that is a name. */
  #name: string | undefined;
  /** Of a wanted value: what was read of it, and how deep it began. */
  #taken: string | undefined;
  #takenDepth = 0;
  #isTooLong = false;
  /** A value that is neither list, object nor text: a number, true, false, null. */
  #isPlain = false;
  #hasEnded = false;

  constructor(wanted: JsonWanted) {
    this.#wanted = wanted;
  }

  /** Whether the outermost value ended. */
  get isWhole(): boolean {
    return this.#hasEnded;
  }

  /** What ends in this piece of text. @throws ImportError `nested` */
  *feed(text: string): Generator<JsonFound, void, undefined> {
    let from = 0;
    const take = (to: number): void => {
      if (this.#taken === undefined) return;
      if (this.#taken.length + to - from > this.#wanted.maxLength) this.#isTooLong = true;
      const room = (this.#isTooLong ? beginningLength : this.#wanted.maxLength) - this.#taken.length;
      if (room > 0) this.#taken += text.slice(from, Math.min(to, from + room));
    };
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#inText) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === 0x5c) this.#isEscaped = true;
        else if (code === 0x22) {
          this.#inText = false;
          if (this.#name !== undefined) this.#endName();
          else if (this.#isTextWanted()) {
            take(at + 1);
            yield* this.#endTaken();
          }
          continue;
        }
        if (this.#name !== undefined && this.#name.length < maxKeyLength) this.#name += text[at] ?? "";
        continue;
      }
      if (this.#isPlain && !isPlainCode(code)) {
        this.#isPlain = false;
        if (this.#taken !== undefined && this.#levels.length === this.#takenDepth) {
          take(at);
          yield* this.#endTaken();
        }
      }
      switch (code) {
        case 0x22: // "
          this.#inText = true;
          if (this.#top?.expectsKey === true) this.#name = "";
          else if (this.#begins()) from = at;
          break;
        case 0x7b: // {
        case 0x5b: // [
          if (this.#begins()) from = at;
          if (this.#levels.length >= this.#wanted.maxDepth)
            throw new ImportError("nested", "The file is nested deeper than any such file.");
          this.#levels.push({ isList: code === 0x5b, key: "*", expectsKey: code === 0x7b });
          break;
        case 0x7d: // }
        case 0x5d: // ]
          this.#levels.pop();
          if (this.#levels.length === 0) this.#hasEnded = true;
          if (this.#taken === undefined) yield { kind: "end", path: this.#path() };
          else if (this.#levels.length === this.#takenDepth) {
            take(at + 1);
            yield* this.#endTaken();
          }
          break;
        case 0x2c: // ,
          if (this.#top !== undefined) this.#top.expectsKey = !this.#top.isList;
          break;
        default:
          if (!this.#isPlain && isPlainCode(code)) {
            this.#isPlain = true;
            if (this.#begins()) from = at;
          }
      }
    }
    take(text.length);
  }

  get #top(): Level | undefined {
    return this.#levels.at(-1);
  }

  #path(): readonly string[] {
    return this.#levels.map(({ isList, key }) => (isList ? "*" : key));
  }

  /** A value begins: whether it is one that is wanted. */
  #begins(): boolean {
    if (this.#taken !== undefined || !this.#wanted.isWanted(this.#path())) return false;
    [this.#taken, this.#takenDepth, this.#isTooLong] = ["", this.#levels.length, false];
    return true;
  }

  #isTextWanted(): boolean {
    return this.#taken !== undefined && this.#levels.length === this.#takenDepth;
  }

  #endName(): void {
    const top = this.#top;
    if (top !== undefined) [top.key, top.expectsKey] = [this.#name ?? "", false];
    this.#name = undefined;
  }

  *#endTaken(): Generator<JsonFound, void, undefined> {
    const [text, path] = [this.#taken ?? "", this.#path()];
    this.#taken = undefined;
    if (this.#isTooLong) yield { kind: "bad", path, text: text.slice(0, beginningLength), isTooLong: true };
    else
      try {
        yield { kind: "value", path, value: JSON.parse(text) };
      } catch {
        yield { kind: "bad", path, text: text.slice(0, beginningLength), isTooLong: false };
      }
  }
}

/** Letters, digits and signs of which numbers and `true`, `false`, `null` are made. */
function isPlainCode(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a) || code === 0x2d || code === 0x2b || code === 0x2e || code === 0x45
  );
}
