import type { CipherSuite, CryptoProvider } from "@latchkey/mls";
import { alternate } from "./measure.ts";
import type { Row } from "./measure.ts";

/** A way to do something: a provider of ours, or the engine's own, without what ours adds. */
interface Contender {
  readonly implementation: string;
  run(): unknown;
}

const random = (size: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(size));

/**
 * What the primitives of a cipher suite cost with each provider, as our suites call them: one row a primitive and provider. Median times
 * of single operations, in turns.
 */
export async function benchPrimitives(
  environment: Row["environment"],
  providers: readonly CryptoProvider[],
  { isQuick }: { isQuick: boolean },
): Promise<Row[]> {
  const rows: Row[] = [];
  const measure = async (scenario: string, contenders: readonly Contender[]): Promise<void> => {
    const batches = new Map<string, number>();
    const samples = await alternate(contenders, isQuick ? 2 : 11, async (contender) => {
      const times = batches.get(contender.implementation) ?? 1;
      const startedMs = performance.now();
      for (let i = 0; i < times; i++) await contender.run();
      const tookMs = performance.now() - startedMs;
      // Batches of some milliseconds: the browser's clock is coarse.
      if (tookMs < (isQuick ? 1 : 8)) batches.set(contender.implementation, times * 2);
      return tookMs / times;
    });
    for (const [implementation, values] of samples) {
      rows.push({ environment, scenario, members: 0, implementation, unit: "ms", samples: values.slice(Math.floor(values.length / 3)) });
    }
  };
  const each = async (
    scenario: string,
    id: Parameters<CryptoProvider["suite"]>[0],
    prepare: (suite: CipherSuite) => Promise<() => unknown>,
    others: readonly Contender[] = [],
  ): Promise<void> => {
    const contenders: Contender[] = [];
    for (const provider of providers) {
      if (provider.suites.includes(id)) contenders.push({ implementation: provider.name, run: await prepare(provider.suite(id)) });
    }
    await measure(scenario, [...contenders, ...others]);
  };

  const { subtle } = crypto;
  for (const size of [64, 1024, 65_536]) {
    const data = random(size);
    const digest = { implementation: "WebCrypto itself", run: () => subtle.digest("SHA-256", data) };
    await each(`SHA-256 of ${size} B`, 1, async (suite) => () => suite.hash(data), [digest]);
  }
  const key = random(32);
  const short = random(64);
  const hmacKey = await subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  await each("HMAC-SHA-256 of 64 B", 1, async (suite) => () => suite.mac(key, short), [
    { implementation: "WebCrypto itself", run: () => subtle.sign("HMAC", hmacKey, short) },
  ]);
  for (const [name, id] of [
    ["AES-128-GCM", 1],
    ["ChaCha20-Poly1305", 3],
  ] as const) {
    for (const size of [100, 4096, 65_536]) {
      const plaintext = random(size);
      const params = (suite: CipherSuite) => ({ key: key.slice(0, suite.aeadKeyBytes), nonce: short.slice(0, 12), aad: short });
      await each(`${name}: seal ${size} B`, id, async (suite) => () => suite.seal({ ...params(suite), plaintext }));
      await each(`${name}: open ${size} B`, id, async (suite) => {
        const ciphertext = await suite.seal({ ...params(suite), plaintext });
        return () => suite.open({ ...params(suite), ciphertext });
      });
    }
  }
  for (const [name, id] of [
    ["Ed25519", 1],
    ["ECDSA P-256", 2],
  ] as const) {
    const message = random(400);
    await each(`${name}: sign`, id, async (suite) => {
      const { secretKey } = await suite.generateSignatureKeyPair(random);
      return () => suite.sign(secretKey, message);
    });
    await each(`${name}: verify`, id, async (suite) => {
      const { secretKey, publicKey } = await suite.generateSignatureKeyPair(random);
      const signature = await suite.sign(secretKey, message);
      return () => suite.verify(publicKey, message, signature);
    });
  }
  for (const [name, id] of [
    ["X25519", 1],
    ["P-256", 2],
    ["X-Wing (ML-KEM-768 and X25519)", 0xf001],
  ] as const) {
    const nothing = new Uint8Array(0);
    await each(`${name}: make a key pair`, id, async (suite) => () => suite.deriveKemKeyPair(random(32)));
    await each(`${name}: HPKE seal`, id, async (suite) => {
      const { publicKey } = await suite.deriveKemKeyPair(random(32));
      return () => suite.hpkeSeal({ publicKey, info: nothing, aad: nothing, plaintext: short, random });
    });
    await each(`${name}: HPKE open`, id, async (suite) => {
      const pair = await suite.deriveKemKeyPair(random(32));
      const sealed = await suite.hpkeSeal({ publicKey: pair.publicKey, info: nothing, aad: nothing, plaintext: short, random });
      return () => suite.hpkeOpen({ ...pair, ...sealed, info: nothing, aad: nothing });
    });
  }
  return rows;
}
