import { toBase64Url, utf8Bytes } from "@latchkey/codec";
import { approvalWaitHours, deskRoles, isWeighty, weightyGain } from "@latchkey/protocol/desk";
import type { DeskRole, DeskStaff } from "@latchkey/protocol/desk";
import { randomBytes } from "node:crypto";
import { createCode, hashOfCode } from "../../admin/invitations.ts";
import type { Statements } from "../../store/sqlite/statements.ts";
import { sha256 } from "../../hash.ts";
import { DeskError } from "./desk-error.ts";

/** How long a code counts. */
export const codeHours = 24;
const maxStaff = 200;
/** Of one of the staff. */
export const maxPasskeys = 10;
export const maxStaffName = 60;
/** Who acts on the machine, and what the desk does by itself, in the trail: nobody else is called so. */
const keptNames = new Set(["operator", "desk", "somebody"]);

/**
 * What one administrator alone has given: when and by whom somebody got a role that weighs, and by whose code a passkey was made. Nothing
 * stands there where the operator gave the code on the machine, or a second administrator has confirmed it.
 */
export const staffGrantsStep = `
  ALTER TABLE staff ADD COLUMN granted_ms INTEGER;
  ALTER TABLE staff ADD COLUMN granted_by BLOB;
  ALTER TABLE passkeys ADD COLUMN made_ms INTEGER;
  ALTER TABLE passkeys ADD COLUMN made_by BLOB;
  ALTER TABLE codes ADD COLUMN by BLOB`;

/** What one administrator alone has given: when, and who. */
export interface GivenByOne {
  readonly atMs: number;
  readonly by: Uint8Array;
}

/** Somebody of the desk, as it is stored. */
export interface Staff {
  readonly id: Uint8Array;
  readonly name: string;
  readonly roles: readonly DeskRole[];
  readonly isActive: boolean;
  /** Of whom one administrator alone gave a role that weighs. */
  readonly granted: GivenByOne | undefined;
}

/** A passkey of theirs. */
export interface Passkey {
  /** base64url, as browsers name it. */
  readonly credential: string;
  readonly staffId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly transports: readonly string[];
  /** Made by a code of one administrator alone. */
  readonly made: GivenByOne | undefined;
}

interface StaffRow {
  readonly id: Uint8Array;
  readonly name: string;
  readonly roles: string;
  readonly isActive: number;
  readonly grantedMs: number | null;
  readonly grantedBy: Uint8Array | null;
}

const staffColumns = "id, name, roles, is_active AS isActive, granted_ms AS grantedMs, granted_by AS grantedBy";

/** Who works at the desk: every method runs inside the caller's transaction. */
export class StaffTable {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Names somebody. @throws DeskError `limit`, also for a name that is taken: the trail tells people by it; `malformed` for one that is nobody's */
  add(name: string, roles: readonly DeskRole[], granted?: GivenByOne): Staff {
    if (keptNames.has(name.toLowerCase())) throw new DeskError("malformed");
    const count = this.#sql.get<{ n: number }>("SELECT count(*) AS n FROM staff")?.n ?? 0;
    if (count >= maxStaff || this.byName(name) !== undefined) throw new DeskError("limit");
    const staff = { id: new Uint8Array(randomBytes(16)), name, roles, isActive: true, granted };
    this.#sql.run("INSERT INTO staff (id, name, roles, is_active) VALUES (?, ?, ?, 1)", staff.id, name, roles.join(" "));
    this.#setGranted(staff.id, granted);
    return staff;
  }

