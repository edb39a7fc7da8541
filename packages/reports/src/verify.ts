import { encode, equalBytes, toHex } from "@latchkey/codec";
import type { CipherSuite } from "@latchkey/mls";
import { unseenMs } from "@latchkey/protocol";
import type { DecodedContent } from "@latchkey/protocol";
import { signedContent } from "@latchkey/transparency";
import type { Signatures } from "@latchkey/transparency";
import { sha256 } from "@noble/hashes/sha2.js";
import { shownHistory } from "./accounts.ts";
import type { AccountHistory, KnownState } from "./accounts.ts";
import { verdictOn } from "./claims.ts";
import type { Verdict } from "./claims.ts";
import { readAttachment } from "./files.ts";
import type { ReportFile } from "./files.ts";
import { isProved, isSameAuthor, readItem } from "./items.ts";
import type { ReadItem } from "./items.ts";
import { orderItems } from "./order.ts";
import type { Place } from "./order.ts";
import { reporterTbsCodec } from "./report.ts";
import type { Appealed, Complained, ItemRole, Reporter, ReportItem } from "./report.ts";
import type { OpenedReport } from "./seal.ts";

/** An account, by host and id. */
export interface Person {
  readonly host: string;
  readonly accountId: Uint8Array;
}

/** A message of a report, with what is proved of it. */
export interface VerifiedItem {
  readonly identity: Uint8Array;
  readonly messageId: Uint8Array;
  /** By the reporter's word, unless `isProved`. */
  readonly author: Person;
  readonly role: ItemRole;
  /** Which of the messages beside it an edit, a deletion, a reaction or an answer is about. */
  readonly about?: number;
  readonly text?: string;
  /** What its author's clock said. */
  readonly saysAtMs?: number;
  /** When its author had it gone from every device, seen or not, by the signed content (spec X-7); absent where it has no end that can be told. */
  readonly goneAtMs?: number;
  readonly gapBefore: number;
  /** Which of the messages beside it its author had seen last, of others. */
  readonly seen: Place["seen"];
  readonly verdicts: readonly Verdict[];
  readonly isProved: boolean;
}

/** What a report or an appeal turned out to be (spec V-6). Everything in it is by the reporter's word but what a verdict calls proved. */
export interface VerifiedReport {
  readonly reportId: Uint8Array;
  readonly replySecret: Uint8Array;
  readonly body: Complained | Appealed;
  /** Whose device signed it; absent where nobody says who, or the signature is wrong. */
  readonly reporter?: Person;
  /** As far as it is proved, in the order in which they were said. */
  readonly items: readonly VerifiedItem[];
  readonly files: readonly ReportFile[];
  /** On the report as a whole. */
  readonly verdicts: readonly Verdict[];
  /** The MLS group of the first message that somebody signed; nothing where there is none. It names no log. */
  readonly conversation: Uint8Array;
}

