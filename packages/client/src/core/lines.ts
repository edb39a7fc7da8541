/** What a line of a conversation says. */
export type LineBody =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "created"; readonly name: string }
  | { readonly kind: "added"; readonly accounts: readonly Uint8Array[] }
  | { readonly kind: "removed"; readonly accounts: readonly Uint8Array[] }
  | { readonly kind: "left" }
  | { readonly kind: "renamed"; readonly name: string }
  | { readonly kind: "keys_updated" }
  | { readonly kind: "device_added"; readonly account: Uint8Array }
  | { readonly kind: "device_removed"; readonly account: Uint8Array }
  | { readonly kind: "recovered"; readonly account: Uint8Array }
  /** The author's app sent a commit that nobody can use (spec G-3). */
  | { readonly kind: "skipped" }
  /** A commit of the author cannot be followed by this account's device (spec G-4); then, that the author let it back in (G-5). */
  | { readonly kind: "complaint"; readonly account: Uint8Array }
  | { readonly kind: "let_back"; readonly account: Uint8Array }
  /** None of the account's devices in the group is in its account any more: they were removed, the person was not (spec E-64). */
  | { readonly kind: "away"; readonly account: Uint8Array }
  | { readonly kind: "expired"; readonly count: number }
  /** The author's device spoke of another log than the one in the public record, which is this device's (spec L-10). */
  | { readonly kind: "other_view" }
  /** So many messages of the author's device never came; with 0 its numbers cannot be (spec L-10). */
  | { readonly kind: "misnumbered"; readonly missing: number }
  | { readonly kind: "unsupported" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | { readonly kind: "alarm"; readonly reason: string };

/** One line of the history, as it is stored. */
export interface Line {
  readonly id: string;
  readonly order: number;
  /** Account id of its author, if it has one. */
  readonly author: Uint8Array | undefined;
  readonly sentAtMs: number;
  readonly body: LineBody;
  /** When the server acknowledged it, of own messages only; else 0. */
  readonly acceptedAtMs: number;
}
