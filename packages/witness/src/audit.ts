import { CodecError, decode, equalBytes } from "@latchkey/codec";
import {
  IncrementalTree,
  TransparencyError,
  configChangeCodec,
  configHashOf,
  cosignatureLifetimeMs,
  evaluateQuorums,
  leafHash,
  newTiles,
  openCheckpoint,
  openConfigChange,
  parseCheckpoint,
  parseNote,
  parsePolicy,
  parseVkey,
  proveConsistency,
  replay,
  replayRoot,
  tileHashReader,
  tileWidth,
  verifyConsistency,
} from "@latchkey/transparency";
import type {
  DirectoryConfig,
  DirectoryView,
  QuorumResult,
  ReplayItem,
  ReplayState,
  Tile,
  TransparencyErrorCode,
  Verifier,
} from "@latchkey/transparency";
import { decodeConfig } from "./decode-config.ts";
import { WitnessError } from "./errors.ts";
import { handled } from "./log-source.ts";
import type { LogSource } from "./log-source.ts";
import { replayItems } from "./replay-items.ts";
import { nodeSignatures } from "./signatures.ts";

/** The first thing that is not as it must be. */
export interface AuditFault {
  /** What was looked at: `entry 17`, `tile/0/000`, `checkpoint`. */
  readonly where: string;
  /** Of the specification, or of the C2SP document. */
  readonly rule: string;
  readonly message: string;
}

/** What an audit of a whole log found. */
export interface AuditReport {
  readonly origin: string;
  /** H of entry 0's config: what clients pin. */
  readonly configHash: Uint8Array;
  /** Entries of the checkpoint that was audited, and those that were replayed. */
  readonly size: number;
  readonly entries: number;
  readonly transitions: number;
  /** Values that labels got, and labels that are new with one. */
  readonly changes: number;
  readonly labels: number;
  /** Tiles of hashes that were compared. */
  readonly tiles: number;
  readonly bytes: number;
  /** Log time of the first and of the newest entry. */
  readonly firstMs: number;
  readonly newestMs: number;
  /** Index of the newest config, and of the one whose keys and witnesses count: the log's own dates bring none into effect (spec D-2, E-54). */
  readonly newestConfigIndex: number;
  readonly configIndex: number;
  /** Names of the witnesses of both policies of that config whose cosignature of the checkpoint is valid, and when they signed. */
  readonly witnesses: readonly { readonly name: string; readonly timeMs: number }[];
  readonly elapsedMs: number;
  /** Undefined when all of it holds. */
  readonly fault: AuditFault | undefined;
}

/**
 * Replays a directory's whole log from its first entry: every entry, every transition, every tile of hashes, and the signed checkpoint
 * with the quorums that its config asks for (spec D-3). Ends at the first fault, which the report names.
 * @param params.pinnedConfigHash what is known of the log from elsewhere; another one is a fault
 * @param params.nowMs the auditor's clock
 * @param params.onProgress told now and then how many entries were replayed
 * @throws WitnessError when the log cannot be read
 */
export async function auditDirectory(params: {
  source: LogSource;
  pinnedConfigHash?: Uint8Array;
  onProgress?: (entries: number, size: number) => void;
  nowMs?: number;
}): Promise<AuditReport> {
  const startedMs = performance.now();
  const audit = new Audit(params);
  let fault: AuditFault | undefined;
  try {
    await audit.run();
  } catch (error) {
    fault = faultOf(error, audit.where);
  }
  return { ...audit.report, bytes: params.source.bytesRead, elapsedMs: performance.now() - startedMs, fault };
}

type Counts = { -readonly [K in keyof Omit<AuditReport, "fault" | "bytes" | "elapsedMs">]: AuditReport[K] };

class Audit {
  readonly #source: LogSource;
  readonly #pinned: Uint8Array | undefined;
  readonly #onProgress: (entries: number, size: number) => void;
  readonly #nowMs: number;
  /** What is being looked at. */
  where = "config";
  readonly report: Counts = {
    origin: "",
    configHash: new Uint8Array(0),
    size: 0,
    entries: 0,
    transitions: 0,
    changes: 0,
    labels: 0,
    tiles: 0,
    firstMs: 0,
    newestMs: 0,
    newestConfigIndex: 0,
    configIndex: 0,
    witnesses: [],
  };

  constructor(params: {
    source: LogSource;
    pinnedConfigHash?: Uint8Array;
    onProgress?: (entries: number, size: number) => void;
    nowMs?: number;
  }) {
    this.#nowMs = params.nowMs ?? Date.now();
    this.#source = params.source;
    this.#pinned = params.pinnedConfigHash;
    this.#onProgress = params.onProgress ?? (() => undefined);
  }

