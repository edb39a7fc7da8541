import { CodecError, compareBytes, concatBytes, decode, encode, equalBytes, toHex, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { TransparencyError } from "../errors.ts";
import { ed25519Algorithm, signedContent } from "../signature.ts";
import type { SignatureLabel, Signatures } from "../signature.ts";
import { accountStateCodec, deviceCardCodec, devicePopCodec, signedCodec, usernameBindingCodec } from "./structures.ts";
import type { AccountState, DeviceCard, DeviceEntry, DevicePop, Signed, StateSigner, UsernameBinding } from "./structures.ts";

const zeros = new Uint8Array(32);
const cardLifetimeMs = 30 * 86_400_000;

/** An account as its verified chain says. Immutable. */
export interface VerifiedAccount {
  /** 32 bytes; stays the same for the account's whole life. */
  readonly accountId: Uint8Array;
  readonly state: AccountState;
  /** H("latchkey/state/1" || body) of `state`: the head of the chain. */
  readonly stateHash: Uint8Array;
}

/** H("latchkey/device/1" || key), its first 16 bytes (spec section 30). */
export function deviceIdOf(signatureKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/device/1"), signatureKey)).slice(0, 16);
}

/** The id of the account whose genesis state has this body. */
export function accountIdOf(genesisBody: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/account-id/1"), genesisBody));
}

/** The link that the next state's `prevHash` must hold. */
export function stateHashOf(body: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Bytes("latchkey/state/1"), body));
}

/** The device of the account with this id, if it has it now. */
export function deviceOf(account: Pick<VerifiedAccount, "state">, deviceId: Uint8Array): DeviceEntry | undefined {
  return account.state.devices.find((device) => equalBytes(device.deviceId, deviceId));
}

/** Encodes `value`, signs it under `label`, and encodes the pair as `Signed`. */
export async function signStructure<T>(params: {
  codec: Codec<T>;
  value: T;
  label: SignatureLabel;
  secretKey: Uint8Array;
  signatures: Signatures;
}): Promise<Uint8Array> {
  const body = encode(params.codec, params.value);
  const signature = await params.signatures.sign(params.secretKey, signedContent(params.label, body));
  return encode(signedCodec, { body, signature });
}

/**
 * Verifies the next state of an account: chain, signer, and a proof of possession by every device that it adds
 * (spec A-1). `previous` is `undefined` for genesis.
 * @throws TransparencyError when anything does not hold; nothing of it may then be used.
 */
export async function verifyAccountState(params: {
  previous: VerifiedAccount | undefined;
  /** SignedAccountState, encoded. */
  signedState: Uint8Array;
  /** Signed DevicePop structures; those of other devices are ignored. */
  pops: readonly Uint8Array[];
  signatures: Signatures;
}): Promise<VerifiedAccount> {
  return await verifyNext({ ...params, pops: popsByDevice(params.pops) });
}

async function verifyNext(params: {
  previous: VerifiedAccount | undefined;
  signedState: Uint8Array;
  pops: PopsByDevice;
  signatures: Signatures;
}): Promise<VerifiedAccount> {
  const { previous, signatures } = params;
  const signed = parse(signedCodec, params.signedState, "A-1");
  const state = parse(accountStateCodec, signed.body, "A-1");
  checkDevices(state);
  const accountId = previous === undefined ? accountIdOf(signed.body) : previous.accountId;
  if (previous === undefined) checkGenesis(state);
  else checkSuccessor(previous, state);
  const key = signerKey(previous?.state ?? state, state.signer);
  await checkSignature(signatures, { label: "AccountState", key, content: signed.body, signature: signed.signature, rule: "A-1" });
  const known = previous?.state.devices ?? [];
  const added = state.devices.filter((device) => !known.some((other) => equalBytes(other.deviceId, device.deviceId)));
  await Promise.all(added.map((device) => checkPop(state, device, params.pops, signatures)));
  return { accountId, state, stateHash: stateHashOf(signed.body) };
}

