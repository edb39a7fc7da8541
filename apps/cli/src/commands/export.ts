import { resolve } from "node:path";
import { exportArchive } from "@latchkey/client/export";
import type { ExportCounts, ExportWords } from "@latchkey/client/export";
import type { Client } from "@latchkey/client";
import { catchUp, knownConversation } from "../conversations.ts";
import { CommandError } from "../errors.ts";
import { formatBody, formatPerson, formatTime, printableLine } from "../output.ts";
import { requireAccount } from "../own-account.ts";
import { choosePlace, removeLeft, writeWhole } from "../whole-files.ts";
import { stringOption } from "./command.ts";
import type { Command, CommandContext } from "./command.ts";

/** `latchkey export`. */
export const exportCommand: Command = {
  name: "export",
  usage: "export [TO] [--out F|DIR] [--without-files]",
  summary: "write one conversation, or all of them, into one ZIP that needs no Latchkey to be read",
  help: `TO is a person, or the id of a conversation; without it all of them go into the file.

  --out DIR         into this folder (the working directory)
  --out F           under this name
  --without-files   without what came with messages; their names stay

In it are index.html for people, messages.jsonl and export.json for programs (docs/json.md), and files/ with what came with messages: what is not
on this device yet is fetched. What is to be seen once, or goes after a time, is left out, and so is what waits to be sent. What could not be
had is counted, and export.json names it. Nothing in the file is encrypted: who has it can read it. Nothing that exists is overwritten.`,
  options: { out: { type: "string" }, "without-files": { type: "boolean" } },
  positionals: [0, 1],
  run: exportMessages,
};

async function exportMessages(context: CommandContext): Promise<void> {
  const { environment, positionals, values, output, withClient } = context;
  const [to] = positionals;
  const out = stringOption(values, "out");
  const place = await choosePlace(resolve(environment.workingDirectory, out ?? "."), out);
  await withClient(async (client) => {
    const { username } = await requireAccount(client);
    // Without the server, what is here is exported all the same, and files that are not are counted as missing.
    await catchUp(client).catch((error: unknown) => output.notice("offline", `not all may be here: ${reasonOf(error)}`));
    const conversationId = to === undefined ? undefined : (await knownConversation(client, to)).id;
    await removeLeft(place);
    const progress = output.progress("exporting");
    const nowMs = Date.now();
    let counts: ExportCounts | undefined;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      counts = yield* exportArchive(sourceOf(client), {
        conversationId,
        withoutFiles: values["without-files"] === true,
        nowMs,
        words: wordsOf(username),
      });
    }
    try {
      const name = `latchkey-${username}-${new Date(nowMs).toISOString().slice(0, 10)}.zip`;
      const { path, sizeBytes } = await writeWhole({ place, name, pieces: pieces(), came: (done) => progress.at(done), isPrivate: true });
      progress.end();
      if (counts === undefined) throw new CommandError("failed", "the export ended before it was whole");
      output.result({ path, sizeBytes, ...counts }, [path, ...sentencesOf(counts)].join("\n"));
    } finally {
      progress.end();
    }
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "the server cannot be reached now";
}

function sourceOf(client: Client): Parameters<typeof exportArchive>[0] {
  return {
    account: () => client.account(),
    conversations: () => client.conversations(),
    messages: (...params) => client.messages(...params),
    fetchFile: (...params) => client.fetchFile(...params),
    readFile: (conversationId, message, file) => client.readFile(conversationId, message.id, file.id),
  };
}

const missingWords: Readonly<Record<Parameters<ExportWords["missing"]>[0], string>> = {
  gone: "nobody has it any more",
  broken: "what came was not what its author sent",
  not_accepted: "of somebody who is not accepted",
  failed: "could not be had",
  left_out: "left out",
};

function wordsOf(username: string): ExportWords {
  return {
    language: "en",
    direction: "ltr",
    heading: `Messages of ${username}`,
    intro: (nowMs) => `Exported on ${formatTime(nowMs)}. Nothing in it is encrypted: keep it where nobody else looks.`,
    day: (timeMs) => formatTime(timeMs).slice(0, 10),
    time: (timeMs) => formatTime(timeMs).slice(11),
    person: (person) => (person === undefined ? "Somebody" : formatPerson(person)),
    line: ({ body, author }) => `${author === undefined ? "" : `${formatPerson(author)}: `}${printableLine(formatBody(body))}`,
    seenOnce: "Something to be seen once: it is in no export.",
    edited: "edited",
    missing: (why) => missingWords[why],
    notIncluded: sentencesOf,
  };
}

/** What is not in it. */
function sentencesOf({ seenOnce, timed, unsent, unreadable, expired, missingFiles }: ExportCounts): readonly string[] {
  const counted: readonly (readonly [number, string])[] = [
    [seenOnce, "to be seen once, left out"],
    [timed, "that will go, left out"],
    [unsent, "not sent yet, left out"],
    [unreadable, "that could not be read here"],
    [expired, "that the server no longer had"],
  ];
  const sentences = counted.filter(([count]) => count > 0).map(([count, what]) => `${counting(count, "message")} ${what}`);
  return missingFiles === 0 ? sentences : [...sentences, `${counting(missingFiles, "file")} missing`];
}

function counting(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? "" : "s"}`;
}
