import { concatBytes, decode, encode, uint32, uint8 } from "@latchkey/codec";
import { describeCodec } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import {
  connectTbsCodec,
  deviceReplyCodec,
  deviceRequestCodec,
  frameHead,
  logReplyCodec,
  logRequestCodec,
  lookupReplyCodec,
  lookupRequestCodec,
  maxClosedEpochs,
  maxInlineBytes,
  maxKeyPackageBytes,
  maxKeyPackagesPerPublish,
  passphraseTbsCodec,
  meaningOf,
  negotiate,
  offeredVersions,
  postReplyCodec,
  postRequestCodec,
  refusalMeanings,
  roleCodecs,
  roles,
  socketPath,
  spokenVersions,
  subprotocol,
  subprotocolsOf,
  wireErrorCodec,
  wireErrorNumbers,
} from "../index.ts";
import type {
  DeviceReply,
  DeviceRequest,
  Frame,
  Hello,
  LogReply,
  LogRequest,
  LookupReply,
  LookupRequest,
  PassphraseTbs,
  PostReply,
  PostRequest,
  KnownWireErrorCode,
} from "../index.ts";

const id = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const deviceId = new Uint8Array(16).fill(0xdd);
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const none = new Uint8Array(0);
const zeros = (size: number): Uint8Array => new Uint8Array(size);
const framed = <Body>(body: Body, requestId = 7): Frame<Body> => ({ id: requestId, body });
/** A frame of request `id` 7 with the tag of a kind that does not exist. */
const unknownKind = { "an unknown kind": concatBytes(encode(uint32, 7), encode(uint8, 99)) };

const hello: Hello = {
  format: 2,
  versions: { min: 1, max: 1 },
  host: "chat.example:8080",
  serverName: "Example",
  nonce: id(1),
  timeMs: 1_767_225_600_000,
  maxFrameBytes: 262_144,
  maxBlobBytes: 104_857_600,
  retentionDays: 30,
  registration: 0,
  ext: none,
};
const helloReply = { kind: "hello", ...hello } as const;
const errorReply = { kind: "error", code: "rate_limited", retryAfterMs: 1500 } as const;

