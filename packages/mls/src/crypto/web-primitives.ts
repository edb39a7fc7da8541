import { fromBase64Url, toBase64Url, concatBytes, fromHex } from "@latchkey/codec";
import { MlsError } from "../errors.ts";
import { KeyCache } from "./key-cache.ts";
import { nobleHashes } from "./noble-hashes.ts";
import { dhGroups } from "./parameters.ts";
import type { AeadName, SignatureName } from "./parameters.ts";
import type { DhGroup, MlKem, OpenParams, Primitives, SealParams, SignatureScheme } from "./primitives.ts";

/** WebCrypto's view of bytes: not backed by a SharedArrayBuffer. */
type Bytes = Uint8Array<ArrayBuffer>;

/** The KEM methods of WebCrypto (modern algorithms draft), which TypeScript's library does not list yet. */
interface KemSubtle {
  encapsulateBits(algorithm: string, key: CryptoKey): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(algorithm: string, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
  importKey(format: "raw-seed" | "raw-public", data: Bytes, algorithm: string, extractable: boolean, usages: string[]): Promise<CryptoKey>;
}

let loaded: Promise<Primitives> | undefined;

/** The primitives in JavaScript, loaded once, when this engine turns out to lack one of its own (or the public half of ML-KEM). */
function noble(): Promise<Primitives> {
  loaded ??= import("./noble-primitives.ts").then(({ noblePrimitives }) => noblePrimitives);
  return loaded;
}

/** The curves that few suites need. */
async function otherCurves(): Promise<typeof import("./noble-other-curves.ts")> {
  return await import("./noble-other-curves.ts");
}

// Absent outside secure contexts, whatever the library's types say.
const subtle: SubtleCrypto | undefined = (globalThis.crypto as Crypto | undefined)?.subtle;

function native(): SubtleCrypto {
  if (subtle === undefined) throw new MlsError("unsupported", "no WebCrypto here");
  return subtle;
}

function kemNative(): KemSubtle {
  // Asked only after detection found the methods.
  return native() as unknown as KemSubtle;
}

/** `bytes` as WebCrypto accepts them: a copy only where a shared buffer is behind them. */
function own(bytes: Uint8Array): Bytes {
  // instanceof proves the buffer's type, which TypeScript does not narrow through the view.
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}

const bytesOf = (buffer: ArrayBuffer): Uint8Array => new Uint8Array(buffer);

/** Runs `probe` once, when first needed: does the engine have this algorithm, and does it work? */
function detected(probe: () => Promise<boolean>): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
  return () => (answer ??= subtle === undefined ? Promise.resolve(false) : probe().catch(() => false));
}

const pkcs8Prefix = {
  Ed25519: fromHex("302e020100300506032b657004220420"),
  X25519: fromHex("302e020100300506032b656e04220420"),
};

function importSeed(name: "Ed25519" | "X25519", seed: Uint8Array, extractable: boolean): Promise<CryptoKey> {
  if (seed.length !== 32) return Promise.reject(new MlsError("malformed", "secret key of the wrong size"));
  const usages: KeyUsage[] = name === "Ed25519" ? ["sign"] : ["deriveBits"];
  return native().importKey("pkcs8", concatBytes(pkcs8Prefix[name], seed), { name }, extractable, usages);
}

/** The public key of an imported OKP key, by way of its JWK. */
async function publicOf(name: "Ed25519" | "X25519", seed: Uint8Array): Promise<Uint8Array> {
  const { x } = await native().exportKey("jwk", await importSeed(name, seed, true));
  if (x === undefined) throw new MlsError("malformed", "no public key");
  return fromBase64Url(x);
}

const zero32 = new Uint8Array(32);

const hasEd25519 = detected(async () => {
  const publicKey = await publicOf("Ed25519", zero32);
  const signature = await native().sign({ name: "Ed25519" }, await importSeed("Ed25519", zero32, false), zero32);
  const key = await native().importKey("raw", own(publicKey), { name: "Ed25519" }, false, ["verify"]);
  return native().verify({ name: "Ed25519" }, key, signature, zero32);
});

const hasX25519 = detected(async () => (await publicOf("X25519", zero32)).length === 32);

const hasMlKem = detected(async () => {
  if (!("encapsulateBits" in native())) return false;
  const seed = new Uint8Array(64);
  const publicKey = await mlKem768.publicKey(seed);
  const { sharedKey, ciphertext } = await nativeMlKem.encapsulate(publicKey);
  const again = await nativeMlKem.decapsulate(seed, new Uint8Array(ciphertext));
  return again.every((byte, i) => byte === sharedKey[i]);
});

