import type { BlobReference, EntryEvent, SealedEvent, Signal } from "@latchkey/protocol";
import type { ConversationState, Effect, Input } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { isPassing } from "../core/passing.ts";
import { putBlob } from "../group/blobs.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { ContentReader } from "./content-reader.ts";
import type { World } from "./world.ts";

type StreamInput = Extract<Input, { kind: "entry" | "sealed" }>;

/** Whom a channel works for. */
export interface ChannelOwner {
  readonly state: ConversationState;
  post(input: Input): void;
  /** Entries that waited for a blob are ready. */
  resume(): void;
}

/**
 * What one conversation has with its host: the stream of its log, its requests, and the blobs beside both. Messages go out in the order in
 * which they were sealed, whatever their size. A blob that is fetched keeps back the entries after its own, and nothing else.
 */
export class LogChannel {
  readonly #world: World;
  readonly #owner: ChannelOwner;
  #connection: RoleConnection<"log"> | undefined;
  /** Requests whose `opened` has not been taken in: entries wait for it. */
  #opening = 0;
  #early: StreamInput[] = [];
  /** Entries from the one on whose blob they wait. */
  #parked: StreamInput[] | undefined;
  #ready: StreamInput[] | undefined;
  /** Whatever was asked to be sent before. */
  #sent: Promise<unknown> = Promise.resolve();
  /** Counts lines of messages that broke off: what stood behind in them is sent again with a new try. */
  #line = 0;
  readonly #content: ContentReader;

  constructor(world: World, owner: ChannelOwner) {
    this.#world = world;
    this.#owner = owner;
    this.#content = new ContentReader(world.platform);
  }

  /** Whether entries wait for a blob, and for nothing else. */
  get isParked(): boolean {
    return this.#parked !== undefined || this.#ready !== undefined;
  }

  get isReady(): boolean {
    return this.#ready !== undefined;
  }

  /** The host's log connection is up. */
  connected(connection: RoleConnection<"log">): void {
    this.#reset(connection);
    this.#owner.post({ kind: "connected", retentionDays: connection.hello.retentionDays });
  }

  disconnected(): void {
    if (this.#connection === undefined) return;
    const { heardAtMs } = this.#connection;
    this.#reset(undefined);
    this.#owner.post({ kind: "disconnected", heardAtMs });
  }

  #reset(connection: RoleConnection<"log"> | undefined): void {
    this.#connection = connection;
    this.#opening = 0;
    this.#early = [];
    this.#line++;
    this.forgetParked();
  }

  /** Drops entries that wait: the stream begins anew. */
  forgetParked(): void {
    this.#parked = undefined;
    this.#ready = undefined;
  }

  close(): void {
    this.forgetParked();
    this.#content.close();
  }

