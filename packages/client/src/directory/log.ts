import { decode, equalBytes } from "@latchkey/codec";
import {
  checkOlder,
  decodeDirectoryProof,
  decodeHeadsProof,
  gossipOf,
  leafHash,
  learnConfig,
  logEntryCodec,
  openedValues,
  openHead,
  openRestoreStatement,
  parseVkey,
  peekHeadSize,
  proveInclusion,
  TransparencyError,
  verifyAbsence,
  verifyHeads,
  verifyInclusion,
  verifyLookup,
  withLogSignatureOnly,
} from "@latchkey/transparency";
import type { DirectoryView, HeadParams, HeadResult, LogEvidence, RestoreStatement, SignedHead } from "@latchkey/transparency";
import type { DirectoryStatus } from "../api.ts";
import { ClientError } from "../errors.ts";
import { dayOf } from "../names/day.ts";
import type { Platform } from "../platform/platform.ts";
import { createMutex } from "../store/mutex.ts";
import type { Mutex } from "../store/mutex.ts";
import type { Store } from "../store/store.ts";
import { followConfigs, mayHaveChanged } from "./config-changes.ts";
import { createGossipWords, isOverdue, judgeGossip, sortGossip, withPending } from "./gossip.ts";
import type { HeardWord } from "./gossip.ts";
import { checkpointOf, growthOf, treeOf } from "./growth.ts";
import { loadHostRecord, loadPin, saveHostRecord, savePin } from "./host-record.ts";
import type { HostRecord } from "./host-record.ts";
import type { Proven } from "./proven.ts";
import { createRecordSource, recordFailure, unavailable } from "./record-source.ts";
import type { RecordSource } from "./record-source.ts";
import { beginReplay, replayNew } from "./replay.ts";

/** Who showed a proof: the host itself, asked now; or a member of a group, who had it from there some time ago (spec D-5). */
export type ProofSource = "host" | "member";

/** An account with the proof that came with it. */
export interface AccountEvidence {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly username: string;
  /** All states and bindings, and the DirectoryProof. */
  readonly record: { readonly states: readonly Uint8Array[]; readonly bindings: readonly Uint8Array[]; readonly proof: Uint8Array };
  readonly known: Proven | undefined;
  readonly source: ProofSource;
  /** Size of the log that the host was told is known: one that shows less then went back. */
  readonly askedSize?: number;
}

/** The published head of a conversation's log (spec L-11). */
export interface PublishedHead {
  readonly seq: number;
  readonly head: Uint8Array;
  /** Log time of its publication. */
  readonly publishedAtMs: number;
}

/** Something about a host's record that must not be. */
export interface RecordAlarm {
  readonly host: string;
  readonly failure: ClientError;
  /** What it is about, made by machine: the same again is the same alarm. */
  readonly about: string;
  /** C2SP notes, signed by the log, that convict it together (spec E-1); none where it is no accusation. */
  readonly evidence: readonly Uint8Array[];
}

/**
 * What this profile verified of the hosts' public records: for each host the largest head, never going back, stored before it is
 * used. All that it fetches by itself are static files, the same for everybody.
 */
