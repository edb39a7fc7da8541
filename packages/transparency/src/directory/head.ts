import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { emptyRoot, leafHash } from "../log/hashes.ts";
import { verifyConsistency, verifyInclusion } from "../log/verify.ts";
import type { Checkpoint } from "../note/checkpoint.ts";
import { parseNote, verifyNoteSignatures } from "../note/note.ts";
import type { Note } from "../note/note.ts";
import { parseVkey } from "../note/vkey.ts";
import type { Signatures } from "../signature.ts";
import { configNoticeMs, learnConfig } from "./config.ts";
import { parseDirectoryCheckpoint, withLogSignatureOnly } from "./gossip.ts";
import { checkConfigKeys, evaluateQuorums } from "./quorum.ts";
import type { QuorumResult } from "./quorum.ts";
import { configHashOf, decodeOrRefuse, directoryConfigCodec, directoryOrigin, logEntryCodec } from "./structures.ts";
import type { ConfigChange, DirectoryConfig, LogEntry, SignedHead } from "./structures.ts";
import type { DirectoryView } from "./view.ts";

/** Oldest cosignature that counts (spec D-3): 24 hours. */
export const cosignatureLifetimeMs = 86_400_000;
/** How far an entry may be dated ahead of its reader's clock (spec D-2): 5 minutes. */
export const clockToleranceMs = 300_000;

/** Who vouches for a head, by key name, and how many have to. */
export interface HeadWitnesses {
  readonly log: readonly string[];
  readonly map: readonly string[];
  readonly required: { readonly log: number; readonly map: number };
}

/** A verified head. */
export interface HeadResult {
  /**
   * To the view given: `first` there was none, `same` size and root, `newer` and consistent. An `older` head is signed and
   * witnessed, but that the view continues it is for `checkOlder` to verify; asked of a server directly, it is a rollback.
   */
  readonly relation: "first" | "same" | "newer" | "older";
  /** The view given, advanced by a newer head and refreshed by the same. */
  readonly view: DirectoryView;
  readonly witnesses: HeadWitnesses;
  /** Whether the quorum of map witnesses vouches for it; false as well when the config asks for none. */
  readonly isMapWatched: boolean;
  readonly entry: LogEntry;
  readonly size: number;
  readonly root: Uint8Array;
  /** The head's checkpoint with the log's signature alone: what gossip carries (spec D-4). */
  readonly checkpoint: Uint8Array;
  /** Since when the quorum of the log's witnesses vouches for it, by their clocks; `undefined` when none is asked for. */
  readonly logQuorumMs: number | undefined;
  /** Index of a later config's entry that the view does not know: to be fetched and given to `learnConfig`. */
  readonly announcedConfigIndex: number | undefined;
}

/** What opening a head takes. */
export interface OpenHeadParams {
  readonly head: SignedHead;
  /** The directory's host. */
  readonly host: string;
  readonly view: DirectoryView | undefined;
  /** Entry 0's config, encoded: for the first contact only. */
  readonly config?: Uint8Array | undefined;
  /** H(config) that an invitation or a contact named, if any (spec D-2): for the first contact only. */
  readonly pinnedConfigHash?: Uint8Array | undefined;
  /** From the smaller of the two sizes to the other; needed unless they are equal or there is no view. For an older head: see `checkOlder`. */
  readonly consistency?: readonly Uint8Array[] | undefined;
  readonly nowMs: number;
  readonly signatures: Signatures;
  /** Greatest age of the quorums' cosignatures. Default 24 hours (spec D-3); more for proofs that travelled in band. */
  readonly maxAgeMs?: number | undefined;
  /** `optional` for those who replay the map by themselves (spec D-3). Default: required if the config has a map policy. */
  readonly mapQuorum?: "required" | "optional" | undefined;
}

/** The size that a head's checkpoint names, not verified: to fetch the consistency proof that `openHead` will need. @throws TransparencyError `malformed` */
export function peekHeadSize(head: SignedHead): number {
  return parseDirectoryCheckpoint(parseNote(head.checkpoint).text).size;
}

