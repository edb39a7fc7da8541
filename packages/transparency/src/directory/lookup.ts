import { CodecError, decode, equalBytes } from "@latchkey/codec";
import { sha256 } from "@noble/hashes/sha2.js";
import { accountStateCodec, signedCodec, usernameBindingCodec } from "../account/structures.ts";
import type { AccountState, UsernameBinding } from "../account/structures.ts";
import { accountIdOf } from "../account/verify.ts";
import { TransparencyError } from "../errors.ts";
import { leafHash } from "../log/hashes.ts";
import { verifyInclusion } from "../log/verify.ts";
import { chainOf, emptyHash, isEmptyHash } from "../map/nodes.ts";
import { verifyMapProof } from "../map/proof.ts";
import { vrfVerify } from "../vrf/ecvrf.ts";
import type { VrfVerifier } from "../vrf/ecvrf.ts";
import { openHead } from "./head.ts";
import type { HeadResult, OpenHeadParams } from "./head.ts";
import { accountLabel, commitmentOf, indexOf, usernameLabel } from "./labels.ts";
import { decodeOrRefuse, directoryProofCodec, headsProofCodec, logEntryCodec } from "./structures.ts";
import type { DirectoryProof, HeadsProof, LabelProof } from "./structures.ts";

/** Where a label stands and how much of its history was verified: kept with the contact, so that later proofs lead on from there. */
export interface LabelState {
  /** 32 bytes: the VRF's output, which never changes. */
  readonly index: Uint8Array;
  /** Values that the label has had. */
  readonly version: number;
  readonly chain: Uint8Array;
}

/** What is known of a person's labels from before. */
export interface KnownLabels {
  readonly account?: LabelState | undefined;
  readonly username?: LabelState | undefined;
}

/** What every verification against a head takes. */
export type HeadParams = Omit<OpenHeadParams, "head">;

/** A verified lookup. The chain of account states and the signatures of bindings are still to be verified (account/verify.ts). */
export interface LookupResult extends HeadResult {
  readonly labels: { readonly account: LabelState; readonly username: LabelState | undefined };
  readonly accountId: Uint8Array;
  /** The bindings of the record, decoded, in their order. */
  readonly bindings: readonly UsernameBinding[];
  /** Whether the name belonged to another account before, as far as the record goes back (spec A-3). */
  readonly hadOtherOwner: boolean;
}

/** Reads a DirectoryProof. @throws TransparencyError `malformed` */
export function decodeDirectoryProof(bytes: Uint8Array): DirectoryProof {
  return decodeOrRefuse(directoryProofCodec, bytes, "D-1");
}

/** Reads a HeadsProof. @throws TransparencyError `malformed` */
export function decodeHeadsProof(bytes: Uint8Array): HeadsProof {
  return decodeOrRefuse(headsProofCodec, bytes, "L-11");
}

/**
 * Verifies what the directory says of one person: the head, where both labels stand, every value's commitment, and that these
 * are all values that the labels have had (spec section 40). Fails closed.
 * @throws TransparencyError as `openHead`; `proof` for a record that the map does not have like this, `rollback` when a label has had
 *   fewer values than were verified before, `fork` when its history is another one, `missing` when an index is not known,
 *   `rule` when the name is not bound to the account.
 */
export async function verifyLookup(
  params: HeadParams & {
    readonly proof: DirectoryProof;
    /** What was asked for: one of them, or both. */
    readonly query: { readonly username?: string | undefined; readonly accountId?: Uint8Array | undefined };
    readonly known?: KnownLabels | undefined;
    /** Default: `vrfVerify`. */
    readonly verifyVrf?: VrfVerifier | undefined;
    readonly record: { readonly states: readonly Uint8Array[]; readonly bindings: readonly Uint8Array[] };
  },
): Promise<LookupResult> {
  const { proof, query, known = {}, verifyVrf, record, ...rest } = params;
  const opened = await openHead({ ...rest, head: proof.head, consistency: rest.consistency ?? proof.consistency });
  const accountProof = onlyLabel(proof, "account");
  if (accountProof === undefined) throw new TransparencyError("proof", "D-1", "the proof has no account");
  const states = record.states.map(openState);
  for (const { state } of states) {
    if (state.host !== params.host) throw new TransparencyError("proof", "C-3", "the account is of another host");
  }
  const accountId = accountIdFor(query.accountId, accountProof, states[0]);
  const account = verifyLabel({
    ...opened,
    proof: accountProof,
    label: accountLabel(accountId),
    known: known.account,
    verifyVrf,
    values: record.states,
  });
  if (account === undefined) throw new TransparencyError("proof", "D-1", "the directory has no such account");
  const newest = states.at(-1)?.state;
  checkStates(accountProof, account, newest);
  const username = newest?.username ?? query.username;
  if (query.username !== undefined && username !== query.username)
    throw new TransparencyError("proof", "A-3", "the account has another name");
  const nameProof = onlyLabel(proof, "username");
  const bindings = record.bindings.map(openBinding);
  if (nameProof === undefined || username === undefined) {
    if (query.username !== undefined || nameProof !== undefined || bindings.length > 0) {
      throw new TransparencyError("proof", "A-3", "the proof has a record without its name, or a name without a record");
    }
    return { ...opened, labels: { account, username: undefined }, accountId, bindings, hadOtherOwner: false };
  }
  const label = usernameLabel(username);
  const name = verifyLabel({ ...opened, proof: nameProof, label, known: known.username, verifyVrf, values: record.bindings });
  if (name === undefined) throw new TransparencyError("proof", "A-3", "the directory has no such name");
  for (const binding of bindings) checkBindingNames(binding, username, params.host);
  const last = bindings.at(-1);
  const isOwn = last === undefined || (equalBytes(last.accountId, accountId) && (last.status === "bound" || newest?.status === "deleted"));
  if (!isOwn) throw new TransparencyError("rule", "A-3", "the name is not bound to the account");
  const hadOtherOwner = bindings.some((binding) => !equalBytes(binding.accountId, accountId));
  return { ...opened, labels: { account, username: name }, accountId, bindings, hadOtherOwner };
}

