import { encryptApplicationMessage, nextGeneration, ownLeafIndex } from "@latchkey/mls";
import type { GroupState } from "@latchkey/mls";
import {
  createLeaveContent,
  createProfileContent,
  decodeContent,
  entryId,
  paddedFileBytes,
  sealedFileBytes,
  seenMarkOf,
  zeroHash,
} from "@latchkey/protocol";
import type { ContentBody, ContentHead, DecodedHead, NamedBlob } from "@latchkey/protocol";
import { sealEnvelope } from "../group/envelope.ts";
import { isBetween, sendArrival } from "./arrival.ts";
import { heardClosed } from "./closed-epochs.ts";
import { stageNextChange } from "./changes.ts";
import { leafMark } from "./leaving.ts";
import { pictureNames } from "./pictures.ts";
import { isBlocked, planUnblocking } from "./skipped.ts";
import { dropOutgoing, isCaughtUp, isSaid, set, setOutgoing } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { OwnMark } from "./said.ts";
import type { ConversationState, Outgoing, SealedMessage, Stranded } from "./types.ts";
import { authenticatedData, contentIdOf } from "./view.ts";
import { hasWords, isToSend } from "./waits-with.ts";
import { isReading } from "./phase.ts";
import { maxUndoMs } from "../api/limits.ts";

/** Messages that may wait for their acknowledgement at a time. */
const inFlight = 64;
const nothing = new Uint8Array(0);

/** Everything that can go out now goes out; called at the end of each step. */
export async function flush(turn: Turn): Promise<void> {
  const { phase, link, epoch, chain } = turn.state;
  if (epoch === undefined) return;
  if (phase.kind === "creating" && epoch.epochId === 0 && link.kind === "up") {
    set(turn, { link: { ...link, kind: "opening", opened: { epochId: 0, closed: [] } } });
    turn.effects.push({ kind: "create", accessHash: turn.context.sha256(epoch.access) });
    return;
  }
  if (!isReading(phase)) return;
  if (link.kind === "up") {
    const { epochId, access } = epoch;
    const closed = heardClosed(turn.state, turn.context.nowMs);
    const opened = { epochId, closed: closed.map((other) => other.epochId) };
    set(turn, { link: { ...link, kind: "opening", opened } });
    turn.effects.push({ kind: "open", epochId, access, afterSeq: chain.seq, closed });
    return;
  }
  if (!isCaughtUp(turn.state)) return;
  if (turn.state.stranded !== undefined) {
    sendComplaint(turn, turn.state.stranded);
    return;
  }
  sendArrival(turn);
  sendSealed(turn);
  // While a commit of one's own is on its way, a message would be for an epoch that may be over.
  if (turn.state.staged !== undefined || phase.kind === "superseded") return;
  await prepare(turn);
  scheduleUndo(turn);
}

/** Asks to be let back in: nothing else is sent meanwhile (spec G-4). */
function sendComplaint(turn: Turn, { entry, complainers }: Stranded): void {
  const { link, roster } = turn.state;
  const isWritten = roster?.own !== undefined && complainers.includes(roster.own.leafIndex);
  if (entry === undefined || isWritten || link.complainedIn === link.attempt) return;
  set(turn, { link: { ...link, complainedIn: link.attempt } });
  turn.effects.push({ kind: "append", entry, entryKind: "complaint" });
}

/** Sends what is sealed and was not sent on this connection: the same bytes as before (spec L-6). */
function sendSealed(turn: Turn): void {
  const { outgoing, link, staged } = turn.state;
  const isDue = (item: Outgoing): boolean =>
    item.sealed !== undefined && item.accepted === undefined && item.failure === undefined && item.sentIn !== link.attempt;
  if (outgoing.some((item) => isDue(item))) {
    for (const item of outgoing)
      if (item.sealed !== undefined && isDue(item)) turn.effects.push({ kind: "append", entry: item.sealed, entryKind: "message" });
    set(turn, { outgoing: outgoing.map((item) => (isDue(item) ? { ...item, sentIn: link.attempt } : item)) });
  }
  if (staged !== undefined && staged.accepted === undefined && staged.sentIn !== link.attempt) {
    set(turn, { staged: { ...staged, sentIn: link.attempt } });
    const { entry, nextAccessHash, afterSeq } = staged;
    turn.effects.push({ kind: "commit", entry, nextAccessHash, afterSeq });
  }
}

