import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { forgetFiles, putFiles } from "../files/file-index.ts";
import { isKept, noteDue } from "../history-backup/due.ts";
import { forgetTranscripts } from "../files/transcripts.ts";
import { updateIndex } from "../search/search-index.ts";
import type { SegmentListener } from "../search/search-index.ts";
import type { StoreTransaction } from "../store/store.ts";
import { answersTo, putAnswer } from "./answers.ts";
import { noteArrivals } from "./arrivals.ts";
import { holdDeletion, mayDelete, takeHeld } from "./brake.ts";
import { applyFact } from "./change.ts";
import { eraseEvidence, hasEvidence } from "../engine/evidence.ts";
import { eraseLater } from "./erasure.ts";
import { deleteLine, loadLine, putLine } from "./history.ts";
import { isMessageId, loadPlace, putPlace } from "./ids.ts";
import type { Place } from "./ids.ts";
import type { Change, Fact, Line, MessageParts } from "./line.ts";
import type { MessageTimer } from "./timer.ts";
import { afterSeeing, closeLater, isSeen, isToBeSeenOnce, noteSeen, wasNotedSeen } from "./once.ts";
import { putPin } from "./pins.ts";
import type { Said, SaidBody, SpeakerMay } from "./said.ts";
import { paceOf } from "./slow-mode.ts";
import { isOver, seenAt, setRight } from "./timer.ts";
import { followTimer, forgetPlace, forgetTimer, seenElsewhere, unseenThrough } from "./timers.ts";
import { hasWaiting, keepWaiting, putWaiting, takeWaiting } from "./waiting.ts";

/** So many held deletions are done in one transaction (E-2). */
const releasedAtOnce = 100;

/** What the timeline of a conversation has to know of the world. */
export interface TimelineParams {
  readonly tx: StoreTransaction;
  readonly conversationId: string;
  /** One's own account: what it deletes itself needs no brake. */
  readonly self: Uint8Array;
  readonly nowMs: number;
  /** Whether it is sure that it is so late; where it is not, what has a timer is put right later (spec X-7). */
  readonly isSure?: boolean;
  /** What comes is of before this device, out of a backup: it is no news to whoever follows what arrives. */
  readonly isPast?: boolean;
  /** Told of what changed of the index by which messages are searched. */
  readonly onSegment: SegmentListener;
  /** Told of files that lines named and name no more, by the ids of their blobs, once that is durable. */
  readonly onFilesGone: (ids: readonly string[]) => void;
  /** Told that a message has another time at which it goes, once that is durable. */
  readonly onTimed?: () => void;
}

/** What a transaction changed in the timeline. */
export interface Flushed {
  /** Those that are new or changed, in the order of the log. */
  readonly lines: readonly Line[];
  /** The places of those that were not there before. */
  readonly arrived: ReadonlySet<number>;
  /** Further lines, as they were, that quote what is gone, or what is here only now. */
  readonly requoted: readonly Line[];
  /** Whether somebody's deletions wait for the person. */
  readonly isBraked: boolean;
}

/**
 * What members said in one conversation, in one transaction of the store: each said thing becomes a line, or a fact of the line that it is
 * about, or waits. Which, follows from what was signed and where it stands in the log alone, so that two members with the same log have the
 * same lines; in which order things come to this device changes nothing (spec X-5).
 */
export class Timeline {
  readonly #params: TimelineParams;
  /** Read or changed in this transaction. */
  readonly #lines = new Map<number, Line>();
  /** As they were stored before it, of those that were read. */
  readonly #stored = new Map<number, Line | undefined>();
  readonly #changed = new Set<number>();
  readonly #places = new Map<string, Place>();
  /** Whether anything waits for a message here; `undefined` before that was looked at. */
  #mayWait: boolean | undefined;
  /** Of these, the ones that were put as a whole: most of them are new. */
  readonly #put = new Set<number>();
  /** Of these, the ones that say something else than before, as far as that is searched. */
  readonly #reworded = new Set<number>();
  /** Where a line was taken out. */
  readonly #erased = new Set<number>();
  /** Where a line was before this transaction that a backup may have. */
  readonly #backedUp = new Set<number>();
  /** Versions of messages of which another quote is shown now: they are gone, or came after what answers them. */
  readonly #requoted = new Set<string>();
  /** Where something was said of which nothing is seen, as it is about what was deleted before it came, or was seen once: what proves it goes too. */
  readonly #forgotten = new Set<number>();
  /** Whether deletions of somebody came to wait for the person. */
  #isBraked = false;

