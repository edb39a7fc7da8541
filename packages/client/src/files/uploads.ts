import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { hasEnded } from "../core/phase.ts";
import type { ClientErrorCode } from "../api.ts";
import type { Outgoing } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError, failureOf } from "../errors.ts";
import { putBlob } from "../group/blobs.ts";
import { createSingleFlight } from "../single-flight.ts";
import { backoffMs } from "../transport/backoff.ts";
import { filesOfOutgoing } from "./files-of.ts";
import type { FilePlace } from "./file-store.ts";
import { filePieceBytes } from "./reading.ts";
import { abandonUpload, PartSize, uploadFile } from "./tus.ts";
import { wait } from "./wait.ts";

/** Of an upload that was begun, what the server calls it. */
const nameKey = (blobId: string): string => `upload/${blobId}`;

/** Why a try is ended that is begun anew at once. */
const onceMore = "the network is another one";
/** Of a file alone, perhaps: the host has no room for one so large, say, or the disk does not give out this one. */
const ofOneFile: ReadonlySet<ClientErrorCode> = new Set<ClientErrorCode>([
  "server_full",
  "server_refused",
  "way_blocked",
  "storage_denied",
]);

/** A file that is to be brought to its host. */
interface Due {
  readonly runner: ConversationRunner;
  readonly item: Pick<Outgoing, "id" | "composedAtMs">;
  readonly blobId: string;
}

/** How far one is. */
export interface UploadProgress {
  readonly sentBytes: number;
  /** Why it does not go on now; it is tried again. */
  readonly cause?: ClientErrorCode | undefined;
}

/** What the uploads need of the engine. */
export interface UploadsAccess {
  runners(): readonly ConversationRunner[];
  place(): Promise<FilePlace>;
  /** One has come further, or ended. */
  moved(due: { readonly conversationId: string; readonly messageId: string; readonly fileId: string }): void;
}

/**
 * Brings files to their hosts, one at a time, in the order in which their messages were written; a message whose files are all there is sent
 * by its conversation. What fails is tried again for as long as it takes, with longer and longer waits, and at once where the network is back
 * (spec E-3), after the others: none holds up what its message does not wait for. Only a file that the server never takes, or that is not here any more,
 * ends, and waits for the person.
 */
export class Uploads {
  readonly #world: World;
  readonly #access: UploadsAccess;
  readonly #size = new PartSize();
  /** Messages whose files the host lost before they were used: brought there again. */
  readonly #again = new Map<string, Due>();
  /** How much of each that is on its way has come. */
  readonly #sent = new Map<string, number>();
  /** Why the last try of each failed. */
  readonly #causes = new Map<string, ClientErrorCode>();
  readonly #flight = createSingleFlight(() => this.#run());
  #current: { readonly blobId: string; readonly end: AbortController } | undefined;
  /** What waits until something is tried again, and what was known to be due then. */
  #pause: { readonly end: AbortController; readonly known: ReadonlySet<string> } | undefined;
  #closed = false;

