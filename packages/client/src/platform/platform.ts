import type { CryptoProvider, RandomBytes } from "@latchkey/mls";
import type { Sha256 } from "@latchkey/protocol";
import type { FilePlace } from "../files/file-store.ts";
import type { Signatures, VrfVerifier } from "@latchkey/transparency";

/** What a socket tells. `onClose` comes once, after which nothing comes. */
export interface SocketHandlers {
  onOpen(): void;
  /** One binary frame, owned by the receiver. `undefined` for a text frame, which the protocol does not have. */
  onMessage(frame: Uint8Array | undefined): void;
  /** `code` as in RFC 6455; 1006 when the connection was lost or never made. */
  onClose(code: number): void;
}

/** A WebSocket, whoever implements it. */
export interface SocketLike {
  /** Sets who is told; called once, in the turn that made the socket. */
  listen(handlers: SocketHandlers): void;
  /** Queues a binary frame. Does nothing once closed. */
  send(frame: Uint8Array): void;
  /** Starts closing; `onClose` follows in any case. */
  close(code?: number): void;
}

/** Everything that the client needs of the world around it; tests replace each part. */
export interface Platform {
  readonly crypto: CryptoProvider;
  readonly signatures: Signatures;
  /** Verifies where a label stands in the directory. Default: `vrfVerify` of the transparency package. */
  readonly verifyVrf?: VrfVerifier | undefined;
  readonly random: RandomBytes;
  readonly sha256: Sha256;
  nowMs(): number;
  /** A connection attempt to a `ws:` or `wss:` URL that offers these subprotocols. Never throws: failure is `onClose`. */
  connect(url: string, protocols: readonly string[]): SocketLike;
  readonly fetch: typeof fetch;
  /** Calls `run` after `delayMs`; the result cancels it. */
  setTimer(delayMs: number, run: () => void): () => void;
  /** Whether the browser promised to keep this profile (`navigator.storage.persist()`); `undefined` where the question does not arise. */
  readonly storagePersisted?: boolean | undefined;
  /** Where the ciphertext of files is kept, loaded with its first use; absent where none is: there are no files then. */
  readonly files?: (() => Promise<FilePlace>) | undefined;
}
