import {
  bool,
  CodecError,
  compareBytes,
  decode,
  encode,
  enumeration,
  mapped,
  opaque,
  opaqueV,
  optional,
  safeUint64,
  struct,
  text,
  toBase64Url,
  uint32,
  uint8,
  variant,
  vector,
} from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { canBePicture, maxDisplayNameBytes, maxPictureBytes } from "@latchkey/protocol";
import type { QuietHours } from "../api/quiet.ts";
import { maxJoinSeq } from "../core/order.ts";
import type { ShownProfile } from "../core/profile-mark.ts";
import { quietHoursCodec } from "./quiet.ts";

/** What a person sets for themselves, of a conversation or of a message in it (spec X-18). */
export type OwnFact =
  /** No notice of it until then; 0 for never muted, `mutedForever` for always. What is over stays: it says what came while it was. */
  | { readonly kind: "mute"; readonly logId: Uint8Array; readonly untilMs: number }
  /** Put away as it was with this entry of its log; `undefined` once it was taken out again. */
  | { readonly kind: "archive"; readonly logId: Uint8Array; readonly throughSeq: number | undefined }
  /** Its place among the conversations that stand on top; `undefined` where it does not. */
  | { readonly kind: "pin"; readonly logId: Uint8Array; readonly rank: number | undefined }
  | { readonly kind: "unread"; readonly logId: Uint8Array; readonly isUnread: boolean }
  | { readonly kind: "star"; readonly logId: Uint8Array; readonly messageId: Uint8Array; readonly isStarred: boolean }
  /** What was said there until this entry is gone on one's own devices. */
  | { readonly kind: "deleted"; readonly logId: Uint8Array; readonly throughSeq: number }
  /** What is being written there, "" for nothing any more; `over`: a mark (`draftMark`) of the other device's draft that the person took last. */
  | { readonly kind: "draft"; readonly logId: Uint8Array; readonly text: string; readonly over: Uint8Array }
  /** What is to be said there at a time, by whichever device is on then; without a plan it was sent, or is not to be any more (spec X-15). */
  | { readonly kind: "later"; readonly logId: Uint8Array; readonly id: Uint8Array; readonly plan: Plan | undefined }
  /** A device is about to send it: others wait a minute (spec X-15). */
  | { readonly kind: "claim"; readonly logId: Uint8Array; readonly id: Uint8Array; readonly deviceId: Uint8Array; readonly atMs: number }
  /** The person is to be reminded of a message then; `undefined` once they were, or not at all (spec X-15). */
  | { readonly kind: "remind"; readonly logId: Uint8Array; readonly messageId: Uint8Array; readonly atMs: number | undefined }
  /** Of no conversation: what others are told of this person, as of all. */
  | { readonly kind: "setting"; readonly name: SettingName; readonly isOn: boolean }
  /** Of no conversation: that device was in use on that day, since 1970 (spec A-15). */
  | { readonly kind: "used"; readonly deviceId: Uint8Array; readonly day: number }
  /** Of no conversation: when nothing is noticed. */
  | { readonly kind: "quiet"; readonly hours: QuietHours }
  /** Of no conversation: how the person is shown. */
  | ({ readonly kind: "profile" } & ShownProfile);

/** What is to be said at a time: what the message is made of, so that two devices make the same. */
export interface Plan {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly text: string;
  /** The version that it answers. */
  readonly inReplyTo: Uint8Array | undefined;
  /** Of the content: 16 bytes. */
  readonly salt: Uint8Array;
  /** Who was in the conversation when it was written: the first 8 bytes of each account's id, one after the other. */
  readonly members: Uint8Array;
}

/** What a person lets others know, and is told of them in turn. */
export type SettingName = "receipts" | "typing";

/** What is of a conversation. */
export type FactOfConversation = Exclude<OwnFact, { readonly kind: "setting" | "used" | "quiet" | "profile" }>;

/** Where something was said: the first devices' log of an account is of era 1, and one that takes its place is of the next. */
export interface OwnPlace {
  readonly era: number;
  /** The first bytes of the log's id; zeros where there was no other device. */
  readonly log: Uint8Array;
  readonly order: number;
}

/** The newest that was said of one thing, and where. */
export interface Register {
  readonly place: OwnPlace;
  readonly fact: OwnFact;
}

/** A mute without an end. */
export const mutedForever: number = Number.MAX_SAFE_INTEGER;

/** A longer draft stays on the device that it is written on. */
export const maxDraftBytes = 16_384;

/** Bytes of what a draft is known by, and what stands for none. */
export const draftMarkBytes = 16;
export const noDraftMark: Uint8Array = new Uint8Array(draftMarkBytes);

/** Bytes of a log's id that a place has. */
export const logTagBytes = 8;
export const noLog: Uint8Array = new Uint8Array(logTagBytes);

/** Facts that one word to the other devices has at most, and bytes. */
export const maxFactsTold = 256;
export const maxToldBytes = 40_000;

const logId = opaque(32);

/** An entry that a log can have: of any other no line has a place. */
const seqSaid: Codec<number> = mapped(
  safeUint64,
  (seq) => seq,
  (seq) => {
    if (seq > 2 * maxJoinSeq) throw new CodecError("invalid", "no log is so long");
    return seq;
  },
);

const picture: Codec<Uint8Array> = mapped(
  opaqueV(maxPictureBytes),
  (bytes) => bytes,
  (bytes) => {
    if (!canBePicture(bytes)) throw new CodecError("invalid", "this leads to no picture");
    return bytes;
  },
);

