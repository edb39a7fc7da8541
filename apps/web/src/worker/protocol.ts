import type { ClientEvent, ClientFailure } from "@latchkey/client";

/** From the page to the worker. */
export type Request =
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: "wake" }
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
  | { readonly kind: "ready" }
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
    return { code: error.code as ClientFailure["code"], message: error.message, canRetry: error.canRetry };
  }
  return { code: "closed", message: "The worker stopped.", canRetry: true };
}
