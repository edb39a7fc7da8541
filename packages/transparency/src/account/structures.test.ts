import { describeCodec } from "@latchkey/testkit";
import { describe } from "vitest";
import { accountStateCodec, deviceCardCodec, deviceEntryCodec, devicePopCodec, signedCodec, usernameBindingCodec } from "../index.ts";
import type { AccountState, DeviceCard, DeviceEntry, UsernameBinding } from "../index.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const id16 = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const zeros = (size: number): Uint8Array => new Uint8Array(size);
const none = new Uint8Array(0);

const device: DeviceEntry = { deviceId: id16(1), signatureAlgorithm: 0x0807, signatureKey: id(2), addedMs: 1_767_225_600_000, ext: none };
const state: AccountState = {
  format: 1,
  accountId: id(3),
  version: 1,
  prevHash: id(4),
  timeMs: 1_767_225_600_001,
  status: "active",
  username: "alice",
  host: "chat.example",
  devices: [device],
  recoveryKey: id(5),
  signer: { kind: "device", deviceId: id16(1) },
  ext: none,
};
const binding: UsernameBinding = {
  format: 1,
  username: "alice",
  host: "chat.example",
  accountId: id(3),
  status: "bound",
  timeMs: 1_767_225_600_002,
  signer: { kind: "recovery" },
  ext: none,
};
const card: DeviceCard = { format: 1, deviceId: id16(1), inboxId: id(6), inboxKey: zeros(1216), notAfterMs: 1_769_817_600_000, ext: none };

describe("[C-1] account structures are bounded and have one encoding", () => {
  describeCodec("deviceEntryCodec", deviceEntryCodec, {
    samples: [device],
    frozen: "0101010101010101010101010101010108072002020202020202020202020202020202020202020202020202020202020202020000019b76daa80000",
    overLimit: {
      "a device id of 15 bytes": { ...device, deviceId: zeros(15) },
      "no key": { ...device, signatureKey: none },
      "a key of 2049 bytes": { ...device, signatureKey: zeros(2049) },
      "4097 bytes of extensions": { ...device, ext: zeros(4097) },
    },
  });

  describeCodec("accountStateCodec", accountStateCodec, {
    samples: [state, { ...state, status: "deleted", devices: Array.from({ length: 16 }, () => device), signer: { kind: "recovery" } }],
    frozen: "sha256:05ba013af11ebac99026cbdef7a58860c69aa65f29534e7148b70d60b970590f",
    overLimit: {
      "no device": { ...state, devices: [] },
      "17 devices": { ...state, devices: Array.from({ length: 17 }, () => device) },
      "a username of 33 bytes": { ...state, username: "a".repeat(33) },
      "a recovery key of 65 bytes": { ...state, recoveryKey: zeros(65) },
      "a version above 32 bits": { ...state, version: 2 ** 32 },
    },
  });

  describeCodec("signedCodec", signedCodec, {
    samples: [{ body: new Uint8Array([1, 2, 3]), signature: zeros(64) }],
    frozen:
      "03010203404000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    overLimit: {
      "a body above 60000 bytes": { body: zeros(60_001), signature: none },
      "a signature of 257 bytes": { body: none, signature: zeros(257) },
    },
  });

  describeCodec("devicePopCodec", devicePopCodec, {
    samples: [{ format: 1, accountId: zeros(32), device, ext: none }],
    frozen:
      "000100000000000000000000000000000000000000000000000000000000000000000101010101010101010101010101010108072002020202020202020202020202020202020202020202020202020202020202020000019b76daa8000000",
    overLimit: { "an account id of 31 bytes": { format: 1, accountId: zeros(31), device, ext: none } },
  });

  describeCodec("usernameBindingCodec", usernameBindingCodec, {
    samples: [binding, { ...binding, status: "released", signer: { kind: "device", deviceId: id16(1) } }],
    frozen:
      "000105616c6963650c636861742e6578616d706c650303030303030303030303030303030303030303030303030303030303030303010000019b76daa8020200",
    overLimit: {
      "a username of 33 bytes": { ...binding, username: "a".repeat(33) },
      "a host of 261 bytes": { ...binding, host: "a".repeat(261) },
    },
  });

  describeCodec("deviceCardCodec", deviceCardCodec, {
    samples: [card],
    frozen: "sha256:1a92eb2519bda82b4a9629c5561cc94cc0244bf461512f0bd2ba419e26f7aa74",
    overLimit: { "no inbox key": { ...card, inboxKey: none }, "an inbox id of 33 bytes": { ...card, inboxId: zeros(33) } },
  });
});
