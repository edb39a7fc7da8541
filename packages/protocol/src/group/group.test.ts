import { concatBytes, encode, toHex, utf8Bytes } from "@latchkey/codec";
import { describeCodec } from "@latchkey/testkit";
import fc from "fast-check";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { appendSecretCodec } from "./append-secret.ts";
import {
  authenticatedDataCodec,
  blobReferenceCodec,
  complaintCodec,
  complaintReasons,
  buckets,
  decodeEnvelope,
  decodeEnvelopeBody,
  encodeEnvelope,
  encodeEnvelopeBody,
  entryHead,
  envelopeAad,
  envelopeBodyCodec,
  envelopeOverheadBytes,
  fitsInline,
  forkNoticeCodec,
  groupReportCodec,
  groupSettingsCodec,
  inboxHeadCodec,
  inboxHeadTbsCodec,
  inboxPlaintextCodec,
  latchkeyGroupCodec,
  leafIdentityCodec,
  logHashOf,
  maxForkNoticeHeads,
  maxInlineBytes,
  maxInlineProofBytes,
  maxInlineTreeBytes,
  sealedItemCodec,
  seenMarkOf,
  settingsHashOf,
  settingsOpeningCodec,
  viewTagOf,
  welcomeBundleCodec,
} from "../index.ts";
import type {
  Complaint,
  EnvelopeBody,
  EnvelopePlaintext,
  ForkNotice,
  GroupReport,
  GroupSettings,
  InboxHead,
  LatchkeyGroup,
  SettingsOpening,
  WelcomeBundle,
} from "../index.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const id16 = (fill: number): Uint8Array => new Uint8Array(16).fill(fill);
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const zeros = (size: number): Uint8Array => new Uint8Array(size);
const none = new Uint8Array(0);

const reference = { blobId: id(1), key: id(2), hash: id(3), sizeBytes: 262_144 };
const group: LatchkeyGroup = {
  format: 3,
  host: "chat.example",
  logHash: id(9),
  settingsHash: id(10),
  conversationKind: 2,
  ext: none,
};
const settings: GroupSettings = {
  format: 3,
  roles: [{ accountId: id(4), role: 3 }],
  rights: {
    add: "everyone",
    remove: "administrators",
    post: "everyone",
    editInfo: "owner",
    timer: "administrators",
    pin: "administrators",
    invite: "administrators",
    mentionAll: "administrators",
    deleteOthers: "administrators",
    shareHistory: "owner",
    approval: true,
    history: "off",
  },
  name: "Café",
  description: "",
  picture: none,
  timerS: 0,
  slowModeS: 60,
  continues: none,
  directory: id(13),
  keptOut: [],
  ext: none,
};
const report: GroupReport = {
  format: 1,
  host: "chat.example",
  logId: id(9),
  reason: "fraud",
  words: "a trick",
  messageIds: [id(7)],
  ext: none,
};
const opening: SettingsOpening = { salt: id(11), settings };
const bundle: WelcomeBundle = {
  format: 2,
  host: "chat.example",
  logId: id(9),
  epochId: 4,
  seq: 4,
  head: id(8),
  welcome: bytes(1, 2),
  tree: { kind: "inline", tree: bytes(3) },
  directoryProofs: { kind: "inline", proofs: none },
  opening,
  checkpoint: none,
  ext: none,
};
const head: InboxHead = {
  format: 1,
  kind: 1,
  senderHost: "chat.example",
  senderAccountId: id(4),
  senderDeviceId: id16(5),
  recipientDeviceId: id16(6),
  itemId: id16(7),
  notAfterMs: 1_767_225_600_000,
};

describeCodec("blobReferenceCodec", blobReferenceCodec, {
  samples: [reference],
  frozen:
    "0101010101010101010101010101010101010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020203030303030303030303030303030303030303030303030303030303030303030000000000040000",
  overLimit: { "a key of 33 bytes": { ...reference, key: zeros(33) }, "a size above 2^53": { ...reference, sizeBytes: 2 ** 53 } },
});

