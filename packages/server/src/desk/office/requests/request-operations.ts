import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import { challengeGrounds, challengeOutcomes, refusalReasons, requestLimits } from "@latchkey/protocol/desk";
import type { RequestEvent, RequestIdentifier } from "@latchkey/protocol/desk";
import { dayOf } from "../../../days.ts";
import { caseReaders } from "../case-operations.ts";
import { DeskError } from "../desk-error.ts";
import type { Input } from "../input.ts";
import type { Asker, Done, Operation, Operations } from "../operations.ts";
import type { AccountQuestion } from "../world.ts";
import { readScope, readSecrecy } from "./intake-input.ts";
import { readNumber, readRequestAt } from "./read-request.ts";
import { clocksOfRequest } from "./request-body.ts";
import type { RequestBody, StoredRequest } from "./request-body.ts";
import { record } from "./request-office.ts";
import type { RequestParts } from "./request-office.ts";
import { intakeRoles, isPossible, statesOf } from "./request-states.ts";
import type { RequestAct } from "./request-states.ts";
import type { RequestView } from "./request-view.ts";

const { words: mostWords, name: mostName } = requestLimits;
const accountIdLength = 32;

/** What an act on a request comes to. */
interface Acted {
  readonly request: StoredRequest;
  readonly kind: RequestEvent["kind"];
  /** For its story. */
  readonly text?: string;
  /** For the trail: no words and no names. */
  readonly details?: Readonly<Record<string, string | number>>;
}