  constructor(world: World, access: UploadsAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** Whether none is to be brought anywhere. */
  get isIdle(): boolean {
    return !this.#flight.isRunning;
  }

  /** How much of a file is at its host; `undefined` where it is not on its way. */
  progress(blobId: string): UploadProgress | undefined {
    if (!this.#due().some((due) => due.blobId === blobId)) return undefined;
    return { sentBytes: this.#sent.get(blobId) ?? 0, cause: this.#causes.get(blobId) };
  }

  /** Looks at what waits: what is new of it is sent, what waits no more is ended. `isNow`: the network is back. */
  wake(isNow = false): void {
    if (this.#closed) return;
    const due = this.#due();
    const current = this.#current;
    const isDropped = current !== undefined && !due.some(({ blobId }) => blobId === current.blobId);
    if (isDropped) current.end.abort();
    // What is on its way over the network of before may hang for a minute, and be lost.
    if (isNow) current?.end.abort(onceMore);
    const pause = this.#pause;
    if (isNow || isDropped || due.some(({ blobId }) => pause?.known.has(blobId) === false)) pause?.end.abort();
    this.#flight.wake().catch(() => undefined);
  }

  /** The host of a conversation refuses an entry since a blob that it names is not there: its files are brought there again. */
  missing(conversationId: string, entryId: Uint8Array): void {
    const runner = this.#access.runners().find(({ id }) => id === conversationId);
    const item = runner?.state.outgoing.find(({ sealed }) => sealed !== undefined && equalBytes(sealed.entryId, entryId));
    if (runner === undefined || item === undefined) return;
    for (const file of filesOfOutgoing(item)) {
      const blobId = toBase64Url(file.blobId);
      this.#again.set(blobId, { runner, item, blobId });
    }
    this.wake();
  }

  /** Nobody waits for it any more: its host is told, where it was begun. */
  async abandon({ runner, blobId }: Pick<Due, "runner" | "blobId">): Promise<void> {
    this.#forget(blobId);
    const { platform, connections, store } = this.#world;
    // Whoever notices it first tells.
    const stored = await store.transact("write", async (tx) => {
      const found = await tx.get(nameKey(blobId));
      if (found !== undefined) tx.delete(nameKey(blobId));
      return found;
    });
    if (stored === undefined) return;
    const name = new TextDecoder().decode(stored);
    // It goes by itself where this does not arrive.
    abandonUpload({ platform, baseUrl: connections.httpUrl(runner.state.host) }, name).catch(() => undefined);
  }

  /** Ends what is on its way; it goes on with the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#current?.end.abort();
    this.#pause?.end.abort();
    await this.#flight.settled();
  }

  /** Those that messages wait for, in the order in which these were written; first what was lost of those that are written down already. */
  #due(): readonly Due[] {
    for (const [blobId, { runner, item }] of this.#again)
      if (!runner.state.outgoing.some(({ id, failure }) => id === item.id && failure === undefined)) this.#again.delete(blobId);
    const due = this.#access.runners().flatMap((runner) => {
      if (runner.isBlocked || hasEnded(runner.state.phase)) return [];
      const waiting = runner.state.outgoing.filter(({ failure, uploads }) => failure === undefined && uploads.length > 0);
      return waiting.flatMap((item) => item.uploads.map((blobId) => ({ runner, item, blobId })));
    });
    return [...this.#again.values(), ...due.toSorted((a, b) => a.item.composedAtMs - b.item.composedAtMs)];
  }

  async #run(): Promise<void> {
    let attempt = 0;
    /** Those that failed since all of them were tried: others come before them. */
    const failed = new Set<string>();
    const isNext = ({ blobId }: Due): boolean => !failed.has(blobId);
    while (!this.#closed) {
      const all = this.#due();
      if (!all.some((one) => isNext(one))) failed.clear();
      const due = all.find((one) => isNext(one));
      if (due === undefined) return;
      const end = new AbortController();
      this.#current = { blobId: due.blobId, end };
      try {
        await this.#upload(due, end.signal);
        attempt = 0;
      } catch (error) {
        if (this.#closed) return;
        if (isFinal(error) && !end.signal.aborted) await this.#fail(due, error);
        else if (!end.signal.aborted) {
          failed.add(due.blobId);
          this.#causes.set(due.blobId, failureOf(error).code);
          this.#tell(due);
          // What the host does not take of one file, it may take of another.
          const isOfFile = error instanceof ClientError && ofOneFile.has(error.code);
          if (!isOfFile || !this.#due().some((one) => isNext(one))) await this.#rest(++attempt, error);
        }
        // Ended by its person, and not with this program.
        if (end.signal.aborted && end.signal.reason !== onceMore && !this.#closed) await this.abandon(due);
      } finally {
        this.#current = undefined;
      }
    }
  }

  async #upload(due: Due, signal: AbortSignal): Promise<void> {
    const { runner, blobId } = due;
    const { store } = await this.#access.place();
    const { platform, connections } = this.#world;
    const host = { platform, baseUrl: connections.httpUrl(runner.state.host) };
    const file = await store.get(blobId);
    if (file === undefined || file.hereBytes < file.totalBytes) throw evicted();
    const bytes = async (from: number, to: number): Promise<Uint8Array<ArrayBuffer>> => {
      const body = new Uint8Array(to - from);
      for (let index = Math.floor(from / filePieceBytes); index * filePieceBytes < to; index++) {
        const piece = await store.piece(blobId, index);
        if (piece === undefined) throw evicted();
        const start = index * filePieceBytes;
        body.set(piece.subarray(Math.max(0, from - start), to - start), Math.max(0, start - from));
      }
      return body;
    };
    const { totalBytes } = file;
    // What fits into one piece goes in one request.
    if (totalBytes <= filePieceBytes) await putBlob(host, fromBase64Url(blobId), await bytes(0, totalBytes), signal);
    else {
      await uploadFile(
        {
          host,
          nowMs: platform.nowMs,
          blobId: fromBase64Url(blobId),
          totalBytes,
          bytes,
          name: await this.#name(blobId),
          named: (name) => this.#setName(blobId, name),
          sent: (sent) => {
            this.#sent.set(blobId, sent);
            this.#causes.delete(blobId);
            this.#tell(due);
          },
          signal,
        },
        this.#size,
      );
    }
    this.#again.delete(blobId);
    // Told before what the server calls it is forgotten: whatever ends this program, it is not sent twice.
    await runner.input({ kind: "uploaded", blobId });
    await this.#setName(blobId, undefined);
    this.#forget(blobId);
    this.#tell(due);
  }

  /** It never goes: its message waits for the person. */
  async #fail(due: Due, { code }: ClientError): Promise<void> {
    this.#again.delete(due.blobId);
    await due.runner.input({ kind: "upload_failed", messageId: due.item.id, code });
    this.#forget(due.blobId);
    this.#tell(due);
  }

  #forget(blobId: string): void {
    this.#sent.delete(blobId);
    this.#causes.delete(blobId);
  }

  async #rest(attempt: number, error: unknown): Promise<void> {
    const { platform } = this.#world;
    const askedMs = error instanceof ClientError ? error.retryAfterMs : 0;
    const delayMs = Math.max(askedMs, backoffMs({ attempt, reason: "lost", random: platform.random }));
    const end = new AbortController();
    this.#pause = { end, known: new Set(this.#due().map(({ blobId }) => blobId)) };
    await wait(platform, delayMs, end.signal).catch(() => undefined);
    this.#pause = undefined;
  }

  async #name(blobId: string): Promise<string | undefined> {
    const stored = await this.#world.store.transact("read", (tx) => tx.get(nameKey(blobId)));
    return stored === undefined ? undefined : new TextDecoder().decode(stored);
  }

  async #setName(blobId: string, name: string | undefined): Promise<void> {
    await this.#world.store.transact("write", (tx) => {
      if (name === undefined) tx.delete(nameKey(blobId));
      else tx.put(nameKey(blobId), new TextEncoder().encode(name));
    });
  }

  #tell({ runner, item, blobId }: Due): void {
    this.#access.moved({ conversationId: runner.id, messageId: item.id, fileId: blobId });
  }
}

function evicted(): ClientError {
  return new ClientError("unreadable_file", "What was to be sent is not kept here any more. Choose the file again.");
}

/** Whether no later try can bring another outcome. That the store does not give something out now passes: too many files are open, say. */
function isFinal(error: unknown): error is ClientError {
  return error instanceof ClientError && !error.canRetry && error.code !== "storage_denied";
}
