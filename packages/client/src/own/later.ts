import { fromBase64Url, toBase64Url, utf8Bytes } from "@latchkey/codec";
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
}

/** What a person has done at a time, by whichever of their devices is on then (spec X-15). */
export class Later {
  readonly #world: World;
  readonly #access: LaterAccess;
  readonly #flight: SingleFlight;
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
    };
    this.#flight = createSingleFlight(() => this.#run());
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
    const { logId } = this.#access.runner(conversationId).state;
    const { platform, ownThings } = this.#world;
    this.#requireFit(text, atMs);
    if (this.#planned().length >= maxScheduled)
      throw new ClientError("not_permitted", `At most ${String(maxScheduled)} messages wait for their time.`);
    const answered = inReplyTo === undefined ? undefined : await this.#access.versionOf(conversationId, inReplyTo);
    const plan: Plan = { atMs, text, inReplyTo: answered, salt: platform.random(16) };
    const fact: Scheduled = { kind: "later", logId, id: platform.random(16), plan };
    await ownThings.say([fact]);
    return this.#shown(fact);
  }

  scheduled(conversationId?: string): readonly ScheduledMessage[] {
    const found = this.#planned().filter((fact) => conversationId === undefined || idOf(fact) === conversationId);
    return found.toSorted((a, b) => a.plan.atMs - b.plan.atMs).map((fact) => this.#shown(fact));
  }

  async change(id: string, { text, atMs }: { readonly text?: string | undefined; readonly atMs?: number | undefined }): Promise<void> {
    const fact = this.#required(id);
    const { plan } = fact;
    this.#requireFit(text ?? plan.text, atMs ?? plan.atMs, atMs === undefined);
    const salt = this.#world.platform.random(16);
    await this.#world.ownThings.say([{ ...fact, plan: { ...plan, text: text ?? plan.text, atMs: atMs ?? plan.atMs, salt } }]);
  }

  async cancel(id: string): Promise<void> {
    await this.#world.ownThings.say([{ ...this.#required(id), plan: undefined }]);
  }

  async sendNow(id: string): Promise<void> {
    const fact = this.#required(id);
    if (this.#isUnderWay(fact)) return;
    await this.#world.ownThings.say([{ ...fact, plan: { ...fact.plan, atMs: this.#world.platform.nowMs() } }]);
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
    const { platform, ownThings } = this.#world;
    const nowMs = platform.nowMs();
    const waits: number[] = [longestTimerMs];
    for (const fact of this.#planned()) {
      const turn = await this.#turnOf(fact, nowMs);
      if (turn === "not yet") waits.push(fact.plan.atMs - nowMs);
      else if (turn !== "late") waits.push(againMs);
      if (turn === "claim") await this.#claim(fact, nowMs);
      if (turn === "send") await this.#send(fact);
    }
    const reminders = ownThings.all("remind").filter(({ atMs }) => atMs !== undefined);
    for (const { atMs = 0 } of reminders) if (atMs > nowMs) waits.push(atMs - nowMs);
    this.#tellDue(new Set(reminders.filter(({ atMs = 0 }) => atMs <= nowMs).map(keyOf)));
    if (!this.#isClosed) this.#cancel = platform.setTimer(Math.max(50, Math.min(...waits)), () => this.#wake());
  }

  /** @returns "leave" too where nothing can be sent now: without the server, or while it is not sure what time it is */
  async #turnOf({ plan, id, ...fact }: Scheduled, nowMs: number): Promise<Turn> {
    const { ownThings, own, clock, store } = this.#world;
    const runner = this.#access.current(toBase64Url(fact.logId));
    // It goes as all that waits there, however late.
    if (runner !== undefined && this.#waitsIn(runner, plan)) return isCaughtUp(runner.state) ? "send" : "leave";
    const prefix = keyOf({ ...fact, id, kind: "claim", deviceId: new Uint8Array(16), atMs: 0 }).slice(0, -22);
    const claims = [...ownThings.state].filter(([key]) => key.startsWith(prefix)).map(([, register]) => register);
    const ownKey = keyOf({ ...fact, id, kind: "claim", deviceId: own.deviceId, atMs: 0 });
    const isClaiming = ownThings.waiting.some(({ facts }) => facts.some((one) => keyOf(one) === ownKey));
    const turn = whoseTurn({ atMs: plan.atMs, nowMs, deviceId: own.deviceId, claims, isClaiming, isAlone: ownThings.isAlone() });
    if (turn !== "send" && turn !== "claim") return turn;
    if (runner === undefined || !isCaughtUp(runner.state) || !clock.isSure(nowMs)) return "leave";
    // What others claimed before this device has to be known.
    const isBehind = await store.transact("read", async (tx) => (await tx.scan({ prefix: syncPrefix, limit: 1 })).length > 0);
    return isBehind ? "leave" : turn;
  }

  async #claim({ logId, id }: Scheduled, atMs: number): Promise<void> {
    await this.#world.ownThings.say([{ kind: "claim", logId, id, deviceId: this.#world.own.deviceId, atMs }]);
  }

  async #send(fact: Scheduled): Promise<void> {
    const key = keyOf(fact);
    try {
      const isSaid = await this.#say(idOf(fact), fact.plan);
      this.#failures.delete(key);
      // Until then another device may take it up.
      if (isSaid) await this.#world.ownThings.say([{ ...fact, plan: undefined }]);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      this.#failures.set(key, failureOf(error));
      this.#world.emit({ kind: "scheduled" });
    }
  }

  /** Says it where it was not said, the same on every device; whether it is in the log. @throws ClientError */
  async #say(id: string, plan: Plan): Promise<boolean> {
    const runner = this.#access.current(id);
    if (runner === undefined) return false;
    if ((await runner.history.line(this.#idIn(runner, plan))) !== undefined) return true;
    if (!this.#waitsIn(runner, plan)) await this.#access.say(id, plan.text, contentOf(plan));
    return false;
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
    if (fact === undefined) throw new ClientError("unknown_message", "No such message waits for its time.");
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
