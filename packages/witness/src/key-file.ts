import { concatBytes } from "@latchkey/codec";
import { formatVkey, isKeyName, mapWitnessName, noteSignatureTypes } from "@latchkey/transparency";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { WitnessError } from "./errors.ts";
import { publicKeyOf } from "./signatures.ts";
import { syncFolder } from "./state-store.ts";

/** A key that cosigns. */
export interface CosignerKey {
  readonly name: string;
  /** 32-byte Ed25519 seed. */
  readonly secretKey: Uint8Array;
  /** C2SP verifier key. */
  readonly vkey: string;
}

/** The two keys of a witness (spec D-3). */
export interface WitnessKeys {
  readonly name: string;
  /** Signs that the log only grew. */
  readonly log: CosignerKey;
  /** Signs, as `<name>/latchkey-map`, that every transition of the map was replayed. */
  readonly map: CosignerKey;
}

const heading = "# Keys of a Latchkey witness. Whoever has them can sign as this witness. Keep them with the state beside them.\n";

/**
 * Reads the key file. When there is none, makes one with new keys for `name`, readable by its owner only.
 * @throws WitnessError `key_unusable` or `invalid_options`
 */
export function openKeyFile(params: { path: string; name: string | undefined }): WitnessKeys {
  const { path, name } = params;
  if (existsSync(path)) {
    const keys = readKeys(path);
    if (name !== undefined && name !== keys.name)
      throw new WitnessError("invalid_options", `the keys in ${path} have another name than the one given`);
    return keys;
  }
  if (name === undefined) throw new WitnessError("invalid_options", `there is no key in ${path}: --name NAME makes one`);
  if (!isKeyName(name) || !isKeyName(mapWitnessName(name)) || !/^[!-~]+$/.test(name))
    throw new WitnessError("invalid_options", "a witness's name is like that of a web page, such as witness.example.org/w1");
  const keys = { name, log: cosigner(name, randomBytes(32)), map: cosigner(mapWitnessName(name), randomBytes(32)) };
  writeKeys(path, keys);
  return keys;
}

function readKeys(path: string): WitnessKeys {
  let text: string;
  let mode: number;
  try {
    text = readFileSync(path, "utf8");
    ({ mode } = statSync(path));
  } catch (cause) {
    throw new WitnessError("key_unusable", `the key file ${path} cannot be read`, { cause });
  }
  // Windows has no such bits.
  if (process.platform !== "win32" && (mode & 0o077) !== 0)
    throw new WitnessError("key_unusable", `the key file ${path} can be read by others: chmod 600 it, and think about who read it`);
  const [log, map, ...rest] = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => parseKey(line, path));
  if (log === undefined || map === undefined || rest.length > 0 || map.name !== mapWitnessName(log.name)) throw damaged(path);
  return { name: log.name, log, map };
}

/** `PRIVATE+KEY+<name>+<key id>+<base64(0x04 || seed)>`, as Go's note package writes signer keys. */
function parseKey(line: string, path: string): CosignerKey {
  const match = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line);
  const [, name = "", keyId, encoded = ""] = match ?? [];
  const material = Buffer.from(encoded, "base64");
  if (match === null || material.length !== 33 || material[0] !== noteSignatureTypes.cosignatureV1) throw damaged(path);
  const key = cosigner(name, material.subarray(1));
  if (keyIdOf(key.vkey) !== keyId) throw damaged(path);
  return key;
}

function formatKey({ name, vkey, secretKey }: CosignerKey): string {
  const material = Buffer.from(concatBytes(Uint8Array.of(noteSignatureTypes.cosignatureV1), secretKey)).toString("base64");
  return `PRIVATE+KEY+${name}+${keyIdOf(vkey)}+${material}\n`;
}

function writeKeys(path: string, keys: WitnessKeys): void {
  const temporary = `${path}.new`;
  try {
    const handle = openSync(temporary, "w", 0o600);
    try {
      writeSync(handle, `${heading}${formatKey(keys.log)}${formatKey(keys.map)}`);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    throw new WitnessError("key_unusable", `the key file ${path} cannot be written`, { cause });
  }
}

function cosigner(name: string, seed: Uint8Array): CosignerKey {
  const secretKey = new Uint8Array(seed);
  const key = { name, type: noteSignatureTypes.cosignatureV1, publicKey: publicKeyOf(secretKey) };
  return { name, secretKey, vkey: formatVkey(key) };
}

/** The hexadecimal key id in a vkey. */
function keyIdOf(vkey: string): string {
  return vkey.split("+")[1] ?? "";
}

function damaged(path: string): WitnessError {
  return new WitnessError("key_unusable", `the key file ${path} is damaged`);
}
