import { equalBytes, fromHex, toHex } from "@latchkey/codec";
import { loadVectors } from "@latchkey/testkit";
import { describe, expect, it } from "vitest";
import { MlsError } from "../errors.ts";
import { aeadOf, hkdf, kemOf, providerOf } from "./build-suite.ts";
import { edgeCases } from "./edge-cases.testing.ts";
import { noblePrimitives } from "./noble-primitives.ts";
import { nodePrimitives } from "./node-primitives.ts";
import { dhGroups } from "./parameters.ts";
import type { AeadName, DhName } from "./parameters.ts";
import type { Primitives } from "./primitives.ts";
import type { CipherSuiteId } from "./suite.ts";
import { webPrimitives } from "./web-primitives.ts";

// Wycheproof's cases against every provider, through the layers that cipher suites are built of. The files are C2SP's
// (github.com/C2SP/wycheproof, testvectors_v1); they are read where they are found and are not part of this repository. Its edge cases
// are here as facts, and run always.

interface Group<T> {
  readonly tests: readonly (T & {
    readonly tcId: number;
    readonly result: "valid" | "invalid" | "acceptable";
    readonly comment?: string;
  })[];
}

function groupsOf<T, G = unknown>(name: string): readonly (Group<T> & G)[] | undefined {
  return loadVectors<{ readonly testGroups: readonly (Group<T> & G)[] }>(`wycheproof/${name}_test.json`)?.testGroups;
}

// In a page, what stands in for Node's provider is the page's own.
const all: readonly Primitives[] = [...new Set([nodePrimitives, webPrimitives, noblePrimitives])];

/** Runs `judge` over every case with every provider; `judge` says what went wrong. Names all that did, not the first. */
function cases<T, G = unknown>(
  name: string,
  judge: (primitives: Primitives, test: Group<T>["tests"][number], group: G) => Promise<string | undefined>,
  isFor: (group: G) => boolean = () => true,
): void {
  // The shape that `edgeCases` gives back its rows in.
  const known = edgeCases(name) as readonly (Group<T> & G)[] | undefined;
  if (known !== undefined) judgeAll(`edge cases of ${name}`, known);
  judgeAll(`Wycheproof ${name}`, groupsOf<T, G>(name));

  function judgeAll(title: string, groups: readonly (Group<T> & G)[] | undefined): void {
    describe.skipIf(groups === undefined)(title, () => {
      for (const primitives of all) judgeWith(primitives, groups ?? []);
    });
  }

  function judgeWith(primitives: Primitives, groups: readonly (Group<T> & G)[]): void {
    it(primitives.name, { timeout: 240_000 }, async () => {
      const wrong: string[] = [];
      let count = 0;
      for (const group of groups) {
        if (!isFor(group)) continue;
        for (const test of group.tests) {
          count++;
          const fault = await judge(primitives, test, group);
          if (fault !== undefined) wrong.push(`${test.tcId} (${test.result}, ${test.comment ?? ""}): ${fault}`);
        }
      }
      expect(wrong).toEqual([]);
      expect(count).toBeGreaterThan(0);
    });
  }
}

/** What it gives, or the MlsError that it throws. @throws everything else. */
async function outcome<T>(run: () => T | Promise<T>): Promise<T | MlsError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof MlsError) return error;
    throw error;
  }
}

interface AeadCase {
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
}

for (const [file, names] of [
  ["aes_gcm", { 128: "aes128gcm", 256: "aes256gcm" }],
  ["chacha20_poly1305", { 256: "chacha20poly1305" }],
] as const) {
  const nameOf = (keySize: number): AeadName | undefined => (names as Readonly<Record<number, AeadName>>)[keySize];
  cases<AeadCase, { keySize: number; ivSize: number }>(
    file,
    async (primitives, test, { keySize, ivSize }) => {
      const name = nameOf(keySize);
      if (name === undefined) return "no such cipher";
      const aead = aeadOf(primitives, name);
      const [key, nonce, aad, plaintext] = [test.key, test.iv, test.aad, test.msg].map((hex) => fromHex(hex));
      if (key === undefined || nonce === undefined || aad === undefined || plaintext === undefined) return "incomplete";
      const ciphertext = fromHex(test.ct + test.tag);
      const opened = await outcome(() => aead.open({ key, nonce, aad, ciphertext }));
      // MLS and HPKE know nonces of 96 bits only; any other size is refused before the cipher sees it.
      if (ivSize !== 96) return opened instanceof MlsError && opened.code === "malformed" ? undefined : "a nonce of another size is taken";
      if (test.result === "invalid") return opened instanceof MlsError && opened.code === "crypto" ? undefined : "opened";
      if (opened instanceof MlsError || !equalBytes(opened, plaintext)) return "not opened";
      return equalBytes(await aead.seal({ key, nonce, aad, plaintext }), ciphertext) ? undefined : "sealed otherwise";
    },
    ({ keySize }) => nameOf(keySize) !== undefined,
  );
}

