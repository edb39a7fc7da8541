import {
  CodecError,
  decode,
  encode,
  equalBytes,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  toBase64Url,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxDirectoryProofBytes } from "@latchkey/protocol";
import type { AccountRecord, Address } from "@latchkey/protocol";
import {
  accountStateCodec,
  signedCodec,
  stateHashOf,
  TransparencyError,
  usernameBindingCodec,
  verifyAccountChain,
  verifyUsernameBinding,
} from "@latchkey/transparency";
import type { AccountState, Signatures, VerifiedAccount } from "@latchkey/transparency";
import { provenCodec } from "../directory/proven.ts";
import type { Proven } from "../directory/proven.ts";
import { ClientError } from "../errors.ts";
import { dayOf } from "../names/day.ts";
import type { StoreTransaction } from "../store/store.ts";

/** Another account as it was verified, pinned by its id (spec A-3). */
export interface Contact {
  readonly host: string;
  readonly username: string;
  readonly accountId: Uint8Array;
  readonly account: VerifiedAccount;
  /** What it was verified from. */
  readonly record: AccountRecord;
  /** When its host's record was last known to hold this state, milliseconds since 1970; 0 when that was never checked. */
  readonly checkedAtMs: number;
  /** What the public record proved of it; `undefined` for an account that was only heard of. */
  readonly proven: Proven | undefined;
  /** When its name was last looked up, and its history held, milliseconds since 1970; 0 for somebody who was met inside a group only (spec A-3). */
  readonly nameLookedUpAtMs: number;
}

interface StoredContact {
  readonly accountId: Uint8Array;
  readonly stateHash: Uint8Array;
  readonly state: Uint8Array;
  readonly states: readonly Uint8Array[];
  readonly pops: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
  readonly proof: Uint8Array;
  readonly checkedAtMs: number;
  readonly proven: Proven | undefined;
}
const list: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536), { maxBytes: 2_097_152 });
const storedCodec: Codec<StoredContact> = struct<StoredContact>({
  accountId: opaque(32),
  stateHash: opaque(32),
  state: opaqueV(65_536),
  states: list,
  pops: list,
  bindings: list,
  proof: opaqueV(maxDirectoryProofBytes),
  checkedAtMs: safeUint64,
  proven: optional(provenCodec),
});

interface StoredPin {
  readonly accountId: Uint8Array;
  readonly lookedUpAtMs: number;
}
const pinCodec: Codec<StoredPin> = struct<StoredPin>({ accountId: opaque(32), lookedUpAtMs: safeUint64 });

const idKey = (accountId: Uint8Array): string => `contact/proven/${toBase64Url(accountId)}`;
const pinKey = (address: Address): string => `contact/pin/${address.host}/${address.username}`;

async function loadPin(tx: StoreTransaction, address: Address): Promise<StoredPin | undefined> {
  const bytes = await tx.get(pinKey(address));
  return bytes === undefined ? undefined : decode(pinCodec, bytes);
}

/** A contact from the cache; it was verified when it went in. */
export async function loadContact(tx: StoreTransaction, accountId: Uint8Array): Promise<Contact | undefined> {
  const bytes = await tx.get(idKey(accountId));
  if (bytes === undefined) return undefined;
  const stored = decode(storedCodec, bytes);
  const { states, pops, bindings, proof, state: encodedState, stateHash, checkedAtMs, proven } = stored;
  const state = decode(accountStateCodec, encodedState);
  const pin = await loadPin(tx, state);
  return {
    host: state.host,
    username: state.username,
    accountId,
    account: { accountId, state, stateHash },
    record: { states, pops, bindings, proof },
    checkedAtMs,
    proven,
    nameLookedUpAtMs: pin !== undefined && equalBytes(pin.accountId, accountId) ? pin.lookedUpAtMs : 0,
  };
}

/** The contact that a look-up of the name pinned it to. */
export async function loadContactByName(tx: StoreTransaction, address: Address): Promise<Contact | undefined> {
  const pin = await loadPin(tx, address);
  return pin === undefined ? undefined : loadContact(tx, pin.accountId);
}

/** What is known of a contact's name: only who looked the name up pins it (spec A-3). */
export interface NameLookUp {
  readonly atMs: number;
  /** The name may have been another account's: the person means this one. */
  readonly isAccepted: boolean;
}

/**
 * Stores a verified contact, unless the cache knows a newer state of it. Without `name` it was met by its account, as inside a group:
 * that neither pins its name nor asks whose that was.
 * @throws ClientError `directory_fork` when its chain is not the one seen before, `name_changed_hands` when its name was looked up and
 *   is pinned to another account (spec A-3)
 */
export async function saveContact(tx: StoreTransaction, contact: Contact, name?: NameLookUp): Promise<Contact> {
  const known = await loadContact(tx, contact.accountId);
  // What was only heard of makes room for what the public record proves.
  const isReplaced = known !== undefined && !isProven(known) && isProven(contact) && !continues(known, contact);
  if (known !== undefined && !isReplaced && !continues(known, contact)) {
    throw new ClientError("directory_fork", "The server shows this account with other keys than before. Do not go on before you know why.");
  }
  const pin = await loadPin(tx, contact);
  const isOthers = pin !== undefined && !equalBytes(pin.accountId, contact.accountId);
  if (isOthers && name?.isAccepted === false) throw changedHands();
  const saved = newest(isReplaced ? undefined : known, contact);
  const { account, record, checkedAtMs, proven } = saved;
  tx.put(
    idKey(saved.accountId),
    encode(storedCodec, {
      accountId: account.accountId,
      stateHash: account.stateHash,
      state: encode(accountStateCodec, account.state),
      ...record,
      checkedAtMs,
      proven,
    }),
  );
  if (name !== undefined) tx.put(pinKey(saved), encode(pinCodec, { accountId: saved.accountId, lookedUpAtMs: name.atMs }));
  return { ...saved, nameLookedUpAtMs: name?.atMs ?? (pin === undefined || isOthers ? 0 : pin.lookedUpAtMs) };
}

