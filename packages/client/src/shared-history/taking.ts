import { CodecError, equalBytes, toBase64Url } from "@latchkey/codec";
import { loadHead } from "../core/load-records.ts";
import type { ConversationState } from "../core/types.ts";
import { entryOrder } from "../core/order.ts";
import { lineId } from "../core/turn.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { putEvidence } from "../engine/evidence.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { readBlob } from "../group/blobs.ts";
import type { Platform } from "../platform/platform.ts";
import type { StoreTransaction } from "../store/store.ts";
import { loadLine, loadLines } from "../timeline/history.ts";
import { isMessage } from "../timeline/said.ts";
import type { Timeline } from "../timeline/timeline.ts";
import { decodeArchive, maxArchiveBlobBytes } from "./archive.ts";
import type { ArchivedAuthor, HistoryArchive } from "./archive.ts";
import { pastSaid } from "./past-said.ts";
import { dropGiven } from "./tasks.ts";
import type { Given } from "./tasks.ts";
import { verifyArchive } from "./verify.ts";
import type { AuthorStanding, ProvenPast, VerifiedArchive } from "./verify.ts";

/** Accounts that the host is asked about, where what came along does not prove them: so many, and for so long while it does not answer. */
const maxLookUps = 32;
const lookUpsMs = 86_400_000;
const answersBelieved = 3;
const betweenAnswersMs = 2000;
/** Lines of what was said since that may answer to what was given. */
const lookedAt = 1000;

/** Why nothing of what was given is shown, in the words of its line. */
const refusals = {
  missing: "What was said before cannot be had from the server any more.",
  larger: "What was given of earlier messages is more than an archive may hold.",
  damaged: "What was given of earlier messages is damaged.",
  false: "What was given of earlier messages is not what the log says: nothing of it is shown.",
} as const;
type Refusal = keyof typeof refusals;

type Looked = { readonly kind: "refused"; readonly why: Refusal } | { readonly kind: "shown"; readonly verified: Verified };
type Verified = Extract<VerifiedArchive, { kind: "verified" }>;

/**
 * Looks at what a member gave this device of what was said before it joined (spec R-5): fetched once, verified, and put into the timeline in one
 * transaction, with what was left out. Whether anything is shown otherwise now. `later`: it cannot be judged yet.
 * @throws ClientError when it cannot be had now
 */
export async function take(world: World, runner: ConversationRunner, given: Given): Promise<"done" | "later"> {
  await runner.load();
  const { state } = runner;
  if (state.unverified.some(({ accountId, refused }) => !refused && equalBytes(accountId, given.author))) return "later";
  const isFalse = state.unverified.some(({ accountId, refused }) => refused && equalBytes(accountId, given.author));
  // It joined elsewhere meanwhile, or a device that its account does not have said so.
  const looked = isFalse || state.joinedSeq !== given.given.joinedSeq ? undefined : await look(world, state, given).catch(asDamaged);
  if (looked?.kind === "shown") await world.people.load(looked.verified.past.map(({ author }) => author.accountId.slice()));
  try {
    await keep(world, runner, given, looked);
  } catch (error) {
    await keep(world, runner, given, asDamaged(error));
  }
  return "done";
}

/** Puts down what became of it; it is told as what was there before. */
async function keep(world: World, runner: ConversationRunner, given: Given, looked: Looked | undefined): Promise<void> {
  const { state } = runner;
  await runner.changeTimeline(async (timeline, tx) => {
    dropGiven(tx, given);
    if (looked?.kind === "shown") await put(world, { timeline, tx }, { state, given, verified: looked.verified });
    if (looked?.kind === "refused") await tellRefused(world, { timeline, tx }, given, looked.why);
  }, true);
}

/** Whatever somebody put there that this app fails at is damaged, and holds up nothing (spec E-17). @throws ClientError */
function asDamaged(error: unknown): Looked {
  if (error instanceof ClientError) throw error;
  return { kind: "refused", why: "damaged" };
}

async function look(world: World, state: ConversationState, { given, epoch, atMs }: Given): Promise<Looked> {
  const { platform, connections, store } = world;
  if (given.archive.sizeBytes > maxArchiveBlobBytes) return { kind: "refused", why: "larger" };
  const head = await store.transact("read", (tx) => loadHead(tx, state.id, given.joinedSeq));
  if (head === undefined) return { kind: "refused", why: "false" };
  let archive: HistoryArchive;
  try {
    const plaintext = await fetched(platform, () => readBlob({ platform, baseUrl: connections.httpUrl(state.host) }, given.archive));
    if (plaintext === undefined) return { kind: "refused", why: "damaged" };
    archive = decodeArchive(plaintext);
  } catch (error) {
    if (error instanceof CodecError) return { kind: "refused", why: "damaged" };
    if (error instanceof ClientError && !error.canRetry) return { kind: "refused", why: "missing" };
    throw error;
  }
  await meet(world, archive, atMs);
  const { host, logId, groupId } = state;
  const verified = await verifyArchive(
    archive,
    { host, logId, groupId, seq: given.joinedSeq, head, epoch },
    {
      suite: platform.crypto.suite(state.suiteId),
      sha256: platform.sha256,
      standingOf: (author) => standingOf(world, author),
      rest: () => new Promise((resolve) => void platform.setTimer(0, resolve)),
    },
  );
  return verified.kind === "refused" ? { kind: "refused", why: "false" } : { kind: "shown", verified };
}

