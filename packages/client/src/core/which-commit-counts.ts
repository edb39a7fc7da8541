/**
 * Which commit counts (spec G-3 to G-6): a pure function of one log's order and of what every member of an epoch can check alike. It
 * knows nothing of MLS, keys or time; `which-commit-counts.model.testing.ts` explores it exhaustively.
 */

/** A device of the group, by a name that stays the same when it is removed and added again. */
export type Member = string;

/** A commit entry of an epoch. */
export interface SeenCommit {
  readonly seq: number;
  /** Who signed it, when that can be told. */
  readonly author: Member | undefined;
  /** Whether it passes the public check (spec G-1). */
  readonly passes: boolean;
  /** Members of the epoch whose leaf stays, its author among them. */
  readonly keeps: ReadonlySet<Member>;
  /** Members of the epoch that it removes and adds again. */
  readonly readds: ReadonlySet<Member>;
}

/** A complaint entry of an epoch, its signature verified. */
export interface SeenComplaint {
  readonly seq: number;
  readonly by: Member;
  /** The `seq` of the commit that `by` cannot follow. */
  readonly about: number;
  readonly says:
    /** The commit fails the private check, or the Welcome that belongs to it never came. */
    | { readonly kind: "broken" }
    /** The state that it takes to follow is erased: not the commit's fault. */
    | { readonly kind: "lost" }
    /** A Welcome let `by` in at the commit `at`. */
    | { readonly kind: "arrived"; readonly at: number };
}

/** What stands in the log in one epoch, each list in its order. */
export interface SeenEpoch {
  readonly commits: readonly SeenCommit[];
  readonly complaints: readonly SeenComplaint[];
}

/** What one's own private check (spec G-2) said of commits, by `seq`. */
export type PrivateChecks = ReadonlyMap<number, "holds" | "fails">;

/** What a member does in an epoch that it is in. */
export type Duty =
  /** The epoch has no child. */
  | { readonly kind: "stay" }
  /** `commit` is the child, and its private check has to be made. */
  | { readonly kind: "check"; readonly commit: SeenCommit }
  | { readonly kind: "follow"; readonly commit: SeenCommit }
  /** `commit` removes this member. If it adds it again, a Welcome follows, else a complaint; if it becomes void, the member is back. */
  | { readonly kind: "removed"; readonly commit: SeenCommit }
  /** `commit` cannot be followed, and a complaint about it is to be written. */
  | { readonly kind: "complain"; readonly commit: SeenCommit }
  /** `commit` cannot be followed, and the complaint stands in the log. */
  | { readonly kind: "wait"; readonly commit: SeenCommit };

/**
 * Whether a commit is void (spec G-6): at some time every member whom it keeps or adds again, but one, had complained that it is broken and
 * had not yet arrived somewhere behind it, and these were two at least. A commit that two honest members follow is therefore never void, and at most
 * one honest member is moved off it.
 */
export function isVoid({ complaints }: SeenEpoch, commit: SeenCommit): boolean {
  if (!commit.passes) return false;
  const stuck = new Set<Member>();
  for (const { about, by, says } of complaints) {
    if (about !== commit.seq || !(commit.keeps.has(by) || commit.readds.has(by))) continue;
    if (says.kind === "broken") stuck.add(by);
    if (says.kind === "arrived") stuck.delete(by);
    if (stuck.size >= 2 && stuck.size >= commit.keeps.size + commit.readds.size - 1) return true;
  }
  return false;
}

/** Members of which a commit of this epoch is void: no commit of theirs counts in it (spec G-3). */
export function barredIn(epoch: SeenEpoch): ReadonlySet<Member> {
  return new Set(epoch.commits.filter((commit) => isVoid(epoch, commit)).flatMap(({ author }) => author ?? []));
}

/**
 * The child of an epoch (spec G-3): its first commit that passes the public check, is not void, and whose author has no void commit in the
 * epoch. As the log grows it changes only to a later one, and only because the earlier one became void. Every other commit is skipped.
 */
export function childOf(epoch: SeenEpoch): SeenCommit | undefined {
  const barred = barredIn(epoch);
  return epoch.commits.find(({ passes, author }) => passes && author !== undefined && !barred.has(author));
}

function hasSpoken({ complaints }: SeenEpoch, commit: SeenCommit, member: Member): boolean {
  return complaints.some(({ by, about }) => by === member && about === commit.seq);
}

