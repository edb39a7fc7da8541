import type { DeskErrorCode } from "@latchkey/protocol/desk";
import type { StoreFaultParts } from "../../errors.ts";
import type { Office } from "./office.ts";

/** What the server calls of the desk. */
export type OfficeMethods = Pick<Office, "handle" | "isStaffed" | "operatorCode" | "staff">;
/** Name of a method. */
export type OfficeMethod = keyof OfficeMethods;
/** What one takes. */
export type OfficeParams<Name extends OfficeMethod> = Parameters<OfficeMethods[Name]>[0];
/** What one answers. */
export type OfficeResult<Name extends OfficeMethod> = Awaited<ReturnType<OfficeMethods[Name]>>;

/** A call of one method. */
export interface OfficeCall {
  readonly kind: "call";
  readonly id: number;
  readonly name: OfficeMethod;
  readonly params: unknown;
}

/** To the desk's thread. */
export type ToOffice = OfficeCall | { readonly kind: "close" };

/** From it. `ready` or `refused` comes first. */
export type FromOffice =
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | { readonly kind: "not-done"; readonly id: number; readonly code: DeskErrorCode }
  | { readonly kind: "failed"; readonly id: number; readonly fault: StoreFaultParts };
