import { describeCodec } from "@latchkey/testkit";
import { buckets, entryHead, joinEntry, maxInlineBytes } from "@latchkey/protocol";
import { describe, expect, test } from "vitest";
import { linkPlace } from "./link-code.ts";
import {
  channelMessageCodec,
  linkAnswerCodec,
  linkMessageCodec,
  maxChannelBytes,
  openLinkMessage,
  sealLinkMessage,
} from "./link-messages.ts";
import { linkedAccountCodec } from "./linked-account.ts";
import { syncMessageCodec } from "./sync-messages.ts";

const bytes = (size: number, fill: number): Uint8Array => new Uint8Array(size).fill(fill);
const none = new Uint8Array(0);
const device = { deviceId: bytes(16, 1), signatureAlgorithm: 0x0807, signatureKey: bytes(32, 2), addedMs: 1_767_225_600_000, ext: none };
const reference = { blobId: bytes(32, 3), key: bytes(32, 4), hash: bytes(32, 5), sizeBytes: 262_144 };

describe("[C-1] structures between the devices of an account are bounded and have one encoding", () => {
  describeCodec("linkMessageCodec", linkMessageCodec, {
    samples: [
      { format: 1, sender: "existing", index: 1, body: { kind: "cancel" } },
      {
        format: 1,
        sender: "new",
        index: 0,
        body: { kind: "offer", publicKey: bytes(1216, 1), commitment: bytes(32, 2), deviceName: "Tablet" },
      },
      { format: 1, sender: "existing", index: 0, body: { kind: "answer", kemOutput: bytes(1120, 1), ciphertext: bytes(200, 2) } },
      { format: 1, sender: "new", index: 1, body: { kind: "reveal", nonce: bytes(32, 3) } },
      { format: 1, sender: "new", index: 2, body: { kind: "channel", ciphertext: bytes(100, 4) } },
    ],
    frozen: "0001020105",
    overLimit: {
      "a key of 2049 bytes": {
        format: 1,
        sender: "new",
        index: 0,
        body: { kind: "offer", publicKey: bytes(2049, 1), commitment: bytes(32, 2), deviceName: "" },
      },
      "60001 bytes in the channel": { format: 1, sender: "new", index: 2, body: { kind: "channel", ciphertext: bytes(60_001, 4) } },
    },
  });

  describeCodec("linkAnswerCodec", linkAnswerCodec, {
    samples: [
      {
        nonce: bytes(32, 1),
        channelSecret: bytes(32, 2),
        host: "chat.example",
        accountId: bytes(32, 3),
        username: "ann",
        deviceName: "Desk",
      },
    ],
    frozen:
      "010101010101010101010101010101010101010101010101010101010101010102020202020202020202020202020202020202020202020202020202020202020c636861742e6578616d706c65030303030303030303030303030303030303030303030303030303030303030303616e6e044465736b",
    overLimit: {
      "a name of 257 bytes": {
        nonce: bytes(32, 1),
        channelSecret: bytes(32, 2),
        host: "chat.example",
        accountId: bytes(32, 3),
        username: "ann",
        deviceName: "a".repeat(257),
      },
    },
  });

  describeCodec("channelMessageCodec", channelMessageCodec, {
    samples: [
      { kind: "stored" },
      { kind: "enroll", device, pop: bytes(150, 1) },
      { kind: "account", content: bytes(3, 1) },
      { kind: "account_blob", reference },
    ],
    frozen: "04",
    overLimit: { "60001 bytes of account": { kind: "account", content: bytes(60_001, 1) } },
  });

  describeCodec("linkedAccountCodec", linkedAccountCodec, {
    samples: [
      {
        format: 1,
        displayName: "Ann",
        states: [bytes(3, 1)],
        pops: [bytes(2, 2)],
        bindings: [],
        proof: none,
        names: [{ deviceId: bytes(16, 3), name: "Desk" }],
        records: [{ key: "contact/x", value: bytes(1, 4) }],
        conversations: [bytes(32, 5)],
      },
    ],
    frozen:
      "000103416e6e04030101010302020200001503030303030303030303030303030303044465736b0c09636f6e746163742f780104200505050505050505050505050505050505050505050505050505050505050505",
    overLimit: {
      "65 names": {
        format: 1,
        displayName: "Ann",
        states: [],
        pops: [],
        bindings: [],
        proof: none,
        names: Array.from({ length: 65 }, () => ({ deviceId: bytes(16, 3), name: "" })),
        records: [],
        conversations: [],
      },
    },
  });

  describeCodec("syncMessageCodec", syncMessageCodec, {
    samples: [
      { kind: "published", version: 7 },
      { kind: "read", logId: bytes(32, 1), seq: 5 },
      { kind: "device", deviceId: bytes(16, 2), name: "Tablet" },
      { kind: "record", key: "mark/x", value: bytes(2, 3) },
      { kind: "record", key: "mark/x", value: undefined },
      { kind: "own", id: bytes(16, 4), era: 1, facts: bytes(9, 5) },
      { kind: "own_state", registers: bytes(9, 5) },
      { kind: "seen", logId: bytes(32, 1), messageIds: ["a"] },
    ],
    frozen: "0200000007",
    overLimit: { "a record of 65537 bytes": { kind: "record", key: "mark/x", value: bytes(65_537, 1) } },
  });
});

describe("[A-7] what devices say to be linked", () => {
  const place = linkPlace(bytes(16, 7));

  // An account of many years, or one with two long drafts, is as long as what goes into an entry at most.
  test.each([0, 400, 470, 16_000, 16_300, 16_340, 16_384, 32_000, maxChannelBytes])(
    "fills a bucket that an entry has, with %i bytes in it",
    (length) => {
      const message = { format: 1, sender: "existing", index: 2, body: { kind: "channel", ciphertext: bytes(length, 1) } } as const;
      const sealed = sealLinkMessage(place, message, (count) => bytes(count, 9));
      const entry = joinEntry(entryHead([]), sealed);
      expect(buckets).toContain(entry.length);
      expect(entry.length).toBeLessThanOrEqual(maxInlineBytes);
      expect(openLinkMessage(place, sealed)).toEqual(message);
    },
  );
});
