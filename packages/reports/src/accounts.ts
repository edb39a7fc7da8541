import { decode, equalBytes } from "@latchkey/codec";
import { accountStateCodec, deviceIdOf, signedCodec, stateHashOf, TransparencyError, verifyAccountChain } from "@latchkey/transparency";
import type { AccountState, Signatures } from "@latchkey/transparency";
import { verdictOn } from "./claims.ts";
import type { Verdict } from "./claims.ts";
import type { ItemSender, ShownAccount } from "./report.ts";

/** One verified state of an account's history. */
export interface KnownState {
  readonly state: AccountState;
  /** `stateHashOf` its body. */
  readonly hash: Uint8Array;
}

/** The history of an account as the desk's own directory has it, from genesis on; `undefined` of one that is not there. */
export type AccountHistory = (accountId: Uint8Array) => Promise<readonly KnownState[] | undefined>;

/** The states of an encoded chain that is verified already. */
export function knownStates(signedStates: readonly Uint8Array[]): readonly KnownState[] {
  return signedStates.map((signed) => {
    const { body } = decode(signedCodec, signed);
    return { state: decode(accountStateCodec, body), hash: stateHashOf(body) };
  });
}

/**
 * The history of an account of another host, by the states that the report shows: they certify themselves, from the id on. That they are
 * the newest, or the only ones, is not said by them. `undefined` where they do not hold.
 */
export async function shownHistory(shown: ShownAccount, signatures: Signatures): Promise<readonly KnownState[] | undefined> {
  try {
    const { states, pops } = shown;
    const account = await verifyAccountChain({ previous: undefined, signedStates: states, pops, signatures });
    return equalBytes(account.accountId, shown.accountId) ? knownStates(states) : undefined;
  } catch (error) {
    if (error instanceof TransparencyError) return undefined;
    throw error;
  }
}

/** Whether the key that signed a message is that of the device that it is said to be, in the version of the account that the message names. */
export function judgeAuthor(params: {
  readonly sender: ItemSender;
  readonly key: Uint8Array;
  readonly said: { readonly accountVersion: number; readonly accountChain: Uint8Array };
  readonly history: readonly KnownState[] | undefined;
}): Verdict<"author"> {
  const { sender, key, said, history } = params;
  if (!equalBytes(deviceIdOf(key), sender.deviceId)) return verdictOn("author", "contradicted", "the key is another device's");
  if (history === undefined) return verdictOn("author", "not-proved", "the account is not known here");
  const known = history.find(({ state }) => state.version === said.accountVersion);
  if (known === undefined) return verdictOn("author", "not-proved", "this version of the account is not known here");
  if (!equalBytes(known.hash, said.accountChain)) return verdictOn("author", "contradicted", "the message names another account");
  if (known.state.host !== sender.host) return verdictOn("author", "contradicted", "the account is of another host");
  const device = known.state.devices.find(({ deviceId }) => equalBytes(deviceId, sender.deviceId));
  const isIts = device !== undefined && equalBytes(device.signatureKey, key);
  return isIts ? verdictOn("author", "proved") : verdictOn("author", "contradicted", "the account had no such device");
}
