import type { Day, StoredRestriction } from "./accounts.ts";
import type { StoredPassphrase } from "./passphrase-store.ts";
import type { HeldGeneration, StoredHistory } from "./history-store.ts";

/** A state of an account as it is kept. */
export interface HeldState {
  readonly version: number;
  readonly day: Day;
  readonly state: Uint8Array;
  readonly pops: readonly Uint8Array[];
}

/** An inbox, without its items. */
export interface HeldInbox {
  readonly row: number;
  readonly inboxId: Uint8Array;
  readonly lastSeq: number;
  readonly items: number;
  readonly bytes: number;
  readonly strangerItems: number;
  readonly strangerBytes: number;
  /** Absent where it has none. */
  readonly capability: { readonly generation: number; readonly hash: Uint8Array } | undefined;
}

/** A key package that a device published. */
export interface HeldKeyPackage {
  readonly row: number;
  readonly seq: number;
  readonly lastResort: boolean;
  readonly notAfterDay: Day;
  readonly digest: Uint8Array;
  /** Absent once it was taken. */
  readonly bytes: Uint8Array | undefined;
}

/** What is kept for a device. */
export interface HeldDevice {
  readonly row: number;
  readonly deviceId: Uint8Array;
  readonly card: Uint8Array | undefined;
  readonly inbox: HeldInbox | undefined;
  /** In the order in which they are given out. */
  readonly keyPackages: readonly HeldKeyPackage[];
}

/** What the directory has of one of an account's labels; of a name that others had as well only the values of this account. */
export interface HeldLabel {
  readonly row: number;
  readonly type: "username" | "account";
  readonly value: Uint8Array;
  readonly index: Uint8Array;
  readonly vrfProof: Uint8Array;
  readonly values: readonly {
    readonly version: number;
    readonly commitment: Uint8Array;
    /** Absent once the value is erased. */
    readonly opening: Uint8Array | undefined;
    /** Of a name: what was signed for it. */
    readonly binding: Uint8Array | undefined;
    readonly isRelease: boolean;
    /** Of an account's own label: its name then. */
    readonly username: string | undefined;
  }[];
}

/** What is kept of one account, but for its states, the items of its inboxes and the chunks of its history; each list in an order of what it holds. */
export interface AccountHoldings {
  readonly account: {
    readonly row: number;
    readonly version: number;
    readonly historyBytes: number;
    readonly updatesDay: Day;
    readonly updatesThatDay: number;
    /** How many tokens it was given on the last day that it asked for some (spec T-1); 0 where it never did. */
    readonly tokensDay: Day;
    readonly tokensThatDay: number;
    /** From which size of the public record on it is deleted; absent where it is not being deleted, or was erased. */
    readonly deletionSize: number | undefined;
    /** What is taken from it, by the operator or a decision of the desk. */
    readonly restrictions: readonly StoredRestriction[];
    /** By which it can be recovered (spec A-12); absent where it has none. */
    readonly passphrase: (StoredPassphrase & { readonly setDay: Day; /** 0 for never. */ readonly openedDay: Day }) | undefined;
    /** Tries of that, or where it has none; absent where there were none. */
    readonly passphraseTries: { readonly day: Day; readonly thatDay: number; readonly inAll: number } | undefined;
  };
  readonly usernames: readonly {
    readonly username: string;
    readonly status: "bound" | "released";
    /** Absent for a name that is held. */
    readonly reservedUntilDay: Day | undefined;
    readonly binding: Uint8Array;
  }[];
  readonly devices: readonly HeldDevice[];
  readonly labels: readonly HeldLabel[];
  /** The backup of its history: what its manifest says, with the row of the generation, and all generations that are kept. */
  readonly history: {
    readonly stored: (Omit<StoredHistory, "generation"> & { readonly row: number }) | undefined;
    readonly generations: readonly HeldGeneration[];
  };
}