const hasAes = detected(async () => {
  const params = { key: new Uint8Array(16), nonce: new Uint8Array(12), aad: zero32, plaintext: zero32 };
  return (await sealNative(params)).length === 48;
});

async function sealNative({ key, nonce, aad, plaintext }: SealParams): Promise<Uint8Array> {
  const imported = await native().importKey("raw", own(key), "AES-GCM", false, ["encrypt"]);
  return bytesOf(await native().encrypt({ name: "AES-GCM", iv: own(nonce), additionalData: own(aad) }, imported, own(plaintext)));
}

async function openNative({ key, nonce, aad, ciphertext }: OpenParams): Promise<Uint8Array> {
  const imported = await native().importKey("raw", own(key), "AES-GCM", false, ["decrypt"]);
  return bytesOf(await native().decrypt({ name: "AES-GCM", iv: own(nonce), additionalData: own(aad) }, imported, own(ciphertext)));
}

const ed25519Secrets = new KeyCache((seed) => importSeed("Ed25519", seed, false));
const ed25519Publics = new KeyCache((raw) => native().importKey("raw", own(raw), { name: "Ed25519" }, false, ["verify"]));

const ed25519: SignatureScheme = {
  async generate(random) {
    if (!(await hasEd25519())) return (await noble()).signature("ed25519").generate(random);
    const secretKey = random(32).slice();
    return { secretKey, publicKey: await publicOf("Ed25519", secretKey) };
  },
  async sign(secretKey, message) {
    if (!(await hasEd25519())) return (await noble()).signature("ed25519").sign(secretKey, message);
    return bytesOf(await native().sign({ name: "Ed25519" }, await ed25519Secrets.get(secretKey), own(message)));
  },
  async verify(publicKey, message, signature) {
    if (!(await hasEd25519())) return (await noble()).signature("ed25519").verify(publicKey, message, signature);
    return native().verify({ name: "Ed25519" }, await ed25519Publics.get(publicKey), own(signature), own(message));
  },
};

const ecParameters = {
  p256: { namedCurve: "P-256", hash: "SHA-256" },
  p384: { namedCurve: "P-384", hash: "SHA-384" },
  p521: { namedCurve: "P-521", hash: "SHA-512" },
} as const;

/** A signature scheme in JavaScript, loaded when first used. */
function laterSignature(name: SignatureName): SignatureScheme {
  return {
    generate: async (random) => (await noble()).signature(name).generate(random),
    sign: async (secretKey, message) => (await noble()).signature(name).sign(secretKey, message),
    verify: async (publicKey, message, signature) => (await noble()).signature(name).verify(publicKey, message, signature),
  };
}

/** X448, which no engine has. */
const x448: DhGroup = {
  publicKey: async (secretKey) => (await noble()).dh("x448").publicKey(secretKey),
  agree: async (secretKey, publicKey) => (await noble()).dh("x448").agree(secretKey, publicKey),
};

/** ECDSA and ECDH of a NIST curve. Private scalars enter as JWK, whose point noble computes once for each key. */
function nist(name: "p256" | "p384" | "p521"): { signature: SignatureScheme; dh: DhGroup } {
  const { namedCurve, hash } = ecParameters[name];
  const { publicKeyBytes, secretKeyBytes } = dhGroups[name];
  const curve = async () => (await otherCurves()).nistCurves[name];
  const dhBits = 8 * secretKeyBytes;
  const fallback = laterSignature(name);

  const importSecret =
    (algorithm: "ECDSA" | "ECDH") =>
    async (secretKey: Uint8Array): Promise<CryptoKey> => {
      const point = (await curve()).getPublicKey(secretKey, false);
      const jwk = {
        kty: "EC",
        crv: namedCurve,
        d: toBase64Url(secretKey),
        x: toBase64Url(point.subarray(1, 1 + secretKeyBytes)),
        y: toBase64Url(point.subarray(1 + secretKeyBytes)),
      };
      return native().importKey("jwk", jwk, { name: algorithm, namedCurve }, false, algorithm === "ECDSA" ? ["sign"] : ["deriveBits"]);
    };
  const importPublic =
    (algorithm: "ECDSA" | "ECDH") =>
    (raw: Uint8Array): Promise<CryptoKey> => {
      if (raw.length !== publicKeyBytes) return Promise.reject(new MlsError("malformed", "public key of the wrong size"));
      return native().importKey("raw", own(raw), { name: algorithm, namedCurve }, false, algorithm === "ECDSA" ? ["verify"] : []);
    };
  const signers = new KeyCache(importSecret("ECDSA"));
  const verifiers = new KeyCache(importPublic("ECDSA"));
  const agreers = new KeyCache(importSecret("ECDH"));
  const works = detected(async () => {
    const { secretKey, publicKey } = await fallback.generate((size) => new Uint8Array(size).fill(1));
    return fallback.verify(publicKey, zero32, await signNative(secretKey, zero32));
  });
  const signNative = async (secretKey: Uint8Array, message: Uint8Array): Promise<Uint8Array> => {
    const compact = await native().sign({ name: "ECDSA", hash }, await signers.get(secretKey), own(message));
    return (await curve()).Signature.fromBytes(bytesOf(compact), "compact").toBytes("der");
  };
  return {
    signature: {
      generate: fallback.generate,
      sign: async (secretKey, message) => ((await works()) ? signNative(secretKey, message) : fallback.sign(secretKey, message)),
      async verify(publicKey, message, signature) {
        if (!(await works())) return fallback.verify(publicKey, message, signature);
        const compact = (await curve()).Signature.fromBytes(signature, "der").toBytes("compact");
        return native().verify({ name: "ECDSA", hash }, await verifiers.get(publicKey), own(compact), own(message));
      },
    },
    dh: {
      publicKey: async (secretKey) => (await noble()).dh(name).publicKey(secretKey),
      async agree(secretKey, publicKey) {
        if (!(await works())) return (await noble()).dh(name).agree(secretKey, publicKey);
        const peer = await importPublic("ECDH")(publicKey);
        return bytesOf(await native().deriveBits({ name: "ECDH", public: peer }, await agreers.get(secretKey), dhBits));
      },
    },
  };
}

