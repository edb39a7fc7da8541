import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { client, ready } from "@serenity-kit/opaque";
import type { Opaque } from "./types.ts";

/**
 * OPAQUE's client side (RFC 9807: ristretto255-SHA512, 3DH, Argon2id with 64 MiB, three passes, four lanes), on the thread that calls it: each
 * `finish` keeps it busy for a second or two. Begins with compiling WebAssembly, which a page whose policy forbids that cannot do.
 */
export const opaqueHere: Opaque = {
  async startRegistration(passphrase) {
    await ready;
    const { clientRegistrationState, registrationRequest } = client.startRegistration({ password: passphrase });
    return { state: clientRegistrationState, request: fromBase64Url(registrationRequest) };
  },
  async finishRegistration({ passphrase, state, response, names }) {
    await ready;
    try {
      const finished = client.finishRegistration({
        password: passphrase,
        clientRegistrationState: state,
        registrationResponse: toBase64Url(response),
        identifiers: { client: names.account, server: names.host },
        keyStretching,
      });
      return { record: fromBase64Url(finished.registrationRecord), exportKey: fromBase64Url(finished.exportKey) };
    } catch {
      return undefined;
    }
  },
  async startLogin(passphrase) {
    await ready;
    const { clientLoginState, startLoginRequest } = client.startLogin({ password: passphrase });
    return { state: clientLoginState, ke1: fromBase64Url(startLoginRequest) };
  },
  async finishLogin({ passphrase, state, ke2, names }) {
    await ready;
    try {
      const finished = client.finishLogin({
        password: passphrase,
        clientLoginState: state,
        loginResponse: toBase64Url(ke2),
        identifiers: { client: names.account, server: names.host },
        keyStretching,
      });
      return finished && { ke3: fromBase64Url(finished.finishLoginRequest), exportKey: fromBase64Url(finished.exportKey) };
    } catch {
      return undefined;
    }
  },
};

/** The second recommendation of RFC 9106, for devices with little memory. */
const keyStretching = "memory-constrained";
