import { compareBytes, equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { maxReactions } from "@latchkey/protocol";
import { editWindowMs, maxEdits } from "../api/limits.ts";
import type { Fact, Line, Mentions, MessageParts } from "./line.ts";

/** Different emoji shown of one message (spec X-6). */
export const maxReactionsShown = 64;

/** One version of a text. */
export interface Version {
  readonly id: Uint8Array;
  readonly text: string;
  readonly mentions: Mentions;
  readonly claimedAtMs: number | undefined;
  readonly arrivedAtMs: number;
}

/** Who chose an emoji, first first. */
export interface Reaction {
  readonly emoji: string;
  readonly accounts: readonly Uint8Array[];
}

/** A message as it is after everything that counts was done to it. */
export interface Folded {
  /** Of a text, the first one first; of anything else none. */
  readonly versions: readonly Version[];
  readonly reactions: readonly Reaction[];
  /** For each option of a poll who chose it. */
  readonly votes: readonly (readonly Uint8Array[])[];
  readonly isClosed: boolean;
}

/**
 * What the facts of a line make of it. A function of the set of facts and their places: in which order they came to this device changes
 * nothing (spec X-5).
 */
export function fold(line: Line): Folded {
  const facts = inOrder(line);
  return { versions: versionsIn(line, facts), reactions: reactionsOf(facts), ...pollOf(line, facts) };
}

/** The versions of a text alone, as `fold` has them. */
export function versionsOf(line: Line): readonly Version[] {
  return versionsIn(line, inOrder(line));
}

function inOrder(line: Line): readonly Fact[] {
  return (line.message?.facts ?? []).toSorted((a, b) => a.order - b.order);
}

function versionsIn(line: Line, facts: readonly Fact[]): readonly Version[] {
  const { body, message, id } = line;
  if (body.kind !== "text" || message === undefined) return [];
  const { claimedAtMs, arrivedAtMs, mentions } = message;
  const versions: Version[] = [{ id: fromBase64Url(id), text: body.text, mentions, claimedAtMs, arrivedAtMs }];
  for (const fact of countedEdits(message, facts)) {
    const { change, id: versionId, claimedAtMs: claimed, arrivedAtMs: arrived } = fact;
    if (change.kind !== "edit") continue;
    versions.push({ id: versionId, claimedAtMs: claimed, arrivedAtMs: arrived, text: change.text, mentions: change.mentions });
  }
  return versions;
}

/** The edits of a message that count, of facts in the order of the log: those in time, the first ten of them (spec X-3). */
export function countedEdits({ claimedAtMs }: Pick<MessageParts, "claimedAtMs">, facts: readonly Fact[]): readonly Fact[] {
  const isInTime = (fact: Fact): boolean => fact.change.kind === "edit" && isWithin(claimedAtMs, fact.claimedAtMs, editWindowMs);
  return facts.filter((fact) => isInTime(fact)).slice(0, maxEdits);
}

/** Whether the later stamp is at most so long after the earlier one; never where one is missing. */
function isWithin(before: number | undefined, after: number | undefined, windowMs: number): boolean {
  return before !== undefined && after !== undefined && after - before <= windowMs;
}

/** Of each account what it chose and did not take back, at most six different (spec X-6). */
function reactionsOf(facts: readonly Fact[]): readonly Reaction[] {
  // By emoji, then by account: the ids of the reactions that say it.
  const chosen: Chosen = new Map();
  const counts = new Map<string, number>();
  for (const { author, id, change } of facts) {
    const account = toBase64Url(author);
    if (change.kind === "unreaction") {
      takeBack(chosen, account, change.reaction);
      counts.set(account, countOf(chosen, account));
    }
    if (change.kind !== "reaction") continue;
    for (const emoji of change.emoji) {
      const accounts = chosen.get(emoji);
      const known = accounts?.get(account);
      const count = counts.get(account) ?? 0;
      if (known !== undefined) known.ids.push(id);
      else if (count < maxReactions) {
        const first = { account: author, ids: [id] };
        if (accounts === undefined) chosen.set(emoji, new Map([[account, first]]));
        else accounts.set(account, first);
        counts.set(account, count + 1);
      }
    }
  }
  return [...chosen]
    .map(([emoji, accounts]) => ({ emoji, accounts: [...accounts.values()].map(({ account }) => account) }))
    .slice(0, maxReactionsShown);
}

type Chosen = Map<string, Map<string, { readonly account: Uint8Array; readonly ids: Uint8Array[] }>>;

function countOf(chosen: Chosen, account: string): number {
  return [...chosen.values()].filter((accounts) => accounts.has(account)).length;
}

function takeBack(chosen: Chosen, account: string, reaction: Uint8Array): void {
  for (const [emoji, accounts] of chosen) {
    const known = accounts.get(account);
    if (known === undefined) continue;
    const ids = known.ids.filter((id) => !equalBytes(id, reaction));
    if (ids.length > 0) accounts.set(account, { ...known, ids });
    else accounts.delete(account);
    if (accounts.size === 0) chosen.delete(emoji);
  }
}

/** Of each account the newest vote before the end; one for options that are not there, or for too many, chooses nothing (spec X-11). */
function pollOf({ body }: Line, facts: readonly Fact[]): Pick<Folded, "votes" | "isClosed"> {
  if (body.kind !== "poll") return { votes: [], isClosed: false };
  const end = facts.find(({ change }) => change.kind === "poll_end");
  const newest = new Map<string, { readonly author: Uint8Array; readonly options: readonly number[] }>();
  for (const { author, change, order } of facts) {
    if (change.kind !== "vote" || (end !== undefined && order > end.order)) continue;
    const isValid = change.options.length <= body.maxSelections && change.options.every((option) => option < body.options.length);
    newest.set(toBase64Url(author), { author, options: isValid ? change.options : [] });
  }
  const votes = body.options.map((_, at) => [...newest.values()].filter(({ options }) => options.includes(at)).map(({ author }) => author));
  return { votes: votes.map((accounts) => accounts.toSorted(compareBytes)), isClosed: end !== undefined };
}
