import type { Message, ReportFileChoice, ReportParams } from "@latchkey/client";

/** What a reporter chose to show: what they complain of, and what only makes it understood. */
export interface ReportChoice {
  readonly complained: ReadonlySet<string>;
  readonly beside: ReadonlySet<string>;
}

/** How a message is shown, if it is. */
export type Part = "complained" | "beside" | "none";

/** The part that a message has in a choice. */
export function partIn({ complained, beside }: ReportChoice, id: string): Part {
  return complained.has(id) ? "complained" : beside.has(id) ? "beside" : "none";
}

/** Messages around those that are complained of that can be chosen. */
export const choicesAround = 12;

/** The beginning: all that were chosen of one person, and nothing beside them. */
export function choiceOf(messages: readonly Message[], accusedId: string): ReportChoice {
  return {
    complained: new Set(messages.filter(({ author }) => author?.accountId === accusedId).map(({ id }) => id)),
    beside: new Set(messages.filter(({ author }) => author !== undefined && author.accountId !== accusedId).map(({ id }) => id)),
  };
}

/** The choice with a message as it is to be: complained of, shown beside, or not shown. */
export function withMessage(choice: ReportChoice, id: string, as: Part): ReportChoice {
  const complained = new Set(choice.complained);
  const beside = new Set(choice.beside);
  complained.delete(id);
  beside.delete(id);
  if (as === "complained") complained.add(id);
  if (as === "beside") beside.add(id);
  return { complained, beside };
}

/** Messages that can be enclosed at all: said by somebody, and settled; of one that was deleted what proves it is here for a day. */
export function isEnclosable(message: Message): boolean {
  const { body, author, delivery } = message;
  return (
    author !== undefined &&
    (body.kind === "text" || body.kind === "poll" || body.kind === "deleted") &&
    (delivery === undefined || delivery.kind === "accepted")
  );
}

/** A file that goes along, by what names it in a set. */
export function fileKey({ messageId, fileId }: ReportFileChoice): string {
  return `${messageId}/${fileId}`;
}

/** The files with one put in, or taken out where it was in. */
export function withFile(files: readonly ReportFileChoice[], file: ReportFileChoice): readonly ReportFileChoice[] {
  const others = files.filter((one) => fileKey(one) !== fileKey(file));
  return others.length < files.length ? others : [...files, file];
}

/** What is asked of the client. Files go along only with messages that are shown. */
export function paramsOf(
  choice: ReportChoice,
  { reason, words, isAnonymous, files }: Required<Pick<ReportParams, "reason" | "words" | "isAnonymous" | "files">>,
): ReportParams {
  return {
    messageIds: [...choice.complained],
    contextIds: [...choice.beside],
    reason,
    words: words.trim(),
    isAnonymous,
    files: files.filter(({ messageId }) => partIn(choice, messageId) !== "none"),
  };
}
