import type { ClientFailure } from "./failures.ts";
import type { Message } from "./messages.ts";
import type { Picture } from "./people.ts";
import type { QuietHours } from "./quiet.ts";
import type { WakeCalls } from "./wakes.ts";

export type { PushKey, WakeCalls } from "./wakes.ts";
export { cleanName } from "../names/clean.ts";
export { fold } from "../search/fold.ts";
export { quietUntil, weekdays } from "./quiet.ts";

/** What the person set for themselves of a conversation: the same on all of their devices, and known to nobody else (spec X-18). */
export interface OwnSettings {
  /** Nothing of it is noticed until then, milliseconds since 1970. */
  readonly mutedUntil: number | "always" | undefined;
  /** Put away; a message that comes while it is not muted brings it back. */
  readonly isArchived: boolean;
  /** Its place among the conversations that stand on top, from 0. */
  readonly pinnedPlace: number | undefined;
  /** Marked as unread by the person; reading takes the mark away. */
  readonly isMarkedUnread: boolean;
  /** Deleted by the person, and nothing was said in it since: `conversations` has it no more. */
  readonly isDeleted: boolean;
  /** What was written on another device while something else was written here; "" for nothing (spec X-16). `decideDraft` settles it. */
  readonly otherDraft: string;
}

/** How a conversation begins. */
export const nothingSetFor: OwnSettings = {
  mutedUntil: undefined,
  isArchived: false,
  pinnedPlace: undefined,
  isMarkedUnread: false,
  isDeleted: false,
  otherDraft: "",
};

/** What others are told of this person, and this person of others in turn: the same on all of one's devices. */
export interface PrivacySettings {
  /** That messages came, and that they were read (spec X-12). */
  readonly receipts: boolean;
  /** That somebody types (spec N-1). */
  readonly typing: boolean;
}

/** A message that is to be sent at a time (spec X-15). */
export interface ScheduledMessage {
  readonly id: string;
  readonly conversationId: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /**
   * `waits` for its time; `due`: it is sent as soon as the server can be reached; `late`: no device was on at its time and an hour after it, and the
   * person says what becomes of it (`sendScheduledNow`, `changeScheduled`, `cancelScheduled`).
   */
  readonly state: "waits" | "due" | "late";
  /** Why it could not be sent, while that is so. */
  readonly failure: ClientFailure | undefined;
}

/** A message that the person wants to be reminded of (spec X-15). */
export interface Reminder {
  readonly message: Message;
  readonly atMs: number;
  readonly isDue: boolean;
}

/** Something of what waits for its time is another now. */
export type LaterEvent =
  /** Other messages wait for their time than before, or one could not be sent (`scheduled`). */
  | { readonly kind: "scheduled" }
  /** Other reminders wait, or one is due (`reminders`). */
  | { readonly kind: "reminders" };

/** What a person has done at a time: the same on all of their devices. */
export interface LaterCalls {
  /**
   * Has a text sent at a time by whichever of the person's devices is on then. What needs no device of theirs is no part of it: while none is on,
   * nothing is sent, and more than an hour late the person is asked.
   * @throws ClientError `invalid_setting` for a time that is over or more than a year away, `message_too_large` above 16,384 bytes, `not_permitted` above 128
   */
  schedule(
    conversationId: string,
    text: string,
    when: { readonly atMs: number; readonly inReplyTo?: string | undefined },
  ): Promise<ScheduledMessage>;
  /** Those of one conversation, or all, the next first. */
  scheduled(conversationId?: string): Promise<readonly ScheduledMessage[]>;
  /** @throws ClientError as `schedule`, `unknown_message` once it was sent or taken back */
  changeScheduled(id: string, change: { readonly text?: string | undefined; readonly atMs?: number | undefined }): Promise<void>;
  /** @throws ClientError `unknown_message` */
  cancelScheduled(id: string): Promise<void>;
  /** Its time is now. @throws ClientError `unknown_message` */
  sendScheduledNow(id: string): Promise<void>;
  /** Reminds the person of a message at a time, on all of their devices; `undefined` ends that. @throws ClientError `unknown_message`, `invalid_setting` */
  remind(conversationId: string, messageId: string, atMs: number | undefined): Promise<void>;
  /** Those of messages that are here, the next first. */
  reminders(): Promise<readonly Reminder[]>;
}

