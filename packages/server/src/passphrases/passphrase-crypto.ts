import { hkdfSync } from "node:crypto";
import sodium from "libsodium-wrappers-sumo";
import { ThreadCalls } from "../thread-calls.ts";
import { startThread } from "../threads.ts";

/** Whose passphrase it is, and where: both are bound into what OPAQUE makes (RFC 9807 section 4). */
export interface PassphraseNames {
  /** Of the account: its id in base64url. OPAQUE's credential identifier and client identity. */
  readonly account: string;
  /** OPAQUE's server identity. */
  readonly host: string;
}

/** What a server keeps between the two halves of a try. */
export interface PassphraseTry {
  readonly ke2: Uint8Array;
  readonly state: Uint8Array;
}

/** The server's side of OPAQUE. Messages that are none give `undefined`. */
export interface PassphraseCrypto {
  /** RegistrationResponse for a RegistrationRequest. */
  begin(secret: Uint8Array, names: PassphraseNames, request: Uint8Array): Promise<Uint8Array | undefined>;
  /** KE2 for KE1; without a record one that nobody can tell from others, and that nothing opens (RFC 9807 section 6.3.2.2). */
  try(secret: Uint8Array, names: PassphraseNames, record: Uint8Array | undefined, ke1: Uint8Array): Promise<PassphraseTry | undefined>;
  /** Whether KE3 is of somebody who had the passphrase. */
  verify(names: PassphraseNames, state: Uint8Array, ke3: Uint8Array): Promise<boolean>;
}

/** To the thread. */
export type PassphraseQuestion = { readonly id: number } & PassphraseWork;
type PassphraseWork = { readonly names: PassphraseNames } & (
  | { readonly kind: "begin"; readonly secret: Uint8Array; readonly request: Uint8Array }
  | { readonly kind: "try"; readonly secret: Uint8Array; readonly record: Uint8Array | undefined; readonly ke1: Uint8Array }
  | { readonly kind: "verify"; readonly state: Uint8Array; readonly ke3: Uint8Array }
);

/** From it. */
export interface PassphraseAnswer {
  readonly id: number;
  readonly response?: Uint8Array;
  readonly begun?: PassphraseTry;
  readonly isRight?: boolean;
}

/** Does the work on the thread that calls it. Loads the WebAssembly modules with the first. */
export const passphraseCryptoHere: PassphraseCrypto = {
  async begin(secret, names, request) {
    const { server } = await load();
    const serverSetup = await setupOf(secret);
    return orNothing(() => {
      const params = { serverSetup, userIdentifier: names.account, registrationRequest: textOf(request) };
      return bytesOf(server.createRegistrationResponse(params).registrationResponse);
    });
  },
  async try(secret, names, record, ke1) {
    const { server } = await load();
    const serverSetup = await setupOf(secret);
    return orNothing(() => {
      const { serverLoginState, loginResponse } = server.startLogin({
        serverSetup,
        registrationRecord: record === undefined ? null : textOf(record),
        startLoginRequest: textOf(ke1),
        userIdentifier: names.account,
        identifiers: { client: names.account, server: names.host },
      });
      return { ke2: bytesOf(loginResponse), state: bytesOf(serverLoginState) };
    });
  },
  async verify(names, state, ke3) {
    const { server } = await load();
    const finished = orNothing(() =>
      server.finishLogin({
        serverLoginState: textOf(state),
        finishLoginRequest: textOf(ke3),
        identifiers: { client: names.account, server: names.host },
      }),
    );
    return finished !== undefined;
  },
};

/** The thread, one for all servers of a process. */
const thread = new ThreadCalls<PassphraseWork, PassphraseAnswer>("passphrases'", () =>
  startThread("latchkey-passphrases", new URL("./passphrase-worker.ts", import.meta.url)),
);

/** Does it on a thread of its own, so that nobody else waits for a curve. */
export const passphraseCryptoOnThread: PassphraseCrypto = {
  begin: async (secret, names, request) => (await thread.ask({ kind: "begin", secret, names, request })).response,
  try: async (secret, names, record, ke1) => (await thread.ask({ kind: "try", secret, names, record, ke1 })).begun,
  verify: async (names, state, ke3) => (await thread.ask({ kind: "verify", names, state, ke3 })).isRight === true,
};

async function load(): Promise<typeof import("@serenity-kit/opaque")> {
  const opaque = await import("@serenity-kit/opaque");
  await opaque.ready;
  return opaque;
}

/**
 * The server's keys for OPAQUE, as the library writes them: the seed of all OPRF keys, the private key, and a public key that nobody has the private
 * key of, for accounts without a passphrase. All of it follows from one secret, which every backup has: a server that was restored has the same.
 */
async function setupOf(secret: Uint8Array): Promise<string> {
  await sodium.ready;
  const part = (what: string): Uint8Array =>
    new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(), `latchkey/passphrase-${what}/1`, 64));
  const privateKey = sodium.crypto_core_ristretto255_scalar_reduce(part("key"));
  const nobody = sodium.crypto_core_ristretto255_from_hash(part("nobody"));
  return Buffer.concat([part("seed"), privateKey, nobody]).toString("base64url");
}

/** The library throws a plain Error at whatever is no message of the protocol, and at wrong ones. @throws what else there is: WebAssembly's RuntimeError, after which its memory is not to be gone on with */
function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && error.name === "Error") return undefined;
    throw error;
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64url"));
}
