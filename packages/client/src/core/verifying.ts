import { equalBytes, toBase64Url } from "@latchkey/codec";
import { removeOwnGhosts } from "./changes.ts";
import { noteDeparted } from "./departed.ts";
import { verify } from "./proven.ts";
import { addLine, nextOrder, refusedLeafSentence, set } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Input, UnverifiedLeaf } from "./types.ts";

/** A leaf of which a look-up told nothing is asked about again after this time, which doubles with each of them. */
const firstDelayMs = 30_000;
const maxDelayMs = 600_000;

/**
 * Asks about every leaf whose time has come, and plans the next time. The most asked about come first: however many there are, and however
 * slowly their host answers, some are told of after minutes (spec G-9).
 */
export function verifyDue(turn: Turn): void {
  const { unverified, link } = turn.state;
  // Who is offline asks once they are not, and of nobody it counts that they were not told.
  if (link.kind === "down") return;
  const waits = openIn(unverified).map((leaf) => ({ leaf, ms: waitMs(leaf, turn.context.nowMs) }));
  const due = waits.filter(({ ms }) => ms === 0).map(({ leaf }) => leaf);
  verify(
    turn,
    due.toSorted((a, b) => b.tries - a.tries),
  );
  const later = waits.filter(({ ms }) => ms > 0).map(({ ms }) => ms);
  if (later.length > 0) turn.effects.push({ kind: "schedule", name: "verify", delayMs: Math.min(...later) });
}

function openIn(unverified: readonly UnverifiedLeaf[]): readonly UnverifiedLeaf[] {
  return unverified.filter(({ refused }) => !refused);
}

/** How long until it is asked about again. */
function waitMs({ tries, askedAtMs }: UnverifiedLeaf, nowMs: number): number {
  // A clock that was set back makes nobody wait.
  if (tries === 0 || nowMs < askedAtMs) return 0;
  return Math.max(0, askedAtMs + Math.min(maxDelayMs, firstDelayMs * 2 ** (tries - 1)) - nowMs);
}

/** Takes what look-ups told of leaves. */
export function onVerified(turn: Turn, { verdicts }: Extract<Input, { kind: "verified" }>): void {
  const { unverified, roster, departed, link } = turn.state;
  const { nowMs } = turn.context;
  const next = unverified.flatMap((leaf): readonly UnverifiedLeaf[] => {
    const found = verdicts.find(
      ({ leafIndex, signaturePublicKey }) => leafIndex === leaf.leafIndex && equalBytes(signaturePublicKey, leaf.signaturePublicKey),
    );
    if (found?.verdict === "refused") return [{ ...leaf, refused: true }];
    if (found?.verdict !== "unknown") return found === undefined ? [leaf] : [];
    const counts = link.kind !== "down" && waitMs(leaf, nowMs) === 0;
    return [counts ? { ...leaf, tries: leaf.tries + 1, askedAtMs: nowMs } : leaf];
  });
  const gone = verdicts.flatMap(({ verdict, leafIndex }) => (verdict === "departed" ? (roster?.leaves.get(leafIndex) ?? []) : []));
  for (const [at, leaf] of next.entries()) {
    const before = unverified.find((other) => other.leafIndex === leaf.leafIndex);
    if (!leaf.refused || before?.refused === true) continue;
    const reason = refusedLeafSentence;
    addLine(turn, { order: nextOrder(turn) + at, author: leaf.accountId, body: { kind: "alarm", reason } });
    turn.effects.push({
      kind: "alarm",
      code: "device_unproven",
      reason,
      about: `device ${toBase64Url(leaf.accountId)} ${toBase64Url(leaf.deviceId)}`,
      accountId: leaf.accountId,
    });
  }
  set(turn, { unverified: next });
  removeOwnGhosts(turn);
  if (gone.length > 0) noteDeparted(turn, [...departed.flatMap(({ leafIndex }) => roster?.leaves.get(leafIndex) ?? []), ...gone]);
  verifyDue(turn);
}
