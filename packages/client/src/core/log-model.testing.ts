import { equalBytes, toBase64Url } from "@latchkey/codec";
import { entryId, entryLeaf, firstHead, nextHead, splitEntry, zeroHash } from "@latchkey/protocol";
import type { EntryEvent, EpochAccess, Opened, SealedEvent, Sha256, WireEntryKind, WireErrorCode } from "@latchkey/protocol";

interface Epoch {
  readonly epochId: number;
  readonly accessHash: Uint8Array;
  /** Its commits, in their order; each opened an epoch. */
  readonly commits: number[];
}

interface Entry extends EntryEvent {
  readonly id: string;
  readonly leaf: Uint8Array;
  readonly head: Uint8Array;
}

export type ModelAnswer<T> = { readonly kind: "ok"; readonly value: T } | { readonly kind: "error"; readonly code: WireErrorCode };

export type ModelEvent = { readonly kind: "entry"; readonly event: EntryEvent } | { readonly kind: "sealed"; readonly event: SealedEvent };

/** A reader of one log: its cursor and the epochs that it opened. */
export interface ModelReader {
  cursor: number;
  readonly opened: Set<number>;
  /** The commit that it was shown last of the newest epoch that it opened, until it opens one. */
  waitsAt?: number | undefined;
}

/** The rules of spec section 10 for one log, in memory: what every server does with it. */
export class LogModel {
  readonly #logId: Uint8Array;
  readonly #sha256: Sha256;
  readonly #epochs: Epoch[] = [];
  readonly entries: Entry[] = [];
  /** Ids of blobs, base64url, that are not there: no entry that names one is taken (spec L-15). */
  readonly lacks: Set<string> = new Set();

  constructor(logId: Uint8Array, sha256: Sha256) {
    this.#logId = logId;
    this.#sha256 = sha256;
  }

  get exists(): boolean {
    return this.#epochs.length > 0;
  }

  get #head(): Uint8Array {
    return this.entries.at(-1)?.head ?? firstHead(this.#sha256, this.#logId);
  }