export interface DirectoryLog {
  /** Begins to fetch what the first contact with a host's record needs: a round trip less for whoever proves something next. */
  expect(host: string): void;
  /** Size that was verified: what a request names as known; 0 before the first contact. */
  knownSize(host: string): Promise<number>;
  /**
   * Proves where an account's labels stand (spec section 40).
   * @throws ClientError `directory_unproven`, `directory_stale`, `directory_fork`
   */
  proveAccount(evidence: AccountEvidence): Promise<Proven & { checkedAtMs: number }>;
  /** Proves that nobody has a name (spec D-1). @throws ClientError as `proveAccount` */
  proveAbsence(params: {
    host: string;
    username: string;
    bindings: readonly Uint8Array[];
    proof: Uint8Array;
    askedSize?: number;
  }): Promise<void>;
  /** Proves the published head of a log. @throws ClientError as `proveAccount` */
  proveLogHead(params: { host: string; logId: Uint8Array; proof: Uint8Array; askedSize?: number }): Promise<PublishedHead>;
  /**
   * Proves whatever `open` verifies at the head of an answer of the host's: it is called with how the head is opened.
   * @throws ClientError as `proveAccount`
   */
  proveAt<T extends HeadResult>(
    params: { host: string; head: SignedHead; consistency: readonly Uint8Array[]; askedSize: number },
    open: (head: HeadParams) => Promise<T>,
  ): Promise<T>;
  /** The tree that was verified last, and hashes of it out of the host's static tiles; `undefined` before the first contact. */
  tree(host: string): Promise<ReturnType<typeof treeOf>>;
  /** Gets the newest head and verifies it. @throws ClientError as `proveAccount` */
  advance(host: string): Promise<void>;
  /** Whether the log signed something a day ago or longer that the host has not joined to the view: whoever is new may be shown to this device alone (spec D-4). */
  isInDoubt(host: string): Promise<boolean>;
  /** Gossip for messages to members of groups: an encoded Gossip, empty before the first contact (spec D-4). */
  gossip(host: string): Uint8Array;
  /**
   * Gossip that a member sent. What the log signed is joined to the view, now or within a day, and convicts the log when it cannot be;
   * whatever else it is, is a word: `onWord` names who said it. @param speaker base64url account id
   */
  hear(gossip: Uint8Array, speaker: string): void;
  /** Replays what is new in the map where nobody else watches it, and joins gossip to the view. */
  upkeep(host: string): Promise<void>;
  /** Names the config of a host not met yet: by an invitation, or another device (spec D-2). @throws ClientError `directory_fork` when it is another one than was met */
  pin(host: string, configHash: Uint8Array): Promise<void>;
  /** The same without waiting: 32 zeros before the first contact. */
  pinned(host: string): Uint8Array;
  /** What proves the host's log to whoever knows the hash of its first config (spec M-2); `undefined` before the first contact. */
  evidence(host: string): LogEvidence | undefined;
  /** H(DirectoryConfig) of a host, once it was met. */
  configHash(host: string): Promise<Uint8Array | undefined>;
  status(host: string): Promise<DirectoryStatus>;
  /** Whether witnesses of the map, or this device by its own replay, watched the record up to this size (spec D-3). */
  isWatched(host: string, size: number): boolean;
  /** What a host says, signed by the log that was met, of its restore (spec D-7); `undefined` for anything else, and of a host not met yet. */
  openRestored(host: string, note: Uint8Array): Promise<RestoreStatement | undefined>;
  /** Calls `listener` when a host's record turns out false by something that nobody waits for. */
  onAlarm(listener: (alarm: RecordAlarm) => void): void;
  /** Calls `listener` with who said of a host's record what its log did not sign. */
  onWord(listener: (speaker: string) => void): void;
}

const gossipDelayMs = 20_000;
/** Words of one speaker that are looked at in one round, and of all: the rest is not heard (spec E-2). */
const wordsOfOne = 4;
const wordsOfAll = 256;

