import { decode, encode, equalBytes } from "@latchkey/codec";
import {
  TransparencyError,
  directoryConfigCodec,
  directoryOrigin,
  formatPolicy,
  mapWitnessName,
  parseNote,
  parsePolicy,
  parseVkey,
  thresholdPolicy,
} from "@latchkey/transparency";
import type { DirectoryConfig, PolicyWitness } from "@latchkey/transparency";
import { ServerError, StoreError } from "../errors.ts";
import { withLease } from "../store/with-lease.ts";
import type { LeaseStore } from "../store/lease-store.ts";
import type { DirectoryLogStore, DirectoryStatus, LogSigner, Publication } from "../store/directory-store.ts";
import type { Knowledge } from "../start/knowledge.ts";
import { addNextKey, loadDirectoryKeys, promoteNextKey, rotationNoticeMs, signerOf } from "./keys.ts";
import type { DirectoryKeys } from "./keys.ts";
import { checkNothingLost, readSeen } from "./seen.ts";

/** A witness as the operator names it: where it is reached, and its verifier keys (C2SP vkeys). */
export interface WitnessOption {
  readonly url: string;
  readonly logKey: string;
  /** The key that it signs with when it has replayed the map (spec D-3); absent where it does not. */
  readonly mapKey?: string;
}

/** Who has to cosign, as C2SP tlog-policy texts; "" asks for nobody. */
export interface WitnessPolicies {
  readonly logPolicy: string;
  readonly mapPolicy: string;
}

/** The options that decide what the directory's config says. */
export interface DirectoryOptions {
  readonly witnesses?: readonly WitnessOption[];
  /** How many of them suffice; more than half when absent. */
  readonly witnessQuorum?: number;
  readonly logPolicy?: string;
  readonly mapPolicy?: string;
  readonly rotateLogKey?: boolean;
}

const nothing = new Uint8Array();

/** The directory's keys and config as the log has them now. */
export interface OpenedDirectory {
  readonly keys: DirectoryKeys;
  readonly origin: string;
  /** What signs checkpoints now. */
  readonly signer: () => LogSigner;
  /** Makes the key that follows the log's, to be announced as soon as a config may be (spec D-2); false where there is one already. */
  readonly rotate: () => boolean;
  /**
   * C2SP tlog-policy texts of everybody who is to cosign: of what the operator wants, and of the config that clients go by until the notice
   * of the next is over (spec D-2).
   */
  readonly askedPolicies: readonly string[];
  /** A config to be logged; empty when the log has it, or must wait. */
  readonly due: (status: DirectoryStatus, nowMs: number) => Uint8Array;
}

/** The policies of the options. @throws ServerError `invalid_options` */
export function policiesOf(options: DirectoryOptions): WitnessPolicies {
  const { witnesses = [], witnessQuorum } = options;
  try {
    if (witnesses.length > 0 && (options.logPolicy !== undefined || options.mapPolicy !== undefined)) {
      throw new ServerError("invalid_options", "Name witnesses one by one or by policy files, not both.");
    }
    if (witnesses.length > 0) {
      const threshold = witnessQuorum ?? Math.floor(witnesses.length / 2) + 1;
      const log = witnesses.map(({ url, logKey }, at): PolicyWitness => ({ name: `w${String(at + 1)}`, key: parseVkey(logKey), url }));
      const map = witnesses.flatMap(({ url, mapKey }, at): PolicyWitness[] =>
        mapKey === undefined ? [] : [{ name: `w${String(at + 1)}`, key: parseVkey(mapKey), url }],
      );
      for (const [at, { key }] of map.entries()) {
        const own = log.find(({ name }) => name === map[at]?.name);
        if (own !== undefined && key.name !== mapWitnessName(own.key.name)) {
          throw new ServerError(
            "invalid_options",
            `A witness's map key is named "${mapWitnessName(own.key.name)}": check the order of the keys.`,
          );
        }
      }
      if (map.length > 0 && map.length < threshold) {
        throw new ServerError(
          "invalid_options",
          `${String(threshold)} witnesses shall replay the map, but only ${String(map.length)} have a map key.`,
        );
      }
      return {
        logPolicy: formatPolicy(thresholdPolicy(threshold, log)),
        mapPolicy: map.length === 0 ? "" : formatPolicy(thresholdPolicy(threshold, map)),
      };
    }
    const spelled = (text: string | undefined): string => (text === undefined || text.trim() === "" ? "" : formatPolicy(parsePolicy(text)));
    return { logPolicy: spelled(options.logPolicy), mapPolicy: spelled(options.mapPolicy) };
  } catch (cause) {
    if (!(cause instanceof TransparencyError)) throw cause;
    throw new ServerError("invalid_options", `The witnesses cannot be used: ${cause.message} (${cause.rule})`, { cause });
  }
}

/** The host that the directory in this store was begun for; `undefined` before its first entry. @throws StoreError */
export async function hostOfDirectory(store: DirectoryLogStore): Promise<string | undefined> {
  const status = await store.directoryStatus();
  if (status.size === 0) return undefined;
  const { origin } = decode(directoryConfigCodec, status.firstConfig);
  return origin.slice(0, origin.length - directoryOrigin("").length);
}

/** What opens a directory takes. */
interface OpeningParts {
  store: DirectoryLogStore;
  /** Of several nodes that find no log one begins it. `holder` names this one. */
  leases: LeaseStore;
  holder: string;
  dataDirectory: string;
  host: string;
  options: DirectoryOptions;
  nowMs: number;
  /** What the operator insists on. */
  iKnow: readonly Knowledge[];
}