/** What the desk knows, for judging a report. */
export interface DeskView {
  readonly host: string;
  readonly suite: CipherSuite;
  readonly signatures: Signatures;
  /** Accounts of the desk's own host. */
  readonly historyOf: AccountHistory;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/** Clocks may differ so much before it says anything. */
const clockToleranceMs = 300_000;

/**
 * Judges an opened report: pure but for what `view` looks up, which is one history for each account. Throws nothing for what anybody
 * wrote: it becomes a verdict.
 * @param attachments sealed bytes as they came, by their hash in hexadecimal; those that did not come are left out
 */
export async function verifyReport(
  opened: OpenedReport,
  attachments: ReadonlyMap<string, Uint8Array>,
  view: DeskView,
): Promise<VerifiedReport> {
  const { report } = opened;
  const { body, reportId, replySecret } = report;
  const historyOf = histories(body, view);
  const read = await Promise.all(
    body.items.map(async (item) => {
      const history = await historyOf(item.sender);
      return await readItem({ suite: view.suite, item, context: body.contexts[item.context], history });
    }),
  );
  const { places, order } = orderItems(read);
  const newPlace = new Map(order.map((at, place) => [at, place]));
  const signed = read.filter((one) => one.signed.verdict === "proved");
  const first = signed.find(({ item }) => item.role === "reported") ?? signed[0];
  const conversation = first?.message?.proven.groupId ?? new Uint8Array(0);
  const items = order.flatMap((at) => {
    const one = read[at];
    const place = places[at];
    return one === undefined || place === undefined ? [] : [verifiedItem({ one, place, read, conversation, newPlace })];
  });
  const files = body.attachments.flatMap((attachment) => {
    const sealed = attachments.get(toHex(attachment.hash));
    const place = newPlace.get(attachment.item);
    const file = sealed && readAttachment({ reportId, attachment, sealed, item: read[attachment.item] });
    return file === undefined || place === undefined ? [] : [{ ...file, item: place }];
  });
  const { verdict, person } = await judgeReporter(opened, view, historyOf);
  const verdicts = [verdict, ...(body.kind === "report" ? [judgeAccused(body, read)] : []), judgeTime(read, view.nowMs)];
  const found = { reportId, replySecret, body, items, files, verdicts, conversation };
  return person === undefined ? found : { ...found, reporter: person };
}

/** Histories by account, each looked up once: those of this host in its directory, others by what the report shows. */
function histories(body: Complained | Appealed, view: DeskView): (person: Person) => Promise<readonly KnownState[] | undefined> {
  const known = new Map<string, Promise<readonly KnownState[] | undefined>>();
  const lookUp = async ({ host, accountId }: Person): Promise<readonly KnownState[] | undefined> => {
    if (host === view.host) return await view.historyOf(accountId);
    const shown = body.states.find((one) => equalBytes(one.accountId, accountId));
    return shown === undefined ? undefined : await shownHistory(shown, view.signatures);
  };
  return async (person) => {
    const key = `${person.host}/${toHex(person.accountId)}`;
    const found = known.get(key) ?? lookUp(person);
    known.set(key, found);
    return await found;
  };
}

function verifiedItem(params: {
  readonly one: ReadItem;
  readonly place: Place;
  readonly read: readonly ReadItem[];
  readonly conversation: Uint8Array;
  readonly newPlace: ReadonlyMap<number, number>;
}): VerifiedItem {
  const { one, place, read, conversation, newPlace } = params;
  const { item, message, identity, signed, author } = one;
  const { host, accountId } = item.sender;
  const target = targetOf(message?.content);
  const aboutAt = target === undefined ? -1 : read.findIndex((other) => other.message && equalBytes(other.message.messageId, target));
  const about = newPlace.get(aboutAt);
  const text = message && textOf(message.content);
  const saysAtMs = message && message.content.kind !== "malformed" ? message.content.sentAtMs : undefined;
  const goneAtMs = goneAt(message);
  const verdicts = [signed, author, judgeConversation(one, conversation), place.verdict, judgeRole(one, read[aboutAt])];
  return {
    identity,
    messageId: message?.messageId ?? new Uint8Array(32),
    author: { host, accountId },
    role: item.role,
    ...(about === undefined ? {} : { about }),
    ...(text === undefined ? {} : { text }),
    ...(saysAtMs === undefined ? {} : { saysAtMs }),
    ...(goneAtMs === undefined ? {} : { goneAtMs }),
    gapBefore: place.gapBefore,
    seen: typeof place.seen === "number" ? (newPlace.get(place.seen) ?? "unshown") : place.seen,
    verdicts,
    isProved: isProved(one),
  };
}

/** Of what changes a message nothing goes, whatever it says of it (spec E-280): who changed theirs would be reported by nobody. */
function goneAt(message: ReadItem["message"]): number | undefined {
  if (message === undefined || message.content.kind === "malformed" || roleOf(message.content) !== "message") return undefined;
  const { expires, sentAtMs } = message.content;
  if (expires === undefined || expires.seconds === 0) return undefined;
  if (!expires.relative) return expires.seconds * 1000;
  return sentAtMs === undefined ? undefined : sentAtMs + expires.seconds * 1000 + unseenMs;
}

function judgeConversation({ message, signed }: ReadItem, conversation: Uint8Array): Verdict<"conversation"> {
  if (message === undefined || signed.verdict !== "proved")
    return verdictOn("conversation", "not-proved", "nothing is proved to be signed");
  const isOfIt = equalBytes(message.proven.groupId, conversation);
  return isOfIt ? verdictOn("conversation", "proved") : verdictOn("conversation", "contradicted", "it is of another conversation");
}

/** What changes a message has to be about one that is shown, and an edit by its author: others count for nobody (spec X-1). */
function judgeRole({ item, message }: ReadItem, about: ReadItem | undefined): Verdict<"role"> {
  const kind = roleOf(message?.content);
  if (kind === undefined) return verdictOn("role", "not-proved", "what it says is not understood");
  const isChange = item.role === "edit" || item.role === "delete" || item.role === "reaction";
  if (isChange && kind !== item.role) return verdictOn("role", "contradicted", "it is something else");
  if (kind === "message") return verdictOn("role", "proved");
  if (about === undefined) return verdictOn("role", "not-proved", "what it is about is not shown");
  if (kind === "edit" && !isSameAuthor(item, about.item)) return verdictOn("role", "contradicted", "it edits what somebody else wrote");
  return verdictOn("role", "proved");
}

function roleOf(content: DecodedContent | undefined): "edit" | "delete" | "reaction" | "message" | undefined {
  switch (content?.kind) {
    case "edit":
      return "edit";
    case "deletion":
      return "delete";
    case "reaction":
      return "reaction";
    case "text":
    case "poll":
      return "message";
    default:
      return undefined;
  }
}

/** The id of the message that this one changes or answers. */
function targetOf(content: DecodedContent | undefined): Uint8Array | undefined {
  if (content === undefined || content.kind === "malformed") return undefined;
  return content.kind === "edit" || content.kind === "deletion" ? content.replaces : content.inReplyTo;
}

/** The words of a message, as its author signed them. */
export function textOf(content: DecodedContent): string | undefined {
  if (content.kind === "text" || content.kind === "edit") return content.text;
  if (content.kind === "reaction") return content.emoji.join(" ");
  return content.kind === "poll" ? [content.question, ...content.options.map((option) => `- ${option}`)].join("\n") : undefined;
}

async function judgeReporter(
  { encoded, reporter }: OpenedReport,
  view: DeskView,
  historyOf: ReturnType<typeof histories>,
): Promise<{ readonly verdict: Verdict<"reporter">; readonly person?: Person }> {
  if (reporter.kind === "unnamed") return { verdict: verdictOn("reporter", "not-proved", "nobody says who reports") };
  const { host, accountId, deviceId, signature } = reporter;
  const states = await historyOf({ host, accountId });
  const device = states?.at(-1)?.state.devices.find((one) => equalBytes(one.deviceId, deviceId));
  if (device === undefined) return { verdict: verdictOn("reporter", "not-proved", "the account, or its device, is not known here") };
  const content = signedContent("Report", reporterTbs(encoded, reporter));
  const isSigned = await view.signatures.verify(device.signatureKey, content, signature);
  if (!isSigned) return { verdict: verdictOn("reporter", "contradicted", "the named device has not signed it") };
  return { verdict: verdictOn("reporter", "proved"), person: { host, accountId } };
}

/** What a reporter's device signs, as `signedContent("Report", …)`. */
export function reporterTbs(
  encodedReport: Uint8Array,
  { host, accountId, deviceId }: Omit<Extract<Reporter, { kind: "device" }>, "kind" | "signature">,
): Uint8Array {
  return encode(reporterTbsCodec, { hash: sha256(encodedReport), host, accountId, deviceId });
}

function judgeAccused({ accused }: Complained, read: readonly ReadItem[]): Verdict<"accused"> {
  const reported = read.filter(({ item }) => item.role === "reported");
  const isTheirs = ({ sender }: ReportItem): boolean => sender.host === accused.host && equalBytes(sender.accountId, accused.accountId);
  if (reported.some(({ item }) => !isTheirs(item))) {
    return verdictOn("accused", "contradicted", "a message that is complained of is by somebody else");
  }
  if (reported.some((one) => one.signed.verdict === "contradicted" || one.author.verdict === "contradicted")) {
    return verdictOn("accused", "contradicted", "a message that is complained of is not theirs");
  }
  if (reported.length === 0 || !reported.every((one) => isProved(one)))
    return verdictOn("accused", "not-proved", "not every message is proved");
  return verdictOn("accused", "proved");
}

/** What is dated after its arrival has a wrong clock; of the rest nothing here says when it was. */
function judgeTime(read: readonly ReadItem[], nowMs: number): Verdict<"time"> {
  const isLater = read.some(({ message, signed }) => {
    if (message === undefined || signed.verdict !== "proved" || message.content.kind === "malformed") return false;
    const { sentAtMs } = message.content;
    return sentAtMs !== undefined && sentAtMs > nowMs + clockToleranceMs;
  });
  return isLater
    ? verdictOn("time", "contradicted", "a message is dated after its arrival")
    : verdictOn("time", "not-proved", "clocks are their owners' word");
}
