import { decode } from "@latchkey/codec";
import { bands, countRecordCodec, defaultPolicy, periodOf, periodText, policyLimits, slotCounts } from "@latchkey/counts";
import type { CountPolicy } from "@latchkey/counts";
import { deskPageSize, maxClearanceDocument } from "@latchkey/protocol/desk";
import type { CountingChoice, CountingPolicies, SealedCount } from "@latchkey/protocol/desk";
import { dayOf, dayText } from "../../../days.ts";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";
import type { Asker, Done, OfficeParts, Operations } from "../operations.ts";
import type { CountTable, StoredRecord } from "./count-table.ts";

/** What an administrator does about counting in public (spec K-1, K-4): choices for half-years to come, and clearances. All of it stands in the trail. */
export function countOperations({ trail, transaction }: OfficeParts, table: CountTable): Operations {
  const policies = (nowMs: number): CountingPolicies => {
    const now = table.policy(periodOf(nowMs));
    const newest = table.periods().at(-1);
    const first = { period: periodOf(nowMs), firstBatch: 0 };
    const next = table.wish() ?? (newest === undefined ? undefined : table.policy(newest)) ?? defaultPolicy(first);
    return {
      ...(now === undefined ? {} : { now: choiceOf(now) }),
      next: choiceOf(next),
      nextPeriod: periodText(newest === undefined ? first.period : newest + 1),
      bands,
    };
  };
  return {
    "counts-policy-get": {
      roles: ["administrator"],
      run(input: Input, asker: Asker): Done {
        input.end();
        return { body: policies(asker.nowMs) };
      },
    },
    "counts-policy-set": {
      roles: ["administrator"],
      run(input: Input, asker: Asker): Done {
        const policy = readChoice(input.object("policy"));
        input.end();
        transaction(() => {
          table.setWish(policy);
          const { sealed, slots, everyDays, delayPeriods } = policy;
          const details = { sealed, slots, everyDays, delayPeriods, band: policy.band };
          trail.append({ actor: asker.staff.name, act: "counting chosen", details }, asker.nowMs);
        });
        return { body: policies(asker.nowMs) };
      },
    },
    "counts-list": {
      roles: ["administrator"],
      run(input: Input): Done {
        const after = input.whole("after", { least: 0, most: Number.MAX_SAFE_INTEGER });
        input.end();
        const records = table.sealed({ after, most: deskPageSize });
        const last = records.at(-1);
        const next = records.length === deskPageSize && last !== undefined ? { next: last.id } : {};
        const waiting = { sealed: table.countWaiting("secret"), others: table.countWaiting("request") + table.countWaiting("notice") };
        return { body: { sealed: records.map(shown), ...next, waiting } };
      },
    },
    "counts-clear": {
      roles: ["administrator"],
      run(input: Input, asker: Asker): Done {
        const id = input.whole("id", { least: 1, most: Number.MAX_SAFE_INTEGER });
        const isNever = input.has("isNever") && input.flag("isNever");
        const document = isNever ? "" : input.text("document", { most: maxClearanceDocument });
        input.end();
        return transaction(() => {
          const record = table.record(id);
          if (record === undefined || !record.isSecret) throw new DeskError("not_found");
          // What everybody has read, and what was sealed for good, stays as it is.
          if (record.opened !== undefined || record.isNever) throw new DeskError("changed");
          if (isNever) table.setNever(id);
          else table.clear(id, { day: dayOf(asker.nowMs), document, by: asker.staff.name });
          const details = { record: id, of: record.ref, ...(isNever ? {} : { document }) };
          trail.append({ actor: asker.staff.name, act: isNever ? "count sealed for good" : "count cleared", details }, asker.nowMs);
          return { body: { sealed: shown(table.record(id) ?? record) } };
        });
      },
    },
  };
}

function choiceOf({ everyDays, hour, slots, sealed, openingDays, delayPeriods, smallNumber, band }: CountPolicy): CountingChoice {
  return { everyDays, hour, slots, sealed, openingDays, delayPeriods, smallNumber, band };
}

/** A policy as it was chosen, one that can be kept. @throws DeskError `malformed` */
function readChoice(input: Input): CountPolicy {
  const policy: CountPolicy = {
    ...defaultPolicy({ period: 0, firstBatch: 0 }),
    everyDays: everyDaysOf(input.whole("everyDays", { least: 1, most: 7 })),
    hour: input.whole("hour", { least: 0, most: 23 }),
    slots: slotsOf(input.whole("slots", { least: 4, most: 64 })),
    sealed: input.whole("sealed", { least: 0, most: 62 }),
    openingDays: input.whole("openingDays", { least: 1, most: policyLimits.openingDays }),
    delayPeriods: input.whole("delayPeriods", { least: 0, most: policyLimits.delayPeriods }),
    smallNumber: input.whole("smallNumber", { least: 0, most: policyLimits.smallNumber }),
    band: input.choice("band", bands),
  };
  input.end();
  if (policy.sealed > policy.slots - 2) throw new DeskError("malformed");
  return policy;
}

function everyDaysOf(days: number): CountPolicy["everyDays"] {
  if (days !== 1 && days !== 7) throw new DeskError("malformed");
  return days;
}

function slotsOf(number: number): CountPolicy["slots"] {
  const slots = slotCounts.find((one) => one === number);
  if (slots === undefined) throw new DeskError("malformed");
  return slots;
}

function shown({ id, ref, atMs, record, at, isNever, clearance }: StoredRecord): SealedCount {
  const { kind } = decode(countRecordCodec, record);
  return {
    id,
    of: ref,
    what: kind === "arrival" ? "arrival" : "outcome",
    atMs,
    ...(at === undefined ? {} : { period: periodText(at.period), batch: at.batch }),
    isNever,
    ...(clearance === undefined ? {} : { clearance: shownClearance(clearance) }),
  };
}

function shownClearance({ day, document, by }: NonNullable<StoredRecord["clearance"]>): NonNullable<SealedCount["clearance"]> {
  return { day: dayText(day), document, ...(by === undefined ? {} : { by }) };
}