/** Loads the keys, starts the log where there is none, and logs what has changed. @throws ServerError, StoreError */
export async function openDirectory(params: OpeningParts): Promise<OpenedDirectory> {
  const { store, leases, holder } = params;
  if ((await store.directoryStatus()).size > 0) return await openAs(params, undefined);
  return await withLease(leases, { name: "publisher", holder }, (term) => openAs(params, term));
}

/** @param term of whoever may begin the log @throws as `openDirectory` */
async function openAs(params: OpeningParts, term: number | undefined): Promise<OpenedDirectory> {
  const { store, dataDirectory, host, options, nowMs, iKnow } = params;
  const policies = policiesOf(options);
  let status = await store.directoryStatus();
  const first = status.size === 0 ? undefined : decode(directoryConfigCodec, status.firstConfig);
  const origin = first?.origin ?? directoryOrigin(host);
  if (origin !== directoryOrigin(host) && !iKnow.includes("host")) throw await otherHost(store, host);
  let keys = loadDirectoryKeys(dataDirectory, origin, { isBegun: first !== undefined, isLogKeyLost: iKnow.includes("lost-log-key") });
  if (first !== undefined && !equalBytes(first.vrfPublicKey, keys.vrf.publicKey)) {
    throw new ServerError(
      "data_unusable",
      "The key directory/vrf.key is not the one that the directory was made with: restore it from a backup.",
    );
  }
  if (first !== undefined) await checkLogKeys(store, status, keys);
  if (!iKnow.includes("rolled-back")) await checkNothingLost(store, readSeen(dataDirectory));
  const isInEffect = (at: DirectoryStatus): boolean =>
    at.configIndex === 0 || Math.max(at.timestampMs, nowMs) >= at.configTimestampMs + rotationNoticeMs;
  if (
    status.size > 0 &&
    keys.next !== undefined &&
    isInEffect(status) &&
    status.timestampMs >= status.configTimestampMs + rotationNoticeMs
  ) {
    const logged = decode(directoryConfigCodec, status.config).logKey;
    if (logged === keys.next.vkey) keys = promoteNextKey(dataDirectory, keys);
  }
  if (options.rotateLogKey === true && status.size > 0) keys = addNextKey(dataDirectory, origin, keys);
  const configOf = (): DirectoryConfig => ({
    format: 1,
    origin,
    logKey: (keys.next ?? keys.current).vkey,
    vrfPublicKey: keys.vrf.publicKey,
    ...policies,
    formats: [1],
    ext: nothing,
  });
  let config = encode(directoryConfigCodec, configOf());
  if (status.size === 0) {
    const { isOvertaken } = await store.publishDirectory({
      ...publicationOf({ config, nowMs, keys, origin }),
      ...(term === undefined ? {} : { term }),
    });
    if (isOvertaken === true) throw new StoreError("unavailable");
    status = await store.directoryStatus();
  }
  // What another node has logged since is not taken back: which of the two holds is seen at the next start.
  const known = [status.config, config];
  const due = (at: DirectoryStatus, now: number): Uint8Array => {
    if (equalBytes(at.config, config) || !known.some((one) => equalBytes(one, at.config))) return nothing;
    // One notice after the other (spec D-2).
    const isFree = at.configIndex === 0 || Math.max(at.timestampMs, now) >= at.configTimestampMs + rotationNoticeMs;
    return isFree ? config : nothing;
  };
  const logged = [status.config, ...(isInEffect(status) || status.previousConfig.length === 0 ? [] : [status.previousConfig])];
  const asked = [policies, ...logged.map((bytes) => decode(directoryConfigCodec, bytes))].flatMap((one) => [one.logPolicy, one.mapPolicy]);
  const rotate = (): boolean => {
    if (keys.next !== undefined) return false;
    keys = addNextKey(dataDirectory, origin, keys);
    config = encode(directoryConfigCodec, configOf());
    known.push(config);
    return true;
  };
  return { keys, origin, signer: () => signerOf(keys, origin), rotate, askedPolicies: [...new Set(asked)], due };
}

async function otherHost(store: DirectoryLogStore, host: string): Promise<ServerError> {
  const own = (await hostOfDirectory(store)) ?? "";
  return new ServerError(
    "data_unusable",
    `The data directory belongs to ${own}, not to ${host}: start with --host ${own}, or begin in an empty folder. With --i-know host it starts all the same, and every client refuses it.`,
  );
}

/** A config of another key, once logged, breaks every audit a week later: so the keys must be those of the newest head. */
async function checkLogKeys(store: DirectoryLogStore, status: DirectoryStatus, keys: DirectoryKeys): Promise<void> {
  const { logKey } = decode(directoryConfigCodec, status.config);
  const unusable = (name: string): ServerError =>
    new ServerError(
      "data_unusable",
      `The key directory/${name} is not the one that the log goes by: put it back from a backup; with another key nobody would trust the directory.`,
    );
  const newest = await store.newestCheckpoint();
  const isSigner = newest !== undefined && parseNote(newest.note).signatures.some(({ keyId }) => keyId === keys.current.keyId);
  if (!isSigner) throw unusable("log.key");
  if (logKey !== keys.current.vkey && logKey !== keys.next?.vkey) throw unusable("log-next.key");
}

function publicationOf(params: { config: Uint8Array; nowMs: number; keys: DirectoryKeys; origin: string }): Publication {
  const { config, nowMs, keys, origin } = params;
  return { changes: [], config, withHeads: false, nowMs, signer: signerOf(keys, origin), isServed: true };
}
