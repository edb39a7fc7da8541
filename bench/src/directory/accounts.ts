import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { decode } from "@latchkey/codec";
import {
  accountIdOf,
  accountStateCodec,
  deviceIdOf,
  devicePopCodec,
  ed25519Algorithm,
  signStructure,
  signedCodec,
  usernameBindingCodec,
} from "@latchkey/transparency";
import type { AccountState, DeviceEntry, Signatures } from "@latchkey/transparency";

const none = new Uint8Array();
const zeros = new Uint8Array(32);
const seedPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** Ed25519 by node:crypto. */
export const signatures: Signatures = {
  sign: (seed, message) => new Uint8Array(sign(null, message, privateKey(seed))),
  verify(publicKey, message, signature) {
    const key = createPublicKey({ key: Buffer.concat([publicPrefix, publicKey]), format: "der", type: "spki" });
    return verify(null, message, key, signature);
  },
};

/** What a client sends to register, and what it looks up later. */
export interface BenchAccount {
  readonly username: string;
  readonly accountId: Uint8Array;
  readonly state: Uint8Array;
  readonly pops: readonly Uint8Array[];
  readonly bindings: readonly Uint8Array[];
}

/** An account with one device, as a client makes it. */
export async function createAccount(username: string, host: string): Promise<BenchAccount> {
  const { seed, publicKey } = createKey();
  const deviceId = deviceIdOf(publicKey);
  const device: DeviceEntry = { deviceId, signatureAlgorithm: ed25519Algorithm, signatureKey: publicKey, addedMs: 1, ext: none };
  const signer = { kind: "device", deviceId } as const;
  const state: AccountState = {
    format: 1,
    accountId: zeros,
    version: 0,
    prevHash: zeros,
    timeMs: 1,
    status: "active",
    username,
    host,
    devices: [device],
    recoveryKey: createKey().publicKey,
    signer,
    ext: none,
  };
  const signed = await signStructure({ codec: accountStateCodec, value: state, label: "AccountState", secretKey: seed, signatures });
  const accountId = accountIdOf(decode(signedCodec, signed).body);
  const pop = { format: 1, accountId: zeros, device, ext: none } as const;
  const binding = { format: 1, username, host, accountId, status: "bound", timeMs: 1, signer, ext: none } as const;
  return {
    username,
    accountId,
    state: signed,
    pops: [await signStructure({ codec: devicePopCodec, value: pop, label: "DevicePoP", secretKey: seed, signatures })],
    bindings: [await signStructure({ codec: usernameBindingCodec, value: binding, label: "UsernameBinding", secretKey: seed, signatures })],
  };
}

function createKey(): { seed: Uint8Array; publicKey: Uint8Array } {
  const pair = generateKeyPairSync("ed25519");
  const seed = pair.privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  return { seed: new Uint8Array(seed), publicKey: new Uint8Array(pair.publicKey.export({ format: "der", type: "spki" }).subarray(-32)) };
}

function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([seedPrefix, seed]), format: "der", type: "pkcs8" });
}