/** A verified absence. */
export interface AbsenceResult extends HeadResult {
  /** Of a name that was released; `undefined` when it has never been bound. */
  readonly username: LabelState | undefined;
  /** The record's bindings, decoded. */
  readonly bindings: readonly UsernameBinding[];
}

/**
 * Verifies that a name is nobody's: it has never had a binding, or its last one is a release (spec D-1, A-3).
 * @throws TransparencyError as `verifyLookup`.
 */
export async function verifyAbsence(
  params: HeadParams & {
    readonly proof: DirectoryProof;
    readonly username: string;
    readonly known?: LabelState | undefined;
    /** Default: `vrfVerify`. */
    readonly verifyVrf?: VrfVerifier | undefined;
    readonly bindings: readonly Uint8Array[];
  },
): Promise<AbsenceResult> {
  const { proof, username, known, verifyVrf, bindings: values, ...rest } = params;
  const opened = await openHead({ ...rest, head: proof.head, consistency: rest.consistency ?? proof.consistency });
  const nameProof = onlyLabel(proof, "username");
  if (nameProof === undefined || proof.labels.length !== 1) throw new TransparencyError("proof", "D-1", "the proof is not of a name");
  const label = verifyLabel({ ...opened, proof: nameProof, label: usernameLabel(username), known, verifyVrf, values });
  const bindings = values.map(openBinding);
  for (const binding of bindings) checkBindingNames(binding, username, params.host);
  const last = bindings.at(-1);
  if (label !== undefined && last?.status !== "released") {
    throw new TransparencyError("proof", "D-1", "the name is bound, or nothing shows its release");
  }
  return { ...opened, username: label, bindings };
}

/** A head of a log of messages as the directory has published it. */
export interface HeadsResult extends HeadResult {
  readonly seq: number;
  readonly logHead: Uint8Array;
  /** Log time of the entry that published it. */
  readonly publishedAtMs: number;
  /** Index of that entry. */
  readonly index: number;
}

/** Verifies the published head of one log (spec L-11). @throws TransparencyError as `openHead`, `proof` when the entry does not publish it. */
export async function verifyHeads(params: HeadParams & { readonly proof: HeadsProof; readonly logId: Uint8Array }): Promise<HeadsResult> {
  const { proof, logId, ...rest } = params;
  const opened = await openHead({ ...rest, head: proof.head, consistency: rest.consistency ?? proof.consistency });
  const { index, inclusion, seq, logHead, mapProof } = proof;
  verifyInclusion({ index, size: opened.size, leafHash: leafHash(proof.entry), proof: inclusion, root: opened.root });
  const entry = decodeOrRefuse(logEntryCodec, proof.entry, "L-11");
  if (isEmptyHash(entry.headsRoot)) throw new TransparencyError("proof", "L-11", "the entry publishes no heads");
  verifyMapProof({ root: entry.headsRoot, index: headsIndex(logId), proof: mapProof, leaf: { version: seq, chain: logHead } });
  return { ...opened, seq, logHead, publishedAtMs: entry.timestampMs, index };
}

/** Where a log stands in the map of heads: H(log_id) (spec L-11). Its leaf has the sequence number as version and the head as chain. */
export function headsIndex(logId: Uint8Array): Uint8Array {
  return sha256(logId);
}

/** The state shown last is the account's newest, and only of a deleted account are earlier ones erased. */
function checkStates(proof: LabelProof, account: LabelState, newest: AccountState | undefined): void {
  if (newest !== undefined && newest.version !== account.version - 1) {
    throw new TransparencyError("proof", "A-2", "the account has had other states than are shown");
  }
  if (newest?.status !== "deleted" && proof.items.some(({ kind }) => kind === "commitment")) {
    throw new TransparencyError("proof", "A-2", "a state of an account that is not deleted is hidden");
  }
}

