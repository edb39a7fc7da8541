import type { ClientFailure } from "./failures.ts";

/** A person as shown: an account and what is known of it. */
export interface Person {
  readonly accountId: string;
  readonly username: string;
  readonly host: string;
  /** `name`, or `name@host` on another host. */
  readonly address: string;
  /** The name that they gave themselves inside the conversation's encryption, as far as it may be shown, else their username. */
  readonly displayName: string;
  /**
   * What is to stand beside `displayName`: the address, where somebody else goes by a name that looks the same, or where the name was
   * never looked up (spec E-63).
   */
  readonly besideName: string | undefined;
  readonly isSelf: boolean;
  /** Whether this device looked the name up and found its history good; false for people who were met inside a conversation only (spec A-3). */
  readonly isNameLookedUp: boolean;
}

/** What an account is in a group. */
export type Role = "member" | "administrator" | "owner";

/** A picture that may be shown: by its headers at most 1,024 pixels a side and 65,512 bytes, and still. Somebody made it who may have meant ill: an `img` draws it, nothing else. */
export interface Picture {
  readonly bytes: Uint8Array;
  readonly mediaType: "image/jpeg" | "image/webp";
}

/** An account that the server has and that does not count yet. */
export interface PendingAccount {
  readonly username: string;
  /** What is waited for. */
  readonly failure: ClientFailure;
}
