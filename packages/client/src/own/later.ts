import { compareBytes, concatBytes, fromBase64Url, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { createTextContent } from "@latchkey/protocol";
import type { ClientFailure } from "../api.ts";
import type { Reminder, ScheduledMessage } from "../api/own.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { Conversations } from "../engine/conversations.ts";
import type { Messages } from "../engine/messages.ts";
import { contentIdIn } from "../engine/message-ids.ts";
import { syncPrefix } from "../engine/world.ts";
import type { World } from "../engine/world.ts";
import { ClientError, failureOf } from "../errors.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { SingleFlight } from "../single-flight.ts";
import { createMutex } from "../store/mutex.ts";
import { isMessageId } from "../timeline/ids.ts";
import { keyOf, maxDraftBytes } from "./facts.ts";
import type { OwnFact, Plan } from "./facts.ts";
import { idOf } from "./own-things.ts";
import { lateMs, whoseTurn } from "./whose-turn.ts";
import type { Turn } from "./whose-turn.ts";

/** Messages that wait for their time. */
const maxScheduled = 128;
/** Messages that the person is to be reminded of. */
const maxReminders = 256;
const longestMs = 366 * 86_400_000;
/** Of the id of an account. */
const memberBytes = 8;
/** What is due and cannot be sent now is tried again after so long. */
const againMs = 5000;
const longestTimerMs = 3_600_000;

type Scheduled = Extract<OwnFact, { readonly kind: "later" }> & { readonly plan: Plan };

/** What sending at a time needs of the engine. */
interface LaterAccess {
  runners(): readonly ConversationRunner[];
  /** @throws ClientError `unknown_conversation` */
  runner(id: string): ConversationRunner;
  /** The version of a message that the person sees, 32 bytes. @throws ClientError `unknown_message` */
  versionOf(conversationId: string, messageId: string): Promise<Uint8Array>;
  /** The conversation in which it goes on; `undefined` where there is none. */
  current(id: string): ConversationRunner | undefined;
  /** Says it, by this content. @throws ClientError */
  say(conversationId: string, text: string, content: Uint8Array): Promise<void>;
  /** Takes back what waits to be sent; whether it was not sent yet. */
  takeBack(conversationId: string, messageId: string): Promise<boolean>;
}

/** What a person has done at a time, by whichever of their devices is on then (spec X-15). */
export class Later {
  readonly #world: World;
  readonly #access: LaterAccess;
  readonly #flight: SingleFlight;
  /** What the person changes and what is sent meanwhile follow one another. */
  readonly #steps = createMutex();
  /** Why something could not be sent, by its key. */
  readonly #failures = new Map<string, ClientFailure>();
  #toldDue = new Set<string>();
  #cancel: () => void = () => undefined;
  #isClosed = true;

  constructor(world: World, { conversations, messages }: { readonly conversations: Conversations; readonly messages: Messages }) {
    this.#world = world;
    this.#access = {
      runner: (id) => conversations.required(id),
      runners: () => conversations.all(),
      current: (id) => (conversations.byId.has(id) ? conversations.inPlaceOf(id) : undefined),
      versionOf: (id, messageId) => messages.versionOf(id, messageId),
      say: (id, text, content) => messages.sayPlanned(id, text, content),
      takeBack: (id, messageId) => messages.takeBack(id, messageId),
    };
    this.#flight = createSingleFlight(() => this.#steps.run(() => this.#run()));
    world.ownThings.onChange((keys) => this.#changed(keys));
  }

  /** Does what is due, and what will be. */
  start(): void {
    this.#isClosed = false;
    this.#wake();
  }

  async schedule(
    conversationId: string,
    text: string,
    { atMs, inReplyTo }: { readonly atMs: number; readonly inReplyTo?: string | undefined },
  ): Promise<ScheduledMessage> {
    const runner = this.#access.runner(conversationId);
    const { logId } = runner.state;
    const { platform, ownThings } = this.#world;
    this.#requireFit(text, atMs);
    if (this.#planned().length >= maxScheduled)
      throw new ClientError("not_permitted", `At most ${String(maxScheduled)} messages wait for their time.`);
    const answered = inReplyTo === undefined ? undefined : await this.#access.versionOf(conversationId, inReplyTo);
    const plan: Plan = { atMs, text, inReplyTo: answered, salt: platform.random(16), members: await membersOf(runner) };
    const fact: Scheduled = { kind: "later", logId, id: platform.random(16), plan };
    await ownThings.say([fact]);
    return this.#shown(fact);
  }

  scheduled(conversationId?: string): readonly ScheduledMessage[] {
    const found = this.#planned().filter((fact) => conversationId === undefined || idOf(fact) === conversationId);
    return found.toSorted((a, b) => a.plan.atMs - b.plan.atMs).map((fact) => this.#shown(fact));
  }

  async change(id: string, { text, atMs }: { readonly text?: string | undefined; readonly atMs?: number | undefined }): Promise<void> {
    await this.#steps.run(async () => {
      const fact = this.#required(id);
      const { plan } = fact;
      this.#requireFit(text ?? plan.text, atMs ?? plan.atMs, atMs === undefined);
      await this.#requireUnsaid(fact);
      const salt = this.#world.platform.random(16);
      await this.#replan(fact, { ...plan, text: text ?? plan.text, atMs: atMs ?? plan.atMs, salt });
    });
  }

  async cancel(id: string): Promise<void> {
    await this.#steps.run(async () => {
      const fact = this.#required(id);
      await this.#requireUnsaid(fact);
      await this.#done(fact);
    });
  }

  async sendNow(id: string): Promise<void> {
    await this.#steps.run(async () => {
      const fact = this.#required(id);
      if (this.#isUnderWay(fact)) return;
      if (await this.#isSaid(fact)) await this.#done(fact);
      else await this.#replan(fact, { ...fact.plan, atMs: this.#world.platform.nowMs() });
    });
  }

  /** The person takes back, or discards, what waits to be sent with this id: it is not made again of its plan. */
  async unplanned(conversationId: string, messageId: string): Promise<void> {
    await this.#steps.run(async () => {
      const fact = this.#planned().find((one) => {
        const runner = this.#access.current(idOf(one));
        return runner?.id === conversationId && this.#idIn(runner, one.plan) === messageId;
      });
      if (fact !== undefined) await this.#done(fact);
    });
  }

  async remind(conversationId: string, messageId: string, atMs: number | undefined): Promise<void> {
    const { state, history } = this.#access.runner(conversationId);
    const { ownThings, platform } = this.#world;
    if (!isMessageId(messageId) || (atMs !== undefined && (await history.message(messageId)) === undefined))
      throw new ClientError("unknown_message", "There is no such message in this conversation.");
    if (atMs !== undefined) requireTime(atMs, platform.nowMs());
    if (atMs !== undefined && ownThings.all("remind").filter((fact) => fact.atMs !== undefined).length >= maxReminders)
      throw new ClientError("not_permitted", `At most ${String(maxReminders)} reminders wait.`);
    await ownThings.say([{ kind: "remind", logId: state.logId, messageId: fromBase64Url(messageId), atMs }]);
  }

  async reminders(): Promise<readonly Reminder[]> {
    const { ownThings, platform } = this.#world;
    const nowMs = platform.nowMs();
    const found: Reminder[] = [];
    for (const fact of ownThings.all("remind")) {
      const { atMs } = fact;
      const message = atMs === undefined ? undefined : await this.#runnerOf(fact)?.history.message(toBase64Url(fact.messageId));
      if (atMs !== undefined && message !== undefined && message.body.kind !== "deleted")
        found.push({ message, atMs, isDue: atMs <= nowMs });
    }
    return found.toSorted((a, b) => a.atMs - b.atMs);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#flight.settled();
  }

  #changed(keys: readonly string[]): void {
    const isOf = (kind: string): boolean => keys.some((key) => key.startsWith(`${kind}/`));
    if (isOf("later") || isOf("claim") || isOf("remind")) this.#wake();
  }

  #wake(): void {
    if (!this.#isClosed) this.#flight.wake().catch(() => undefined);
  }

  async #run(): Promise<void> {
    this.#cancel();
    let waitMs = longestTimerMs;
    const within = (ms: number): void => void (waitMs = Math.min(waitMs, ms));
    try {
      // What fails is tried again, and holds up nothing else.
      for (const fact of this.#planned()) within(await this.#do(fact).catch(() => againMs));
      const { platform, ownThings } = this.#world;
      const nowMs = platform.nowMs();
      const reminders = ownThings.all("remind").filter(({ atMs }) => atMs !== undefined);
      for (const { atMs = 0 } of reminders) if (atMs > nowMs) within(atMs - nowMs);
      this.#tellDue(new Set(reminders.filter(({ atMs = 0 }) => atMs <= nowMs).map(keyOf)));
    } finally {
      if (!this.#isClosed) this.#cancel = this.#world.platform.setTimer(Math.max(50, waitMs), () => this.#wake());
    }
  }

  /** Does what is to be done about it now. Resolves to the milliseconds after which it is looked at again. */
  async #do(fact: Scheduled): Promise<number> {
    const nowMs = this.#world.platform.nowMs();
    const turn = await this.#turnOf(fact, nowMs);
    if (turn === "not yet") return fact.plan.atMs - nowMs;
    if (turn === "late") return longestTimerMs;
    if (turn === "claim") await this.#claim(fact, nowMs);
    if (turn === "send") await this.#send(fact);
    if (turn === "said") await this.#done(fact);
    return againMs;
  }

  /** @returns "leave" too where nothing can be sent now: without the server, or while it is not sure what time it is */
  async #turnOf(planned: Scheduled, nowMs: number): Promise<Turn | "said"> {
    const { plan, id, ...fact } = planned;
    const { ownThings, own, clock, store, platform } = this.#world;
    const runner = this.#access.current(toBase64Url(fact.logId));
    if (nowMs >= plan.atMs && (await this.#isSaid(planned))) return "said";
    // It goes as all that waits there, however late.
    if (runner !== undefined && this.#waitsIn(runner, plan)) return isCaughtUp(runner.state) ? "send" : "leave";
    const prefix = keyOf({ ...fact, id, kind: "claim", deviceId: new Uint8Array(16), atMs: 0 }).slice(0, -22);
    const claims = [...ownThings.state].filter(([key]) => key.startsWith(prefix)).map(([, register]) => register);
    const ownKey = keyOf({ ...fact, id, kind: "claim", deviceId: own.deviceId, atMs: 0 });
    const isClaiming = ownThings.waiting.some(({ facts }) => facts.some((one) => keyOf(one) === ownKey));
    const turn = whoseTurn({ atMs: plan.atMs, nowMs, deviceId: own.deviceId, claims, isClaiming, isAlone: ownThings.isAlone() });
    if (turn !== "send" && turn !== "claim") return turn;
    if (runner === undefined || !isCaughtUp(runner.state) || !clock.isSure(platform.nowMs())) return "leave";
    // What others claimed before this device has to be known.
    const isBehind = await store.transact("read", async (tx) => (await tx.scan({ prefix: syncPrefix, limit: 1 })).length > 0);
    if (isBehind) return "leave";
    if (!hasNewcomers(plan.members, await membersOf(runner))) return turn;
    this.#fail(planned, { code: "members_changed", message: "Somebody was added since this was written.", canRetry: true });
    return "late";
  }

  async #claim({ logId, id }: Scheduled, atMs: number): Promise<void> {
    await this.#world.ownThings.say([{ kind: "claim", logId, id, deviceId: this.#world.own.deviceId, atMs }]);
  }

  async #send(fact: Scheduled): Promise<void> {
    try {
      const { plan } = fact;
      const runner = this.#access.current(idOf(fact));
      // Until it is in the log another device may take it up.
      if (runner !== undefined && !this.#waitsIn(runner, plan)) await this.#access.say(idOf(fact), plan.text, contentOf(plan));
      this.#failures.delete(keyOf(fact));
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#fail(fact, failureOf(error));
    }
  }

  #fail(fact: Scheduled, failure: ClientFailure): void {
    if (this.#failures.get(keyOf(fact))?.code === failure.code) return;
    this.#failures.set(keyOf(fact), failure);
    this.#world.emit({ kind: "scheduled" });
  }

  /** It waits no more: it is said, or is not to be. */
  async #done(fact: Scheduled): Promise<void> {
    this.#failures.delete(keyOf(fact));
    await this.#world.ownThings.say([{ ...fact, plan: undefined }]);
  }

  /** The person has said so of it now, and to whom it goes. */
  async #replan(fact: Scheduled, plan: Plan): Promise<void> {
    this.#failures.delete(keyOf(fact));
    const runner = this.#access.current(idOf(fact));
    const members = runner === undefined ? plan.members : await membersOf(runner);
    await this.#world.ownThings.say([{ ...fact, plan: { ...plan, members } }]);
  }

  /** What waits in the conversation is taken back. @throws ClientError `unknown_message` where it is said already, or about to be */
  async #requireUnsaid(fact: Scheduled): Promise<void> {
    const runner = this.#access.current(idOf(fact));
    if (runner === undefined) return;
    if (await this.#isSaid(fact)) {
      await this.#done(fact);
      throw notWaiting();
    }
    if (this.#waitsIn(runner, fact.plan) && !(await this.#access.takeBack(runner.id, this.#idIn(runner, fact.plan)))) throw notWaiting();
  }

  /** Whether it came into the log once, by whichever device, and whatever became of it since. */
  async #isSaid(fact: Scheduled): Promise<boolean> {
    const runner = this.#access.current(idOf(fact));
    return runner !== undefined && (await runner.history.isKnown(this.#idIn(runner, fact.plan)));
  }

  #waitsIn(runner: ConversationRunner, plan: Plan): boolean {
    const id = this.#idIn(runner, plan);
    return runner.state.outgoing.some((item) => item.id === id);
  }

  #idIn({ state }: ConversationRunner, plan: Plan): string {
    return contentIdIn(this.#world, state, contentOf(plan));
  }

  #tellDue(due: Set<string>): void {
    const isNew = [...due].some((key) => !this.#toldDue.has(key));
    this.#toldDue = due;
    if (isNew) this.#world.emit({ kind: "reminders" });
  }

  #planned(): readonly Scheduled[] {
    return this.#world.ownThings.all("later").filter((fact): fact is Scheduled => fact.plan !== undefined);
  }

  #required(id: string): Scheduled {
    const fact = this.#planned().find((one) => toBase64Url(one.id) === id);
    if (fact === undefined) throw notWaiting();
    return fact;
  }

  #shown(fact: Scheduled): ScheduledMessage {
    const { atMs, text } = fact.plan;
    const lateBy = this.#world.platform.nowMs() - atMs;
    const state = lateBy < 0 ? "waits" : lateBy <= lateMs || this.#isUnderWay(fact) ? "due" : "late";
    return { id: toBase64Url(fact.id), conversationId: idOf(fact), text, atMs, state, failure: this.#failures.get(keyOf(fact)) };
  }

  #isUnderWay({ logId, plan }: Scheduled): boolean {
    const runner = this.#access.current(toBase64Url(logId));
    return runner !== undefined && this.#waitsIn(runner, plan);
  }

  #runnerOf(fact: Pick<Scheduled, "logId">): ConversationRunner | undefined {
    const id = toBase64Url(fact.logId);
    return this.#access.runners().find((runner) => runner.id === id && runner.state.kind !== "devices");
  }

  #requireFit(text: string, atMs: number, isOldTime = false): void {
    if (text.trim() === "" || utf8Bytes(text).length > maxDraftBytes)
      throw new ClientError("message_too_large", "A message that is sent at a time has 1 to 16,384 bytes of text.");
    if (!isOldTime) requireTime(atMs, this.#world.platform.nowMs());
  }
}

