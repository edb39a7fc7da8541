import { createCipheriv, createDecipheriv, hash, randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { maxFrameBytes } from "@latchkey/protocol";
import { WebSocket } from "ws";
import { ClientError } from "../errors.ts";
import type { FilePlace } from "../files/file-store.ts";
import { openEncryptedStore } from "../store/encrypted-store.ts";
import type { GenerationWitness } from "../store/freshness.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { ValueCipher } from "../store/value-cipher.ts";
import type { Platform, SocketLike } from "./platform.ts";

const handshakeTimeoutMs = 15_000;
const nonceBytes = 12;
const tagBytes = 16;

/** Node's part of the world: `node:crypto` throughout, `ws`, and the process's clock. */
export function createNodePlatform(): Platform {
  const suite = nodeCrypto.suite(0x0001);
  return {
    crypto: nodeCrypto,
    signatures: {
      sign: (key, message) => suite.sign(key, message),
      verify: (key, message, signature) => suite.verify(key, message, signature),
    },
    random: (size) => new Uint8Array(randomBytes(size)),
    sha256: (data) => new Uint8Array(hash("sha256", data, "buffer")),
    nowMs: () => Date.now(),
    connect,
    fetch: (input, init) => fetch(input, init),
    setTimer(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

function connect(url: string, protocols: readonly string[]): SocketLike {
  const socket = new WebSocket(url, [...protocols], {
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    handshakeTimeout: handshakeTimeoutMs,
    followRedirects: false,
  });
  // "close" follows every error; without a listener an error would end the process.
  socket.on("error", () => undefined);
  return {
    listen(handlers) {
      socket.on("open", () => handlers.onOpen());
      socket.on("message", (data, isBinary) => handlers.onMessage(isBinary ? bytesOf(data) : undefined));
      socket.on("close", (code) => handlers.onClose(code));
    },
    send(frame) {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    },
    close(code) {
      // Before the handshake there is nobody to tell a code.
      if (socket.readyState === WebSocket.CONNECTING) socket.terminate();
      else socket.close(code);
    },
  };
}

function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Uint8Array {
  const whole = Array.isArray(data) ? Buffer.concat(data) : data;
  return whole instanceof ArrayBuffer ? new Uint8Array(whole) : new Uint8Array(whole.buffer, whole.byteOffset, whole.length);
}

/**
 * The store of a profile in the directory `home`, made if it is missing: `profile.db`, its key in `device-key` and the count that
 * tells an old copy in `generation`, all readable by their owner only.
 * @throws ClientError `storage_in_use`, `storage_newer`, `storage_denied`, `profile_restored`
 */
export async function openNodeStore(home: string): Promise<Store> {
  makeDirectory(home);
  const path = join(home, "profile.db");
  const keyPath = join(home, "device-key");
  const isNew = !existsSync(path);
  const raw = openSqliteStore(path);
  try {
    const cipher = createFileCipher(keyPath, isNew);
    return await openEncryptedStore({
      raw,
      cipher,
      witness: fileWitness(join(home, "generation")),
      random: (size) => new Uint8Array(randomBytes(size)),
    });
  } catch (error) {
    await raw.close();
    throw error;
  }
}

/** What lies in a profile's folder, and nothing else that may lie there too. */
const gitIgnored = "/.gitignore\n/cli.json*\n/device-key*\n/files\n/generation*\n/profile.*\n";

/** Where the files of the profile in `home` are kept: its folder `files`. */
export function nodeFiles(home: string): () => Promise<FilePlace> {
  return async () => {
    const { createNodeHash, nodeRoomBytes, openNodeFileStore } = await import("../files/node-file-store.ts");
    return { store: openNodeFileStore(join(home, "files")), hash: createNodeHash, roomBytes: () => nodeRoomBytes(home) };
  };
}

function makeDirectory(home: string): void {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    // A profile in a working copy must not be published with it: its key lies beside its messages.
    const ignored = join(home, ".gitignore");
    if (!existsSync(ignored)) writeFileSync(ignored, gitIgnored, { mode: 0o600 });
  } catch (cause) {
    throw denied("The profile's directory cannot be made here.", cause);
  }
}

/**
 * AES-256-GCM under the key in a file. The file names how the key is kept, so that a lock by passphrase can wrap it there.
 * `mayCreate` only for a database that is new: with another key an old one would be lost.
 */
function createFileCipher(path: string, mayCreate: boolean): ValueCipher {
  const key = existsSync(path) ? readKey(path) : createKey(path, mayCreate);
  return {
    seal(aad, plaintext) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(aad);
      const sealed = new Uint8Array(nonceBytes + plaintext.length + tagBytes);
      sealed.set(nonce);
      sealed.set(cipher.update(plaintext), nonceBytes);
      cipher.final();
      sealed.set(cipher.getAuthTag(), nonceBytes + plaintext.length);
      return sealed;
    },
    open(aad, sealed) {
      const end = sealed.length - tagBytes;
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(aad);
      decipher.setAuthTag(sealed.subarray(end));
      const opened = new Uint8Array(decipher.update(sealed.subarray(nonceBytes, end)));
      decipher.final();
      return opened;
    },
  };
}

const keyHeader = "latchkey-device-key/1 plain ";

function readKey(path: string): Uint8Array {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw denied("This profile's key cannot be read.", cause);
  }
  if (text.startsWith("latchkey-device-key/") && !text.startsWith(keyHeader)) {
    throw new ClientError("storage_newer", "This profile's key was written by a newer version of the program. Use that one.");
  }
  try {
    const key = fromBase64Url(text.slice(keyHeader.length));
    if (text.startsWith(keyHeader) && key.length === 32) return key;
  } catch (cause) {
    throw denied("This profile's key is damaged.", cause);
  }
  throw denied("This profile's key is damaged.");
}

function createKey(path: string, mayCreate: boolean): Uint8Array {
  if (!mayCreate) throw denied("This profile's key is missing.");
  const key = new Uint8Array(randomBytes(32));
  try {
    replaceFile(path, `${keyHeader}${toBase64Url(key)}\n`);
  } catch (cause) {
    throw denied("The profile cannot be written here.", cause);
  }
  return key;
}

/** Whole or not at all, on disk when it returns. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.new`;
  const file = openSync(temporary, "w", 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

function fileWitness(path: string): GenerationWitness {
  return {
    async read() {
      try {
        const text = readFileSync(path, "utf8").trim();
        return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
      } catch {
        return undefined;
      }
    },
    async write(generation) {
      try {
        // Not synced: after a power cut it may be older than the database, never newer.
        writeFileSync(`${path}.new`, `${generation}\n`, { mode: 0o600 });
        renameSync(`${path}.new`, path);
      } catch {
        // A full disk only weakens the detection of old copies.
      }
    },
  };
}

function denied(message: string, cause?: unknown): ClientError {
  return new ClientError("storage_denied", message, { cause });
}
