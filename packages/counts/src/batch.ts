import { openRoom } from "./policy.ts";
import type { CountPolicy } from "./policy.ts";
import type { TrailRecord } from "./records.ts";
import { batchRoot, derivedSalt, encodeRecord, slotHash } from "./slots.ts";

/** A record that waits for a slot, with its own salt. */
export interface WaitingRecord {
  readonly salt: Uint8Array;
  /** Encoded. */
  readonly record: Uint8Array;
}

/** A slot as who made it knows it. */
export interface MadeSlot extends WaitingRecord {
  readonly hash: Uint8Array;
  /** What it holds: the trail, a dummy, or the `from`th of the records that were given. */
  readonly holds: { readonly kind: "trail" | "none" } | { readonly kind: "record"; readonly from: number };
}

/** How many of those that wait go into one batch: of secret ones as many as stay sealed, of the others what is left beside the trail. */
export function admitted(policy: Pick<CountPolicy, "slots" | "sealed">): { readonly secret: number; readonly other: number } {
  return { secret: policy.sealed, other: openRoom(policy) };
}

/**
 * Who of those that wait and are not secret has which share of a batch for sure: requests all of its room but one slot, reports that one, where
 * there are two. Nobody who reports without end has requests wait for a later half-year, and no request has reports wait for ever (spec K-2).
 */
export function sharesOf(policy: Pick<CountPolicy, "slots" | "sealed">): { readonly request: number; readonly notice: number } {
  const room = openRoom(policy);
  const request = Math.max(1, room - 1);
  return { request, notice: room - request };
}

/**
 * Fills a batch: the trail, what waits, and dummies, in an order that says nothing (spec K-2).
 * @param params `records` as many as `admitted` allows; `below` answers a random number from 0 to before its argument
 */
export function makeBatch(params: {
  readonly policy: Pick<CountPolicy, "slots">;
  readonly batch: number;
  readonly seed: Uint8Array;
  readonly trail: Omit<TrailRecord, "kind">;
  readonly records: readonly WaitingRecord[];
  below(bound: number): number;
}): { readonly slots: readonly MadeSlot[]; readonly root: Uint8Array } {
  const { policy, batch, seed, trail, records, below } = params;
  if (records.length >= policy.slots) throw new Error("more records than a batch has slots");
  const order: MadeSlot["holds"][] = Array.from({ length: policy.slots }, (_, at) => {
    if (at === 0) return { kind: "trail" };
    return at <= records.length ? { kind: "record", from: at - 1 } : { kind: "none" };
  });
  // Fisher and Yates.
  for (let at = order.length - 1; at > 0; at--) {
    const other = below(at + 1);
    const [a, b] = [order[at], order[other]];
    if (a === undefined || b === undefined) throw new Error("a random number is out of its bounds");
    order[at] = b;
    order[other] = a;
  }
  const trailBytes = encodeRecord({ kind: "trail", ...trail });
  const noBytes = encodeRecord({ kind: "none" });
  const slots = order.map((holds, slot): MadeSlot => {
    const given = holds.kind === "record" ? records[holds.from] : undefined;
    const salt = given?.salt ?? derivedSalt(seed, batch, slot);
    const record = given?.record ?? (holds.kind === "trail" ? trailBytes : noBytes);
    return { salt, record, holds, hash: slotHash(salt, record) };
  });
  return { slots, root: batchRoot(slots.map(({ hash }) => hash)) };
}