export const ownFactCodec: Codec<OwnFact> = variant<OwnFact>(uint8, {
  mute: [1, struct<{ logId: Uint8Array; untilMs: number }>({ logId, untilMs: safeUint64 })],
  archive: [2, struct<{ logId: Uint8Array; throughSeq: number | undefined }>({ logId, throughSeq: optional(seqSaid) })],
  pin: [3, struct<{ logId: Uint8Array; rank: number | undefined }>({ logId, rank: optional(uint32) })],
  unread: [4, struct<{ logId: Uint8Array; isUnread: boolean }>({ logId, isUnread: bool })],
  star: [5, struct<{ logId: Uint8Array; messageId: Uint8Array; isStarred: boolean }>({ logId, messageId: opaque(32), isStarred: bool })],
  deleted: [7, struct<{ logId: Uint8Array; throughSeq: number }>({ logId, throughSeq: seqSaid })],
  draft: [
    6,
    struct<{ logId: Uint8Array; text: string; over: Uint8Array }>({ logId, text: text(maxDraftBytes), over: opaque(draftMarkBytes) }),
  ],
  setting: [
    8,
    struct<{ name: SettingName; isOn: boolean }>({ name: enumeration<SettingName>(uint8, { receipts: 1, typing: 2 }), isOn: bool }),
  ],
  quiet: [9, struct<{ hours: QuietHours }>({ hours: quietHoursCodec })],
  later: [
    11,
    struct<{ logId: Uint8Array; id: Uint8Array; plan: Plan | undefined }>({
      logId,
      id: opaque(16),
      plan: optional(
        struct<Plan>({
          atMs: safeUint64,
          text: text(maxDraftBytes),
          inReplyTo: optional(opaque(32)),
          salt: opaque(16),
          members: opaqueV(8192),
        }),
      ),
    }),
  ],
  claim: [
    12,
    struct<{ logId: Uint8Array; id: Uint8Array; deviceId: Uint8Array; atMs: number }>({
      logId,
      id: opaque(16),
      deviceId: opaque(16),
      atMs: safeUint64,
    }),
  ],
  remind: [
    13,
    struct<{ logId: Uint8Array; messageId: Uint8Array; atMs: number | undefined }>({
      logId,
      messageId: opaque(32),
      atMs: optional(safeUint64),
    }),
  ],
  profile: [10, struct<ShownProfile>({ displayName: text(maxDisplayNameBytes), picture })],
  used: [14, struct<{ deviceId: Uint8Array; day: number }>({ deviceId: opaque(16), day: uint32 })],
});

const placeCodec: Codec<OwnPlace> = struct<OwnPlace>({ era: uint32, log: opaque(logTagBytes), order: safeUint64 });

export const registerCodec: Codec<Register> = struct<Register>({ place: placeCodec, fact: ownFactCodec });

/** Each by itself, so that one which a later version says takes no other with it. */
const many: Codec<readonly Uint8Array[]> = vector(opaqueV(maxDraftBytes + 256), { maxBytes: 65_536, maxItems: maxFactsTold });

export const packFacts = (facts: readonly OwnFact[]): Uint8Array =>
  encode(
    many,
    facts.map((fact) => encode(ownFactCodec, fact)),
  );
export const packRegisters = (registers: readonly Register[]): Uint8Array =>
  encode(
    many,
    registers.map((register) => encode(registerCodec, register)),
  );

/** What this version knows of it. @throws CodecError where it is no list */
export const unpackFacts = (packed: Uint8Array): readonly OwnFact[] => unpack(ownFactCodec, packed);
export const unpackRegisters = (packed: Uint8Array): readonly Register[] => unpack(registerCodec, packed);

function unpack<T>(codec: Codec<T>, packed: Uint8Array): readonly T[] {
  return decode(many, packed).flatMap((bytes) => {
    try {
      return [decode(codec, bytes.slice())];
    } catch (error) {
      if (error instanceof CodecError) return [];
      throw error;
    }
  });
}

/** Beside the settings: whoever is told of those is told of these. */
export const quietKey = "setting/quiet";
export const profileKey = "setting/profile";
export const usedKey = (deviceId: Uint8Array): string => `used/${toBase64Url(deviceId)}`;

/** What a fact is about: of all that is said of the same the newest counts. A key of the store behind `ownPrefix`. */
export function keyOf(fact: OwnFact): string {
  if (fact.kind === "setting") return `setting/${fact.name}`;
  if (fact.kind === "quiet") return quietKey;
  if (fact.kind === "profile") return profileKey;
  if (fact.kind === "used") return usedKey(fact.deviceId);
  const about = `${fact.kind}/${toBase64Url(fact.logId)}`;
  switch (fact.kind) {
    case "star":
    case "remind":
      return `${about}/${toBase64Url(fact.messageId)}`;
    case "later":
      return `${about}/${toBase64Url(fact.id)}`;
    case "claim":
      return `${about}/${toBase64Url(fact.id)}/${toBase64Url(fact.deviceId)}`;
    default:
      return about;
  }
}

/** About how many bytes a fact has at most. */
export function factBytes(fact: OwnFact): number {
  const words = fact.kind === "draft" ? fact.text : fact.kind === "later" ? (fact.plan?.text ?? "") : "";
  return 200 + words.length * 3;
}

/** Above 0 where the first was said later: a total order, so that all devices end with the same. */
export function compareRegisters(a: Register, b: Register): number {
  return comparePlaces(a.place, b.place) || compareBytes(encode(ownFactCodec, a.fact), encode(ownFactCodec, b.fact));
}

/** Of two logs that began side by side the lower id counts, as it does for the group of the devices. */
export function comparePlaces(a: OwnPlace, b: OwnPlace): number {
  return a.era - b.era || compareBytes(b.log, a.log) || a.order - b.order;
}
