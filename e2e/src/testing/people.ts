import type { Client, Conversation, Message } from "@latchkey/client";
import { openNodeClient } from "@latchkey/client/node";

/** A person with one device, in this process. */
export interface TestPerson extends AsyncDisposable {
  readonly username: string;
  readonly client: Client;
}

/** Registers somebody on a server, with the profile in `home`. */
export async function registerPerson(params: {
  home: string;
  server: string;
  username: string;
  displayName?: string;
  /** Most people here accept whoever writes to them. */
  requests?: "ask" | "accept";
}): Promise<TestPerson> {
  const { home, server, requests = "accept" } = params;
  const client = await openNodeClient({ home, serverUrl: server, requests });
  await client.register({ username: params.username, ...(params.displayName === undefined ? {} : { displayName: params.displayName }) });
  return personOf(client, params.username);
}

/** A person around a client that has an account already. */
export function personOf(client: Client, username: string): TestPerson {
  return { username, client, [Symbol.asyncDispose]: () => client.close() };
}

/** Resolves to the first result of `look` that is not undefined, asked again whenever something happened to `client`. */
export async function eventually<T>(client: Client, look: () => Promise<T | undefined>, what: string): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let chain = Promise.resolve();
  const check = (): void => {
    chain = chain
      .then(async () => {
        const found = await look();
        if (found !== undefined) resolve(found);
      })
      .catch(reject);
  };
  const stop = client.subscribe(check);
  const timer = setTimeout(() => {
    reject(new Error(`did not happen: ${what}`));
  }, 60_000);
  check();
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    stop();
    await chain;
  }
}

/** All texts of a conversation that a client has, oldest first. */
export async function textsOf(client: Client, conversationId: string): Promise<string[]> {
  const messages = await client.messages(conversationId, { limit: 10_000 });
  return messages.flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
}

/** Sends a text and resolves when the server has it. */
export async function sendAndWait(client: Client, conversationId: string, text: string): Promise<Message> {
  const sent = await client.send(conversationId, text);
  return eventually(
    client,
    async () =>
      (await client.messages(conversationId, { limit: 50 })).find(({ id, delivery }) => id === sent.id && delivery?.kind === "accepted"),
    "the message is accepted",
  );
}

/** Resolves when a client has a message with this text. */
export async function receiveText(client: Client, conversationId: string, text: string): Promise<void> {
  const hasIt = async (): Promise<true | undefined> => {
    // Whoever was just added may not have joined yet.
    const isIn = (await client.conversations()).some(({ id }) => id === conversationId);
    return isIn && (await textsOf(client, conversationId)).includes(text) ? true : undefined;
  };
  await eventually(client, hasIt, "a message arrives");
}

/** Resolves when a client is in a conversation with this title. */
export async function joinedConversation(client: Client, title: string): Promise<Conversation> {
  return eventually(
    client,
    async () => (await client.conversations()).find((conversation) => conversation.title === title),
    "a conversation appears",
  );
}