/** @param params `httpUrl` of a host's HTTP, without a slash at its end; `heardAtMs` is when the host last answered anything, 0 for never */
export function createDirectoryLog(params: {
  store: Store;
  platform: Platform;
  httpUrl: (host: string) => string;
  heardAtMs: (host: string) => number;
}): DirectoryLog {
  const { store, platform } = params;
  const { signatures, verifyVrf } = platform;
  const sources = new Map<string, RecordSource>();
  const mutexes = new Map<string, Mutex>();
  /** What was read or written last, for those who cannot wait. */
  const latest = new Map<string, HostRecord>();
  const listeners: ((alarm: RecordAlarm) => void)[] = [];
  const wordListeners: ((speaker: string) => void)[] = [];
  const heard: HeardWord[] = [];
  const words = createGossipWords();
  /** The head that a failure is about. */
  const notes = new WeakMap<object, readonly Uint8Array[]>();
  /** The head that each host showed by itself last, and when; that its log signed it was verified. */
  const shown = new Map<string, { readonly size: number; readonly atMs: number }>();
  let isGossipPlanned = false;

  function sourceOf(host: string): RecordSource {
    const known = sources.get(host);
    if (known !== undefined) return known;
    const source = createRecordSource({ platform, baseUrl: params.httpUrl(host) });
    sources.set(host, source);
    return source;
  }

  /** One after the other for each host: a view never goes back. */
  async function alone<T>(host: string, task: () => Promise<T>): Promise<T> {
    const mutex = mutexes.get(host) ?? createMutex();
    mutexes.set(host, mutex);
    try {
      return await mutex.run(task);
    } catch (error) {
      // What did not hold is not kept: it may have been damaged on the way.
      if (error instanceof TransparencyError) sources.get(host)?.forget();
      throw accused(host, error);
    }
  }

  /** A failure in the client's words. Where it convicts the log, the person is told, whoever asked, until they handled it. */
  function accused(host: string, error: unknown): ClientError {
    const failure = recordFailure(error);
    if (failure.code !== "directory_fork") return failure;
    const kind = error instanceof TransparencyError ? error.code : "fork";
    const evidence = (typeof error === "object" && error !== null ? notes.get(error) : undefined) ?? [];
    alarm(host, failure, `${kind} ${latest.get(host)?.view.size ?? 0}`, evidence);
    return failure;
  }

  async function load(host: string): Promise<HostRecord | undefined> {
    const known = latest.get(host);
    if (known !== undefined) return known;
    const stored = await store.transact("read", (tx) => loadHostRecord(tx, host));
    if (stored !== undefined) latest.set(host, stored);
    return stored;
  }

  async function save(host: string, record: HostRecord): Promise<HostRecord> {
    await store.transact("write", (tx) => saveHostRecord(tx, host, record));
    latest.set(host, record);
    return record;
  }

  function alarm(host: string, error: unknown, about: string, evidence: readonly Uint8Array[] = []): void {
    const failure = recordFailure(error);
    for (const listener of listeners) listener({ host, failure, about, evidence });
  }

  const headParams = (host: string, view: DirectoryView | undefined): HeadParams => ({
    host,
    view,
    nowMs: platform.nowMs(),
    signatures,
    // Nobody replays the map for those who ask for no witnesses: this device does, as far as it can (spec D-3).
    mapQuorum: view !== undefined && view.config.mapPolicy === "" ? "optional" : "required",
  });

  /** The newest head out of static files. */
  async function fetchHead(source: RecordSource): Promise<SignedHead> {
    const checkpoint = await source.checkpoint();
    const { size } = checkpointOf(checkpoint);
    const [entry] = await source.entries(size - 1, size, size);
    if (entry === undefined) throw new TransparencyError("missing", "D-2", "the log has no entries");
    return { checkpoint, entry, inclusion: await proveInclusion(size - 1, size, source.hashes(size)) };
  }

  /**
   * Opens what hangs on a head: joins the head to the view, whichever is larger, and keeps the larger one. Call `alone`.
   * @param open verifies the rest; its result's view is kept
   */
  async function opened<T extends HeadResult>(
    host: string,
    head: SignedHead,
    options: { source: ProofSource; consistency: readonly Uint8Array[]; askedSize?: number },
    open: (head: HeadParams) => Promise<T>,
  ): Promise<T> {
    const source = sourceOf(host);
    let record = await load(host);
    if (record === undefined) return await firstContact(host, head, open);
    const size = peekHeadSize(head);
    if (options.source === "member" && size > record.view.size) record = await catchUp(host, record, size);
    record = await followConfig(host, head, record);
    const known = record;
    const { view } = known;
    // What a member shows was vouched for when it was new; that it is in the record that is vouched for now is proven below.
    const age = options.source === "member" && size <= view.size ? { maxAgeMs: Number.POSITIVE_INFINITY } : {};
    const attempt = async (consistency: readonly Uint8Array[] | undefined): Promise<T> => {
      try {
        return await open({ ...headParams(host, view), ...age, consistency });
      } catch (error) {
        if (error instanceof TransparencyError) notes.set(error, [known.checkpoint, head.checkpoint]);
        // Which witnesses vouch for it is looked at last.
        const isSigned = error instanceof TransparencyError && (error.code === "stale" || error.code === "quorum");
        if (isSigned && options.source === "host") shown.set(host, { size, atMs: platform.nowMs() });
        throw error;
      }
    };
    const byTiles = async (): Promise<T> => {
      const growth = growthOf({ from: view.size, to: checkpointOf(head.checkpoint), source });
      return await attempt((await growth.catch(async (error: unknown) => await doubt(host, known, head, error))).proof);
    };
    let result: T;
    if (size <= view.size) result = await attempt(undefined);
    // The answer leads on from the size that was asked with; the view may have grown by another answer since. It is not signed: where it
    // does not lead on, the tiles decide.
    else if (options.consistency.length > 0 && options.askedSize === view.size) {
      result = await attempt(options.consistency).catch(async (error: unknown) => {
        if (error instanceof TransparencyError && error.code === "fork") return await byTiles();
        throw error;
      });
    } else result = await byTiles();
    if (size < (options.askedSize ?? 0)) {
      const error = new TransparencyError("rollback", "D-2", "the log is smaller than it was");
      notes.set(error, [known.checkpoint, result.checkpoint]);
      throw error;
    }
    if (options.source === "host") shown.set(host, { size, atMs: platform.nowMs() });
    if (result.relation === "older") {
      const { proof } = await growthOf({ from: size, to: view, source });
      try {
        checkOlder({ head: result, view, consistency: proof });
      } catch (error) {
        if (error instanceof TransparencyError) notes.set(error, [known.checkpoint, result.checkpoint]);
        throw error;
      }
      return result;
    }
    await save(host, await announced(host, recordOf(record.log, record, result), result, known.view.checkedAtMs));
    return result;
  }

  /** A head that does not join the view for now: where the log signed it, it is waited for as if a member had told of it (spec D-4). */
  async function doubt(host: string, record: HostRecord, head: SignedHead, error: unknown): Promise<never> {
    const gossip = gossipOf(withLogSignatureOnly(head.checkpoint, record.view.config));
    const { notes: signed } = await sortGossip({ heard: [{ gossip, speaker: host }], view: record.view, signatures });
    await save(host, { ...record, gossip: withPending(record.gossip, signed, platform.nowMs()) });
    throw error;
  }

  function recordOf(log: LogEvidence, before: HostRecord | undefined, result: HeadResult): HostRecord {
    const { witnesses } = result;
    return {
      format: 3,
      view: result.view,
      checkpoint: result.checkpoint,
      log,
      witnesses: witnesses.log.length,
      required: witnesses.required.log,
      isMapWatched: result.isMapWatched,
      replay: before?.replay,
      gossip: before?.gossip ?? [],
    };
  }

  async function firstContact<T extends HeadResult>(host: string, head: SignedHead, open: (head: HeadParams) => Promise<T>): Promise<T> {
    const source = sourceOf(host);
    const config = await source.config();
    const pinnedConfigHash = await store.transact("read", (tx) => loadPin(tx, host));
    const known: HeadParams = { ...headParams(host, undefined), config, pinnedConfigHash };
    // The log began with this config; whoever meets it later follows what became of it.
    const { view, changes } = mayHaveChanged(undefined, head, platform.nowMs())
      ? await followConfigs({ known, head, source })
      : { view: undefined, changes: [] };
    const newest = peekHeadSize(head);
    const isLater = view !== undefined && newest > view.size;
    const consistency = isLater ? (await growthOf({ from: view.size, to: checkpointOf(head.checkpoint), source })).proof : undefined;
    const result = await open({ ...known, view, consistency });
    // The config is the one that the log begins with.
    const { size, root } = result;
    const [[entry], proof] = await Promise.all([source.entries(0, 1, size), proveInclusion(0, size, source.hashes(size))]);
    if (entry === undefined) throw new TransparencyError("missing", "D-2", "the log has no entries");
    verifyInclusion({ index: 0, size, leafHash: leafHash(entry), proof, root });
    if (!equalBytes(decode(logEntryCodec, entry).config, config)) {
      throw new TransparencyError("missing", "D-2", "the log does not begin with the configuration that was shown");
    }
    const met = await announced(host, recordOf({ config, changes }, undefined, result), result, 0);
    // What nobody else watches is replayed from here on: all that comes later is checked (spec D-3).
    const replay = result.isMapWatched ? undefined : await beginReplay({ view: met.view, source, nowMs: platform.nowMs() });
    await save(host, { ...met, replay });
    return result;
  }

  /** A larger head than the view's that only a member showed: the host is asked for its newest, which vouches for it. */
  async function catchUp(host: string, record: HostRecord, size: number): Promise<HostRecord> {
    const source = sourceOf(host);
    const head = await fetchHead(source);
    const newest = peekHeadSize(head);
    if (newest < size) throw new TransparencyError("missing", "D-4", "the host does not show what a member saw");
    const current = await followConfig(host, head, record);
    const { proof } = await growthOf({ from: current.view.size, to: checkpointOf(head.checkpoint), source });
    const result = await openHead({ ...headParams(host, current.view), head, consistency: proof });
    return await save(host, await announced(host, recordOf(current.log, current, result), result, record.view.checkedAtMs));
  }

  /** Takes note of a config that was logged and is not in effect yet (spec D-2). @param sightMs when the log was met last before this */
  async function announced(host: string, record: HostRecord, result: HeadResult, sightMs: number): Promise<HostRecord> {
    const index = result.announcedConfigIndex;
    const { view } = record;
    if (index === undefined || result.relation === "older") return record;
    const source = sourceOf(host);
    const [entry] = await source.entries(index, index + 1, view.size);
    if (entry === undefined) throw new TransparencyError("missing", "D-2", "the log has no such entry");
    const inclusion = await proveInclusion(index, view.size, source.hashes(view.size));
    const learned = learnConfig({ view, index, entry, inclusion, sightMs });
    const day = dayOf(learned.pendingConfig?.effectiveAtMs ?? 0);
    tellConfig(host, index, `The server's public record gets other keys or other witnesses from ${day} on.`);
    return { ...record, view: learned };
  }

  /** Everybody is told of other keys or witnesses (spec D-2). */
  function tellConfig(host: string, index: number, message: string): void {
    alarm(host, new ClientError("directory_changed", message), `config ${index}`);
  }

  /** Follows config changes whose notice is over (spec D-2). */
  async function followConfig(host: string, head: SignedHead, record: HostRecord): Promise<HostRecord> {
    const { view } = record;
    if (peekHeadSize(head) <= view.size || !mayHaveChanged(view, head, platform.nowMs())) return record;
    const { view: followed, changes } = await followConfigs({ known: headParams(host, view), head, source: sourceOf(host) });
    if (followed === undefined || changes.length === 0) return record;
    tellConfig(host, followed.configIndex, "The server's public record has other keys or other witnesses than before.");
    return { ...record, view: followed, log: { ...record.log, changes: [...record.log.changes, ...changes] } };
  }

  function statusOf(record: HostRecord): Proven["status"] {
    const isReplayed = record.replay !== undefined && record.replay.state.size >= record.view.size;
    return record.isMapWatched || isReplayed ? "checked" : "unwatched";
  }

  function planGossip(): void {
    if (isGossipPlanned) return;
    isGossipPlanned = true;
    const [jitter = 0] = platform.random(1);
    platform.setTimer(Math.floor((gossipDelayMs * (jitter + 1)) / 256), () => {
      isGossipPlanned = false;
      void hearAll();
    });
  }

  async function hearAll(): Promise<void> {
    const waiting = heard.splice(0);
    const hosts = new Set<string>();
    for (const { gossip } of waiting) {
      const host = words.host(gossip);
      if (host !== undefined) hosts.add(host);
    }
    for (const host of hosts) {
      const own = waiting.filter(({ gossip }) => words.host(gossip) === host);
      await joinGossip(host, own).catch(() => undefined);
    }
  }

  /** Compares gossip with the view (spec D-4). */
  async function joinGossip(host: string, fresh: readonly HeardWord[]): Promise<void> {
    const record = await load(host);
    if (record === undefined) return;
    const { notes: signed, speakers } = await sortGossip({ heard: fresh, view: record.view, signatures });
    for (const speaker of speakers) for (const listener of wordListeners) listener(speaker);
    if (signed.length === 0 && record.gossip.length === 0) return;
    await alone(host, async () => {
      let now = (await load(host)) ?? record;
      const nowMs = platform.nowMs();
      const judged = await judgeGossip({
        pending: withPending(now.gossip, signed, nowMs),
        nowMs,
        heardAtMs: params.heardAtMs(host),
        shown: () => shown.get(host) ?? { size: 0, atMs: 0 },
        source: sourceOf(host),
        current: () => now,
        advance: async () => {
          await newestHead(host).catch((error: unknown) => {
            // The host was there, whatever its answer is worth.
            if (!(error instanceof TransparencyError)) throw error;
            accused(host, error);
          });
          now = (await load(host)) ?? now;
        },
      });
      for (const { error, about, notes: both } of judged.evidence) alarm(host, error, about, both);
      if (judged.pending.length > 0 || now.gossip.length > 0) await save(host, { ...now, gossip: judged.pending });
    });
  }

  /** Has the host show its newest head, and verifies it. Call `alone`. */
  async function newestHead(host: string): Promise<void> {
    const head = await fetchHead(sourceOf(host));
    await opened(host, head, { source: "host", consistency: [] }, (params) => openHead({ ...params, head }));
  }

  return {
    expect(host) {
      if (latest.has(host)) return;
      // What fails here fails again where it is needed.
      sourceOf(host)
        .config()
        .catch(() => undefined);
    },
    async knownSize(host) {
      return (await load(host))?.view.size ?? 0;
    },
    async proveAccount(evidence) {
      const { host, accountId, username, record, known, source, askedSize = 0 } = evidence;
      // Withheld is not false: asked again later, and no reason to think that anything changed.
      if (record.proof.length === 0) throw unavailable();
      return await alone(host, async () => {
        const proof = decodeDirectoryProof(record.proof);
        const result = await opened(host, proof.head, { source, consistency: proof.consistency, askedSize }, (head) =>
          verifyLookup({
            ...head,
            proof,
            query: { accountId, username },
            known: { account: known?.account, username: known?.username },
            verifyVrf,
            // Whether values may be erased is verified.
            record: {
              states: openedValues(record.states, proof, "account"),
              bindings: openedValues(record.bindings, proof, "username"),
            },
          }),
        );
        const now = await load(host);
        if (now === undefined || result.labels.username === undefined) {
          throw new TransparencyError("proof", "A-3", "the proof does not say whose the name is");
        }
        const isCurrent = result.size >= now.view.size;
        return {
          account: result.labels.account,
          username: result.labels.username,
          size: result.size,
          headMs: result.entry.timestampMs,
          witnesses: result.witnesses.log.length,
          required: result.witnesses.required.log,
          status: result.isMapWatched ? "checked" : statusOf(now),
          // A member's older proof holds until the record went on, and perhaps longer.
          checkedAtMs: source === "host" || isCurrent ? platform.nowMs() : Math.min(result.entry.timestampMs, platform.nowMs()),
        };
      });
    },
    async proveAbsence({ host, username, bindings, proof: bytes, askedSize = 0 }) {
      await alone(host, async () => {
        const proof = decodeDirectoryProof(bytes);
        await opened(host, proof.head, { source: "host", consistency: proof.consistency, askedSize }, (head) =>
          verifyAbsence({ ...head, proof, username, verifyVrf, bindings }),
        );
      });
    },
    async proveLogHead({ host, logId, proof: bytes, askedSize = 0 }) {
      return await alone(host, async () => {
        const proof = decodeHeadsProof(bytes);
        const result = await opened(host, proof.head, { source: "host", consistency: proof.consistency, askedSize }, (head) =>
          verifyHeads({ ...head, proof, logId }),
        );
        return { seq: result.seq, head: result.logHead.slice(), publishedAtMs: result.publishedAtMs };
      });
    },
    async proveAt({ host, head, ...asked }, open) {
      return await alone(host, () => opened(host, head, { source: "host", ...asked }, open));
    },
    tree: async (host) => treeOf((await load(host))?.view, sourceOf(host)),
    async advance(host) {
      await alone(host, () => newestHead(host));
    },
    async isInDoubt(host) {
      return isOverdue((await load(host))?.gossip ?? [], platform.nowMs());
    },
    gossip(host) {
      const record = latest.get(host);
      return record === undefined ? new Uint8Array(0) : words.of(record.checkpoint);
    },
    hear(gossip, speaker) {
      // Of what everybody sees nothing needs to be kept, and nothing is known of hosts that were never met.
      if ([...latest.values()].some((record) => equalBytes(gossip, words.of(record.checkpoint)))) return;
      const host = words.host(gossip);
      if (host === undefined || !latest.has(host)) return;
      if (heard.length >= wordsOfAll || heard.filter((word) => word.speaker === speaker).length >= wordsOfOne) return;
      if (!heard.some((word) => equalBytes(word.gossip, gossip))) heard.push({ gossip: gossip.slice(), speaker });
      planGossip();
    },
    async upkeep(host) {
      await hearAll();
      await joinGossip(host, []);
      await alone(host, async () => {
        const record = await load(host);
        if (record === undefined || record.isMapWatched) return;
        const replay = await replayNew({ view: record.view, replay: record.replay, source: sourceOf(host), nowMs: platform.nowMs() });
        if (replay.failure !== undefined) alarm(host, replay.failure, "replay");
        if (replay.replay !== record.replay) await save(host, { ...record, replay: replay.replay });
      });
    },
    async pin(host, configHash) {
      const record = await load(host);
      if (record === undefined) await store.transact("write", (tx) => savePin(tx, host, configHash));
      else if (!equalBytes(record.view.configHash, configHash)) {
        throw new ClientError("directory_fork", "This server's public record is not the one that was named.");
      }
    },
    pinned: (host) => latest.get(host)?.view.configHash ?? new Uint8Array(32),
    evidence: (host) => latest.get(host)?.log,
    configHash: async (host) => (await load(host))?.view.configHash,
    async status(host) {
      const record = await load(host);
      if (record === undefined) return { host, size: 0, checkedAtMs: 0, witnesses: 0, required: 0, status: "unchecked" };
      const { view, witnesses, required } = record;
      return { host, size: view.size, checkedAtMs: view.checkedAtMs, witnesses, required, status: statusOf(record) };
    },
    isWatched(host, size) {
      const record = latest.get(host);
      if (record === undefined) return false;
      return (record.isMapWatched && record.view.size >= size) || (record.replay !== undefined && record.replay.state.size >= size);
    },
    async openRestored(host, note) {
      const view = (await load(host))?.view;
      if (view === undefined) return undefined;
      try {
        return await openRestoreStatement({ note, origin: view.origin, log: parseVkey(view.config.logKey), signatures });
      } catch (error) {
        if (error instanceof TransparencyError) return undefined;
        throw error;
      }
    },
    onAlarm(listener) {
      listeners.push(listener);
    },
    onWord(listener) {
      wordListeners.push(listener);
    },
  };
}
