import { CodecError, decode, equalBytes, toBase64Url } from "@latchkey/codec";
import {
  accountIdOf,
  accountStateCodec,
  deviceOf,
  signedCodec,
  TransparencyError,
  verifyAccountChain,
  verifyStanding,
} from "@latchkey/transparency";
import type { AccountState, Signatures, VerifiedAccount } from "@latchkey/transparency";
import { recordsAbout, wholeHistories } from "../account/proofs.ts";
import { unjudged, verify } from "./proven.ts";
import { roles } from "./rights.ts";
import { scheduleRemoval } from "./removal.ts";
import { set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { RosterSettings, RosterLeaf } from "./types.ts";
import { isWritable } from "./phase.ts";

/** Whether the leaf's device was in the account, with the leaf's key, and is not any more. */
export function hasLeft(
  account: Pick<VerifiedAccount, "accountId" | "state">,
  signedStates: readonly Uint8Array[],
  leaf: Omit<RosterLeaf, "leafIndex">,
): boolean {
  const { accountId, state } = account;
  if (!equalBytes(accountId, leaf.accountId)) return false;
  if (state.status === "active" && deviceOf(account, leaf.deviceId) !== undefined) return false;
  return signedStates.some((signed) => {
    const { devices } = stateIn(signed);
    return devices.some((device) => equalBytes(device.deviceId, leaf.deviceId) && equalBytes(device.signatureKey, leaf.signaturePublicKey));
  });
}

/** @throws CodecError */
function stateIn(signed: Uint8Array): AccountState {
  return decode(accountStateCodec, decode(signedCodec, signed).body);
}

/**
 * The leaves that the records in a commit prove to have left their accounts (spec M-2): all states of the account, as they stand in the
 * public log that the group was founded with, of which an earlier one has the device and the newest has not. A branch that a removed
 * device signed stands in no log. It depends on the group's settings and the bytes alone, on no clock, view or host, so that every
 * member finds the same; that the log showed somebody another tree is for each to find out (G-8).
 */
export function departedBy(
  proofs: Uint8Array,
  leaves: readonly RosterLeaf[],
  settings: Pick<RosterSettings, "host" | "directory">,
  signatures: Signatures,
): Promise<readonly RosterLeaf[]> {
  return provenBy({ proofs, leaves, settings, signatures }, hasLeft);
}

/**
 * The leaves that the records in a commit prove to stand in their accounts, in the same way: so whoever adds somebody in whose name the group
 * is managed proves that it is them (spec M-2).
 */
export function standingBy(
  proofs: Uint8Array,
  leaves: readonly RosterLeaf[],
  settings: Pick<RosterSettings, "host" | "directory">,
  signatures: Signatures,
): Promise<readonly RosterLeaf[]> {
  return provenBy({ proofs, leaves, settings, signatures }, ({ accountId, state }, _, leaf) => {
    if (state.status !== "active" || !equalBytes(accountId, leaf.accountId)) return false;
    const key = deviceOf({ state }, leaf.deviceId)?.signatureKey;
    return key !== undefined && equalBytes(key, leaf.signaturePublicKey);
  });
}

/** The owners (base64url) whose accounts the records prove to be deleted, in the same way (spec X-13). */
export async function deletedBy(
  proofs: Uint8Array,
  settings: Pick<RosterSettings, "host" | "directory" | "roles">,
  signatures: Signatures,
): Promise<ReadonlySet<string>> {
  const leaves = settings.roles.filter(({ role }) => role === roles.owner);
  if (proofs.length === 0) return new Set();
  const deleted = await provenBy({ proofs, leaves, settings, signatures }, ({ accountId, state }, _, owner) => {
    return state.status === "deleted" && equalBytes(accountId, owner.accountId);
  });
  return new Set(deleted.map(({ accountId }) => toBase64Url(accountId)));
}

async function provenBy<Leaf extends { readonly accountId: Uint8Array }>(
  from: {
    readonly proofs: Uint8Array;
    readonly leaves: readonly Leaf[];
    readonly settings: Pick<RosterSettings, "host" | "directory">;
    readonly signatures: Signatures;
  },
  isProven: (account: Pick<VerifiedAccount, "accountId" | "state">, signedStates: readonly Uint8Array[], leaf: Leaf) => boolean,
): Promise<readonly Leaf[]> {
  const { proofs, leaves, settings, signatures } = from;
  const proven: Leaf[] = [];
  const accounts = leaves.map((leaf) => leaf.accountId);
  // Nobody is asked, so that whatever history the directory took has to count here.
  const { records, log } = recordsAbout(proofs, accounts, wholeHistories);
  if (log === undefined) return proven;
  for (const record of records) {
    const { states, pops } = record;
    try {
      // What costs least comes first: a long history is verified only once it stands in the log (spec E-2).
      const [genesis, newest] = [states[0], states.at(-1)];
      if (genesis === undefined || newest === undefined) continue;
      const accountId = accountIdOf(decode(signedCodec, genesis).body);
      const state = stateIn(newest);
      const found = leaves.filter((leaf) => isProven({ accountId, state }, states, leaf));
      if (found.length === 0) continue;
      const { host, directory: configHash } = settings;
      await verifyStanding({ host, configHash, log, accountId, username: state.username, record, signatures });
      await verifyAccountChain({ previous: undefined, signedStates: states, pops, signatures });
      proven.push(...found);
    } catch (error) {
      // What does not hold proves nothing.
      if (!(error instanceof TransparencyError || error instanceof CodecError)) throw error;
    }
  }
  return proven;
}

/** Judges every leaf by what is known of its account now (spec G-8, M-3). */
export function judgeLeaves(turn: Turn): void {
  const { context, state } = turn;
  const { roster } = state;
  if (roster === undefined || !isWritable(turn.state)) return;
  const others = [...roster.leaves.values()].filter((leaf) => leaf !== roster.own);
  const gone = others.filter((leaf) => context.departed(leaf));
  const isGone = (leafIndex: number): boolean => gone.some((leaf) => leaf.leafIndex === leafIndex);
  const open = others.filter((leaf) => !isGone(leaf.leafIndex) && !context.vouched(leaf));
  const known = new Map(state.unverified.map((leaf) => [leaf.leafIndex, leaf]));
  const unverified = open.map((leaf) => {
    const judged = known.get(leaf.leafIndex);
    // What is known is of the leaf's key: another device may have taken over its place.
    return judged !== undefined && equalBytes(judged.signaturePublicKey, leaf.signaturePublicKey) ? judged : unjudged(leaf);
  });
  const before = new Set(state.unverified);
  const added = unverified.filter((leaf) => !before.has(leaf));
  if (added.length > 0 || unverified.length !== state.unverified.length) set(turn, { unverified });
  verify(turn, added);
  noteDeparted(turn, gone);
}

/** Nothing is sent until somebody has removed these leaves (spec M-3). */
export function noteDeparted(turn: Turn, leaves: readonly RosterLeaf[]): void {
  const { departed } = turn.state;
  const isSame = departed.length === leaves.length && leaves.every((leaf) => departed.some((known) => known.leafIndex === leaf.leafIndex));
  if (isSame) {
    // There may be by now what proves it to the others.
    if (leaves.length > 0 && turn.state.link.cannotRemove) scheduleRemoval(turn);
    return;
  }
  set(turn, { departed: leaves.map(({ leafIndex, accountId, deviceId }) => ({ leafIndex, accountId, deviceId })) });
  if (leaves.length > 0) scheduleRemoval(turn);
}
