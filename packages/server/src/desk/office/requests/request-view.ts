import type { RequestDetail, RequestNotice, RequestPreservation, RequestSummary } from "@latchkey/protocol/desk";
import { dayText } from "../../../days.ts";
import type { Asker } from "../operations.ts";
import { nextDue } from "./clocks.ts";
import { clocksOfRequest, scopeOf } from "./request-body.ts";
import type { StoredRequest } from "./request-body.ts";
import type { RequestParts } from "./request-office.ts";
import { isPossible, mayOf } from "./request-states.ts";

/** A request as somebody of the desk is shown it. */
export type RequestView = (request: StoredRequest, asker: Asker) => RequestDetail;

const mostTasks = 200;

/** A request in the queue. */
export function summaryOf({ tasks }: Pick<RequestParts, "tasks">, request: StoredRequest): RequestSummary {
  const { number, revision, state, body } = request;
  const { type, intake } = body;
  const isOver = state === "released" || state === "refused" || state === "closed";
  const due = isOver ? undefined : nextDue(clocksOfRequest(request));
  return {
    number,
    revision,
    state,
    type: type.id,
    title: type.title,
    kind: type.kind,
    authority: intake.authority.name,
    country: intake.authority.country,
    receivedAtMs: intake.receivedAtMs,
    isEmergency: intake.isEmergency,
    ...(due === undefined ? {} : { due }),
    tasks: tasks.count(number),
  };
}

/** Shows requests. */
export function requestView(parts: RequestParts): RequestView {
  const { requests, tasks, letters, files, others } = parts;
  return (request, asker) => {
    const { number, body, erasedDay } = request;
    const { type, intake, verification, scope, challenge, refusal, extension, signOff, subjects } = body;
    const clocks = clocksOfRequest(request);
    const preservation = preservationOf(request, clocks);
    const release = first(others, (other) => other.release?.(request, asker));
    const notOurs: RequestNotice = { owner: type.notice, state: type.notice === "us" ? "not-due" : "not-ours" };
    return {
      ...summaryOf(parts, request),
      intake,
      isTypeChecked: type.isChecked,
      clocks,
      ...(verification === undefined ? {} : { verification }),
      ...(scope === undefined ? {} : { scope: scopeOf(request) }),
      ...(challenge === undefined ? {} : { challenge }),
      ...(refusal === undefined ? {} : { refusal }),
      ...(extension === undefined ? {} : { extension }),
      ...(signOff === undefined ? {} : { signOff }),
      subjects: intake.identifiers.map((identifier, at) => {
        const known = subjects.find(({ place }) => place === at + 1);
        if (known === undefined) return { ...identifier, place: at + 1 };
        const { place, ...found } = known;
        return { ...identifier, place, found };
      }),
      ...(preservation === undefined ? {} : { preservation }),
      keptForOthers: others.flatMap((other) => other.keptForOthers?.(request, asker) ?? []),
      files: files.list(request),
      letters: letters.list(number),
      openTasks: tasks.list({ number, nowMs: asker.nowMs, most: mostTasks }),
      ...(release === undefined ? {} : { release }),
      notice: first(others, (other) => other.notice?.(request)) ?? notOurs,
      events: requests.events(request),
      ...(erasedDay === undefined ? {} : { erasedDay: dayText(erasedDay) }),
      may: [...mayOf(request, asker.staff.roles), ...others.flatMap((other) => other.may?.(request, asker) ?? [])],
    };
  };
}

function preservationOf(request: StoredRequest, clocks: RequestDetail["clocks"]): RequestPreservation | undefined {
  const { preservation, verification } = request.body;
  if (preservation === undefined) return undefined;
  const { state, fromMs, extensions, endedWhy } = preservation;
  const isSaid = state === "over" || verification !== undefined;
  return {
    // Whether there is such an account nobody learns by asking for its copy.
    state: isSaid ? state : "asked",
    fromMs,
    untilMs: clocks.find(({ kind }) => kind === "preservation")?.atMs ?? fromMs,
    extensions,
    mayExtend: isPossible(request, "request-preservation-extend"),
    ...(endedWhy === undefined ? {} : { endedWhy }),
  };
}

function first<Part, Value>(parts: readonly Part[], read: (part: Part) => Value | undefined): Value | undefined {
  for (const part of parts) {
    const value = read(part);
    if (value !== undefined) return value;
  }
  return undefined;
}