/** Made of the plan alone, so that two devices make the same. */
function contentOf({ text, salt, atMs, inReplyTo }: Plan): Uint8Array {
  return createTextContent({ salt, sentAtMs: atMs, text, inReplyTo });
}

function requireTime(atMs: number, nowMs: number): void {
  if (!Number.isSafeInteger(atMs) || atMs <= nowMs || atMs - nowMs > longestMs)
    throw new ClientError("invalid_setting", "A time is to come, and within a year.");
}

/** The first bytes of the ids of all accounts that are in a conversation. */
async function membersOf(runner: ConversationRunner): Promise<Uint8Array> {
  await runner.load();
  const ids = [...(runner.state.roster?.accounts.values() ?? [])].flatMap(([leaf]) => (leaf === undefined ? [] : [leaf.accountId]));
  return concatBytes(...ids.map((id) => id.subarray(0, memberBytes)).toSorted(compareBytes));
}

/** Whether somebody is there who was not when it was written (attack A7). */
function hasNewcomers(before: Uint8Array, now: Uint8Array): boolean {
  const known = new Set<string>();
  for (let at = 0; at < before.length; at += memberBytes) known.add(toBase64Url(before.subarray(at, at + memberBytes)));
  for (let at = 0; at < now.length; at += memberBytes) if (!known.has(toBase64Url(now.subarray(at, at + memberBytes)))) return true;
  return false;
}

function notWaiting(): ClientError {
  return new ClientError("unknown_message", "No such message waits for its time.");
}