/** The label's state after the proof; `undefined` when the map has no such label. */
export function verifyLabel(params: {
  readonly proof: LabelProof;
  readonly label: Uint8Array;
  readonly known: LabelState | undefined;
  readonly verifyVrf: VrfVerifier | undefined;
  readonly values: readonly Uint8Array[];
  readonly entry: HeadResult["entry"];
  readonly view: HeadResult["view"];
  readonly relation: HeadResult["relation"];
}): LabelState | undefined {
  const { proof, label, known, verifyVrf = vrfVerify, values, entry, view, relation } = params;
  const index = labelIndex(proof, known, () => verifyVrf(view.config.vrfPublicKey, label, proof.vrfProof));
  let version = proof.fromVersion;
  let chain = emptyHash;
  if (version !== 0) {
    if (known?.version !== version) throw new TransparencyError("missing", "D-1", "the proof starts at a version that is not known");
    chain = known.chain;
  }
  const rest = [...values];
  let isOther = false;
  for (const item of proof.items) {
    version++;
    chain = chainOf(chain, item.kind === "commitment" ? item.commitment : open(label, version, item.opening, rest.shift()));
    isOther ||= version === known?.version && !equalBytes(chain, known.chain);
  }
  if (proof.items.at(-1)?.kind === "commitment") throw new TransparencyError("proof", "D-1", "the newest value of a label is not shown");
  if (rest.length > 0) throw new TransparencyError("proof", "D-1", "the record has more values than the proof");
  verifyMapProof({ root: entry.mapRoot, index, proof: proof.mapProof, leaf: version === 0 ? undefined : { version, chain } });
  // Only what stands in the signed map convicts the log: a made-up list of values has failed above.
  if (isOther) throw new TransparencyError("fork", "D-3", "a label has another history than the one that was verified before");
  if (known !== undefined && version < known.version && relation !== "older") {
    throw new TransparencyError("rollback", "D-3", "a label has had fewer values than were verified before");
  }
  return version === 0 ? undefined : { index, version, chain };
}

function labelIndex(proof: LabelProof, known: LabelState | undefined, verify: () => Uint8Array): Uint8Array {
  if (proof.vrfProof.length === 0) {
    if (known === undefined) throw new TransparencyError("missing", "D-1", "the proof does not show where the label stands");
    return known.index;
  }
  const index = indexOf(verify());
  if (known !== undefined && !equalBytes(index, known.index))
    throw new TransparencyError("proof", "D-1", "the label stands at another place");
  return index;
}

function open(label: Uint8Array, version: number, opening: Uint8Array, value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) throw new TransparencyError("proof", "D-1", "the record has fewer values than the proof");
  return commitmentOf({ opening, label, version, value });
}

export function onlyLabel(proof: DirectoryProof, type: LabelProof["type"]): LabelProof | undefined {
  const found = proof.labels.filter((label) => label.type === type);
  if (found.length > 1) throw new TransparencyError("malformed", "D-1", "a proof has one label of each type");
  return found[0];
}

function accountIdFor(
  asked: Uint8Array | undefined,
  proof: LabelProof,
  first: { readonly state: AccountState; readonly body: Uint8Array } | undefined,
): Uint8Array {
  // A genesis state names no account: its hash is the account's id.
  const shown = first === undefined ? undefined : first.state.version === 0 ? accountIdOf(first.body) : first.state.accountId;
  const accountId = asked ?? shown;
  if (accountId === undefined) throw new TransparencyError("missing", "A-1", "the record has no state");
  if (shown !== undefined && !equalBytes(shown, accountId)) throw new TransparencyError("proof", "A-1", "the record is of another account");
  if (asked === undefined && proof.fromVersion === 0 && first?.state.version !== 0 && proof.items[0]?.kind !== "commitment") {
    throw new TransparencyError("proof", "A-1", "the record does not begin with the account's first state");
  }
  return accountId;
}

function openState(bytes: Uint8Array): { state: AccountState; body: Uint8Array } {
  try {
    const { body } = decode(signedCodec, bytes);
    return { state: decode(accountStateCodec, body), body };
  } catch (cause) {
    if (cause instanceof CodecError) throw new TransparencyError("malformed", "A-1", "a signed state does not decode", { cause });
    throw cause;
  }
}

function openBinding(bytes: Uint8Array): UsernameBinding {
  try {
    return decode(usernameBindingCodec, decode(signedCodec, bytes).body);
  } catch (cause) {
    if (cause instanceof CodecError) throw new TransparencyError("malformed", "A-3", "a signed binding does not decode", { cause });
    throw cause;
  }
}

function checkBindingNames(binding: UsernameBinding, username: string, host: string): void {
  if (binding.username !== username || binding.host !== host) {
    throw new TransparencyError("proof", "A-3", "a binding is of another name");
  }
}
