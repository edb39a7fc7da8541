import { toHex } from "@latchkey/codec";
import { dayOf } from "../../../days.ts";
import { caseReaders } from "../case-operations.ts";
import { DeskError } from "../desk-error.ts";
import type { Asker, OfficeParts, OpenOperations, Operations } from "../operations.ts";
import { CountedRequests } from "./counted-requests.ts";
import { fileOperations } from "./file-operations.ts";
import { intakeOperations } from "./intake-operations.ts";
import { letterOperations } from "./letters/letter-operations.ts";
import { LetterTable } from "./letters/letter-table.ts";
import { Releases } from "./release/releases.ts";
import type { ReleaseWorld } from "./release/releases.ts";
import { clocksOfRequest, isPreserved } from "./request-body.ts";
import type { StoredRequest } from "./request-body.ts";
import { RequestFiles } from "./request-files.ts";
import { record } from "./request-office.ts";
import type { RequestPart, RequestParts } from "./request-office.ts";
import { requestOperations } from "./request-operations.ts";
import { openStates } from "./request-states.ts";
import { RequestTable } from "./request-table.ts";
import { RequestTasks } from "./request-tasks.ts";
import { requestView } from "./request-view.ts";
import { typeOperations } from "./type-operations.ts";
import { TypeTable } from "./type-table.ts";

/** A part of a file of a request, as bytes come or are asked for. */
export interface FilePart {
  readonly number: number;
  readonly file: number;
}

/** Requests of authorities: their part of the desk. */
export class RequestDesk {
  readonly #parts: RequestParts;
  readonly #counted: CountedRequests;
  /** What goes out for them, and what is kept. */
  readonly releases: Releases;
  /** The desk's operations on them. */
  readonly operations: Operations;
  /** Those of whoever has a link. */
  readonly open: OpenOperations;

  /** @param others go by requests: release, notices, counts */
  constructor(office: OfficeParts, params: ReleaseWorld & { readonly others: readonly RequestPart[] }) {
    const { sql, world } = params;
    const others = [...params.others];
    const parts: RequestParts = {
      ...office,
      requests: new RequestTable(sql),
      tasks: new RequestTasks(sql),
      types: new TypeTable(sql),
      letters: new LetterTable(sql),
      files: new RequestFiles(sql),
      world,
      others,
    };
    this.#parts = parts;
    this.releases = new Releases(parts, params);
    others.unshift(...this.releases.parts);
    this.#counted = new CountedRequests(sql);
    const view = requestView(parts);
    this.operations = {
      ...typeOperations(office, parts.types),
      ...intakeOperations(parts, view),
      ...requestOperations(parts, view),
      ...letterOperations(parts, view),
      ...fileOperations(parts, view),
      ...this.releases.operations(view),
    };
    this.open = this.releases.open();
  }

  /** How large a file is that was announced, and how much of it is here. @throws DeskError */
  awaited({ staff }: Asker, { number, file }: FilePart): { readonly sizeBytes: number; readonly hereBytes: number } {
    const { requests, files } = this.#parts;
    requireReader(staff);
    const found = files.list(requests.require(number)).find((one) => one.number === file);
    if (found === undefined) throw new DeskError("not_found");
    return found;
  }

  /** Takes the bytes of a file that come next, or the same that came before. @throws DeskError */
  append({ staff, nowMs }: Asker, { number, file, fromByte, bytes }: FilePart & { fromByte: number; bytes: Uint8Array }): void {
    const { requests, files, trail, transaction } = this.#parts;
    requireReader(staff);
    transaction(() => {
      const request = requests.require(number);
      if (!openStates.includes(request.state)) throw new DeskError("changed");
      const whole = files.append(request, { file, fromByte, bytes });
      if (whole === undefined) return;
      trail.append({ actor: staff.name, act: "request file", details: { request: number, file, sha256: toHex(whole) } }, nowMs);
      record(this.#parts, request, { kind: "file", by: staff.name, text: String(file), nowMs });
    });
  }

  /** A part of a file, from 0; the first is in the trail. @throws DeskError `not_found` past the last */
  part({ staff, nowMs }: Asker, { number, file, part }: FilePart & { part: number }): Uint8Array {
    const { requests, files, trail, transaction } = this.#parts;
    requireReader(staff);
    return transaction(() => {
      const bytes = files.part(requests.require(number), file, part);
      if (part === 0) trail.append({ actor: staff.name, act: "request file read", details: { request: number, file } }, nowMs);
      return bytes;
    });
  }

  /**
   * Does what time has brought; called while the clock is believed alone. Copies go whose time is over, closed requests that were kept long
   * enough, and files that never came whole. Nothing is released or told by it. Answers how many requests were erased.
   */
  tidy(nowMs: number): number {
    const { requests, files, transaction, others } = this.#parts;
    for (const one of requests.open()) if (isPreserved(one)) transaction(() => this.#endCopy(one, nowMs));
    transaction(() => files.tidy(nowMs));
    const today = dayOf(nowMs);
    let erased = 0;
    for (const one of requests.toErase(today)) {
      if (others.some((other) => other.keeps?.(one) === true)) continue;
      const { number } = one;
      transaction(() => this.#erase(requests.require(number), nowMs));
      erased += 1;
    }
    transaction(() => this.#counted.expire(today));
    return erased;
  }

  #endCopy(request: StoredRequest, nowMs: number): void {
    const { requests, trail } = this.#parts;
    const { preservation } = request.body;
    const end = clocksOfRequest(request).find(({ kind }) => kind === "preservation");
    if (preservation === undefined || end === undefined || nowMs < end.atMs) return;
    const changed = requests.change(request, { body: { preservation: { ...preservation, state: "over", endedWhy: "its time is over" } } });
    trail.append({ actor: "desk", act: "request preservation-ended", details: { request: request.number } }, nowMs);
    record(this.#parts, changed, { kind: "preservation-ended", by: "desk", nowMs });
  }

  #erase(request: StoredRequest, nowMs: number): void {
    const { requests, trail, others } = this.#parts;
    this.#counted.keep(request, nowMs);
    for (const other of others) other.happened?.({ kind: "erased", request, nowMs });
    requests.erase(request.number);
    trail.append({ actor: "desk", act: "request erased", details: { request: request.number } }, nowMs);
  }
}

function requireReader({ roles }: Asker["staff"]): void {
  if (!caseReaders.some((role) => roles.includes(role))) throw new DeskError("not_allowed");
}