/** Only the third answer that there is no such blob, or that it is another one, is believed (spec E-15). @throws ClientError */
async function fetched<T>(platform: Platform, get: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await get();
    } catch (error) {
      if (!(error instanceof ClientError) || error.canRetry || tries === answersBelieved) throw error;
      await new Promise<void>((resolve) => void platform.setTimer(betweenAnswersMs, resolve));
    }
  }
}

/**
 * Brings the accounts to hand that are said to have written something: by what came along of them, else by their host.
 * @throws ClientError while the host does not answer
 */
async function meet({ directory, people, own, platform }: World, { records, authors }: HistoryArchive, atMs: number): Promise<void> {
  const speakers = new Map(authors.map(({ accountId }) => [toBase64Url(accountId), accountId.slice()]));
  for (const contact of await directory.learn(records, speakers.values())) people.keep(contact);
  await people.load(speakers.values());
  const unknown = [...speakers.values()].filter(
    (accountId) => people.contact(accountId) === undefined && !equalBytes(accountId, own.accountId),
  );
  for (const accountId of unknown.slice(0, maxLookUps)) {
    try {
      people.keep(await directory.account(own.host, accountId));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.canRetry && platform.nowMs() - atMs < lookUpsMs) throw error;
    }
  }
}

/** What is known of a device, by its account's verified states. */
function standingOf({ people, own: { host } }: World, { accountId, deviceId, signaturePublicKey }: ArchivedAuthor): AuthorStanding {
  const leaf = { host, accountId, account: toBase64Url(accountId), deviceId, signaturePublicKey };
  if (people.vouches(leaf)) return "proven";
  return people.departed(leaf) ? "departed" : "unknown";
}

/** A timeline, and the transaction that it is changed in. */
interface Writing {
  readonly timeline: Timeline;
  readonly tx: StoreTransaction;
}

async function put(
  { own, platform }: World,
  { timeline, tx }: Writing,
  { state, given, verified }: { readonly state: ConversationState; readonly given: Given; readonly verified: Verified },
): Promise<void> {
  const { id, host, groupId, roster } = state;
  const nowMs = platform.nowMs();
  const members = roster?.accounts.keys() ?? [];
  const { past, gaps } = verified;
  const reading = { host, groupId, self: own.accountId, sharedBy: given.author, nowMs, members };
  const evidence = new Map(past.map((one): [number, ProvenPast] => [entryOrder(one.seq), one]));
  const ids = new Set<string>();
  for (const said of pastSaid(past, reading)) {
    const here = await loadLine(tx, id, said.order);
    // What stands at a place already stays there, but for what another member left out.
    if (here !== undefined && here.body.kind !== "left_out") continue;
    await timeline.take(said);
    ids.add(toBase64Url(said.id));
    const one = evidence.get(said.order);
    if (one !== undefined && (isMessage(said.body) || said.body.kind === "edit"))
      await putEvidence(tx, id, { order: said.order, epoch: one.epoch, evidence: one.evidence });
  }
  for (const { seq, count, unproven } of gaps) {
    const order = entryOrder(seq);
    if ((await loadLine(tx, id, order)) !== undefined) continue;
    const body = { kind: "left_out", count, unproven } as const;
    timeline.put({ id: lineId(id, order), order, author: given.author, sentAtMs: nowMs, acceptedAtMs: 0, body });
  }
  // What answers to one of them is shown with its words now.
  for (const line of await loadLines(tx, id, { limit: lookedAt })) {
    const answered = line.message?.inReplyTo;
    if (answered !== undefined && line.order > entryOrder(state.joinedSeq) && ids.has(toBase64Url(answered))) timeline.put(line);
  }
}

async function tellRefused({ platform }: World, { timeline, tx }: Writing, given: Given, why: Refusal): Promise<void> {
  const { conversationId: id, author } = given;
  const nowMs = platform.nowMs();
  // Right behind the line that says that it was given: an entry has room for more lines than that.
  const order = given.order + 1;
  if ((await loadLine(tx, id, order)) === undefined)
    timeline.put({
      id: lineId(id, order),
      order,
      author,
      sentAtMs: nowMs,
      acceptedAtMs: 0,
      body: { kind: "unreadable", reason: refusals[why] },
    });
}
