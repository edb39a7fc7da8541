import { decode, encode, struct, toBase64Url, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { StoreTransaction } from "../store/store.ts";

/** Pictures that a profile keeps, each of at most 64 KiB (spec X-21). */
export const maxKeptPictures = 2000;

const blobPrefix = "picture-blob/";
/** Apart from the bytes: that a picture was shown is written down without them. */
const dayPrefix = "picture-day/";
const dayMs = 86_400_000;
const dayCodec: Codec<{ day: number }> = struct<{ day: number }>({ day: uint32 });

const dayOf = (nowMs: number): number => Math.max(0, Math.min(0xff_ff_ff_ff, Math.floor(nowMs / dayMs)));

/**
 * Keeps a picture's ciphertext, by its hash: what another reference leads to never takes its place, whatever id that names. Where there are
 * too many, those go that were shown longest ago.
 * @param always the hashes, base64url, of those that stay
 */
export async function keepPicture(
  tx: StoreTransaction,
  { hash, ciphertext, nowMs, always }: { hash: Uint8Array; ciphertext: Uint8Array; nowMs: number; always: readonly string[] },
): Promise<void> {
  const id = toBase64Url(hash);
  tx.put(blobPrefix + id, ciphertext);
  tx.put(dayPrefix + id, encode(dayCodec, { day: dayOf(nowMs) }));
  const kept = (await tx.scan({ prefix: dayPrefix })).map(([key, value]) => ({
    id: key.slice(dayPrefix.length),
    day: decode(dayCodec, value).day,
  }));
  if (kept.length <= maxKeptPictures) return;
  const oldest = kept.filter((one) => one.id !== id && !always.includes(one.id)).toSorted((a, b) => a.day - b.day);
  for (const one of oldest.slice(0, kept.length - maxKeptPictures)) {
    tx.delete(blobPrefix + one.id);
    tx.delete(dayPrefix + one.id);
  }
}

/** The ciphertext of a picture that is kept. */
export async function keptPicture(tx: StoreTransaction, hash: Uint8Array): Promise<Uint8Array | undefined> {
  return await tx.get(blobPrefix + toBase64Url(hash));
}

/** Writes down that a kept picture is shown today. */
export async function notePictureShown(tx: StoreTransaction, hash: Uint8Array, nowMs: number): Promise<void> {
  const key = dayPrefix + toBase64Url(hash);
  const stored = await tx.get(key);
  const day = dayOf(nowMs);
  if (stored !== undefined && decode(dayCodec, stored).day !== day) tx.put(key, encode(dayCodec, { day }));
}
