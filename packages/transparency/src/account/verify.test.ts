import { compareBytes, concatBytes, decode, encode, toHex, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { seededRandom } from "@latchkey/testkit";
import { ed25519 } from "@noble/curves/ed25519.js";
import { describe, expect, test } from "vitest";
import {
  accountStateCodec,
  deviceCardCodec,
  deviceIdOf,
  deviceOf,
  devicePopCodec,
  ed25519Algorithm,
  nobleSignatures,
  signedCodec,
  signedContent,
  signStructure,
  stateHashOf,
  usernameBindingCodec,
  verifyAccountChain,
  verifyAccountState,
  verifyByDevice,
  verifyDeviceCard,
  verifyUsernameBinding,
} from "../index.ts";
import type { AccountState, DeviceCard, DeviceEntry, SignatureLabel, UsernameBinding, VerifiedAccount } from "../index.ts";

const signatures = nobleSignatures;
const none = new Uint8Array(0);
const zeros = new Uint8Array(32);
const nowMs = 1_767_225_600_000;
const dayMs = 86_400_000;

interface Key {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}
interface Device extends Key {
  readonly entry: DeviceEntry;
}

const random = seededRandom("accounts");
function createKey(): Key {
  const secretKey = random(32);
  return { secretKey, publicKey: ed25519.getPublicKey(secretKey) };
}
function createDevice(): Device {
  const key = createKey();
  const entry = {
    deviceId: deviceIdOf(key.publicKey),
    signatureAlgorithm: ed25519Algorithm,
    signatureKey: key.publicKey,
    addedMs: nowMs,
    ext: none,
  };
  return { ...key, entry };
}
const sorted = (...devices: Device[]): DeviceEntry[] =>
  devices.map(({ entry }) => entry).toSorted((a, b) => compareBytes(a.deviceId, b.deviceId));

const sign = <T>(codec: Codec<T>, value: T, label: SignatureLabel, key: Key): Promise<Uint8Array> =>
  signStructure({ codec, value, label, secretKey: key.secretKey, signatures });
const signState = (state: AccountState, key: Key): Promise<Uint8Array> => sign(accountStateCodec, state, "AccountState", key);
const signPop = (device: Device, accountId: Uint8Array, key: Key = device): Promise<Uint8Array> =>
  sign(devicePopCodec, { format: 1, accountId, device: device.entry, ext: none }, "DevicePoP", key);

const first = createDevice();
const second = createDevice();
const stranger = createDevice();
const lowest = compareBytes(first.entry.deviceId, second.entry.deviceId) < 0 ? first : second;
const recovery = createKey();

const genesis: AccountState = {
  format: 1,
  accountId: zeros,
  version: 0,
  prevHash: zeros,
  timeMs: nowMs,
  status: "active",
  username: "alice",
  host: "chat.example",
  devices: [first.entry],
  recoveryKey: recovery.publicKey,
  signer: { kind: "device", deviceId: first.entry.deviceId },
  ext: none,
};

async function createAccount(): Promise<VerifiedAccount> {
  const signedState = await signState(genesis, first);
  return verifyAccountState({ previous: undefined, signedState, pops: [await signPop(first, zeros)], signatures });
}

/** The next state of `account`, signed by its first device unless said otherwise. */
function next(account: VerifiedAccount, changes: Partial<AccountState> = {}): AccountState {
  return {
    ...account.state,
    accountId: account.accountId,
    version: account.state.version + 1,
    prevHash: account.stateHash,
    timeMs: nowMs + 1,
    ...changes,
  };
}

const verify = (
  previous: VerifiedAccount | undefined,
  signedState: Uint8Array,
  pops: readonly Uint8Array[] = [],
): Promise<VerifiedAccount> => verifyAccountState({ previous, signedState, pops, signatures });
const refused = (code: string): unknown => expect.objectContaining({ name: "TransparencyError", code });

describe("[A-1] the first state of an account", () => {
  test("is signed by its only device, and names the account", async () => {
    const account = await createAccount();
    const body = encode(accountStateCodec, genesis);
    expect(account.state).toEqual(genesis);
    expect(account.accountId.length).toBe(32);
    expect(toHex(account.stateHash)).toBe(toHex(stateHashOf(body)));
    expect(deviceOf(account, first.entry.deviceId)).toEqual(first.entry);
    expect(deviceOf(account, second.entry.deviceId)).toBeUndefined();
  });

  test.each<[string, Partial<AccountState>]>([
    ["another version", { version: 1 }],
    ["an account id", { accountId: new Uint8Array(32).fill(1) }],
    ["a predecessor", { prevHash: new Uint8Array(32).fill(1) }],
    ["a deleted account", { status: "deleted" }],
    [
      "two devices, the first of which signs",
      { devices: sorted(first, second), signer: { kind: "device", deviceId: lowest.entry.deviceId } },
    ],
    ["the recovery key as its signer", { signer: { kind: "recovery" } }],
    ["a signer that is not its device", { signer: { kind: "device", deviceId: second.entry.deviceId } }],
    ["a recovery key of another kind", { recoveryKey: new Uint8Array(33) }],
    [
      "a device id that is not the key's",
      { devices: [{ ...first.entry, deviceId: second.entry.deviceId }], signer: { kind: "device", deviceId: second.entry.deviceId } },
    ],
    ["an unknown kind of key", { devices: [{ ...first.entry, signatureAlgorithm: 1 }] }],
  ])("is refused with %s", async (_title, changes) => {
    const state = { ...genesis, ...changes };
    const pops = [await signPop(first, state.accountId), await signPop(second, state.accountId)];
    const key = state.devices.length === 2 ? lowest : first;
    await expect(verify(undefined, await signState(state, key), pops)).rejects.toEqual(refused("rule"));
  });

  test("is refused when signed by another key, or altered afterwards", async () => {
    const pops = [await signPop(first, zeros)];
    await expect(verify(undefined, await signState(genesis, second), pops)).rejects.toEqual(refused("signature"));
    const { signature } = decode(signedCodec, await signState(genesis, first));
    const altered = encode(signedCodec, { body: encode(accountStateCodec, { ...genesis, username: "mallory" }), signature });
    await expect(verify(undefined, altered, pops)).rejects.toEqual(refused("signature"));
  });

  test("is refused without the device's proof of possession", async () => {
    const signedState = await signState(genesis, first);
    await expect(verify(undefined, signedState, [])).rejects.toEqual(refused("signature"));
    await expect(verify(undefined, signedState, [await signPop(first, zeros, second)])).rejects.toEqual(refused("signature"));
    await expect(verify(undefined, signedState, [await signPop(first, new Uint8Array(32).fill(1))])).rejects.toEqual(refused("signature"));
  });

  test("is refused when it does not decode", async () => {
    await expect(verify(undefined, new Uint8Array([1, 2, 3]))).rejects.toEqual(refused("malformed"));
    await expect(verify(undefined, encode(signedCodec, { body: new Uint8Array(10), signature: none }))).rejects.toEqual(
      refused("malformed"),
    );
  });
});

describe("[A-1] [P3] nobody adds a device but a device of the account or its recovery key", () => {
  test("a device adds another, which proves that it holds its key", async () => {
    const account = await createAccount();
    const state = next(account, { devices: sorted(first, second) });
    const grown = await verify(account, await signState(state, first), [await signPop(second, account.accountId)]);
    expect(grown.accountId).toEqual(account.accountId);
    expect(grown.state.devices.length).toBe(2);
    // The new one may go on from there, and may remove the first.
    const smaller = next(grown, { devices: [second.entry], signer: { kind: "device", deviceId: second.entry.deviceId } });
    expect((await verify(grown, await signState(smaller, second))).state.devices).toEqual([second.entry]);
  });

  test("the recovery key adds a device when all others are lost", async () => {
    const account = await createAccount();
    const state = next(account, { devices: [second.entry], signer: { kind: "recovery" } });
    const recovered = await verify(account, await signState(state, recovery), [await signPop(second, account.accountId)]);
    expect(recovered.state.devices).toEqual([second.entry]);
  });

  test("a device does not add itself: the state before must know the signer", async () => {
    const account = await createAccount();
    const pops = [await signPop(stranger, account.accountId)];
    const ghost = next(account, { devices: sorted(first, stranger), signer: { kind: "device", deviceId: stranger.entry.deviceId } });
    await expect(verify(account, await signState(ghost, stranger), pops)).rejects.toEqual(refused("rule"));
    const claimed = next(account, { devices: sorted(first, stranger) });
    await expect(verify(account, await signState(claimed, stranger), pops)).rejects.toEqual(refused("signature"));
    const byRecovery = next(account, { devices: sorted(first, stranger), signer: { kind: "recovery" } });
    await expect(verify(account, await signState(byRecovery, stranger), pops)).rejects.toEqual(refused("signature"));
  });

  test("an added device without a proof of possession, or with one made for another account, is refused", async () => {
    const account = await createAccount();
    const signedState = await signState(next(account, { devices: sorted(first, second) }), first);
    await expect(verify(account, signedState, [])).rejects.toEqual(refused("signature"));
    await expect(verify(account, signedState, [await signPop(second, zeros)])).rejects.toEqual(refused("signature"));
    await expect(verify(account, signedState, [await signPop(second, account.accountId, first)])).rejects.toEqual(refused("signature"));
  });

  test("a device that was removed signs nothing any more", async () => {
    const account = await createAccount();
    const replaced = await verify(account, await signState(next(account, { devices: [second.entry] }), first), [
      await signPop(second, account.accountId),
    ]);
    await expect(
      verify(replaced, await signState(next(replaced, { signer: { kind: "device", deviceId: first.entry.deviceId } }), first)),
    ).rejects.toEqual(refused("rule"));
  });
});

describe("[A-1] a chain goes on from where it was", () => {
  test.each<[string, Partial<AccountState>]>([
    ["a version left out", { version: 2 }],
    ["the same version", { version: 0 }],
    ["another predecessor", { prevHash: new Uint8Array(32).fill(1) }],
    ["another account", { accountId: new Uint8Array(32).fill(1) }],
    ["another host", { host: "other.example" }],
  ])("%s is refused", async (_title, changes) => {
    const account = await createAccount();
    await expect(verify(account, await signState(next(account, changes), first))).rejects.toEqual(refused("chain"));
  });

  test("a whole chain is verified in order, and refused in any other", async () => {
    const account = await createAccount();
    const signed0 = await signState(genesis, first);
    const state1 = next(account, { timeMs: nowMs + 1 });
    const signed1 = await signState(state1, first);
    const account1 = await verify(account, signed1);
    const signed2 = await signState(next(account1), first);
    const pops = [await signPop(first, zeros)];
    const whole = await verifyAccountChain({ previous: undefined, signedStates: [signed0, signed1, signed2], pops, signatures });
    expect(whole.state.version).toBe(2);
    expect(await verifyAccountChain({ previous: account1, signedStates: [signed2], pops, signatures })).toEqual(whole);
    await expect(verifyAccountChain({ previous: undefined, signedStates: [signed0, signed2], pops, signatures })).rejects.toEqual(
      refused("chain"),
    );
    await expect(verifyAccountChain({ previous: undefined, signedStates: [], pops, signatures })).rejects.toEqual(refused("chain"));
  });

  test("devices stand in order, each once", async () => {
    const account = await createAccount();
    const pops = [await signPop(second, account.accountId)];
    const reversed = sorted(first, second).toReversed();
    await expect(verify(account, await signState(next(account, { devices: reversed }), first), pops)).rejects.toEqual(refused("rule"));
    await expect(verify(account, await signState(next(account, { devices: [first.entry, first.entry] }), first), pops)).rejects.toEqual(
      refused("rule"),
    );
  });
});

describe("[A-1] the recovery key", () => {
  const other = createKey();

  test("is replaced by itself only: a stolen device cannot lock the owner out", async () => {
    const account = await createAccount();
    const changed = { recoveryKey: other.publicKey };
    await expect(verify(account, await signState(next(account, changed), first))).rejects.toEqual(refused("rule"));
    const byRecovery = next(account, { ...changed, signer: { kind: "recovery" } });
    const replaced = await verify(account, await signState(byRecovery, recovery));
    expect(replaced.state.recoveryKey).toEqual(other.publicKey);
    await expect(verify(account, await signState(byRecovery, other))).rejects.toEqual(refused("signature"));
  });
});

describe("[A-1] a deleted account", () => {
  test("has no further state", async () => {
    const account = await createAccount();
    const deleted = await verify(account, await signState(next(account, { status: "deleted" }), first));
    await expect(verify(deleted, await signState(next(deleted, { status: "active" }), first))).rejects.toEqual(refused("rule"));
  });
});

describe("[A-3] names", () => {
  const bind = async (account: VerifiedAccount, changes: Partial<UsernameBinding>, key: Key): Promise<Uint8Array> =>
    sign(
      usernameBindingCodec,
      {
        format: 1,
        username: "alice",
        host: "chat.example",
        accountId: account.accountId,
        status: "bound",
        timeMs: nowMs,
        signer: { kind: "device", deviceId: first.entry.deviceId },
        ext: none,
        ...changes,
      },
      "UsernameBinding",
      key,
    );

  test("are bound by a device of the account or its recovery key, and by nobody else", async () => {
    const account = await createAccount();
    const check = (signedBinding: Uint8Array): Promise<UsernameBinding> => verifyUsernameBinding({ account, signedBinding, signatures });
    expect((await check(await bind(account, {}, first))).username).toBe("alice");
    expect((await check(await bind(account, { status: "released", signer: { kind: "recovery" } }, recovery))).status).toBe("released");
    await expect(check(await bind(account, {}, stranger))).rejects.toEqual(refused("signature"));
    await expect(check(await bind(account, { signer: { kind: "device", deviceId: stranger.entry.deviceId } }, stranger))).rejects.toEqual(
      refused("rule"),
    );
    await expect(check(await bind(account, { accountId: new Uint8Array(32).fill(1) }, first))).rejects.toEqual(refused("rule"));
    await expect(check(new Uint8Array(4))).rejects.toEqual(refused("malformed"));
  });
});

describe("[A-5] device cards", () => {
  const make = (changes: Partial<DeviceCard>, key: Key = first): Promise<Uint8Array> =>
    sign(
      deviceCardCodec,
      {
        format: 1,
        deviceId: first.entry.deviceId,
        inboxId: new Uint8Array(32).fill(6),
        inboxKey: new Uint8Array(1216),
        notAfterMs: nowMs + 29 * dayMs,
        ext: none,
        ...changes,
      },
      "DeviceCard",
      key,
    );

  test("are signed by their device and live 30 days at most", async () => {
    const account = await createAccount();
    const check = (signedCard: Uint8Array): Promise<DeviceCard> => verifyDeviceCard({ account, signedCard, nowMs, signatures });
    expect((await check(await make({}))).deviceId).toEqual(first.entry.deviceId);
    await expect(check(await make({}, stranger))).rejects.toEqual(refused("signature"));
    await expect(check(await make({ deviceId: stranger.entry.deviceId }, stranger))).rejects.toEqual(refused("rule"));
    await expect(check(await make({ notAfterMs: nowMs - 1 }))).rejects.toEqual(refused("expired"));
    await expect(check(await make({ notAfterMs: nowMs + 40 * dayMs }))).rejects.toEqual(refused("ahead"));
  });

  test("a clock an hour off makes no difference", async () => {
    const account = await createAccount();
    const signedCard = await make({ notAfterMs: nowMs + 30 * dayMs });
    expect((await verifyDeviceCard({ account, signedCard, nowMs: nowMs - 3_600_000, signatures })).deviceId).toEqual(first.entry.deviceId);
  });
});

describe("[C-2] signatures", () => {
  test("are SignWithLabel with the project's prefix", () => {
    const content = new Uint8Array([1, 2, 3]);
    const label = utf8Bytes("Latchkey 1.0 Connect");
    expect(signedContent("Connect", content)).toEqual(concatBytes(new Uint8Array([label.length]), label, new Uint8Array([3]), content));
  });

  test("made under one label are worth nothing under another", async () => {
    const account = await createAccount();
    const content = new Uint8Array([1, 2, 3]);
    const signature = await signatures.sign(first.secretKey, signedContent("Connect", content));
    const check = (label: SignatureLabel, deviceId: Uint8Array = first.entry.deviceId): Promise<void> =>
      verifyByDevice({ account, deviceId, label, content, signature, rule: "C-5", signatures });
    await expect(check("Connect")).resolves.toBeUndefined();
    for (const label of ["AccountState", "DevicePoP", "UsernameBinding", "DeviceCard", "Complaint", "InboxHead"] as const) {
      await expect(check(label)).rejects.toEqual(refused("signature"));
    }
    await expect(check("Connect", stranger.entry.deviceId)).rejects.toEqual(refused("rule"));
  });

  test("malformed keys and signatures are false, never a crash", () => {
    for (const size of [0, 31, 32, 33, 64]) {
      expect(signatures.verify(new Uint8Array(size), new Uint8Array(3), new Uint8Array(64))).toBe(false);
      expect(signatures.verify(first.publicKey, new Uint8Array(3), new Uint8Array(size))).toBe(false);
    }
  });

  test("the small-order key that any signature fits is refused", () => {
    // The neutral element as key, the neutral element and 0 as signature: valid under lax verification for every message.
    const neutral = new Uint8Array(32);
    neutral[0] = 1;
    expect(signatures.verify(neutral, new Uint8Array([1, 2, 3]), concatBytes(neutral, new Uint8Array(32)))).toBe(false);
  });
});
