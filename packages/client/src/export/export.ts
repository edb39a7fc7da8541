import { concatBytes, toBase64Url, utf8Bytes } from "@latchkey/codec";
import type { AccountInfo, AttachedFile, Client, Conversation, Message } from "../api.ts";
import { safeFileName } from "../files/file-name.ts";
import { writeZip } from "../zip/write-zip.ts";
import type { ZipEntry } from "../zip/write-zip.ts";
import { portableMessage, portableQuote, whyMissing } from "./portable.ts";
import type { ExportCounts, FileFate, PortableMessage } from "./portable.ts";
import { conversationEnd, conversationStart, messageHtml, pageEnd, pageStart } from "./page.ts";
import type { ExportWords } from "./page.ts";
import { ClientError } from "../errors.ts";

export type { ExportWords } from "./page.ts";
export type { ExportCounts } from "./portable.ts";

/** What an export reads. */
export interface ExportSource extends Pick<Client, "account" | "conversations" | "messages" | "fetchFile"> {
  /** As `Client.readFile`, of a file that was fetched just now. */
  readFile(conversationId: string, message: Message, file: AttachedFile): AsyncIterable<Uint8Array>;
}

/** What is exported, and how it is called. */
export interface ExportOptions {
  /** This conversation alone; all of them when absent. */
  readonly conversationId?: string | undefined;
  /** Without the files, of which the names stay. */
  readonly withoutFiles?: boolean | undefined;
  readonly nowMs: number;
  /** Of the page, in the language of the person. */
  readonly words: ExportWords;
  /** Told now and then how far it is. */
  readonly came?: ((progress: ExportProgress) => void) | undefined;
}

/** How far an export is. */
export interface ExportProgress {
  /** Files are brought here and written first, then the messages twice: for programs and for people. */
  readonly step: "files" | "messages" | "page";
  /** Of this step. */
  readonly messages: number;
  readonly files: number;
  readonly writtenBytes: number;
}

const pageLength = 200;
/** Headers of a few bytes are written with what follows them. */
const leastPieceBytes = 65_536;
/** Files of which it is said one by one that they are missing; all are counted. */
const mostListed = 10_000;

/**
 * One ZIP with `files/` (what came with messages), `messages.jsonl` (a message a line, as docs/json.md has them), `index.html` (the same for people, which
 * needs nothing from anywhere) and `export.json` (whose it is, from when, and what is missing), written as it is read. Ends at the first failure but
 * those of files, which are counted. Breaking off the iteration ends it.
 * @throws ClientError `unknown_conversation` and those of `messages`
 */
export async function* exportArchive(source: ExportSource, options: ExportOptions): AsyncGenerator<Uint8Array, ExportCounts, undefined> {
  const account = await source.account();
  const all = await source.conversations();
  const chosen = all.filter(({ id }) => options.conversationId === undefined || id === options.conversationId);
  if (options.conversationId !== undefined && chosen.length === 0)
    throw new ClientError("unknown_conversation", "There is no such conversation in this profile.");
  const work = new ExportWork({ source, options, account, conversations: chosen });
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  for await (const bytes of writeZip(work.entries())) {
    waiting.push(bytes);
    waitingBytes += bytes.length;
    if (waitingBytes < leastPieceBytes) continue;
    yield work.wrote(concatBytes(...waiting));
    [waiting, waitingBytes] = [[], 0];
  }
  yield work.wrote(concatBytes(...waiting));
  return work.counts();
}

interface WorkParams {
  readonly source: ExportSource;
  readonly options: ExportOptions;
  readonly account: AccountInfo | undefined;
  readonly conversations: readonly Conversation[];
}

class ExportWork {
  readonly #params: WorkParams;
  /** By conversation and file, in the order of the archive. */
  readonly #fates = new Map<string, FileFate>();
  readonly #missing: { readonly messageId: string; readonly name: string; readonly why: string }[] = [];
  /** What is to be seen once, or goes after a time, is not quoted either. */
  readonly #withheldIds = new Set<string>();
  readonly #counted = { messages: 0, files: 0, seenOnce: 0, timed: 0, unsent: 0, unreadable: 0, expired: 0, missingFiles: 0 };
  #step: ExportProgress["step"] = "files";
  #seen = 0;
  #writtenBytes = 0;

  constructor(params: WorkParams) {
    this.#params = params;
  }