/**
 * Verifies a head (spec section 40): origin, the log's signature, its newest entry, both quorums, and that it continues the
 * largest one that was seen.
 * @throws TransparencyError `malformed`, `signature`, `proof`; `ahead` (dated ahead of this clock: one of both is wrong, and it is tried
 *   again); `quorum` (too few witnesses), `stale` (their cosignatures are too old),
 *   `fork` (another tree than the view's: an alarm), `config` (D-2), `missing` (no config at the first contact, or the log's signature
 *   is of a config that the view has not learned).
 */
export async function openHead(params: OpenHeadParams): Promise<HeadResult> {
  const { head, nowMs, signatures } = params;
  const known = params.view ?? startingView(params);
  if (known.origin !== directoryOrigin(params.host)) throw new TransparencyError("config", "D-2", "the view is of another directory");
  const note = parseNote(head.checkpoint);
  const checkpoint = parseDirectoryCheckpoint(note.text);
  if (checkpoint.origin !== known.origin) throw new TransparencyError("proof", "D-2", "the checkpoint is of another log");
  const entry = openEntry(head, checkpoint);
  const { config } = known;
  // Whoever showed it: only what the log signed is held against the log (spec E-1).
  await checkLogSignature(note, config, signatures);
  if (entry.configIndex >= checkpoint.size) throw new TransparencyError("config", "D-2", "an entry names a later configuration");
  if (entry.timestampMs > nowMs + clockToleranceMs)
    throw new TransparencyError("ahead", "D-2", "the newest entry is dated ahead of this clock");
  const relation = params.view === undefined ? "first" : relationOf(params.view, checkpoint);
  if (relation === "newer") checkGrowth(known, checkpoint, entry, params.consistency);
  const notBeforeMs = nowMs - (params.maxAgeMs ?? cosignatureLifetimeMs);
  const { log, map } = await evaluateQuorums({ config, note, notBeforeMs, signatures });
  checkQuorum(log, notBeforeMs, "log");
  if (params.mapQuorum !== "optional") checkQuorum(map, notBeforeMs, "map");
  const announcedConfigIndex = entry.configIndex > (known.pendingConfig?.index ?? known.configIndex) ? entry.configIndex : undefined;
  const { size, root } = checkpoint;
  return {
    relation,
    view: relation === "older" ? known : advance({ known, checkpoint, entry, log, map, nowMs }),
    witnesses: { log: log.names, map: map.names, required: { log: log.required, map: map.required } },
    isMapWatched: map.sinceMs !== undefined && map.sinceMs >= notBeforeMs,
    entry,
    size,
    root,
    checkpoint: withLogSignatureOnly(head.checkpoint, config),
    logQuorumMs: log.sinceMs,
    announcedConfigIndex,
  };
}

/** Verifies that the view continues an `older` head. @throws TransparencyError `fork` when it does not. */
export function checkOlder(params: {
  head: { readonly size: number; readonly root: Uint8Array };
  view: DirectoryView;
  /** From `head.size` to `view.size`. */
  consistency: readonly Uint8Array[];
}): void {
  const { head, view, consistency } = params;
  checkContinues({ from: head.size, to: view.size, fromRoot: head.root, toRoot: view.root, proof: consistency });
}

/**
 * Follows a change of the config (spec D-2): two heads that the log signed and its quorum cosigned under the config before, whatever
 * their age, both with the entry in their trees, and seven days between them, by the witnesses' clocks. The log's own time proves
 * nothing: the log writes it. Where the config before asks for no witnesses, the seven days are between this reader's own sights of the
 * log: the last one without the entry, and now.
 * @param params `consistency` joins the view and `first`, from the smaller to the larger of both
 * @returns the view at the larger of its own head and `last`, with the new config in effect
 * @throws TransparencyError as `openHead`; `fork` when the heads do not continue each other or the view; `config` before the notice is
 *   over, or when the config may not follow.
 */
