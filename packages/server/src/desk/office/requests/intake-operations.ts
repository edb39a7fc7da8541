import { requestLimits, requestStates } from "@latchkey/protocol/desk";
import type { RequestIntake } from "@latchkey/protocol/desk";
import { caseReaders } from "../case-operations.ts";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";
import type { Asker, Done, Operations } from "../operations.ts";
import { clocksOf } from "./clocks.ts";
import { importEpoc } from "./epoc/import-epoc.ts";
import { readIntake } from "./intake-input.ts";
import { readNumber, readRequestAt } from "./read-request.ts";
import type { RequestBody } from "./request-body.ts";
import { record } from "./request-office.ts";
import type { RequestParts } from "./request-office.ts";
import { intakeRoles, statesOf } from "./request-states.ts";
import { closableTasks } from "./request-tasks.ts";
import { summaryOf } from "./request-view.ts";
import type { RequestView } from "./request-view.ts";
import { readVerification, requireIndependent } from "./verification.ts";

const mostTasks = 500;
const mostId = Number.MAX_SAFE_INTEGER;
/** Open ones: whoever has more has to decide some first. */
const maxOpen = 2000;

/** The queue, opening, importing, correcting, verifying. Whoever reads a request is in the trail. */
export function intakeOperations(parts: RequestParts, view: RequestView): Operations {
  const { requests, tasks, types, trail, transaction } = parts;
  const read = (input: Input, nowMs: number): RequestIntake =>
    readIntake(input.object("intake"), { rowOf: (id) => types.row(id), zone: types.calendar().zone, nowMs });

  return {
    "request-list": {
      roles: caseReaders,
      run(input: Input): Done {
        const states = input.has("states") ? input.choices("states", requestStates) : requestStates;
        const after = input.has("after") ? input.whole("after", { least: 0, most: 1_000_000 }) : 0;
        input.end();
        const { requests: found, isMore } = requests.page({ states, after });
        return { body: { requests: found.map((one) => summaryOf(parts, one)), ...(isMore ? { next: after + found.length } : {}) } };
      },
    },
    "request-get": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const number = readNumber(input);
        input.end();
        const found = requests.require(number);
        transaction(() => trail.append({ actor: asker.staff.name, act: "request read", details: { request: number } }, asker.nowMs));
        return { body: { request: view(found, asker) } };
      },
    },
    "request-tasks": {
      roles: caseReaders,
      run(input: Input, { nowMs }: Asker): Done {
        input.end();
        return { body: { tasks: tasks.list({ nowMs, most: mostTasks }) } };
      },
    },
    "request-task-done": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const number = readNumber(input);
        const id = input.whole("task", { least: 1, most: mostId });
        const text = input.text("words", { most: requestLimits.words });
        input.end();
        const { staff, nowMs } = asker;
        const changed = transaction(() => {
          const request = requests.require(number);
          const task = tasks.find(number, id);
          if (task === undefined) throw new DeskError("not_found");
          if (!closableTasks.includes(task.kind)) throw new DeskError("not_allowed");
          tasks.done(id, nowMs);
          trail.append({ actor: staff.name, act: "request task done", details: { request: number, task: task.kind } }, nowMs);
          return record(parts, request, { kind: "follow-up", by: staff.name, text: `${task.kind}: ${text}`, nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
    "request-clocks": {
      roles: caseReaders,
      run(input: Input, { nowMs }: Asker): Done {
        const intake = read(input, nowMs);
        input.end();
        const type = types.row(intake.type);
        const preservation = type.preservation?.isAtIntake === true ? { preservation: { fromMs: nowMs, extensions: 0 } } : {};
        return { body: { clocks: clocksOf({ type, intake, calendar: types.calendar(), ...preservation }) } };
      },
    },
    "request-import": {
      roles: intakeRoles,
      async run(input: Input, { staff, nowMs }: Asker): Promise<Done> {
        const text = input.document("text", { mostBytes: requestLimits.importBytes });
        input.end();
        const draft = await importEpoc(text, types.calendar().zone);
        transaction(() => trail.append({ actor: staff.name, act: "request document read" }, nowMs));
        return { body: { draft } };
      },
    },
    "request-open": {
      roles: intakeRoles,
      run(input: Input, asker: Asker): Done {
        const { staff, nowMs } = asker;
        const intake = read(input, nowMs);
        input.end();
        const type = types.row(intake.type);
        const isPreserved = type.preservation?.isAtIntake === true;
        const body: RequestBody = {
          intake,
          type,
          calendar: types.calendar(),
          subjects: [],
          ...(isPreserved ? { preservation: { fromMs: nowMs, extensions: 0, state: "asked" } } : {}),
        };
        const opened = transaction(() => {
          if (requests.countOpen() >= maxOpen) throw new DeskError("limit");
          const request = requests.add(body, nowMs);
          const details = { request: request.number, type: type.id, isEmergency: intake.isEmergency, isPreserved };
          trail.append({ actor: staff.name, act: "request received", details }, nowMs);
          const received = record(parts, request, { kind: "received", by: staff.name, nowMs });
          // At once, before anybody knows who asks: what it finds nobody is told until then.
          return isPreserved ? record(parts, received, { kind: "preserved", by: "desk", nowMs }) : received;
        });
        return { body: { request: view(opened, asker) } };
      },
    },
    "request-change": {
      roles: intakeRoles,
      run(input: Input, asker: Asker): Done {
        const { staff, nowMs } = asker;
        const at = readRequestAt(input);
        const intake = read(input, nowMs);
        input.end();
        const changed = transaction(() => {
          const before = requests.requireAt(at, statesOf["request-change"]);
          const { body } = before;
          // Who was verified stays who asks, and what a copy was made for stays what it is.
          const isOther = intake.type !== body.intake.type || !isSamePerson(intake, body.intake) || !isSameSubject(intake, body.intake);
          if (isOther && before.state !== "received") throw new DeskError("not_allowed");
          const isWider = !isSame([intake.categories, intake.period], [body.intake.categories, body.intake.period]);
          const isOfOther = intake.type !== body.intake.type || !isSameSubject(intake, body.intake) || isWider;
          if (body.preservation !== undefined && isOfOther) throw new DeskError("not_allowed");
          // A request keeps the row that it was opened by.
          const type = intake.type === body.intake.type ? body.type : types.row(intake.type);
          const after = requests.change(before, { body: { intake, type } });
          trail.append({ actor: staff.name, act: "request changed", details: { request: at.number } }, nowMs);
          const corrected = record(parts, after, { kind: "changed", by: staff.name, nowMs });
          // Corrected or not, that it is secret, or not any more, is told to whoever goes by it.
          return isSame(intake.secrecy, body.intake.secrecy)
            ? corrected
            : record(parts, corrected, { kind: "secrecy", by: staff.name, nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
    "request-verify": {
      roles: intakeRoles,
      run(input: Input, asker: Asker): Done {
        const { staff, nowMs } = asker;
        const at = readRequestAt(input);
        const verification = readVerification(input.object("verification"));
        input.end();
        const changed = transaction(() => {
          const before = requests.requireAt(at, statesOf["request-verify"]);
          requireIndependent(verification, before.body.intake);
          const after = requests.change(before, {
            state: "verified",
            body: { verification: { ...verification, by: staff.name, atMs: nowMs } },
          });
          trail.append({ actor: staff.name, act: "request verified", details: { request: at.number, how: verification.how } }, nowMs);
          return record(parts, after, { kind: "verified", by: staff.name, text: verification.how, nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
  };
}

function isSamePerson(a: RequestIntake, b: RequestIntake): boolean {
  return isSame([a.authority, a.officer, a.isEmergency], [b.authority, b.officer, b.isEmergency]);
}

function isSameSubject(a: RequestIntake, b: RequestIntake): boolean {
  return isSame(a.identifiers, b.identifiers);
}

/** Both were read by the same code, in the same order of fields. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
