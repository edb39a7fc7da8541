import { equalBytes, toBase64Url } from "@latchkey/codec";
import { epoch } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import { conversationKinds, decodeContent, maxHistoryAccounts } from "@latchkey/protocol";
import type { DecodedHead, GroupSettings, HistoryGiven, LatchkeyGroup } from "@latchkey/protocol";
import { isEvidenceKept } from "./evidence.ts";
import type { PastEffect, PastEntry } from "./past-effect.ts";
import { standingOf } from "./proven.ts";
import { holds } from "./rights.ts";
import { addLine, dropOutgoing, nextOrder } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { ConversationState, DeviceReference, Effect, Outgoing, Roster, RosterLeaf } from "./types.ts";

const kinds: ReadonlySet<string> = new Set<PastEffect["kind"]>(["past", "past_author", "give_history", "giving_history", "history_given"]);

/** Whether an effect is about what joiners are given. */
export function isPast(effect: Effect): effect is PastEffect {
  return kinds.has(effect.kind);
}

/** Whether what is said under these settings may be shown to those who join later (spec R-5). */
export function isForJoiners(settings: Pick<GroupSettings, "rights"> & Pick<LatchkeyGroup, "conversationKind">): boolean {
  return settings.conversationKind === conversationKinds.group && settings.rights.history !== "off";
}

function mayBeShown({ roster }: ConversationState): boolean {
  return roster !== undefined && isForJoiners(roster.settings);
}

/** Keeps what shows joiners that this entry stands at its place, where its epoch's settings let them be shown anything (spec R-5). */
export function keepEntry(turn: Turn, entry: PastEntry): void {
  if (mayBeShown(turn.state)) turn.effects.push({ kind: "past", entry, opening: turn.state.opening });
}

/** Keeps what proves to joiners who wrote the entry at the end of the chain, whatever it says: so nothing can be left out unseen. */
export function keepAuthor(turn: Turn, order: number, { accountId, deviceId }: DeviceReference, evidence: MessageEvidence): void {
  const { group, chain } = turn.state;
  if (!mayBeShown(turn.state) || group === undefined) return;
  const isExtra = !isEvidenceKept(turn, order);
  if (isExtra) turn.effects.push({ kind: "evidence", order, epoch: Number(epoch(group)), evidence });
  turn.effects.push({ kind: "past_author", seq: chain.seq, order, author: { accountId, deviceId }, isExtra });
}

/** Whether an account may give joiners what was said before, by the settings of the epoch. */
export function mayGive(roster: Roster, account: string): boolean {
  return isForJoiners(roster.settings) && holds(roster, account, roster.settings.rights.shareHistory);
}

/** Gives those whom one's own commit added what was said before, where this account may (spec R-5). Called in the epoch that they joined in. */
export function giveHistory(turn: Turn, before: Roster): void {
  const { roster, chain } = turn.state;
  if (roster?.own === undefined || !mayGive(roster, roster.own.account)) return;
  const joined = [...roster.accounts].filter(([account]) => !before.accounts.has(account));
  const accounts = joined.flatMap(([, leaves]) => leaves.slice(0, 1).map((leaf) => leaf.accountId));
  if (accounts.length > 0)
    turn.effects.push({ kind: "give_history", joinedSeq: chain.seq, accounts: accounts.slice(0, maxHistoryAccounts) });
}

/** What is given waits to be sent from now on. */
export function tellGiving(turn: Turn, { content }: Pick<Outgoing, "content">): void {
  const decoded = decodeContent(content);
  if (decoded.kind === "history") turn.effects.push({ kind: "giving_history", joinedSeq: decoded.joinedSeq });
}

/** What was to be given lies on the server no more: it is written anew. Whether the entry gave anything. */
export function giveAgain(turn: Turn, entryId: Uint8Array | undefined): boolean {
  const { outgoing } = turn.state;
  const message = outgoing.find(({ purpose, sealed }) => purpose === "history" && isSame(sealed?.entryId, entryId));
  const content = message === undefined ? undefined : decodeContent(message.content);
  if (content?.kind !== "history") return false;
  dropOutgoing(turn, (item) => item === message);
  const { joinedSeq, accounts } = content;
  turn.effects.push({ kind: "give_history", joinedSeq, accounts: accounts.map((account) => account.slice()) });
  return true;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && equalBytes(a, b);
}

/**
 * A member gave joiners what was said before: everybody reads that they did, as far as they may at this place in the log; a device of whom it is
 * for looks at it (spec R-5).
 */
export function hearHistory(turn: Turn, author: RosterLeaf, { sentAtMs }: Pick<DecodedHead, "sentAtMs">, given: HistoryGiven): void {
  const { roster, group, joinedSeq } = turn.state;
  const standing = standingOf(turn, author);
  const order = nextOrder(turn);
  if (roster === undefined || group === undefined || standing === "departed") return;
  if (!tellGiven(turn, { author, sentAtMs, acceptedAtMs: 0 }, given)) return;
  const { accountId } = turn.context.self;
  const isForMe = given.joinedSeq === joinedSeq && given.accounts.some((account) => equalBytes(account, accountId));
  if (!isForMe) return;
  const { blobId, key, hash, sizeBytes } = given.archive;
  const archive = { blobId: blobId.slice(), key: key.slice(), hash: hash.slice(), sizeBytes };
  turn.effects.push({
    kind: "history_given",
    order,
    epoch: Number(epoch(group)),
    author: author.accountId,
    given: { joinedSeq, accounts: [accountId], archive },
  });
}

/** The line that tells everybody which members were given what was said before, or that its author may not do so there. Whether they may. */
export function tellGiven(
  turn: Turn,
  said: {
    readonly author: Pick<RosterLeaf, "account" | "accountId">;
    readonly sentAtMs: number | undefined;
    readonly acceptedAtMs: number;
  },
  { accounts }: HistoryGiven,
): boolean {
  const { roster } = turn.state;
  if (roster === undefined) return false;
  const { author, ...times } = said;
  const isPermitted = mayGive(roster, author.account);
  const members = accounts.filter((account) => roster.accounts.has(toBase64Url(account))).map((account) => account.slice());
  const body = isPermitted ? ({ kind: "history_given", accounts: members } as const) : ({ kind: "unpermitted" } as const);
  if (!isPermitted || members.length > 0) addLine(turn, { ...times, order: nextOrder(turn), author: author.accountId, body });
  return isPermitted;
}