export async function openConfigChange(
  params: Omit<OpenHeadParams, "head" | "maxAgeMs"> & {
    readonly change: ConfigChange;
    /** Where there is no view of this reader's own: what the log's keys became by earlier changes; the first config when absent. */
    readonly known?: DirectoryView | undefined;
    /** From the smaller to the larger of the view's size and that of `last`; needed where there is a view. */
    readonly lastConsistency?: readonly Uint8Array[] | undefined;
  },
): Promise<DirectoryView> {
  const { change, consistency, lastConsistency, view: before, known: keys, ...rest } = params;
  const known = before ?? keys ?? startingView(params);
  const common = { ...rest, maxAgeMs: Number.POSITIVE_INFINITY };
  // By itself first: when it was cosigned does not depend on what this reader has seen since.
  const start: DirectoryView = { ...known, size: 0, root: emptyRoot(), timestampMs: 0, leafCount: 0, pendingConfig: undefined };
  const first = await openHead({ ...common, view: start, head: change.first, consistency: [] });
  const last = await openHead({ ...common, view: first.view, head: change.last, consistency: change.consistency });
  if (last.relation === "older") throw new TransparencyError("config", "D-2", "the heads of a configuration change are in the wrong order");
  if (before !== undefined) {
    joinHeads(before, first, consistency);
    joinHeads(before, last, lastConsistency);
  }
  const { index, entry, inclusion } = change;
  const sightMs = before?.pendingConfig?.index === index ? before.pendingConfig.sightMs : (before?.checkedAtMs ?? 0);
  const { pendingConfig } = learnConfig({ view: first.view, index, entry, inclusion, sightMs });
  if (pendingConfig === undefined) throw new TransparencyError("config", "D-2", "the entry has no later configuration");
  const isByClocks =
    first.logQuorumMs === undefined || last.logQuorumMs === undefined
      ? params.nowMs >= sightMs + configNoticeMs
      : last.logQuorumMs >= first.logQuorumMs + configNoticeMs;
  if (!isByClocks || last.entry.timestampMs < pendingConfig.effectiveAtMs) {
    throw new TransparencyError("config", "D-2", "the notice of a configuration is not over");
  }
  const base = before !== undefined && before.size >= last.size ? before : last.view;
  return { ...base, config: pendingConfig.config, configIndex: index, pendingConfig: undefined };
}

/** @throws TransparencyError `fork`, or `missing` without a proof that is needed */
function joinHeads(
  view: DirectoryView,
  head: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[] | undefined,
): void {
  if (proof === undefined) throw new TransparencyError("missing", "D-4", "a head of a configuration change needs a consistency proof");
  const [from, to] = head.size <= view.size ? [head, view] : [view, head];
  checkContinues({ from: from.size, to: to.size, fromRoot: from.root, toRoot: to.root, proof });
}

/** @throws TransparencyError `fork`: here a wrong proof means that somebody is shown another tree. */
export function checkContinues(params: {
  from: number;
  to: number;
  fromRoot: Uint8Array;
  toRoot: Uint8Array;
  proof: readonly Uint8Array[];
}): void {
  try {
    verifyConsistency(params);
  } catch (cause) {
    if (!(cause instanceof TransparencyError)) throw cause;
    throw new TransparencyError("fork", "D-4", "two heads of the directory do not continue each other", { cause });
  }
}

