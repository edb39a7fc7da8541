import type { Client } from "@latchkey/client";
import type { Person, Scene } from "./scene.ts";

/** The 24 words of somebody's account. */
export async function phraseOf({ client }: Person): Promise<string> {
  return ((await client.recoveryPhrase()) ?? []).join(" ");
}

/** Somebody turns their backup on, with what they have said until then. */
export async function backUp({ client }: Person): Promise<void> {
  await client.keepHistoryBackup();
  await client.writeHistoryBackup();
}

/** Somebody's account on a new device, by their phrase alone; the operator knows the device by `name`. */
export async function recovered(scene: Scene, username: string, phrase: string, name: string): Promise<Client> {
  const client = await scene.reopen(name);
  await client.recover({ username, phrase });
  return client;
}

/** What a new device can read of a conversation. */
export async function textsOf(client: Client, conversationId: string): Promise<readonly string[]> {
  return (await client.messages(conversationId, { limit: 1000 })).flatMap(({ body }) => (body.kind === "text" ? [body.text] : []));
}