const x25519Secrets = new KeyCache((secretKey) => importSeed("X25519", secretKey, false));

const x25519: DhGroup = {
  publicKey: async (secretKey) => ((await hasX25519()) ? publicOf("X25519", secretKey) : (await noble()).dh("x25519").publicKey(secretKey)),
  async agree(secretKey, publicKey) {
    if (!(await hasX25519())) return (await noble()).dh("x25519").agree(secretKey, publicKey);
    const peer = await native().importKey("raw", own(publicKey), { name: "X25519" }, false, []);
    return bytesOf(await native().deriveBits({ name: "X25519", public: peer }, await x25519Secrets.get(secretKey), 256));
  },
};

const mlKemSecrets = new KeyCache((seed) => kemNative().importKey("raw-seed", own(seed), "ML-KEM-768", false, ["decapsulateBits"]));

const nativeMlKem = {
  async encapsulate(publicKey: Uint8Array): Promise<{ sharedKey: Uint8Array; ciphertext: Uint8Array }> {
    const key = await kemNative().importKey("raw-public", own(publicKey), "ML-KEM-768", false, ["encapsulateBits"]);
    const { sharedKey, ciphertext } = await kemNative().encapsulateBits("ML-KEM-768", key);
    return { sharedKey: bytesOf(sharedKey), ciphertext: bytesOf(ciphertext) };
  },
  async decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
    return bytesOf(await kemNative().decapsulateBits("ML-KEM-768", await mlKemSecrets.get(seed), own(ciphertext)));
  },
};

const mlKem768: MlKem = {
  publicKey: async (seed) => (await noble()).mlKem768.publicKey(seed),
  async encapsulate(publicKey, coins) {
    if (!(await hasMlKem())) return (await noble()).mlKem768.encapsulate(publicKey, coins);
    const { sharedKey, ciphertext } = await nativeMlKem.encapsulate(publicKey);
    return { sharedSecret: sharedKey, ciphertext };
  },
  decapsulate: async (seed, ciphertext) =>
    (await hasMlKem()) ? nativeMlKem.decapsulate(seed, ciphertext) : (await noble()).mlKem768.decapsulate(seed, ciphertext),
};

const curves = { p256: nist("p256"), p384: nist("p384"), p521: nist("p521") };
const isAes = (name: AeadName): boolean => name !== "chacha20poly1305";

/**
 * @noble for hashes, HMAC and, loaded when needed, what the engine lacks; WebCrypto for AES-GCM, Ed25519, ECDSA, X25519, ECDH and
 * ML-KEM-768, each probed once, when first used. Native ML-KEM draws its own coins.
 */
export const webPrimitives: Primitives = {
  ...nobleHashes,
  name: "web",
  seal: async (name, params) => (isAes(name) && (await hasAes()) ? sealNative(params) : (await noble()).seal(name, params)),
  open: async (name, params) => (isAes(name) && (await hasAes()) ? openNative(params) : (await noble()).open(name, params)),
  signature(name) {
    if (name === "ed25519") return ed25519;
    return name === "ed448" ? laterSignature(name) : curves[name].signature;
  },
  dh(name) {
    if (name === "x25519") return x25519;
    return name === "x448" ? x448 : curves[name].dh;
  },
  mlKem768,
};