/** What a person sets for themselves. */
export interface OwnCalls extends WakeCalls, LaterCalls {
  privacySettings(): Promise<PrivacySettings>;
  changePrivacySettings(settings: Partial<PrivacySettings>): Promise<void>;
  /** By which name this person goes from now on. Told to the members of their conversations, in the encryption. @throws ClientError `invalid_setting` */
  changeProfile(profile: { displayName?: string }): Promise<void>;
  /**
   * The picture that this person is shown by from now on, on all of their devices; `undefined` for none. A square JPEG or WebP of at most 512
   * pixels a side and 65,512 bytes; what it says of where, when and by what it was made is taken out. It is told to the members of their
   * conversations, in the encryption, and to nobody who is not accepted (spec X-21). @throws ClientError `invalid_setting`, `server_full`
   */
  setPicture(picture: Uint8Array | undefined): Promise<void>;
  /**
   * The picture of a person, by their account, or of a group, by the conversation. `undefined` where they have none, where it is somebody's
   * who is not accepted and in no group with this person, and until it is here: it is fetched then, and the event `picture` tells when.
   */
  picture(id: string): Promise<Picture | undefined>;
  /** When this person wants no notice of anything; `quietUntil` says whether that is now. */
  quietHours(): Promise<QuietHours>;
  /** Sets all of the week: a day that is absent has none. @throws ClientError `invalid_setting` */
  setQuietHours(hours: QuietHours): Promise<void>;
  /** No notice of a conversation until then, milliseconds since 1970; `undefined` ends that. `muteEnd` has the usual times. */
  mute(conversationId: string, until: number | "always" | undefined): Promise<void>;
  /** Puts a conversation away, or takes it out again. */
  archive(conversationId: string, isArchived?: boolean): Promise<void>;
  /** Has a conversation stand on top, at this place from 0; `undefined` takes it from there. @throws ClientError `not_permitted` above twenty */
  pinConversation(conversationId: string, place: number | undefined): Promise<void>;
  markUnread(conversationId: string, isUnread?: boolean): Promise<void>;
  /**
   * Deletes what was said in a conversation until now, on one's own devices alone, and takes it from the list until something is said in it
   * again, or the person is asked or let in again. Whoever is in it stays: `leave` comes first where one wants to hear no more.
   */
  deleteConversation(conversationId: string): Promise<void>;
  /** Marks a message for oneself. @throws ClientError `unknown_message`, `not_permitted` above a thousand */
  star(conversationId: string, messageId: string, isStarred?: boolean): Promise<void>;
  /** Starred messages, of one conversation or of all, the one starred last first. */
  starred(conversationId?: string): Promise<readonly Message[]>;
  /** Takes the draft that another device has (`otherDraft`) in place of the one here, or lets go of it. */
  decideDraft(conversationId: string, isTaken: boolean): Promise<void>;
}

/** How long a conversation may be muted for. */
export type MuteTime = "1h" | "8h" | "morning" | "always";

const hourMs = 3_600_000;
const morningHour = 8;

/** When a mute that begins now ends; the morning is the next eight o'clock of this machine's time zone. */
export function muteEnd(time: MuteTime, nowMs: number): number | "always" {
  if (time === "always") return time;
  if (time !== "morning") return nowMs + (time === "1h" ? 1 : 8) * hourMs;
  const morning = new Date(nowMs);
  morning.setHours(morningHour, 0, 0, 0);
  if (morning.getTime() <= nowMs) morning.setDate(morning.getDate() + 1);
  return morning.getTime();
}
