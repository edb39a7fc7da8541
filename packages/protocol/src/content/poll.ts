import { utf8Bytes } from "@latchkey/codec";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import { ContentError } from "./errors.ts";
import { maxSentAtMs } from "./head.ts";
import { dispositions } from "./mimi.ts";
import type { NestedPart } from "./mimi.ts";
import { textPart } from "./text.ts";

/** Most options of a poll (spec X-11). */
export const maxPollOptions = 12;
/** Fewest options of a poll. */
export const minPollOptions = 2;
/** Longest question of a poll, in UTF-16 units. */
export const maxPollQuestion = 300;
/** Longest option of a poll, in UTF-16 units. */
export const maxPollOption = 100;

/** A poll as its author asks it (spec X-11). */
export interface Poll {
  readonly question: string;
  readonly options: readonly string[];
  /** How many options one account may choose: 1 to the number of options. */
  readonly maxSelections: number;
  /** When its author wants it to end, milliseconds since 1970: what is said by whom is decided by the closing entry alone. */
  readonly endsAtMs: number | undefined;
}

export const pollType = "application/vnd.latchkey.poll+cbor";
export const voteType = "application/vnd.latchkey.vote+cbor";
export const pollEndType = "application/vnd.latchkey.poll-end";

/** A poll's body: the poll itself, and beside it what a program reads that knows no polls. @throws ContentError `malformed` outside of the bounds */
export function pollPart(poll: Poll): NestedPart {
  if (!isPoll(poll)) throw new ContentError("malformed", "a poll has a question and 2 to 12 different options");
  const { render, unspecified } = dispositions;
  const fields = [poll.question, [...poll.options], poll.maxSelections, poll.endsAtMs ?? null];
  const fallback = [poll.question, "", ...poll.options.map((option, at) => `${String(at + 1)}. ${option}`)].join("\n");
  return {
    kind: "multi",
    disposition: render,
    language: "",
    semantics: "chooseOne",
    parts: [
      { kind: "single", disposition: unspecified, language: "", contentType: pollType, content: encodeCbor(fields) },
      textPart(fallback),
    ],
  };
}

/** The poll that a body is, if it is one. */
export function pollOf(body: NestedPart): Poll | undefined {
  if (body.kind !== "multi" || body.semantics !== "chooseOne") return undefined;
  const [first] = body.parts;
  if (first?.kind !== "single" || first.contentType !== pollType) return undefined;
  const fields = cborOf(first.content);
  if (!Array.isArray(fields) || fields.length !== 4) return undefined;
  const [question, options, maxSelections, endsAtMs]: unknown[] = fields;
  if (typeof question !== "string" || !Array.isArray(options) || typeof maxSelections !== "number") return undefined;
  if (!options.every((option) => typeof option === "string")) return undefined;
  if (endsAtMs !== null && typeof endsAtMs !== "number") return undefined;
  const poll = { question, options, maxSelections, endsAtMs: endsAtMs ?? undefined };
  return isPoll(poll) ? poll : undefined;
}

/** The body of a vote: the options by their places, each once, in ascending order; none takes an earlier vote back. */
export function votePart(options: readonly number[]): NestedPart {
  const { reaction } = dispositions;
  return { kind: "single", disposition: reaction, language: "", contentType: voteType, content: encodeCbor([...options]) };
}

/** What a vote chooses; `undefined` for anything but different places in ascending order. Whether the poll has them is for its reader. */
export function voteOf(content: Uint8Array): readonly number[] | undefined {
  const options = cborOf(content);
  if (!Array.isArray(options) || options.length > maxPollOptions) return undefined;
  const isAscending = options.every(
    (option, at) => typeof option === "number" && Number.isSafeInteger(option) && option >= 0 && (at === 0 || option > options[at - 1]),
  );
  return isAscending ? options : undefined;
}

function isPoll({ question, options, maxSelections, endsAtMs }: Poll): boolean {
  const isText = (text: string, max: number): boolean => text.trim().length > 0 && text.length <= max && utf8Bytes(text).length <= 4 * max;
  return (
    isText(question, maxPollQuestion) &&
    options.length >= minPollOptions &&
    options.length <= maxPollOptions &&
    options.every((option) => isText(option, maxPollOption)) &&
    new Set(options).size === options.length &&
    Number.isSafeInteger(maxSelections) &&
    maxSelections >= 1 &&
    maxSelections <= options.length &&
    (endsAtMs === undefined || (Number.isSafeInteger(endsAtMs) && endsAtMs >= 0 && endsAtMs <= maxSentAtMs))
  );
}

function cborOf(bytes: Uint8Array): unknown {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}
