import { mkdirSync } from "node:fs";
import type { Server } from "node:http";
import { duplexPair } from "node:stream";
import type { Duplex } from "node:stream";
import { tokenInput, tokenKeyId, tokenRealms } from "@latchkey/protocol/tokens";
import type { TokenOperation } from "@latchkey/protocol/tokens";
import { vrfProofToHash } from "@latchkey/transparency";
import type { ServerOptions } from "../config.ts";
import { sodiumVrfProver } from "../directory/vrf-prover.ts";
import type { VrfProve } from "../directory/vrf-service.ts";
import { passphraseCryptoHere } from "../passphrases/passphrase-crypto.ts";
import { tokenCryptoHere } from "../tokens/token-crypto.ts";
import { startServerWith } from "../server.ts";
import type { Faults } from "../store/sqlite/executor.ts";
import { openStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import { dayOf } from "../days.ts";
import { spend } from "./token-purse.ts";
import { inProcessChannel } from "./in-process-channel.ts";

/** A whole server without a port, a thread or a clock of its own. */
export interface InProcessServer {
  readonly host: string;
  /** The peer's end of a new connection to it: HTTP and WebSockets go over it as over TCP. */
  connect(): Duplex;
  /** A token of today as somebody has it who has an account; empty bytes before the server has keys for them. */
  token(params: { operation: TokenOperation; target: Uint8Array; nonce: Uint8Array }): Promise<Uint8Array>;
  /** Ends every connection at once and stops; what was acknowledged is on disk. */
  kill(): Promise<void>;
}

/** The world around it. */
export interface InProcessWorld {
  nowMs(): number;
  /** Calls `run` after `delayMs`; the result calls it off. */
  setTimer(delayMs: number, run: () => void): () => void;
  /** Told whenever the server did something, so that a simulation can wait until it has nothing left to do. */
  busy(): void;
  readonly faults?: Faults;
}

const prove: VrfProve = async (secretKey, alphas) => {
  const prover = await sodiumVrfProver(secretKey);
  return alphas.map((alpha) => {
    const proof = prover.prove(alpha);
    return { proof, beta: vrfProofToHash(proof) };
  });
};

/** Starts a server for simulations: the real one, HTTP and store included, in this thread. */
export async function startInProcessServer(options: Omit<ServerOptions, "port">, world: InProcessWorld): Promise<InProcessServer> {
  mkdirSync(options.dataDirectory, { recursive: true });
  // WebAssembly is compiled in the process's own time.
  await sodiumVrfProver(new Uint8Array(32));
  let http: Server | undefined;
  let store: Store | undefined;
  const streams = new Set<Duplex>();
  const server = await startServerWith(
    { port: 0, logLevel: "silent", ...options },
    {
      nowMs: () => world.nowMs(),
      setTimer: (delayMs, run) => world.setTimer(delayMs, run),
      serve(taken) {
        http = taken;
      },
      prove,
      tokenCrypto: tokenCryptoHere,
      passphraseCrypto: passphraseCryptoHere,
      async openStore(directory) {
        const channel = inProcessChannel({ directory }, world.faults ?? {});
        store = await openStore({
          post(message, transfer) {
            world.busy();
            channel.post(message, transfer);
          },
          listen(onMessage, onStopped) {
            channel.listen((message) => {
              world.busy();
              onMessage(message);
            }, onStopped);
          },
        });
        return store;
      },
    },
  );
  return {
    host: server.host,
    connect() {
      const [near, far] = duplexPair();
      streams.add(far);
      far.once("close", () => streams.delete(far));
      // As of a connection that its peer resets: what was still to be sent there would otherwise hold it open for half a minute of real time.
      near.once("close", () => {
        world.busy();
        far.destroy();
      });
      http?.emit("connection", far);
      return near;
    },
    async token({ operation, target, nonce }) {
      const today = dayOf(world.nowMs());
      const seeds = (await store?.tokenSeeds({ fresh: [], fromDay: today })) ?? [];
      const seed = seeds.find(({ day }) => day === today)?.seed;
      if (seed === undefined) return new Uint8Array();
      const { secretKey, publicKey } = await tokenCryptoHere.keyPair(seed);
      const secret = await tokenCryptoHere.secret(secretKey, tokenInput(tokenRealms[operation], nonce));
      return spend(
        { realm: tokenRealms[operation], nonce, secret, keyId: tokenKeyId(publicKey) },
        { host: server.host, operation, target },
      );
    },
    async kill() {
      for (const stream of streams) stream.destroy();
      await server.close();
    },
  };
}