  byId(id: Uint8Array): Staff | undefined {
    return staffOf(this.#sql.get<StaffRow>(`SELECT ${staffColumns} FROM staff WHERE id = ?`, id));
  }

  byName(name: string): Staff | undefined {
    return staffOf(this.#sql.get<StaffRow>(`SELECT ${staffColumns} FROM staff WHERE name = ?`, name));
  }

  list(): readonly DeskStaff[] {
    const rows = this.#sql.all<StaffRow>(`SELECT ${staffColumns} FROM staff ORDER BY name`);
    return rows.map((row) => this.shown(readRow(row)));
  }

  /** As colleagues see somebody. */
  shown(staff: Staff): DeskStaff {
    const { id, name, roles, isActive } = staff;
    const passkeys = this.passkeysOf(id);
    const fromMs = Math.min(...passkeys.map((passkey) => approvesFromMs(staff, passkey)));
    const waits = isWeighty(roles) && passkeys.length > 0 && fromMs > 0;
    const passkeysHash = passkeysHashOf(passkeys);
    return {
      id: toBase64Url(id),
      name,
      roles,
      isActive,
      passkeys: passkeys.length,
      passkeysHash,
      ...(waits ? { approvesFromMs: fromMs } : {}),
    };
  }

  /** Changes what somebody may do. @throws DeskError `last_administrator` when nobody could be let in any more */
  set(staff: Staff, change: Pick<Staff, "roles" | "isActive" | "granted"> & { forgetPasskeys: boolean }): Staff {
    const { roles, isActive, forgetPasskeys, granted } = change;
    this.#sql.run("UPDATE staff SET roles = ?, is_active = ? WHERE id = ?", roles.join(" "), isActive ? 1 : 0, staff.id);
    this.#setGranted(staff.id, granted);
    if (forgetPasskeys || !isActive) this.#sql.run("DELETE FROM passkeys WHERE staff = ?", staff.id);
    // A code that was given for less counts for no more.
    if (forgetPasskeys || !isActive || weightyGain(staff.roles, roles).length > 0)
      this.#sql.run("DELETE FROM codes WHERE staff = ?", staff.id);
    if (!this.hasAdministrator()) throw new DeskError("last_administrator");
    return { ...staff, roles, isActive, granted };
  }

  /** The operator has let somebody in: that is the second one who stands for their roles. For passkeys that they have already nobody does by that. */
  grantedByOperator(id: Uint8Array): void {
    this.#setGranted(id, undefined);
  }

  /** A second one stands for somebody: for their roles, and the passkeys that they have now. */
  confirm(id: Uint8Array): void {
    this.#setGranted(id, undefined);
    this.#sql.run("UPDATE passkeys SET made_ms = NULL, made_by = NULL WHERE staff = ?", id);
  }

  #setGranted(id: Uint8Array, granted: GivenByOne | undefined): void {
    this.#sql.run("UPDATE staff SET granted_ms = ?, granted_by = ? WHERE id = ?", granted?.atMs ?? null, granted?.by ?? null, id);
  }

  /** Lets somebody be named anew who cannot sign in. */
  revive(staff: Staff, roles: readonly DeskRole[]): Staff {
    this.#sql.run("UPDATE staff SET roles = ?, is_active = 1 WHERE id = ?", roles.join(" "), staff.id);
    return { ...staff, roles, isActive: true };
  }

  /** Whether somebody could sign in who may name others. */
  hasAdministrator(): boolean {
    const rows = this.#sql.all<{ roles: string }>(
      "SELECT roles FROM staff s WHERE is_active = 1 AND EXISTS (SELECT 1 FROM passkeys WHERE staff = s.id)",
    );
    return rows.some(({ roles }) => rolesOf(roles).includes("administrator"));
  }

  /** Makes a code with which somebody makes a passkey, once; an earlier one of theirs does not count any more. @param by the administrator who gives it; absent for the operator */
  createCode(staff: Pick<Staff, "id">, nowMs: number, by?: Uint8Array): string {
    const code = createCode();
    this.#sql.run("DELETE FROM codes WHERE staff = ?", staff.id);
    const untilMs = nowMs + codeHours * 3_600_000;
    this.#sql.run("INSERT INTO codes (hash, staff, until_ms, by) VALUES (?, ?, ?, ?)", hashOfCode(code), staff.id, untilMs, by ?? null);
    return code;
  }

