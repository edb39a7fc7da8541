import { Asking } from "../admission/asking.ts";

/** Somebody who has something to send. */
export interface Sender {
  /** Whose turn it is when many have: one object for each address. */
  readonly neighbours: { readonly key: string };
  /** Sends it. */
  flush(): void;
}

/** What connections share: frames of one turn leave each socket together. */
export interface Outbox {
  /** Has the connection send at the end of this turn, or of a later one where others have much to send. */
  add(sender: Sender): void;
  /** Frames as one buffer, where the connection before was sent the same ones; the readers of a log are. */
  join(frames: readonly Uint8Array[], bytes: number): Uint8Array | undefined;
}

/** The same frames to many are joined once, up to this size. */
const joinedBytes = 65_536;
/** Connections that send in one turn of the event loop, in company: each is a system call at least. */
const turnSenders = 64;
/** Of addresses that are sent much, while somebody asks for little. */
const turnSendersOfMuch = 12;

/**
 * Collects the connections that have something to send in a turn of the event loop, and has them send it at its end. In company a few of
 * them, the addresses in turn: what goes to a crowd keeps nobody waiting, and what comes for one of it meanwhile leaves with the rest.
 */
export function createOutbox(
  gate: { readonly isShared: boolean; readonly isLittleAbout: boolean },
  later: (run: () => void) => void = (run) => void setImmediate(run),
): Outbox {
  /** By address, the next one first: of addresses that are sent little, and much. */
  const [little, much] = [new Map<string, Sender[]>(), new Map<string, Sender[]>()];
  const sent = new Asking();
  let isScheduled = false;
  let last: { readonly frames: readonly Uint8Array[]; joined?: Uint8Array } | undefined;
  const schedule = (): void => {
    isScheduled = true;
    later(send);
  };
  const send = (): void => {
    isScheduled = false;
    if (gate.isShared) sendSome();
    else sendAll();
    last = undefined;
    if (little.size + much.size > 0 && !isScheduled) schedule();
  };
  const sendAll = (): void => {
    const all = [...little.values(), ...much.values()];
    little.clear();
    much.clear();
    for (const senders of all) for (const sender of senders) sender.flush();
  };
  const sendSome = (): void => {
    sendFrom(little, turnSenders);
    // Neither side keeps the other from its own.
    sendFrom(much, gate.isLittleAbout ? turnSendersOfMuch : turnSenders);
  };
  const sendFrom = (waiting: Map<string, Sender[]>, most: number): void => {
    let left = most;
    // Who has more is put behind the others, and met again.
    for (const [address, senders] of waiting) {
      waiting.delete(address);
      const sender = senders.shift();
      if (senders.length > 0) waiting.set(address, senders);
      sent.note(address, 1);
      sender?.flush();
      if (--left === 0) return;
    }
  };
  return {
    add(sender) {
      const { key } = sender.neighbours;
      const waiting = gate.isShared && !sent.isLittle(key) ? much : little;
      const senders = waiting.get(key);
      if (senders === undefined) waiting.set(key, [sender]);
      else senders.push(sender);
      if (!isScheduled) schedule();
    },
    join(frames, bytes) {
      if (last === undefined || !isSame(last.frames, frames)) {
        last = { frames };
        return undefined;
      }
      return bytes > joinedBytes ? undefined : (last.joined ??= Buffer.concat(frames, bytes));
    },
  };
}

function isSame(frames: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return frames.length === others.length && frames.every((frame, index) => frame === others[index]);
}
