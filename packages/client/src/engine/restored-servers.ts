import { decode, encode, equalBytes, safeUint64, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Watched, World } from "./world.ts";

const dayMs = 86_400_000;
/** A statement counts for so long after the restore: it is told for as long. */
const countsForMs = 30 * dayMs;
/** Of one host no second statement is acted on before. */
const pauseMs = dayMs;
const toleranceMs = 300_000;

interface Taken {
  /** Of the newest restore that was acted on, and when that was. */
  readonly restoredMs: number;
  readonly takenMs: number;
}
const takenCodec: Codec<Taken> = struct<Taken>({ restoredMs: safeUint64, takenMs: safeUint64 });
const keyOf = (host: string): string => `restored/${host}`;

/** What servers say of their own restores (spec D-7): each is acted on once, one a day of a host at most. */
export class RestoredServers {
  readonly #world: World;
  /** What each host said last: the same with every connection is looked at once. */
  readonly #heard = new Map<string, Uint8Array>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Looks at what a host says, and offers the way on in the conversations that are there. What is not signed by its log is nothing. */
  async hear(host: string, said: Uint8Array, conversations: () => readonly Watched[]): Promise<void> {
    const heard = this.#heard.get(host);
    if (said.length === 0 || (heard !== undefined && equalBytes(heard, said))) return;
    const { store, directory, platform } = this.#world;
    const statement = await directory.log.openRestored(host, said);
    this.#heard.set(host, said);
    if (statement === undefined) return;
    const { restoredMs, copiedMs } = statement;
    const nowMs = platform.nowMs();
    const stored = await store.transact("read", (tx) => tx.get(keyOf(host)));
    const taken = stored === undefined ? undefined : decode(takenCodec, stored);
    if (restoredMs <= (taken?.restoredMs ?? 0) || nowMs - restoredMs > countsForMs) return;
    if (restoredMs > nowMs + toleranceMs || (taken !== undefined && nowMs - taken.takenMs < pauseMs)) {
      // Said again with a later connection, it may count.
      this.#heard.delete(host);
      return;
    }
    for (const conversation of conversations()) {
      await conversation.load();
      if (conversation.state.host === host) await conversation.input({ kind: "server_restored", copiedMs });
    }
    await store.transact("write", (tx) => tx.put(keyOf(host), encode(takenCodec, { restoredMs, takenMs: nowMs })));
  }
}

/** What a person reads about it. @param copiedMs when the copy was made, milliseconds since 1970 */
export function restoredSentence(copiedMs: number): string {
  const time = new Date(copiedMs).toISOString().slice(0, 16).replace("T", " ");
  return `The server says that it was restored from a copy of ${time} (UTC). What was written after that may be missing here for some of you.`;
}
