import { loadVectors } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { TransparencyError, verifyConsistency, verifyInclusion } from "../index.ts";

interface Case {
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
  readonly size1?: number;
  readonly size2?: number;
  readonly root1?: string;
  readonly root2?: string;
  readonly leafIdx?: number;
  readonly treeSize?: number;
  readonly leafHash?: string;
  readonly root?: string;
}

/** transparency-dev/merkle, its testdata: path of a case to the case. */
const vectors = loadVectors<Record<string, Case>>("rfc6962/merkle-proofs.json");

const bytes = (encoded = ""): Uint8Array => new Uint8Array(Buffer.from(encoded, "base64"));

function verify(entry: Case): void {
  const proof = (entry.proof ?? []).map(bytes);
  if (entry.treeSize === undefined) {
    verifyConsistency({
      from: entry.size1 ?? -1,
      to: entry.size2 ?? -1,
      fromRoot: bytes(entry.root1),
      toRoot: bytes(entry.root2),
      proof,
    });
  } else {
    verifyInclusion({ index: entry.leafIdx ?? -1, size: entry.treeSize, leafHash: bytes(entry.leafHash), root: bytes(entry.root), proof });
  }
}

describe.skipIf(vectors === undefined)("RFC 6962 proofs of transparency-dev/merkle", () => {
  const cases = Object.entries(vectors ?? {});

  it("are the 196 published cases", () => {
    expect(cases.length).toBe(196);
    expect(cases.filter(([, entry]) => !entry.wantErr).length).toBe(12);
  });

  it.each(cases)("%s", (_, entry) => {
    if (entry.wantErr) expect(() => verify(entry)).toThrow(TransparencyError);
    else expect(() => verify(entry)).not.toThrow();
  });
});
