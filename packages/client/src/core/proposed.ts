import type { LeafIdentity } from "@latchkey/protocol";
import type { ProposedSettings } from "./roster.ts";
import type { DeviceReference, RosterLeaf } from "./types.ts";

/** What a commit would change, in the terms of the rights. */
export interface ProposedChange {
  readonly author: RosterLeaf;
  readonly adds: readonly LeafIdentity[];
  readonly removes: readonly RosterLeaf[];
  readonly settings: ProposedSettings | undefined;
}

/** What a commit proves of the leaves that it removes and adds: these it may whatever the roles say. */
export interface Proven {
  /** Accounts (base64url) that the words in the commit prove to leave: with all their devices, at once. */
  readonly leaving: ReadonlySet<string>;
  /** Owners (base64url) whose accounts the commit's records prove to be deleted. */
  readonly deleted: ReadonlySet<string>;
  /** Leaves that the commit's records prove to have left their accounts. */
  readonly departed: readonly RosterLeaf[];
  /** Leaves that complained: removed by anybody who adds the same device again (spec G-5). */
  readonly complainers: readonly RosterLeaf[];
  /** Of the devices that it adds and has to prove (`needsProof`), those that it proves to stand in their accounts. */
  readonly standing: readonly DeviceReference[];
}
