import { toBase64Url } from "@latchkey/codec";
import type { ConversationState } from "../core/types.ts";
import type { Mentions } from "../timeline/line.ts";
import type { PeerToken } from "./peer-tokens.ts";

/** In a larger group only those are woken whom a message is for (spec R-8), and nothing is written for the sake of a token. */
export const smallDevices = 100;

/** For whom messages were: of several that are told at once all of them. */
export interface Meant {
  readonly mentions: Mentions;
  /** Those whose messages they answer, in base64url. */
  readonly answered: readonly string[];
}

/**
 * What wakes the devices that messages are for: of the members of now, whose account is at the host that it names, and not of one's own
 * account, which knows what it said.
 */
export function tokensFor(
  roster: ConversationState["roster"],
  tokens: readonly PeerToken[],
  { mentions, answered }: Meant,
): readonly PeerToken[] {
  if (roster === undefined) return [];
  const named = new Set([...mentions.accounts.map((account) => toBase64Url(account)), ...answered]);
  const isForAll = mentions.all || roster.leaves.size <= smallDevices;
  return tokens.filter(({ account, deviceId, host }) => {
    if (account === roster.own?.account || !(isForAll || named.has(account))) return false;
    return roster.accounts.get(account)?.some((leaf) => leaf.host === host && toBase64Url(leaf.deviceId) === deviceId) === true;
  });
}
