import { createCipheriv, createDecipheriv, randomBytes, scrypt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ServerError } from "../errors.ts";
import { errorCode } from "../files.ts";

/** The keys of a data folder by name, 32 bytes each. */
export type NamedKeys = ReadonlyMap<string, Uint8Array>;

/** The secrets of the public record: without them a copy of everything else cannot go on. `log-next.key` is there during a rotation only. */
export const keyNames: readonly string[] = ["log.key", "log-next.key", "vrf.key"];
const needed: readonly string[] = ["log.key", "vrf.key"];

const format = "latchkey sealed keys 1";
const keyBytes = 32;
/** 128 MiB and about half a second for each guess. */
const cost = { N: 131_072, r: 8, p: 1, maxmem: 268_435_456 };

/**
 * Reads the keys in the folder "directory" of a data folder; `isWhole`: all that a server needs must be there.
 * @throws ServerError `backup_failed` where one is missing or damaged
 */
export async function readKeys(folder: string, { isWhole }: { isWhole: boolean } = { isWhole: true }): Promise<NamedKeys> {
  const keys = new Map<string, Uint8Array>();
  for (const name of keyNames) {
    try {
      keys.set(name, new Uint8Array(await readFile(join(folder, name))));
    } catch (cause) {
      if (errorCode(cause) === "ENOENT" && !(isWhole && needed.includes(name))) continue;
      throw new ServerError("backup_failed", `The key ${join(folder, name)} cannot be read: check the folder and its owner.`, {
        cause,
      });
    }
  }
  for (const [name, key] of keys) {
    if (key.length !== keyBytes) {
      throw new ServerError("backup_failed", `The key ${join(folder, name)} is damaged: restore it from an earlier backup.`);
    }
  }
  return keys;
}

/** Encrypts keys under a passphrase: scrypt, then AES-256-GCM over all of them. */
export async function sealKeys(keys: NamedKeys, passphrase: string): Promise<string> {
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", await derive(passphrase, salt), nonce);
  cipher.setAAD(Buffer.from(format));
  const plain = JSON.stringify(Object.fromEntries([...keys].map(([name, key]) => [name, Buffer.from(key).toString("base64")])));
  const sealed = Buffer.concat([cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return `${JSON.stringify({ format, salt: salt.toString("base64"), nonce: nonce.toString("base64"), sealed: sealed.toString("base64") })}\n`;
}

/** Opens sealed keys. @throws ServerError `wrong_passphrase`, or `restore_failed` for what is damaged or of another version */
export async function openSealedKeys(text: string, passphrase: string): Promise<NamedKeys> {
  const { salt, nonce, sealed } = parse(text);
  const decipher = createDecipheriv("aes-256-gcm", await derive(passphrase, salt), nonce, { authTagLength: 16 });
  decipher.setAAD(Buffer.from(format));
  let plain: string;
  try {
    decipher.setAuthTag(sealed.subarray(-16));
    plain = decipher.update(sealed.subarray(0, -16)).toString("utf8") + decipher.final("utf8");
  } catch (cause) {
    throw new ServerError("wrong_passphrase", "The keys do not open with this passphrase: try another one.", { cause });
  }
  const keys = new Map<string, Uint8Array>();
  for (const [name, value] of Object.entries(JSON.parse(plain) as Record<string, string>)) {
    const key = new Uint8Array(Buffer.from(value, "base64"));
    if (!keyNames.includes(name) || key.length !== keyBytes) throw damaged();
    keys.set(name, key);
  }
  return keys;
}

function parse(text: string): { salt: Buffer; nonce: Buffer; sealed: Buffer } {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw damaged(cause);
  }
  if (value["format"] !== format) throw damaged();
  const bytes = (name: string): Buffer => {
    const field = value[name];
    if (typeof field !== "string") throw damaged();
    return Buffer.from(field, "base64");
  };
  const parsed = { salt: bytes("salt"), nonce: bytes("nonce"), sealed: bytes("sealed") };
  if (parsed.salt.length !== 16 || parsed.nonce.length !== 12 || parsed.sealed.length < 16) throw damaged();
  return parsed;
}

function derive(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize("NFC"), salt, keyBytes, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function damaged(cause?: unknown): ServerError {
  return new ServerError("restore_failed", "The sealed keys of the backup are damaged, or of a later version: use another backup.", {
    cause,
  });
}