/** Verifies a chain from `previous` on (from genesis when `undefined`), in order. @throws TransparencyError as `verifyAccountState`, or when there is no state at all. */
export async function verifyAccountChain(params: {
  previous: VerifiedAccount | undefined;
  signedStates: readonly Uint8Array[];
  pops: readonly Uint8Array[];
  signatures: Signatures;
}): Promise<VerifiedAccount> {
  let account = params.previous;
  const pops = popsByDevice(params.pops);
  for (const signedState of params.signedStates) {
    // Each state is judged by the one before it.
    account = await verifyNext({ previous: account, signedState, pops, signatures: params.signatures });
  }
  if (account === undefined) throw new TransparencyError("chain", "A-1", "an account has at least one state");
  return account;
}

/** Verifies that `account` itself bound this name, or released it (spec A-3). @throws TransparencyError */
export async function verifyUsernameBinding(params: {
  account: VerifiedAccount;
  signedBinding: Uint8Array;
  signatures: Signatures;
}): Promise<UsernameBinding> {
  const signed = parse(signedCodec, params.signedBinding, "A-3");
  const binding = parse(usernameBindingCodec, signed.body, "A-3");
  if (!equalBytes(binding.accountId, params.account.accountId)) {
    throw new TransparencyError("rule", "A-3", "the binding names another account");
  }
  const key = signerKey(params.account.state, binding.signer);
  await checkSignature(params.signatures, {
    label: "UsernameBinding",
    key,
    content: signed.body,
    signature: signed.signature,
    rule: "A-3",
  });
  return binding;
}

/** Verifies a device's card against the account's verified state. @throws TransparencyError, `expired` past its time, `ahead` when that is too far off. */
export async function verifyDeviceCard(params: {
  account: VerifiedAccount;
  signedCard: Uint8Array;
  nowMs: number;
  signatures: Signatures;
}): Promise<DeviceCard> {
  const signed = parse(signedCodec, params.signedCard, "A-5");
  const card = parse(deviceCardCodec, signed.body, "A-5");
  const device = deviceOf(params.account, card.deviceId);
  if (device === undefined) throw new TransparencyError("rule", "A-5", "the card's device is not in the account");
  await checkSignature(params.signatures, {
    label: "DeviceCard",
    key: device.signatureKey,
    content: signed.body,
    signature: signed.signature,
    rule: "A-5",
  });
  if (card.notAfterMs < params.nowMs) throw new TransparencyError("expired", "A-5", "the device's card is out of date");
  if (card.notAfterMs > params.nowMs + cardLifetimeMs + 86_400_000) {
    throw new TransparencyError("ahead", "A-5", "the device's card is valid for too long");
  }
  return card;
}

/** Verifies a signature by a device of `account` over `content` under `label`. @throws TransparencyError */
export async function verifyByDevice(params: {
  account: VerifiedAccount;
  deviceId: Uint8Array;
  label: SignatureLabel;
  content: Uint8Array;
  signature: Uint8Array;
  rule: string;
  signatures: Signatures;
}): Promise<void> {
  const device = deviceOf(params.account, params.deviceId);
  if (device === undefined) throw new TransparencyError("rule", params.rule, "the device is not in the account");
  await checkSignature(params.signatures, { ...params, key: device.signatureKey });
}

function parse<T>(codec: Codec<T>, bytes: Uint8Array, rule: string): T {
  try {
    return decode(codec, bytes);
  } catch (cause) {
    if (cause instanceof CodecError) throw new TransparencyError("malformed", rule, "a signed structure does not decode", { cause });
    throw cause;
  }
}

