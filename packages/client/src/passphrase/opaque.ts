import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { client, ready } from "@serenity-kit/opaque";
import type { Opaque } from "./types.ts";

/** This device could not compute: for want of memory, or where WebAssembly is not let run. It says nothing of the passphrase. */
export class CannotCompute extends Error {
  override readonly name: string = "CannotCompute";
  readonly code = "cannot_compute";

  constructor(cause: unknown) {
    super("This device could not compute with the passphrase, which takes 64 MiB of memory: that does not say whether it is right.", {
      cause,
    });
  }
}

/**
 * OPAQUE's client side (RFC 9807: ristretto255-SHA512, 3DH, Argon2id with 64 MiB, three passes, four lanes), on the thread that calls it: each
 * `finish` keeps it busy for a second or two. Begins with compiling WebAssembly, which a page whose policy forbids that cannot do. Each throws
 * `CannotCompute` where the device could not.
 */
export const opaqueHere: Opaque = {
  startRegistration: (passphrase) =>
    compute(() => {
      const { clientRegistrationState, registrationRequest } = client.startRegistration({ password: passphrase });
      return { state: clientRegistrationState, request: fromBase64Url(registrationRequest) };
    }),
  finishRegistration: ({ passphrase, state, response, names }) =>
    compute(() => {
      const finished = orNothing(() =>
        client.finishRegistration({
          password: passphrase,
          clientRegistrationState: state,
          registrationResponse: toBase64Url(response),
          identifiers: { client: names.account, server: names.host },
          keyStretching,
        }),
      );
      return finished && { record: fromBase64Url(finished.registrationRecord), exportKey: fromBase64Url(finished.exportKey) };
    }),
  startLogin: (passphrase) =>
    compute(() => {
      const { clientLoginState, startLoginRequest } = client.startLogin({ password: passphrase });
      return { state: clientLoginState, ke1: fromBase64Url(startLoginRequest) };
    }),
  finishLogin: ({ passphrase, state, ke2, names }) =>
    compute(() => {
      const finished = orNothing(() =>
        client.finishLogin({
          password: passphrase,
          clientLoginState: state,
          loginResponse: toBase64Url(ke2),
          identifiers: { client: names.account, server: names.host },
          keyStretching,
        }),
      );
      return finished && { ke3: fromBase64Url(finished.finishLoginRequest), exportKey: fromBase64Url(finished.exportKey) };
    }),
};

/** The second recommendation of RFC 9106, for devices with little memory. */
const keyStretching = "memory-constrained";

async function compute<T>(work: () => T): Promise<T> {
  try {
    await ready;
    return work();
  } catch (cause) {
    throw new CannotCompute(cause);
  }
}

/** The library throws a plain Error at whatever is no message of the protocol; WebAssembly, for want of memory, a RuntimeError or RangeError. */
function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && error.name === "Error") return undefined;
    throw error;
  }
}
