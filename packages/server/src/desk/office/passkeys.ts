import type { AuthenticationResponseJSON, AuthenticatorTransport, RegistrationResponseJSON } from "@simplewebauthn/server";
import { toHex, utf8Bytes } from "@latchkey/codec";
import type { PasskeyJson } from "@latchkey/protocol/desk";
import { sha256 } from "../../hash.ts";
import { Challenges } from "./challenges.ts";
import { DeskError } from "./desk-error.ts";
import type { Passkey, Staff } from "./staff.ts";

/** EdDSA, ES256 and RS256 (COSE): what every authenticator has one of. The library would offer more, some of them experimental. */
const algorithms = [-8, -7, -257];
const signInPurpose = "sign-in";
const longestId = 1400;

type Library = typeof import("@simplewebauthn/server");

/** Passkeys for one page: made and verified by @simplewebauthn/server, which is loaded with the first of them. */
export class Passkeys {
  readonly #challenges = new Challenges();
  readonly #place: { readonly rpId: string; readonly origins: string[] };
  #library: Promise<Library> | undefined;

  /** @param place the host's name without its port, and the page's origins */
  constructor(place: { rpId: string; origins: readonly string[] }) {
    this.#place = { rpId: place.rpId, origins: [...place.origins] };
  }

  /** What a browser is to make a passkey with, for whoever has this code. */
  async enrolOptions(params: {
    staff: Pick<Staff, "id" | "name">;
    code: string;
    known: readonly Passkey[];
    passedMs: number;
  }): Promise<PasskeyJson> {
    const { staff, code, known, passedMs } = params;
    const { generateRegistrationOptions } = await this.#load();
    const options = await generateRegistrationOptions({
      rpName: "Latchkey desk",
      rpID: this.#place.rpId,
      userID: staff.id.slice(),
      userName: staff.name,
      userDisplayName: staff.name,
      challenge: this.#challenges.create(enrolPurpose(code), passedMs).slice(),
      attestationType: "none",
      supportedAlgorithmIDs: algorithms,
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      excludeCredentials: known.map(({ credential, transports }) => ({ id: credential, transports: transportsOf(transports) })),
    });
    return { ...options };
  }

  /** The passkey that a browser made. @throws DeskError `passkey_refused` */
  async enrolled(params: { code: string; response: PasskeyJson; staffId: Uint8Array; passedMs: number }): Promise<Omit<Passkey, "made">> {
    const { code, response, staffId, passedMs } = params;
    const { verifyRegistrationResponse } = await this.#load();
    const { verified, registrationInfo } = await orRefuse(() =>
      verifyRegistrationResponse({
        // The library checks each part of what it is given.
        response: response as unknown as RegistrationResponseJSON,
        expectedChallenge: (challenge) => this.#challenges.burn(enrolPurpose(code), challenge, passedMs),
        expectedOrigin: this.#place.origins,
        expectedRPID: this.#place.rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: algorithms,
      }),
    );
    if (!verified) throw new DeskError("passkey_refused");
    const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
    if (id.length > longestId || publicKey.length > longestId) throw new DeskError("passkey_refused");
    return { credential: id, staffId, publicKey: new Uint8Array(publicKey), counter, transports: transportsOf(transports) };
  }

  /** What a browser is to sign in with: it names nobody, and is the same for everybody. */
  async signInOptions(passedMs: number): Promise<PasskeyJson> {
    const { generateAuthenticationOptions } = await this.#load();
    const options = await generateAuthenticationOptions({
      rpID: this.#place.rpId,
      challenge: this.#challenges.create(signInPurpose, passedMs).slice(),
      userVerification: "required",
    });
    return { ...options };
  }

  /** What a browser is to approve with: the challenge is what is approved, so that its answer is over that. */
  async approvalOptions(digest: Uint8Array, known: readonly Pick<Passkey, "credential" | "transports">[]): Promise<PasskeyJson> {
    const { generateAuthenticationOptions } = await this.#load();
    const options = await generateAuthenticationOptions({
      rpID: this.#place.rpId,
      challenge: digest.slice(),
      userVerification: "required",
      allowCredentials: known.map(({ credential, transports }) => ({ id: credential, transports: transportsOf(transports) })),
    });
    return { ...options };
  }

  /** How often the passkey was used, if this is an answer of it that was not given before. @throws DeskError `passkey_refused` */
  async signedIn(params: { passkey: Passkey; response: PasskeyJson; passedMs: number }): Promise<number> {
    const { passkey, response, passedMs } = params;
    const { credential, publicKey, counter, transports } = passkey;
    const { verifyAuthenticationResponse } = await this.#load();
    const { verified, authenticationInfo } = await orRefuse(() =>
      verifyAuthenticationResponse({
        response: response as unknown as AuthenticationResponseJSON,
        expectedChallenge: (challenge) => this.#challenges.burn(signInPurpose, challenge, passedMs),
        expectedOrigin: this.#place.origins,
        expectedRPID: this.#place.rpId,
        requireUserVerification: true,
        credential: { id: credential, publicKey: publicKey.slice(), counter, transports: transportsOf(transports) },
      }),
    );
    if (!verified) throw new DeskError("passkey_refused");
    return authenticationInfo.newCounter;
  }

  #load(): Promise<Library> {
    return (this.#library ??= import("@simplewebauthn/server"));
  }
}

/** An answer for one code is none for another. */
function enrolPurpose(code: string): string {
  return `enrol ${toHex(sha256(utf8Bytes(code)))}`;
}

const knownTransports = ["ble", "hybrid", "internal", "nfc", "usb"] as const;

/** How an authenticator is reached, as far as it is one of the known ways. */
function transportsOf(names: readonly string[]): AuthenticatorTransport[] {
  return knownTransports.filter((known) => names.includes(known));
}

/** What the library finds wrong is one refusal: what exactly, helps only who tries. @throws DeskError */
async function orRefuse<Result>(verify: () => Promise<Result>): Promise<Result> {
  try {
    return await verify();
  } catch {
    throw new DeskError("passkey_refused");
  }
}
