import { bool, enumeration, mapped, opaque, opaqueV, optional, safeUint64, struct, text, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { filesText, fromStored, toStored } from "./files-codec.ts";
import type { Stored } from "./files-codec.ts";
import type { Fact, Line, LineBody, Mentions, MessageParts, SpeakingDevice } from "./line.ts";
import { packFacts, unpackFacts } from "./packed-facts.ts";
import type { EditCodec } from "./packed-facts.ts";
import type { Said, SaidBody, SpeakerMay } from "./said.ts";
import { settingsBodies } from "./settings-lines.ts";
import { timerCodec } from "./timer.ts";
import type { MessageTimer } from "./timer.ts";

const large = 1 << 26;
const id32 = opaque(32);
const said = text(1 << 20);
const accounts: Codec<{ accounts: readonly Uint8Array[] }> = struct<{ accounts: readonly Uint8Array[] }>({
  accounts: vector(id32, { maxBytes: 1 << 20 }),
});
const nothing = struct<Record<never, never>>({});
const reason = struct<{ reason: string }>({ reason: text(4096) });
const name = struct<{ name: string }>({ name: text(4096) });
const account = struct<{ account: Uint8Array }>({ account: id32 });
const textBody = struct<{ text: string }>({ text: said });
const pollBody = struct<{ question: string; options: readonly string[]; maxSelections: number; endsAtMs: number | undefined }>({
  question: text(4096),
  options: vector(text(1024), { maxBytes: 1 << 16 }),
  maxSelections: uint8,
  endsAtMs: optional(safeUint64),
});

const storedBody: Codec<Stored<LineBody>> = variant<Stored<LineBody>>(uint8, {
  text: [1, textBody],
  files: [36, filesText],
  created: [2, name],
  added: [3, accounts],
  removed: [4, accounts],
  left: [5, nothing],
  renamed: [6, name],
  keys_updated: [7, nothing],
  expired: [8, struct<{ count: number }>({ count: safeUint64 })],
  unsupported: [9, nothing],
  unreadable: [10, reason],
  alarm: [11, reason],
  device_added: [12, account],
  device_removed: [13, account],
  recovered: [14, account],
  skipped: [15, nothing],
  complaint: [16, account],
  let_back: [17, account],
  away: [18, account],
  other_view: [20, nothing],
  misnumbered: [21, struct<{ missing: number }>({ missing: safeUint64 })],
  poll: [23, pollBody],
  deleted: [24, account],
  pinned: [25, struct<{ messageId: string; isPinned: boolean }>({ messageId: text(64), isPinned: bool })],
  unpermitted: [26, nothing],
  history_given: [27, accounts],
  left_out: [28, struct<{ count: number; unproven: number }>({ count: safeUint64, unproven: safeUint64 })],
  ...settingsBodies,
});
const body: Codec<LineBody> = mapped(storedBody, toStored<LineBody>, fromStored<LineBody>);

const mentions: Codec<Mentions> = struct<Mentions>({ accounts: vector(id32, { maxBytes: large }), all: bool });
const emoji = vector(text(64), { maxBytes: 4096 });
const options = vector(uint8, { maxBytes: 64 });

const edit: EditCodec = struct<{ text: string; mentions: Mentions }>({ text: said, mentions });

const facts: Codec<readonly Fact[]> = mapped(
  opaqueV(large),
  (list: readonly Fact[]) => packFacts(list, edit),
  (bytes) => unpackFacts(bytes, edit),
);

const device: Codec<SpeakingDevice> = struct<SpeakingDevice>({ deviceId: opaque(16), signaturePublicKey: opaqueV(4096), isDeparted: bool });

type Refused = MessageParts["refused"][number];
type Unpaced = Omit<MessageParts, "pace" | "sharedBy" | "timer">;
const unpaced: Codec<Unpaced> = struct<Unpaced>({
  claimedAtMs: optional(safeUint64),
  arrivedAtMs: safeUint64,
  device: optional(device),
  inReplyTo: optional(id32),
  forwardedHops: uint8,
  mentions,
  facts,
  refused: vector(struct<Refused>({ account: id32, count: safeUint64 }), { maxBytes: large }),
});

interface Parts {
  readonly parts: Unpaced;
}
/** What was given to this person, who came later: slow mode folds nothing of it. */
interface Shared extends Parts {
  readonly sharedBy: Uint8Array;
}
/** What goes after a time; what was given to joiners is never of these. */
interface Timed extends Parts {
  readonly pace: "free" | "kept" | "early";
  readonly timer: MessageTimer;
}
type Paced =
  | { readonly kind: "none" }
  | ({ readonly kind: "free" } & Parts)
  | ({ readonly kind: "kept" } & Parts)
  | ({ readonly kind: "early" } & Parts)
  | ({ readonly kind: "shared" } & Shared)
  | ({ readonly kind: "timed" } & Timed);
const parts: Codec<Parts> = struct<Parts>({ parts: unpaced });
const shared: Codec<Shared> = struct<Shared>({ sharedBy: id32, parts: unpaced });
const timed: Codec<Timed> = struct<Timed>({
  pace: enumeration<Timed["pace"]>(uint8, { free: 1, kept: 2, early: 3 }),
  timer: timerCodec,
  parts: unpaced,
});
/** 0 and 1 are what an absent and a present one were before there was slow mode. */
const message: Codec<MessageParts | undefined> = mapped(
  variant<Paced>(uint8, {
    none: [0, nothing],
    free: [1, parts],
    kept: [2, parts],
    early: [3, parts],
    shared: [4, shared],
    timed: [5, timed],
  }),
  pacedOf,
  (value) => {
    if (value.kind === "none") return undefined;
    if (value.kind === "shared") return { ...value.parts, sharedBy: value.sharedBy };
    const { pace, timer } = value.kind === "timed" ? value : { pace: value.kind, timer: undefined };
    return { ...value.parts, ...(pace === "free" ? {} : { pace }), ...(timer === undefined ? {} : { timer }) };
  },
);

function pacedOf(value: MessageParts | undefined): Paced {
  if (value === undefined) return { kind: "none" };
  if (value.sharedBy !== undefined) return { kind: "shared", sharedBy: value.sharedBy, parts: value };
  const pace = value.pace ?? "free";
  return value.timer === undefined ? { kind: pace, parts: value } : { kind: "timed", pace, timer: value.timer, parts: value };
}

type StoredSaid = Omit<Said, "slowModeS" | "sharedBy" | "timer">;
type StoredLine = Omit<Line, "order" | "transcripts">;

/** A line as it is stored, at the key of its place. */
export const storedLineCodec: Codec<StoredLine> = struct<StoredLine>({
  id: text(128),
  author: optional(id32),
  sentAtMs: safeUint64,
  body,
  acceptedAtMs: safeUint64,
  message,
});

/** 0 takes a pin back, the largest number has no end. */
const until: Codec<number | "forever" | "never"> = mapped(
  safeUint64,
  (value: number | "forever" | "never") => (value === "never" ? 0 : value === "forever" ? Number.MAX_SAFE_INTEGER : value),
  (value) => (value === 0 ? "never" : value === Number.MAX_SAFE_INTEGER ? "forever" : value),
);

const storedSaidBody: Codec<Stored<SaidBody>> = variant<Stored<SaidBody>>(uint8, {
  text: [1, textBody],
  files: [36, filesText],
  edit: [2, struct<{ replaces: Uint8Array; text: string }>({ replaces: id32, text: said })],
  deletion: [3, struct<{ replaces: Uint8Array }>({ replaces: id32 })],
  reaction: [4, struct<{ inReplyTo: Uint8Array; emoji: readonly string[] }>({ inReplyTo: id32, emoji })],
  poll: [5, pollBody],
  vote: [6, struct<{ inReplyTo: Uint8Array; options: readonly number[] }>({ inReplyTo: id32, options })],
  poll_end: [7, struct<{ inReplyTo: Uint8Array }>({ inReplyTo: id32 })],
  pin: [
    8,
    struct<{ messageId: Uint8Array; until: number | "forever" | "never" }>({
      messageId: id32,
      until,
    }),
  ],
  unsupported: [9, nothing],
});
const saidBody: Codec<SaidBody> = mapped(storedSaidBody, toStored<SaidBody>, fromStored<SaidBody>);

/** What somebody said, kept until it can be judged. */
export const saidCodec: Codec<StoredSaid> = struct<StoredSaid>({
  order: safeUint64,
  id: id32,
  author: id32,
  device: optional(device),
  claimedAtMs: optional(safeUint64),
  sentAtMs: safeUint64,
  arrivedAtMs: safeUint64,
  acceptedAtMs: safeUint64,
  body: saidBody,
  inReplyTo: optional(id32),
  forwardedHops: uint8,
  mentions,
  may: struct<SpeakerMay>({ post: bool, pin: bool, deleteOthers: bool }),
});