  /** An entry of this log, or its link of the chain. */
  event(event: ({ kind: "entry" } & EntryEvent) | ({ kind: "sealed" } & SealedEvent)): void {
    const input: StreamInput = event.kind === "entry" ? { kind: "entry", event } : { kind: "sealed", event };
    if (this.#opening > 0) this.#early.push(input);
    else this.#owner.post(input);
  }

  /** Lets an entry wait behind those that wait already. */
  park(input: StreamInput): void {
    (this.#ready ?? this.#parked)?.push(input);
  }

  /** Lets an entry wait for its blob. */
  fetch(reference: BlobReference, input: Extract<Input, { kind: "entry" }>): void {
    const parked: StreamInput[] = [input];
    this.#parked = parked;
    const baseUrl = this.#world.connections.httpUrl(this.#owner.state.host);
    const isCommit = input.event.entryKind === "commit";
    void this.#content.get(reference, { baseUrl, stalls: () => this.#owner.state.link.stalls, isCommit }).then((external) => {
      if (this.#parked !== parked) return;
      this.#parked = undefined;
      if (external === "unavailable") this.#owner.post({ kind: "unavailable" });
      else {
        parked[0] = { ...input, external };
        this.#ready = parked;
        this.#owner.resume();
      }
    });
  }

  /** The entries that waited, now that the first of them has what it needs. */
  takeReady(): readonly StreamInput[] {
    const ready = this.#ready ?? [];
    this.#ready = undefined;
    return ready;
  }

  /** Asks for the HeadsProof of this log; `undefined` while it is not open. @throws ClientError */
  async publishedHead(knownSize: number): Promise<Uint8Array | undefined> {
    const connection = this.#connection;
    const { link, logId } = this.#owner.state;
    if (connection === undefined || link.kind !== "following") return undefined;
    const answer = await connection.request({ kind: "head_proof", logId, knownSize });
    return answer.kind === "head_proof" ? answer.proof : undefined;
  }

  /** Has a signal relayed, where the log is followed now; what becomes of it nobody waits for. */
  async signal(signal: Signal): Promise<void> {
    if (this.#owner.state.link.kind !== "following") return;
    await this.#connection?.request({ kind: "signal", ...signal }).catch(ignoreOffline);
  }

  /** Ends the stream of this log; what it still brought is not the next one's. */
  async stop(): Promise<void> {
    this.forgetParked();
    const closed = this.#connection?.request({ kind: "close", logId: this.#owner.state.logId });
    await closed?.then(() => this.#early.splice(0)).catch(ignoreOffline);
  }

  /** Creates the log or opens an epoch of it. */
  async open(effect: Extract<Effect, { kind: "create" | "open" }>): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { logId } = this.#owner.state;
    this.#opening++;
    try {
      const { host } = this.#owner.state;
      const answer =
        effect.kind === "create"
          ? await this.#world.directory.tokens.spend({ host, operation: "create_log", target: logId }, (token) =>
              connection.request({ kind: "create", logId, accessHash: effect.accessHash, token }),
            )
          : await connection.request({ ...effect, logId });
      if (this.#connection !== connection) return;
      if (answer.kind === "opened") this.#owner.post({ kind: "opened", opened: answer });
      else if (answer.kind === "error") {
        const { code, retryAfterMs } = answer;
        this.#owner.post({ kind: "refused", request: effect.kind, entryId: undefined, code, retryAfterMs });
      } else connection.close();
      this.#opening--;
      if (this.#opening === 0) for (const input of this.#early.splice(0)) this.#owner.post(input);
    } catch (error) {
      ignoreOffline(error);
    }
  }

  /** Sends an entry after those that were to be sent before it, with the blobs that it refers to. */
  async send(effect: Extract<Effect, { kind: "append" | "commit" }>): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const { entry } = effect;
    const { pictures } = this.#world;
    const line = this.#line;
    const isCurrent = (): boolean => this.#line === line && this.#connection === connection;
    const begun = this.#sent.then(async () => {
      if (!isCurrent()) return undefined;
      await this.#putBlobs(entry.blobs);
      await pictures.bring(this.#owner.state, entry.blob, false);
      // Requests go out in the order of the calls; their answers need not be waited for one by one.
      return isCurrent() ? { answer: connection.request(this.#requestOf(effect)) } : undefined;
    });
    this.#sent = begun.catch(() => undefined);
    try {
      const first = await (await begun)?.answer;
      const isLost = first?.kind === "error" && first.code === "unknown_blob" && isCurrent();
      // What its picture leads to is there no more: it is brought once more, and else the entry goes without it.
      const isBrought = isLost && (await pictures.bring(this.#owner.state, entry.blob, true)) && isCurrent();
      const answer = isBrought ? await connection.request(this.#requestOf(effect)) : first;
      if (answer === undefined || this.#connection !== connection) return;
      const { entryId } = entry;
      if (answer.kind === "accepted") this.#owner.post({ kind: "accepted", entryId, seq: answer.seq, head: answer.head });
      else if (answer.kind === "error") {
        const { code, retryAfterMs } = answer;
        if (code === "unknown_blob") this.#world.files.missing(this.#owner.state.id, entryId);
        this.#owner.post({ kind: "refused", request: effect.kind, entryId, code, retryAfterMs });
      } else connection.close();
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      // With its connection lost it is sent again by the next one; a blob that could not be stored is tried again by itself.
      if (error.code === "closed" || this.#connection !== connection || connection.closed) return;
      const isTooLarge = error.code === "message_too_large";
      // What comes after it does not overtake it.
      if (!isTooLarge) this.#line++;
      const code = error.code === "server_full" ? "storage_full" : isTooLarge ? "too_large" : "internal";
      const { retryAfterMs } = error;
      const failure = isPassing(error.code) ? error.code : undefined;
      this.#owner.post({ kind: "refused", request: effect.kind, entryId: entry.entryId, code, retryAfterMs, failure });
    }
  }

  async #putBlobs(blobs: Extract<Effect, { kind: "append" }>["entry"]["blobs"]): Promise<void> {
    const { platform, connections } = this.#world;
    const baseUrl = connections.httpUrl(this.#owner.state.host);
    for (const blob of blobs) await putBlob({ platform, baseUrl }, blob.blobId, blob.ciphertext);
  }

  #requestOf(effect: Extract<Effect, { kind: "append" | "commit" }>): Parameters<RoleConnection<"log">["request"]>[0] {
    const { logId } = this.#owner.state;
    const { epochId, blob } = effect.entry;
    if (effect.kind === "append") return { kind: "append", logId, epochId, entryKind: effect.entryKind, blob };
    const { nextAccessHash, afterSeq } = effect;
    // Any commit of the epoch that came since is a conflict (spec L-5).
    return { kind: "commit", logId, epochId, afterSeq, nextAccessHash, blob, token: new Uint8Array(0) };
  }
}

/** What was lost with the connection is sent again with the next one. */
function ignoreOffline(error: unknown): void {
  if (!(error instanceof ClientError)) throw error;
}
