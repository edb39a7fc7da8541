import type { DeviceRecord, KeyRecord, MemberVerification } from "@latchkey/client";

const recentMs = 7 * 86_400_000;

/** What holds for the keys of several people together: the weakest of each. */
export interface RecordSummary extends KeyRecord {
  readonly count: number;
  readonly unchecked: number;
}

const rank: Readonly<Record<KeyRecord["status"], number>> = { unchecked: 0, unwatched: 1, checked: 2 };

/** The records of several people as one: the worst status, the oldest check, the fewest witnesses. `undefined` for nobody. */
export function summarizeRecords(members: readonly MemberVerification[]): RecordSummary | undefined {
  const [first, ...rest] = members.map(({ record }) => record);
  if (first === undefined) return undefined;
  let summary: KeyRecord = first;
  for (const record of rest) {
    summary = {
      sinceMs: Math.max(summary.sinceMs, record.sinceMs),
      checkedAtMs: Math.min(summary.checkedAtMs, record.checkedAtMs),
      witnesses: Math.min(summary.witnesses, record.witnesses),
      required: Math.max(summary.required, record.required),
      status: rank[record.status] < rank[summary.status] ? record.status : summary.status,
    };
  }
  return { ...summary, count: members.length, unchecked: members.filter(({ record }) => record.status === "unchecked").length };
}

/** Whom to look at first: changed marks, then who said what is not so and devices that do not belong, then unchecked keys, then by name. */
export function sortByConcern(members: readonly MemberVerification[]): readonly MemberVerification[] {
  return [...members].sort((a, b) => concern(b) - concern(a) || a.person.displayName.localeCompare(b.person.displayName));
}

/** Whether a device came to an account lately, which had others before. */
export function isNewDevice(device: DeviceRecord, devices: readonly DeviceRecord[], nowMs: number): boolean {
  if (device.addedAtMs === 0 || nowMs - device.addedAtMs >= recentMs) return false;
  return devices.some(({ addedAtMs }) => addedAtMs > 0 && addedAtMs < device.addedAtMs);
}

function concern({ mark, record, devices, falseWord }: MemberVerification): number {
  if (mark === "changed") return 3;
  if (falseWord !== undefined) return 2;
  if (devices.some(({ inAccount }) => !inAccount)) return 2;
  return record.status === "unchecked" ? 1 : 0;
}
