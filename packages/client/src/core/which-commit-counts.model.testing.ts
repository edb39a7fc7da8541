/**
 * A model of one group, its log and its members around `which-commit-counts.ts` (spec section 15). Honest members do what the rules say, in
 * any order and with any delay; malicious ones write what they like, a bounded number of times; the server delays what each member writes for
 * as long as it likes, takes commits that are late, delays and reorders Welcomes, and keeps one log, or two in the variant with branches.
 * Who is shown the log late acts on what it had read: that is the same as acting at once, and what it wrote coming late. `explore` visits every
 * state; it checks those in which no honest member has anything left to do.
 */
import * as product from "./which-commit-counts.ts";
import type { Duty, Member, PrivateChecks, SeenCommit, SeenComplaint, SeenEpoch } from "./which-commit-counts.ts";

/** The rules that honest members follow: the product's, or others that the model has to find wanting. */
export interface Rules {
  readonly childOf: (epoch: SeenEpoch) => SeenCommit | undefined;
  readonly dutyIn: (epoch: SeenEpoch, self: Member, checks: PrivateChecks) => Duty;
  readonly barredIn: (epoch: SeenEpoch) => ReadonlySet<Member>;
  readonly standingComplaints: (chain: readonly SeenEpoch[]) => readonly SeenComplaint[];
  readonly complaintsOwed: typeof product.complaintsOwed;
  readonly mayLetIn: typeof product.mayLetIn;
  /** Whether who was let in says so, and waits when others let it in elsewhere (spec G-5). */
  readonly arrivals: boolean;
  readonly waitsForOthers: boolean;
}

/** The product's rules. */
export const rules: Rules = { ...product, arrivals: true, waitsForOthers: true };

export interface Config {
  readonly honest: number;
  readonly malicious: number;
  /** Moves of the malicious members together. */
  readonly moves: number;
  /** Changes that honest members make of their own will. */
  readonly changes: number;
  /** Complaints that an honest member writes again when nothing happens. */
  readonly patience: number;
  /** Whether the server shows the malicious members what honest ones send before it is in the log. */
  readonly collusion: boolean;
  /** Whether the server may once split the log in two. */
  readonly branches: boolean;
  /** Whether members can go back to an epoch whose child becomes void after they followed it. */
  readonly keepsState: boolean;
  /** Whether malicious members may remove others by their role. */
  readonly administers: boolean;
  /** Whether somebody may end up unable to go on, with a stated reason (spec G-9); else that breaks a promise. */
  readonly mayStop: boolean;
  readonly rules: Rules;
}

/** An entry. Members and sets of them are bits, honest ones first; an epoch is the `seq` of its commit, 0 at first. */
export type Entry = CommitEntry | ComplaintEntry;

export interface CommitEntry {
  readonly kind: "commit";
  readonly epoch: number;
  readonly author: number;
  readonly passes: boolean;
  /** For whom the private check holds. */
  readonly holdsFor: number;
  readonly keeps: number;
  readonly readds: number;
}

export interface ComplaintEntry {
  readonly kind: "complaint";
  readonly epoch: number;
  readonly by: number;
  readonly about: number;
  readonly says: "broken" | "lost" | "arrived";
  readonly at: number;
}

/** A Welcome on its way, or kept: `signer` lets `to` in at the commit `at`. */
export interface Welcome {
  readonly to: number;
  readonly at: number;
  readonly signer: number;
}

/** A Welcome that a member took, with the commit that it could not follow. */
export interface LetIn {
  readonly epoch: number;
  readonly about: number;
  readonly at: number;
  readonly signer: number;
}

/** One state of the world. */
export interface State {
  /** One log, or two with the same beginning. */
  readonly logs: readonly (readonly Entry[])[];
  /** Of each honest member: which log it is shown, what it has written and the server holds back, by whom it was let in, what it said again, its newest epoch. */
  readonly on: readonly number[];
  readonly flight: readonly (Entry | undefined)[];
  readonly letIn: readonly (readonly LetIn[])[];
  readonly again: readonly number[];
  readonly newest: readonly number[];
  readonly welcomes: readonly Welcome[];
  /** Commits whose author has sent the Welcomes, for each honest author. */
  readonly sent: readonly (readonly number[])[];
  readonly moves: number;
  readonly changes: number;
  /** Which log's head was published, once it was. */
  readonly published: number;
}

export const bit = (member: number): number => 1 << member;
export const has = (set: number, member: number): boolean => (set & bit(member)) !== 0;
const lists = Array.from({ length: 64 }, (_, set) => Array.from({ length: 6 }, (_, index) => index).filter((index) => has(set, index)));
/** The members in a set, of six at most. */
export const listOf = (set: number): readonly number[] => lists[set] ?? [];
const names = lists.map((list): ReadonlySet<Member> => new Set(list.map(String)));
/** The same as names. */
export const namesOf = (set: number): ReadonlySet<Member> => names[set] ?? new Set();

/** Where an honest member stands, by what it has read. */
export type Position =
  | {
      readonly kind: "in";
      readonly epoch: number;
      readonly chain: readonly SeenEpoch[];
      readonly epochs: readonly number[];
      readonly isLost: boolean;
    }
  | {
      readonly kind: "waits";
      readonly epoch: number;
      readonly about: number;
      readonly chain: readonly SeenEpoch[];
      readonly epochs: readonly number[];
    }
  | { readonly kind: "out"; readonly epoch: number; readonly by: number }
  | { readonly kind: "alarmed" };