describe("[M-1] what a group says of itself", () => {
  describeCodec("appendSecretCodec", appendSecretCodec, {
    samples: [
      { generation: 1_767_225_600_000, secret: new Uint8Array(32).fill(7) },
      { generation: 0, secret: new Uint8Array(32) },
    ],
    frozen: "0000019b76daa8000707070707070707070707070707070707070707070707070707070707070707",
    overLimit: { "a generation above 2^53": { generation: 2 ** 53, secret: new Uint8Array(32) } },
    overLimitBytes: {},
  });

  describeCodec("leafIdentityCodec", leafIdentityCodec, {
    samples: [{ format: 1, host: "chat.example:8080", accountId: id(4), deviceId: id16(5) }],
    frozen:
      "000111636861742e6578616d706c653a38303830040404040404040404040404040404040404040404040404040404040404040405050505050505050505050505050505",
    overLimit: {
      "a host with a capital": { format: 1, host: "Chat.example", accountId: id(4), deviceId: id16(5) },
      "a device id of 15 bytes": { format: 1, host: "chat.example", accountId: id(4), deviceId: zeros(15) },
    },
    overLimitBytes: { "format 2": concatBytes(bytes(0, 2, 1, 0x61), id(4), id16(5)) },
  });

  describeCodec("latchkeyGroupCodec", latchkeyGroupCodec, {
    samples: [group, { ...group, conversationKind: 1 }],
    frozen:
      "00030c636861742e6578616d706c6509090909090909090909090909090909090909090909090909090909090909090a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0200",
    overLimit: {
      "a hash of 33 bytes": { ...group, logHash: zeros(33) },
      "a kind above 255": { ...group, conversationKind: 256 },
    },
    overLimitBytes: { "format 2": concatBytes(bytes(0, 2, 1, 0x61), id(4), id(5), bytes(0, 2, 0)) },
  });

  describeCodec("groupSettingsCodec", groupSettingsCodec, {
    samples: [
      settings,
      { ...settings, roles: [], name: "", description: "On Tuesdays", picture: zeros(96), timerS: 3600, continues: id(12) },
      { ...settings, format: 4, keptOut: [id(1), id(2)] },
    ],
    frozen:
      "00032104040404040404040404040404040404040404040404040404040404040404040300010002010101010102010005436166c3a90000000000000000003c000d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d00",
    overLimit: {
      "a name of 129 bytes": { ...settings, name: "x".repeat(129) },
      "a description of 2049 bytes": { ...settings, description: "x".repeat(2049) },
      "a picture of 95 bytes": { ...settings, picture: zeros(95) },
      "a picture of 257 bytes": { ...settings, picture: zeros(257) },
      "101 roles": { ...settings, roles: Array.from({ length: 101 }, (_, at) => ({ accountId: id(at), role: 2 })) },
      "an account with two roles": { ...settings, roles: [1, 2].map((role) => ({ accountId: id(1), role })) },
      "an account id of 31 bytes": { ...settings, roles: [{ accountId: zeros(31), role: 1 }] },
      "31 bytes of what it goes on with": { ...settings, continues: zeros(31) },
      "somebody kept out in format 3": { ...settings, keptOut: [id(1)] },
      "nobody kept out in format 4": { ...settings, format: 4, keptOut: [] },
      "somebody kept out twice": { ...settings, format: 4, keptOut: [id(1), id(1)] },
      "129 kept out": { ...settings, format: 4, keptOut: Array.from({ length: 129 }, (_, at) => id(at)) },
    },
  });

  describeCodec("groupReportCodec", groupReportCodec, {
    samples: [report, { ...report, reason: "other", words: "", messageIds: Array.from({ length: 50 }, (_, at) => id(at)) }],
    frozen:
      "00010c636861742e6578616d706c65090909090909090909090909090909090909090909090909090909090909090905076120747269636b20070707070707070707070707070707070707070707070707070707070707070700",
    overLimit: {
      "no message": { ...report, messageIds: [] },
      "51 messages": { ...report, messageIds: Array.from({ length: 51 }, (_, at) => id(at)) },
      "2049 bytes of words": { ...report, words: "x".repeat(2049) },
      "a message id of 31 bytes": { ...report, messageIds: [zeros(31)] },
    },
  });

  describeCodec("settingsOpeningCodec", settingsOpeningCodec, {
    samples: [opening],
    frozen:
      "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b00032104040404040404040404040404040404040404040404040404040404040404040300010002010101010102010005436166c3a90000000000000000003c000d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d00",
    overLimit: { "a salt of 16 bytes": { ...opening, salt: zeros(16) } },
  });

  test("hashes say nothing without the salt, and each says one thing", () => {
    const other = { ...opening, salt: id(12) };
    expect(toHex(logHashOf(sha256, opening.salt, id(9)))).toBe("fd14c302f959a326642a0a34add6367d49e31abddb7cde4d4c626c210e0b3056");
    expect(toHex(settingsHashOf(sha256, opening))).toBe("7cc2be31b08ac385e5d1cf90f856259a74e83f6f23b1cae370296726dbf2d72d");
    expect(logHashOf(sha256, other.salt, id(9))).not.toEqual(logHashOf(sha256, opening.salt, id(9)));
    expect(logHashOf(sha256, opening.salt, id(8))).not.toEqual(logHashOf(sha256, opening.salt, id(9)));
    expect(settingsHashOf(sha256, other)).not.toEqual(settingsHashOf(sha256, opening));
    expect(settingsHashOf(sha256, { ...opening, settings: { ...settings, name: "Cafe" } })).not.toEqual(settingsHashOf(sha256, opening));
  });
});

