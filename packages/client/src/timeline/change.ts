import { equalBytes } from "@latchkey/codec";
import { ownDeletionMs } from "../api/limits.ts";
import { countedEdits } from "./fold.ts";
import type { Fact, Line, MessageParts } from "./line.ts";
import { noMentions } from "./line.ts";
import type { SpeakerMay } from "./said.ts";

/** Of each account's changes of one message so many count, the first in the log. */
export const maxFactsOfAccount = 64;
/** Accounts of whom it is told that they tried what they may not. */
const maxRefusedTold = 32;

/**
 * Does a change to the line that it is about: the line as it is then, or `undefined` for one that does not count. Pure; the same facts in any order
 * make the same line.
 */
export function applyFact(line: Line, fact: Fact, may: SpeakerMay): Line | undefined {
  const { message } = line;
  if (message === undefined || fact.order <= line.order || leavesNothing(line, fact)) return undefined;
  if (line.body.kind === "deleted")
    return fact.change.kind === "deletion" && mayApply(line, fact, may) ? deletedBy(line, message, fact) : undefined;
  if (!mayApply(line, fact, may)) return refuse(line, message, fact.author);
  if (fact.change.kind === "deletion") return deletedBy(line, message, fact);
  if (message.facts.some(({ id }) => equalBytes(id, fact.id))) return undefined;
  const facts = bounded(
    message,
    [...message.facts, fact].toSorted((a, b) => a.order - b.order),
    fact.author,
  );
  return facts.length === message.facts.length && !facts.includes(fact) ? undefined : { ...line, message: { ...message, facts } };
}

/** Whether it takes the words of a message that has nothing else (spec X-3). */
function leavesNothing({ body }: Line, { change }: Fact): boolean {
  return change.kind === "edit" && change.text === "" && body.kind === "text" && body.files === undefined;
}

/** Whether its author may do it to this line (spec ). */
function mayApply(line: Line, fact: Fact, may: SpeakerMay): boolean {
  const { author, body, message } = line;
  if (author === undefined || message === undefined) return false;
  const isAuthor = equalBytes(author, fact.author);
  switch (fact.change.kind) {
    case "edit":
      return isAuthor && body.kind === "text" && message.forwardedHops === 0;
    case "deletion":
      // Whoever may delete what others said is held up by no stamp of theirs.
      return may.deleteOthers || (isAuthor && isSoon(message.claimedAtMs, fact.claimedAtMs, ownDeletionMs));
    case "unreaction": {
      const { reaction } = fact.change;
      return message.facts.some(({ id, author: by }) => equalBytes(id, reaction) && equalBytes(by, fact.author));
    }
    case "reaction":
      return true;
    case "vote":
      return body.kind === "poll";
    case "poll_end":
      return body.kind === "poll" && (isAuthor || may.deleteOthers);
  }
}

/** Who claims no time hinders nobody by it: what they said may be deleted at any time. */
function isSoon(before: number | undefined, after: number | undefined, windowMs: number): boolean {
  return before === undefined || (after !== undefined && after - before <= windowMs);
}

/** Nothing of it stays but whose it was, where it stood, and who took it away: the first in the log, whichever came first here. */
function deletedBy(line: Line, message: MessageParts, fact: Fact): Line {
  const [earlier] = message.facts;
  const isLater = line.body.kind === "deleted" && earlier !== undefined && earlier.order < fact.order;
  const first = isLater ? earlier : fact;
  const { claimedAtMs, arrivedAtMs, device, sharedBy } = message;
  return {
    ...line,
    body: { kind: "deleted", account: first.author },
    message: {
      claimedAtMs,
      arrivedAtMs,
      device,
      inReplyTo: undefined,
      forwardedHops: 0,
      mentions: noMentions,
      facts: [first],
      refused: [],
      sharedBy,
    },
  };
}

function refuse(line: Line, message: MessageParts, account: Uint8Array): Line {
  const known = message.refused.find((one) => equalBytes(one.account, account));
  if (known === undefined && message.refused.length >= maxRefusedTold) return line;
  const others = message.refused.filter((one) => one !== known);
  return { ...line, message: { ...message, refused: [...others, { account, count: (known?.count ?? 0) + 1 }] } };
}

/** Of edits only those that count are kept: each may be as long as a message. */
function bounded(message: MessageParts, all: readonly Fact[], account: Uint8Array): readonly Fact[] {
  const edits = countedEdits(message, all);
  const facts = all.filter((fact) => fact.change.kind !== "edit" || edits.includes(fact));
  const theirs = facts.filter(({ author }) => equalBytes(author, account));
  const last = theirs[maxFactsOfAccount];
  return last === undefined ? facts : facts.filter((fact) => fact !== last);
}
