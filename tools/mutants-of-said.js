// The part of the catalogue that is about receipts, signals, what was deleted and what a person sets for themselves (see mutants-catalogue.js).
import { of } from "./mutation.js";

const client = "packages/client/src";
const server = "packages/server/src";

/** Mutations of what people see of each other, and of what they decide for themselves. */
export const saidMutants = [
  ...of(
    `${client}/receipts/receipts.ts`,
    [`${client}/receipts/receipts.test.ts`],
    [
      ["a receipt that stands before its message (X-12)", " && place.order < order", ""],
      ["a receipt that takes something back (X-12)", "Math.max(before.read, order)", "order"],
    ],
  ),
  ...of(
    `${client}/receipts/sending.ts`,
    [`${client}/receipts/sending.test.ts`],
    [
      ["a large group in which everybody says what they read (R-3)", "accounts > 1 && accounts <= maxReceiptAccounts", "accounts > 1"],
      ["receipts to who is not accepted (X-12)", 'this.#world.standings.of(state.peer) !== "accepted"', "false"],
      ["what another device of one's own said already (X-12)", "if ((known?.[status] ?? 0) >= newest.order) return;", ""],
    ],
  ),
  ...of(
    `${client}/signals/typing.ts`,
    [`${client}/signals/signals.test.ts`],
    [
      ["a signal that comes again (E-102)", " || sentAtMs <= (this.#stamps.get(leafIndex) ?? -1)", ""],
      ["somebody who types for ever (N-1)", "untilMs <= nowMs || ", ""],
    ],
  ),
  ...of(
    `${server}/logs/log-service.ts`,
    [`${server}/logs/signals.test.ts`],
    [
      ["a signal by who has not opened the epoch (N-1)", 'if (!from.hasOpened(signal.epochId)) throw new Refusal("wrong_access_key");', ""],
      ["a signal of an epoch that has ended (N-1)", " || log.ended.has(signal.epochId)", ""],
    ],
  ),
  ...of(
    `${client}/timeline/brake.ts`,
    [`${client}/timeline/timeline.test.ts`],
    [
      ["the brake (X-4)", "if (recent.length >= maxDeletions) return false;", ""],
      [
        "deletions that fill the store (X-4)",
        "heldPrefix(conversationId, said.author) + orderSegment(order)",
        "heldPrefix(conversationId, said.author) + orderSegment(said.order)",
      ],
    ],
  ),
  ...of(
    `${client}/timeline/waiting.ts`,
    [`${client}/timeline/timeline.test.ts`],
    [["large changes that wait (E-314)", "count + Math.ceil(encoded.length / countedBytes)", "count + 1"]],
  ),
  ...of(
    `${client}/engine/chores.ts`,
    [`${client}/engine/chores.test.ts`],
    [["what is erased in parts, behind the first (E-314)", "if (isAll || isStopped) return;", "return;"]],
  ),
  ...of(
    `${server}/backup/s3-place.ts`,
    [`${server}/backup/places.test.ts`],
    [["a bucket that gives back other bytes", 'if (hash.digest("hex") !== file.sha256) {', "if (false) {"]],
  ),
];
