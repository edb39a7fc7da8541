import { dataCategories, requestLimits } from "@latchkey/protocol/desk";
import type { NoticeOwner, PreservationTerms, RequestCalendar, RequestTimes, RequestTypeChange } from "@latchkey/protocol/desk";
import { caseReaders } from "../case-operations.ts";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";
import type { Asker, Done, OfficeParts, Operations } from "../operations.ts";
import { isPeriod, isZone, parseDate } from "./periods.ts";
import type { TypeTable } from "./type-table.ts";

const owners = ["us", "authority", "none"] as const satisfies readonly NoticeOwner[];
const times = ["notBefore", "deadline", "emergencyDeadline", "extension", "validation"] as const;
const longestId = 60;

/** The table of types and the calendar. Every change is in the trail, with the row as it counts then. */
export function typeOperations({ trail, transaction }: OfficeParts, types: TypeTable): Operations {
  const readers = [...caseReaders, "administrator"] as const;
  return {
    "request-types": {
      roles: readers,
      run(input: Input): Done {
        input.end();
        return { body: { types: types.list() } };
      },
    },
    "request-type-set": {
      roles: ["administrator"],
      run(input: Input, { staff, nowMs }: Asker): Done {
        const id = input.text("id", { most: longestId });
        const change = input.has("change") ? readChange(input.object("change")) : undefined;
        input.end();
        const type = transaction(() => {
          const set = types.set(id, change, { by: staff.name, nowMs });
          const details = { type: id, ...(change === undefined ? { isAsItCame: true } : { change: JSON.stringify(change) }) };
          trail.append({ actor: staff.name, act: "request type changed", details }, nowMs);
          return set;
        });
        return { body: { type } };
      },
    },
    "request-calendar": {
      roles: readers,
      run(input: Input): Done {
        input.end();
        return { body: { calendar: types.calendar() } };
      },
    },
    "request-calendar-set": {
      roles: ["administrator"],
      run(input: Input, { staff, nowMs }: Asker): Done {
        const calendar = readCalendar(input.object("calendar"));
        input.end();
        transaction(() => {
          types.setCalendar(calendar);
          trail.append({ actor: staff.name, act: "calendar of requests changed", details: { ...calendar } }, nowMs);
        });
        return { body: { calendar } };
      },
    },
  };
}

function readCalendar(input: Input): RequestCalendar {
  const zone = input.text("zone", { most: 64 });
  const holidays = input.texts("holidays", { most: requestLimits.holidays, pattern: /^\d{4}-\d{2}-\d{2}$/ });
  input.end();
  if (!isZone(zone) || holidays.some((day) => parseDate(day) === undefined)) throw new DeskError("malformed");
  return { zone, holidays: holidays.toSorted() };
}

function readChange(input: Input): RequestTypeChange {
  const change: RequestTypeChange = {
    ...(input.has("basis") ? { basis: input.text("basis", { most: requestLimits.line }) } : {}),
    ...(input.has("source") ? { source: input.text("source", { most: requestLimits.line }) } : {}),
    ...(input.has("checkedOn") ? { checkedOn: readDay(input, "checkedOn") } : {}),
    ...(input.has("isChecked") ? { isChecked: input.flag("isChecked") } : {}),
    ...(input.has("categories") ? { categories: input.choices("categories", dataCategories) } : {}),
    ...(input.has("times") ? { times: readTimes(input.object("times")) } : {}),
    ...(input.has("notice") ? { notice: input.choice("notice", owners) } : {}),
    ...(input.has("secrecy") ? { secrecy: readSecrecy(input.object("secrecy")) } : {}),
    ...(input.has("remark") ? { remark: input.text("remark", { most: requestLimits.words }) } : {}),
    ...(input.has("preservation") ? { preservation: input.isNull("preservation") ? null : readTerms(input.object("preservation")) } : {}),
  };
  input.end();
  return change;
}

function readTimes(input: Input): RequestTimes {
  const found = Object.fromEntries(times.filter((name) => input.has(name)).map((name) => [name, readPeriod(input, name)]));
  const isIfNotified = input.has("isNotBeforeIfNotified") ? { isNotBeforeIfNotified: input.flag("isNotBeforeIfNotified") } : {};
  input.end();
  return { ...found, ...isIfNotified };
}

function readTerms(input: Input): PreservationTerms {
  const terms: PreservationTerms = {
    isAtIntake: input.flag("isAtIntake"),
    period: readPeriod(input, "period"),
    ...(input.has("extension") ? { extension: readPeriod(input, "extension") } : {}),
    extensions: input.whole("extensions", { least: 0, most: 20 }),
  };
  input.end();
  return terms;
}

function readSecrecy(input: Input): { isDefault: boolean; reviewDays: number } {
  const secrecy = {
    isDefault: input.flag("isDefault"),
    reviewDays: input.whole("reviewDays", { least: 1, most: requestLimits.reviewDays }),
  };
  input.end();
  return secrecy;
}

function readPeriod(input: Input, name: string): string {
  const period = input.text(name, { most: 12 });
  if (!isPeriod(period)) throw new DeskError("malformed");
  return period;
}

function readDay(input: Input, name: string): string {
  const day = input.text(name, { most: 10 });
  if (parseDate(day) === undefined) throw new DeskError("malformed");
  return day;
}
