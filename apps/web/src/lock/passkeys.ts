import type { LockView, NewOpener, Opener } from "@latchkey/client/lock";

/** Why a passkey was not used. */
export type PasskeyFailure =
  /** The person, or their device, did not go on. */
  | "canceled"
  /** This one, or this browser, has no function by which a key could be made (the PRF extension of WebAuthn). */
  | "unfit";

/** A passkey was not used. */
export class PasskeyError extends Error {
  override readonly name = "PasskeyError";
  readonly why: PasskeyFailure;

  constructor(why: PasskeyFailure, cause?: unknown) {
    super(`no passkey: ${why}`, { cause });
    this.why = why;
  }
}

const timeoutMs = 120_000;

/** Whether this browser knows passkeys at all. */
export function knowsPasskeys(): boolean {
  return typeof PublicKeyCredential === "function";
}

/**
 * Makes a passkey on this device, or on one that the person takes, that opens a profile from then on. Nobody but this browser knows of it: no server
 * does, and it says nothing of the account. @throws PasskeyError
 */
export async function makePasskey(name: string): Promise<NewOpener> {
  const salt = random(32);
  const made = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: random(32),
        rp: { name: "Latchkey" },
        user: { id: random(16), name: `Latchkey (${globalThis.location.host})`, displayName: "Latchkey" },
        // ES256, EdDSA, RS256: nothing is ever signed for anybody.
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        timeout: timeoutMs,
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const { prf } = made.getClientExtensionResults();
  if (prf?.enabled !== true && prf?.results === undefined) throw new PasskeyError("unfit");
  const id = new Uint8Array(made.rawId);
  // Many say it only when they are asked the second time.
  const secret = prf.results === undefined ? (await askPasskey([{ id, salt }])).secret : secretOf(prf.results.first);
  return { kind: "passkey", id, salt, secret, name };
}

/** Asks for any of these passkeys. @throws PasskeyError */
export async function askPasskey(
  passkeys: readonly Pick<LockView["passkeys"][number], "id" | "salt">[],
): Promise<Extract<Opener, { kind: "passkey" }>> {
  const given = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: random(32),
        allowCredentials: passkeys.map(({ id }) => ({ type: "public-key", id: plain(id) })),
        userVerification: "required",
        timeout: timeoutMs,
        extensions: {
          prf: { evalByCredential: Object.fromEntries(passkeys.map(({ id, salt }) => [base64Url(id), { first: plain(salt) }])) },
        },
      },
    }),
  );
  const secret = given.getClientExtensionResults().prf?.results?.first;
  if (secret === undefined) throw new PasskeyError("unfit");
  return { kind: "passkey", id: new Uint8Array(given.rawId), secret: secretOf(secret) };
}

async function ask(run: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  let credential: Credential | null;
  try {
    credential = await run();
  } catch (error) {
    const isUnfit = error instanceof DOMException && ["NotSupportedError", "SecurityError"].includes(error.name);
    throw new PasskeyError(isUnfit ? "unfit" : "canceled", error);
  }
  if (!(credential instanceof PublicKeyCredential)) throw new PasskeyError("canceled");
  return credential;
}

function secretOf(result: BufferSource): Uint8Array {
  const secret =
    result instanceof ArrayBuffer ? new Uint8Array(result) : new Uint8Array(result.buffer, result.byteOffset, result.byteLength);
  if (secret.length !== 32) throw new PasskeyError("unfit");
  return secret;
}

function random(size: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** A view over a plain ArrayBuffer, which is what the browser's types ask for. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function base64Url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