for (const hash of ["sha256", "sha384", "sha512"] as const) {
  cases<{ ikm: string; salt: string; info: string; size: number; okm: string }>(`hkdf_${hash}`, async (primitives, test) => {
    const kdf = hkdf(primitives, hash);
    const made = await outcome(() => kdf.expand(kdf.extract(fromHex(test.salt), fromHex(test.ikm)), fromHex(test.info), test.size));
    if (test.result === "invalid") return made instanceof MlsError ? undefined : "more output than HKDF gives";
    return !(made instanceof MlsError) && toHex(made) === test.okm ? undefined : "another output";
  });
  cases<{ key: string; msg: string; tag: string }, { tagSize: number }>(`hmac_${hash}`, async (primitives, test, { tagSize }) => {
    const tag = primitives.mac(hash, fromHex(test.key), fromHex(test.msg)).subarray(0, tagSize / 8);
    return (toHex(tag) === test.tag) === (test.result !== "invalid") ? undefined : "another verdict";
  });
}

interface SignatureCase {
  msg: string;
  sig: string;
}

for (const [file, id] of [
  ["ed25519", 1],
  ["ed448", 4],
] as const) {
  cases<SignatureCase, { publicKey: { pk: string } }>(file, async (primitives, test, { publicKey }) => {
    const suite = providerOf(primitives).suite(id);
    const verdict = await suite.verify(fromHex(publicKey.pk), fromHex(test.msg), fromHex(test.sig));
    return verdict === (test.result === "valid") ? undefined : `verified: ${String(verdict)}`;
  });
}

for (const [file, id] of [
  ["ecdsa_secp256r1_sha256", 2],
  ["ecdsa_secp384r1_sha384", 7],
  ["ecdsa_secp521r1_sha512", 5],
] as const satisfies readonly (readonly [string, CipherSuiteId])[]) {
  cases<SignatureCase, { publicKey: { uncompressed: string } }>(file, async (primitives, test, { publicKey }) => {
    const suite = providerOf(primitives).suite(id);
    const verdict = await suite.verify(fromHex(publicKey.uncompressed), fromHex(test.msg), fromHex(test.sig));
    return verdict === (test.result === "valid") ? undefined : `verified: ${String(verdict)}`;
  });
}

interface DhCase {
  public: string;
  private: string;
  shared: string;
}

const secretKeys = new Map<string, Uint8Array>();

/** The same key is the same array each time: providers import it once, as for whoever has a key. */
function secretKeyOf(hex: string): Uint8Array {
  const known = secretKeys.get(hex) ?? fromHex(hex);
  secretKeys.set(hex, known);
  return known;
}

/** What the KEM over this group makes of two keys: the secret that the group agreed on below it, or the error that refused them. */
async function agreed(
  primitives: Primitives,
  name: DhName,
  { secretKey, publicKey }: { readonly secretKey: Uint8Array; readonly publicKey: Uint8Array },
): Promise<string | undefined | MlsError> {
  let shared: string | undefined;
  const group = primitives.dh(name);
  const kem = kemOf(
    {
      ...primitives,
      dh: () => ({
        publicKey: (key) => group.publicKey(key),
        async agree(secret, other) {
          const agreement = await group.agree(secret, other);
          shared = toHex(agreement);
          return agreement;
        },
      }),
    },
    name,
  );
  const decapsulated = await outcome(() => kem.decapsulate({ secretKey, publicKey, kemOutput: publicKey }));
  return decapsulated instanceof MlsError ? decapsulated : shared;
}

for (const [file, name] of [
  ["x25519", "x25519"],
  ["x448", "x448"],
] as const) {
  cases<DhCase>(file, async (primitives, test) => {
    const [secretKey, publicKey] = [secretKeyOf(test.private), fromHex(test.public)];
    const made = await agreed(primitives, name, { secretKey, publicKey });
    // Points of low order agree on zeros, which HPKE must refuse (RFC 9180 section 7.1.4); so must it what has another size.
    if (test.result === "invalid" || /^0*$/.test(test.shared)) {
      return made instanceof MlsError && made.code === "malformed" ? undefined : "taken as a key";
    }
    if (made instanceof MlsError) return "refused as a key";
    return made === test.shared ? undefined : "another secret";
  });
}

