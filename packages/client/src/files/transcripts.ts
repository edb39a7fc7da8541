import { decode, encode, equalBytes, opaque, struct, text, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import type { Line, Transcript } from "../timeline/line.ts";

/*
 * What is said in files, as this device wrote it down (spec X-27): beside the lines and not in them, so that it goes along with no line that
 * is given to another device or to a joiner; erased with the line.
 */

const codec: Codec<readonly Transcript[]> = vector(struct<Transcript>({ blobId: opaque(32), text: text(1 << 18) }), { maxBytes: 1 << 23 });
const keyOf = (conversationId: string, order: number): string => `transcript/${conversationId}/${orderSegment(order)}`;

/** The line with what is said in its files, where that was written down. */
export async function withTranscripts(tx: StoreTransaction, conversationId: string, line: Line): Promise<Line> {
  const mayHave = line.body.kind === "text" && line.body.files?.some(({ kind }) => kind !== "file" && kind !== "picture");
  const stored = mayHave === true ? await tx.get(keyOf(conversationId, line.order)) : undefined;
  return stored === undefined ? line : { ...line, transcripts: decode(codec, stored) };
}

/** Keeps what is said in the files of a line. */
export function putTranscripts(tx: StoreTransaction, conversationId: string, order: number, transcripts: readonly Transcript[]): void {
  tx.put(keyOf(conversationId, order), encode(codec, transcripts));
}

/** Nothing of it is kept any more. */
export function forgetTranscripts(tx: StoreTransaction, conversationId: string, order: number): void {
  tx.delete(keyOf(conversationId, order));
}

/** What is said in one file of a line; `undefined` where nobody wrote it down. */
export function transcriptIn({ transcripts }: Pick<Line, "transcripts">, blobId: Uint8Array): string | undefined {
  return transcripts?.find((one) => equalBytes(one.blobId, blobId))?.text;
}
