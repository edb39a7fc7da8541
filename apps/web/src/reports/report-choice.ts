import type { Message, ReportParams } from "@latchkey/client";

/** What a reporter chose to show: what they complain of, and what only makes it understood. */
export interface ReportChoice {
  readonly complained: ReadonlySet<string>;
  readonly beside: ReadonlySet<string>;
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
export function withMessage(choice: ReportChoice, id: string, as: "complained" | "beside" | "none"): ReportChoice {
  const complained = new Set(choice.complained);
  const beside = new Set(choice.beside);
  complained.delete(id);
  beside.delete(id);
  if (as === "complained") complained.add(id);
  if (as === "beside") beside.add(id);
  return { complained, beside };
}

/** Messages that can be enclosed at all: said by somebody, and settled. */
export function isEnclosable(message: Message): boolean {
  const { body, author, delivery } = message;
  return author !== undefined && (body.kind === "text" || body.kind === "poll") && (delivery === undefined || delivery.kind === "accepted");
}

/** What is asked of the client. */
export function paramsOf(
  choice: ReportChoice,
  { reason, words, isAnonymous }: Required<Pick<ReportParams, "reason" | "words" | "isAnonymous">>,
): ReportParams {
  return {
    messageIds: [...choice.complained],
    contextIds: [...choice.beside],
    reason,
    words: words.trim(),
    isAnonymous,
  };
}
