import { equalBytes, toBase64Url } from "@latchkey/codec";
import { readMessageEvidence } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import { decodeContent } from "@latchkey/protocol";
import type { FilePart } from "@latchkey/protocol";
import { maxChosenItems, maxReportItems } from "@latchkey/reports";
import type { Complained, ItemRole, ReportItem, ShownAccount } from "@latchkey/reports";
import { deviceIdOf } from "@latchkey/transparency";
import type { ReportLine, ReportParams } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { loadEvidence } from "../engine/evidence.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import type { StoreTransaction } from "../store/store.ts";
import { erasedWith } from "../timeline/erasure.ts";
import { loadLines } from "../timeline/history.ts";
import type { Change, Line } from "../timeline/line.ts";

/** Bytes of states of other hosts' accounts in a report, of one account. */
const maxStatesBytes = 96_000;
const maxShownAccounts = 2;
/** Lines left out are counted as far as this. */
const maxCounted = 1000;

/** What the signed bytes of an enclosed message disclose beside its words. */
export interface Carried {
  /** Of the report's messages. */
  readonly item: number;
  readonly carries: ReportLine["carries"];
  readonly files: readonly FilePart[];
}

/** Messages of one conversation with what proves them, and what their reporter is told of it. */
export interface Gathered {
  readonly evidence: Pick<Complained, "contexts" | "items" | "states" | "leftOut">;
  /** Chosen messages that nothing proves. */
  readonly unproven: readonly string[];
  /** By the ids of messages. */
  readonly carried: ReadonlyMap<string, Carried>;
}

/** What a report of these messages encloses. */
export interface Enclosed extends Gathered {
  readonly accused: Complained["accused"];
}

interface Chosen {
  readonly order: number;
  readonly role: ItemRole;
  readonly author: Uint8Array;
  readonly messageId: string | undefined;
}

type Choice = Pick<ReportParams, "messageIds" | "contextIds" | "isAnonymous">;

/**
 * Takes up what proves the chosen messages, and what changed them since: who chooses a message discloses its edits and its deletion too, and
 * what the accused and the reporter themselves chose as reactions (spec V-2).
 * @throws ClientError as `ReportCalls.previewReport`
 */
export async function enclose(world: World, runner: ConversationRunner, choice: Choice): Promise<Enclosed> {
  await runner.load();
  const lines = await chosenLines(runner, choice.messageIds, choice.contextIds);
  const accused = accusedOf(world, lines.reported);
  const isAnonymous = choice.isAnonymous === true;
  const gathered = await gather(world, runner, { ...lines, isAnonymous, deskHost: accused.host, accused: accused.accountId });
  if (!gathered.evidence.items.some(({ role }) => role === "reported")) throw nothingProved();
  return { accused, ...gathered };
}

/** What proves messages that are added to an appeal: none is complained of. @throws ClientError as `enclose` */
export async function encloseBeside(
  world: World,
  runner: ConversationRunner,
  {
    messageIds,
    isAnonymous,
    deskHost,
  }: { readonly messageIds: readonly string[]; readonly isAnonymous: boolean; readonly deskHost: string },
): Promise<Gathered> {
  await runner.load();
  const { reported: context } = await chosenLines(runner, messageIds);
  const gathered = await gather(world, runner, { reported: [], context, isAnonymous, deskHost, accused: undefined });
  if (gathered.evidence.items.length === 0) throw nothingProved();
  return gathered;
}

interface Gathering {
  readonly reported: readonly Written[];
  readonly context: readonly Written[];
  readonly isAnonymous: boolean;
  readonly deskHost: string;
  readonly accused: Uint8Array | undefined;
}

