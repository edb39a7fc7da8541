import { encode } from "@latchkey/codec";
import { describeCodec } from "@latchkey/testkit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  accountLabel,
  commitmentOf,
  configChangeCodec,
  directoryConfigCodec,
  directoryProofCodec,
  directoryViewCodec,
  gossipCodec,
  headsProofCodec,
  labelInput,
  labelProofCodec,
  logEntryCodec,
  mapProofCodec,
  operatorLabel,
  replayStateCodec,
  signedHeadCodec,
  transitionCodec,
  usernameLabel,
} from "../index.ts";
import type {
  ConfigChange,
  DirectoryConfig,
  DirectoryProof,
  DirectoryView,
  Gossip,
  HeadsProof,
  LabelProof,
  LogEntry,
  MapProof,
  ReplayState,
  SignedHead,
  Transition,
} from "../index.ts";

const hash = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const zeros = (size: number): Uint8Array => new Uint8Array(size);
const none = new Uint8Array(0);

const entry: LogEntry = {
  format: 1,
  timestampMs: 1_800_000_000_000,
  leafCount: 7,
  mapRoot: hash(1),
  changesHash: hash(2),
  headsRoot: hash(3),
  configIndex: 0,
  config: none,
  ext: none,
};
const config: DirectoryConfig = {
  format: 1,
  origin: "chat.example/latchkey",
  logKey: "chat.example/latchkey+00000000+AAAA",
  vrfPublicKey: hash(4),
  logPolicy: "",
  mapPolicy: "quorum none\n",
  formats: [1],
  ext: none,
};
const mapProof: MapProof = {
  siblings: [hash(5), undefined, hash(6)],
  terminal: { kind: "other", index: hash(7), version: 2, chain: hash(8) },
};
const head: SignedHead = { checkpoint: Uint8Array.of(1, 2, 3), entry: Uint8Array.of(4), inclusion: [hash(9)] };
/** A checkpoint with two signatures: it travels without its base64. */
const noteHead: SignedHead = {
  ...head,
  checkpoint: new TextEncoder().encode(
    `chat.example/latchkey\n12\n${"A".repeat(43)}=\n\n\u2014 chat.example/latchkey AAAAAQECAw==\n\u2014 w\u00e9.example AAAAAgQFBg==\n`,
  ),
};
const label: LabelProof = {
  type: "account",
  vrfProof: zeros(80),
  fromVersion: 1,
  items: [
    { kind: "commitment", commitment: hash(10) },
    { kind: "opening", opening: hash(11) },
  ],
  mapProof: { siblings: [], terminal: { kind: "leaf" } },
};
const proof: DirectoryProof = { format: 1, head, labels: [label], consistency: [hash(12)], ext: none };
const heads: HeadsProof = {
  format: 1,
  head,
  consistency: [],
  index: 3,
  entry: Uint8Array.of(5),
  inclusion: [hash(13)],
  seq: 9,
  logHead: hash(14),
  mapProof,
  ext: none,
};
const gossip: Gossip = { format: 2, checkpoint: Uint8Array.of(15, 16), ext: none };
const change: ConfigChange = {
  format: 2,
  index: 4,
  entry: Uint8Array.of(6),
  inclusion: [],
  first: head,
  last: head,
  consistency: [hash(21)],
  ext: none,
};
const transition: Transition = {
  format: 1,
  leaves: [{ index: hash(17), oldVersion: 0, oldChain: zeros(32), commitments: [hash(18)] }],
  shape: Uint8Array.of(3, 2, 0),
  siblings: [hash(19)],
  ext: none,
};
const view: DirectoryView = {
  origin: "chat.example/latchkey",
  configHash: hash(20),
  config,
  configIndex: 0,
  pendingConfig: undefined,
  size: 12,
  root: hash(21),
  mapRoot: hash(22),
  leafCount: 7,
  timestampMs: 1_800_000_000_000,
  logQuorumMs: 1_800_000_000_001,
  mapQuorumMs: 0,
  checkedAtMs: 1_800_000_000_002,
};
const replayState: ReplayState = {
  origin: "chat.example/latchkey",
  configHash: hash(23),
  vrfPublicKey: hash(24),
  size: 3,
  rightEdge: [hash(25), hash(26)],
  mapRoot: hash(27),
  leafCount: 2,
  timestampMs: 5,
  configIndex: 0,
  configLoggedMs: 4,
};

