import { fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { loadVectors } from "@latchkey/testkit";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { sodiumVoprf } from "./voprf.ts";
import type { Voprf } from "./voprf.ts";

/** allVectors.json of cfrg/draft-irtf-cfrg-voprf: lists are joined by commas. */
interface Suite {
  readonly identifier: string;
  readonly mode: number;
  readonly seed: string;
  readonly keyInfo: string;
  readonly skSm: string;
  readonly pkSm: string;
  readonly vectors: readonly {
    readonly Blind: string;
    readonly BlindedElement: string;
    readonly EvaluationElement: string;
    readonly Input: string;
    readonly Output: string;
    readonly Proof: { readonly proof: string; readonly r: string };
  }[];
}

const all = loadVectors<readonly Suite[]>("rfc9497/voprf.json");
const suite = all?.find(({ identifier, mode }) => identifier === "ristretto255-SHA512" && mode === 1);
const list = (text: string): Uint8Array[] => text.split(",").map(fromHex);
const hex = (values: readonly Uint8Array[]): string => values.map(toHex).join(",");
const { voprf: noble } = ristretto255_oprf;
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
let voprf: Voprf;

beforeAll(async () => {
  voprf = await sodiumVoprf();
});

describe.skipIf(suite === undefined)("[T-1] RFC 9497, VOPRF(ristretto255, SHA-512)", () => {
  test("libsodium and noble derive the key, evaluate, prove and finish as the vectors say", () => {
    if (suite === undefined) throw new Error("skipped");
    const secretKey = fromHex(suite.skSm);
    const publicKey = fromHex(suite.pkSm);
    const [seed, info] = [fromHex(suite.seed), fromHex(suite.keyInfo)];
    for (const keys of [voprf.deriveKeyPair(seed, info), noble.deriveKeyPair(seed, info)]) expect(keys).toEqual({ secretKey, publicKey });
    expect(suite.vectors).toHaveLength(3);
    for (const vector of suite.vectors) {
      const [blinded, inputs, outputs] = [list(vector.BlindedElement), list(vector.Input), list(vector.Output)];
      const { proof, r } = vector.Proof;
      const evaluated = voprf.evaluateBatch(secretKey, blinded, fromHex(r));
      expect(hex(evaluated?.elements ?? [])).toBe(vector.EvaluationElement);
      expect(toHex(evaluated?.proof ?? random(1))).toBe(proof);
      for (const [i, input] of inputs.entries()) expect(voprf.evaluate(secretKey, input)).toEqual(outputs[i]);
      const items = inputs.map((input, i) => ({
        input,
        blind: at(list(vector.Blind), i),
        evaluated: at(list(vector.EvaluationElement), i),
        blinded: at(blinded, i),
      }));
      expect(noble.finalizeBatch(items, publicKey, fromHex(proof))).toEqual(outputs);
      // An evaluation alone has its output under one proof of two.
      expect(() => noble.finalizeBatch(items, publicKey, random(64))).toThrow();
    }
  });
});

describe("the issuer's VOPRF", () => {
  const keys = () => voprf.deriveKeyPair(random(32), utf8Bytes("test"));

  test("[T-1] a batch of 100 that noble blinded is finished by it, and each output is the one that the issuer computes by itself", () => {
    const { secretKey, publicKey } = keys();
    const inputs = Array.from({ length: 100 }, () => random(49));
    const blinds = inputs.map((input) => noble.blind(input));
    const evaluated = voprf.evaluateBatch(
      secretKey,
      blinds.map(({ blinded }) => blinded),
      random(64),
    );
    const items = inputs.map((input, i) => ({ input, ...at(blinds, i), evaluated: at(evaluated?.elements ?? [], i) }));
    const outputs = noble.finalizeBatch(items, publicKey, evaluated?.proof ?? random(64));
    expect(outputs).toEqual(inputs.map((input) => voprf.evaluate(secretKey, input)));
    const other = keys();
    expect(() => noble.finalizeBatch(items, other.publicKey, evaluated?.proof ?? random(64))).toThrow();
  });

  test("[T-1] what is no element, the neutral one, or nothing, is evaluated with no key", () => {
    const { secretKey } = keys();
    const { blinded } = noble.blind(random(9));
    for (const bad of [new Uint8Array(32), new Uint8Array(32).fill(0xff), blinded.slice(1), flipped(blinded)]) {
      expect(voprf.evaluateBatch(secretKey, [blinded, bad], random(64))).toBeUndefined();
    }
    expect(voprf.evaluateBatch(secretKey, [], random(64))).toBeUndefined();
  });
});

/** An encoding with an odd s, which none has (RFC 9496 section 4.3.1). */
function flipped(element: Uint8Array): Uint8Array {
  return element.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error("as many as there were");
  return item;
}