describe("[C-1] frames are bounded and have one encoding", () => {
  describeCodec<Frame<DeviceRequest>>("deviceRequestCodec", deviceRequestCodec, {
    samples: [
      framed({ kind: "reserve", username: "alice", invitation: "", token: none }),
      framed({ kind: "publish", state: bytes(1), pops: [bytes(2), bytes(3, 4)], bindings: [bytes(5)] }),
      framed({ kind: "connect", accountId: id(2), deviceId, signature: zeros(64) }),
      framed({ kind: "card", card: bytes(1, 2, 3) }),
      framed({ kind: "publish_key_packages", lastResort: true, notAfterMs: 1_767_225_600_000, keyPackages: [zeros(100), zeros(3000)] }),
      framed({ kind: "count_key_packages" }),
      framed({ kind: "read_inbox", afterSeq: 12 }),
      framed({ kind: "erase_inbox", uptoSeq: 300 }),
      framed({ kind: "inspect" }),
      framed({ kind: "ping" }, 0xffff_ffff),
      framed({ kind: "set_inbox_capability", generation: 1_767_225_600_000, hash: id(5) }),
      framed({ kind: "issue_tokens", blinded: [id(1), id(2)] }),
      framed({ kind: "begin_passphrase", signed: bytes(1, 2) }),
      framed({ kind: "set_passphrase", signed: zeros(1024) }),
      framed({ kind: "clear_passphrase" }),
      framed({ kind: "passphrase_status" }),
      framed({ kind: "read_history_manifest" }),
      framed({ kind: "read_history_chunk", generation: deviceId, number: 4095 }),
      framed({ kind: "put_history_chunk", generation: deviceId, number: 0, chunk: zeros(4096) }),
      framed({ kind: "put_history_manifest", previous: 4, counter: 5, generation: deviceId, chunks: 17, manifest: bytes(1, 2) }),
      framed({ kind: "erase_history" }),
    ],
    frozen: "000000070105616c6963650000",
    overLimit: {
      "an id above 32 bits": framed({ kind: "ping" }, 2 ** 32),
      "a username of 257 bytes": framed({ kind: "reserve", username: "a".repeat(257), invitation: "", token: none }),
      "a token of 1025 bytes": framed({ kind: "reserve", username: "alice", invitation: "", token: zeros(1025) }),
      "33 proofs of possession": framed({ kind: "publish", state: bytes(1), pops: Array.from({ length: 33 }, () => none), bindings: [] }),
      "a short account id": framed({ kind: "connect", accountId: zeros(31), deviceId, signature: none }),
      "a signature of 257 bytes": framed({ kind: "connect", accountId: id(2), deviceId, signature: zeros(257) }),
      "a card of 8193 bytes": framed({ kind: "card", card: zeros(8193) }),
      "no key package": framed({ kind: "publish_key_packages", lastResort: false, notAfterMs: 0, keyPackages: [] }),
      "too many key packages": framed({
        kind: "publish_key_packages",
        lastResort: false,
        notAfterMs: 0,
        keyPackages: Array.from({ length: maxKeyPackagesPerPublish + 1 }, () => bytes(1)),
      }),
      "a key package too large": framed({
        kind: "publish_key_packages",
        lastResort: false,
        notAfterMs: 0,
        keyPackages: [zeros(maxKeyPackageBytes + 1)],
      }),
      "a sequence number above 2^53": framed({ kind: "read_inbox", afterSeq: 2 ** 53 }),
      "101 tokens at once": framed({ kind: "issue_tokens", blinded: Array.from({ length: 101 }, () => id(1)) }),
      "no token": framed({ kind: "issue_tokens", blinded: [] }),
      "a signed passphrase of 1025 bytes": framed({ kind: "set_passphrase", signed: zeros(1025) }),
      "a chunk of history that is too large": framed({
        kind: "put_history_chunk",
        generation: deviceId,
        number: 0,
        chunk: zeros(245_761),
      }),
      "a manifest that is too large": framed({
        kind: "put_history_manifest",
        previous: 0,
        counter: 1,
        generation: deviceId,
        chunks: 1,
        manifest: zeros(196_609),
      }),
      "a short hash of a capability": framed({ kind: "set_inbox_capability", generation: 1, hash: zeros(31) }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<Frame<DeviceReply>>("deviceReplyCodec", deviceReplyCodec, {
    samples: [
      framed(helloReply, 0),
      framed(errorReply),
      framed({ kind: "reserved", untilMs: 5 }),
      framed({ kind: "published", version: 3, proof: none }),
      framed({ kind: "key_packages", oneTime: 99, lastResortNotAfterMs: 0 }),
      framed({ kind: "item", seq: 4, day: 20_454, part: "contacts", blob: zeros(512) }, 0),
      framed({ kind: "holdings", ticket: id(4) }),
      framed({ kind: "done" }),
      framed({ kind: "inbox_capability", generation: 1_767_225_600_000 }),
      framed({ kind: "tokens", day: 20_000, evaluated: [id(3)], proof: zeros(64) }),
      framed({ kind: "passphrase_begun", response: zeros(64) }),
      framed({ kind: "passphrase_status", isSet: true, setDay: 20_000, tries: 3, lastTryDay: 20_001, openedDay: 0 }),
      framed({
        kind: "history_manifest",
        counter: 5,
        generation: deviceId,
        chunks: 17,
        sizeBytes: 5_000_000_000,
        manifest: bytes(1, 2),
      }),
      framed({ kind: "history_chunk", chunk: zeros(300) }),
    ],
    frozen:
      "000000000000020001000111636861742e6578616d706c653a38303830074578616d706c6501010101010101010101010101010101010101010101010101010101010101010000019b76daa8000004000006400000001e0000",
    overLimit: {
      "an item above 64 KiB": framed({ kind: "item", seq: 1, day: 1, part: "strangers", blob: zeros(maxInlineBytes + 1) }),
      "a host that is none": framed({ ...helloReply, host: "Chat.Example" }),
      "a short nonce": framed({ ...helloReply, nonce: zeros(31) }),
      "a short registration response": framed({ kind: "passphrase_begun", response: zeros(63) }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<Frame<LogRequest>>("logRequestCodec", logRequestCodec, {
    samples: [
      framed({ kind: "append", logId: id(1), epochId: 5, entryKind: "message", blob: bytes(1, 2) }),
      framed({ kind: "create", logId: id(1), accessHash: id(2), token: none }),
      framed({ kind: "open", logId: id(1), epochId: 0, access: id(3), afterSeq: 17, closed: [] }),
      framed({ kind: "open", logId: id(1), epochId: 9, access: id(3), afterSeq: 17, closed: [{ epochId: 2, access: id(5) }] }),
      framed({ kind: "append", logId: id(1), epochId: 5, entryKind: "complaint", blob: zeros(512) }),
      framed({ kind: "append", logId: id(1), epochId: 5, entryKind: "later 9", blob: zeros(512) }),
      framed({ kind: "commit", logId: id(1), epochId: 5, afterSeq: 4, nextAccessHash: id(4), blob: zeros(1024), token: none }),
      framed({ kind: "close", logId: id(1) }),
      framed({ kind: "head_proof", logId: id(1), knownSize: 4 }),
      framed({ kind: "ping" }),
    ],
    frozen: "00000007030101010101010101010101010101010101010101010101010101010101010101000000000000000501020102",
    overLimit: {
      "a blob above 64 KiB": framed({
        kind: "append",
        logId: id(1),
        epochId: 5,
        entryKind: "message",
        blob: zeros(maxInlineBytes + 1),
      }),
      "a known entry kind as a later one": framed({
        kind: "append",
        logId: id(1),
        epochId: 5,
        entryKind: "later 2",
        blob: none,
      }),
      "a short log id": framed({ kind: "close", logId: zeros(31) }),
      "a signal of another length": framed({ kind: "signal", logId: id(1), epochId: 5, bytes: zeros(255) }),
      "a long access key": framed({ kind: "open", logId: id(1), epochId: 0, access: zeros(33), afterSeq: 0, closed: [] }),
      "five closed epochs": framed({
        kind: "open",
        logId: id(1),
        epochId: 9,
        access: id(3),
        afterSeq: 0,
        closed: Array.from({ length: maxClosedEpochs + 1 }, (_, at) => ({ epochId: at, access: id(at) })),
      }),
      "an epoch below zero": framed({ kind: "open", logId: id(1), epochId: -1, access: id(3), afterSeq: 0, closed: [] }),
    },
    overLimitBytes: {
      ...unknownKind,
      "the entry kind 0": concatBytes(encode(uint32, 7), bytes(3), id(1), zeros(8), bytes(0, 0, 0)),
    },
  });

  describeCodec<Frame<LogReply>>("logReplyCodec", logReplyCodec, {
    samples: [
      framed(
        { kind: "entry", logId: id(1), seq: 9, epochId: 5, entryKind: "commit", day: 20_454, nextAccessHash: id(4), blob: bytes(1, 2, 3) },
        0,
      ),
      framed(helloReply, 0),
      framed(errorReply),
      framed({ kind: "opened", logId: id(1), currentEpochId: 5, lastSeq: 9, head: id(6), firstSeq: 2, headBeforeFirst: id(7) }),
      framed({ kind: "accepted", seq: 9, head: id(6) }),
      framed({ kind: "sealed", logId: id(1), seq: 8, epochId: 5, entryKind: "message", nextAccessHash: id(0), blobHash: id(5) }, 0),
      framed({ kind: "signal", logId: id(1), epochId: 5, bytes: zeros(256) }, 0),
      framed({ kind: "done" }),
    ],
    frozen:
      "0000000004010101010101010101010101010101010101010101010101010101010101010100000000000000090000000000000005020000000000004fe6040404040404040404040404040404040404040404040404040404040404040403010203",
    overLimit: {
      "a blob above 64 KiB": framed({
        kind: "entry",
        logId: id(1),
        seq: 9,
        epochId: 5,
        entryKind: "message",
        day: 1,
        nextAccessHash: id(0),
        blob: zeros(maxInlineBytes + 1),
      }),
      "a long head": framed({ kind: "accepted", seq: 9, head: zeros(33) }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<Frame<PostRequest>>("postRequestCodec", postRequestCodec, {
    samples: [
      framed({ kind: "post", inboxId: id(1), capability: id(0), blob: bytes(1), token: none }),
      framed({ kind: "ping" }),
      framed({ kind: "open_link_inbox", linkId: id(1), readHash: id(2), key: zeros(1216), notAfterMs: 1_767_225_600_000, token: none }),
      framed({ kind: "take_link_key", linkId: id(1) }),
      framed({ kind: "knock", linkId: id(1), blob: zeros(4096), token: none }),
      framed({ kind: "read_knocks", linkId: id(1), readKey: id(3), afterSeq: 4 }),
      framed({ kind: "erase_knocks", linkId: id(1), readKey: id(3), seqs: [1, 300] }),
      framed({ kind: "close_link_inbox", linkId: id(1), readKey: id(3) }),
      framed({ kind: "wake", token: bytes(1, 2, 3) }),
    ],
    frozen:
      "000000070101010101010101010101010101010101010101010101010101010101010101010000000000000000000000000000000000000000000000000000000000000000010100",
    overLimit: {
      "an item above 64 KiB": framed({ kind: "post", inboxId: id(1), capability: id(0), blob: zeros(maxInlineBytes + 1), token: none }),
      "a token of 1025 bytes": framed({ kind: "post", inboxId: id(1), capability: id(0), blob: none, token: zeros(1025) }),
      "a knock above 4 KiB": framed({ kind: "knock", linkId: id(1), blob: zeros(4097), token: none }),
      "a link's key of 2049 bytes": framed({
        kind: "open_link_inbox",
        linkId: id(1),
        readHash: id(2),
        key: zeros(2049),
        notAfterMs: 1,
        token: none,
      }),
      "257 knocks at once": framed({
        kind: "erase_knocks",
        linkId: id(1),
        readKey: id(3),
        seqs: Array.from({ length: 257 }, (_, at) => at),
      }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<Frame<PostReply>>("postReplyCodec", postReplyCodec, {
    samples: [
      framed(errorReply),
      framed(helloReply, 0),
      framed({ kind: "done" }),
      framed({ kind: "link_key", key: zeros(1216) }),
      framed({ kind: "knocks", knocks: [{ seq: 3, blob: zeros(4096) }], isMore: true }),
    ],
    frozen: "00000007010015000005dc",
    overLimit: {
      "a knock above 4 KiB": framed({ kind: "knocks", knocks: [{ seq: 1, blob: zeros(4097) }], isMore: false }),
      "a delay above 32 bits": framed({ kind: "error", code: "internal", retryAfterMs: 2 ** 32 }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<Frame<LookupRequest>>("lookupRequestCodec", lookupRequestCodec, {
    samples: [
      framed({ kind: "lookup_username", username: "bob", fromVersion: 0, knownSize: 0 }),
      framed({ kind: "lookup_account", accountId: id(2), fromVersion: 3, accountValues: 3, nameValues: 0, knownSize: 0 }),
      framed({ kind: "take_key_package", accountId: id(2), deviceId, token: none }),
      framed({ kind: "check_username", username: "not a username, and still a question" }),
      framed({ kind: "lookup_card", accountId: id(2), deviceId }),
      framed({ kind: "lookup_operator", name: "tokens", knownValues: 4, knownSize: 9 }),
      framed({ kind: "try_passphrase", accountId: id(2), ke1: zeros(96) }),
      framed({ kind: "open_passphrase", ticket: id(3), ke3: zeros(64) }),
      framed({ kind: "ping" }),
    ],
    frozen: "000000070103626f62000000000000000000000000",
    overLimit: {
      "a username of 257 bytes": framed({ kind: "lookup_username", username: "a".repeat(257), fromVersion: 0, knownSize: 0 }),
      "a version above 32 bits": framed({
        kind: "lookup_account",
        accountId: id(2),
        fromVersion: 2 ** 32,
        accountValues: 2 ** 32,
        nameValues: 0,
        knownSize: 0,
      }),
      "a label's name of 65 bytes": framed({ kind: "lookup_operator", name: "a".repeat(65), knownValues: 0, knownSize: 0 }),
      "a long KE1": framed({ kind: "try_passphrase", accountId: id(2), ke1: zeros(97) }),
      "a short KE3": framed({ kind: "open_passphrase", ticket: id(3), ke3: zeros(63) }),
      "a short device id": framed({ kind: "take_key_package", accountId: id(2), deviceId: zeros(15), token: none }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<Frame<LookupReply>>("lookupReplyCodec", lookupReplyCodec, {
    samples: [
      framed({ kind: "account", states: [bytes(1)], pops: [bytes(2)], bindings: [bytes(3, 4)], proof: none }),
      framed(helloReply, 0),
      framed(errorReply),
      framed({ kind: "key_package", card: bytes(1), keyPackage: bytes(2), lastResort: false }),
      framed({ kind: "availability", reason: 3 }),
      framed({ kind: "absent", bindings: [bytes(4)], proof: bytes(5) }),
      framed({ kind: "card", card: bytes(6) }),
      framed({ kind: "passphrase_challenge", ticket: id(3), ke2: zeros(320) }),
      framed({ kind: "sealed_phrase", sealed: zeros(72) }),
      framed({ kind: "done" }),
    ],
    frozen: "00000007020201010201020302030400",
    overLimit: {
      "a key package too large": framed({ kind: "key_package", card: none, keyPackage: zeros(maxKeyPackageBytes + 1), lastResort: false }),
      "a short sealed phrase": framed({ kind: "sealed_phrase", sealed: zeros(71) }),
      "a state above 64 KiB": framed({ kind: "account", states: [zeros(65_537)], pops: [], bindings: [], proof: none }),
      "states above 192 KiB": framed({
        kind: "account",
        states: Array.from({ length: 4 }, () => zeros(60_000)),
        pops: [],
        bindings: [],
        proof: none,
      }),
    },
    overLimitBytes: unknownKind,
  });

  describeCodec<PassphraseTbs>("passphraseTbsCodec", passphraseTbsCodec, {
    samples: [
      { format: 1, host: "a.example", accountId: id(1), nonce: id(2), step: { kind: "begin", request: zeros(32) }, ext: none },
      {
        format: 1,
        host: "a.example",
        accountId: id(1),
        nonce: id(2),
        step: { kind: "set", record: zeros(192), sealed: zeros(72) },
        ext: none,
      },
    ],
    frozen: `000109612e6578616d706c65${"01".repeat(32)}${"02".repeat(32)}01${"00".repeat(32)}00`,
    overLimit: {
      "a short record": {
        format: 1,
        host: "a.example",
        accountId: id(1),
        nonce: id(2),
        step: { kind: "set", record: zeros(191), sealed: zeros(72) },
        ext: none,
      },
    },
  });

  describeCodec("connectTbsCodec", connectTbsCodec, {
    samples: [{ format: 1, host: "chat.example", accountId: id(2), deviceId, nonce: id(1), role: "device", ext: none }],
    frozen:
      "00010c636861742e6578616d706c650202020202020202020202020202020202020202020202020202020202020202dddddddddddddddddddddddddddddddd01010101010101010101010101010101010101010101010101010101010101010100",
    overLimit: {
      "a host that is none": { format: 1, host: "chat example", accountId: id(2), deviceId, nonce: id(1), role: "device", ext: none },
      "4097 bytes of extensions": {
        format: 1,
        host: "chat.example",
        accountId: id(2),
        deviceId,
        nonce: id(1),
        role: "log",
        ext: zeros(4097),
      },
    },
  });
});

describe("errors", () => {
  describeCodec("wireErrorCodec", wireErrorCodec, {
    samples: [
      { code: "unknown", number: 0xfffe, retryAfterMs: 60_000 },
      { code: "clock_off", retryAfterMs: 0 },
    ],
    frozen: "fffe0000ea60",
    overLimit: { "a known number as an unknown one": { code: "unknown", number: 21, retryAfterMs: 0 } },
  });

  test("[E-70] a code of a later version is a refusal that keeps its number and the time to wait", () => {
    const later = concatBytes(encode(uint32, 7), bytes(1, 0x01, 0x2c, 0, 0, 0x75, 0x30));
    for (const { reply } of Object.values(roleCodecs))
      expect(decode<Frame<unknown>>(reply, later)).toEqual({
        id: 7,
        body: { kind: "error", code: "unknown", number: 300, retryAfterMs: 30_000 },
      });
    expect(meaningOf({ code: "unknown", retryAfterMs: 30_000 })).toBe("passing");
    expect(meaningOf({ code: "unknown", retryAfterMs: 0 })).toBe("unknown");
  });

  test("[E-70] every code that is sent has a meaning, and those that pass by themselves are these", () => {
    const passing = Object.entries(refusalMeanings).flatMap(([code, meaning]) => (meaning === "passing" ? [code] : []));
    expect(passing.toSorted()).toEqual([
      "inbox_full",
      "internal",
      "no_key_package",
      "rate_limited",
      "shutting_down",
      "storage_full",
      "token_invalid",
      "token_required",
      "too_many_updates",
      "unavailable",
    ]);
    expect(Object.keys(refusalMeanings).toSorted()).toEqual([...Object.keys(wireErrorNumbers), "unknown"].toSorted());
  });

  test("[E-71] id and kind of a frame are read whatever its kind, and every codec says which it knows", () => {
    expect(frameHead(concatBytes(encode(uint32, 9), bytes(200, 1, 2)))).toEqual({ id: 9, kind: 200 });
    expect(frameHead(bytes(0, 0, 0, 9))).toBeUndefined();
    expect([...roleCodecs.log.reply.kinds.keys()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(roleCodecs.device.request.kinds.has(200)).toBe(false);
  });

  test("every code makes the round trip under a number of its own", () => {
    expect(new Set(Object.values(wireErrorNumbers)).size).toBe(Object.keys(wireErrorNumbers).length);
    for (const [code, number] of Object.entries(wireErrorNumbers)) {
      // The keys of the table are the codes.
      const encoded = encode(wireErrorCodec, { code: code as KnownWireErrorCode, retryAfterMs: 0 });
      expect([...encoded]).toEqual([number >> 8, number & 0xff, 0, 0, 0, 0]);
    }
  });
});

describe("[E-74] versions", () => {
  test("the highest that both sides speak counts; with none in common it is known who is too old", () => {
    expect(negotiate({ min: 1, max: 3 }, { min: 2, max: 9 })).toEqual({ kind: "version", version: 3 });
    expect(negotiate({ min: 4, max: 7 }, { min: 1, max: 5 })).toEqual({ kind: "version", version: 5 });
    expect(negotiate({ min: 1, max: 1 }, { min: 2, max: 3 })).toEqual({ kind: "client_outdated" });
    expect(negotiate({ min: 4, max: 4 }, { min: 2, max: 3 })).toEqual({ kind: "server_outdated" });
  });

  test("a client states its versions as subprotocols, the newest first; others are left aside", () => {
    expect(subprotocolsOf({ min: 2, max: 4 })).toEqual(["latchkey.4", "latchkey.3", "latchkey.2"]);
    expect(offeredVersions(["chat", "latchkey.4", "latchkey.2"])).toEqual({ min: 2, max: 4 });
    expect(offeredVersions(["chat", "latchkey.", "latchkey.0", "latchkey.1e3", "latchkey.999999", "latchkey.-1"])).toBeUndefined();
    expect(subprotocolsOf(spokenVersions)).toEqual([subprotocol]);
  });
});

describe("[C-5] roles", () => {
  test("each has a path of its own", () => {
    expect(roles.map((role) => socketPath(role))).toEqual(["/v1/device", "/v1/log", "/v1/post", "/v1/lookup"]);
  });
});
