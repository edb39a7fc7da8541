/** A message's place among those that its person sends in a conversation. */
export interface Turn {
  /** Resolves once all that were sent before it were handed over, or are not to be; `undefined` where none waits. */
  readonly comes: Promise<void> | undefined;
  /** It was handed over, or is not to be: the next one comes. Idempotent. */
  end(): void;
}

const lasts = new Map<string, Promise<void>>();

/** Takes the next place in a conversation, in the moment in which the person sends: behind all before it, however long those take to be made ready. */
export function takeTurn(conversationId: string): Turn {
  const comes = lasts.get(conversationId);
  const { promise, resolve } = Promise.withResolvers<void>();
  const last = Promise.all([comes, promise]).then(() => {
    if (lasts.get(conversationId) === last) lasts.delete(conversationId);
  });
  lasts.set(conversationId, last);
  return { comes, end: resolve };
}