  constructor(params: TimelineParams) {
    this.#params = params;
  }

  /** Puts a line that tells a change of the group. */
  put(line: Line): void {
    this.#lines.set(line.order, line);
    this.#changed.add(line.order);
    this.#put.add(line.order);
    this.#reworded.add(line.order);
  }

  /** Takes the line at a place out of the history, and of the index by which it is searched. @param line as it is there, where that is known */
  erase(order: number, line: Line | undefined = this.#lines.get(order)): void {
    const { tx, conversationId } = this.#params;
    const timer = line?.message?.timer;
    if (timer !== undefined) forgetTimer(tx, conversationId, order, timer);
    if (line === undefined || isKept(line)) this.#backedUp.add(order);
    deleteLine(tx, conversationId, order);
    this.#lines.delete(order);
    this.#stored.set(order, undefined);
    this.#changed.delete(order);
    this.#erased.add(order);
  }

  /** Takes in what a member said. */
  async take(said: Said): Promise<void> {
    const { tx, conversationId } = this.#params;
    const known = await loadPlace(tx, conversationId, toBase64Url(said.id));
    if (known?.kind === "hidden") this.#forgotten.add(said.order);
    if (known !== undefined) return;
    switch (said.body.kind) {
      case "text":
      case "poll":
      case "unsupported":
        await this.#say(said, said.body);
        return;
      case "edit":
      case "deletion":
      case "reaction":
      case "vote":
      case "poll_end":
      case "pin":
        if (said.device === undefined) await this.#change(said);
        // What an account's former device wants counts for nothing; what of the others is known later decides (spec G-8).
        else if (!said.device.isDeparted) await putWaiting(tx, conversationId, { kind: "device" }, said);
    }
  }

  /** Does what waited for something to be known of the devices that said it: of those that are not known yet it waits on (spec G-8). */
  async settle(standing: (said: Said) => "proven" | "open" | "refused"): Promise<void> {
    const { tx, conversationId, nowMs } = this.#params;
    for (const said of await takeWaiting(tx, conversationId, { kind: "device" }, nowMs)) {
      const found = standing(said);
      if (found === "proven") await this.#change({ ...said, device: undefined });
      if (found === "open") keepWaiting(tx, conversationId, { kind: "device" }, said);
    }
  }

  /** Does some of what the brake held of an account's deletions, or forgets it, as the person says (spec X-4); whether that was all. */
  async release(account: Uint8Array, isDone: boolean): Promise<boolean> {
    const { tx, conversationId } = this.#params;
    const held = await takeHeld(tx, conversationId, account, releasedAtOnce);
    if (isDone) for (const said of held) await this.#change(said, true);
    return held.length < releasedAtOnce;
  }