  /** Whose code this is. @throws DeskError `code_refused` */
  ofCode(code: string, nowMs: number): Staff {
    const row = this.#sql.get<StaffRow>(
      `SELECT ${staffColumns} FROM staff WHERE is_active = 1 AND id = (SELECT staff FROM codes WHERE hash = ? AND until_ms > ?)`,
      hashOfCode(code),
      nowMs,
    );
    const staff = staffOf(row);
    if (staff === undefined) throw new DeskError("code_refused");
    return staff;
  }

  /** Uses a code up. Answers which administrator gave it; `undefined` for the operator. @throws DeskError `code_refused` when somebody was first */
  spendCode(code: string, nowMs: number): Uint8Array | undefined {
    const row = this.#sql.get<{ by: Uint8Array | null }>("SELECT by FROM codes WHERE hash = ?", hashOfCode(code));
    const { changes } = this.#sql.run("DELETE FROM codes WHERE hash = ? AND until_ms > ?", hashOfCode(code), nowMs);
    if (Number(changes) !== 1) throw new DeskError("code_refused");
    return row?.by ?? undefined;
  }

  passkeysOf(id: Uint8Array): readonly Passkey[] {
    return this.#sql.all<PasskeyRow>(`SELECT ${passkeyColumns} FROM passkeys WHERE staff = ? ORDER BY credential`, id).map(readPasskey);
  }

  passkey(credential: string): Passkey | undefined {
    const row = this.#sql.get<PasskeyRow>(`SELECT ${passkeyColumns} FROM passkeys WHERE credential = ?`, credential);
    return row === undefined ? undefined : readPasskey(row);
  }

  /** @throws DeskError `limit`, or `passkey_refused` for one that somebody has already */
  addPasskey({ credential, staffId, publicKey, counter, transports, made }: Passkey): void {
    if (this.passkeysOf(staffId).length >= maxPasskeys) throw new DeskError("limit");
    if (this.passkey(credential) !== undefined) throw new DeskError("passkey_refused");
    this.#sql.run(
      "INSERT INTO passkeys (credential, staff, public_key, counter, transports, made_ms, made_by) VALUES (?, ?, ?, ?, ?, ?, ?)",
      credential,
      staffId,
      publicKey,
      counter,
      transports.join(" "),
      made?.atMs ?? null,
      made?.by ?? null,
    );
  }

  /** Remembers how often a passkey was used: only ever more often. Answers whether it is still there as it was read. */
  countPasskey({ credential, counter }: Passkey, newCounter: number): boolean {
    const { changes } = this.#sql.run(
      "UPDATE passkeys SET counter = ? WHERE credential = ? AND counter = ?",
      newCounter,
      credential,
      counter,
    );
    return Number(changes) === 1;
  }
}

interface PasskeyRow {
  readonly credential: string;
  readonly staffId: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly transports: string;
  readonly madeMs: number | null;
  readonly madeBy: Uint8Array | null;
}

const passkeyColumns = "credential, staff AS staffId, public_key AS publicKey, counter, transports, made_ms AS madeMs, made_by AS madeBy";

function readPasskey({ transports, madeMs, madeBy, ...row }: PasskeyRow): Passkey {
  return { ...row, transports: transports === "" ? [] : transports.split(" "), made: givenByOne(madeMs, madeBy) };
}

function givenByOne(atMs: number | null, by: Uint8Array | null): GivenByOne | undefined {
  return atMs === null || by === null ? undefined : { atMs, by };
}

/** From when on somebody approves by this passkey what goes out, milliseconds since 1970; 0 for always (rule F-19). */
export function approvesFromMs({ granted }: Pick<Staff, "granted">, { made }: Pick<Passkey, "made">): number {
  const givenMs = Math.max(granted?.atMs ?? 0, made?.atMs ?? 0);
  return givenMs === 0 ? 0 : givenMs + approvalWaitHours * 3_600_000;
}

/** Which passkeys somebody has, base64url: whoever stands for them says which. */
export function passkeysHashOf(passkeys: readonly Pick<Passkey, "credential">[]): string {
  return toBase64Url(sha256(utf8Bytes(passkeys.map(({ credential }) => credential).join(" "))));
}

function staffOf(row: StaffRow | undefined): Staff | undefined {
  return row === undefined ? undefined : readRow(row);
}

function readRow({ id, name, roles, isActive, grantedMs, grantedBy }: StaffRow): Staff {
  return { id, name, roles: rolesOf(roles), isActive: isActive === 1, granted: givenByOne(grantedMs, grantedBy) };
}

function rolesOf(text: string): readonly DeskRole[] {
  const words = text.split(" ");
  return deskRoles.filter((role) => words.includes(role));
}
