import type { Message } from "@latchkey/client";

/** What came of sending messages on. */
export interface Forwarded {
  /** The conversations that have all of them. */
  readonly done: readonly string[];
  /** The conversation that did not take one, and why; those after it were not tried. */
  readonly stopped: { readonly to: string; readonly error: unknown } | undefined;
}

/**
 * Sends messages on to conversations, one after the other, up to the first that does not take one. `gone` holds what went, over several
 * attempts: it is written here, and none of it goes again.
 */
export async function forwardAll({
  messages,
  to,
  gone,
  forward,
}: {
  readonly messages: readonly Message[];
  /** Ids of conversations. */
  readonly to: Iterable<string>;
  readonly gone: Set<string>;
  readonly forward: (message: Message, to: string) => Promise<unknown>;
}): Promise<Forwarded> {
  const done: string[] = [];
  for (const one of to) {
    try {
      for (const message of messages) {
        const key = `${one} ${message.id}`;
        if (gone.has(key)) continue;
        await forward(message, one);
        gone.add(key);
      }
    } catch (error) {
      return { done, stopped: { to: one, error } };
    }
    done.push(one);
  }
  return { done, stopped: undefined };
}
