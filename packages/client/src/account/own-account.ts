import {
  CodecError,
  decode,
  encode,
  enumeration,
  equalBytes,
  oneOf,
  opaque,
  opaqueV,
  safeUint64,
  struct,
  text,
  uint16,
  uint8,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { KeyPair } from "@latchkey/mls";
import { connectTbsCodec, maxDirectoryProofBytes } from "@latchkey/protocol";
import type { AccountRecord } from "@latchkey/protocol";
import {
  accountIdOf,
  accountStateCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  signedCodec,
  signedContent,
  signStructure,
  stateHashOf,
  usernameBindingCodec,
} from "@latchkey/transparency";
import type { DeviceEntry, StateSigner, VerifiedAccount } from "@latchkey/transparency";
import { inboxSuite } from "../group/inbox-seal.ts";
import type { Platform } from "../platform/platform.ts";
import type { StoreTransaction } from "../store/store.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { deriveRecoveryKeys, recoveryEntropyBytes, recoveryPhraseOf } from "./recovery.ts";

/** This profile's account with its secrets: one device's. */
export interface OwnAccount {
  /**
   * `registering` or `recovering` until the server acknowledged the first state with this device; `removed` once a later one
   * does not have it any more, `deleted` once the account is.
   */
  readonly status: "registering" | "recovering" | "registered" | "removed" | "deleted";
  readonly host: string;
  readonly username: string;
  /** The name that the person goes by; the username unless they chose another. */
  readonly displayName: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  /** What this device calls itself, for one's other devices; "" for nothing in particular. */
  readonly deviceName: string;
  readonly signatureKeyPair: KeyPair;
  /** The account as its newest state known here says. */
  readonly account: VerifiedAccount;
  /** The newest state of the chain: its version and H(body), as messages carry them (spec L-10). */
  readonly stateVersion: number;
  readonly stateHash: Uint8Array;
  readonly inboxId: Uint8Array;
  /** HPKE, X-Wing. */
  readonly inboxKeyPair: KeyPair;
  readonly createdAtMs: number;
  /** What others verify: the chain, the proofs of possession, the binding of the name. */
  readonly record: AccountRecord;
  /** Of the recovery phrase; empty once the person has written it down. */
  readonly recoveryEntropy: Uint8Array;
}

interface StoredAccount {
  readonly format: 2;
  readonly status: OwnAccount["status"];
  readonly host: string;
  readonly username: string;
  readonly displayName: string;
  readonly deviceName: string;
  readonly accountId: Uint8Array;
  readonly signaturePublicKey: Uint8Array;
  readonly signatureSecretKey: Uint8Array;
  readonly inboxId: Uint8Array;
  readonly inboxPublicKey: Uint8Array;
  readonly inboxSecretKey: Uint8Array;
  readonly createdAtMs: number;
  readonly states: readonly Uint8Array[];
  readonly pops: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
  readonly proof: Uint8Array;
  readonly recoveryEntropy: Uint8Array;
}

const signedList: Codec<readonly Uint8Array[]> = vector(opaqueV(65_536), { maxBytes: 2_097_152 });

const storedCodec: Codec<StoredAccount> = struct<StoredAccount>({
  format: oneOf(uint16, [2]),
  status: enumeration(uint8, { registering: 1, registered: 2, recovering: 3, removed: 4, deleted: 5 }),
  host: text(260),
  username: text(32),
  displayName: text(256),
  deviceName: text(256),
  accountId: opaque(32),
  signaturePublicKey: opaque(32),
  signatureSecretKey: opaque(32),
  inboxId: opaque(32),
  inboxPublicKey: opaqueV(2048),
  inboxSecretKey: opaqueV(2048),
  createdAtMs: safeUint64,
  states: signedList,
  pops: signedList,
  bindings: signedList,
  proof: opaqueV(maxDirectoryProofBytes),
  recoveryEntropy: opaqueV(32),
});

/** Whether this device came into its account by the recovery phrase (spec A-1). */
export function beganByRecovery({ record, deviceId }: Pick<OwnAccount, "record" | "deviceId">): boolean {
  for (const signed of record.states) {
    const { devices, signer } = decode(accountStateCodec, decode(signedCodec, signed).body);
    if (devices.some((device) => equalBytes(device.deviceId, deviceId))) return signer.kind === "recovery";
  }
  return false;
}

const accountKey = "account/own";
const noExt = new Uint8Array(0);

/** Makes an account with its one device: keys, genesis state, proof of possession, binding of the name (spec ). Touches nothing. */
export async function createOwnAccount(params: {
  platform: Platform;
  host: string;
  username: string;
  displayName: string;
  deviceName?: string;
}): Promise<OwnAccount> {
  const { platform, host, username, displayName, deviceName = "" } = params;
  const { signatures, random } = platform;
  const createdAtMs = platform.nowMs();
  const recoveryEntropy = random(recoveryEntropyBytes);
  const recovery = await deriveRecoveryKeys(await recoveryPhraseOf(recoveryEntropy), platform);
  const signatureKeyPair = await platform.crypto.suite(0x0001).generateSignatureKeyPair(random);
  const inboxKeyPair = await platform.crypto.suite(inboxSuite).deriveKemKeyPair(random(32));
  const { secretKey } = signatureKeyPair;
  const deviceId = deviceIdOf(signatureKeyPair.publicKey);
  const signer: StateSigner = { kind: "device", deviceId };
  const device: DeviceEntry = {
    deviceId,
    signatureAlgorithm: ed25519Algorithm,
    signatureKey: signatureKeyPair.publicKey,
    addedMs: createdAtMs,
    ext: noExt,
  };
  const zeros = new Uint8Array(32);
  const signedState = await signStructure({
    codec: accountStateCodec,
    value: {
      format: 1,
      accountId: zeros,
      version: 0,
      prevHash: zeros,
      timeMs: createdAtMs,
      status: "active",
      username,
      host,
      devices: [device],
      recoveryKey: recovery.signature.publicKey,
      signer,
      ext: noExt,
    },
    label: "AccountState",
    secretKey,
    signatures,
  });
  const { body } = decode(signedCodec, signedState);
  const accountId = accountIdOf(body);
  const signedPop = await signStructure({
    codec: devicePopCodec,
    value: { format: 1, accountId: zeros, device, ext: noExt },
    label: "DevicePoP",
    secretKey,
    signatures,
  });
  const signedBinding = await signStructure({
    codec: usernameBindingCodec,
    value: { format: 1, username, host, accountId, status: "bound", timeMs: createdAtMs, signer, ext: noExt },
    label: "UsernameBinding",
    secretKey,
    signatures,
  });
  return {
    status: "registering",
    host,
    username,
    displayName,
    deviceId,
    deviceName,
    signatureKeyPair,
    inboxId: random(32),
    inboxKeyPair,
    createdAtMs,
    recoveryEntropy,
    ...newestOf(accountId, { states: [signedState], pops: [signedPop], bindings: [signedBinding], proof: noExt }),
  };
}

/** What an account's record says of it, in the fields of `OwnAccount`. The record was verified, or is one's own. */
export function newestOf(
  accountId: Uint8Array,
  record: AccountRecord,
): Pick<OwnAccount, "accountId" | "account" | "stateVersion" | "stateHash" | "record"> {
  const newest = record.states.at(-1);
  if (newest === undefined) throw new CodecError("invalid", "an account has at least one state");
  const { body } = decode(signedCodec, newest);
  const state = decode(accountStateCodec, body);
  const stateHash = stateHashOf(body);
  return { accountId, account: { accountId, state, stateHash }, stateVersion: state.version, stateHash, record };
}

/** The account of this profile, if it has one or began to make one. */
export async function loadOwnAccount(tx: StoreTransaction): Promise<OwnAccount | undefined> {
  const bytes = await tx.get(accountKey);
  if (bytes === undefined) return undefined;
  const stored = decode(storedCodec, bytes);
  const { signaturePublicKey, signatureSecretKey, inboxPublicKey, inboxSecretKey, states, pops, bindings, proof, ...rest } = stored;
  const { format: _format, accountId, ...fields } = rest;
  return {
    ...fields,
    deviceId: deviceIdOf(signaturePublicKey),
    signatureKeyPair: { publicKey: signaturePublicKey, secretKey: signatureSecretKey },
    inboxKeyPair: { publicKey: inboxPublicKey, secretKey: inboxSecretKey },
    ...newestOf(accountId, { states, pops, bindings, proof }),
  };
}

/** Stores the account. */
export function saveOwnAccount(tx: StoreTransaction, account: OwnAccount): void {
  const { signatureKeyPair, inboxKeyPair, record } = account;
  const stored: StoredAccount = {
    ...account,
    ...record,
    format: 2,
    signaturePublicKey: signatureKeyPair.publicKey,
    signatureSecretKey: signatureKeyPair.secretKey,
    inboxPublicKey: inboxKeyPair.publicKey,
    inboxSecretKey: inboxKeyPair.secretKey,
  };
  tx.put(accountKey, encode(storedCodec, stored));
  // Nor does an earlier form of it have the words, once they were forgotten.
  if (account.recoveryEntropy.length === 0) tx.eraseTraces();
}

/** Forgets an account that never came to be. */
export function deleteOwnAccount(tx: StoreTransaction): void {
  tx.delete(accountKey);
}

/** The 24 words that recover the account, while this device still has them (spec A-4). */
export async function recoveryPhrase(account: OwnAccount): Promise<string | undefined> {
  return account.recoveryEntropy.length === 0 ? undefined : recoveryPhraseOf(account.recoveryEntropy);
}

/** Erases the recovery phrase here, once the person has it elsewhere: whoever steals the device then cannot lock them out. */
export async function forgetRecoveryPhrase(tx: StoreTransaction): Promise<void> {
  const account = await loadOwnAccount(tx);
  if (account !== undefined) saveOwnAccount(tx, { ...account, recoveryEntropy: noExt });
}

/** Proves to the server that this connection is the device's (spec C-5). @throws ClientError */
export async function authenticateDevice(
  connection: RoleConnection<"device">,
  account: OwnAccount,
  platform: Pick<Platform, "signatures">,
): Promise<void> {
  const { accountId, deviceId } = account;
  const tbs = encode(connectTbsCodec, {
    format: 1,
    host: account.host,
    accountId,
    deviceId,
    nonce: connection.hello.nonce,
    role: "device",
    ext: noExt,
  });
  const signature = await platform.signatures.sign(account.signatureKeyPair.secretKey, signedContent("Connect", tbs));
  expectAnswer(await connection.request({ kind: "connect", accountId, deviceId, signature }), "done");
}
