import { webCrypto } from "@latchkey/mls/web";
import type { FilePlace } from "../files/file-store.ts";
import type { Platform, SocketLike } from "./platform.ts";
import { webRandom } from "./web-random.ts";

/**
 * A browser's part of the world.
 * @param storagePersisted what `askToPersist` said
 * @param profile whose files it keeps; none without it
 */
export function createWebPlatform(storagePersisted?: boolean, profile?: string): Platform {
  const suite = webCrypto.suite(0x0001);
  return {
    crypto: webCrypto,
    signatures: {
      sign: (key, message) => suite.sign(key, message),
      verify: (key, message, signature) => suite.verify(key, message, signature),
    },
    random: webRandom,
    sha256: (data) => suite.hash(data),
    nowMs: () => Date.now(),
    connect,
    // Called as a method of another object, the browser's own would throw.
    fetch: (input, init) => fetch(input, init),
    setTimer(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    storagePersisted,
    ...(profile === undefined ? {} : { files: webFiles(profile) }),
  };
}

/**
 * Asks the browser not to evict this origin's storage. Browsers let only pages ask; a worker learns the answer given before.
 * `undefined` where the browser does not know the question.
 */
export async function askToPersist(): Promise<boolean | undefined> {
  const storage: Partial<StorageManager> | undefined = globalThis.navigator?.storage;
  try {
    return (await storage?.persist?.()) ?? (await storage?.persisted?.());
  } catch {
    return false;
  }
}

function connect(url: string, protocols: readonly string[]): SocketLike {
  const socket = new WebSocket(url, [...protocols]);
  socket.binaryType = "arraybuffer";
  return {
    listen(handlers) {
      socket.addEventListener("open", () => handlers.onOpen());
      socket.addEventListener("message", ({ data }: MessageEvent<unknown>) =>
        handlers.onMessage(data instanceof ArrayBuffer ? new Uint8Array(data) : undefined),
      );
      socket.addEventListener("close", ({ code }) => handlers.onClose(code));
    },
    send(frame) {
      // A copy over a plain ArrayBuffer, which is what a socket takes.
      if (socket.readyState === WebSocket.OPEN) socket.send(new Uint8Array(frame));
    },
    close(code) {
      // Browsers allow 1000 and 3000 to 4999.
      socket.close(code);
    },
  };
}

/** Where the files of a profile are kept: in a database of their own, which a service worker may have open too. */
function webFiles(profile: string): () => Promise<FilePlace> {
  return async () => {
    const { openWebFileStore, webRoom } = await import("../files/web-file-store.ts");
    const { sha256 } = await import("@noble/hashes/sha2.js");
    return { store: openWebFileStore(profile), hash: () => sha256.create(), ...webRoom };
  };
}
