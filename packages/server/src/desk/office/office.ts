import { deskRoles } from "@latchkey/protocol/desk";
import type { DeskOperation } from "@latchkey/protocol/desk";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { dayOf } from "../../days.ts";
import { caseOperations, caseReaders } from "./case-operations.ts";
import { CaseTable } from "./cases.ts";
import { CountedTable } from "./counted.ts";
import { Batching } from "./counting/batching.ts";
import { countOperations } from "./counting/count-operations.ts";
import { CountTable } from "./counting/count-table.ts";
import { Counts } from "./counting/counts.ts";
import { publishedCounts } from "./counting/published.ts";
import type { CountsQuery } from "./counting/published.ts";
import { approvalsIn, requestCounts } from "./counting/request-counts.ts";
import { ValueTable } from "./counting/value-table.ts";
import { ArrivalTable } from "./arrivals.ts";
import { deskDatabaseFile, openDeskDatabase } from "./database.ts";
import { ClockWatch } from "./clock-watch.ts";
import { DecisionTable } from "./decisions.ts";
import { loadDeskSecrets } from "./desk-keys.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import { Door } from "./door.ts";
import { Opener } from "./opener.ts";
import { ReporterDays } from "./reporter-days.ts";
import { ReporterMeasures } from "./reporter-measures.ts";
import { DeskError, deskStatuses } from "./desk-error.ts";
import { tidyCases } from "./erasure.ts";
import { EvidenceTable } from "./evidence-table.ts";
import type { NewAppeal, NewReport } from "./evidence.ts";
import { exportYear } from "./export.ts";
import type { YearExport } from "./export.ts";
import { Input } from "./input.ts";
import { Judging } from "./judging.ts";
import type { Asker, Done, OfficeOptions, OfficeParts, OpenOperation, Operations, Times } from "./operations.ts";
import { Passkeys } from "./passkeys.ts";
import { reasonOperations } from "./reason-operations.ts";
import { RequestDesk } from "./requests/request-desk.ts";
import type { FilePart } from "./requests/request-desk.ts";
import type { Rounds } from "./rounds.ts";
import { idleMs, Sessions } from "./sessions.ts";
import { signInOperations } from "./sign-in.ts";
import { StaffGrants } from "./staff-grants.ts";
import { staffOperations } from "./staff-operations.ts";
import { StaffTable, maxStaffName } from "./staff.ts";
import type { Staff } from "./staff.ts";
import { TaskRunner } from "./task-runner.ts";
import { TaskTable } from "./tasks.ts";
import { Trail } from "./trail.ts";
import { trailOperations } from "./trail-operations.ts";
import type { OfficeWorld } from "./world.ts";

/** A request as it came over HTTP. */
export interface OfficeRequest extends Times {
  readonly operation: string;
  /** Secret of the session's cookie; "" of none. */
  readonly session: string;
  readonly body: string;
}

/** What waits at the desk, in numbers. */
export interface WaitingAtDesk {
  readonly cases: number;
  readonly oldestDay: number | undefined;
  readonly appeals: number;
  readonly staff: number;
  readonly reviewers: number;
}

/** A file of a case that somebody asks for. */
export interface FileRequest extends Times {
  readonly session: string;
  readonly caseNumber: number;
  readonly file: number;
}

/** Bytes of a file of a request that come, or are asked for: whose session it is, and which. */
export interface RequestFileCall extends Times, FilePart {
  readonly session: string;
}

/** Its answer. `session` is a cookie to be set; "" takes it away. */
export interface OfficeAnswer {
  readonly status: number;
  readonly body: object;
  readonly session?: string;
}

/** The desk: whoever works there, what they may do, and the trail of it. Synchronous but for passkeys, on a thread of its own. */
export class Office {
  readonly #parts: OfficeParts;
  readonly #open: Partial<Readonly<Record<DeskOperation, OpenOperation>>>;
  readonly #operations: Operations;
  readonly #close: () => void;

  readonly #cases: CaseTable;
  readonly #counted: CountedTable;
  readonly #world: Pick<OfficeWorld, "usernameOf">;
  readonly #evidence: EvidenceTable;
  readonly #judging: Judging;
  readonly #requests: RequestDesk;
  readonly #clock: ClockWatch;
  readonly #tasks: Rounds;
  readonly #opening: Rounds;
  readonly #tidy: (nowMs: number) => number;
  readonly #announce: () => void;
  readonly #batching: Batching;
  readonly #published: (query: CountsQuery) => Uint8Array | undefined;
  /** Where reports come in. */
  readonly door: Door;
  #nowMs = 0;