/** What is known at the first contact: the config. */
function startingView(params: Pick<OpenHeadParams, "config" | "pinnedConfigHash">): DirectoryView {
  const { config: bytes, pinnedConfigHash } = params;
  if (bytes === undefined) throw new TransparencyError("missing", "D-2", "the first contact needs the directory's configuration");
  const configHash = configHashOf(bytes);
  if (pinnedConfigHash !== undefined && !equalBytes(configHash, pinnedConfigHash)) {
    throw new TransparencyError("config", "D-2", "the directory has another configuration than the one that was named");
  }
  const config = decodeOrRefuse(directoryConfigCodec, bytes, "D-2");
  checkConfigKeys(config);
  return {
    origin: config.origin,
    configHash,
    config,
    configIndex: 0,
    pendingConfig: undefined,
    size: 0,
    root: new Uint8Array(32),
    mapRoot: new Uint8Array(32),
    leafCount: 0,
    timestampMs: 0,
    logQuorumMs: 0,
    mapQuorumMs: 0,
    checkedAtMs: 0,
  };
}

function openEntry(head: SignedHead, { size, root }: Checkpoint): LogEntry {
  if (size === 0) throw new TransparencyError("malformed", "D-2", "a directory's log has at least its configuration");
  verifyInclusion({ index: size - 1, size, leafHash: leafHash(head.entry), proof: head.inclusion, root });
  const entry = decodeOrRefuse(logEntryCodec, head.entry, "D-2");
  return entry;
}

function relationOf(view: DirectoryView, { size, root }: Checkpoint): "same" | "newer" | "older" {
  if (size > view.size) return "newer";
  if (size < view.size) return "older";
  if (!equalBytes(root, view.root)) throw new TransparencyError("fork", "D-4", "two heads of one size have different roots");
  return "same";
}

function checkGrowth(view: DirectoryView, checkpoint: Checkpoint, entry: LogEntry, consistency: readonly Uint8Array[] | undefined): void {
  if (consistency === undefined) throw new TransparencyError("missing", "D-4", "a newer head needs a consistency proof");
  checkContinues({ from: view.size, to: checkpoint.size, fromRoot: view.root, toRoot: checkpoint.root, proof: consistency });
  if (entry.timestampMs <= view.timestampMs) throw new TransparencyError("rule", "D-3", "a newer head is not of a later time");
  if (entry.leafCount < view.leafCount) throw new TransparencyError("rollback", "D-3", "a newer head has fewer leaves");
  if (entry.configIndex < view.configIndex) throw new TransparencyError("config", "D-2", "a newer head names an older configuration");
}

async function checkLogSignature(note: Note, config: DirectoryConfig, signatures: Signatures): Promise<void> {
  const [own] = await verifyNoteSignatures(note, [parseVkey(config.logKey)], signatures);
  if (own === undefined) throw new TransparencyError("signature", "D-2", "the checkpoint is not signed with the log's key");
}

function checkQuorum({ required, sinceMs }: QuorumResult, notBeforeMs: number, of: "log" | "map"): void {
  if (required === 0) return;
  if (sinceMs === undefined) throw new TransparencyError("quorum", "D-3", `too few witnesses of the ${of} vouch for the head`);
  if (sinceMs < notBeforeMs) throw new TransparencyError("stale", "D-3", `the witnesses of the ${of} vouched for the head too long ago`);
}

function advance(params: {
  known: DirectoryView;
  checkpoint: Checkpoint;
  entry: LogEntry;
  log: QuorumResult;
  map: QuorumResult;
  nowMs: number;
}): DirectoryView {
  const { known, checkpoint, entry, log, map, nowMs } = params;
  const isSame = checkpoint.size === known.size;
  const sinceMs = (before: number, now: number | undefined): number => Math.max(isSame ? before : 0, now ?? 0);
  return {
    origin: known.origin,
    configHash: known.configHash,
    config: known.config,
    configIndex: known.configIndex,
    pendingConfig: known.pendingConfig,
    size: checkpoint.size,
    root: checkpoint.root,
    mapRoot: entry.mapRoot,
    leafCount: entry.leafCount,
    timestampMs: entry.timestampMs,
    logQuorumMs: sinceMs(known.logQuorumMs, log.sinceMs),
    mapQuorumMs: sinceMs(known.mapQuorumMs, map.sinceMs),
    checkedAtMs: Math.max(known.checkedAtMs, nowMs),
  };
}
