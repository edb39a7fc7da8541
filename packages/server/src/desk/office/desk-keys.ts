import { encode } from "@latchkey/codec";
import type { CipherSuite } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { deskKeysCodec } from "@latchkey/protocol/reports";
import { deskSuite } from "@latchkey/reports";
import { vrfPublicKey } from "@latchkey/transparency";
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ServerError } from "../../errors.ts";
import { errorCode, replaceFile } from "../../files.ts";

const seedBytes = 32;
const folderName = "desk";

/** The desk's secrets, and what is published of them (spec V-1). */
export interface DeskSecrets {
  readonly suite: CipherSuite;
  readonly encryption: { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array };
  /** Ed25519 seed. */
  readonly signatureKey: Uint8Array;
  /** Value of the operator label `desk`. */
  readonly published: Uint8Array;
}

/**
 * Reads the desk's keys, files of 32 bytes in `desk/` that only the server's user may read; makes those that are not there, of a desk that
 * begins. @throws ServerError `data_unusable`, also where a desk that has begun has none: nobody could read what is sealed to it
 */
export async function loadDeskSecrets(dataDirectory: string, { isBegun }: { isBegun: boolean }): Promise<DeskSecrets> {
  const folder = join(dataDirectory, folderName);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const encryptionSeed = seedOf(folder, "encryption.key", isBegun);
  const signatureKey = seedOf(folder, "signature.key", isBegun);
  const suite = nodeCrypto.suite(deskSuite);
  const encryption = await suite.deriveKemKeyPair(encryptionSeed);
  const published = encode(deskKeysCodec, {
    format: 1,
    encryptionKey: encryption.publicKey,
    // Made from its seed as the VRF's is.
    signatureKey: vrfPublicKey(signatureKey),
    ext: new Uint8Array(),
  });
  return { suite, encryption, signatureKey, published };
}

/** On disk under its name only when it is whole. */
function seedOf(folder: string, name: string, isBegun: boolean): Uint8Array {
  try {
    const bytes = readFileSync(join(folder, name));
    if (bytes.length === seedBytes) return new Uint8Array(bytes);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw unusable(name, cause);
    if (!isBegun) {
      const seed = new Uint8Array(randomBytes(seedBytes));
      replaceFile(join(folder, name), seed);
      return seed;
    }
  }
  throw unusable(name);
}

function unusable(name: string, cause?: unknown): ServerError {
  const message = `The key ${folderName}/${name} in the data directory is missing or cannot be read: put it back from a backup, or move desk.sqlite and ${folderName} away to have no desk.`;
  return new ServerError("data_unusable", message, { cause });
}
