import { decode, encode, enumeration, safeUint64, struct, text, uint8, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";

/** What somebody said that is not so: of the server's public record, which did not sign it, or of their own account, which has another history there. */
export type WordKind = "record" | "account";

/** A false word, and who said it. */
export interface Word {
  /** Base64url account id. */
  readonly speaker: string;
  readonly kind: WordKind;
  /** When it was last said. */
  readonly atMs: number;
}

const wordsCodec: Codec<readonly Word[]> = vector(
  struct<Word>({ speaker: text(64), kind: enumeration(uint8, { record: 1, account: 2 }), atMs: safeUint64 }),
  { maxBytes: 8192 },
);
const key = "false-words";
/** Speakers that are remembered; the oldest make room. */
const maxWords = 64;

/**
 * Who said what is not so. A word convicts nobody but names its speaker (spec E-1): it is kept here, within a bound, and shown beside
 * the person's keys; nothing is held for it.
 */
export class Words {
  readonly #store: Store;
  readonly #platform: Pick<Platform, "nowMs">;
  #words: readonly Word[] = [];

  constructor(params: { store: Store; platform: Pick<Platform, "nowMs"> }) {
    this.#store = params.store;
    this.#platform = params.platform;
  }

  /** Brings what is stored to hand. */
  async load(): Promise<void> {
    const stored = await this.#store.transact("read", (tx) => tx.get(key));
    this.#words = stored === undefined ? [] : decode(wordsCodec, stored);
  }

  /** Remembers that somebody said something false. Whether it is news: the same of the same speaker is not. */
  async note(speaker: string, kind: WordKind): Promise<boolean> {
    return await this.#store.transact("write", (tx) => {
      const others = this.#words.filter((word) => word.speaker !== speaker || word.kind !== kind);
      const words = [{ speaker, kind, atMs: this.#platform.nowMs() }, ...others].slice(0, maxWords);
      tx.put(key, encode(wordsCodec, words));
      const isNews = others.length === this.#words.length;
      tx.afterCommit(() => {
        this.#words = words;
      });
      return isNews;
    });
  }

  /** The last false word of somebody. */
  of(speaker: string): Word | undefined {
    return this.#words.find((word) => word.speaker === speaker);
  }
}
