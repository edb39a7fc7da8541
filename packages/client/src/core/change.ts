import type { SettingsEdit } from "./settings-edit.ts";

/** A device to be added: its verified key package and where its inbox is. */
export interface Joiner {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly inboxId: Uint8Array;
  readonly inboxKey: Uint8Array;
  /** The `MLSMessage` holding its key package, as the server gave it. */
  readonly keyPackage: Uint8Array;
}

/** A device by its account. */
export interface DeviceReference {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

/** A wanted change of the group; made as soon as the conversation is free to commit. */
export interface Change {
  readonly id: string;
  readonly order: number;
  readonly adds: readonly Joiner[];
  /** Account ids. */
  readonly removes: readonly Uint8Array[];
  /** Single devices, whatever else of their accounts stays. */
  readonly removeDevices: readonly DeviceReference[];
  /** States of the added accounts, for the commit's envelope (spec D-5). */
  readonly proofs: Uint8Array;
  /** Renew one's own leaf even if nothing else changes (spec M-5). */
  readonly update: boolean;
  /** What is set, all at once (spec X-13). */
  readonly settings?: SettingsEdit | undefined;
  /** Commits that lost a race for this change. */
  readonly attempts: number;
  /** Other changes of settings that are made with it, by id: whoever waits for them is told too. Not stored. */
  readonly merged?: readonly string[] | undefined;
}

/** A change before it takes its place in the queue. */
export type WantedChange = Omit<Change, "order" | "attempts" | "merged">;