describe("[L-10] what every message says of its log", () => {
  const data = {
    format: 3,
    viewTag: id(8),
    generation: 1,
    ownNumber: 3,
    previousOwn: id(5),
    seen: id(6),
    accountVersion: 2,
    accountChain: id(7),
    gossip: none,
    ext: none,
  } as const;
  describeCodec("authenticatedDataCodec", authenticatedDataCodec, {
    samples: [data, { ...data, gossip: zeros(1024) }],
    frozen:
      "000308080808080808080808080808080808080808080808080808080808080808080000000100000003050505050505050505050505050505050505050505050505050505050505050506060606060606060606060606060606060606060606060606060606060606060000000207070707070707070707070707070707070707070707070707070707070707070000",
    overLimit: {
      "1025 bytes of gossip": { ...data, gossip: zeros(1025) },
      "a number above 32 bits": { ...data, ownNumber: 2 ** 32 },
      "a generation above 32 bits": { ...data, generation: 2 ** 32 },
    },
    overLimitBytes: { "format 2": concatBytes(bytes(0, 2), zeros(142)) },
  });

  test("a view tag is HMAC-SHA256, and says one entry of one log", () => {
    const last = { seq: 258, head: id(8) };
    const tag = viewTagOf(sha256, id(1), last);
    expect(tag).toEqual(hmac(sha256, id(1), concatBytes(bytes(0, 0, 0, 0, 0, 0, 1, 2), id(8))));
    expect(viewTagOf(sha256, id(2), last)).not.toEqual(tag);
    expect(viewTagOf(sha256, id(1), { ...last, seq: 259 })).not.toEqual(tag);
    expect(viewTagOf(sha256, id(1), { ...last, head: id(9) })).not.toEqual(tag);
  });

  test("what was seen is named by a hash of its id", () => {
    expect(seenMarkOf(sha256, id(1))).toEqual(sha256(concatBytes(utf8Bytes("latchkey/seen/1"), id(1))));
  });
});

describe("[M-4] what a joiner gets", () => {
  describeCodec("welcomeBundleCodec", welcomeBundleCodec, {
    samples: [bundle, { ...bundle, tree: { kind: "blob", ...reference } }, { ...bundle, directoryProofs: { kind: "blob", ...reference } }],
    frozen:
      "00020c636861742e6578616d706c65090909090909090909090909090909090909090909090909090909090909090900000000000000040000000000000004080808080808080808080808080808080808080808080808080808080808080802010201010301000b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b00032104040404040404040404040404040404040404040404040404040404040404040300010002010101010102010005436166c3a90000000000000000003c000d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d000000",
    overLimit: {
      "a welcome above 64 KiB": { ...bundle, welcome: zeros(maxInlineBytes + 1) },
      "an inline tree above 16 KiB": { ...bundle, tree: { kind: "inline", tree: zeros(maxInlineTreeBytes + 1) } },
      "inline records above 16 KiB": { ...bundle, directoryProofs: { kind: "inline", proofs: zeros(maxInlineProofBytes + 1) } },
      "a salt of 31 bytes": { ...bundle, opening: { ...opening, salt: zeros(31) } },
      "a checkpoint of 4097 bytes": { ...bundle, checkpoint: zeros(4097) },
    },
  });
});

describe("[L-11] a notice of a fork", () => {
  const notice: ForkNotice = { format: 1, host: "chat.example", logId: id(9), lastSeq: 7, heads: [id(1), id(2)], ext: none };

  describeCodec("forkNoticeCodec", forkNoticeCodec, {
    samples: [notice],
    frozen:
      "00010c636861742e6578616d706c650909090909090909090909090909090909090909090909090909090909090909000000000000000740400101010101010101010101010101010101010101010101010101010101010101020202020202020202020202020202020202020202020202020202020202020200",
    overLimit: {
      "no heads": { ...notice, heads: [] },
      "257 heads": { ...notice, heads: Array.from({ length: maxForkNoticeHeads + 1 }, () => id(1)) },
    },
  });
});

