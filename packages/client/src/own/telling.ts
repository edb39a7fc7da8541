import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { createSyncContent } from "@latchkey/protocol";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { decodeSync, encodeSync } from "../devices/sync-messages.ts";
import { background } from "../devices/told.ts";
import type { SyncMessage } from "../devices/sync-messages.ts";
import { createSingleFlight } from "../single-flight.ts";
import type { SingleFlight } from "../single-flight.ts";
import { parseOrderSegment } from "../store/store.ts";
import type { StoreTransaction } from "../store/store.ts";
import { factBytes, logTagBytes, maxFactsTold, maxToldBytes, packFacts, packRegisters, unpackFacts, unpackRegisters } from "./facts.ts";
import type { Register } from "./facts.ts";
import { believable } from "./own-state.ts";
import { placedPrefix } from "./placed.ts";
import type { Drafts } from "./drafts-in-step.ts";

/** So long after something was set the other devices are told: what follows at once goes along. */
const togetherMs = 400;
const draftMs = 1500;

/** Tells the other devices what the person sets for themselves here, and takes in what they say (spec X-18). */
export class OwnTelling {
  readonly #world: World;
  readonly #group: () => ConversationRunner | undefined;
  readonly #drafts: Drafts;
  readonly #flight: SingleFlight;
  #cancel: (() => void) | undefined;
  #closed = false;

  /** @param params `group`: that of the devices, where there is one that can be written to */
  constructor(params: { world: World; drafts: Drafts; group: () => ConversationRunner | undefined }) {
    const { world, drafts, group } = params;
    this.#world = world;
    this.#group = group;
    this.#drafts = drafts;
    this.#flight = createSingleFlight(() => this.#tell());
    const { ownThings } = world;
    ownThings.isAlone = () => group() === undefined && world.own.account.state.devices.length < 2;
    ownThings.onChange((_, isOurs) => {
      if (isOurs) this.#soon(togetherMs);
    });
  }

  /** Whether nothing is under way that ends by itself soon. */
  get isIdle(): boolean {
    return this.#cancel === undefined && !this.#flight.isRunning;
  }

  /** There may be something to tell, or somewhere to tell it. */
  wake(): Promise<void> {
    return this.#closed ? Promise.resolve() : this.#flight.wake();
  }

  /** As `wake`, for who does not wait. */
  wakeSoon(): void {
    background(this.wake());
  }

  /** A draft is another now; it is told when it was so for a moment. */
  draftSoon(): void {
    if (this.#group() !== undefined) this.#soon(draftMs);
  }

  #soon(delayMs: number): void {
    if (this.#closed || this.#cancel !== undefined) return;
    this.#cancel = this.#world.platform.setTimer(delayMs, () => {
      this.#cancel = undefined;
      this.wakeSoon();
    });
  }

  async #tell(): Promise<void> {
    const { ownThings } = this.#world;
    const group = this.#group();
    // What has its place is gone from what waits to be sent: looked up in this order, nothing is told twice.
    const waits = new Map(group?.state.outgoing.map((item) => [item.id, item]));
    await this.#takePlaced();
    if (group === undefined) {
      if (ownThings.isAlone()) await ownThings.settleAlone();
      return;
    }
    await this.#drafts.look();
    // One at a time: while it waits, what is set anew takes the place of what was set before.
    const next = await ownThings.prepare(tagOf(group.id));
    if (next?.sent === undefined) return;
    const { id, facts, sent } = next;
    const known = waits.get(toBase64Url(id));
    if (known?.failure !== undefined) await group.input({ kind: "retry", id: known.id });
    if (known === undefined) await this.#compose(group, id, { kind: "own", id, era: sent.era, facts: packFacts(facts) });
  }

  /** A device was added: it is told how things are now, not what they were one after the other. */
  async tellAll(): Promise<void> {
    const group = this.#group();
    if (group === undefined) return;
    await this.wake();
    for (const registers of piecesOf([...this.#world.ownThings.state.values()])) {
      const id = this.#world.platform.random(16);
      await this.#compose(group, id, { kind: "own_state", registers: packRegisters(registers) });
    }
  }

  async #compose(group: ConversationRunner, id: Uint8Array, message: SyncMessage): Promise<void> {
    const content = createSyncContent({ payload: encodeSync(message), salt: id, sentAtMs: this.#world.platform.nowMs() });
    await group.input({ kind: "compose", id: toBase64Url(id), purpose: "sync", text: "", content });
  }

  async #takePlaced(): Promise<void> {
    const { store, ownThings } = this.#world;
    for (const [key, payload] of await store.transact("read", (tx) => tx.scan({ prefix: placedPrefix }))) {
      const [log = "", order = ""] = key.slice(placedPrefix.length).split("/");
      const message = decodeSync(payload);
      const drop = (tx: StoreTransaction): void => tx.delete(key);
      if (message?.kind === "own") await ownThings.settle(message.id, registersOf(message, log, parseOrderSegment(order)), drop);
      else await store.transact("write", drop);
    }
  }

  /** Another device says this at this place of the devices' log. @throws CodecError */
  async follow(message: Extract<SyncMessage, { kind: "own" | "own_state" }>, log: string, order: number): Promise<void> {
    const { ownThings } = this.#world;
    const told = message.kind === "own" ? registersOf(message, log, order) : unpackRegisters(message.registers);
    const registers = believable(ownThings.state, told);
    await this.#drafts.taking(registers, (along) => ownThings.take(registers, along));
  }

  /** What the person set stays stored, and is told with the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    this.#cancel = undefined;
    await this.#flight.settled();
  }
}

const tagOf = (log: string): Uint8Array => fromBase64Url(log).slice(0, logTagBytes);

function registersOf(message: Extract<SyncMessage, { kind: "own" }>, log: string, order: number): readonly Register[] {
  const place = { era: message.era, log: tagOf(log), order };
  return unpackFacts(message.facts).map((fact) => ({ place, fact }));
}

/** In pieces of which each fits one word. */
function piecesOf(registers: readonly Register[]): readonly (readonly Register[])[] {
  const pieces: Register[][] = [];
  let bytes = 0;
  for (const register of registers) {
    const size = factBytes(register.fact);
    const last = pieces.at(-1);
    if (last === undefined || last.length >= maxFactsTold || bytes + size > maxToldBytes) {
      pieces.push([register]);
      bytes = size;
    } else {
      last.push(register);
      bytes += size;
    }
  }
  return pieces;
}
