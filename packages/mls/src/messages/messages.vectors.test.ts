import { decode, encode, fromHex, Reader, toHex } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { loadVectors } from "../vectors.testing.ts";
import { groupSecrets } from "./group-context.ts";
import { decodeMessage, encodeMessage } from "./message.ts";
import { keyPackage, leafNode, ratchetTreeNodes } from "./nodes.ts";
import type { Proposal } from "./proposals.ts";
import { commit, proposal } from "./proposals.ts";

const vectors = loadVectors<Record<string, string>>("messages");
const lengths = loadVectors<{ vlbytes_header: string; length: number }>("deserialization");

/** The body of a proposal, without its type: the vectors hold bodies only. */
function proposalBody(type: number): Codec<Proposal> {
  return {
    write(w, value) {
      w.bytes(encode(proposal, value).subarray(2));
    },
    read(r) {
      return decode(proposal, Uint8Array.of(0, type, ...r.rest()));
    },
  };
}

const structures: Record<string, Codec<unknown>> = {
  ratchet_tree: ratchetTreeNodes,
  group_secrets: groupSecrets,
  add_proposal: proposalBody(1),
  update_proposal: proposalBody(2),
  remove_proposal: proposalBody(3),
  pre_shared_key_proposal: proposalBody(4),
  re_init_proposal: proposalBody(5),
  external_init_proposal: proposalBody(6),
  group_context_extensions_proposal: proposalBody(7),
  commit,
};

const messages = [
  "mls_welcome",
  "mls_group_info",
  "mls_key_package",
  "public_message_application",
  "public_message_proposal",
  "public_message_commit",
  "private_message",
];

describe.skipIf(vectors === undefined)("messages", () => {
  for (const [name, codec] of Object.entries(structures)) {
    it(`${name} decodes and encodes to the same bytes`, () => {
      expect(vectors?.length).toBeGreaterThan(0);
      for (const vector of vectors ?? []) {
        const hex = vector[name] ?? "";
        expect(toHex(encode(codec, decode(codec, fromHex(hex))))).toBe(hex);
      }
    });
  }
  for (const name of messages) {
    it(`${name} decodes and encodes to the same bytes`, () => {
      for (const vector of vectors ?? []) {
        const hex = vector[name] ?? "";
        expect(toHex(encodeMessage(decodeMessage(fromHex(hex))))).toBe(hex);
      }
    });
  }
  it("covers every field of the vectors", () => {
    for (const vector of vectors ?? []) expect(Object.keys(vector).sort()).toEqual([...Object.keys(structures), ...messages].sort());
  });
  it("names a key package's leaf", () => {
    const message = decodeMessage(fromHex(vectors?.[0]?.["mls_key_package"] ?? ""));
    if (message.kind !== "key-package") throw new Error("a key package expected");
    expect(decode(leafNode, encode(leafNode, message.keyPackage.leafNode))).toEqual(message.keyPackage.leafNode);
    expect(decode(keyPackage, encode(keyPackage, message.keyPackage))).toEqual(message.keyPackage);
  });
});

describe.skipIf(lengths === undefined)("deserialization", () => {
  it("reads every length header", () => {
    expect(lengths?.length).toBeGreaterThan(0);
    for (const { vlbytes_header, length } of lengths ?? []) {
      const header = fromHex(vlbytes_header);
      // A header says how much follows; the content itself is not in the vector.
      const bytes = new Uint8Array(header.length + length);
      bytes.set(header);
      expect(new Reader(bytes).length(0x3fff_ffff)).toBe(length);
    }
  });
});