  counts(): ExportCounts {
    return { conversations: this.#params.conversations.length, ...this.#counted };
  }

  wrote(bytes: Uint8Array): Uint8Array {
    this.#writtenBytes += bytes.length;
    this.#tell();
    return bytes;
  }

  async *entries(): AsyncGenerator<ZipEntry, void, undefined> {
    const { nowMs } = this.#params.options;
    const entry = (name: string, content: AsyncIterable<Uint8Array>): ZipEntry => ({ name, modifiedMs: nowMs, content });
    if (this.#params.options.withoutFiles !== true) yield* this.#files();
    this.#begin("messages");
    yield entry("messages.jsonl", gathered(this.#lines()));
    this.#begin("page");
    yield entry("index.html", gathered(this.#page()));
    yield entry("export.json", gathered(this.#summary()));
  }

  #begin(step: ExportProgress["step"]): void {
    this.#step = step;
    this.#seen = 0;
    this.#tell();
  }

  #tell(): void {
    const { files } = this.#counted;
    this.#params.options.came?.({ step: this.#step, messages: this.#seen, files, writtenBytes: this.#writtenBytes });
  }

  async *#messagesOf(conversation: Conversation): AsyncGenerator<Message, void, undefined> {
    let afterOrder = -1;
    for (;;) {
      const page = await this.#params.source.messages(conversation.id, { afterOrder, limit: pageLength });
      for (const message of page) {
        this.#seen++;
        yield message;
      }
      const last = page.at(-1);
      // One that stands where it stood before would be read for ever.
      if (last === undefined || page.length < pageLength || last.order <= afterOrder) return;
      afterOrder = last.order;
      this.#tell();
    }
  }

  async *#files(): AsyncGenerator<ZipEntry, void, undefined> {
    const { conversations, source } = this.#params;
    for (const conversation of conversations)
      for await (const message of this.#messagesOf(conversation)) {
        if (!isInLog(message) || message.isOnce === true || message.timer !== undefined) continue;
        for (const file of message.files ?? []) {
          const key = keyOf(conversation.id, file.id);
          if (this.#fates.has(key)) continue;
          const lost = (error: unknown): void => this.#lose(message, file, error);
          try {
            await source.fetchFile(conversation.id, message.id, file.id);
          } catch (error) {
            lost(error);
            continue;
          }
          const path = `files/${String(this.#fates.size + 1).padStart(5, "0")}-${safeFileName(file.name)}`;
          this.#fates.set(key, { path });
          this.#counted.files++;
          yield {
            name: path,
            modifiedMs: message.sentAtMs,
            content: source.readFile(conversation.id, message, file),
            onLost: (error) => {
              this.#counted.files--;
              lost(error);
            },
          };
        }
      }
  }

  #lose({ conversationId, id: messageId }: Message, { id, name }: AttachedFile, error: unknown): void {
    const missing = whyMissing(error);
    this.#fates.set(keyOf(conversationId, id), { missing });
    this.#counted.missingFiles++;
    if (this.#missing.length < mostListed) this.#missing.push({ messageId, name: safeFileName(name), why: missing });
  }

  async *#lines(): AsyncGenerator<string, void, undefined> {
    for (const conversation of this.#params.conversations)
      for await (const message of this.#messagesOf(conversation)) {
        if (!isInLog(message)) {
          this.#counted.unsent++;
          continue;
        }
        if (message.timer !== undefined) {
          this.#counted.timed++;
          this.#withheldIds.add(message.id);
          continue;
        }
        this.#count(message);
        yield `${JSON.stringify(this.#portable(message), bytesAsText)}\n`;
      }
  }

  #count({ id, isOnce, body }: Message): void {
    this.#counted.messages++;
    if (isOnce === true) {
      this.#counted.seenOnce++;
      this.#withheldIds.add(id);
    }
    if (body.kind === "unreadable") this.#counted.unreadable++;
    if (body.kind === "expired") this.#counted.expired += body.count;
  }

  #portable(message: Message): PortableMessage {
    const fateOf = (file: AttachedFile): FileFate | undefined => this.#fates.get(keyOf(message.conversationId, file.id));
    return portableQuote(portableMessage(message, fateOf), this.#withheldIds);
  }

  async *#page(): AsyncGenerator<string, void, undefined> {
    const { options, conversations } = this.#params;
    const { words } = options;
    yield pageStart({ words, conversations, nowMs: options.nowMs, counts: this.counts() });
    for (const [at, conversation] of conversations.entries()) {
      yield conversationStart(conversation, at);
      let day = "";
      for await (const message of this.#messagesOf(conversation)) {
        if (!isInLog(message) || message.timer !== undefined) continue;
        const next = words.day(message.sentAtMs);
        yield messageHtml({ message: this.#portable(message), words, conversation, day: next === day ? undefined : next });
        day = next;
      }
      yield conversationEnd;
    }
    yield pageEnd;
  }

  async *#summary(): AsyncGenerator<string, void, undefined> {
    const { account, conversations, options } = this.#params;
    const held = conversations.map(({ id, kind, title, peer, memberCount, host }) => ({ id, kind, title, peer, memberCount, host }));
    yield `${JSON.stringify({ format: 1, exportedAtMs: options.nowMs, account, ...this.counts(), list: held, missing: this.#missing }, bytesAsText, 2)}\n`;
  }
}

/** What is on its way, or failed, is nothing that was said yet. */
function isInLog({ delivery }: Message): boolean {
  return delivery === undefined || delivery.kind === "accepted";
}

function keyOf(conversationId: string, fileId: string): string {
  return `${conversationId} ${fileId}`;
}

function bytesAsText(_key: string, value: unknown): unknown {
  return value instanceof Uint8Array ? toBase64Url(value) : value;
}

/** Texts in pieces that are worth a write. */
async function* gathered(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, undefined> {
  let text = "";
  for await (const next of texts) {
    text += next;
    if (text.length < leastPieceBytes) continue;
    yield utf8Bytes(text.toWellFormed());
    text = "";
  }
  if (text !== "") yield utf8Bytes(text.toWellFormed());
}
