import { enumeration, oneOf, opaque, opaqueV, safeUint64, struct, text, uint16, uint32, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";

const format: Codec<1> = oneOf(uint16, [1]);
const ext = opaqueV(4096);
const publicKey = opaqueV(2048, 1);
const name = text(32);
const host = text(260);

/** A device of an account (spec section 30). */
export interface DeviceEntry {
  /** First 16 bytes of H("latchkey/device/1" || signature key). */
  readonly deviceId: Uint8Array;
  readonly signatureAlgorithm: number;
  readonly signatureKey: Uint8Array;
  readonly addedMs: number;
  readonly ext: Uint8Array;
}

/** Who signed a state: one of the devices of the state before it, or the recovery key. */
export type StateSigner = { readonly kind: "device"; readonly deviceId: Uint8Array } | { readonly kind: "recovery" };

/** One state of an account's chain (spec section 30). */
export interface AccountState {
  readonly format: 1;
  /** 32 zeros in the genesis state, else H("latchkey/account-id/1" || genesis body). */
  readonly accountId: Uint8Array;
  /** 0 first, then one more each time. */
  readonly version: number;
  /** 32 zeros first, else H("latchkey/state/1" || previous body). */
  readonly prevHash: Uint8Array;
  readonly timeMs: number;
  readonly status: "active" | "deleted";
  readonly username: string;
  readonly host: string;
  /** 1 to 16, sorted by id. */
  readonly devices: readonly DeviceEntry[];
  /** Ed25519 public key that alone may replace itself (spec A-1). */
  readonly recoveryKey: Uint8Array;
  readonly signer: StateSigner;
  readonly ext: Uint8Array;
}

/** A state body's bytes and the signature over them under the label "AccountState". */
export interface Signed {
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a new device signs under the label "DevicePoP": its own entry in the account; the zeros of genesis as account id. */
export interface DevicePop {
  readonly format: 1;
  readonly accountId: Uint8Array;
  readonly device: DeviceEntry;
  readonly ext: Uint8Array;
}

/** Binds a name to an account, or releases it; signed under "UsernameBinding" by a device or recovery key of the account. */
export interface UsernameBinding {
  readonly format: 1;
  readonly username: string;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly status: "bound" | "released";
  readonly timeMs: number;
  readonly signer: StateSigner;
  readonly ext: Uint8Array;
}

/** Where and how to reach a device's inbox; signed under "DeviceCard" by the device, served with its key packages. */
export interface DeviceCard {
  readonly format: 1;
  readonly deviceId: Uint8Array;
  readonly inboxId: Uint8Array;
  /** HPKE public key (X-Wing, suite 0xF001). */
  readonly inboxKey: Uint8Array;
  /** At most 30 days ahead. */
  readonly notAfterMs: number;
  readonly ext: Uint8Array;
}

const deviceId = opaque(16);

export const deviceEntryCodec: Codec<DeviceEntry> = struct<DeviceEntry>({
  deviceId,
  signatureAlgorithm: uint16,
  signatureKey: publicKey,
  addedMs: safeUint64,
  ext,
});

const signer: Codec<StateSigner> = variant<StateSigner>(uint8, {
  device: [1, struct<{ deviceId: Uint8Array }>({ deviceId })],
  recovery: [2, struct<Record<never, never>>({})],
});

export const accountStateCodec: Codec<AccountState> = struct<AccountState>({
  format,
  accountId: opaque(32),
  version: uint32,
  prevHash: opaque(32),
  timeMs: safeUint64,
  status: enumeration(uint8, { active: 1, deleted: 2 }),
  username: name,
  host,
  devices: vector(deviceEntryCodec, { maxBytes: 131_072, minItems: 1, maxItems: 16 }),
  recoveryKey: opaqueV(64, 1),
  signer,
  ext,
});

export const signedCodec: Codec<Signed> = struct<Signed>({ body: opaqueV(60_000), signature: opaqueV(256) });

export const devicePopCodec: Codec<DevicePop> = struct<DevicePop>({ format, accountId: opaque(32), device: deviceEntryCodec, ext });

export const usernameBindingCodec: Codec<UsernameBinding> = struct<UsernameBinding>({
  format,
  username: name,
  host,
  accountId: opaque(32),
  status: enumeration(uint8, { bound: 1, released: 2 }),
  timeMs: safeUint64,
  signer,
  ext,
});

export const deviceCardCodec: Codec<DeviceCard> = struct<DeviceCard>({
  format,
  deviceId,
  inboxId: opaque(32),
  inboxKey: publicKey,
  notAfterMs: safeUint64,
  ext,
});
