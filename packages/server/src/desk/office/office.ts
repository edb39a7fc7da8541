import { deskRoles } from "@latchkey/protocol/desk";
import type { DeskOperation } from "@latchkey/protocol/desk";
import { openDeskDatabase } from "./database.ts";
import { DeskError, deskStatuses } from "./desk-error.ts";
import { Input } from "./input.ts";
import type { Done, OfficeOptions, OfficeParts, OpenOperation, Operations, Times } from "./operations.ts";
import { Passkeys } from "./passkeys.ts";
import { idleMs, Sessions } from "./sessions.ts";
import { signInOperations } from "./sign-in.ts";
import { staffOperations } from "./staff-operations.ts";
import { StaffTable, maxStaffName } from "./staff.ts";
import { Trail } from "./trail.ts";
import { trailOperations } from "./trail-operations.ts";

/** A request as it came over HTTP. */
export interface OfficeRequest extends Times {
  readonly operation: string;
  /** Secret of the session's cookie; "" of none. */
  readonly session: string;
  readonly body: string;
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

  /** @throws ServerError when the database cannot be used */
  constructor(options: OfficeOptions) {
    const { sql, close } = openDeskDatabase(options.directory);
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
    this.#open = signInOperations(parts);
    this.#operations = { ...staffOperations(parts), ...trailOperations(parts) };
  }

  /** Answers an operation; never throws but for a bug or a disk that fails. */
  async handle(request: OfficeRequest): Promise<OfficeAnswer> {
    try {
      const { body, session } = await this.#run(request);
      return { status: 200, body, ...(session === undefined ? {} : { session }) };
    } catch (error) {
      if (!(error instanceof DeskError)) throw error;
      const { code, retryAfterMs } = error;
      return { status: deskStatuses[code], body: { code, ...(retryAfterMs > 0 ? { retryAfterMs } : {}) } };
    }
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

  /** Who is staff, for the operator. */
  staff(): readonly object[] {
    return this.#parts.staff.list();
  }

  close(): void {
    this.#close();
  }

  async #run(request: OfficeRequest): Promise<Done> {
    const { operation, session, body, nowMs, passedMs } = request;
    // Names come from outside: only the tables' own.
    const open = Object.hasOwn(this.#open, operation) ? this.#open[operation as DeskOperation] : undefined;
    if (open !== undefined) return open(Input.parse(body), { nowMs, passedMs });
    const known = Object.hasOwn(this.#operations, operation) ? this.#operations[operation as DeskOperation] : undefined;
    const admitted = session === "" ? undefined : this.#parts.sessions.admit(session, passedMs);
    const staff = admitted === undefined ? undefined : this.#parts.staff.byId(admitted.staffId);
    if (admitted === undefined || staff?.isActive !== true) throw new DeskError("not_signed_in");
    if (admitted.waitMs > 0) throw new DeskError("rate_limited", admitted.waitMs);
    if (operation === "session") return { body: this.#parts.sessionOf(staff, admitted.leftMs) };
    if (known === undefined) throw new DeskError("not_found");
    if (known.roles !== "any" && !known.roles.some((role) => staff.roles.includes(role))) throw new DeskError("not_allowed");
    return known.run(Input.parse(body), { staff, session, nowMs, passedMs });
  }
}