for (const [file, name] of [
  ["ecdh_secp256r1_ecpoint", "p256"],
  ["ecdh_secp384r1_ecpoint", "p384"],
  ["ecdh_secp521r1_ecpoint", "p521"],
] as const) {
  cases<DhCase>(file, async (primitives, test) => {
    const { secretKeyBytes, publicKeyBytes } = dhGroups[name];
    // Integers as Java writes them: perhaps with a zero before, perhaps without those that the size asks for.
    const secretKey = secretKeyOf(test.private.replace(/^0+/, "").padStart(2 * secretKeyBytes, "0"));
    const publicKey = fromHex(test.public);
    const made = await agreed(primitives, name, { secretKey, publicKey });
    // Compressed points are not an encoding of RFC 9180 section 7.1.1.
    if (test.result === "invalid" || publicKey.length !== publicKeyBytes) {
      return made instanceof MlsError && made.code === "malformed" ? undefined : "taken as a key";
    }
    if (made instanceof MlsError) return "refused as a key";
    return made === test.shared ? undefined : "another secret";
  });
}

/** What it gives; undefined when it throws anything, as X-Wing reads it. */
async function orRefused<T>(run: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch {
    return undefined;
  }
}

cases<{ seed: string; ek: string; c: string; K: string }>("mlkem_768", async ({ mlKem768 }, test) => {
  const seed = fromHex(test.seed);
  const publicKey = await orRefused(() => mlKem768.publicKey(seed));
  const secret = await orRefused(() => mlKem768.decapsulate(seed, fromHex(test.c)));
  if (test.result === "invalid") return publicKey === undefined || secret === undefined ? undefined : "taken";
  if (publicKey === undefined || (test.ek !== "" && toHex(publicKey) !== test.ek)) return "another public key";
  return secret !== undefined && toHex(secret) === test.K ? undefined : "another secret";
});

cases<{ seed: string; ek: string }>("mlkem_768_keygen_seed", async ({ mlKem768 }, test) =>
  toHex(await mlKem768.publicKey(fromHex(test.seed))) === test.ek ? undefined : "another public key",
);

cases<{ m: string; ek: string; c: string; K: string }>("mlkem_768_encaps", async ({ name, mlKem768 }, test) => {
  const made = await orRefused(() => mlKem768.encapsulate(fromHex(test.ek), fromHex(test.m)));
  if (test.result === "invalid") return made === undefined ? undefined : "a key out of range is taken";
  if (made === undefined) return "refused";
  // Native engines draw their own coins.
  if (name !== "noble") return made.sharedSecret.length === 32 && made.ciphertext.length === 1088 ? undefined : "of another size";
  return toHex(made.sharedSecret) === test.K && toHex(made.ciphertext) === test.c ? undefined : "another secret or ciphertext";
});

describe("ML-KEM-768 at its edges", () => {
  const seed = Uint8Array.from({ length: 64 }, (_, i) => i);
  const coins = new Uint8Array(32).fill(9);

  const title = "keys out of range and of other sizes are refused; a false ciphertext gives a secret of its own";
  for (const { name, mlKem768 } of all) {
    it(`${name}: ${title}`, async () => {
      const publicKey = await mlKem768.publicKey(seed);
      // FIPS 203 section 7.2: each coefficient is 12 bits, below 3329. The first becomes 3329, and the largest that 12 bits hold.
      for (const [low, high] of [
        [0x01, 0x0d],
        [0xff, 0x0f],
      ] as const) {
        const overflowing = publicKey.slice();
        overflowing[0] = low;
        overflowing[1] = ((overflowing[1] ?? 0) & 0xf0) | high;
        expect(await orRefused(() => mlKem768.encapsulate(overflowing, coins))).toBe(undefined);
      }
      for (const size of [0, 1183, 1185]) {
        expect(await orRefused(() => mlKem768.encapsulate(new Uint8Array(size), coins))).toBe(undefined);
      }
      for (const size of [0, 1087, 1089]) expect(await orRefused(() => mlKem768.decapsulate(seed, new Uint8Array(size)))).toBe(undefined);
      expect(await orRefused(() => mlKem768.publicKey(seed.subarray(1)))).toBe(undefined);
      // Implicit rejection (FIPS 203 section 6.3): no error, the same secret each time, another one than was encapsulated.
      const { sharedSecret, ciphertext } = await mlKem768.encapsulate(publicKey, coins);
      expect(await mlKem768.decapsulate(seed, ciphertext)).toEqual(sharedSecret);
      ciphertext[0] = (ciphertext[0] ?? 0) ^ 1;
      const rejected = await mlKem768.decapsulate(seed, ciphertext);
      expect(equalBytes(rejected, sharedSecret)).toBe(false);
      expect(await noblePrimitives.mlKem768.decapsulate(seed, ciphertext)).toEqual(rejected);
    });
  }
});