async function gather(world: World, runner: ConversationRunner, what: Gathering): Promise<Gathered> {
  const { reported, context, isAnonymous, deskHost, accused } = what;
  const self = world.own.accountId;
  const isOwn = (author: Uint8Array): boolean => equalBytes(author, self);
  const matters = (author: Uint8Array): boolean => isOwn(author) || (accused !== undefined && equalBytes(author, accused));
  const kept = await world.store.transact("read", async (tx) => {
    const found: (Chosen & { readonly evidence: MessageEvidence | undefined })[] = [];
    for (const [role, line] of [...reported.map((one) => ["reported", one] as const), ...context.map((one) => ["context", one] as const)]) {
      const chosen: Chosen = { order: line.order, role, author: line.author, messageId: line.id };
      for (const one of [chosen, ...changesOf(line, matters), ...(await editsBefore(tx, runner.id, line))])
        found.push({ ...one, evidence: await loadEvidence(tx, runner.id, one.order) });
    }
    return found.toSorted((a, b) => a.order - b.order);
  });
  const proven = kept.flatMap((one) => (one.evidence === undefined ? [] : [{ ...one, evidence: one.evidence }]));
  // What one wrote, and that one deleted something, says who reports. What one only reacted stays away then.
  const named = proven.filter(({ author }) => isAnonymous && isOwn(author));
  if (context.some(({ author }) => isAnonymous && isOwn(author)) || named.some(({ role }) => role !== "reaction"))
    throw new ClientError("invalid_setting", "What you wrote or deleted names you: leave it out, or say who reports.");
  const enclosed = fitting(proven.filter((one) => !named.includes(one)));
  const { contexts, items } = itemsOf(world, runner, enclosed);
  const unproven = kept.flatMap(({ messageId, evidence }) => (messageId === undefined || evidence !== undefined ? [] : [messageId]));
  const states = shownAccounts(world, deskHost, items);
  const leftOut = await countLeftOut(world, runner, enclosed);
  return { evidence: { contexts, items, states, leftOut }, unproven, carried: new Map(enclosed.flatMap(carriedBy)) };
}

/** As many as a report takes: reactions make room for everything else. @throws ClientError `message_too_large` */
function fitting(all: readonly Kept[]): readonly Kept[] {
  const others = all.filter(({ role }) => role !== "reaction").length;
  if (others > maxReportItems)
    throw new ClientError(
      "message_too_large",
      "These messages were edited so often that a report does not take all: choose fewer messages.",
    );
  let room = maxReportItems - others;
  return all.filter(({ role }) => role !== "reaction" || room-- > 0);
}

function nothingProved(): ClientError {
  return new ClientError("not_permitted", "This device keeps nothing that proves these messages.");
}

async function chosenLines(
  { history }: ConversationRunner,
  messageIds: readonly string[],
  contextIds: readonly string[] = [],
): Promise<Pick<Gathering, "reported" | "context">> {
  const reportedIds = [...new Set(messageIds)];
  const others = [...new Set(contextIds)].filter((id) => !reportedIds.includes(id));
  if (reportedIds.length === 0 || reportedIds.length + others.length > maxChosenItems) throw tooMany();
  const read = async (ids: readonly string[]): Promise<Written[]> => {
    const found: Written[] = [];
    for (const id of ids) {
      const line = await history.line(id);
      if (line?.message === undefined || line.author === undefined) throw new ClientError("unknown_message", "This message is not here.");
      found.push({ ...line, author: line.author, message: line.message });
    }
    return found;
  };
  return { reported: await read(reportedIds), context: await read(others) };
}

interface Written extends Line {
  readonly author: Uint8Array;
  readonly message: NonNullable<Line["message"]>;
}

function tooMany(): ClientError {
  return new ClientError("invalid_setting", `A report is of 1 to ${String(maxChosenItems)} messages.`);
}

function accusedOf({ people, own }: World, reported: readonly Written[]): Complained["accused"] {
  const [first] = reported;
  if (first === undefined || reported.some(({ author }) => !equalBytes(author, first.author)))
    throw new ClientError("invalid_setting", "A report is about the messages of one person.");
  const { accountId, isSelf, host } = { ...people.person(first.author), accountId: first.author };
  if (isSelf || equalBytes(accountId, own.accountId)) throw new ClientError("invalid_setting", "This is your own message.");
  return { host, accountId };
}

const changeRoles: Partial<Record<Change["kind"], ItemRole>> = { edit: "edit", deletion: "delete", reaction: "reaction" };

