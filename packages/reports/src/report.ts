import { opaque, opaqueV, optional, struct, text, uint16, uint32, uint8, variant, vector } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { deviceIdCodec, extCodec, formatOne, hostCodec, id32 } from "@latchkey/protocol";
import { maxReportAttachments, maxReportWordsBytes, reportReasons } from "@latchkey/protocol/reports";
import type { ReportReason } from "@latchkey/protocol/reports";
import { numbered } from "./names.ts";

/** Messages that a reporter chooses at most; with what changed them there are at most `maxReportItems`. */
export const maxChosenItems = 50;
/** Signed messages of a report: those chosen, and their edits, deletions and reactions. */
export const maxReportItems = 200;
/** Bytes of all signed messages with what surrounds them; the rest of a report is for accounts of other hosts. */
const maxItemsBytes = 786_432;
const maxStatesBytes = 196_608;
/** Longest GroupContext and signed message. */
const maxContextBytes = 8192;
const maxContentBytes = 131_072;

/** What a message of a report is there for: what is complained of, what was said around it, and what changed one of these. */
export const itemRoles = ["reported", "context", "edit", "delete", "reaction"] as const;
/** One of `itemRoles`. */
export type ItemRole = (typeof itemRoles)[number];

/** Whose device signed a message, by the reporter's word: `verifyReport` says what is proved of it. */
export interface ItemSender {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

/** A signed message (spec L-14, V-2). */
export interface ReportItem {
  readonly role: ItemRole;
  /** Of `contexts`. */
  readonly context: number;
  readonly sender: ItemSender;
  readonly signaturePublicKey: Uint8Array;
  /** Version, wire format and FramedContent as they were signed, in front of the GroupContext. */
  readonly content: Uint8Array;
  readonly signature: Uint8Array;
}

/** What became of a file that a reporter sent along: as it lies at its host, or as the reporter's device shows it. */
export const attachmentForms = ["ciphertext", "preview"] as const;

/** A file that a reporter chose to send (spec V-2). */
export interface ReportAttachment {
  /** The message that it belongs to, and which of its files it is. */
  readonly item: number;
  readonly file: number;
  /** `ciphertext`: key and hash in the signed message open it; `preview`: a picture of it, by the reporter's word. */
  readonly form: (typeof attachmentForms)[number];
  /** Of a preview; "" of a ciphertext, whose message says it. */
  readonly mediaType: string;
  /** XChaCha20-Poly1305 key of the sealed bytes. */
  readonly key: Uint8Array;
  /** SHA-256 of the sealed bytes. */
  readonly hash: Uint8Array;
  readonly sizeBytes: number;
}

/** The states of an account of another host, which the desk's directory does not know: they certify themselves (spec A-1). */
export interface ShownAccount {
  readonly accountId: Uint8Array;
  /** Signed AccountStates from genesis on, and what their devices signed to be in them. */
  readonly states: readonly Uint8Array[];
  readonly pops: readonly Uint8Array[];
}

/** Somebody's messages, complained of to the desk of their host (spec V-2). */
export interface Complained {
  readonly kind: "report";
  readonly accused: { readonly host: string; readonly accountId: Uint8Array };
  readonly reason: ReportReason;
  /** The reporter's own; "" for none. */
  readonly words: string;
  readonly contexts: readonly Uint8Array[];
  /** In the order in which the reporter's device got them. */
  readonly items: readonly ReportItem[];
  readonly attachments: readonly ReportAttachment[];
  readonly states: readonly ShownAccount[];
  /** Lines between the first and the last item that the reporter left out, by their word. */
  readonly leftOut: number;
}

/** Against a decision, by whom it is about or by a reporter, with more evidence (spec V-6). */
export interface Appealed extends Omit<Complained, "kind" | "accused" | "reason"> {
  readonly kind: "appeal";
  /** Of the decision: in the statement of reasons, and in the answer to the reporter. */
  readonly puid: string;
  /** Of a reporter: their report, with the `replySecret` of it. Absent where a device of the accused signs. */
  readonly report: { readonly reportId: Uint8Array; readonly replySecret: Uint8Array } | undefined;
}

/** What is sealed to the desk, but for who signed it. */
export interface Report {
  readonly format: 1;
  readonly reportId: Uint8Array;
  /** Whoever has it reads the answers: `mailboxOf`. */
  readonly replySecret: Uint8Array;
  readonly body: Complained | Appealed;
  readonly ext: Uint8Array;
}

/** Who reports: nobody who says so, or a device of an account. */
export type Reporter =
  | { readonly kind: "unnamed" }
  | {
      readonly kind: "device";
      readonly host: string;
      readonly accountId: Uint8Array;
      readonly deviceId: Uint8Array;
      /** Over `reporterTbs` under the label "Report". */
      readonly signature: Uint8Array;
    };

/** The plaintext of a SealedReport, before the zeros that fill its bucket. */
export interface ReportPlaintext {
  /** Encoded `Report`: what is signed are these bytes. */
  readonly report: Uint8Array;
  readonly reporter: Reporter;
}

const signedList = (minItems: number): Codec<readonly Uint8Array[]> =>
  vector(opaqueV(65_536, 1), { maxBytes: maxStatesBytes, minItems, maxItems: 256 });

const senderCodec: Codec<ItemSender> = struct<ItemSender>({ host: hostCodec, accountId: id32, deviceId: deviceIdCodec });

const itemCodec: Codec<ReportItem> = struct<ReportItem>({
  role: numbered(itemRoles),
  context: uint8,
  sender: senderCodec,
  signaturePublicKey: opaqueV(64, 1),
  content: opaqueV(maxContentBytes, 1),
  signature: opaqueV(256, 1),
});

const evidence = {
  words: text(maxReportWordsBytes),
  contexts: vector(opaqueV(maxContextBytes, 1), { maxBytes: maxItemsBytes, maxItems: maxReportItems }),
  items: vector(itemCodec, { maxBytes: maxItemsBytes, maxItems: maxReportItems }),
  attachments: vector(
    struct<ReportAttachment>({
      item: uint8,
      file: uint8,
      form: numbered(attachmentForms),
      mediaType: text(128),
      key: id32,
      hash: id32,
      sizeBytes: uint32,
    }),
    { maxBytes: 256 * maxReportAttachments, maxItems: maxReportAttachments },
  ),
  states: vector(struct<ShownAccount>({ accountId: id32, states: signedList(1), pops: signedList(0) }), {
    maxBytes: maxStatesBytes,
    maxItems: 8,
  }),
  leftOut: uint16,
};

type Body<K extends Report["body"]["kind"]> = Omit<Extract<Report["body"], { kind: K }>, "kind">;

export const reportCodec: Codec<Report> = struct<Report>({
  format: formatOne,
  reportId: opaque(16),
  replySecret: id32,
  body: variant<Report["body"]>(uint8, {
    report: [
      1,
      struct<Body<"report">>({
        accused: struct<Complained["accused"]>({ host: hostCodec, accountId: id32 }),
        reason: numbered(reportReasons),
        ...evidence,
      }),
    ],
    appeal: [
      2,
      struct<Body<"appeal">>({
        puid: text(64),
        report: optional(struct<{ reportId: Uint8Array; replySecret: Uint8Array }>({ reportId: opaque(16), replySecret: id32 })),
        ...evidence,
      }),
    ],
  }),
  ext: extCodec,
});

type Device = Omit<Extract<Reporter, { kind: "device" }>, "kind">;

export const reportPlaintextCodec: Codec<ReportPlaintext> = struct<ReportPlaintext>({
  report: opaqueV(1_048_576, 1),
  reporter: variant<Reporter>(uint8, {
    unnamed: [1, struct<Record<never, never>>({})],
    device: [2, struct<Device>({ host: hostCodec, accountId: id32, deviceId: deviceIdCodec, signature: opaqueV(256) })],
  }),
});

interface ReporterTbs {
  readonly hash: Uint8Array;
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

/** What a reporter's device signs under the label "Report": SHA-256 of the encoded Report, and which device it is. */
export const reporterTbsCodec: Codec<ReporterTbs> = struct<ReporterTbs>({
  hash: id32,
  host: hostCodec,
  accountId: id32,
  deviceId: deviceIdCodec,
});