/** Everything that the model needs to know of a configuration, and the questions it asks of a state. */
export class Model {
  readonly config: Config;
  readonly all: number;
  readonly honest: number;
  readonly #epochs = new WeakMap<readonly Entry[], Map<number, SeenEpoch>>();

  constructor(config: Config) {
    this.config = config;
    this.honest = bit(config.honest) - 1;
    this.all = bit(config.honest + config.malicious) - 1;
  }

  start(): State {
    const each = <T>(value: T): T[] => Array.from({ length: this.config.honest }, () => value);
    const { moves, changes } = this.config;
    return {
      logs: [[]],
      on: each(0),
      flight: each(undefined),
      letIn: each([]),
      again: each(0),
      newest: each(0),
      welcomes: [],
      sent: each([]),
      moves,
      changes,
      published: -1,
    };
  }

  /** The log that `member` is shown. */
  log(state: State, member: number): readonly Entry[] {
    return state.logs[state.on[member] ?? 0] ?? [];
  }

  /** What stands in `epoch` in the first `length` entries. */
  seen(log: readonly Entry[], length: number, epoch: number): SeenEpoch {
    let known = this.#epochs.get(log);
    if (known === undefined) this.#epochs.set(log, (known = new Map()));
    const key = length * 64 + epoch;
    const found = known.get(key);
    if (found !== undefined) return found;
    const commits: SeenCommit[] = [];
    const complaints: SeenComplaint[] = [];
    for (let index = 0; index < length; index++) {
      const entry = log[index];
      if (entry === undefined || entry.epoch !== epoch) continue;
      if (entry.kind === "commit") commits.push(seenCommit(entry, index + 1));
      else {
        const says = entry.says === "arrived" ? { kind: entry.says, at: entry.at } : { kind: entry.says };
        complaints.push({ seq: index + 1, by: String(entry.by), about: entry.about, says });
      }
    }
    const made = { commits, complaints };
    known.set(key, made);
    return made;
  }

  commit(log: readonly Entry[], seq: number): CommitEntry | undefined {
    const entry = log[seq - 1];
    return entry?.kind === "commit" ? entry : undefined;
  }

  /** The members of an epoch, as a set. */
  members(log: readonly Entry[], epoch: number): number {
    if (epoch === 0) return this.all;
    const commit = this.commit(log, epoch);
    return commit === undefined ? 0 : commit.keeps | commit.readds;
  }

  /** Where `member` stands. */
  position(state: State, member: number): Position {
    const on = state.on[member] ?? 0;
    if (state.published >= 0 && state.logs.length > 1 && state.published !== on) return { kind: "alarmed" };
    const log = this.log(state, member);
    const { length } = log;
    const newest = state.newest[member] ?? 0;
    const self = String(member);
    const chain: SeenEpoch[] = [];
    const epochs: number[] = [];
    for (let epoch = 0; ;) {
      const seen = this.seen(log, length, epoch);
      chain.push(seen);
      epochs.push(epoch);
      const hasLeft = !this.config.keepsState && newest > epoch;
      const checks = new Map<number, "holds" | "fails">();
      for (const { seq } of seen.commits) {
        const canFollow = has(this.commit(log, seq)?.holdsFor ?? 0, member) && (!hasLeft || this.#wasIn(state, member, seq));
        checks.set(seq, canFollow ? "holds" : "fails");
      }
      const duty = this.config.rules.dutyIn(seen, self, checks);
      if (duty.kind === "stay") return { kind: "in", epoch, chain, epochs, isLost: hasLeft };
      if (duty.kind === "follow") {
        epoch = duty.commit.seq;
        continue;
      }
      const about = duty.commit.seq;
      if (duty.kind === "removed" && !duty.commit.readds.has(self)) return { kind: "out", epoch, by: about };
      const letIn = (state.letIn[member] ?? []).find((item) => item.epoch === epoch && item.about === about);
      if (letIn === undefined) return { kind: "waits", epoch, about, chain, epochs };
      if (letIn.at !== about) {
        // Whose leaf is another than in the epoch of the complaint can be told from the tree that came with the Welcome.
        const between: SeenEpoch[] = [];
        for (let at = letIn.at; at > about; at = this.commit(log, at)?.epoch ?? 0) {
          const commit = this.commit(log, at);
          if (commit !== undefined) between.unshift({ commits: [{ ...seenCommit(commit, at), passes: true }], complaints: [] });
        }
        chain.push(...between);
        epochs.push(...between.map(() => -1));
      }
      epoch = letIn.at;
    }
  }

  /** Whether the epoch is on the way to the newest one that the member was in: its own state, not a sibling's. */
  #wasIn(state: State, member: number, epoch: number): boolean {
    const log = this.log(state, member);
    for (let at = state.newest[member] ?? 0; at > 0; at = this.commit(log, at)?.epoch ?? 0) if (at === epoch) return true;
    return false;
  }

  /** Members of whose Welcomes to elsewhere a member that was let in has to hear first. */
  contradicts(state: State, member: number, position: Position): number {
    if (!this.config.rules.waitsForOthers || position.kind !== "in") return 0;
    const taken = state.letIn[member] ?? [];
    let others = 0;
    for (const [index, item] of taken.entries()) {
      const first = taken.findIndex(({ epoch, about }) => epoch === item.epoch && about === item.about);
      if (first !== index && position.epochs.includes(item.epoch) && taken[first]?.at !== item.at) others |= bit(item.signer);
    }
    return others;
  }
}

function seenCommit({ author, passes, keeps, readds }: CommitEntry, seq: number): SeenCommit {
  return { seq, author: String(author), passes, keeps: namesOf(keeps), readds: namesOf(readds) };
}
