import type { OwnSettings } from "../api.ts";
import type { QuietHours } from "../api/quiet.ts";
import { entryOrder } from "../core/order.ts";
import type { ShownProfile } from "../core/profile-mark.ts";
import type { ConversationState, Line } from "../core/types.ts";
import { keyOf, mutedForever, profileKey, quietKey } from "./facts.ts";
import type { OwnFact, SettingName } from "./facts.ts";
import { idOf } from "./own-things.ts";
import type { OwnThings } from "./own-things.ts";

/** Conversations that stand on top. */
export const maxPinnedConversations = 20;

type Of<K extends OwnFact["kind"]> = Extract<OwnFact, { kind: K }>;

/** The newest that was said of a conversation. */
export function factOf<K extends "mute" | "archive" | "pin" | "unread" | "deleted">(
  things: OwnThings,
  kind: K,
  logId: Uint8Array,
): Of<K> | undefined {
  const blank = {
    mute: { untilMs: 0 },
    archive: { throughSeq: 0 },
    pin: { rank: 0 },
    unread: { isUnread: false },
    deleted: { throughSeq: 0 },
  }[kind];
  return things.fact(keyOf({ kind, logId, ...blank } as Of<K>)) as Of<K> | undefined;
}

/** Whether others are told this of the person, and the person of others; yes unless they said otherwise. */
export function settingOf(things: OwnThings, name: SettingName): boolean {
  const fact = things.fact(`setting/${name}`);
  return fact?.kind !== "setting" || fact.isOn;
}

/** When the person wants no notice of anything. */
export function quietHoursOf(things: OwnThings): QuietHours {
  const fact = things.fact(quietKey);
  return fact?.kind === "quiet" ? fact.hours : {};
}

/** How the person said they are shown; `undefined` where they never did since they registered. */
export function profileOf(things: OwnThings): ShownProfile | undefined {
  const fact = things.fact(profileKey);
  return fact?.kind === "profile" ? fact : undefined;
}

/** Ids of the conversations that stand on top, in their order. */
export function pinnedIds(things: OwnThings): readonly string[] {
  const pins = things.all("pin").filter(({ rank }) => rank !== undefined);
  return pins
    .toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
    .slice(0, maxPinnedConversations)
    .map(idOf);
}

/** The entry of its log that a conversation's newest line belongs to. */
export function lastSeq({ lastOrder }: Pick<ConversationState, "lastOrder">): number {
  return Math.floor(lastOrder / entryOrder(1));
}

/** Until when nothing of a conversation is noticed; `undefined` where it is. */
export function mutedUntil(things: OwnThings, logId: Uint8Array, nowMs: number): number | "always" | undefined {
  const untilMs = factOf(things, "mute", logId)?.untilMs ?? 0;
  if (untilMs === mutedForever) return "always";
  return untilMs > nowMs ? untilMs : undefined;
}

/** How a person's own settings make a conversation look. */
export function ownSettingsOf(
  things: OwnThings,
  state: Pick<ConversationState, "id" | "logId" | "updatedAtMs" | "outgoing" | "invitations" | "joinedSeq">,
  lastLine: Line | undefined,
  nowMs: number,
): OwnSettings {
  const { id, logId } = state;
  const place = pinnedIds(things).indexOf(id);
  return {
    mutedUntil: mutedUntil(things, logId, nowMs),
    isArchived: isArchived(things, state, lastLine),
    pinnedPlace: place < 0 ? undefined : place,
    isMarkedUnread: factOf(things, "unread", logId)?.isUnread ?? false,
    isDeleted: isDeleted(things, state, lastLine),
    otherDraft: things.otherDraft(id),
  };
}

/** Whether the person deleted a conversation and nothing was said in it since, nor were they asked or let in again: no list has it then. */
export function isDeleted(
  things: OwnThings,
  { logId, outgoing, invitations, joinedSeq }: Pick<ConversationState, "logId" | "outgoing" | "invitations" | "joinedSeq">,
  lastLine: Line | undefined,
): boolean {
  const throughSeq = factOf(things, "deleted", logId)?.throughSeq;
  if (throughSeq === undefined || outgoing.some(({ purpose }) => purpose === "text")) return false;
  // Else nobody would find the invitation, or the group that they are in again.
  if (invitations.length > 0 || joinedSeq > throughSeq) return false;
  return lastLine?.message === undefined || lastLine.order < entryOrder(throughSeq + 1);
}

/** A message brings it back that came while it was not muted. */
function isArchived(
  things: OwnThings,
  { logId, updatedAtMs }: Pick<ConversationState, "logId" | "updatedAtMs">,
  lastLine: Line | undefined,
): boolean {
  const throughSeq = factOf(things, "archive", logId)?.throughSeq;
  if (throughSeq === undefined) return false;
  const isBehind = lastLine?.message !== undefined && lastLine.order >= entryOrder(throughSeq + 1);
  return !isBehind || updatedAtMs <= (factOf(things, "mute", logId)?.untilMs ?? 0);
}
