import type { ClientEvent, ClientFailure } from "@latchkey/client";
import type { LockChange, LockSettings, LockView, NewOpener, Opener } from "@latchkey/client/lock";

/** What a person does about the lock (spec O-8, O-9). */
export type LockAct =
  | { readonly kind: "unlock"; readonly opener: Opener }
  | { readonly kind: "now" }
  | { readonly kind: "turn_on"; readonly opener: NewOpener; readonly settings: LockSettings }
  | { readonly kind: "change"; readonly present: Opener; readonly change: LockChange };

/** What came of it. */
export type LockAnswer =
  /** It was done, or is being done: the status says so. */
  | { readonly kind: "done" }
  | { readonly kind: "wrong" | "waits"; readonly view: LockView }
  /** It was wrong once too often: everything here is gone. */
  | { readonly kind: "erased" };

/** From the page to the worker. */
export type Request =
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: "wake" }
  | { readonly kind: "lock"; readonly id: number; readonly act: LockAct }
  /** The person did something in this page, or it came into sight or went out of it. */
  | { readonly kind: "active"; readonly isVisible: boolean }
  /** Something goes on in this page that is not to be broken off by the lock, whether it is seen or not. */
  | { readonly kind: "goes_on" }
  /** The page holds a Web Lock of this name for as long as it lives: also one that is killed has left then. */
  | { readonly kind: "here"; readonly lock: string }
  /** Opens the client again after a failure. */
  | { readonly kind: "reopen" }
  /** Erases a profile that cannot be opened any more, and begins anew. */
  | { readonly kind: "start_over" }
  | { readonly kind: "bye" };

/** How the worker's client is. */
export type HostStatus =
  | { readonly kind: "starting" }
  /** Another tab's worker holds the profile; this one waits for it. */
  | { readonly kind: "in_use" }
  /** `lock`: the one that is on. */
  | { readonly kind: "ready"; readonly lock?: LockView }
  /** Nothing opens but with what opens the lock. */
  | { readonly kind: "locked"; readonly lock: LockView }
  /** It is being locked: pages show nothing and hand over what they have; once `isDone` they load again, and another worker asks for the key. */
  | { readonly kind: "locking"; readonly isDone: boolean }
  /** A lock is being turned on: so many records have their new key. */
  | { readonly kind: "sealing"; readonly records: number }
  /** A page of another build has come, and its worker goes on with the profile: this page loads again. */
  | { readonly kind: "replaced" }
  /** A browser gives a page that came over plain http nothing to encrypt with. */
  | { readonly kind: "insecure" }
  | { readonly kind: "failed"; readonly failure: ClientFailure };

/** From the worker to the page. */
export type Response =
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: ClientFailure }
  | { readonly kind: "event"; readonly event: ClientEvent }
  | { readonly kind: "status"; readonly status: HostStatus }
  /** Another worker of this build, which tabs share too, has the profile: the page asks for that one, and this one ends. */
  | { readonly kind: "elsewhere" }
  /** Workers that tabs share cannot keep keys in this browser (WebKit): the page starts one of its own. */
  | { readonly kind: "unfit" };

/** Whether what is stored here opens never again: the person may erase it. */
export function isPastOpening(failure: ClientFailure): boolean {
  return failure.code === "profile_restored" || failure.code === "storage_older";
}

/** A client's failure on this side of the port. */
export class RemoteError extends Error {
  override readonly name = "RemoteError";
  readonly failure: ClientFailure;

  constructor(failure: ClientFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The failure in anything thrown; what is no client failure means that the worker misbehaves. */
export function failureOf(error: unknown): ClientFailure {
  if (error instanceof RemoteError) return error.failure;
  if (error instanceof Error && "code" in error && "canRetry" in error && typeof error.canRetry === "boolean") {
    // Only ClientError has both, and its code is of this union.
    const failure = { code: error.code as ClientFailure["code"], message: error.message, canRetry: error.canRetry };
    const isToWait = "retryAfterMs" in error && typeof error.retryAfterMs === "number" && error.retryAfterMs > 0;
    return isToWait ? { ...failure, retryAfterMs: Number(error.retryAfterMs) } : failure;
  }
  return { code: "closed", message: "The worker stopped.", canRetry: true };
}
