import type { ChainEntry, HistoryGiven, SettingsOpening } from "@latchkey/protocol";

/** An entry as its leaf in the chain is made of it. */
export type PastEntry = Omit<ChainEntry, "blob"> & { readonly blobHash: Uint8Array };

/** What a step keeps for those who join later, gives them, or was given (spec R-5). */
export type PastEffect =
  /** An entry that joiners may be shown later, by the settings at its place (spec R-5). */
  | { readonly kind: "past"; readonly entry: PastEntry; readonly opening: SettingsOpening }
  /** Whose message that entry was. `isExtra`: its evidence is kept for joiners alone. */
  | {
      readonly kind: "past_author";
      readonly seq: number;
      readonly order: number;
      readonly author: { readonly accountId: Uint8Array; readonly deviceId: Uint8Array };
      readonly isExtra: boolean;
    }
  /** This device added these accounts, and gives them what was said before (spec R-5). */
  | { readonly kind: "give_history"; readonly joinedSeq: number; readonly accounts: readonly Uint8Array[] }
  /** What is given to those who joined by this commit waits to be sent. */
  | { readonly kind: "giving_history"; readonly joinedSeq: number }
  /** A member who may gave this device what was said before it joined (spec R-5). */
  | {
      readonly kind: "history_given";
      readonly order: number;
      readonly epoch: number;
      readonly author: Uint8Array;
      readonly given: HistoryGiven;
    };
