import type { DeskErrorCode } from "@latchkey/protocol/desk";
import type { StoreFaultParts } from "../../errors.ts";
import type { Door } from "./door.ts";
import type { Office } from "./office.ts";
import type { OfficeWorld, WorldQuestion } from "./world.ts";

/** What the server calls of the desk. */
export type OfficeMethods = Pick<
  Office,
  | "handle"
  | "isStaffed"
  | "operatorCode"
  | "staff"
  | "tick"
  | "file"
  | "exportYear"
  | "waiting"
  | "awaitedFile"
  | "appendFile"
  | "filePart"
  | "releasedFile"
  | "counts"
> &
  Pick<Door, "seen" | "arrive" | "announced" | "attach" | "answers">;
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

/** What the desk asks of the server. */
export interface OfficeQuestion {
  readonly kind: "ask";
  readonly id: number;
  readonly name: WorldQuestion;
  readonly params: Parameters<OfficeWorld[WorldQuestion]>[0];
}

/** To the desk's thread. */
export type ToOffice =
  | OfficeCall
  | { readonly kind: "answer"; readonly id: number; readonly isDone: boolean; readonly value: unknown }
  | { readonly kind: "close" };

/** From it. `ready` or `refused` comes first. */
export type FromOffice =
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  | { readonly kind: "done"; readonly id: number; readonly value: unknown }
  | { readonly kind: "not-done"; readonly id: number; readonly code: DeskErrorCode }
  | OfficeQuestion
  /** Something was not done that is tried again. */
  | { readonly kind: "bug"; readonly fault: StoreFaultParts }
  | { readonly kind: "failed"; readonly id: number; readonly fault: StoreFaultParts };
