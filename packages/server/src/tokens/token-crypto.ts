import { randomBytes } from "node:crypto";
import { utf8Bytes } from "@latchkey/codec";
import { ThreadCalls } from "../thread-calls.ts";
import { startThread } from "../threads.ts";
import { sodiumVoprf } from "./voprf.ts";
import type { Evaluated } from "./voprf.ts";

/** A key of the issuer's. */
export interface TokenKeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** The issuer's computations, each of which takes its time on a curve. */
export interface TokenCrypto {
  /** The key pair of a seed of 32 bytes. */
  keyPair(seed: Uint8Array): Promise<TokenKeyPair>;
  /** Evaluates a batch, or `undefined` where something in it is none of the group's elements. */
  issue(secretKey: Uint8Array, blinded: readonly Uint8Array[]): Promise<Evaluated | undefined>;
  /** What a token of this input has as its secret. */
  secret(secretKey: Uint8Array, input: Uint8Array): Promise<Uint8Array>;
}

/** To the tokens' thread. */
export type TokenQuestion = { readonly id: number } & TokenWork;
type TokenWork =
  | { readonly kind: "keys"; readonly seed: Uint8Array }
  | { readonly kind: "issue"; readonly secretKey: Uint8Array; readonly blinded: readonly Uint8Array[] }
  | { readonly kind: "secret"; readonly secretKey: Uint8Array; readonly input: Uint8Array };

/** From it. */
export interface TokenAnswer {
  readonly id: number;
  readonly keys?: TokenKeyPair;
  readonly evaluated?: Evaluated;
  readonly secret?: Uint8Array;
}

const keyInfo = utf8Bytes("latchkey/token-key/1");

/** Does the work on the thread that calls it. Loads libsodium with the first. */
export const tokenCryptoHere: TokenCrypto = {
  keyPair: async (seed) => (await sodiumVoprf()).deriveKeyPair(seed, keyInfo),
  issue: async (secretKey, blinded) => (await sodiumVoprf()).evaluateBatch(secretKey, blinded, new Uint8Array(randomBytes(64))),
  secret: async (secretKey, input) => (await sodiumVoprf()).evaluate(secretKey, input),
};

/** The thread, one for all servers of a process. */
const thread = new ThreadCalls<TokenWork, TokenAnswer>("tokens'", () =>
  startThread("latchkey-tokens", new URL("./token-worker.ts", import.meta.url)),
);

/** Elements and tokens that wait for the thread, above which those who ask are told to come back: a second of its work. */
export const maxTokenWork = 5000;

/** Does it on a thread of its own, so that nobody else waits for a curve. */
export const tokenCryptoOnThread: TokenCrypto = {
  async keyPair(seed) {
    const { keys } = await thread.ask({ kind: "keys", seed });
    if (keys === undefined) throw new Error("the tokens' thread answers what it is asked");
    return keys;
  },
  async issue(secretKey, blinded) {
    const { evaluated } = await thread.ask({ kind: "issue", secretKey, blinded: blinded.map((element) => element.slice()) });
    return evaluated;
  },
  async secret(secretKey, input) {
    const { secret } = await thread.ask({ kind: "secret", secretKey, input });
    if (secret === undefined) throw new Error("the tokens' thread answers what it is asked");
    return secret;
  },
};