  async run(): Promise<void> {
    const config = await this.#source.config();
    const { origin } = decodeConfig(config);
    const configHash = configHashOf(config);
    Object.assign(this.report, { origin, configHash });
    if (this.#pinned !== undefined && !equalBytes(this.#pinned, configHash))
      throw fault("config", "D-2", "this is another log than the one that is known");
    this.where = "checkpoint";
    const note = await this.#source.checkpoint();
    // The log's key may have been replaced: whose it must be is known at the end. Until then, what it says is only what to compare with.
    const { size, root } = claimOf(note);
    this.report.size = size;

    const replayed = await this.#replay(size);
    this.where = "checkpoint";
    if (!equalBytes(replayRoot(replayed.state), root))
      throw fault("proof", "D-3", "the entries that are served do not lead to the root of the checkpoint");
    this.where = "config";
    if (!equalBytes(replayed.state.configHash, configHash))
      throw fault("config", "D-2", "entry 0 has another configuration than the one that is shown");
    this.where = "checkpoint";
    const inEffect = await this.#configInEffect({ config, origin, replayed });
    this.where = "checkpoint";
    await this.#checkSignatures({ note, origin, config: inEffect });
  }

  async #replay(size: number): Promise<Replayed> {
    const tree = new TileTree();
    let state: ReplayState | undefined;
    const configIndices: number[] = [];
    const comparing = createComparer(this.#source, (tile) => {
      this.where = tile;
    });
    this.where = "entry 0";
    const items = eachLeaf(replayItems({ source: this.#source, from: 0, size }), (entry) => tree.append(leafHash(entry)));
    for await (const step of replay({ from: undefined, items })) {
      ({ state } = step);
      this.report.entries++;
      this.report.transitions += step.changed > 0 ? 1 : 0;
      this.report.changes += step.changed;
      this.report.labels += step.added;
      if (this.report.entries === 1) this.report.firstMs = state.timestampMs;
      this.report.newestMs = state.timestampMs;
      if (step.entry.config.length > 0) configIndices.push(this.report.entries - 1);
      if (this.report.entries % 4096 === 0) {
        this.#onProgress(this.report.entries, size);
        await comparing.compare(tree.takeComplete());
      }
      this.where = `entry ${String(this.report.entries)}`;
    }
    if (state === undefined) throw fault("malformed", "D-2", "the log is empty");
    if (this.report.entries !== size) throw fault("missing", "D-3", "the log has fewer entries than its checkpoint says");
    await comparing.compare(tree.takeAll(size));
    this.report.tiles = comparing.count();
    this.report.newestConfigIndex = state.configIndex;
    return { state, configIndices };
  }

  /**
   * The config whose keys and witnesses count, as for whoever meets the log now: each change under the one before it, by its ConfigChange
   * (spec D-2). The log's own dates prove nothing: a thief of its key writes them (spec E-54).
   */
  async #configInEffect(params: { config: Uint8Array; origin: string; replayed: Replayed }): Promise<DirectoryConfig> {
    const { config, origin, replayed } = params;
    const [host = ""] = origin.split("/", 1);
    let known: DirectoryView | undefined;
    // Entry 0 has the first one.
    for (const index of replayed.configIndices.slice(1)) {
      this.where = `config change ${String(index)}`;
      try {
        const change = decode(configChangeCodec, await this.#source.configChange(index));
        const common = { host, view: undefined, config, nowMs: this.#nowMs, signatures: nodeSignatures };
        known = await openConfigChange({ ...common, known, change });
      } catch (error) {
        const isNotYet =
          (error instanceof WitnessError && error.code === "bad_answer") || (error instanceof TransparencyError && error.code === "config");
        if (isNotYet) break;
        throw error;
      }
      await this.#requireSameLog(known, replayed);
      this.report.configIndex = index;
    }
    return known?.config ?? decodeConfig(config);
  }

  /** That a change was shown in this log, and in no other one that its key signed. */
  async #requireSameLog({ size, root }: Pick<DirectoryView, "size" | "root">, { state }: Replayed): Promise<void> {
    const [own, ownRoot] = [state.size, replayRoot(state)];
    const [from, to] = [Math.min(size, own), Math.max(size, own)];
    const hashes = tileHashReader(to, (tile) => this.#source.tile(tile));
    const [fromRoot, toRoot] = size <= own ? [root, ownRoot] : [ownRoot, root];
    verifyConsistency({ from, to, fromRoot, toRoot, proof: await proveConsistency(from, to, hashes) });
  }

  /** The checkpoint is signed by the key of the config that counts; whose witnesses have cosigned it is reported. */
  async #checkSignatures(params: { note: Uint8Array; origin: string; config: DirectoryConfig }): Promise<void> {
    const { note, origin, config } = params;
    const { logPolicy, mapPolicy, logKey } = config;
    const witnesses = [...verifiersIn(logPolicy), ...verifiersIn(mapPolicy)];
    const log = parseVkey(logKey);
    const opened = await openCheckpoint({ note, origin, log, witnesses, signatures: nodeSignatures });
    this.report.witnesses = opened.cosignatures.map(({ name, timeSeconds = 0 }) => ({ name, timeMs: timeSeconds * 1000 }));
    const notBeforeMs = this.#nowMs - cosignatureLifetimeMs;
    const quorums = await evaluateQuorums({ config, note: opened.note, notBeforeMs, signatures: nodeSignatures });
    requireQuorum(quorums.log, notBeforeMs, "log");
    requireQuorum(quorums.map, notBeforeMs, "map");
  }
}

interface Replayed {
  readonly state: ReplayState;
  /** Of the entries that have a config. */
  readonly configIndices: readonly number[];
}

/** The hashes of tiles as they must be, computed from the entries. */
class TileTree {
  readonly #levels: { first: number; hashes: Uint8Array[] }[] = [];

  append(leaf: Uint8Array): void {
    this.#push(0, leaf);
  }

  /** Complete tiles since the last call; they are forgotten here. */
  takeComplete(): { tile: Tile; bytes: Uint8Array }[] {
    return this.#levels.flatMap((level, number) => {
      const taken = [];
      while (level.hashes.length >= tileWidth) {
        const index = level.first / tileWidth;
        taken.push({ tile: { level: number, index, width: tileWidth }, bytes: joined(level.hashes.splice(0, tileWidth)) });
        level.first += tileWidth;
      }
      return taken;
    });
  }

