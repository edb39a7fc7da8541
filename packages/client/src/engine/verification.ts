import { equalBytes, toBase64Url, fromBase64Url } from "@latchkey/codec";
import { deviceOf } from "@latchkey/transparency";
import type { VerifiedAccount } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import { isProven } from "../account/contacts.ts";
import type { Directory } from "../account/directory.ts";
import type {
  AboutPerson,
  ClientFailure,
  DeviceRecord,
  DirectoryStatus,
  KeyRecord,
  MemberVerification,
  SafetyNumber,
  SafetyScan,
  Verification,
} from "../api.ts";
import { mayAdd } from "../core/permitted.ts";
import { holds } from "../core/rights.ts";
import type { ConversationState } from "../core/types.ts";
import { compareSafetyCode, safetyCode, safetyGroups } from "../directory/safety-number.ts";
import type { SafetyAccount } from "../directory/safety-number.ts";
import { ClientError } from "../errors.ts";
import { loadMark, saveMark } from "./account-news.ts";
import type { Mark } from "./account-news.ts";
import type { World } from "./world.ts";

const accountIdBytes = 32;

/** What is known of the keys of a conversation's members. */
export async function verificationOf(world: World, state: ConversationState): Promise<Verification> {
  const accounts = [...(state.roster?.accounts.values() ?? [])].flatMap((leaves) => leaves.slice(0, 1));
  const members: MemberVerification[] = [];
  for (const { accountId } of accounts) members.push(await memberOf(world, state, accountId));
  return { members, hold: holdOf(world, state), ...awayOf(world, state) };
}

/** Who is on a new device and not in the conversation; offered are those alone whose account lives on by its host's public record. */
function awayOf(
  { people, own }: World,
  { kind, phase, roster, away }: ConversationState,
): Pick<Verification, "away" | "mayLetBack" | "mayRemove"> {
  const isActive = phase.kind === "active" && kind === "group" && roster !== undefined;
  const account = toBase64Url(own.accountId);
  const here = away.filter(({ accountId, until }) => {
    const contact = people.contact(accountId);
    return until === 0 && contact !== undefined && isProven(contact) && contact.account.state.status === "active";
  });
  return {
    away: isActive ? here.map(({ accountId }) => people.person(accountId)) : [],
    mayLetBack: isActive && mayAdd(roster, account),
    mayRemove: isActive && holds(roster, account, roster.settings.rights.remove),
  };
}

async function memberOf(world: World, state: ConversationState, accountId: Uint8Array): Promise<MemberVerification> {
  const { account, ...known } = await keysOf(world, accountId);
  return { ...known, devices: devicesOf(state, accountId, account) };
}

/** What is known of an account's keys, whatever conversation it is in. */
async function keysOf(
  world: World,
  accountId: Uint8Array,
): Promise<Omit<MemberVerification, "devices"> & { readonly account: VerifiedAccount | undefined }> {
  const { people, own, store, watch } = world;
  const isSelf = equalBytes(accountId, own.accountId);
  const contact = isSelf ? undefined : people.contact(accountId);
  const mark = await store.transact("read", (tx) => loadMark(tx, accountId));
  return {
    person: people.person(accountId),
    record: isSelf ? await ownRecordOf(world) : recordOf(world, contact),
    mark: shownMark(mark),
    falseWord: isSelf ? undefined : watch.falseWord(accountId)?.kind,
    account: isSelf ? own.account : contact?.account,
  };
}

/** What is known of somebody, and in which of these conversations both are. @throws ClientError `unknown_user` */
export async function aboutPerson(world: World, account: string, states: readonly ConversationState[]): Promise<AboutPerson> {
  const accountId = parseId(account);
  await world.people.load([accountId]);
  const { account: verified, ...known } = await keysOf(world, accountId);
  if (verified === undefined) throw unknown();
  const groups = states
    .filter(({ kind, phase, roster }) => kind === "group" && phase.kind === "active" && roster?.accounts.has(account) === true)
    .toSorted((a, b) => b.updatedAtMs - a.updatedAtMs);
  return {
    ...known,
    deviceCount: verified.state.devices.length,
    isBlocked: world.standings.of(accountId) === "blocked",
    groups: groups.map(({ id }) => id),
  };
}

function shownMark(mark: Mark | undefined): MemberVerification["mark"] {
  if (mark?.verified !== true) return "none";
  return mark.changed ? "changed" : "verified";
}

/** What is known of a host's record, as people are told it. */
export async function directoryStatusOf(directory: Directory, host: string): Promise<DirectoryStatus> {
  const known = await directory.log.status(host);
  return { ...known, status: shownStatus(known) };
}

/** Where a server asks for no witnesses, nobody but this device watches, though it followed every change by itself (spec D-3). */
function shownStatus({ required, status }: Pick<KeyRecord, "required" | "status">): KeyRecord["status"] {
  return status === "checked" && required === 0 ? "unwatched" : status;
}

