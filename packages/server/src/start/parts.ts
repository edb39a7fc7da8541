import type { Server } from "node:http";
import type { ServerLimits } from "../config.ts";
import type { BusPatience } from "../bus/line-bus.ts";
import type { VrfProve } from "../directory/vrf-service.ts";
import type { StoreLoad } from "../store/store-load.ts";
import type { PassphraseCrypto } from "../passphrases/passphrase-crypto.ts";
import type { TokenCrypto } from "../tokens/token-crypto.ts";
import type { PushSend } from "../wakes/push-door.ts";
import type { BlobPatience } from "../blobs/blob-patience.ts";
import type { Store } from "../store/store.ts";

/** Calls `run` after `delayMs`; the result calls it off. */
export type SetTimer = (delayMs: number, run: () => void) => () => void;

/** Parts that tests replace. */
export interface ServerParts {
  readonly openStore?: (directory: string, limits: ServerLimits, load: StoreLoad) => Promise<Store>;
  readonly nowMs?: () => number;
  /** Time that passed, in milliseconds, as a second clock that never jumps; with `nowMs` alone that is held against itself. */
  readonly passedMs?: () => number;
  /** In place of the process's timers. */
  readonly setTimer?: SetTimer;
  /** Takes the HTTP server, which then listens on no port. */
  readonly serve?: (server: Server) => void;
  /** Proves places in the map, in place of the VRF's thread. */
  readonly prove?: VrfProve;
  /** Computes for tokens, in place of their thread. */
  readonly tokenCrypto?: TokenCrypto;
  /** Computes for passphrases, in place of their thread. */
  readonly passphraseCrypto?: PassphraseCrypto;
  /** How the bucket of the blobs is asked, in place of what is good for one that is there. */
  readonly bucketPatience?: BlobPatience;
  /** How the other nodes are heard, in place of what is good for a database that is there. */
  readonly busPatience?: Partial<BusPatience>;
  /** Asks push services, in place of the way out to them. */
  readonly push?: PushSend;
}

/** Closing the server calls a timer off: no process waits for one. */
export function processTimer(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