/** Seals waiting messages and makes waiting changes, in the order in which the person asked for them. */
async function prepare(turn: Turn): Promise<void> {
  for (;;) {
    const { outgoing, changes, phase, roster, barred } = turn.state;
    // Of whom a commit is void here, none counts: others go on, and this device with them (spec G-6).
    const isBarred = roster?.own !== undefined && barred.includes(roster.own.leafIndex);
    const change = isBarred ? undefined : changes[0];
    const message = nextMessage(turn);
    if (change !== undefined && (message === undefined || change.order < message.order)) {
      await stageNextChange(turn);
      if (turn.state.staged !== undefined) {
        sendSealed(turn);
        return;
      }
      continue;
    }
    if (phase.kind === "creating") {
      // The first members are in, or there are none to add.
      set(turn, { phase: { kind: "active" } });
      continue;
    }
    const flying = outgoing.filter((item) => item.sealed !== undefined && item.accepted === undefined).length;
    // What was on its way when a commit came that nobody follows waits for the next epoch too.
    if (isBlocked(turn.state) && (message !== undefined || flying > 0)) {
      if (!isBarred) planUnblocking(turn);
      return;
    }
    if (message === undefined || flying >= inFlight) return;
    if (isOutdated(turn, message)) setOutgoing(turn, message.id, { failure: "members_changed" });
    else await sealOrGiveUp(turn, message);
  }
}

/** Whether something in this conversation holds messages back (spec M-3, G-5, G-8, A-1). */
export function isHolding(state: ConversationState): boolean {
  const { leavers, departed, unverified, recovered } = state;
  return isBetween(state) || leavers.length > 0 || departed.length > 0 || unverified.length > 0 || recovered.length > 0;
}

/** The next message to seal, unless something holds messages back. */
function nextMessage(turn: Turn): Outgoing | undefined {
  const { outgoing, link } = turn.state;
  if (link.heldIn === link.attempt) return undefined;
  const isHeld = turn.context.isHeld || isHolding(turn.state);
  const isFree = (item: Outgoing): boolean => item.sealed === undefined && (!isHeld || item.purpose === "leave");
  const kept = [firstUndoable(turn.state, turn.context.nowMs), firstUploading(turn.state)].filter((item) => item !== undefined);
  // What was said after it is not said before it.
  const isAfter = (item: Outgoing): boolean => isSaid(item) && kept.some(({ order }) => item.order >= order);
  return outgoing.find((item) => isFree(item) && !isAfter(item) && isToSend(turn.state, item));
}

/** The first message that its author may still take back. Who leaves wants all of it said before; a clock that was set back holds up nothing. */
function firstUndoable({ outgoing, phase }: ConversationState, nowMs: number): Outgoing | undefined {
  if (phase.kind === "leaving") return undefined;
  return outgoing.find(({ sealed, failure, undoUntilMs }) => {
    const leftMs = undoUntilMs - nowMs;
    return sealed === undefined && failure === undefined && leftMs > 0 && leftMs <= maxUndoMs;
  });
}

/** The first message whose files are not all at the host (spec X-23). */
function firstUploading({ outgoing }: ConversationState): Outgoing | undefined {
  return outgoing.find(({ sealed, failure, uploads }) => sealed === undefined && failure === undefined && uploads.length > 0);
}

/** Goes on when the first message that waits for it cannot be taken back any more. */
function scheduleUndo(turn: Turn): void {
  const undoable = firstUndoable(turn.state, turn.context.nowMs);
  if (undoable === undefined) return;
  turn.effects.push({ kind: "schedule", name: "undo", delayMs: undoable.undoUntilMs - turn.context.nowMs });
}

/** Somebody was added since this was written: it goes to them only if the person says so (spec L-4, attack A7). */
function isOutdated(turn: Turn, message: Outgoing): boolean {
  return message.rosterAdds !== turn.state.rosterAdds && hasWords(message);
}

