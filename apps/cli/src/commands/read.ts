import type { Client, Message } from "@latchkey/client";
import { catchUp, findConversation } from "../conversations.ts";
import { Stopped, usageError } from "../errors.ts";
import type { StopSignal } from "../errors.ts";
import { formatMessage, formatTitle } from "../output.ts";
import { requireAccount } from "../own-account.ts";
import { wholeNumber } from "../settings.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey read`. */
export const readCommand: Command = {
  name: "read",
  usage: "read [--follow] [--conversation ID] [--limit N] [--ids] | read --since CURSOR",
  summary: "fetch what is waiting and print messages, oldest first",
  help: `  --conversation ID   only this conversation
  --limit N           at most the last N messages of each conversation (20)
  --ids               with the id of each message, for "latchkey reply" and others
  --follow            stay and print messages as they come, until interrupted
  --since CURSOR      for archives: everything that arrived since, in the order of arrival, each message once, and then the
                      cursor to go on with; "start" for everything. Marks nothing as read`,
  options: {
    follow: { type: "boolean" },
    conversation: { type: "string" },
    limit: { type: "string" },
    ids: { type: "boolean" },
    since: { type: "string" },
  },
  positionals: [0, 0],
  run: read,
};

async function read(context: CommandContext): Promise<void> {
  const since = stringOption(context.values, "since");
  if (since !== undefined) {
    if (["follow", "conversation", "limit"].some((name) => context.values[name] !== undefined))
      throw usageError("--since goes with no other option of read");
    await readSince(context, since);
    return;
  }
  const only = stringOption(context.values, "conversation");
  const limit = wholeNumber("--limit", stringOption(context.values, "limit") ?? "20", { least: 0, most: 1_000_000_000 });
  // Asked for first, so that a signal ends it in order from the moment that the profile is open.
  const stopped = context.values["follow"] === true ? context.environment.stopRequested() : undefined;
  if (stopped !== undefined) {
    const printed = new Set<string>();
    // Through another process as long as that has the profile open, and then with the profile itself.
    for (;;) {
      const lost = Promise.withResolvers<undefined>();
      const signal = await context.withClient(
        (client) =>
          follow({
            context,
            client,
            printer: createPrinter(context, client, only, printed),
            only,
            limit,
            ended: Promise.race([stopped, lost.promise]),
          }),
        { onLost: () => lost.resolve(undefined) },
      );
      if (signal !== undefined) throw new Stopped(signal);
    }
  }
  await context.withClient(async (client) => {
    const printer = createPrinter(context, client, only, new Set());
    let failure: unknown;
    // Without the server, what is stored here is still shown; the exit status tells that it may not be all.
    await catchUp(client).catch((error: unknown) => {
      failure = error;
    });
    await printStored(client, printer, { only, limit });
    await tellRequests(context, client);
    if (failure !== undefined) throw failure;
    // What was read here is read on the account's other devices: they are told before the profile is closed.
    await catchUp(client);
  });
}

/** Everything since a cursor, page by page, and then the cursor after it. */
async function readSince(context: CommandContext, since: string): Promise<void> {
  await context.withClient(async (client) => {
    let failure: unknown;
    await catchUp(client).catch((error: unknown) => {
      failure = error;
    });
    const printer = createPrinter(context, client, undefined, new Set());
    let page = await client.since(since === "start" ? undefined : since);
    for (;;) {
      for (const message of page.messages) await printer.print(message);
      if (!page.hasMore) break;
      page = await client.since(page.cursor);
    }
    context.output.result({ cursor: page.cursor }, `cursor ${page.cursor}`);
    if (failure !== undefined) throw failure;
  });
}

/** That people wait to be accepted: beside the messages, which programs read. */
async function tellRequests({ output }: CommandContext, client: Client): Promise<void> {
  const { length } = (await client.requests()).list;
  if (length > 0) output.notice("requests", `${length} ${length === 1 ? "request waits" : "requests wait"}: see "latchkey requests"`);
}