/** What is done with a request once who asks is known: narrowing, disputing, refusing, looking up, preserving, closing. */
export function requestOperations(parts: RequestParts, view: RequestView): Operations {
  const { requests, tasks, trail, transaction, world } = parts;

  /** One act, on the request as it was read, in one transaction with its entry in the trail. */
  const act = <Read>(params: {
    name: RequestAct;
    read: (input: Input, request: StoredRequest, asker: Asker) => Read;
    does: (request: StoredRequest, read: Read, asker: Asker) => Acted;
    roles?: Operation["roles"];
  }): Operation => ({
    roles: params.roles ?? caseReaders,
    run(input: Input, asker: Asker): Done {
      const at = readRequestAt(input);
      const { staff, nowMs } = asker;
      const changed = transaction(() => {
        const before = requests.requireAt(at, statesOf[params.name]);
        const read = params.read(input, before, asker);
        input.end();
        if (!isPossible(before, params.name)) throw new DeskError("changed");
        const { request, kind, text, details = {} } = params.does(before, read, asker);
        trail.append({ actor: staff.name, act: `request ${kind}`, details: { request: at.number, ...details } }, nowMs);
        return record(parts, request, { kind, by: staff.name, ...(text === undefined ? {} : { text }), nowMs });
      });
      return { body: { request: view(changed, asker) } };
    },
  });
  const readWords = (input: Input): string => input.text("words", { most: mostWords });

  return {
    "request-narrow": act({
      name: "request-narrow",
      read: (input, { body }) => ({ scope: readScope(input.object("scope"), body.intake), words: readWords(input) }),
      does: (before, { scope, words }) => ({
        request: requests.change(before, { state: "narrowed", body: { scope } }),
        kind: "narrowed",
        text: words,
        details: { identifiers: scope.identifiers.length, categories: scope.categories.join(" ") },
      }),
    }),
    "request-challenge": act({
      name: "request-challenge",
      read: (input) => ({ ground: input.choice("ground", challengeGrounds), words: readWords(input) }),
      does: (before, said, { staff, nowMs }) => ({
        request: requests.change(before, { state: "challenged", body: { challenge: { ...said, by: staff.name, atMs: nowMs } } }),
        kind: "challenged",
        text: said.words,
        details: { ground: said.ground },
      }),
    }),
    "request-challenge-end": act({
      name: "request-challenge-end",
      read: (input) => ({ outcome: input.choice("outcome", challengeOutcomes), words: readWords(input) }),
      does: (before, { outcome, words }, { staff, nowMs }) => {
        const { challenge: open, scope } = before.body;
        if (open === undefined) throw new Error("what is challenged has a challenge");
        const challenge = { ...open, outcome };
        const isOver = outcome === "withdrawn";
        const refusal = { reason: "withdrawn" as const, words, by: staff.name, atMs: nowMs };
        return {
          request: requests.change(before, {
            state: isOver ? "refused" : scope === undefined ? "verified" : "narrowed",
            body: { challenge, ...(isOver ? { refusal } : {}) },
          }),
          kind: isOver ? "refused" : "challenge-ended",
          text: words,
          details: { outcome },
        };
      },
    }),
    "request-refuse": act({
      name: "request-refuse",
      read: (input) => ({ reason: input.choice("reason", refusalReasons), words: readWords(input) }),
      does: (before, said, { staff, nowMs }) => ({
        request: requests.change(before, {
          state: "refused",
          body: { refusal: { ...said, by: staff.name, atMs: nowMs }, ...withoutCopy(before, said.reason) },
        }),
        kind: "refused",
        text: said.words,
        details: { reason: said.reason },
      }),
    }),
    "request-extend": act({
      name: "request-extend",
      read: readWords,
      does: (before, words, { staff, nowMs }) => {
        const due = clocksOfRequest(before).find(({ kind }) => kind === "deadline");
        // What is over is not put off.
        if (due === undefined || nowMs > due.atMs) throw new DeskError("changed");
        return {
          request: requests.change(before, { body: { extension: { words, by: staff.name, atMs: nowMs } } }),
          kind: "extended",
          text: words,
        };
      },
    }),
    "request-sign-off": act({
      name: "request-sign-off",
      read: (input) => ({ name: input.text("name", { most: mostName }), words: readWords(input) }),
      does: (before, said, { staff, nowMs }) => ({
        request: requests.change(before, { body: { signOff: { ...said, by: staff.name, atMs: nowMs } } }),
        kind: "signed-off",
        text: said.name,
      }),
    }),
    "request-secrecy": act({
      name: "request-secrecy",
      read: (input, { body }, { nowMs }) => {
        const around = { zone: body.calendar.zone, nowMs, reviewDays: body.type.secrecy.reviewDays };
        return { secrecy: readSecrecy(input.object("secrecy"), around), words: readWords(input) };
      },
      does: (before, { secrecy, words }) => ({
        request: requests.change(before, { body: { intake: { ...before.body.intake, secrecy } } }),
        kind: "secrecy",
        text: words,
        details: { secrecy: secrecy.kind },
      }),
    }),
    "request-preserve": act({
      name: "request-preserve",
      roles: intakeRoles,
      read: () => undefined,
      does: (before, _, { nowMs }) => ({
        request: requests.change(before, { body: { preservation: { fromMs: nowMs, extensions: 0, state: "asked" } } }),
        kind: "preserved",
      }),
    }),
    "request-preservation-extend": act({
      name: "request-preservation-extend",
      read: readWords,
      does: (before, words) => {
        const { preservation } = before.body;
        if (preservation === undefined) throw new Error("what is extended is there");
        return {
          request: requests.change(before, { body: { preservation: { ...preservation, extensions: preservation.extensions + 1 } } }),
          kind: "preservation-extended",
          text: words,
        };
      },
    }),
    "request-preservation-end": act({
      name: "request-preservation-end",
      read: readWords,
      does: (before, words) => {
        const { preservation } = before.body;
        if (preservation === undefined) throw new Error("what is ended is there");
        return {
          request: requests.change(before, { body: { preservation: { ...preservation, state: "over", endedWhy: words } } }),
          kind: "preservation-ended",
          text: words,
        };
      },
    }),
    "request-close": act({
      name: "request-close",
      read: (input) => {
        const { least, most, usual } = requestLimits.retentionDays;
        const days = input.has("retentionDays") ? input.whole("retentionDays", { least, most }) : usual;
        return { words: readWords(input), days };
      },
      does: (before, { words, days }, { nowMs }) => {
        const open = tasks.list({ number: before.number, nowMs, most: mostTasks });
        // What was promised in an emergency is not forgotten by closing.
        if (open.some(({ kind }) => kind === "emergency-follow-up" || kind === "validation")) throw new DeskError("too_early");
        return {
          request: requests.change(before, { state: "closed", erasedDay: dayOf(nowMs) + days }),
          kind: "closed",
          text: words,
          details: { days },
        };
      },
    }),
    "request-note": {
      roles: caseReaders,
      run(input: Input, asker: Asker): Done {
        const number = readNumber(input);
        const text = input.text("text", { most: mostWords });
        input.end();
        const { staff, nowMs } = asker;
        const noted = transaction(() => {
          const request = requests.require(number);
          if (requests.countEvents(number) >= maxEvents) throw new DeskError("limit");
          trail.append({ actor: staff.name, act: "request note", details: { request: number } }, nowMs);
          requests.tell(request, { kind: "note", by: staff.name, text }, nowMs);
          return request;
        });
        return { body: { request: view(noted, asker) } };
      },
    },
    "request-identify": {
      roles: caseReaders,
      async run(input: Input, asker: Asker): Promise<Done> {
        const at = readRequestAt(input);
        const place = input.whole("place", { least: 1, most: requestLimits.identifiers });
        input.end();
        const { staff, nowMs } = asker;
        if (requests.require(at.number).state === "received") throw new DeskError("not_verified");
        const identifier = requests.requireAt(at, statesOf["request-identify"]).body.intake.identifiers[place - 1];
        if (identifier === undefined) throw new DeskError("not_found");
        // Before the answer: a look-up that fails is one, too.
        transaction(() => trail.append({ actor: staff.name, act: "request identified", details: { request: at.number, place } }, nowMs));
        const question = questionOf(identifier, parts.options.host);
        const account = question === undefined ? undefined : await world.accountOf(question);
        const changed = transaction(() => {
          const before = requests.requireAt(at, statesOf["request-identify"]);
          const found = {
            place,
            atMs: nowMs,
            by: staff.name,
            ...(account === undefined ? {} : { accountId: toBase64Url(account.accountId) }),
            ...(account?.username === undefined ? {} : { username: account.username }),
          };
          const subjects = [...before.body.subjects.filter((one) => one.place !== place), found].toSorted((a, b) => a.place - b.place);
          const after = requests.change(before, { body: { subjects } });
          return record(parts, after, { kind: "identified", by: staff.name, text: String(place), nowMs });
        });
        return { body: { request: view(changed, asker) } };
      },
    },
  };
}

/** What nobody asked for is not kept. */
function withoutCopy(
  { body: { preservation } }: StoredRequest,
  reason: (typeof refusalReasons)[number],
): Pick<RequestBody, "preservation"> {
  if (reason !== "not-verified" || preservation === undefined) return {};
  return { preservation: { ...preservation, state: "over", endedWhy: reason } };
}

const maxEvents = 5000;
const mostTasks = 200;
const longestName = 64;

/** What the server is asked of an identifier; `undefined` for one by which it has no accounts. */
export function questionOf({ kind, value }: RequestIdentifier, host: string): AccountQuestion | undefined {
  if (kind === "other") return undefined;
  if (kind === "username") {
    const [username = "", of = host] = value.replace(/^@/, "").toLowerCase().split("@");
    // Of other servers nothing is known here.
    return of === host && username !== "" && username.length <= longestName ? { username } : undefined;
  }
  try {
    const accountId = fromBase64Url(value);
    return accountId.length === accountIdLength ? { accountId } : undefined;
  } catch {
    return undefined;
  }
}
