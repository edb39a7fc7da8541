import { equalBytes, toBase64Url } from "@latchkey/codec";
import { readMessageEvidence } from "@latchkey/mls";
import type { MessageEvidence } from "@latchkey/mls";
import { decodeContent } from "@latchkey/protocol";
import { maxChosenItems, maxReportItems } from "@latchkey/reports";
import type { Complained, ItemRole, ReportItem, ShownAccount } from "@latchkey/reports";
import { deviceIdOf } from "@latchkey/transparency";
import type { ReportLine, ReportParams } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { loadEvidence } from "../engine/evidence.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { loadLines } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";

/** Bytes of states of other hosts' accounts in a report, of one account. */
const maxStatesBytes = 96_000;
const maxShownAccounts = 2;
/** Lines left out are counted as far as this. */
const maxCounted = 1000;

/** What a report of these messages encloses, with what its maker is told of it. */
export interface Enclosed {
  readonly accused: Complained["accused"];
  readonly evidence: Pick<Complained, "contexts" | "items" | "states" | "leftOut">;
  /** Chosen messages that nothing proves. */
  readonly unproven: readonly string[];
  /** What the bytes of a message disclose beside its words, by its id. */
  readonly carries: ReadonlyMap<string, ReportLine["carries"]>;
}

interface Chosen {
  readonly order: number;
  readonly role: ItemRole;
  readonly author: Uint8Array;
  readonly messageId: string | undefined;
}

type Choice = Pick<ReportParams, "messageIds" | "contextIds" | "isAnonymous">;

/**
 * Takes up what proves the chosen messages, and what changed them since: who chooses a message discloses its edits too (spec V-2).
 * @throws ClientError as `ReportCalls.previewReport`
 */
export async function enclose(world: World, runner: ConversationRunner, choice: Choice): Promise<Enclosed> {
  await runner.load();
  const lines = await chosenLines(runner, choice);
  const accused = accusedOf(world, lines.reported);
  const isOwn = (author: Uint8Array): boolean => equalBytes(author, world.own.accountId);
  if (choice.isAnonymous === true && lines.context.some(({ author }) => isOwn(author)))
    throw new ClientError("invalid_setting", "What you wrote names you: leave it out, or say who reports.");
  const chosen = [...lines.reported.map(asChosen("reported")), ...lines.context.map(asChosen("context"))].flat();
  const proven = await world.store.transact("read", async (tx) => {
    const found: (Chosen & { readonly evidence: MessageEvidence | undefined })[] = [];
    for (const one of chosen.toSorted((a, b) => a.order - b.order))
      found.push({ ...one, evidence: await loadEvidence(tx, runner.id, one.order) });
    return found;
  });
  const kept = proven.flatMap((one) => (one.evidence === undefined ? [] : [{ ...one, evidence: one.evidence }]));
  if (!kept.some(({ role }) => role === "reported"))
    throw new ClientError("not_permitted", "This device keeps nothing that proves these messages.");
  if (kept.length > maxReportItems)
    throw new ClientError(
      "message_too_large",
      "These messages were edited so often that a report does not take all: choose fewer messages.",
    );
  const { contexts, items } = itemsOf(world, runner, kept);
  const unproven = proven.flatMap(({ messageId, evidence }) => (messageId === undefined || evidence !== undefined ? [] : [messageId]));
  const states = shownAccounts(world, accused.host, items);
  const leftOut = await countLeftOut(world, runner, kept);
  return { accused, evidence: { contexts, items, states, leftOut }, unproven, carries: new Map(kept.flatMap(carriedBy)) };
}

async function chosenLines(
  { history }: ConversationRunner,
  { messageIds, contextIds = [] }: Choice,
): Promise<{ readonly reported: readonly Written[]; readonly context: readonly Written[] }> {
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

/** A message, and the edits that count. What is shown nowhere has no proof: deletions and reactions go without. */
const asChosen =
  (role: ItemRole) =>
  ({ id, order, author, message }: Written): readonly Chosen[] => [
    { order, role, author, messageId: id },
    ...message.facts
      .filter(({ change }) => change.kind === "edit")
      .map((fact): Chosen => ({ order: fact.order, role: "edit", author: fact.author, messageId: undefined })),
  ];

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
  const [first, last] = [Math.min(...orders), Math.max(...orders)];
  const lines = await store.transact("read", (tx) =>
    loadLines(tx, id, { afterOrder: first - 1, beforeOrder: last + 1, limit: maxCounted }),
  );
  return lines.filter(({ message, order }) => message !== undefined && !orders.includes(order)).length;
}

function carriedBy({ messageId, evidence }: Kept): readonly (readonly [string, ReportLine["carries"]])[] {
  const content = decodeContent(readMessageEvidence(evidence).plaintext);
  if (messageId === undefined || content.kind === "malformed") return [];
  const carries: ReportLine["carries"][number][] = [];
  if (content.displayName !== undefined) carries.push("name");
  if (content.picture !== undefined && content.picture.length > 0) carries.push("picture");
  if (content.kind === "text" && content.files !== undefined) carries.push("files");
  return [[messageId, carries]];
}