  /** Takes in a line as another device of one's own has it; what is there already stays. */
  async adopt(line: Line): Promise<void> {
    const { tx, conversationId } = this.#params;
    // What has a timer goes to no device that was not there (spec X-7).
    if (line.message?.timer !== undefined || (await this.#line(line.order)) !== undefined) return;
    if (line.message === undefined) {
      this.put(line);
      return;
    }
    if (line.author === undefined || (await loadPlace(tx, conversationId, line.id)) !== undefined) return;
    putPlace(tx, conversationId, line.id, { kind: "message", order: line.order, author: line.author });
    for (const { id, author, change } of line.message.facts) this.#index(line.order, id, author, change);
    this.put((await this.#seenBefore(line, line.message.arrivedAtMs)) ?? line);
    this.#requote(line);
    await this.#applyWaiting(line);
  }

  /** What is to be seen once was: nothing is left here that reads it, also where it comes only later. */
  async see(ids: readonly string[]): Promise<void> {
    const { tx, conversationId } = this.#params;
    for (const id of ids.filter((one) => isMessageId(one))) {
      const place = await loadPlace(tx, conversationId, id);
      if (place === undefined) noteSeen(tx, conversationId, id);
      const line = place?.kind === "message" ? await this.#line(place.order) : undefined;
      const seen = line === undefined ? undefined : afterSeeing(line);
      if (seen === undefined) continue;
      this.put(seen);
      // What proves it has the key within.
      this.#forgotten.add(seen.order);
    }
  }

  /**
   * Erases messages here alone, for good (spec X-4), also those that come only later: what is said of them changes nothing; their places, and
   * those of what changed them.
   */
  async hide(ids: readonly string[]): Promise<readonly number[]> {
    const { tx, conversationId } = this.#params;
    const orders: number[] = [];
    for (const id of ids) {
      const place = await loadPlace(tx, conversationId, id);
      if (place === undefined && isMessageId(id)) putPlace(tx, conversationId, id, { kind: "hidden", order: 0, author: nobody });
      if (place?.kind !== "message") continue;
      const line = await this.#line(place.order);
      if (line !== undefined) this.#requote(line);
      putPlace(tx, conversationId, id, { ...place, kind: "hidden" });
      this.#places.delete(id);
      this.erase(place.order);
      orders.push(place.order, ...(line?.message?.facts ?? []).map((fact) => fact.order));
    }
    return orders;
  }

  /** The person sees all that stands up to a place: of what nobody had seen the time begins (spec X-7). How many messages that was. */
  async look(throughOrder: number, atMs: number): Promise<number> {
    const { tx, conversationId } = this.#params;
    const orders = await unseenThrough(tx, conversationId, throughOrder);
    for (const order of orders) await this.#retime(order, ({ timer }) => seenAt(timer, atMs));
    return orders.length;
  }

  /** What came or was seen while it was not sure what time it is, is put right now that it is (spec X-7, E-142). */
  async setTimersRight(orders: readonly number[]): Promise<void> {
    const { nowMs } = this.#params;
    for (const order of orders) await this.#retime(order, ({ timer, claimedAtMs }) => setRight(timer, claimedAtMs, nowMs));
  }

  /** Erases messages whose time is over, as if they had never been (spec X-7): those at these places, and their ids. */
  async endTimers(orders: readonly number[]): Promise<readonly string[]> {
    const { nowMs } = this.#params;
    const lines = await Promise.all(orders.map((order) => this.#line(order)));
    const over = lines.filter((line) => line !== undefined).filter((line) => isOver(line, nowMs));
    const ids = over.map(({ id }) => id);
    for (const order of await this.hide(ids)) this.#forgotten.add(order);
    return ids;
  }

  async #retime(order: number, timerOf: (timed: Timed) => MessageTimer): Promise<void> {
    const line = await this.#line(order);
    const timer = line?.message?.timer;
    if (line?.message === undefined || timer === undefined) {
      forgetPlace(this.#params.tx, { conversationId: this.#params.conversationId, order });
      return;
    }
    const isReworded = this.#reworded.has(order);
    this.put({ ...line, message: { ...line.message, timer: timerOf({ ...line.message, timer }) } });
    if (!isReworded) this.#reworded.delete(order);
  }

  /** Writes what changed. Called once, at the end. */
  async flush(): Promise<Flushed> {
    const { tx, conversationId } = this.#params;
    const lines = [...this.#changed].toSorted((a, b) => a - b).flatMap((order) => this.#lines.get(order) ?? []);
    const arrived = new Set<number>();
    for (const line of lines) {
      const before = await this.#storedLine(line.order);
      if (before?.message?.timer !== undefined || line.message?.timer !== undefined) this.#followTimer(before, line);
      if (before !== undefined && isKept(before)) this.#backedUp.add(line.order);
      if (before !== undefined && isGone(line)) tx.eraseTraces();
      if (before === undefined) {
        arrived.add(line.order);
        if (line.message?.inReplyTo !== undefined) putAnswer(tx, conversationId, line.message.inReplyTo, line.order);
      }
      putLine(tx, conversationId, line);
    }
    await this.#indexFiles(lines);
    if (this.#params.isPast !== true) await noteArrivals(tx, conversationId, arrived);
    const due = [...lines.filter((line) => isKept(line)).map(({ order }) => order), ...this.#backedUp];
    if (due.length > 0) await noteDue(tx, conversationId, due, this.#backedUp);
    const reworded = lines.filter(({ order }) => this.#reworded.has(order));
    await updateIndex(tx, conversationId, { lines: reworded, erased: this.#erased }, this.#params.onSegment);
    await eraseEvidence(tx, conversationId, [...this.#forgotten]);
    this.#forgotten.clear();
    return { lines, arrived, requoted: await this.#answers(), isBraked: this.#isBraked };
  }

  #followTimer(before: Line | undefined, after: Line): void {
    const { tx, conversationId, isSure = true, onTimed } = this.#params;
    followTimer(tx, conversationId, before, after, isSure);
    if (onTimed !== undefined) tx.afterCommit(onTimed);
  }

  async #indexFiles(lines: readonly Line[]): Promise<void> {
    const { tx, conversationId, onFilesGone } = this.#params;
    const gone: string[] = [];
    for (const { order, body } of lines) {
      if (body.kind === "text" && body.files !== undefined && !isSeen(body)) await putFiles(tx, conversationId, order, body.files);
      else if (isGone({ body })) gone.push(...(await this.#forgetFiles(order)));
    }
    for (const order of this.#erased) gone.push(...(await this.#forgetFiles(order)));
    if (gone.length > 0) tx.afterCommit(() => onFilesGone(gone));
  }

  async #forgetFiles(order: number): Promise<readonly string[]> {
    const { tx, conversationId } = this.#params;
    forgetTranscripts(tx, conversationId, order);
    return await forgetFiles(tx, conversationId, order);
  }

  /** The lines, but those that changed themselves, that answer a message of which another quote is shown now. */
  async #answers(): Promise<readonly Line[]> {
    const { tx, conversationId } = this.#params;
    const orders = new Set<number>();
    for (const version of this.#requoted) for (const order of await answersTo(tx, conversationId, version)) orders.add(order);
    const lines: Line[] = [];
    for (const order of orders) {
      const line = this.#changed.has(order) ? undefined : await loadLine(tx, conversationId, order);
      if (line?.message?.inReplyTo !== undefined && line.body.kind !== "deleted") lines.push(line);
    }
    return lines;
  }

  #requote({ id, message }: Line): void {
    this.#requoted.add(id);
    for (const fact of message?.facts ?? []) if (fact.change.kind === "edit") this.#requoted.add(toBase64Url(fact.id));
  }

  /** Where content stands; that something stands nowhere yet is asked for each time. */
  async #place(target: Uint8Array): Promise<Place | undefined> {
    const id = toBase64Url(target);
    const place = this.#places.get(id) ?? (await loadPlace(this.#params.tx, this.#params.conversationId, id));
    if (place !== undefined) this.#places.set(id, place);
    return place;
  }

  async #line(order: number): Promise<Line | undefined> {
    const known = this.#lines.get(order);
    if (known !== undefined) return known;
    const line = await this.#storedLine(order);
    if (line !== undefined) this.#lines.set(order, line);
    return line;
  }

  /** The line at a place as it was before this transaction. */
  async #storedLine(order: number): Promise<Line | undefined> {
    if (!this.#stored.has(order)) this.#stored.set(order, await loadLine(this.#params.tx, this.#params.conversationId, order));
    return this.#stored.get(order);
  }

  async #say(came: Said, body: MessageBody): Promise<void> {
    const { tx, conversationId, nowMs, isSure = true } = this.#params;
    const { order, author, id, timer } = came;
    const said = timer === undefined ? came : { ...came, timer: await seenElsewhere(tx, conversationId, order, timer) };
    const whole = lineOf(said, body, said.may.post ? await paceOf(tx, conversationId, said) : undefined);
    if (isSure && isOver(whole, nowMs)) {
      await this.#passOver(said);
      return;
    }
    const seen = await this.#seenBefore(whole, nowMs);
    const line = seen ?? whole;
    if (seen !== undefined) this.#forgotten.add(order);
    this.put(line);
    if (line.message === undefined) return;
    putPlace(tx, conversationId, id, { kind: "message", order, author });
    // By others' histories it comes after what answers it.
    if (said.sharedBy !== undefined) this.#requote(line);
    await this.#applyWaiting(line);
  }

  /** Its time was over when it came (spec X-7): nothing of it is kept, nor of what waited for it. */
  async #passOver({ order, author, id }: Said): Promise<void> {
    const { tx, conversationId, nowMs } = this.#params;
    putPlace(tx, conversationId, id, { kind: "hidden", order, author });
    this.#forgotten.add(order);
    for (const waiting of await takeWaiting(tx, conversationId, { kind: "target", id }, nowMs)) this.#forgotten.add(waiting.order);
  }

  /** Its author has no other look at what is to be seen once, and who saw it on another device has none here (spec X-8). */
  async #seenBefore(line: Line, cameAtMs: number): Promise<Line | undefined> {
    const { tx, conversationId, self, nowMs } = this.#params;
    if (!isToBeSeenOnce(line.body) || isSeen(line.body) || line.author === undefined) return undefined;
    if (equalBytes(line.author, self) || (await wasNotedSeen(tx, conversationId, line.id))) return afterSeeing(line);
    closeLater(tx, conversationId, line.order, { cameAtMs, nowMs });
    return undefined;
  }

  /** What was said of it before it came: by others' histories, and where a device had to be known first, it may come late (spec X-2). */
  async #applyWaiting(line: Line): Promise<void> {
    for (const id of [fromBase64Url(line.id), ...(line.message?.facts ?? []).map((fact) => fact.id)]) await this.#applyWaitingFor(id);
  }

  async #applyWaitingFor(id: Uint8Array): Promise<void> {
    const { tx, conversationId, nowMs } = this.#params;
    this.#mayWait ??= await hasWaiting(tx, conversationId);
    if (!this.#mayWait) return;
    for (const said of await takeWaiting(tx, conversationId, { kind: "target", id }, nowMs)) await this.#change(said);
  }

  async #change(said: Said, isReleased = false): Promise<void> {
    const { tx, conversationId, self } = this.#params;
    const { body, author, may } = said;
    if (body.kind === "pin") {
      await this.#pin(said, body);
      return;
    }
    if (body.kind === "text" || body.kind === "poll" || body.kind === "unsupported") return;
    const target = body.kind === "edit" || body.kind === "deletion" ? body.replaces : body.inReplyTo;
    const place = await this.#place(target);
    if (place === undefined) {
      await putWaiting(tx, conversationId, { kind: "target", id: target }, said);
      this.#mayWait = true;
      return;
    }
    if (place.kind === "hidden") this.#forgotten.add(said.order);
    const change = changeOf(said, place, target);
    const line = change === undefined || place.kind === "hidden" ? undefined : await this.#line(place.order);
    if (line === undefined || change === undefined) return;
    if (change.kind === "edit" && line.body.kind === "deleted") this.#forgotten.add(said.order);
    const changed = applyFact(line, factOf(said, change), may);
    // Of a message that goes nothing is kept that shows what it once was to become.
    if (line.message?.timer !== undefined && changed?.message?.facts.some((fact) => equalBytes(fact.id, said.id)) !== true)
      this.#forgotten.add(said.order);
    if (changed === undefined) return;
    if (changed.body.kind === "deleted" && line.body.kind !== "deleted" && !equalBytes(author, self) && !isReleased) {
      if (!(await mayDelete(tx, conversationId, author, said.arrivedAtMs))) {
        this.#isBraked = true;
        await holdDeletion(tx, conversationId, line.order, said);
        return;
      }
    }
    await this.#eraseProof(line, changed);
    const isReworded = this.#reworded.has(line.order) || change.kind === "edit" || change.kind === "deletion";
    this.put(changed);
    // Of what was said to it nothing is searched, and thousands may say something.
    if (!isReworded) this.#reworded.delete(line.order);
    if (changed.message?.facts.some((fact) => equalBytes(fact.id, said.id)) !== true) return;
    this.#index(line.order, said.id, author, change);
    await this.#applyWaitingFor(said.id);
  }

  /** What proves a deleted message, and what was done to it, is kept as long as it may be reported (spec X-4). */
  async #eraseProof(before: Line, after: Line): Promise<void> {
    if (after.body.kind !== "deleted" || before.body.kind === "deleted") return;
    const { tx, conversationId, nowMs } = this.#params;
    this.#requote(before);
    const orders = [before.order];
    for (const { order, change } of before.message?.facts ?? [])
      if (change.kind === "edit" || (await hasEvidence(tx, conversationId, order))) orders.push(order);
    eraseLater(tx, conversationId, orders, nowMs);
  }

  #index(order: number, id: Uint8Array, author: Uint8Array, change: Change): void {
    const kind = change.kind === "edit" ? "version" : change.kind === "reaction" ? "reaction" : undefined;
    if (kind !== undefined) putPlace(this.#params.tx, this.#params.conversationId, id, { kind, order, author });
  }

  async #pin({ order, author, may, sentAtMs, id }: Said, body: Extract<Said["body"], { readonly kind: "pin" }>): Promise<void> {
    if (!may.pin) return;
    const { tx, conversationId } = this.#params;
    const { messageId, until } = body;
    const untilMs = until === "never" ? 0 : until === "forever" ? Number.MAX_SAFE_INTEGER : until;
    await putPin(tx, conversationId, { messageId, order, author, untilMs });
    const line = { kind: "pinned", messageId: toBase64Url(messageId), isPinned: untilMs > 0 } as const;
    this.put({ id: toBase64Url(id), order, author, sentAtMs, acceptedAtMs: 0, body: line });
  }
}

/** Whose a message is that is not here yet. */
const nobody = new Uint8Array(32);

/** Whether what a line said is gone, for everybody or since it was seen. */
function isGone({ body }: Pick<Line, "body">): boolean {
  return body.kind === "deleted" || isSeen(body);
}

/** What of a message its timer is counted by. */
type Timed = Pick<MessageParts, "claimedAtMs"> & { readonly timer: MessageTimer };

/** What a line of a message of its own says. */
type MessageBody = Extract<SaidBody, { readonly kind: "text" | "poll" | "unsupported" }>;

/** The line of a message as it was said. Nobody reads what its author may not write there; that they tried is told (spec X-13). */
export function lineOf(said: Said, body: MessageBody, pace?: MessageParts["pace"]): Line {
  const { order, author, id, sentAtMs, acceptedAtMs, claimedAtMs, arrivedAtMs, device, inReplyTo, forwardedHops, mentions, may } = said;
  const { sharedBy, timer } = said;
  const head = { id: toBase64Url(id), order, author, sentAtMs, acceptedAtMs };
  if (!may.post) return { ...head, body: { kind: "unpermitted" } };
  return {
    ...head,
    body,
    message: { claimedAtMs, arrivedAtMs, device, inReplyTo, forwardedHops, mentions, pace, facts: [], refused: [], sharedBy, timer },
  };
}

/** What content does to the line at a place; `undefined` for what it can do nothing to (spec X-2). */
function changeOf({ body, author, mentions }: Said, place: Place, target: Uint8Array): Change | undefined {
  switch (body.kind) {
    case "edit":
      return place.kind === "message" ? { kind: "edit", text: body.text, mentions } : undefined;
    case "deletion":
      if (place.kind === "message") return { kind: "deletion" };
      return place.kind === "reaction" && equalBytes(place.author, author) ? { kind: "unreaction", reaction: target } : undefined;
    case "reaction":
      return place.kind === "reaction" ? undefined : { kind: "reaction", emoji: body.emoji };
    case "vote":
      return place.kind === "message" ? { kind: "vote", options: body.options } : undefined;
    case "poll_end":
      return place.kind === "message" ? { kind: "poll_end" } : undefined;
    default:
      return undefined;
  }
}

function factOf({ order, id, author, claimedAtMs, arrivedAtMs }: Said, change: Change): Fact {
  return { order, id, author, claimedAtMs, arrivedAtMs, change };
}

/** A line as the content of one's own that still waits would make it, if it is about it; as it is otherwise. */
export function withPending(line: Line, said: Said, may: SpeakerMay): Line {
  const { body } = said;
  if (body.kind === "pin" || body.kind === "text" || body.kind === "poll" || body.kind === "unsupported") return line;
  const target = body.kind === "edit" || body.kind === "deletion" ? body.replaces : body.inReplyTo;
  const place = placeIn(line, target);
  const change = place === undefined ? undefined : changeOf(said, place, target);
  return change === undefined ? line : (applyFact(line, factOf(said, change), may) ?? line);
}

/** What an id stands for in this line, if it is one of its own. */
export function placeIn(line: Line, id: Uint8Array): Place | undefined {
  const { order, author, message } = line;
  if (author === undefined || message === undefined) return undefined;
  if (line.id === toBase64Url(id)) return { kind: "message", order, author };
  const fact = message.facts.find((one) => equalBytes(one.id, id));
  if (fact?.change.kind === "edit") return { kind: "version", order, author };
  return fact?.change.kind === "reaction" ? { kind: "reaction", order, author: fact.author } : undefined;
}
