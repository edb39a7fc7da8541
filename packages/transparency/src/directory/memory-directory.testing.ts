import { encode, toHex, utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { emptyRoot, leafHash } from "../log/hashes.ts";
import { newHashes, proveConsistency, proveInclusion, rootAt } from "../log/prove.ts";
import type { HashReader } from "../log/prove.ts";
import { encodeEntryBundle, parseTilePath, tileBytes, tileWidth } from "../log/tiles.ts";
import { emptyHash, memoryNodes } from "../map/nodes.ts";
import type { MapLeaf } from "../map/nodes.ts";
import { proveIndex } from "../map/proof.ts";
import { changesHashOf, encodeTransition } from "../map/transition.ts";
import { buildMap, updateMap } from "../map/update.ts";
import type { MapChange } from "../map/update.ts";
import { addSignatures, cosignCheckpoint, formatNote } from "../note/note.ts";
import { signCheckpoint } from "../note/open-checkpoint.ts";
import { formatPolicy, thresholdPolicy } from "../note/policy.ts";
import { createVerifier, formatVkey, noteSignatureTypes } from "../note/vkey.ts";
import { nobleSignatures } from "../signature.ts";
import { nobleVrfProver, vrfProofToHash } from "../vrf/ecvrf.ts";
import { accountLabel, commitmentOf, indexOf, labelInput, usernameLabel } from "./labels.ts";
import type { LabelType } from "./labels.ts";
import { headsIndex } from "./lookup.ts";
import type { MemoryChange } from "./people.testing.ts";
import { withoutImpliedCosignatures } from "./quorum.ts";
import {
  configHashOf,
  directoryConfigCodec,
  directoryOrigin,
  directoryProofCodec,
  headsProofCodec,
  logEntryCodec,
  mapWitnessName,
} from "./structures.ts";
import type { DirectoryConfig, LabelItem, LabelProof, SignedHead } from "./structures.ts";

export { createPerson } from "./people.testing.ts";
export type { MemoryChange, TestPerson } from "./people.testing.ts";

/** What a head is signed with. */
export interface MemoryHeadOptions {
  /** Default: all entries. */
  readonly size?: number;
  /** When the witnesses sign. Default: the directory's time. */
  readonly cosignedMs?: number;
  /** Which log witnesses and map witnesses sign. Default: all. */
  readonly log?: readonly number[];
  readonly map?: readonly number[];
  /** Without the cosignatures that others imply. Default false. */
  readonly isTrimmed?: boolean;
}

/** Which part of a label's history a proof leaves out. */
export interface MemoryLabelOptions {
  readonly fromVersion?: number;
  /** Default true. */
  readonly withVrf?: boolean;
  /** Versions, from 1, whose value was erased. */
  readonly erased?: readonly number[];
}

/** A log whose keys anybody in a test may use. Its time moves by a second with each entry. */
export interface MemoryDirectory {
  readonly host: string;
  readonly origin: string;
  /** Entry 0's config, encoded. */
  readonly config: Uint8Array;
  readonly configHash: Uint8Array;
  /** Lines that its checkpoints have beyond the first three, from now on. */
  readonly extensions: string[];
  readonly size: () => number;
  readonly nowMs: () => number;
  readonly setTime: (nowMs: number) => void;
  readonly root: (size?: number) => Promise<Uint8Array>;
  /** Entries and transitions by index, as they are served. */
  readonly entries: () => readonly Uint8Array[];
  readonly transitions: () => readonly (Uint8Array | undefined)[];
  readonly publish: (
    changes: readonly MemoryChange[],
    options?: { heads?: readonly { logId: Uint8Array; seq: number; head: Uint8Array }[]; config?: Uint8Array },
  ) => Promise<number>;
  /** Publishes as many labels as this that nobody knows, in one entry: to make the map large. Their places are hashes, not outputs of the VRF. */
  readonly publishFiller: (count: number) => Promise<number>;
  /** Appends any entry, well-formed or not. */
  readonly publishRaw: (entry: Uint8Array, transition?: Uint8Array) => Promise<number>;
  readonly head: (options?: MemoryHeadOptions) => Promise<SignedHead>;
  readonly consistency: (from: number, to?: number) => Promise<readonly Uint8Array[]>;
  readonly inclusion: (index: number, size?: number) => Promise<readonly Uint8Array[]>;
  /** Serves tiles of hashes and entries by path, as the HTTP interface does. */
  readonly fetchTile: (path: string) => Promise<Uint8Array>;
  readonly label: (type: LabelType, label: Uint8Array, options?: MemoryLabelOptions) => LabelProof;
  /** An encoded DirectoryProof of these labels. */
  readonly proof: (labels: readonly LabelProof[], options?: MemoryHeadOptions & { knownSize?: number }) => Promise<Uint8Array>;
  /** A lookup's whole answer for a person. */
  readonly lookup: (
    person: { accountId: Uint8Array; username: string },
    options?: MemoryHeadOptions & { knownSize?: number; account?: MemoryLabelOptions; name?: MemoryLabelOptions },
  ) => Promise<{ states: readonly Uint8Array[]; bindings: readonly Uint8Array[]; proof: Uint8Array }>;
  /** The encoded DirectoryProof of what the map has for a name alone. */
  readonly nameProof: (
    username: string,
    options?: MemoryHeadOptions & { knownSize?: number; name?: MemoryLabelOptions },
  ) => Promise<Uint8Array>;
  /** An encoded HeadsProof for a log of messages, from the entry at `index`. */
  readonly headsProof: (logId: Uint8Array, index: number, options?: MemoryHeadOptions & { knownSize?: number }) => Promise<Uint8Array>;
  /** A config like the first with other policies or another log key. */
  readonly changedConfig: (change: { threshold?: number; witnesses?: number; logSeed?: Uint8Array }) => Uint8Array;
  /** From now on, heads are signed with this key; with the first one again when there is none. */
  readonly signWith: (logSeed: Uint8Array | undefined) => void;
  /** The same log with the same keys, that goes its own way from here: what a lying operator shows to somebody else. */
  readonly fork: () => MemoryDirectory;
}

interface StoredLabel {
  readonly index: Uint8Array;
  readonly vrfProof: Uint8Array;
  readonly values: readonly { readonly value: Uint8Array; readonly opening: Uint8Array; readonly commitment: Uint8Array }[];
}

interface State {
  nowMs: number;
  logSeed: Uint8Array;
  mapRoot: Uint8Array;
  leafCount: number;
  configIndex: number;
  readonly entries: Uint8Array[];
  readonly transitions: (Uint8Array | undefined)[];
  readonly heads: Map<number, readonly MapLeaf[]>;
  readonly hashes: Map<string, Uint8Array>;
  readonly labels: Map<string, StoredLabel>;
}

const nothing = new Uint8Array(0);
const seedOf = (name: string): Uint8Array => sha256(utf8Bytes(name));

/**
 * A whole directory in memory, honest unless a test makes it lie: log, map, VRF, witnesses of the log and of the map. It is made of
 * the definitions and shares no code with the server. Its keys are derived from names: for tests only.
 */
export async function createMemoryDirectory(
  params: { host?: string; nowMs?: number; witnesses?: number; threshold?: number } = {},
): Promise<MemoryDirectory> {
  const { host = "chat.example", nowMs = 1_800_000_000_000, witnesses = 3, threshold = 2 } = params;
  const logSeed = seedOf("log");
  const config = encode(directoryConfigCodec, makeConfig({ host, witnesses, threshold, logSeed }));
  const state: State = {
    nowMs,
    logSeed,
    mapRoot: emptyHash,
    leafCount: 0,
    configIndex: 0,
    entries: [],
    transitions: [],
    heads: new Map(),
    hashes: new Map(),
    labels: new Map(),
  };
  const directory = wrap({ host, witnesses, threshold, config, nodes: memoryNodes() }, state);
  await directory.publish([], { config });
  return directory;
}

function makeConfig(params: { host: string; witnesses: number; threshold: number; logSeed: Uint8Array }): DirectoryConfig {
  const { host, witnesses, threshold, logSeed } = params;
  const origin = directoryOrigin(host);
  const policy = (isMap: boolean): string => {
    if (witnesses === 0) return "";
    const keys = Array.from({ length: witnesses }, (_, i) => {
      const { name, seed } = witnessKey(i, isMap);
      const key = createVerifier({ name, type: noteSignatureTypes.cosignatureV1, publicKey: ed25519.getPublicKey(seed) });
      return { name: `w${String(i)}`, key };
    });
    return formatPolicy(thresholdPolicy(threshold, keys));
  };
  return {
    format: 1,
    origin,
    logKey: formatVkey({ name: origin, type: noteSignatureTypes.ed25519, publicKey: ed25519.getPublicKey(logSeed) }),
    vrfPublicKey: nobleVrfProver(seedOf("vrf")).publicKey,
    logPolicy: policy(false),
    mapPolicy: policy(true),
    formats: [1],
    ext: nothing,
  };
}

function witnessKey(i: number, isMap: boolean): { name: string; seed: Uint8Array } {
  const own = `w${String(i)}.example`;
  const name = isMap ? mapWitnessName(own) : own;
  return { name, seed: seedOf(name) };
}

interface Fixed {
  readonly host: string;
  readonly witnesses: number;
  readonly threshold: number;
  readonly config: Uint8Array;
  readonly nodes: ReturnType<typeof memoryNodes>;
}

function wrap(fixed: Fixed, state: State): MemoryDirectory {
  const { host, witnesses, threshold, config, nodes } = fixed;
  const origin = directoryOrigin(host);
  const prover = nobleVrfProver(seedOf("vrf"));
  const readHashes: HashReader = async (ids) =>
    ids.map(({ level, index }) => {
      const hash = state.hashes.get(`${String(level)}/${String(index)}`);
      if (hash === undefined) throw new Error("the log has no such subtree");
      return hash;
    });
  const all = (): number[] => Array.from({ length: witnesses }, (_, i) => i);

  const append = async (entry: Uint8Array, transition: Uint8Array | undefined): Promise<number> => {
    for (const { level, index, hash } of await newHashes(state.entries.length, leafHash(entry), readHashes)) {
      state.hashes.set(`${String(level)}/${String(index)}`, hash);
    }
    state.entries.push(entry);
    state.transitions.push(transition);
    return state.entries.length;
  };

  const stored = (label: Uint8Array): StoredLabel => {
    const vrfProof = prover.prove(label);
    return state.labels.get(toHex(label)) ?? { vrfProof, index: indexOf(vrfProofToHash(vrfProof)), values: [] };
  };

  const change = ({ type, label, values }: MemoryChange): MapChange => {
    const input = labelInput(type, label);
    const before = stored(input);
    const added = values.map((value, i) => {
      const version = before.values.length + i + 1;
      const opening = sha256(utf8Bytes(`opening ${toHex(input)} ${String(version)}`));
      return { value, opening, commitment: commitmentOf({ opening, label: input, version, value }) };
    });
    state.labels.set(toHex(input), { ...before, values: [...before.values, ...added] });
    return { index: before.index, commitments: added.map(({ commitment }) => commitment) };
  };

  const publishChanges = async (
    changes: readonly MapChange[],
    options: { heads?: readonly { logId: Uint8Array; seq: number; head: Uint8Array }[]; config?: Uint8Array } = {},
  ): Promise<number> => {
    state.nowMs += 1000;
    let transition: Uint8Array | undefined;
    if (changes.length > 0) {
      const update = updateMap({ root: state.mapRoot, changes, read: nodes.read });
      nodes.add(update.added);
      state.mapRoot = update.root;
      state.leafCount += update.newLeaves;
      transition = encodeTransition(update.transition);
    }
    const heads = (options.heads ?? []).map(({ logId, seq, head }) => ({ index: headsIndex(logId), version: seq, chain: head }));
    state.heads.set(state.entries.length, heads);
    if (options.config !== undefined) state.configIndex = state.entries.length;
    const entry = encode(logEntryCodec, {
      format: 1,
      timestampMs: state.nowMs,
      leafCount: state.leafCount,
      mapRoot: state.mapRoot,
      changesHash: transition === undefined ? emptyHash : changesHashOf(transition),
      headsRoot: buildMap(heads).root,
      configIndex: state.configIndex,
      config: options.config ?? nothing,
      ext: nothing,
    });
    return await append(entry, transition);
  };

  const extensions: string[] = [];
  const directory: MemoryDirectory = {
    host,
    origin,
    extensions,
    config,
    configHash: configHashOf(config),
    size: () => state.entries.length,
    nowMs: () => state.nowMs,
    setTime: (nowMs) => {
      state.nowMs = nowMs;
    },
    root: async (size = state.entries.length) => (size === 0 ? emptyRoot() : await rootAt(size, readHashes)),
    entries: () => state.entries,
    transitions: () => state.transitions,
    publish: async (changes, options) => await publishChanges(changes.map(change), options),
    publishFiller: async (count) =>
      await publishChanges(
        Array.from({ length: count }, (_, i) => {
          const index = sha256(utf8Bytes(`filler ${String(state.entries.length)} ${String(i)}`));
          return { index, commitments: [sha256(index)] };
        }),
      ),
    async publishRaw(entry, transition) {
      state.nowMs += 1000;
      return await append(entry, transition);
    },
    async head(options = {}) {
      const { size = state.entries.length, cosignedMs = state.nowMs } = options;
      const checkpoint = { origin, size, root: await rootAt(size, readHashes), extensions };
      const signed = await signCheckpoint({ checkpoint, name: origin, secretKey: state.logSeed, signatures: nobleSignatures });
      const signers = [
        ...(options.log ?? all()).map((i) => witnessKey(i, false)),
        ...(options.map ?? all()).map((i) => witnessKey(i, true)),
      ];
      const timeSeconds = Math.floor(cosignedMs / 1000);
      const cosignatures = await Promise.all(
        signers.map(async ({ name, seed }) =>
          cosignCheckpoint({ note: signed, name, secretKey: seed, timeSeconds, signatures: nobleSignatures }),
        ),
      );
      const inclusion = await proveInclusion(size - 1, size, readHashes);
      const note = utf8Bytes(formatNote(addSignatures(signed, cosignatures)));
      return {
        checkpoint: options.isTrimmed === true ? withoutImpliedCosignatures(note) : note,
        entry: at(state.entries, size - 1),
        inclusion,
      };
    },
    consistency: async (from, to = state.entries.length) => await proveConsistency(from, to, readHashes),
    inclusion: async (index, size = state.entries.length) => await proveInclusion(index, size, readHashes),
    async fetchTile(path) {
      const tile = parseTilePath(path);
      if (tile.kind === "hashes") return await tileBytes(tile, readHashes);
      const first = tile.index * tileWidth;
      return encodeEntryBundle(state.entries.slice(first, first + tile.width));
    },
    label(type, label, options = {}) {
      const { fromVersion = 0, withVrf = true, erased = [] } = options;
      const { index, vrfProof, values } = stored(labelInput(type, label));
      const items = values
        .slice(fromVersion)
        .map(({ opening, commitment }, i): LabelItem =>
          erased.includes(fromVersion + i + 1) ? { kind: "commitment", commitment } : { kind: "opening", opening },
        );
      const mapProof = proveIndex({ root: state.mapRoot, index, read: nodes.read });
      return { type, vrfProof: withVrf ? vrfProof : nothing, fromVersion, items, mapProof };
    },
    async proof(labels, options = {}) {
      const { knownSize = 0, size = state.entries.length } = options;
      const head = await directory.head(options);
      const consistency = knownSize === 0 || knownSize > size ? [] : await proveConsistency(knownSize, size, readHashes);
      return encode(directoryProofCodec, { format: 1, head, labels: [...labels], consistency, ext: nothing });
    },
    async lookup({ accountId, username }, options = {}) {
      const { account = {}, name = {} } = options;
      const shown = (label: Uint8Array, { fromVersion = 0, erased = [] }: MemoryLabelOptions): Uint8Array[] =>
        stored(label)
          .values.map(({ value }, i) => ({ value, version: i + 1 }))
          .filter(({ version }) => version > fromVersion && !erased.includes(version))
          .map(({ value }) => value);
      const labels = [directory.label("account", accountId, account), directory.label("username", utf8Bytes(username), name)];
      return {
        states: shown(accountLabel(accountId), account),
        bindings: shown(usernameLabel(username), name),
        proof: await directory.proof(labels, options),
      };
    },
    nameProof: async (username, options = {}) =>
      await directory.proof([directory.label("username", utf8Bytes(username), options.name)], options),
    async headsProof(logId, index, options = {}) {
      const { knownSize = 0, size = state.entries.length } = options;
      const { root, added } = buildMap(state.heads.get(index) ?? []);
      const heads = memoryNodes();
      heads.add(added);
      const leaf = (state.heads.get(index) ?? []).find((candidate) => toHex(candidate.index) === toHex(headsIndex(logId)));
      return encode(headsProofCodec, {
        format: 1,
        head: await directory.head(options),
        consistency: knownSize === 0 ? [] : await proveConsistency(knownSize, size, readHashes),
        index,
        entry: at(state.entries, index),
        inclusion: await proveInclusion(index, size, readHashes),
        seq: leaf?.version ?? 0,
        logHead: leaf?.chain ?? emptyHash,
        mapProof: proveIndex({ root, index: headsIndex(logId), read: heads.read }),
        ext: nothing,
      });
    },
    changedConfig: (changed) =>
      encode(directoryConfigCodec, makeConfig({ host, witnesses, threshold, logSeed: state.logSeed, ...changed })),
    signWith: (logSeed) => {
      state.logSeed = logSeed ?? seedOf("log");
    },
    fork: () =>
      wrap(fixed, {
        ...state,
        entries: [...state.entries],
        transitions: [...state.transitions],
        heads: new Map(state.heads),
        hashes: new Map(state.hashes),
        labels: new Map(state.labels),
      }),
  };
  return directory;
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error("the log is not that long");
  return item;
}
