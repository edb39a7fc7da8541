/** Whose passphrase it is: bound into what OPAQUE makes. */
export interface PassphraseNames {
  /** The account's id, base64url. */
  readonly account: string;
  readonly host: string;
}

/** OPAQUE's client side (RFC 9807). `state` is a secret of this device between the two halves. Each passphrase as `normalPassphrase` has it. */
export interface Opaque {
  startRegistration(passphrase: string): Promise<{ readonly state: string; readonly request: Uint8Array }>;
  /** `undefined` for a response that is none. */
  finishRegistration(params: {
    passphrase: string;
    state: string;
    response: Uint8Array;
    names: PassphraseNames;
  }): Promise<{ readonly record: Uint8Array; readonly exportKey: Uint8Array } | undefined>;
  startLogin(passphrase: string): Promise<{ readonly state: string; readonly ke1: Uint8Array }>;
  /** `undefined` for another passphrase, an account without one, and a response that is none: nobody can tell which. */
  finishLogin(params: {
    passphrase: string;
    state: string;
    ke2: Uint8Array;
    names: PassphraseNames;
  }): Promise<{ readonly ke3: Uint8Array; readonly exportKey: Uint8Array } | undefined>;
}
