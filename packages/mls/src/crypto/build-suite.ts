import { MlsError } from "../errors.ts";
import { isUsualEd25519 } from "./edwards.ts";
import { createHpke } from "./hpke.ts";
import type { HpkeAead, Kdf, Kem } from "./hpke.ts";
import { dhKem, xWingKem } from "./kem.ts";
import { aeads, allSuites, dhGroups, hashes, suiteParameters } from "./parameters.ts";
import type { AeadName, HashName, KemName, SignatureName } from "./parameters.ts";
import type { Primitives } from "./primitives.ts";
import type { CipherSuite, CipherSuiteId, CryptoProvider } from "./suite.ts";
import { wipe } from "./wipe.ts";

/** HKDF over a provider's HMAC (RFC 5869). */
export function hkdf(primitives: Primitives, name: HashName): Kdf {
  const { kdfId, bytes } = hashes[name];
  return {
    id: kdfId,
    hashBytes: bytes,
    extract: (salt, inputKeyMaterial) => primitives.mac(name, salt, inputKeyMaterial),
    expand(pseudoRandomKey, info, sizeBytes) {
      if (sizeBytes > 255 * bytes) throw new MlsError("usage", "more output than HKDF gives", { clause: "RFC 5869 §2.3" });
      if (sizeBytes <= bytes) {
        // One block, as nearly always.
        const only = new Uint8Array(info.length + 1);
        only.set(info);
        only[info.length] = 1;
        const block = primitives.mac(name, pseudoRandomKey, only);
        if (sizeBytes === bytes) return block;
        const cut = block.slice(0, sizeBytes);
        wipe(block);
        return cut;
      }
      const output = new Uint8Array(sizeBytes);
      let previous = 0;
      let input = new Uint8Array(info.length + 1);
      input.set(info);
      for (let at = 0, counter = 1; at < sizeBytes; at += bytes, counter++) {
        input[input.length - 1] = counter;
        const block = primitives.mac(name, pseudoRandomKey, input);
        output.set(at + bytes <= sizeBytes ? block : block.subarray(0, sizeBytes - at), at);
        if (previous === 0 && at + bytes < sizeBytes) {
          previous = bytes;
          input = new Uint8Array(bytes + info.length + 1);
          input.set(info, bytes);
        }
        if (previous !== 0) input.set(block);
      }
      return output;
    },
  };
}

/** An AEAD of the provider: sizes checked, failures as MlsError. */
export function aeadOf(primitives: Primitives, name: AeadName): HpkeAead {
  const { aeadId, keyBytes, nonceBytes, tagBytes } = aeads[name];
  const check = (key: Uint8Array, nonce: Uint8Array): void => {
    if (key.length !== keyBytes || nonce.length !== nonceBytes) throw new MlsError("malformed", "AEAD key or nonce of the wrong size");
  };
  const failed = (cause: unknown): never => {
    throw new MlsError("crypto", "AEAD authentication failed", { cause });
  };
  return {
    id: aeadId,
    keyBytes,
    nonceBytes,
    seal(params) {
      check(params.key, params.nonce);
      return primitives.seal(name, params);
    },
    open(params) {
      check(params.key, params.nonce);
      if (params.ciphertext.length < tagBytes) throw new MlsError("crypto", "ciphertext shorter than its tag");
      try {
        const opened = primitives.open(name, params);
        return opened instanceof Promise ? opened.catch(failed) : opened;
      } catch (cause) {
        return failed(cause);
      }
    },
  };
}

/** A KEM of the provider. */
export function kemOf(primitives: Primitives, name: KemName): Kem {
  if (name === "xwing") {
    return xWingKem({
      mlKem: primitives.mlKem768,
      x25519: primitives.dh("x25519"),
      sha3: (data) => primitives.sha3(data),
      shake256: (data, sizeBytes) => primitives.shake256(data, sizeBytes),
    });
  }
  const parameters = dhGroups[name];
  return dhKem(parameters, primitives.dh(name), hkdf(primitives, parameters.hash));
}

/** Private scalars of the NIST curves are integers: some implementations drop their leading zeros. */
function wholeScalar(name: SignatureName, secretKey: Uint8Array): Uint8Array {
  if (name === "ed25519" || name === "ed448") return secretKey;
  const { secretKeyBytes } = dhGroups[name];
  if (secretKey.length === 0 || secretKey.length >= secretKeyBytes) return secretKey;
  const whole = new Uint8Array(secretKeyBytes);
  whole.set(secretKey, secretKeyBytes - secretKey.length);
  return whole;
}

/** A cipher suite of a provider's primitives. */
export function buildSuite(primitives: Primitives, id: CipherSuiteId): CipherSuite {
  const parameters = suiteParameters(id);
  const { hash } = parameters;
  const kdf = hkdf(primitives, hash);
  const aead = aeadOf(primitives, parameters.aead);
  const kem = kemOf(primitives, parameters.kem);
  const hpke = createHpke(kem, kdf, aead);
  const signature = primitives.signature(parameters.signature);
  const malformed = (cause: unknown): never => {
    throw new MlsError("malformed", "invalid signature key", { cause });
  };
  return {
    id,
    provider: primitives.name,
    hashBytes: kdf.hashBytes,
    aeadKeyBytes: aead.keyBytes,
    aeadNonceBytes: aead.nonceBytes,
    hash: (data) => primitives.hash(hash, data),
    mac: (key, data) => primitives.mac(hash, key, data),
    extract: kdf.extract,
    expand: kdf.expand,
    seal: aead.seal,
    open: aead.open,
    generateSignatureKeyPair: (random) => signature.generate(random),
    sign(secretKey, message) {
      try {
        const signed = signature.sign(wholeScalar(parameters.signature, secretKey), message);
        return signed instanceof Promise ? signed.catch(malformed) : signed;
      } catch (cause) {
        return malformed(cause);
      }
    },
    verify(publicKey, message, signed) {
      if (parameters.signature === "ed25519" && !isUsualEd25519(publicKey, signed)) return false;
      try {
        const valid = signature.verify(publicKey, message, signed);
        return valid instanceof Promise ? valid.catch(() => false) : valid;
      } catch {
        return false;
      }
    },
    deriveKemKeyPair: (inputKeyMaterial) => kem.deriveKeyPair(inputKeyMaterial),
    hpkeSeal: hpke.seal,
    hpkeOpen: hpke.open,
    hpkeSendExport: hpke.sendExport,
    hpkeReceiveExport: hpke.receiveExport,
  };
}

/** A provider that offers every suite of this package, each built once when first asked for. */
export function providerOf(primitives: Primitives): CryptoProvider {
  const built = new Map<CipherSuiteId, CipherSuite>();
  return {
    name: primitives.name,
    suites: allSuites,
    suite(id) {
      let suite = built.get(id);
      if (suite === undefined) {
        suite = buildSuite(primitives, id);
        built.set(id, suite);
      }
      return suite;
    },
  };
}