/**
 * Records lie beside the message, where members find them (spec D-5); the message itself says who it is. Who leaves says of which leaf,
 * which is known when it is sealed (M-3).
 */
function plaintextOf({ context }: Turn, group: GroupState, message: Outgoing): Uint8Array {
  const head = (): ContentHead => ({ salt: context.random(16), sentAtMs: message.composedAtMs });
  switch (message.purpose) {
    case "account":
      return createProfileContent({ ...head(), displayName: message.text });
    case "leave": {
      const leaf = leafMark(context.sha256, group, ownLeafIndex(group));
      if (leaf === undefined) throw new Error("a member has a leaf");
      return createLeaveContent({ ...head(), leaf });
    }
    default:
      return message.content;
  }
}

/** The newest message of one's own that was sealed: those on their way come after those in the log. */
function newestOwn({ own, outgoing }: ConversationState): OwnMark {
  return outgoing.reduce((newest, { sealed }) => (sealed !== undefined && sealed.own.number > newest.number ? sealed.own : newest), own);
}

/** What cannot be sealed for a reason of its own keeps back nothing behind it: the person reads it of a text (spec E-17). */
async function sealOrGiveUp(turn: Turn, message: Outgoing): Promise<void> {
  try {
    await seal(turn, message);
  } catch (error) {
    if (message.purpose === "leave") throw error;
    if (isSaid(message)) setOutgoing(turn, message.id, { failure: "message_too_large" });
    else dropOutgoing(turn, ({ id }) => id === message.id);
  }
}

async function seal(turn: Turn, message: Outgoing): Promise<void> {
  const { group, epoch, logId, link, chain } = turn.state;
  if (group === undefined || epoch === undefined) return;
  const { random, sha256, self } = turn.context;
  const plaintext = plaintextOf(turn, group, message);
  const previous = newestOwn(turn.state);
  const number = previous.number + 1;
  const encrypted = await encryptApplicationMessage(group, {
    plaintext,
    authenticatedData: authenticatedData(turn, { generation: nextGeneration(group), number, previous }),
    random,
  });
  const content = decodeContent(plaintext);
  if (content.kind === "malformed") throw new Error("content of one's own is well-formed");
  const directoryProofs = message.purpose === "account" ? message.content : new Uint8Array(0);
  const body = { seq: chain.seq, mlsMessage: encrypted.message, directoryProofs, settings: nothing, complaint: nothing, leaves: nothing };
  const { epochId } = epoch;
  const names = namesIn(content);
  const { blob, external } = sealEnvelope({ key: epoch.envelope, logId, epochId, kind: "message", body, names, random, sha256 });
  const blobs = external === undefined ? [] : [{ blobId: external.reference.blobId, ciphertext: external.ciphertext }];
  const entry: SealedMessage = {
    entryId: entryId(sha256, { epochId, kind: "message", nextAccessHash: zeroHash, blob }),
    epochId,
    blob,
    blobs,
    evidence: encrypted.evidence,
    own: { number, mark: seenMarkOf(sha256, contentIdOf(turn.state, sha256, { sender: self, content: plaintext, salt: content.salt })) },
  };
  set(turn, {
    group: encrypted.state,
    outgoing: turn.state.outgoing.map((item) => (item.id === message.id ? { ...item, sealed: entry, sentIn: link.attempt } : item)),
  });
  turn.effects.push({ kind: "append", entry, entryKind: "message" });
}

/** The blobs that content needs, which the entry names (spec L-15), and that of the picture that it tells. */
function namesIn(content: ContentBody & DecodedHead): readonly NamedBlob[] {
  if (content.kind === "history") return [content.archive];
  const pictures = pictureNames(content.picture);
  if (content.kind !== "text") return pictures;
  const files = (content.files ?? []).map(({ blobId, hash, sizeBytes }) => ({
    blobId,
    hash,
    sizeBytes: sealedFileBytes(paddedFileBytes(sizeBytes)),
  }));
  return [...files, ...pictures];
}