  /** Opens a desk, or begins one. @param reportBug told what is tried again. @throws ServerError when its database or keys cannot be used */
  static async open(options: OfficeOptions, world: OfficeWorld, reportBug: (error: unknown) => void): Promise<Office> {
    const isBegun = existsSync(join(options.directory, deskDatabaseFile));
    // Before the database: one without keys would be of a desk that lost them.
    const secrets = await loadDeskSecrets(options.directory, { isBegun });
    return new Office(options, { secrets, world, reportBug });
  }

  private constructor(options: OfficeOptions, around: { secrets: DeskSecrets; world: OfficeWorld; reportBug: (error: unknown) => void }) {
    const { secrets, world, reportBug } = around;
    const { sql, scrub, close } = openDeskDatabase(options.directory);
    this.#close = close;
    const staff = new StaffTable(sql);
    const { hostname, origin } = new URL(options.publicUrl);
    const parts: OfficeParts = {
      options,
      staff,
      trail: new Trail(sql),
      sessions: new Sessions(),
      passkeys: new Passkeys({ rpId: hostname, origins: [origin] }),
      transaction(work) {
        let result: { readonly value: ReturnType<typeof work> } | undefined;
        sql.transaction(() => (result = { value: work() }));
        if (result === undefined) throw new Error("a transaction that ends has its result");
        return result.value;
      },
      sessionOf: (person, leftMs = idleMs) => ({
        staff: staff.shown(person),
        host: options.host,
        leftSeconds: Math.floor(leftMs / 1000),
      }),
    };
    this.#parts = parts;
    const { trail, transaction } = parts;
    this.#clock = new ClockWatch(trail);
    const [cases, evidence, decisions, tasks] = [new CaseTable(sql), new EvidenceTable(sql), new DecisionTable(sql), new TaskTable(sql)];
    const [countTable, countValues] = [new CountTable(sql), new ValueTable(sql)];
    const counting = { table: countTable, values: countValues, host: options.host };
    const counts = new Counts(counting);
    this.#batching = new Batching({ ...counting, trail, world, transaction, scrub, reportBug });
    this.#published = (query) => publishedCounts(counting, query);
    const measures = new ReporterMeasures(sql);
    const judging = new Judging({ cases, evidence, decisions, measures, tasks, trail, counts });
    const counted = new CountedTable(sql, decisions);
    this.#counted = counted;
    this.#world = world;
    const arrivals = new ArrivalTable(sql);
    const nowMs = (): number => this.#nowMs;
    const { rounds: doing } = new TaskRunner({
      tasks,
      cases,
      evidence,
      decisions,
      measures,
      arrivals,
      counts,
      secrets,
      host: options.host,
      world,
      transaction,
      nowMs,
      reportBug,
    });
    const { rounds: opening } = new Opener({
      arrivals,
      judging,
      reporters: new ReporterDays(sql),
      measures,
      reportsPerDay: options.reportsPerDay,
      secrets,
      host: options.host,
      world,
      transaction,
      nowMs,
      reportBug,
      scrub,
      wakeTasks: () => doing.wake(),
    });
    this.#opening = opening;
    this.door = new Door({
      secrets,
      arrivals,
      maxBytes: options.maxSealedBytes,
      maxCaseBytes: options.maxCaseBytes,
      caseBytes: () => evidence.sizeBytes(),
      transaction,
      wake: () => opening.wake(),
    });
    this.#requests = new RequestDesk(parts, {
      sql,
      secrets,
      world,
      nowMs,
      reportBug,
      others: [requestCounts({ counts, trail, approvalsOf: approvalsIn(sql) })],
    });
    this.#cases = cases;
    this.#evidence = evidence;
    this.#judging = judging;
    this.#tasks = doing;
    let isAnnounced = false;
    this.#announce = () => {
      if (isAnnounced || !this.isStaffed()) return;
      isAnnounced = true;
      world.publishKeys({ value: secrets.published }).catch((error: unknown) => {
        isAnnounced = false;
        reportBug(error);
      });
    };
    this.#tidy = (today) => {
      const erased = tidyCases({ cases, decisions, counted, measures, trail, transaction }, today);
      transaction(() => arrivals.expire(dayOf(today)));
      const requests = this.#requests.tidy(today);
      scrub();
      return erased + requests;
    };
    this.#open = { ...signInOperations(parts), ...this.#requests.open };
    this.#operations = {
      ...staffOperations(parts, new StaffGrants(parts)),
      ...trailOperations(parts),
      ...reasonOperations(parts, sql),
      ...this.#requests.operations,
      ...countOperations(parts, countTable),
      ...caseOperations(parts, {
        cases,
        evidence,
        decisions,
        measures,
        judging,
        // Of other hosts' accounts nothing is known here.
        usernameOf: async ({ host, accountId }) => (host === options.host ? world.usernameOf({ accountId }) : undefined),
        wake: () => doing.wake(),
      }),
    };
  }

  /** Answers an operation; never throws but for a bug or a disk that fails. */
  async handle(request: OfficeRequest): Promise<OfficeAnswer> {
    this.#see(request.nowMs);
    try {
      const { body, session } = await this.#run(request);
      if (session !== undefined) this.#announce();
      return { status: 200, body, ...(session === undefined ? {} : { session }) };
    } catch (error) {
      if (!(error instanceof DeskError)) throw error;
      const { code, retryAfterMs } = error;
      return { status: deskStatuses[code], body: { code, ...(retryAfterMs > 0 ? { retryAfterMs } : {}) } };
    }
  }

  /** The bytes of a file of a case, for whoever reads cases. @throws DeskError */
  file(request: FileRequest): Uint8Array {
    this.#see(request.nowMs);
    const { staff } = this.#asker(request);
    if (!caseReaders.some((role) => staff.roles.includes(role))) throw new DeskError("not_allowed");
    const { transaction, trail } = this.#parts;
    return transaction(() => {
      const bytes = this.#evidence.file(this.#cases.require(request.caseNumber), request.file);
      if (bytes === undefined) throw new DeskError("not_found");
      const details = { file: request.file };
      trail.append({ actor: staff.name, act: "file read", caseNumber: request.caseNumber, details }, request.nowMs);
      return bytes;
    });
  }

  /** How much of a file of a request is waited for. @throws DeskError */
  awaitedFile(call: RequestFileCall): { readonly sizeBytes: number; readonly hereBytes: number } {
    return this.#requests.awaited(this.#seen(call), call);
  }

  /** Takes the bytes of a file of a request that come next. @throws DeskError */
  appendFile(call: RequestFileCall & { readonly fromByte: number; readonly bytes: Uint8Array }): void {
    // Whoever sends it has asked how much is waited for.
    this.#requests.append(this.#seen({ ...call, goesOn: true }), call);
  }

  /** A part of a file of a request. @throws DeskError */
  filePart(call: RequestFileCall & { readonly part: number }): Uint8Array {
    return this.#requests.part(this.#seen({ ...call, goesOn: call.part > 0 }), call);
  }

  /** The file that went out for a request. @throws DeskError */
  releasedFile(call: Times & { readonly session: string; readonly number: number }): Uint8Array {
    return this.#requests.releases.file({ ...this.#seen(call), number: call.number });
  }

  /** Whether somebody can sign in who may name others: before that the desk takes no reports. */
  isStaffed(): boolean {
    return this.#parts.staff.hasAdministrator();
  }

  /**
   * The operator, on the machine, names the first administrator, or gives somebody a new code who has lost their passkey. Answers the code.
   * @throws DeskError `limit` where there is an administrator already, `malformed` for a name that cannot be, `not_found`
   */
  operatorCode(params: { name: string; isFirst: boolean; nowMs: number }): string {
    const { isFirst, nowMs } = params;
    const name = new Input({ name: params.name }).text("name", { most: maxStaffName });
    const { staff, trail, transaction } = this.#parts;
    return transaction(() => {
      const known = staff.byName(name);
      if (isFirst && staff.hasAdministrator()) throw new DeskError("limit");
      if (!isFirst && known === undefined) throw new DeskError("not_found");
      let person = known ?? staff.add(name, deskRoles);
      // Whoever was named first and never came, comes as that.
      if (isFirst && known !== undefined) person = staff.revive(known, deskRoles);
      const code = staff.createCode(person, nowMs);
      trail.append({ actor: "operator", act: isFirst ? "first administrator named" : "code made", details: { staff: name } }, nowMs);
      return code;
    });
  }

  /** Takes in a report that was opened and verified. Answers the number of its case. */
  report(report: NewReport, nowMs: number): number {
    this.#see(nowMs);
    const number = this.#parts.transaction(() => this.#judging.report(report, nowMs));
    this.#tasks.wake();
    return number;
  }

  /** Takes in an appeal that was opened and verified; `undefined` for one that cannot be. */
  appeal(appeal: NewAppeal, nowMs: number): number | undefined {
    this.#see(nowMs);
    return this.#parts.transaction(() => this.#judging.appeal(appeal, nowMs));
  }

  /** Does what time has brought. While the clock is doubted nothing is erased. Answers how many cases were. */
  tick({ nowMs, passedMs, isDoubted }: Times & { isDoubted: boolean }): number {
    this.#see(nowMs);
    this.#requests.releases.tick({ nowMs, passedMs, isDoubted });
    this.#announce();
    this.#opening.wake();
    this.#tasks.wake();
    if (isDoubted) return 0;
    // Once there is a desk for everybody to see: that it counts says no more.
    if (this.isStaffed()) this.#batching.wake(nowMs);
    return this.#tidy(nowMs);
  }

  /** The exports of a calendar year, for the operator: no words of the desk's that seem to name somebody, nobody's name. */
  async exportYear({ year, service, nowMs }: { year: number; service: string; nowMs: number }): Promise<YearExport> {
    this.#see(nowMs);
    const { staff, trail, transaction, options } = this.#parts;
    const names = staff.list().map(({ name }) => name);
    const made = await exportYear({
      year,
      service,
      host: options.host,
      counted: this.#counted,
      named: async (accountId) => [...names, ...[await this.#world.usernameOf({ accountId })].filter((name) => name !== undefined)],
    });
    transaction(() => trail.append({ actor: "operator", act: "year exported", details: { year } }, nowMs));
    return made;
  }

  /** Resolves when what decisions asked for is done, as far as it can be now. */
  async idle(): Promise<void> {
    await this.#opening.idle();
    await this.#requests.releases.idle();
    await this.#tasks.idle();
    await this.#batching.rounds.idle();
  }

  /** What is counted in public, as everybody is given it; `undefined` for what is not there. */
  counts(query: CountsQuery): Uint8Array | undefined {
    return this.#published(query);
  }

  /** What waits for somebody, and how many could sign in: for the operator, who may not work here. */
  waiting(): WaitingAtDesk {
    const people = this.#parts.staff.list().filter(({ isActive, passkeys }) => isActive && passkeys > 0);
    const reviewers = people.filter(({ roles }) => roles.includes("reviewer")).length;
    return { ...this.#cases.waiting(), staff: people.length, reviewers };
  }

  /** Who is staff, for the operator. */
  staff(): readonly object[] {
    return this.#parts.staff.list();
  }

  close(): void {
    this.#opening.stop();
    this.#requests.releases.stop();
    this.#tasks.stop();
    this.#batching.rounds.stop();
    this.#close();
  }

  #see(nowMs: number): void {
    this.#clock.see(nowMs, this.#parts.transaction);
    // The guarded clock, also where it was put right backwards: what is told by a day that has not come cannot be taken back.
    this.#nowMs = nowMs;
  }

  /** Who asks for a file. @throws DeskError */
  #seen({ session, nowMs, passedMs, goesOn }: Times & { readonly session: string; readonly goesOn?: boolean }): Asker {
    this.#see(nowMs);
    return { staff: this.#asker({ session, passedMs, goesOn }).staff, session, nowMs, passedMs };
  }

  /** Whose session this is, if it may ask now. @throws DeskError `not_signed_in` or `rate_limited` */
  #asker(asking: { session: string; passedMs: number; goesOn?: boolean | undefined }): { staff: Staff; leftMs: number } {
    const { session } = asking;
    const admitted = session === "" ? undefined : this.#parts.sessions.admit(session, asking);
    const staff = admitted === undefined ? undefined : this.#parts.staff.byId(admitted.staffId);
    if (admitted === undefined || staff?.isActive !== true) throw new DeskError("not_signed_in");
    if (admitted.waitMs > 0) throw new DeskError("rate_limited", admitted.waitMs);
    return { staff, leftMs: admitted.leftMs };
  }

  async #run(request: OfficeRequest): Promise<Done> {
    const { operation, session, body, nowMs, passedMs } = request;
    // Names come from outside: only the tables' own.
    const open = Object.hasOwn(this.#open, operation) ? this.#open[operation as DeskOperation] : undefined;
    if (open !== undefined) return open(Input.parse(body), { nowMs, passedMs });
    const known = Object.hasOwn(this.#operations, operation) ? this.#operations[operation as DeskOperation] : undefined;
    const { staff, leftMs } = this.#asker(request);
    if (operation === "session") return { body: this.#parts.sessionOf(staff, leftMs) };
    if (known === undefined) throw new DeskError("not_found");
    if (known.roles !== "any" && !known.roles.some((role) => staff.roles.includes(role))) throw new DeskError("not_allowed");
    return known.run(Input.parse(body), { staff, session, nowMs, passedMs });
  }
}
