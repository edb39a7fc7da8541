import { resolve } from "node:path";
import type { Client, NewFile } from "@latchkey/client";
import { conversationOf, deliver, refuseIfPaused, waitMs } from "../conversations.ts";
import { usageError } from "../errors.ts";
import { textArgument } from "../text-argument.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey send TO TEXT`. */
export const sendCommand: Command = {
  name: "send",
  usage: "send TO [TEXT] | send TO --file F... [--caption TEXT]",
  summary: "send a message, or files, and wait until the server has it on disk",
  help: `TO is a username, name@host, the id of a conversation, or "me" for a note to yourself. TEXT "-", or none at the end of
a pipe, reads standard input: UTF-8, without its last line break. Text that begins with "-" comes after "--".

  --file F            a file, as it is: what a camera wrote into a picture stays in it. Up to 30 times, for one message
  --caption TEXT      what is said of the files
  --timeout SECONDS   how long to wait for the server (30), with files from the last progress on; the message stays queued after
                      that, and goes on with the next command`,
  options: { timeout: { type: "string" }, file: { type: "string", multiple: true }, caption: { type: "string" } },
  positionals: [1, 2],
  run: send,
};

async function send(context: CommandContext): Promise<void> {
  const { positionals, values, withClient } = context;
  const [to = "", argument] = positionals;
  const paths = pathsIn(context);
  const caption = stringOption(values, "caption");
  if (paths.length === 0 ? caption !== undefined : argument !== undefined)
    throw usageError(paths.length === 0 ? "--caption goes with --file" : "with --file, what is said of the files is --caption");
  const text = paths.length === 0 ? await textArgument(context, argument, sendCommand.usage) : (caption ?? "");
  const timeout = stringOption(values, "timeout");
  const timeoutMs = timeout === undefined ? waitMs : Number(timeout) * 1000;
  if (!Number.isFinite(timeoutMs) || timeoutMs <= 0) throw usageError("--timeout takes a number of seconds");
  // Before the profile is opened: a name that is mistyped is told at once.
  const files = paths.length === 0 ? [] : await filesAt(paths);
  await withClient(async (client) => {
    const conversation = await conversationOf(client, to, timeoutMs);
    await refuseIfPaused(client, conversation);
    const stop = files.length === 0 ? undefined : showUploads(context, client);
    try {
      const message = await (files.length === 0 ? client.send(conversation.id, text) : client.send(conversation.id, text, { files }));
      await deliver(context, client, message, timeoutMs);
    } finally {
      stop?.();
    }
  });
}

function pathsIn({ environment, values }: CommandContext): readonly string[] {
  const given = values["file"];
  const paths = Array.isArray(given) ? given.filter((path) => typeof path === "string") : [];
  return paths.map((path) => resolve(environment.workingDirectory, path));
}

async function filesAt(paths: readonly string[]): Promise<readonly NewFile[]> {
  const { fileAt } = await import("@latchkey/client/node");
  return await Promise.all(paths.map((path) => fileAt(path)));
}

/** Says how far the files are; returns how to stop. */
function showUploads({ output }: CommandContext, client: Client): () => void {
  const progress = output.progress("sending");
  const stop = client.subscribe((event) => {
    if (event.kind === "file" && event.state.kind === "sending") progress.at(event.state.sentBytes, event.state.totalBytes);
    if (event.kind === "message") progress.end();
  });
  return () => {
    stop();
    progress.end();
  };
}