function recordOf({ directory }: World, contact: Contact | undefined): KeyRecord {
  if (contact?.proven === undefined) {
    return { sinceMs: 0, checkedAtMs: contact?.checkedAtMs ?? 0, witnesses: 0, required: 0, status: "unchecked" };
  }
  const { witnesses, required, size } = contact.proven;
  // What nobody watched when it was proven may have been replayed here since.
  const isWatched = contact.proven.status === "checked" || directory.log.isWatched(contact.host, size);
  const status = shownStatus({ required, status: isWatched ? "checked" : "unwatched" });
  // The time that the account's own device signed; the record took it in right after.
  return { sinceMs: contact.account.state.timeMs, checkedAtMs: contact.checkedAtMs, witnesses, required, status };
}

async function ownRecordOf({ directory, own }: World): Promise<KeyRecord> {
  const { checkedAtMs, witnesses, required, status } = await directoryStatusOf(directory, own.host);
  return { sinceMs: own.account.state.timeMs, checkedAtMs, witnesses, required, status };
}

function devicesOf(state: ConversationState, accountId: Uint8Array, account: VerifiedAccount | undefined): readonly DeviceRecord[] {
  const leaves = state.roster?.accounts.get(toBase64Url(accountId)) ?? [];
  const inAccount = (account?.state.devices ?? []).map((device): DeviceRecord => ({
    deviceId: toBase64Url(device.deviceId),
    addedAtMs: device.addedMs,
    inConversation: leaves.some((leaf) => equalBytes(leaf.deviceId, device.deviceId)),
    inAccount: true,
  }));
  const others = leaves
    .filter((leaf) => account === undefined || deviceOf(account, leaf.deviceId) === undefined)
    .map((leaf): DeviceRecord => ({ deviceId: toBase64Url(leaf.deviceId), addedAtMs: 0, inConversation: true, inAccount: false }));
  return [...inAccount, ...others];
}

/** The first reason why nothing is sent in this conversation. */
export function holdOf(world: World, state: ConversationState): ClientFailure | undefined {
  const held = world.watch.hold;
  if (held !== undefined) return held;
  const name = (accountId: Uint8Array): string => world.people.person(accountId).displayName;
  const { unverified, departed, leavers, recovered } = state;
  const [refused] = unverified.filter((leaf) => leaf.refused);
  if (refused !== undefined) {
    const message = `A device that ${name(refused.accountId)}'s account does not have is in this conversation. Nothing is sent until it is removed.`;
    return { code: "device_unproven", message, canRetry: false };
  }
  const [back] = recovered;
  if (back !== undefined) {
    const message = `${name(back.accountId)}'s account was brought back with its recovery phrase. Read the conversation to its end before you go on.`;
    return { code: "account_changed", message, canRetry: false };
  }
  const [gone] = departed.length > 0 ? departed : leavers;
  if (gone !== undefined) {
    return {
      code: "device_removed",
      message: state.link.cannotRemove
        ? `A device of ${name(gone.accountId)} cannot be removed now: what proves that it left their account cannot be had.`
        : `A device of ${name(gone.accountId)} is being removed. What you write is sent right after.`,
      canRetry: true,
    };
  }
  if (unverified[0] !== undefined) {
    return { code: "directory_unproven", message: `The keys of ${name(unverified[0].accountId)} are being checked.`, canRetry: true };
  }
  return undefined;
}

/** The safety number of one's own account and another's. @throws ClientError `unknown_user` */
export function safetyNumberOf(world: World, accountId: string): SafetyNumber {
  const { own, other } = pair(world, accountId);
  return { person: world.people.person(other.accountId), groups: safetyGroups(own, other), code: safetyCode(own, other) };
}

/** Compares a scanned code; a match is a mark. @throws ClientError `unknown_user` */
export async function scanSafetyNumber(world: World, accountId: string, code: string): Promise<SafetyScan> {
  const { own, other } = pair(world, accountId);
  const seen = compareSafetyCode(code, own, other);
  if (seen === "match") await markVerified(world, accountId, true);
  return seen;
}

/** Keeps what the person said of an account's safety number. @throws ClientError `unknown_user` */
export async function markVerified(world: World, accountId: string, verified: boolean): Promise<void> {
  const { other } = pair(world, accountId);
  const { store, platform, emit } = world;
  await store.transact("write", (tx) => saveMark(tx, other.accountId, { verified, changed: false, atMs: platform.nowMs() }));
  emit({ kind: "verification" });
}

function pair(world: World, accountId: string): { own: SafetyAccount; other: SafetyAccount } {
  const { own, people } = world;
  const contact = people.contact(parseId(accountId));
  if (contact === undefined) throw unknown();
  return { own, other: contact };
}

function parseId(accountId: string): Uint8Array {
  let id: Uint8Array;
  try {
    id = fromBase64Url(accountId);
  } catch (error) {
    if (error instanceof SyntaxError) throw unknown();
    throw error;
  }
  if (id.length !== accountIdBytes) throw unknown();
  return id;
}

function unknown(): ClientError {
  return new ClientError("unknown_user", "There is no such person in your conversations.");
}