  #epoch(epochId: number): Epoch | undefined {
    return this.#epochs.find((candidate) => candidate.epochId === epochId);
  }

  create(reader: ModelReader, accessHash: Uint8Array): ModelAnswer<Opened> {
    const first = this.#epochs[0];
    if (first === undefined) this.#epochs.push({ epochId: 0, accessHash, commits: [] });
    else if (!equalBytes(first.accessHash, accessHash)) return { kind: "error", code: "log_exists" };
    reader.opened.add(0);
    return { kind: "ok", value: this.#opened() };
  }

  open(
    reader: ModelReader,
    params: { epochId: number; access: Uint8Array; afterSeq: number; closed?: readonly EpochAccess[] },
  ): ModelAnswer<Opened> {
    if (!this.exists) return { kind: "error", code: "unknown_log" };
    const epoch = this.#epoch(params.epochId);
    if (epoch === undefined) return { kind: "error", code: "unknown_epoch" };
    if (!equalBytes(this.#sha256(params.access), epoch.accessHash)) return { kind: "error", code: "wrong_access_key" };
    if (reader.opened.size === 0) reader.cursor = params.afterSeq;
    if (reader.opened.size === 0 || params.epochId >= Math.max(...reader.opened)) reader.waitsAt = undefined;
    reader.opened.add(params.epochId);
    for (const { epochId, access } of params.closed ?? []) {
      const closed = this.#epoch(epochId);
      if (closed !== undefined && equalBytes(this.#sha256(access), closed.accessHash)) reader.opened.add(epochId);
    }
    return { kind: "ok", value: this.#opened() };
  }

  append(
    reader: ModelReader,
    { entryKind: kind, ...params }: { epochId: number; blob: Uint8Array; entryKind: "message" | "complaint" },
  ): ModelAnswer<{ seq: number; head: Uint8Array }> {
    const known = this.#known({ ...params, kind, nextAccessHash: zeroHash });
    if (known !== undefined) return known;
    if (!reader.opened.has(params.epochId)) return { kind: "error", code: "unknown_epoch" };
    const isClosed = (this.#epoch(params.epochId)?.commits.length ?? 0) > 0;
    if (kind === "message" && isClosed) return { kind: "error", code: "stale" };
    if (this.#isLacking(params.blob)) return { kind: "error", code: "unknown_blob" };
    return this.#add({ ...params, kind, nextAccessHash: zeroHash });
  }

  /** What a later version put into the log. */
  appendLater(number: number, params: { epochId: number; blob: Uint8Array }): void {
    this.#add({ ...params, kind: `later ${number}`, nextAccessHash: zeroHash });
  }

  commit(
    reader: ModelReader,
    params: { epochId: number; nextAccessHash: Uint8Array; blob: Uint8Array; afterSeq: number },
  ): ModelAnswer<{ seq: number; head: Uint8Array }> {
    const known = this.#known({ ...params, kind: "commit" });
    if (known !== undefined) return known;
    if (!reader.opened.has(params.epochId)) return { kind: "error", code: "unknown_epoch" };
    const parent = this.#epoch(params.epochId);
    if (parent === undefined || (parent.commits.at(-1) ?? 0) > params.afterSeq) return { kind: "error", code: "conflict" };
    if (this.#isLacking(params.blob)) return { kind: "error", code: "unknown_blob" };
    const answer = this.#add({ ...params, kind: "commit" });
    if (answer.kind === "ok") {
      parent.commits.push(answer.value.seq);
      this.#epochs.push({ epochId: answer.value.seq, accessHash: params.nextAccessHash, commits: [] });
    }
    return answer;
  }

  #isLacking(entry: Uint8Array): boolean {
    return splitEntry(entry)?.blobs.some(({ blobId }) => this.lacks.has(toBase64Url(blobId))) === true;
  }

  /** The next event of a reader's stream, if it may have one now. */
  next(reader: ModelReader): ModelEvent | undefined {
    if (reader.opened.size === 0) return undefined;
    const newest = Math.max(...reader.opened);
    // The stream waits after a commit of the newest opened epoch, until its child or the epoch itself is opened.
    if (reader.waitsAt !== undefined) return undefined;
    const entry = this.entries[reader.cursor];
    if (entry === undefined) return undefined;
    reader.cursor += 1;
    if (entry.entryKind === "commit" && entry.epochId === newest) reader.waitsAt = entry.seq;
    return reader.opened.has(entry.epochId) ? { kind: "entry", event: entry } : { kind: "sealed", event: this.sealed(entry) };
  }

  /** What a reader gets of an entry of an epoch that it did not open. */
  sealed({ logId, seq, epochId, entryKind, nextAccessHash, blob }: EntryEvent): SealedEvent {
    return { logId, seq, epochId, entryKind, nextAccessHash, blobHash: this.#sha256(blob) };
  }

  #opened(): Opened {
    return {
      logId: this.#logId,
      currentEpochId: this.#epochs.at(-1)?.epochId ?? 0,
      lastSeq: this.entries.length,
      head: this.#head,
      firstSeq: 1,
      headBeforeFirst: firstHead(this.#sha256, this.#logId),
    };
  }

  #known(entry: {
    epochId: number;
    kind: WireEntryKind;
    nextAccessHash: Uint8Array;
    blob: Uint8Array;
  }): ModelAnswer<{ seq: number; head: Uint8Array }> | undefined {
    const id = toBase64Url(entryId(this.#sha256, entry));
    const found = this.entries.find((candidate) => candidate.id === id);
    return found === undefined ? undefined : { kind: "ok", value: { seq: found.seq, head: found.head } };
  }

  #add(entry: {
    epochId: number;
    kind: WireEntryKind;
    nextAccessHash: Uint8Array;
    blob: Uint8Array;
  }): ModelAnswer<{ seq: number; head: Uint8Array }> {
    const seq = this.entries.length + 1;
    const leaf = entryLeaf(this.#sha256, this.#logId, { ...entry, seq });
    const head = nextHead(this.#sha256, this.#head, leaf);
    const id = toBase64Url(entryId(this.#sha256, entry));
    const { epochId, nextAccessHash, blob } = entry;
    this.entries.push({ logId: this.#logId, seq, epochId, entryKind: entry.kind, day: 20_000, nextAccessHash, blob, id, leaf, head });
    return { kind: "ok", value: { seq, head } };
  }
}
