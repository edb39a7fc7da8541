import { toBase64Url } from "@latchkey/codec";
import { isPast } from "../core/past.ts";
import { recordChanges } from "../core/records.ts";
import type { ConversationState, Effect } from "../core/types.ts";
import type { Raised } from "../directory/alarms.ts";
import { noteRemoved } from "../join-links/removed.ts";
import { noteCame } from "../moderation/came.ts";
import { putPlaced } from "../own/placed.ts";
import { putPast } from "../shared-history/keeping.ts";
import { orderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { eraseLater } from "../timeline/erasure.ts";
import { isOver } from "../timeline/timer.ts";
import { Timeline } from "../timeline/timeline.ts";
import { accountsIn, accountsOfLine } from "./effects.ts";
import { putEvidence } from "./evidence.ts";
import { takeSecret } from "./introduction.ts";
import { putPicture } from "./own-profile.ts";
import { unreached } from "./posts.ts";
import { quotedBy } from "./shown-history.ts";
import type { ToldLine } from "./shown-history.ts";
import { syncPrefix } from "./world.ts";
import type { World } from "./world.ts";

/** What became of a timeline in a transaction: told once that is done. */
export interface TimelineNews {
  /** New lines, and ones that changed. */
  readonly lines: readonly ToldLine[];
  /** Deletions came to wait for the person. */
  readonly isBraked: boolean;
}

/** A step from one state to the next, with what it brought. */
export interface Step {
  /** `undefined` for a conversation that was just made or joined. */
  readonly before: ConversationState | undefined;
  readonly after: ConversationState;
  readonly effects: readonly Effect[];
  /** What is stored with it. */
  readonly alsoWrite?: ((tx: StoreTransaction) => Promise<void> | void) | undefined;
}

/**
 * Stores a step in one transaction: the state, its lines, what it tells of people, and what waits to be sent. Whoever stands in its lines
 * is brought to hand.
 * @throws what the store throws; then nothing of it is kept
 */
export async function storeStep(world: World, { before, after, effects, alsoWrite }: Step): Promise<TimelineNews> {
  const { store, people, posts, alarms } = world;
  await people.load(effects.flatMap(accountsIn));
  const writes = recordChanges(before, after);
  if (writes.length === 0 && effects.length === 0 && before !== undefined) return { lines: [], isBraked: false };
  // Before the transaction: it takes no pause for what is loaded.
  if (effects.some(({ kind }) => kind === "join_link")) await world.joinLinks.open();
  const given: Raised[] = [];
  const news = await store.transact("write", async (tx) => {
    for (const { key, value } of writes) {
      if (value === undefined) tx.delete(key);
      else tx.put(key, value);
    }
    const timeline = timelineIn(world, tx, after.id);
    for (const effect of effects) {
      await putEffect(world, { tx, timeline, state: after }, effect);
      if (effect.kind === "post" && !(await posts.put(tx, after.host, after.logId, effect.post)))
        given.push(unreached({ ...effect.post.joiner, logId: after.logId, seq: effect.post.seq }));
    }
    const brief = effects.flatMap((effect) => (effect.kind === "evidence" && effect.isBrief === true ? [effect.order] : []));
    eraseLater(tx, after.id, brief, world.platform.nowMs());
    for (const raised of given) alarms.put(tx, raised);
    await alsoWrite?.(tx);
    return await flushed(world, tx, timeline, after.id);
  });
  for (const raised of given) alarms.tell(raised);
  await people.load(
    news.lines.flatMap(({ line, quoted }) => [...accountsOfLine(line), ...(quoted === undefined ? [] : accountsOfLine(quoted))]),
  );
  return news;
}

/** Changes the timeline of a conversation in a transaction of its own. */
export async function storeTimeline(
  world: World,
  conversationId: string,
  change: (timeline: Timeline, tx: StoreTransaction) => Promise<void>,
): Promise<TimelineNews> {
  return await world.store.transact("write", async (tx) => {
    const timeline = timelineIn(world, tx, conversationId);
    await change(timeline, tx);
    return await flushed(world, tx, timeline, conversationId);
  });
}

/** An alarm of a conversation stays until the person handled it; the same reason later is another one. */
export function raisedIn(
  { id, joinedSeq }: Pick<ConversationState, "id" | "joinedSeq">,
  { code, reason, about, accountId }: Extract<Effect, { kind: "alarm" }>,
): Raised {
  return {
    failure: { code, message: reason, canRetry: false },
    conversationId: id,
    accountId: accountId === undefined ? undefined : toBase64Url(accountId),
    about: `${about} ${joinedSeq}`,
  };
}

function othersIn({ roster }: ConversationState, self: string): readonly string[] {
  return [...(roster?.accounts.keys() ?? [])].filter((account) => account !== self);
}

/** Puts what an effect brings into the store, where it brings something. */
async function putEffect(
  world: World,
  { tx, timeline, state }: { readonly tx: StoreTransaction; readonly timeline: Timeline; readonly state: ConversationState },
  effect: Effect,
): Promise<void> {
  const { people, receipts, alarms } = world;
  const { id } = state;
  switch (effect.kind) {
    case "line":
      timeline.put(effect.line);
      receipts.follow(tx, id, effect.line, othersIn(state, people.self.account));
      await noteRemoved(tx, id, effect.line);
      noteCame(tx, id, effect.line);
      return;
    case "content":
      await timeline.take(effect.said);
      return;
    case "receipt":
      await receipts.take(tx, id, effect);
      return;
    case "join_link":
      await world.joinLinks.stored?.take(tx, id, effect.event);
      return;
    case "evidence":
      await putEvidence(tx, id, effect);
      return;
    case "sync":
      tx.put(`${syncPrefix}${id}/${orderSegment(effect.order)}`, effect.payload);
      return;
    case "placed":
      putPlaced(tx, id, effect.order, effect.payload);
      return;
    case "named":
      people.setName(tx, effect.accountId, effect.displayName);
      return;
    case "pictured":
      putPicture(tx, effect.accountId, effect.picture);
      return;
    case "append_secret":
      await takeSecret(world, tx, id, effect);
      return;
    case "wake_token":
      world.peerTokens.take(tx, id, effect, world.platform.nowMs());
      return;
    case "alarm":
      alarms.put(tx, raisedIn(state, effect));
      return;
    default:
      if (isPast(effect)) await putPast(tx, id, effect, world.platform.nowMs());
  }
}

function timelineIn({ own, platform, segments, files, clock, timed }: World, tx: StoreTransaction, conversationId: string): Timeline {
  const nowMs = platform.nowMs();
  return new Timeline({
    tx,
    conversationId,
    self: own.accountId,
    nowMs,
    isSure: clock.isSure(nowMs),
    onSegment: segments.changed,
    onFilesGone: (ids) => files.gone(ids),
    onTimed: timed,
  });
}

async function flushed(world: World, tx: StoreTransaction, timeline: Timeline, conversationId: string): Promise<TimelineNews> {
  const flushedLines = await timeline.flush();
  const { arrived, requoted, isBraked } = flushedLines;
  const nowMs = world.clock.latest(world.platform.nowMs());
  const lines = flushedLines.lines.filter((line) => !isOver(line, nowMs));
  const told = [...lines, ...requoted].map(async (line) => {
    // What this device wrote was told while it waited.
    const isNew = arrived.has(line.order) && line.acceptedAtMs === 0;
    return { line, quoted: await quotedBy(tx, conversationId, line, nowMs), isNew };
  });
  return { lines: await Promise.all(told), isBraked };
}