/** What `self` does in an epoch that it is in, by what it has of that epoch's entries and by its own private checks (spec G-3, G-4). */
export function dutyIn(epoch: SeenEpoch, self: Member, checks: PrivateChecks): Duty {
  const commit = childOf(epoch);
  if (commit === undefined) return { kind: "stay" };
  if (!commit.keeps.has(self)) return { kind: "removed", commit };
  const check = checks.get(commit.seq);
  if (check === undefined) return { kind: "check", commit };
  if (check === "holds") return { kind: "follow", commit };
  return { kind: hasSpoken(epoch, commit, self) ? "wait" : "complain", commit };
}

/** Whether what a member says about a commit of its chain asks for an answer (spec G-5), in the eyes of who went through `chain`. */
function unanswered(chain: readonly SeenEpoch[]): SeenComplaint[] {
  const children = chain.map(childOf);
  return chain.flatMap(({ complaints }, index) => {
    const child = children[index];
    if (child === undefined) return [];
    const later = children.slice(index + 1).filter((next) => next !== undefined);
    return complaints.filter(({ seq, by, about, says }) => {
      if (about !== child.seq || (!child.keeps.has(by) && !child.readds.has(by))) return false;
      if (says.kind === "arrived" && later.some((next) => next.seq === says.at)) return false;
      return !later.some((next) => next.seq > seq && !next.keeps.has(by));
    });
  });
}

/**
 * The complaints that a member on the child answers with one commit: Remove and Add of each complainer's device (spec G-5).
 * @param chain the epochs gone through, oldest first, the current one last; the child of each is the next. Who was let in again puts
 *   an epoch with the commit that it was let in at as its only one between the epoch of its complaint and the one it was let in to.
 * @returns of each member the newest word about a commit of the chain, unless a later commit of the chain removed the member's leaf after it
 *   was written, or it says that the member arrived at a commit of the chain. Who arrived elsewhere was let in by a liar, or late.
 */
export function standingComplaints(chain: readonly SeenEpoch[]): readonly SeenComplaint[] {
  const said = new Map<Member, number>();
  for (const { complaints } of chain) for (const { by, seq } of complaints) said.set(by, Math.max(said.get(by) ?? 0, seq));
  return unanswered(chain)
    .filter(({ by, seq }) => said.get(by) === seq)
    .sort((a, b) => a.seq - b.seq);
}

/**
 * The complaints that `self` has to write (spec G-4): about the child that it cannot follow, and then about each earlier commit of its chain
 * about which somebody else's complaint stands, even if it was let in again behind that once. So a member that loses its companions one epoch after the other is left alone (G-6).
 * @param chain as in `standingComplaints`.
 * @returns for each the epoch, by its place in `chain`, and the `seq` of the commit.
 */
export function complaintsOwed(
  chain: readonly SeenEpoch[],
  self: Member,
  checks: PrivateChecks,
): readonly { readonly epoch: number; readonly about: number }[] {
  const last = chain.at(-1);
  if (last === undefined) return [];
  const duty = dutyIn(last, self, checks);
  if (duty.kind !== "complain" && duty.kind !== "wait") return [];
  const owed = duty.kind === "complain" ? [{ epoch: chain.length - 1, about: duty.commit.seq }] : [];
  const standing = unanswered(chain);
  for (const [index, epoch] of chain.slice(0, -1).entries()) {
    const child = childOf(epoch);
    if (child === undefined || !child.keeps.has(self)) continue;
    if (epoch.complaints.findLast(({ by, about }) => by === self && about === child.seq)?.says.kind === "broken") continue;
    if (standing.some(({ about, by, says }) => about === child.seq && by !== self && says.kind === "broken"))
      owed.push({ epoch: index, about: child.seq });
  }
  return owed;
}

/**
 * Whether a complainer may be let in again by `signer` at the commit `at` (spec G-5): it knew the signer in the epoch of its complaint, and
 * no commit of the signer is the one complained about, or void there; or the commit complained about is the one that added it again.
 * That the Welcome is for a commit later in the same log is the caller's to check.
 */
export function mayLetIn(
  epoch: SeenEpoch,
  about: number,
  by: { readonly signer: Member; readonly at: number; readonly members: ReadonlySet<Member> },
): boolean {
  const author = epoch.commits.find(({ seq }) => seq === about)?.author;
  if (!by.members.has(by.signer) || barredIn(epoch).has(by.signer)) return false;
  return by.at === about ? by.signer === author : by.signer !== author;
}