  /** The rest, partial tiles among them. */
  takeAll(size: number): { tile: Tile; bytes: Uint8Array }[] {
    const complete = this.takeComplete();
    const partial = newTiles(0, size).filter(({ width }) => width < tileWidth);
    return [...complete, ...partial.map((tile) => ({ tile, bytes: joined(this.#levels[tile.level]?.hashes.slice(0, tile.width) ?? []) }))];
  }

  #push(number: number, hash: Uint8Array): void {
    const level = (this.#levels[number] ??= { first: 0, hashes: [] });
    level.hashes.push(hash);
    const count = level.first + level.hashes.length;
    if (count % tileWidth !== 0) return;
    const tree = new IncrementalTree();
    // A tile that is complete is one hash of the next level: it has not been taken yet, nothing is missing.
    for (const part of level.hashes.slice(-tileWidth)) tree.append(part);
    this.#push(number + 1, tree.root());
  }
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(hashes));
}

/** Compares tiles as they are served with what they must be, several at a time. */
function createComparer(
  source: LogSource,
  visit: (path: string) => void,
): { compare(expected: readonly { tile: Tile; bytes: Uint8Array }[]): Promise<void>; count(): number } {
  let count = 0;
  const atOnce = 16;
  return {
    async compare(expected) {
      for (let at = 0; at < expected.length; at += atOnce) {
        const part = expected.slice(at, at + atOnce);
        const served = part.map(({ tile }) => handled(source.tile(tile)));
        for (const [index, { tile, bytes }] of part.entries()) {
          visit(`tile of level ${String(tile.level)}, number ${String(tile.index)}`);
          if (!equalBytes((await served[index]) ?? new Uint8Array(0), bytes))
            throw fault("proof", "C2SP tlog-tiles", "a tile has other hashes than the entries that it stands for");
          count++;
        }
      }
    },
    count: () => count,
  };
}

async function* eachLeaf(
  items: AsyncIterable<ReplayItem>,
  visit: (entry: Uint8Array) => void,
): AsyncGenerator<ReplayItem, void, undefined> {
  for await (const item of items) {
    visit(item.entry);
    yield item;
  }
}

/** Clients believe nothing new without it, so an audit says so, too. */
function requireQuorum({ names, required, sinceMs }: QuorumResult, notBeforeMs: number, of: "log" | "map"): void {
  if (required === 0 || (sinceMs !== undefined && sinceMs >= notBeforeMs)) return;
  const counted = `${String(names.length)} of the ${String(required)}`;
  throw fault(
    "quorum",
    "D-3",
    `the quorum is not met: ${counted} witnesses of the ${of} that clients ask for vouched for it in the last 24 hours, so clients look nobody up`,
  );
}

/** What a checkpoint says, signed by whomever. */
function claimOf(note: Uint8Array): { size: number; root: Uint8Array } {
  return parseCheckpoint(parseNote(note).text);
}

function verifiersIn(policy: string): Verifier[] {
  return policy === "" ? [] : parsePolicy(policy).witnesses.map(({ key }) => key);
}

function fault(code: TransparencyErrorCode, rule: string, message: string): TransparencyError {
  return new TransparencyError(code, rule, message);
}

function faultOf(error: unknown, where: string): AuditFault {
  if (error instanceof TransparencyError) return { where, rule: error.rule, message: error.message };
  if (error instanceof CodecError) return { where, rule: "D-3", message: "it does not decode" };
  // A part of the log that is not there, or too long, is a fault of the log; a server that does not answer is none.
  if (error instanceof WitnessError && error.code === "bad_answer") return { where, rule: "C2SP tlog-tiles", message: error.message };
  throw error;
}