interface Printer {
  print(message: Message): Promise<void>;
}

/** Prints each message once, own ones when their fate is known. */
function createPrinter({ output, values }: CommandContext, client: Client, only: string | undefined, printed: Set<string>): Printer {
  const titles = new Map<string, string>();
  return {
    async print(message) {
      const key = `${message.conversationId} ${message.id}`;
      if (printed.has(key) || (only !== undefined && message.conversationId !== only)) return;
      printed.add(key);
      if (only === undefined && !titles.has(message.conversationId))
        for (const conversation of await client.conversations()) titles.set(conversation.id, formatTitle(conversation));
      const title = titles.get(message.conversationId);
      const text = formatMessage(message, title === undefined ? {} : { title });
      output.result(message, values["ids"] === true ? `${message.id}\n    ${text}` : text);
    },
  };
}

async function printStored(client: Client, printer: Printer, params: { only: string | undefined; limit: number }): Promise<void> {
  if (params.only !== undefined) await findConversation(client, params.only);
  const conversations = (await client.conversations()).filter(({ id }) => params.only === undefined || id === params.only);
  const runs: Message[][] = [];
  for (const { id } of conversations) {
    const newest = params.limit === 0 ? [] : await client.messages(id, { limit: params.limit });
    runs.push([...newest]);
    const last = newest.findLast((message) => message.delivery?.kind !== "pending");
    if (last !== undefined) await client.markRead(id, last.order);
  }
  for (const message of mergeByTime(runs)) await printer.print(message);
}

/** Several conversations as they were said; within each its own order holds, whatever clocks say. */
export function mergeByTime(runs: readonly (readonly Message[])[]): Message[] {
  const places = runs.map(() => 0);
  const merged: Message[] = [];
  for (;;) {
    let earliest: { run: number; message: Message } | undefined;
    for (const [run, messages] of runs.entries()) {
      const message = messages[places[run] ?? 0];
      if (message !== undefined && (earliest === undefined || message.sentAtMs < earliest.message.sentAtMs)) earliest = { run, message };
    }
    if (earliest === undefined) return merged;
    merged.push(earliest.message);
    places[earliest.run] = (places[earliest.run] ?? 0) + 1;
  }
}

/** Resolves to the signal that ended it, or to nothing when the process that has the profile open lets go of it. */
async function follow(params: {
  context: CommandContext;
  client: Client;
  printer: Printer;
  only: string | undefined;
  limit: number;
  ended: Promise<StopSignal | undefined>;
}): Promise<StopSignal | undefined> {
  const { context, client, printer, only, limit, ended } = params;
  await requireAccount(client);
  let work = printStored(client, printer, { only, limit });
  let isOffline = false;
  const failed = Promise.withResolvers<never>();
  const stop = client.subscribe((event) => {
    if (event.kind === "connection" && (event.connection.kind === "offline") !== isOffline && event.connection.kind !== "connecting") {
      isOffline = !isOffline;
      const cause = event.connection.kind === "offline" ? event.connection.cause : undefined;
      const offline = cause === undefined ? "offline, trying again" : `${cause.message} Trying again.`;
      context.output.notice(isOffline ? (cause?.code ?? "offline") : "online", isOffline ? offline : "online again");
    }
    if (event.kind === "alarm") context.output.notice(event.failure.code, `ALARM: ${event.failure.code}: ${event.failure.message}`);
    if (event.kind !== "message" || event.message.delivery?.kind === "pending") return;
    const { message } = event;
    work = work
      .then(async () => {
        await printer.print(message);
        if (only === undefined || message.conversationId === only) await client.markRead(message.conversationId, message.order);
      })
      .catch(failed.reject);
  });
  try {
    await work;
    const signal = await Promise.race([ended, failed.promise]);
    // What was not marked as read through a process that is gone is marked after the next opening.
    await (signal === undefined ? work.catch(() => undefined) : work);
    return signal;
  } finally {
    stop();
  }
}
