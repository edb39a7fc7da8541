import type { Message, PlacedLine } from "@latchkey/client";

/** What files came with: a message, or a line of another messenger. */
export type FileHolder = (Message & { readonly imported?: undefined }) | ImportedHolder;

/** A line of another messenger, as far as showing files asks for it: all of them are on this device, and nothing can be sent of it. */
interface ImportedHolder extends Pick<
  Message,
  "id" | "conversationId" | "order" | "author" | "sentAtMs" | "delivery" | "isOnce" | "timer" | "files"
> {
  readonly imported: { readonly importId: string; readonly order: number; readonly author: string };
}

/** A line of an import as what holds its files. */
export function holderOf(importId: string, { order, sentAtMs, author, files }: PlacedLine): FileHolder {
  const id = `${importId}/${String(order)}`;
  const common = { id, conversationId: importId, order, author: undefined, sentAtMs: sentAtMs ?? 0, delivery: undefined, files };
  return { ...common, imported: { importId, order, author } };
}
