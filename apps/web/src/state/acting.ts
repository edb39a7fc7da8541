import type { Message } from "@latchkey/client";

/** What the field for messages is for, other than a new message. */
export type Composing =
  | { readonly kind: "reply"; readonly message: Message }
  /** `text` is what the message is to say: kept while the person looks elsewhere. */
  | { readonly kind: "edit"; readonly message: Message; readonly text: string };

/** Answering a message, or changing it, from what it says. */
export function begun(kind: Composing["kind"], message: Message): Composing {
  return kind === "edit" ? { kind, message, text: textOf(message) } : { kind, message };
}

/** Messages of one conversation that are chosen together. */
export interface Selection {
  readonly conversationId: string;
  readonly ids: ReadonlySet<string>;
}

/** A message that was asked to be shown; `key` counts up with each asking. */
export interface Revealed {
  readonly conversationId: string;
  readonly messageId: string;
  /** Its place. */
  readonly order: number;
  /** The focus stays where it is. */
  readonly keepsFocus?: boolean | undefined;
  readonly key: number;
}

/** What a message says, as text. */
export function textOf({ body }: Message): string {
  if (body.kind === "text") return body.text;
  return body.kind === "poll" ? [body.question, ...body.options.map(({ text }) => `- ${text}`)].join("\n") : "";
}

/** The selection with a message more or less. */
export function toggled(selection: Selection, messageId: string): Selection {
  const ids = new Set(selection.ids);
  if (!ids.delete(messageId)) ids.add(messageId);
  return { ...selection, ids };
}