/** Of two that are the same chain, the longer; of two equally long, the one that more is known of. */
function newest(known: Contact | undefined, contact: Contact): Contact {
  if (known === undefined) return contact;
  const ahead = known.account.state.version - contact.account.state.version;
  if (ahead > 0) return known;
  if (ahead < 0 || known.proven === undefined) return contact;
  return contact.proven === undefined || contact.proven.size < known.proven.size ? known : { ...contact, ...laterCheck(known, contact) };
}

function laterCheck(known: Contact, contact: Contact): Pick<Contact, "checkedAtMs"> {
  return { checkedAtMs: Math.max(known.checkedAtMs, contact.checkedAtMs) };
}

/** Whether a host's public record has it: else its keys are not trusted. */
export function isProven(contact: Contact): boolean {
  return contact.proven !== undefined;
}

/**
 * Verifies an account's record: its chain from genesis or from `known` on, and the binding of its name (spec ).
 * @throws ClientError `server_lied` when anything does not hold
 */
export async function verifyRecord(params: {
  record: AccountRecord;
  known: Contact | undefined;
  checkedAtMs: number;
  proven?: Proven | undefined;
  signatures: Signatures;
}): Promise<Contact> {
  const { record, known, signatures, proven } = params;
  try {
    const account = await verifyAccountChain({ previous: known?.account, signedStates: record.states, pops: record.pops, signatures });
    const { host, username, status } = account.state;
    const joined: AccountRecord =
      known === undefined
        ? record
        : {
            states: [...known.record.states, ...record.states],
            pops: [...known.record.pops, ...record.pops],
            bindings: record.bindings.length > 0 ? record.bindings : known.record.bindings,
            proof: record.proof,
          };
    if (status === "active" && !(await isBound(account, joined, signatures))) {
      throw new ClientError("server_lied", "The server gave a name to an account that did not take it.");
    }
    return {
      host,
      username,
      accountId: account.accountId,
      account,
      record: joined,
      checkedAtMs: params.checkedAtMs,
      proven,
      nameLookedUpAtMs: 0,
    };
  } catch (cause) {
    if (cause instanceof TransparencyError) {
      throw new ClientError("server_lied", "The server showed an account whose signatures do not hold.", { cause });
    }
    throw cause;
  }
}

/** Whether the account took its name: the device that signed so may have left it since. */
async function isBound(
  account: VerifiedAccount,
  record: Pick<AccountRecord, "states" | "bindings">,
  signatures: Signatures,
): Promise<boolean> {
  const { host, username } = account.state;
  const states = record.states.map((signed) => decode(accountStateCodec, decode(signedCodec, signed).body)).toReversed();
  for (const signedBinding of record.bindings) {
    const tried: Uint8Array[] = [];
    for (const state of states) {
      const key = bindingKey(signedBinding, state);
      // One signature for each key that may have made it, however long the chain is.
      if (key === undefined || tried.some((other) => equalBytes(other, key))) continue;
      tried.push(key);
      try {
        const binding = await verifyUsernameBinding({ account: { ...account, state }, signedBinding, signatures });
        if (binding.status === "bound" && binding.username === username && binding.host === host) return true;
      } catch (error) {
        // Those of other accounts, by which an earlier owner released the name, are allowed beside it.
        if (!(error instanceof TransparencyError)) throw error;
      }
    }
  }
  return false;
}

/** The key of `state` that would have signed a binding; `undefined` when it has none such, or the binding is none. */
function bindingKey(signedBinding: Uint8Array, state: AccountState): Uint8Array | undefined {
  try {
    const { signer } = decode(usernameBindingCodec, decode(signedCodec, signedBinding).body);
    if (signer.kind === "recovery") return state.recoveryKey;
    return state.devices.find((device) => equalBytes(device.deviceId, signer.deviceId))?.signatureKey;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

/** Whether one of both is a later state of the other's chain. */
function continues(known: Contact, other: Contact): boolean {
  const [older, newer] = known.account.state.version <= other.account.state.version ? [known, other] : [other, known];
  const signed = newer.record.states[older.account.state.version];
  return signed !== undefined && equalBytes(stateHashOf(decode(signedCodec, signed).body), older.account.stateHash);
}

/**
 * Two states of one version that the account's devices signed: whoever holds both convicts the account, or whoever has a device of it
 * (spec E-1). `undefined` where one history continues the other.
 */
export function forkOf(known: Contact, other: Contact): readonly Uint8Array[] | undefined {
  const body = (signed: Uint8Array): Uint8Array => decode(signedCodec, signed).body;
  for (const [version, signed] of known.record.states.entries()) {
    const second = other.record.states[version];
    if (second !== undefined && !equalBytes(body(signed), body(second))) return [signed, second];
  }
  return undefined;
}

/** This name is another account's than before (spec A-3). */
export function changedHands(untilMs?: number): ClientError {
  const until = untilMs === undefined ? "before" : `until ${dayOf(untilMs)}`;
  return new ClientError("name_changed_hands", `This name belonged to another account ${until}. Do not go on before you know why.`);
}
