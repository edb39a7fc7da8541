import { CodecError, decode } from "@latchkey/codec";
import { isEmptyHash, logEntryCodec } from "@latchkey/transparency";
import type { ReplayItem } from "@latchkey/transparency";
import { handled } from "./log-source.ts";
import type { LogSource } from "./log-source.ts";

/** Transitions asked for before they are needed, and entries looked at for them. */
const transitionsAhead = 64;

/** The entries of a log from index `from` on, below `size`, each with the transition that it names, some of them asked for ahead. */
export async function* replayItems(params: {
  source: LogSource;
  from: number;
  size: number;
  signal?: AbortSignal;
}): AsyncGenerator<ReplayItem, void, undefined> {
  const { source, from, size, signal } = params;
  const waiting: { entry: Uint8Array; transition: Promise<Uint8Array | undefined> }[] = [];
  const next = async (): Promise<ReplayItem | undefined> => {
    const first = waiting.shift();
    return first === undefined ? undefined : { entry: first.entry, transition: await first.transition };
  };
  let index = from;
  for await (const entry of source.entries({ from, size, ...(signal === undefined ? {} : { signal }) })) {
    waiting.push({ entry, transition: hasTransition(entry) ? handled(source.transition(index, signal)) : Promise.resolve(undefined) });
    index++;
    if (waiting.length >= transitionsAhead) {
      const item = await next();
      if (item !== undefined) yield item;
    }
  }
  for (let item = await next(); item !== undefined; item = await next()) yield item;
}

/** Whether an entry names a transition. One that does not decode is for the replay to refuse. */
function hasTransition(entry: Uint8Array): boolean {
  try {
    return !isEmptyHash(decode(logEntryCodec, entry).changesHash);
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}
