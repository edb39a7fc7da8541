/** What somebody at the desk may do; each person has one or several. */
export const deskRoles = ["intake", "moderator", "reviewer", "auditor", "administrator"] as const;

/**
 * A role at the desk (docs/front-door.md):
 * - `intake` reads cases, takes them and writes notes;
 * - `moderator` does that and decides;
 * - `reviewer` reads cases and decides appeals, never of a decision of their own;
 * - `auditor` reads the trail and verifies it, no case;
 * - `administrator` says who is staff and keeps the saved reasons, and reads no case by that.
 */
export type DeskRole = (typeof deskRoles)[number];

/** Somebody who works at the desk. */
export interface DeskStaff {
  /** base64url */
  readonly id: string;
  /** What colleagues see; never shown to anybody whom a case concerns. */
  readonly name: string;
  readonly roles: readonly DeskRole[];
  /** Who is not active may not sign in any more; what they did stays theirs in the trail. */
  readonly isActive: boolean;
  /** 0 for who was named and has not used the code yet. */
  readonly passkeys: number;
  /** Which they are, base64url; whoever stands for them signs it. */
  readonly passkeysHash: string;
  /** Of whom one administrator alone let in: from when on they approve what goes out, milliseconds since 1970 (rule F-19). */
  readonly approvesFromMs?: number;
}

/** Who is signed in, and for how long without doing anything. */
export interface DeskSession {
  readonly staff: DeskStaff;
  /** The server's public name. */
  readonly host: string;
  readonly leftSeconds: number;
}

/** What the browser's `navigator.credentials` takes and gives, as JSON (WebAuthn Level 3 §5.1.8 to 5.1.10): the desk's library makes and reads it. */
export type PasskeyJson = Readonly<Record<string, unknown>>;

/** One act at the desk, chained to the one before it. */
export interface TrailEntry {
  /** From 1, without a gap. */
  readonly number: number;
  /** Milliseconds since 1970, by the server's guarded clock: never less than the entry before. */
  readonly atMs: number;
  /** Name of the staff; "operator" for who acts on the machine, "desk" for what it does by itself, "somebody" for who was not signed in. */
  readonly actor: string;
  readonly act: string;
  /** Shown number of the case that it concerns. */
  readonly caseNumber?: number;
  /** What was done, as JSON text without content of messages. */
  readonly details: string;
  /** SHA-256, hex, over all of the above and the hash before. */
  readonly hash: string;
}

/** What the desk found when it went over its trail. */
export interface TrailCheck {
  readonly entries: number;
  /** Hash of the newest entry; 64 zeros of none. */
  readonly head: string;
  /** Absent where every entry follows from the one before. */
  readonly brokenAt?: number;
}