describe("[C-1] structures of the directory are bounded and have one encoding", () => {
  describeCodec("logEntryCodec", logEntryCodec, {
    samples: [entry, { ...entry, config: zeros(500) }],
    frozen: "sha256:b40d7cd66c8bb077170e13fc83fb887448f9ee656573b6848ab146dc6ac6c11e",
    overLimit: { "a root of 31 bytes": { ...entry, mapRoot: zeros(31) }, "a config of 32769 bytes": { ...entry, config: zeros(32_769) } },
  });

  describeCodec("directoryConfigCodec", directoryConfigCodec, {
    samples: [config],
    frozen:
      "000115636861742e6578616d706c652f6c617463686b657923636861742e6578616d706c652f6c617463686b65792b30303030303030302b414141410404040404040404040404040404040404040404040404040404040404040404000c71756f72756d206e6f6e650a02000100",
    overLimit: {
      "a VRF key of 33 bytes": { ...config, vrfPublicKey: zeros(33) },
      "a policy of 8193 bytes": { ...config, logPolicy: "a".repeat(8193) },
    },
  });

  describeCodec("mapProofCodec", mapProofCodec, {
    samples: [
      mapProof,
      { siblings: [], terminal: { kind: "empty" } },
      { siblings: Array.from({ length: 255 }, () => undefined), terminal: { kind: "leaf" } },
    ],
    frozen: "sha256:453b1a290ed8570792137cd6ed5cf9373dbe670f8dfad9c8d4b86950a7ff0e2e",
    overLimit: {
      "256 siblings": { siblings: Array.from({ length: 256 }, () => hash(1)), terminal: { kind: "leaf" } },
      "a sibling of 31 bytes": { siblings: [zeros(31)], terminal: { kind: "leaf" } },
    },
    overLimitBytes: {
      "a bit behind the last sibling": Uint8Array.of(1, 0xc0, 1),
      "an empty sibling in full": Uint8Array.of(1, 0, ...zeros(32), 1),
      "an unknown end": Uint8Array.of(0, 3),
    },
  });

  describeCodec("signedHeadCodec", signedHeadCodec, {
    samples: [noteHead, head],
    arbitrary: fc
      .array(fc.tuple(fc.stringMatching(/^[a-c.\u00e9\u{1f600}]{1,12}$/u), fc.nat(0xff)), { minLength: 1, maxLength: 5 })
      .map((names) => ({
        ...head,
        checkpoint: new TextEncoder().encode(
          `chat.example/latchkey\n12\n${"A".repeat(43)}=\n\n${names.map(([name, id]) => `\u2014 ${name} ${btoa(`\0\0\0${String.fromCharCode(id)}sig`)}\n`).join("")}`,
        ),
      })),
    frozen:
      "01406115636861742e6578616d706c652f6c617463686b6579000000000000000c00000000000000000000000000000000000000000000000000000000000000000021150000000000010301020300000b77c3a92e6578616d706c6500000002030405060104200909090909090909090909090909090909090909090909090909090909090909",
    overLimit: {
      "no checkpoint": { ...head, checkpoint: none },
      "a checkpoint of 16385 bytes": { ...head, checkpoint: zeros(16_385) },
      "an inclusion proof of 129 hashes": { ...head, inclusion: Array.from({ length: 129 }, () => hash(1)) },
    },
  });

  test("a checkpoint travels in fewer bytes than its text", () => {
    expect(encode(signedHeadCodec, noteHead).length).toBeLessThan(noteHead.checkpoint.length);
  });

  describeCodec("labelProofCodec", labelProofCodec, {
    samples: [label, { ...label, type: "username", vrfProof: none, items: [] }, { ...label, type: "operator" }],
    frozen: "sha256:52f9d589a7c348b372b77f718635dda7f1bf484aba59bca988dc0b5f8886508c",
    overLimit: { "a VRF proof of 81 bytes": { ...label, vrfProof: zeros(81) } },
    overLimitBytes: { "a VRF proof of 79 bytes": Uint8Array.of(1, 0x40, 79, ...zeros(79), 0, 0, 0, 0, 0, 0, 1) },
  });

  describeCodec("directoryProofCodec", directoryProofCodec, {
    samples: [proof, { ...proof, labels: [label, label], consistency: [] }],
    frozen: "sha256:899590d67faffc6ed041b33a582c0006f2d8eda978295e1d17c9087c459db703",
    overLimit: {
      "no label": { ...proof, labels: [] },
      "5 labels": { ...proof, labels: [label, label, label, label, label] },
    },
  });

  describeCodec("headsProofCodec", headsProofCodec, {
    samples: [heads],
    frozen: "sha256:f36c2da01476bb3212fca0030ee8d9ffca0749fe5557e1cb135324719974dad2",
    overLimit: { "a head of 31 bytes": { ...heads, logHead: zeros(31) }, "no entry": { ...heads, entry: none } },
  });

  describeCodec("gossipCodec", gossipCodec, {
    samples: [gossip],
    frozen: "000200020f1000",
    overLimit: {
      "no checkpoint": { ...gossip, checkpoint: none },
      "257 bytes of extensions": { ...gossip, ext: zeros(257) },
    },
  });

  describeCodec("configChangeCodec", configChangeCodec, {
    samples: [change],
    frozen:
      "00020000000000000004010600000301020301042009090909090909090909090909090909090909090909090909090909090909090003010203010420090909090909090909090909090909090909090909090909090909090909090920151515151515151515151515151515151515151515151515151515151515151500",
    overLimit: { "no entry": { ...change, entry: none } },
  });

  describeCodec("transitionCodec", transitionCodec, {
    samples: [transition],
    frozen: "sha256:4c662e73d5f391ac0cce7d8175fe9a3abd4d3f27287f6c216299032c51e4966d",
    overLimit: {
      "no leaf": { ...transition, leaves: [] },
      "no shape": { ...transition, shape: none },
      "a sibling of 33 bytes": { ...transition, siblings: [zeros(33)] },
    },
  });

  describeCodec("directoryViewCodec", directoryViewCodec, {
    samples: [view, { ...view, pendingConfig: { config, index: 5, effectiveAtMs: 6, sightMs: 9 } }],
    frozen: "sha256:4f543e3b2e0c1ffb1b88e3fa044beeb589026aae345eb4b5e72b5ecad3c476bd",
    overLimit: { "a root of 31 bytes": { ...view, root: zeros(31) } },
  });

  describeCodec("replayStateCodec", replayStateCodec, {
    samples: [replayState],
    frozen: "sha256:049e25750cc56c4b8970380681281c9f2ab8a0332ea2f3bcfc40b478483d0767",
    overLimit: { "a right edge of 65 hashes": { ...replayState, rightEdge: Array.from({ length: 65 }, () => hash(1)) } },
  });
});

describe("labels", () => {
  test("[D-1] types and values of labels cannot be mistaken for each other", () => {
    const inputs = [usernameLabel("ab"), operatorLabel("ab"), accountLabel(hash(1)), labelInput("username", hash(1)), usernameLabel("a")];
    expect(new Set(inputs.map((input) => input.join())).size).toBe(inputs.length);
    expect(new TextDecoder().decode(usernameLabel("ab"))).toBe("latchkey/label/1\u0001\u0002ab");
  });

  test("[D-1] a commitment binds its label, version and value, and hides them without its opening", () => {
    const base = { opening: hash(1), label: usernameLabel("ab"), version: 1, value: Uint8Array.of(1) };
    const changed = [
      { ...base, opening: hash(2) },
      { ...base, label: usernameLabel("ac") },
      { ...base, version: 2 },
      { ...base, value: Uint8Array.of(2) },
    ];
    expect(new Set([base, ...changed].map((params) => commitmentOf(params).join())).size).toBe(5);
    expect(commitmentOf(base)).toEqual(commitmentOf({ ...base }));
  });
});
