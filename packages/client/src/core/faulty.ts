import { equalBytes } from "@latchkey/codec";
import { complaintReasons, entryId, entryLeaf, entryLeafOf } from "@latchkey/protocol";
import type { EntryEvent } from "@latchkey/protocol";
import { advance } from "./chain.ts";
import { strand } from "./complaints.ts";
import { isReading } from "./phase.ts";
import { openAgain } from "./skipped.ts";
import { addLine, dropOutgoing, nextOrder } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Input } from "./types.ts";

/**
 * Takes in an entry whose processing failed in this app, for a reason of its own. Its place in the chain counts; what it says is lost to this
 * device alone, and that is told: a message by its line, a commit as one that cannot be followed (spec E-17, G-4).
 */
export function onFaulty(turn: Turn, entry: Extract<Input, { kind: "entry" | "sealed" }>): void {
  const { sha256 } = turn.context;
  const { phase, link, chain, logId, epoch, stranded } = turn.state;
  const { event } = entry;
  if (!isReading(phase) || link.kind !== "following" || event.seq !== chain.seq + 1) return;
  if (entry.kind === "sealed") {
    advance(turn, entryLeafOf(sha256, logId, { ...entry.event, kind: entry.event.entryKind }));
    return;
  }
  advance(turn, entryLeaf(sha256, logId, { ...entry.event, kind: entry.event.entryKind }));
  if (event.epochId !== epoch?.epochId) return;
  if (event.entryKind === "message") {
    forgetOwn(turn, entry.event);
    addLine(turn, { order: nextOrder(turn), body: { kind: "unreadable", reason: "This app cannot take it in." } });
  }
  if (event.entryKind !== "commit") return;
  if (stranded !== undefined) openAgain(turn);
  else strand(turn, { event: entry.event, author: undefined, verdict: undefined, reason: complaintReasons.content });
}

/** One's own that waited for its place has it: the same is not sent again. */
function forgetOwn(turn: Turn, event: EntryEvent): void {
  const id = entryId(turn.context.sha256, { ...event, kind: event.entryKind });
  dropOutgoing(turn, ({ sealed }) => sealed !== undefined && equalBytes(sealed.entryId, id));
}
