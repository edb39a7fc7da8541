import { toBase64Url } from "@latchkey/codec";
import { isQuiet } from "../core/turn.ts";
import type { ConversationState, Line, Outgoing } from "../core/types.ts";
import type { Mutex } from "../store/mutex.ts";
import { loadShownLine } from "../timeline/history.ts";
import { targetOf } from "../timeline/said.ts";
import { accountsOfLine } from "./effects.ts";
import { pendingSaid } from "./said.ts";
import { conversationOf } from "./shown.ts";
import type { ShownHistory } from "./shown-history.ts";
import { messageOfLine, messageOfOutgoing } from "./shown-message.ts";
import type { TimelineNews } from "./stored-step.ts";
import type { World } from "./world.ts";

/** The conversation that is told of. */
interface Told {
  readonly id: string;
  readonly state: ConversationState;
  readonly history: ShownHistory;
  /** What changes its state, one after the other: what is stored and what waits belong together between two of them. */
  readonly steps: Mutex;
}

/** Tells whoever shows a conversation what is new in it, and knows the line that stands for it in a list. */
export class ConversationNews {
  readonly #world: World;
  readonly #of: Told;
  #lastLine: Line | undefined;

  constructor(world: World, of: Told, lastLine: Line | undefined) {
    this.#world = world;
    this.#of = of;
    this.#lastLine = lastLine;
  }

  get lastLine(): Line | undefined {
    return this.#lastLine;
  }

  /** Lines were put into the store, or taken out, from elsewhere. */
  async reloadLastLine(): Promise<void> {
    const { store, clock, platform } = this.#world;
    const nowMs = clock.latest(platform.nowMs());
    const line = await store.transact("read", (tx) => loadShownLine(tx, this.#of.id, nowMs));
    this.#lastLine = line;
    if (line !== undefined) await this.#world.people.load(accountsOfLine(line));
  }

  /** Of a conversation that another one took the place of, what was said last counts, not what happened to it since. */
  async showLastText(): Promise<void> {
    this.#lastLine = (await this.#of.history.lastText()) ?? this.#lastLine;
  }

  /** How the conversation looks in a list now. */
  tellConversation(): void {
    const { state } = this.#of;
    if (state.kind === "devices") return;
    this.#world.emit({ kind: "conversation", conversation: conversationOf(this.#world, state, this.#lastLine) });
  }

  /** What became of lines: new ones, and ones that changed. Whoever stands in them was brought to hand. */
  tellLines({ lines, isBraked }: TimelineNews): void {
    const { emit } = this.#world;
    const { id, state } = this.#of;
    if (isBraked) emit({ kind: "held_deletions", conversationId: id });
    for (const { line, quoted, isNew } of lines) {
      const last = this.#lastLine;
      const isNewest = line.order > (last?.order ?? 0) && (last === undefined || !isQuiet(line.body));
      if (isNewest || line.order === last?.order) this.#lastLine = line;
      if (isNew && line.author !== undefined) this.#world.heardFrom(id, line.author);
      if (state.kind !== "devices") emit({ kind: "message", message: messageOfLine(this.#world, state, line, quoted), isNew });
    }
  }

  /** The messages whose device was not proven to be their author's when they came. */
  async tellDoubted(): Promise<void> {
    for (const message of await this.#of.history.doubted()) this.#world.emit({ kind: "message", message, isNew: false });
  }

  /** Something of one's own waits, or is known to have failed: a message at once, where nothing has to be looked up for it. */
  async tellWaiting(item: Outgoing, isNew: boolean): Promise<void> {
    if (item.purpose !== "text") return await this.#tellChanged(item);
    const { people, emit } = this.#world;
    const { state, history, steps } = this.#of;
    if (state.kind === "devices") return;
    if (pendingSaid(state, people.self, item)?.inReplyTo === undefined) {
      emit({ kind: "message", message: messageOfOutgoing(this.#world, state, item), isNew });
      return;
    }
    await steps.run(async () => {
      // What is in the log meanwhile was told as such.
      const waiting = this.#of.state.outgoing.find(({ id }) => id === item.id);
      if (waiting !== undefined) emit({ kind: "message", message: await history.pending(waiting), isNew });
    });
  }

  /** Something of one's own does not wait any more. */
  async tellDropped(item: Outgoing): Promise<void> {
    if (item.purpose !== "text") return await this.#tellChanged(item);
    this.#world.emit({ kind: "hidden", conversationId: this.#of.id, messageId: item.id });
  }

  /** A change of one's own waits, or does not any more: the message that it is about is shown so. */
  #tellChanged(item: Outgoing): Promise<void> {
    return this.#of.steps.run(async () => {
      const said = pendingSaid(this.#of.state, this.#world.people.self, item);
      const target = said === undefined ? undefined : targetOf(said.body);
      const message = target === undefined ? undefined : await this.#of.history.shownAs(toBase64Url(target));
      if (message !== undefined) this.#world.emit({ kind: "message", message, isNew: false });
    });
  }
}
