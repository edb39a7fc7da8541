import { decode, encode, equalBytes } from "@latchkey/codec";
import {
  issuedTokenCodec,
  tokenAuthenticator,
  tokenInput,
  tokenKeyId,
  tokenKeysCodec,
  tokenRealms,
  voprfTokenType,
} from "@latchkey/protocol/tokens";
import type { TokenKeys, TokenOperation, TokenRealm } from "@latchkey/protocol/tokens";
import { ristretto255_oprf } from "@noble/curves/ed25519.js";
import { random, register } from "./accounts.ts";
import { TestClient } from "./test-client.ts";

const { voprf } = ristretto255_oprf;

/** A token that was given out and is not spent, as its owner has it. */
export interface OwnToken {
  readonly realm: TokenRealm;
  readonly nonce: Uint8Array;
  readonly secret: Uint8Array;
  readonly keyId: Uint8Array;
}

/** What the operator's label says of the issuer's keys, once it says something: a server publishes them when it has started. */
export async function shownKeys(lookup: TestClient<"lookup">): Promise<TokenKeys> {
  for (;;) {
    const answer = await lookup.ask({ kind: "lookup_operator", name: "tokens", knownValues: 0, knownSize: 0 });
    if (answer.kind !== "operator_value") throw new Error(answer.kind);
    const [value] = answer.value;
    if (value !== undefined) return decode(tokenKeysCodec, value);
  }
}

/** Has tokens given out on a device's connection, and verifies them by the keys that everybody is shown. */
export async function getTokens(device: TestClient<"device">, keys: TokenKeys, realms: readonly TokenRealm[]): Promise<OwnToken[]> {
  const nonces = realms.map(() => random(32));
  const inputs = realms.map((realm, i) => tokenInput(realm, nonces[i] ?? random(0)));
  const blinds = inputs.map((input) => voprf.blind(input));
  const answer = await device.ask({ kind: "issue_tokens", blinded: blinds.map(({ blinded }) => blinded) });
  if (answer.kind !== "tokens") throw new Error(answer.kind === "error" ? answer.code : answer.kind);
  const key = keys.days.find(({ day }) => day === answer.day);
  if (key === undefined) throw new Error("no such day");
  const items = blinds.map((blind, i) => ({ ...blind, input: inputs[i] ?? random(0), evaluated: answer.evaluated[i] ?? random(0) }));
  const secrets = voprf.finalizeBatch(items, key.publicKey, answer.proof);
  return realms.map((realm, i) => ({
    realm,
    nonce: nonces[i] ?? random(0),
    secret: secrets[i] ?? random(0),
    keyId: tokenKeyId(key.publicKey),
  }));
}

/** A token as it is spent. */
export function spend(token: OwnToken, use: { host: string; operation: TokenOperation; target: Uint8Array }): Uint8Array {
  const { host, operation, target } = use;
  const authenticator = tokenAuthenticator(token.secret, { redeemingHost: host, operation, target });
  return encode(issuedTokenCodec, { type: voprfTokenType, issuerHost: host, keyId: token.keyId, nonce: token.nonce, authenticator });
}

/** Takes the first of a realm out of a purse. */
export function take(purse: OwnToken[], operation: TokenOperation): OwnToken {
  const token = purse.find(({ realm }) => realm === tokenRealms[operation]);
  if (token === undefined) throw new Error("no such token left");
  purse.splice(
    purse.findIndex(({ nonce }) => equalBytes(nonce, token.nonce)),
    1,
  );
  return token;
}

/** Tokens of an account of its own on a server at this URL, whoever shows them: as many as the account is given. */
export class StrangersPurse {
  readonly #url: string;
  readonly #stock: OwnToken[] = [];
  #opening: Promise<{ device: TestClient<"device">; keys: TokenKeys; host: string }> | undefined;
  #filling: Promise<void> = Promise.resolve();
  #batches = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** A token for this, in bytes. @throws Error when the account is given none any more */
  async token(operation: TokenOperation, target: Uint8Array): Promise<Uint8Array> {
    const { host } = await (this.#opening ??= this.#open());
    // One after the other, so that none is taken twice.
    const filled = this.#filling.then(async () => {
      if (this.#stock.some(({ realm }) => realm === tokenRealms[operation])) return;
      const { device, keys } = await (this.#opening ??= this.#open());
      const realms = Array.from({ length: this.#batches++ < 2 ? 20 : 96 }, () => tokenRealms[operation]);
      this.#stock.push(...(await getTokens(device, keys, realms)));
    });
    const taken = filled.then(() => take(this.#stock, operation));
    this.#filling = taken.then(
      () => undefined,
      () => undefined,
    );
    return spend(await taken, { host, operation, target });
  }

  async #open(): Promise<{ device: TestClient<"device">; keys: TokenKeys; host: string }> {
    const lookup = await TestClient.connect(this.#url, "lookup");
    const { host } = lookup.hello;
    const { client: device } = await register({ url: this.#url, host }, `stranger-${Buffer.from(random(4)).toString("hex")}`);
    const keys = await shownKeys(lookup);
    lookup.socket.close();
    return { device, keys, host };
  }
}
