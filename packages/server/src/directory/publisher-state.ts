/** Where the publishing of the directory stands, for whoever watches the server. */
export interface PublisherState {
  /** Entries up to the head that is served, or about to be. */
  readonly size: number;
  /** When this process published last, in milliseconds since 1970; `undefined` before. */
  readonly publishedMs: number | undefined;
  /** Whether enough witnesses have cosigned the served head. */
  readonly hasQuorum: boolean;
  readonly witnesses: readonly WitnessState[];
}

/** What is known of one witness: by its place in the policy, so that no name stands in a log or a metric. */
export interface WitnessState {
  /** When it cosigned last, by its own clock, in milliseconds since 1970. */
  readonly cosignedMs: number | undefined;
  /** What went wrong when it was asked last; `undefined` where nothing did. */
  readonly failure: WitnessFailure | undefined;
}

/** Why a witness has not cosigned a head. */
export type WitnessFailure =
  | "it did not answer in time"
  | "it cannot be reached"
  | "it refused"
  | "it has seen a longer log than this one"
  | "its signature is of another key, or wrong"
  | "its answer is none of a witness";
