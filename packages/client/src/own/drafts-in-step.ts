import { bool, decode, encode, equalBytes, fromBase64Url, opaque, struct, text, utf8Bytes } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { createMutex } from "../store/mutex.ts";
import type { StoreTransaction } from "../store/store.ts";
import { noDraft, takeDraft, tellDraft } from "./drafts.ts";
import type { DraftNote } from "./drafts.ts";
import { draftMarkBytes, keyOf, maxDraftBytes, noDraftMark } from "./facts.ts";
import type { FactOfConversation, OwnFact, Register } from "./facts.ts";
import { take } from "./own-state.ts";

const notePrefix = "own-draft/";

const noteCodec: Codec<DraftNote> = struct<DraftNote>({
  agreed: text(maxDraftBytes),
  isOurs: bool,
  other: text(maxDraftBytes),
  taken: opaque(draftMarkBytes),
});

type DraftFact = Extract<OwnFact, { kind: "draft" }>;
type DraftRegister = Register & { readonly fact: DraftFact };

/** What drafts need of the engine. */
export interface DraftsAccess {
  runners(): readonly ConversationRunner[];
}

/** Drafts of all conversations, in step with those of one's other devices: none is lost (spec X-16). */
export class Drafts {
  readonly #world: World;
  readonly #access: DraftsAccess;
  /** A draft that was taken over stands in its conversation before it is noted: to who looked in between, it would be one that was written here. */
  readonly #alone = createMutex();
  #notes: Map<string, DraftNote> = new Map();

  constructor(world: World, access: DraftsAccess) {
    this.#world = world;
    this.#access = access;
  }

  async load(): Promise<void> {
    const stored = await this.#world.store.transact("read", (tx) => tx.scan({ prefix: notePrefix }));
    this.#notes = new Map(stored.map(([key, value]) => [key.slice(notePrefix.length), decode(noteCodec, value)]));
  }

  /** What another device wrote there, and is not what stands here; "" for nothing. */
  other(conversationId: string): string {
    return this.#notes.get(conversationId)?.other ?? "";
  }

  /** The person takes what the other device wrote, or lets go of it. */
  decide(runner: ConversationRunner, isTaken: boolean): Promise<void> {
    return this.#alone.run(() => this.#decide(runner, isTaken));
  }

  async #decide(runner: ConversationRunner, isTaken: boolean): Promise<void> {
    const note = this.#note(runner.id);
    if (note.other === "") return;
    const { other } = note;
    if (isTaken) await runner.input({ kind: "draft", text: other });
    const taken = this.#markOf(other);
    const next = isTaken ? { agreed: other, isOurs: false, other: "", taken } : { ...note, other: "" };
    const along = this.#put(runner.id, next);
    // All devices have the same then, where they had not gone on.
    if (isTaken) await this.#world.ownThings.say([{ kind: "draft", logId: fromBase64Url(runner.id), text: other, over: taken }], along);
    else await this.#world.store.transact("write", along);
    runner.emitConversation();
  }

  /** Has the other devices told of what is written here and is not told yet, and takes over what was told before a conversation was here. */
  look(): Promise<void> {
    return this.#alone.run(() => this.#look());
  }

  async #look(): Promise<void> {
    const { ownThings } = this.#world;
    for (const runner of this.#access.runners()) {
      const { id } = runner;
      if (runner.state.kind === "devices") continue;
      const logId = fromBase64Url(id);
      const told = ownThings.fact(keyOf({ kind: "draft", logId, text: "", over: noDraftMark }));
      if (!this.#notes.has(id) && told?.kind === "draft" && told.text !== "") await this.#apply(runner, told);
      const note = this.#note(id);
      const { draft } = runner.state;
      if (draft === note.agreed || utf8Bytes(draft).length > maxDraftBytes) continue;
      await ownThings.say([{ kind: "draft", logId, text: draft, over: note.taken }], this.#put(id, tellDraft(note, draft)));
    }
  }

  /** Takes in what other devices said; a draft among it is where it belongs before it counts as known. */
  taking(registers: readonly Register[], run: (along: (tx: StoreTransaction) => void) => Promise<readonly string[]>): Promise<void> {
    return this.#alone.run(() => this.#taking(registers, run));
  }

  async #taking(registers: readonly Register[], run: (along: (tx: StoreTransaction) => void) => Promise<readonly string[]>): Promise<void> {
    const { ownThings } = this.#world;
    const { state, changed } = take(ownThings.state, registers);
    const found = changed.map((key) => state.get(key)).filter((register): register is DraftRegister => register?.fact.kind === "draft");
    const writes: ((tx: StoreTransaction) => void)[] = [];
    for (const { fact } of found) {
      const runner = this.#runnerOf(fact);
      if (runner !== undefined) writes.push(await this.#applied(runner, fact));
    }
    await run((tx) => {
      for (const write of writes) write(tx);
    });
  }

  #runnerOf({ logId }: FactOfConversation): ConversationRunner | undefined {
    return this.#access.runners().find(({ state }) => equalBytes(state.logId, logId));
  }

  async #apply(runner: ConversationRunner, incoming: DraftFact): Promise<void> {
    await this.#world.store.transact("write", await this.#applied(runner, incoming));
  }

  async #applied(runner: ConversationRunner, incoming: DraftFact): Promise<(tx: StoreTransaction) => void> {
    const { draft } = runner.state;
    const isOverOurs = draft !== "" && equalBytes(incoming.over, this.#markOf(draft));
    const { note, local } = takeDraft(this.#note(runner.id), draft, incoming.text, isOverOurs);
    if (local === draft) return this.#put(runner.id, note);
    await runner.input({ kind: "draft", text: local, insteadOf: draft });
    const { draft: now } = runner.state;
    // What the person wrote in that moment stays: the other one is offered beside it.
    return this.#put(runner.id, now === local ? note : takeDraft(this.#note(runner.id), now, incoming.text).note);
  }

  #markOf(draft: string): Uint8Array {
    return this.#world.platform.sha256(utf8Bytes(draft)).slice(0, draftMarkBytes);
  }

  #note(id: string): DraftNote {
    return this.#notes.get(id) ?? noDraft;
  }

  #put(id: string, note: DraftNote): (tx: StoreTransaction) => void {
    return (tx) => {
      tx.put(notePrefix + id, encode(noteCodec, note));
      tx.afterCommit(() => this.#notes.set(id, note));
    };
  }
}
