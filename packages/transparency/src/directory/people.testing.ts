import { decode, utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { accountStateCodec, devicePopCodec, signedCodec, usernameBindingCodec } from "../account/structures.ts";
import type { AccountState } from "../account/structures.ts";
import { accountIdOf, deviceIdOf, signStructure, stateHashOf } from "../account/verify.ts";
import { ed25519Algorithm, nobleSignatures } from "../signature.ts";
import type { LabelType } from "./labels.ts";

/** Values for a label. */
export interface MemoryChange {
  readonly type: LabelType;
  /** UTF-8 name or account id. */
  readonly label: Uint8Array;
  readonly values: readonly Uint8Array[];
}

/** An account with the signed values of its labels, made for a test. */
export interface TestPerson {
  readonly accountId: Uint8Array;
  readonly username: string;
  readonly states: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
  /** The first device's proof that it has its key. */
  readonly pops: readonly Uint8Array[];
  /** To be published at once. */
  readonly changes: readonly MemoryChange[];
  /** One more state, such as that of a deleted account. */
  readonly nextState: (change?: Partial<AccountState>) => Promise<Uint8Array>;
  readonly binding: (status: "bound" | "released") => Promise<Uint8Array>;
}

const nothing = new Uint8Array(0);

/** A person with a first state and a name; `seed` makes another account of the same name. */
export async function createPerson(username: string, params: { host?: string; seed?: string } = {}): Promise<TestPerson> {
  const { host = "chat.example", seed = username } = params;
  const secretKey = sha256(utf8Bytes(`device ${seed}`));
  const signatureKey = ed25519.getPublicKey(secretKey);
  const deviceId = deviceIdOf(signatureKey);
  const timeMs = 1_800_000_000_000;
  const device = { deviceId, signatureAlgorithm: ed25519Algorithm, signatureKey, addedMs: timeMs, ext: nothing };
  const genesis: AccountState = {
    format: 1,
    accountId: new Uint8Array(32),
    version: 0,
    prevHash: new Uint8Array(32),
    timeMs,
    status: "active",
    username,
    host,
    devices: [device],
    recoveryKey: ed25519.getPublicKey(sha256(utf8Bytes(`recovery ${seed}`))),
    signer: { kind: "device", deviceId },
    ext: nothing,
  };
  const sign = async (value: AccountState): Promise<Uint8Array> =>
    await signStructure({ codec: accountStateCodec, value, label: "AccountState", secretKey, signatures: nobleSignatures });
  const first = await sign(genesis);
  const { body } = decode(signedCodec, first);
  const accountId = accountIdOf(body);
  const binding = async (status: "bound" | "released"): Promise<Uint8Array> =>
    await signStructure({
      codec: usernameBindingCodec,
      value: { format: 1, username, host, accountId, status, timeMs, signer: { kind: "device", deviceId }, ext: nothing },
      label: "UsernameBinding",
      secretKey,
      signatures: nobleSignatures,
    });
  const states = [first];
  const bindings = [await binding("bound")];
  return {
    accountId,
    username,
    states,
    bindings,
    pops: [
      await signStructure({
        codec: devicePopCodec,
        value: { format: 1, accountId: new Uint8Array(32), device, ext: nothing },
        label: "DevicePoP",
        secretKey,
        signatures: nobleSignatures,
      }),
    ],
    changes: [
      { type: "account", label: accountId, values: states },
      { type: "username", label: utf8Bytes(username), values: bindings },
    ],
    nextState: async (change = {}) => await sign({ ...genesis, accountId, version: 1, prevHash: stateHashOf(body), ...change }),
    binding,
  };
}