function checkDevices(state: AccountState): void {
  let before: Uint8Array | undefined;
  for (const device of state.devices) {
    if (device.signatureAlgorithm !== ed25519Algorithm || device.signatureKey.length !== 32) {
      throw new TransparencyError("rule", "A-1", "a device has an unknown kind of key");
    }
    if (!equalBytes(device.deviceId, deviceIdOf(device.signatureKey))) {
      throw new TransparencyError("rule", "A-1", "a device's id does not belong to its key");
    }
    if (before !== undefined && compareBytes(before, device.deviceId) >= 0) {
      throw new TransparencyError("rule", "A-1", "devices are not sorted by id, each once");
    }
    before = device.deviceId;
  }
  if (state.recoveryKey.length !== 32) throw new TransparencyError("rule", "A-1", "the recovery key has an unknown kind");
}

function checkGenesis(state: AccountState): void {
  const only = state.devices[0];
  const valid =
    state.version === 0 &&
    equalBytes(state.accountId, zeros) &&
    equalBytes(state.prevHash, zeros) &&
    state.status === "active" &&
    state.devices.length === 1 &&
    only !== undefined &&
    state.signer.kind === "device" &&
    equalBytes(state.signer.deviceId, only.deviceId);
  if (!valid) throw new TransparencyError("rule", "A-1", "a first state has version 0 and one device, which signs it");
}

function checkSuccessor(previous: VerifiedAccount, state: AccountState): void {
  if (previous.state.status === "deleted") throw new TransparencyError("rule", "A-1", "a deleted account has no further state");
  const continues =
    state.version === previous.state.version + 1 &&
    equalBytes(state.accountId, previous.accountId) &&
    equalBytes(state.prevHash, previous.stateHash) &&
    state.host === previous.state.host;
  if (!continues) throw new TransparencyError("chain", "A-1", "the state does not continue the one before it");
  if (!equalBytes(state.recoveryKey, previous.state.recoveryKey) && state.signer.kind !== "recovery") {
    throw new TransparencyError("rule", "A-1", "only the recovery key may replace the recovery key");
  }
}

function signerKey(state: AccountState, signer: StateSigner): Uint8Array {
  if (signer.kind === "recovery") return state.recoveryKey;
  const device = state.devices.find((candidate) => equalBytes(candidate.deviceId, signer.deviceId));
  if (device === undefined) throw new TransparencyError("rule", "A-1", "the signing device is not in the account");
  return device.signatureKey;
}

/** Parsed proofs of possession, by hexadecimal device id. */
type PopsByDevice = ReadonlyMap<string, readonly { readonly signed: Signed; readonly pop: DevicePop }[]>;

function popsByDevice(pops: readonly Uint8Array[]): PopsByDevice {
  const found = new Map<string, { readonly signed: Signed; readonly pop: DevicePop }[]>();
  for (const encoded of pops) {
    const signed = parse(signedCodec, encoded, "A-1");
    const pop = parse(devicePopCodec, signed.body, "A-1");
    const id = toHex(pop.device.deviceId);
    const others = found.get(id);
    if (others === undefined) found.set(id, [{ signed, pop }]);
    else others.push({ signed, pop });
  }
  return found;
}

async function checkPop(state: AccountState, device: DeviceEntry, pops: PopsByDevice, signatures: Signatures): Promise<void> {
  for (const { signed, pop } of pops.get(toHex(device.deviceId)) ?? []) {
    if (!equalBytes(pop.accountId, state.accountId)) continue;
    if (!equalBytes(pop.device.signatureKey, device.signatureKey) || pop.device.addedMs !== device.addedMs) continue;
    const content = signedContent("DevicePoP", signed.body);
    if (await signatures.verify(device.signatureKey, content, signed.signature)) return;
  }
  throw new TransparencyError("signature", "A-1", "an added device did not prove that it holds its key");
}

async function checkSignature(
  signatures: Signatures,
  params: { label: SignatureLabel; key: Uint8Array; content: Uint8Array; signature: Uint8Array; rule: string },
): Promise<void> {
  const content = signedContent(params.label, params.content);
  if (!(await signatures.verify(params.key, content, params.signature))) {
    throw new TransparencyError("signature", params.rule, "a signature does not verify");
  }
}
