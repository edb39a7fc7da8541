import type { Client, ClientEvent, ClientFailure } from "@latchkey/client";

/** The methods of `Client` that cross the port: all that return a promise, but `close` (the worker outlives a tab). */
export type RemoteMethods = {
  [K in keyof Client as K extends "close" ? never : Client[K] extends (...args: never[]) => Promise<unknown> ? K : never]: Client[K];
};

/** The name of a method that a page may call. */
export type RemoteMethodName = keyof RemoteMethods;

const remoteMethodSet: Readonly<Record<RemoteMethodName, true>> = {
  account: true,
  pendingAccount: true,
  connection: true,
  serverInfo: true,
  checkUsername: true,
  register: true,
  resolve: true,
  acceptName: true,
  conversations: true,
  details: true,
  startConversation: true,
  messages: true,
  send: true,
  edit: true,
  deleteMessages: true,
  react: true,
  sendPoll: true,
  vote: true,
  endPoll: true,
  pin: true,
  pinned: true,
  forward: true,
  findMessage: true,
  messageInfo: true,
  heldDeletions: true,
  decideDeletions: true,
  retry: true,
  discard: true,
  addMembers: true,
  removeMembers: true,
  setRole: true,
  changeInfo: true,
  changeRights: true,
  setTimer: true,
  setSlowMode: true,
  removeUnproven: true,
  letBack: true,
  continueConversation: true,
  acceptInvitation: true,
  declineInvitation: true,
  leave: true,
  markRead: true,
  saveDraft: true,
  inspect: true,
  settle: true,
  recoveryPhrase: true,
  forgetRecoveryPhrase: true,
  recover: true,
  devices: true,
  removeDevice: true,
  offerLink: true,
  acceptLink: true,
  confirmLink: true,
  cancelLink: true,
  deleteAccount: true,
  verification: true,
  safetyNumber: true,
  scanSafetyNumber: true,
  markVerified: true,
  alarms: true,
  acknowledgeAlarm: true,
  directoryStatus: true,
  requests: true,
  acceptRequest: true,
  declineRequest: true,
  block: true,
  unblock: true,
  blocked: true,
};

/** All method names; the worker calls no others. */
export const remoteMethodNames: readonly RemoteMethodName[] = Object.keys(remoteMethodSet).filter(isRemoteMethod);

/** Whether a page may call `name`. */
export function isRemoteMethod(name: string): name is RemoteMethodName {
  return Object.hasOwn(remoteMethodSet, name);
}

/** From the page to the worker. */
export type Request =
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: "wake" }
  /** Opens the client again after a failure. */
  | { readonly kind: "reopen" }
  | { readonly kind: "bye" };

/** How the worker's client is. */
export type HostStatus =
  | { readonly kind: "starting" }
  /** Another tab's worker holds the profile; this one waits for it. */
  | { readonly kind: "in_use" }
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly failure: ClientFailure };

/** From the worker to the page. */
export type Response =
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: ClientFailure }
  | { readonly kind: "event"; readonly event: ClientEvent }
  | { readonly kind: "status"; readonly status: HostStatus };

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