describe("[I-2] inbox items", () => {
  describeCodec("inboxHeadCodec", inboxHeadCodec, {
    samples: [head],
    frozen:
      "0001010c636861742e6578616d706c6504040404040404040404040404040404040404040404040404040404040404040505050505050505050505050505050506060606060606060606060606060606070707070707070707070707070707070000019b76daa800",
    overLimit: { "an item id of 17 bytes": { ...head, itemId: zeros(17) }, "a kind above 255": { ...head, kind: 256 } },
  });

  describeCodec("inboxHeadTbsCodec", inboxHeadTbsCodec, {
    samples: [{ head, bodyHash: id(1) }],
    frozen:
      "0001010c636861742e6578616d706c6504040404040404040404040404040404040404040404040404040404040404040505050505050505050505050505050506060606060606060606060606060606070707070707070707070707070707070000019b76daa8000101010101010101010101010101010101010101010101010101010101010101",
    overLimit: { "a hash of 31 bytes": { head, bodyHash: zeros(31) } },
  });

  describeCodec("inboxPlaintextCodec", inboxPlaintextCodec, {
    samples: [{ head, signature: zeros(64), body: bytes(1, 2, 3) }],
    frozen:
      "0001010c636861742e6578616d706c6504040404040404040404040404040404040404040404040404040404040404040505050505050505050505050505050506060606060606060606060606060606070707070707070707070707070707070000019b76daa80040400000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003010203",
    overLimit: {
      "a signature of 257 bytes": { head, signature: zeros(257), body: none },
      "a body above 64 KiB": { head, signature: none, body: zeros(maxInlineBytes + 1) },
    },
  });

  describeCodec("sealedItemCodec", sealedItemCodec, {
    samples: [{ format: 1, kemOutput: zeros(1120), ciphertext: bytes(1) }],
    frozen: "sha256:b53145a244c503dc2e6df358ff95829f7c405787ec4f582e0ba276b9728f5ed4",
    overLimit: {
      "a KEM output of 2049 bytes": { format: 1, kemOutput: zeros(2049), ciphertext: none },
      "a ciphertext above 64 KiB": { format: 1, kemOutput: none, ciphertext: zeros(maxInlineBytes + 1) },
    },
  });
});

const inline = (size: number): EnvelopePlaintext => ({
  format: 3,
  kind: "message",
  nextAccessHash: id(0),
  content: {
    kind: "inline",
    seq: 7,
    mlsMessage: zeros(size).fill(1),
    directoryProofs: none,
    settings: none,
    complaint: none,
    leaves: none,
  },
});

const small: EnvelopeBody = { seq: 7, mlsMessage: bytes(1), directoryProofs: none, settings: none, complaint: none, leaves: none };

const complaint: Complaint = {
  format: 1,
  logId: id(9),
  epochId: 4,
  seq: 7,
  accountId: id(4),
  deviceId: id16(5),
  authorId: id(10),
  reason: complaintReasons.pathSecret,
  at: 0,
  leafKeys: [bytes(1, 2), bytes(3)],
  keyPackage: bytes(6),
  inboxId: id(7),
  inboxKey: bytes(8),
  ext: none,
};

describe("[G-4] a complaint", () => {
  describeCodec("complaintCodec", complaintCodec, {
    samples: [complaint],
    frozen:
      "00010909090909090909090909090909090909090909090909090909090909090909000000000000000400000000000000070404040404040404040404040404040404040404040404040404040404040404050505050505050505050505050505050a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a01000000000000000005020102010301060707070707070707070707070707070707070707070707070707070707070707010800",
    overLimit: {
      "no key of its leaf": { ...complaint, leafKeys: [] },
      "a key package above 32 KiB": { ...complaint, keyPackage: zeros(32_769) },
    },
  });
});

