import { bool, CodecError, decode, encode, safeUint64, struct, toBase64Url, uint32 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import type { StoreTransaction } from "../store/store.ts";

/** What a person said of an account's safety number. */
export interface Mark {
  /** False once it was taken back. */
  readonly verified: boolean;
  /** Whether the account was recovered since: its owner, or somebody with the phrase, replaced its devices (spec A-1). */
  readonly changed: boolean;
  readonly atMs: number;
}

const markCodec: Codec<Mark> = struct<Mark>({ verified: bool, changed: bool, atMs: safeUint64 });
const toldCodec: Codec<{ version: number }> = struct<{ version: number }>({ version: uint32 });

/** Records that all devices of an account share, and those that a new one inherits: prefixes of keys. */
export const markPrefix = "mark/";
const toldPrefix = "account-told/";

export const markKey = (accountId: Uint8Array): string => markPrefix + toBase64Url(accountId);
const toldKey = (accountId: Uint8Array): string => toldPrefix + toBase64Url(accountId);

/** Whether a record that another device of one's own wrote is a mark: what is none would be found by whoever looks at that account. */
export function isMark(value: Uint8Array): boolean {
  try {
    decode(markCodec, value);
    return true;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

export async function loadMark(tx: StoreTransaction, accountId: Uint8Array): Promise<Mark | undefined> {
  const bytes = await tx.get(markKey(accountId));
  return bytes === undefined ? undefined : decode(markCodec, bytes);
}

export function saveMark(tx: StoreTransaction, accountId: Uint8Array, mark: Mark): void {
  tx.put(markKey(accountId), encode(markCodec, mark));
}

/**
 * Whether an account was recovered since its states were last looked at here; what is told now is not told again. A mark of the
 * account is no longer good then (spec A-1).
 */
export async function takeRecovery(tx: StoreTransaction, contact: Contact): Promise<boolean> {
  const { accountId, account, record } = contact;
  const { version } = account.state;
  const stored = await tx.get(toldKey(accountId));
  const told = stored === undefined ? undefined : decode(toldCodec, stored).version;
  if (told === undefined || version > told) tx.put(toldKey(accountId), encode(toldCodec, { version }));
  // What happened before one met it is no news.
  if (told === undefined || version <= told) return false;
  const isRecovered = record.states.slice(told + 1).some((signed) => isByRecovery(signed));
  const mark = isRecovered ? await loadMark(tx, accountId) : undefined;
  if (mark?.verified === true) saveMark(tx, accountId, { ...mark, changed: true });
  return isRecovered;
}

function isByRecovery(signedState: Uint8Array): boolean {
  return decode(accountStateCodec, decode(signedCodec, signedState).body).signer.kind === "recovery";
}
