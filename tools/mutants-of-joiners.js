// The part of the catalogue that is about what joiners are given of what was said before (see mutants-catalogue.js).
import { of } from "./mutation.js";

const folder = "packages/client/src/shared-history";
const tests = [`${folder}/verify.test.ts`, `${folder}/given.test.ts`];

/** Mutations of what a joiner verifies, and of what a giver leaves out. */
export const joinerMutants = [
  ...of(`${folder}/verify.ts`, tests, [
    ["entries that lead to another head (E-120)", "return equalBytes(head, joined.head);", "return true;"],
    [
      "a span that ends elsewhere (E-120)",
      " || firstSeq + entries.length - 1 !== joined.seq",
      "",
      "each leaf of the chain has its entry's seq, so that a span that ends elsewhere leads to another head; this spares the hashing",
    ],
    ["a message at an entry that is none (E-120)", ' || entries[at]?.kind !== "message"', ""],
    ["two messages at one entry (E-120)", "at <= before || ", ""],
    ["a device that is nobody's (E-120)", 'if (standing === "unknown") return undefined;', ""],
    ["a message of another group (E-120)", "!equalBytes(proven.groupId, joined.groupId) || ", ""],
    ["settings that nobody signed (E-121)", "if (!opens(sha256, joined.logId, group, opening)) return undefined;", ""],
    ["what was said while newcomers were to see nothing (R-5)", " || !isForJoiners(settings)", ""],
    ["an epoch of the log that is two of the group (E-120)", "if (!isSame && !isLater) return false;", ""],
    ["a message that was said after one came (E-120)", "past.epoch >= joined.epoch || ", ""],
    ["numbers that do not rise (E-120)", " || !isNext", ""],
    ["a message before what its author had seen (E-120)", " || !isBefore(said.seen)", ""],
    ["a leaf with two devices (E-120)", "holder !== message.author || ", ""],
    ["a message that is left out unseen (E-120)", "return open === undefined ? gaps : [...gaps, open];", "return gaps;"],
  ]),
  ...of(`${folder}/write.ts`, tests, [
    ["words of somebody who is blocked (R-5)", " || isBlocked(author.accountId)", ""],
    ["a timed message (R-5)", "if (!isHere || isTimed || isOnce) return undefined;", "if (!isHere || isOnce) return undefined;"],
    ["a deleted message (R-5)", "if (!isHere || isTimed || isOnce) return undefined;", "if (isTimed || isOnce) return undefined;"],
    [
      "what is to be seen once (R-5, X-8)",
      "if (!isHere || isTimed || isOnce) return undefined;",
      "if (!isHere || isTimed) return undefined;",
    ],
    ["what was done to what is not shown (R-5)", "return target === undefined || shown.has(toBase64Url(target));", "return true;"],
    ["more than the policy says (R-5)", " || spoken > messages", ""],
    ["older than the policy says (R-5)", " || nowMs - entry.atMs > ms", ""],
  ]),
  ...of("packages/client/src/core/past.ts", tests, [
    ["given by who may not (E-122)", "return isPermitted;\n}", "return true;\n}"],
    ["given at another joining (E-122)", "given.joinedSeq === joinedSeq && ", ""],
    ["given to somebody else (E-122)", " && given.accounts.some((account) => equalBytes(account, accountId))", ""],
    ["a receipt without evidence (R-5)", "if (isExtra) turn.effects.push", "if (false) turn.effects.push"],
  ]),
  ...of(`${folder}/tasks.ts`, tests, [
    ["archives without end (E-122)", "givers.length >= maxGiven || ", ""],
    ["one member's archives again and again (E-122)", " || givers.some((giver) => equalBytes(giver, author))", ""],
  ]),
];