describe("[L-2] envelopes", () => {
  test("the plaintext survives, and its sealed size is a bucket", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_000 }), fc.constantFrom("message" as const, "commit" as const), (size, kind) => {
        const plaintext = { ...inline(size), kind, nextAccessHash: id(kind === "commit" ? 5 : 0) };
        const padded = encodeEnvelope(plaintext);
        expect(buckets).toContain(padded.length + envelopeOverheadBytes);
        expect(decodeEnvelope(padded)).toEqual(plaintext);
      }),
    );
  });

  test("[C-4] contents of nearly one size cannot be told apart by theirs", () => {
    expect(new Set([1, 50, 200, 400].map((size) => encodeEnvelope(inline(size)).length))).toEqual(new Set([512 - envelopeOverheadBytes]));
  });

  describeCodec("envelopeBodyCodec", envelopeBodyCodec, {
    samples: [small, { ...small, settings: encode(settingsOpeningCodec, opening) }],
    frozen: "0000000000000007010100000000",
    overLimit: { "a negative number": { ...small, seq: -1 }, "settings above 16 KiB": { ...small, settings: zeros(16_385) } },
  });

  test("content above an entry is refused, and fitsInline says so before", () => {
    for (const size of [60_000, 65_430, 65_500, 65_536, 100_000]) {
      const fits = fitsInline({ ...small, mlsMessage: zeros(size) });
      if (fits) expect(encodeEnvelope(inline(size)).length).toBe(maxInlineBytes - envelopeOverheadBytes);
      else if (size > maxInlineBytes) expect(() => encodeEnvelope(inline(size))).toThrow(expect.objectContaining({ code: "limit" }));
    }
    expect(fitsInline({ ...small, mlsMessage: zeros(65_000) })).toBe(true);
    expect(fitsInline({ ...small, mlsMessage: zeros(65_536) })).toBe(false);
  });

  test("content in a blob fits the smallest bucket", () => {
    const external: EnvelopePlaintext = { ...inline(0), content: { kind: "external", ...reference } };
    const padded = encodeEnvelope(external);
    expect(padded.length + envelopeOverheadBytes).toBe(512);
    expect(decodeEnvelope(padded)).toEqual(external);
    // Behind the head that names it, too.
    const head = entryHead([reference]);
    expect(encodeEnvelope(external, head).length + head.length + 40).toBe(512);
  });

  test("[E-68] a message has its content in no larger blob than 1 MiB, whoever sealed it; a commit may need more", () => {
    const sized = (kind: "message" | "commit", sizeBytes: number): EnvelopePlaintext => ({
      ...inline(0),
      kind,
      nextAccessHash: id(kind === "commit" ? 5 : 0),
      content: { kind: "external", ...reference, sizeBytes },
    });
    expect(decodeEnvelope(encodeEnvelope(sized("message", 1_048_576)))).toEqual(sized("message", 1_048_576));
    expect(() => encodeEnvelope(sized("message", 1_048_577))).toThrow(expect.objectContaining({ code: "limit" }));
    const padded = encodeEnvelope(sized("commit", 104_857_600));
    expect(decodeEnvelope(padded)).toEqual(sized("commit", 104_857_600));
    // The same as a message, by somebody whose own code has no such bound: the kind is the third byte.
    padded[2] = 1;
    expect(() => decodeEnvelope(padded)).toThrow(expect.objectContaining({ code: "limit" }));
    expect(() => encodeEnvelope(sized("commit", 104_857_601))).toThrow(expect.objectContaining({ code: "limit" }));
  });

  test("[E-68] a message above 540,672 bytes is neither sealed nor read, wherever it lies; a commit may need more", () => {
    const sized = (size: number): EnvelopeBody => ({ ...small, mlsMessage: zeros(size) });
    for (const [kind, size] of [
      ["message", 540_672],
      ["commit", 540_673],
    ] as const) {
      expect(decodeEnvelopeBody(kind, encodeEnvelopeBody(kind, sized(size)))).toEqual(sized(size));
    }
    expect(() => encodeEnvelopeBody("message", sized(540_673))).toThrow(expect.objectContaining({ code: "limit" }));
    // By somebody whose own code has no such bound.
    expect(() => decodeEnvelopeBody("message", encode(envelopeBodyCodec, sized(540_673)))).toThrow(
      expect.objectContaining({ code: "limit" }),
    );
  });

  test("anything but zeros behind the content is refused, and so is content cut short", () => {
    const padded = encodeEnvelope(inline(10));
    for (let at = 59; at < padded.length; at += 1) {
      const damaged = padded.slice();
      damaged[at] = 1;
      expect(() => decodeEnvelope(damaged), `byte ${at}`).toThrow(expect.objectContaining({ code: "invalid" }));
    }
    for (let size = 0; size < 40; size++) {
      expect(() => decodeEnvelope(padded.subarray(0, size)), `${size} bytes`).toThrow(expect.objectContaining({ code: "truncated" }));
    }
  });

  test("the additional data says log, epoch, kind and what the entry names", () => {
    const head = bytes(0x40, 0x40);
    expect(envelopeAad(id(9), 258, "commit", head)).toEqual(
      concatBytes(utf8Bytes("latchkey/env/1"), id(9), bytes(0, 0, 0, 0, 0, 0, 1, 2, 2), head),
    );
  });
});