/** What changed a message, as far as it is a change that a report takes: edits, what deleted it, and reactions of those who matter. */
function changesOf({ message }: Written, matters: (author: Uint8Array) => boolean): readonly Chosen[] {
  return message.facts.flatMap(({ change, order, author }): readonly Chosen[] => {
    const role = changeRoles[change.kind];
    return role === undefined || (role === "reaction" && !matters(author)) ? [] : [{ order, role, author, messageId: undefined }];
  });
}

/** The edits of a message that was deleted, which its line names no more: what proves them is kept as long as what proves it. */
async function editsBefore(tx: StoreTransaction, conversationId: string, { id, body, order, author }: Written): Promise<readonly Chosen[]> {
  if (body.kind !== "deleted") return [];
  const found: Chosen[] = [];
  for (const at of await erasedWith(tx, conversationId, order)) {
    const evidence = await loadEvidence(tx, conversationId, at);
    const content = evidence && decodeContent(readMessageEvidence(evidence).plaintext);
    if (content?.kind === "edit" && toBase64Url(content.replaces) === id)
      found.push({ order: at, role: "edit", author, messageId: undefined });
  }
  return found;
}

interface Kept extends Chosen {
  readonly evidence: MessageEvidence;
}

function itemsOf({ people }: World, { state }: ConversationRunner, kept: readonly Kept[]): Pick<Complained, "contexts" | "items"> {
  const contexts: Uint8Array[] = [];
  const items = kept.map(({ role, author, evidence }): ReportItem => {
    const { context, content, signature, signaturePublicKey } = evidence;
    const known = contexts.findIndex((one) => equalBytes(one, context));
    if (known < 0) contexts.push(context);
    const leaf = [...(state.roster?.leaves.values() ?? [])].find(({ accountId }) => equalBytes(accountId, author));
    const sender = { host: leaf?.host ?? people.person(author).host, accountId: author, deviceId: deviceIdOf(signaturePublicKey) };
    return { role, context: known < 0 ? contexts.length - 1 : known, sender, signaturePublicKey, content, signature };
  });
  return { contexts, items };
}

/** The states of accounts that the desk's directory does not have, as far as they fit. */
function shownAccounts({ people, own }: World, deskHost: string, items: readonly ReportItem[]): readonly ShownAccount[] {
  const shown = new Map<string, ShownAccount>();
  for (const { sender } of items) {
    const { host, accountId } = sender;
    if (host === deskHost || shown.size === maxShownAccounts) continue;
    const record = equalBytes(accountId, own.accountId) ? own.record : people.contact(accountId)?.record;
    if (record === undefined) continue;
    const { states, pops } = record;
    const sizeBytes = [...states, ...pops].reduce((sum, { length }) => sum + length + 4, 0);
    if (sizeBytes <= maxStatesBytes && states.length <= 256 && pops.length <= 256)
      shown.set(toBase64Url(accountId), { accountId, states, pops });
  }
  return [...shown.values()];
}

async function countLeftOut({ store }: World, { id }: ConversationRunner, kept: readonly Kept[]): Promise<number> {
  const orders = kept.filter(({ messageId }) => messageId !== undefined).map(({ order }) => order);
  if (orders.length === 0) return 0;
  const [first, last] = [Math.min(...orders), Math.max(...orders)];
  const lines = await store.transact("read", (tx) =>
    loadLines(tx, id, { afterOrder: first - 1, beforeOrder: last + 1, limit: maxCounted }),
  );
  return lines.filter(({ message, order }) => message !== undefined && !orders.includes(order)).length;
}

function carriedBy({ messageId, evidence }: Kept, item: number): readonly (readonly [string, Carried])[] {
  const content = decodeContent(readMessageEvidence(evidence).plaintext);
  if (messageId === undefined || content.kind === "malformed") return [];
  const files = content.kind === "text" ? (content.files ?? []) : [];
  const carries: ReportLine["carries"][number][] = [];
  if (content.displayName !== undefined) carries.push("name");
  if (content.picture !== undefined && content.picture.length > 0) carries.push("picture");
  if (files.length > 0) carries.push("files");
  return [[messageId, { item, carries, files }]];
}
