import { decode } from "@latchkey/codec";
import { leafHash, logEntryCodec, proveInclusion, tileHashReader, verifyInclusion } from "@latchkey/transparency";
import { WitnessError } from "./errors.ts";
import type { LogSource } from "./log-source.ts";

/**
 * The date of a tree's newest entry, which is proven to stand in it: for a witness that has not replayed the map that far.
 * @throws WitnessError when it cannot be had in time, TransparencyError when it is not in the tree, CodecError
 */
export async function newestDate(params: { source: LogSource; size: number; root: Uint8Array; waitMs: number }): Promise<number> {
  const { source, size, root, waitMs } = params;
  const signal = AbortSignal.timeout(waitMs);
  let newest: Uint8Array | undefined;
  for await (const entry of source.entries({ from: size - 1, size, signal })) newest = entry;
  if (newest === undefined) throw new WitnessError("bad_answer", "the server does not show the newest entry of its log");
  const proof = await proveInclusion(
    size - 1,
    size,
    tileHashReader(size, (tile) => source.tile(tile, signal)),
  );
  verifyInclusion({ index: size - 1, size, leafHash: leafHash(newest), proof, root });
  return decode(logEntryCodec, newest).timestampMs;
}
