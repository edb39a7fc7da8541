import { setTimeout as delay } from "node:timers/promises";
import type { Client, FoundMessage, SearchPage } from "@latchkey/client";
import { catchUp, knownConversation } from "../conversations.ts";
import { CommandError, usageError } from "../errors.ts";
import { formatPerson, formatTime, printable, printableLine } from "../output.ts";
import { stringOption } from "./command.ts";
import type { Command } from "./command.ts";

const usualLimit = 50;
const maxLimit = 10_000;
/** How often it is looked whether an index that is being made is done. */
const lookEveryMs = 250;

/** `latchkey search QUERY... [--in ID] [--limit N]`. */
export const searchCommand: Command = {
  name: "search",
  usage: "search QUERY... [--in ID] [--limit N]",
  summary: "find messages that this device has, newest first",
  help: `Finds messages with all of the words, also inside words. "Words in quotes" stay together. from: is a name, a username or "me"; in: a
conversation by its name; has:link, has:poll, has:file, has:picture, has:voice; before: and after: are days as 2026-11-29, after: with
that day. --in is the id of a conversation, or the address of a person for the direct one. At most ${String(usualLimit)} are printed, or as many as --limit says.`,
  options: { in: { type: "string" }, limit: { type: "string" } },
  positionals: [1, 64],
  async run({ output, positionals, values, withClient }) {
    const limit = limitOf(stringOption(values, "limit"));
    const to = stringOption(values, "in");
    await withClient(async (client) => {
      const conversationId = to === undefined ? undefined : (await knownConversation(client, to)).id;
      await catchUp(client).catch((error: unknown) => {
        // What is here can be searched without the server.
        if (!(error instanceof CommandError)) throw error;
      });
      let left = limit;
      for await (const found of foundBy(client, positionals.join(" "), conversationId, Math.min(left, 200))) {
        output.result(found, formatFound(found));
        if (--left === 0) return;
      }
    });
  },
};

async function* foundBy(
  client: Client,
  query: string,
  conversationId: string | undefined,
  limit: number,
): AsyncGenerator<FoundMessage, void> {
  let page = await indexed(client, query, { conversationId, limit });
  if (page.unknown.length > 0)
    throw new CommandError("usage", `nothing is known by ${page.unknown.map(printableLine).join(", ")}: see "latchkey search --help"`);
  for (;;) {
    yield* page.found;
    if (page.cursor === undefined) return;
    page = await client.search("", { cursor: page.cursor, limit });
  }
}

/** The first page, once everything is in the index. */
async function indexed(client: Client, query: string, options: { conversationId: string | undefined; limit: number }): Promise<SearchPage> {
  for (;;) {
    const page = await client.search(query, options);
    if (page.indexing === undefined) return page;
    await delay(lookEveryMs);
  }
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return usualLimit;
  const limit = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > maxLimit) throw usageError(`--limit is a number from 1 to ${String(maxLimit)}`);
  return limit;
}

function formatFound({ messageId, sentAtMs, author, snippet, voiceMs }: FoundMessage): string {
  const voice = voiceMs === undefined ? "" : `(voice message, ${String(Math.ceil(voiceMs / 1000))} s) `;
  return `${messageId}  ${formatTime(sentAtMs)}  ${author === undefined ? "" : `${author.isSelf ? "me" : formatPerson(author)}: `}${voice}${printable(snippet)}`;
}
