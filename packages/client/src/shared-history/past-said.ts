import { equalBytes, toBase64Url } from "@latchkey/codec";
import { isSpeech, mayOf, mentionsOf, saidBodyOf } from "../core/speak.ts";
import type { Roster, RosterLeaf } from "../core/types.ts";
import { entryOrder } from "../core/order.ts";
import { targetOf } from "../timeline/said.ts";
import type { Said } from "../timeline/said.ts";
import type { ProvenPast } from "./verify.ts";

/** For whom what was said is made ready, and who gave it. */
export interface Reading {
  readonly host: string;
  readonly groupId: Uint8Array;
  readonly self: Uint8Array;
  readonly sharedBy: Uint8Array;
  readonly nowMs: number;
  /** Accounts that are in the group now. */
  readonly members: Iterable<string>;
}

/** How far a sender's clock may be ahead of this device's. */
const mostAheadMs = 86_400_000;

/**
 * What members said, for the timeline, as everybody had it who was there: with the rights by the settings that its author signed. Who was in the
 * group nobody signed: the rank of those with a role counts as there, and members now, but this person, and those who spoke can be mentioned.
 * Changes of what is not shown are nothing.
 */
export function pastSaid(past: readonly ProvenPast[], reading: Reading): readonly Said[] {
  const { host, groupId, self, sharedBy, nowMs } = reading;
  const named = new Set([...reading.members, ...past.map(({ author }) => toBase64Url(author.accountId))]);
  named.delete(toBase64Url(self));
  const shown = new Set<string>();
  const said: Said[] = [];
  for (const { seq, author, isDeparted, content, id, settings } of past) {
    if (content.kind === "malformed" || !isSpeech(content)) continue;
    const body = saidBodyOf(content);
    const target = targetOf(body);
    if (target !== undefined && !shown.has(toBase64Url(target))) continue;
    shown.add(toBase64Url(id));
    const account = toBase64Url(author.accountId);
    const of = { account };
    const ranked = {
      host,
      groupId,
      roster: rosterOf(
        settings,
        settings.roles.map(({ accountId }) => toBase64Url(accountId)),
      ),
    };
    const { sentAtMs: claimedAtMs } = content;
    said.push({
      order: entryOrder(seq),
      id,
      author: author.accountId.slice(),
      device: isDeparted
        ? { deviceId: author.deviceId.slice(), signaturePublicKey: author.signaturePublicKey.slice(), isDeparted }
        : undefined,
      claimedAtMs,
      sentAtMs: claimedAtMs === undefined || claimedAtMs > nowMs + mostAheadMs ? nowMs : claimedAtMs,
      arrivedAtMs: nowMs,
      acceptedAtMs: equalBytes(author.accountId, self) ? nowMs : 0,
      body,
      inReplyTo: content.inReplyTo?.slice(),
      forwardedHops: content.forwardedHops,
      mentions: {
        accounts: mentionsOf({ host, groupId, roster: rosterOf(settings, named) }, of, content).accounts,
        all: mentionsOf(ranked, of, content).all,
      },
      may: mayOf(ranked, of),
      sharedBy,
    });
  }
  return said;
}

const none: ReadonlyMap<number, RosterLeaf> = new Map();

/** A group as far as its settings and these accounts are known. */
function rosterOf(settings: ProvenPast["settings"], accounts: Iterable<string>): Roster {
  return { leaves: none, accounts: new Map([...accounts].map((account) => [account, []])), settings, own: undefined };
}
