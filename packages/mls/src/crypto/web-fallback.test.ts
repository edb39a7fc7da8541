import { toHex, utf8Bytes } from "@latchkey/codec";
import { afterEach, describe, expect, test, vi } from "vitest";
import { nodeCrypto } from "./node.ts";
import { testRandom } from "./random.testing.ts";
import type { CryptoProvider } from "./suite.ts";

const engine = globalThis.crypto;

/** The web provider as it starts in an engine with that `crypto`. */
async function webProviderOn(crypto: object): Promise<CryptoProvider> {
  // Every engine has getRandomValues; noble blinds its scalars with it.
  vi.stubGlobal("crypto", { getRandomValues: engine.getRandomValues.bind(engine), ...crypto });
  vi.resetModules();
  return (await import("./web.ts")).webCrypto;
}

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** A SubtleCrypto whose named algorithms are unknown to it, and which counts what it was asked. */
function subtleWithout(missing: readonly string[]): { subtle: SubtleCrypto; calls: () => number } {
  let calls = 0;
  const subtle = new Proxy(engine.subtle, {
    has: (target, name) => (missing.includes("ML-KEM-768") && name === "encapsulateBits" ? false : name in target),
    get(target, name: keyof SubtleCrypto) {
      const method: unknown = target[name];
      if (typeof method !== "function") return method;
      return (...args: unknown[]): unknown => {
        calls++;
        const named = args.map((arg) => (typeof arg === "object" && arg !== null && "name" in arg ? arg.name : arg));
        if (named.some((arg) => typeof arg === "string" && missing.includes(arg))) {
          return Promise.reject(new DOMException("not here", "NotSupportedError"));
        }
        return Reflect.apply(method, target, args);
      };
    },
  });
  return { subtle, calls: () => calls };
}

const everything = ["AES-GCM", "Ed25519", "X25519", "ML-KEM-768", "ECDSA", "ECDH"];

describe.each([
  { engineName: "no subtle (insecure context)", make: (): object => ({}) },
  { engineName: "none of the algorithms", make: (): object => ({ subtle: subtleWithout(everything).subtle }) },
  { engineName: "AES only", make: (): object => ({ subtle: subtleWithout(everything.slice(1)).subtle }) },
  { engineName: "no ML-KEM", make: (): object => ({ subtle: subtleWithout(["ML-KEM-768"]).subtle }) },
])("web provider in an engine with $engineName", ({ make }) => {
  test.each([0xf001, 0x0001, 0x0002] as const)("suite %i works with the Node provider", async (id) => {
    const web = (await webProviderOn(make())).suite(id);
    const node = nodeCrypto.suite(id);
    const random = testRandom();
    const info = utf8Bytes("info");
    const aad = utf8Bytes("aad");
    const plaintext = utf8Bytes("plaintext");
    for (const [from, to] of [
      [web, node],
      [node, web],
    ] as const) {
      const recipient = await to.deriveKemKeyPair(random(32));
      const sealed = await from.hpkeSeal({ publicKey: recipient.publicKey, info, aad, plaintext, random });
      expect(toHex(await to.hpkeOpen({ ...recipient, ...sealed, info, aad }))).toBe(toHex(plaintext));
      const signer = await from.generateSignatureKeyPair(random);
      expect(await to.verify(signer.publicKey, plaintext, await from.sign(signer.secretKey, plaintext))).toBe(true);
      expect(await to.verify(signer.publicKey, aad, await from.sign(signer.secretKey, plaintext))).toBe(false);
    }
  });
});

test("the web provider uses the engine where it can, and probes it once", async () => {
  const { subtle, calls } = subtleWithout([]);
  const suite = (await webProviderOn({ subtle })).suite(0x0001);
  const seal = (): unknown =>
    suite.seal({ key: new Uint8Array(16), nonce: new Uint8Array(12), aad: new Uint8Array(0), plaintext: new Uint8Array(1) });
  await seal();
  const probing = calls();
  await seal();
  const each = calls() - probing;
  expect(probing).toBe(2 * each); // the probe is one sealing
  await seal();
  expect(calls()).toBe(probing + 2 * each);
});
