/** Rules that look right and are not: the model of `which-commit-counts.model.testing.ts` has to find each of them wanting. */
import { rules, type Rules } from "./which-commit-counts.model.testing.ts";
import type { SeenCommit, SeenEpoch } from "./which-commit-counts.ts";

const nobody: ReadonlySet<string> = new Set();

/** The first commit entry is the child, whatever it is; who cannot follow it stops. */
export const firstWriterWins: Rules = {
  ...rules,
  childOf: ({ commits }) => commits[0],
  barredIn: () => nobody,
  dutyIn: ({ commits: [commit] }, self, checks) => {
    if (commit === undefined) return { kind: "stay" };
    if (commit.passes && !commit.keeps.has(self)) return { kind: "removed", commit };
    return { kind: commit.passes && checks.get(commit.seq) === "holds" ? "follow" : "wait", commit };
  },
  standingComplaints: () => [],
  complaintsOwed: () => [],
};

/** Everybody follows the first commit that they can follow. */
export const lowestValidSibling: Rules = {
  ...firstWriterWins,
  dutyIn: ({ commits }, self, checks) => {
    const commit = commits.find(({ seq, passes, keeps }) => passes && (!keeps.has(self) || checks.get(seq) === "holds"));
    if (commit === undefined) return { kind: "stay" };
    return { kind: commit.keeps.has(self) ? "follow" : "removed", commit };
  },
};

/** A complaint of one member is enough to make a commit void. */
export const oneComplaintVoids: Rules = {
  ...rules,
  ...deciding((epoch, commit) => epoch.complaints.some(({ about, by }) => about === commit.seq && commit.keeps.has(by))),
};

/** The author's own word never counts: it alone is left out of those who have to complain. */
export const allButTheAuthor: Rules = {
  ...rules,
  ...deciding(({ complaints }, { seq, author, keeps }) => {
    const others = [...keeps].filter((member) => member !== author);
    return others.length >= 2 && others.every((member) => complaints.some(({ about, by }) => about === seq && by === member));
  }),
};

/** Nobody complains about an earlier commit than the one that it cannot follow. */
export const noEarlierComplaints: Rules = {
  ...rules,
  complaintsOwed: (chain, self, checks) => rules.complaintsOwed(chain, self, checks).filter(({ epoch }) => epoch === chain.length - 1),
};

/** Anybody of the epoch may let a complainer in, the author of what it cannot follow too. */
export const anybodyLetsIn: Rules = { ...rules, mayLetIn: (_epoch, _about, { signer, members }) => members.has(signer) };

/** Who was let in does not say where. */
export const noArrivals: Rules = { ...rules, arrivals: false };

/** Who was let in at two places stays at the first. */
export const firstWelcomeWins: Rules = { ...rules, waitsForOthers: false };

/** The rules as they were first written: G-6 without the author's word, no earlier complaints, no arrivals, any Welcome of a known member. */
export const firstDraft: Rules = {
  ...allButTheAuthor,
  complaintsOwed: noEarlierComplaints.complaintsOwed,
  mayLetIn: anybodyLetsIn.mayLetIn,
  arrivals: false,
  waitsForOthers: false,
};

/** The functions of the rules that rest on which commits are void. */
function deciding(isVoid: (epoch: SeenEpoch, commit: SeenCommit) => boolean): Pick<Rules, "childOf" | "barredIn" | "dutyIn"> {
  const barredIn = (epoch: SeenEpoch): ReadonlySet<string> =>
    new Set(epoch.commits.filter((commit) => commit.passes && isVoid(epoch, commit)).flatMap(({ author }) => author ?? []));
  const childOf = (epoch: SeenEpoch): SeenCommit | undefined => {
    const barred = barredIn(epoch);
    return epoch.commits.find(({ passes, author }) => passes && author !== undefined && !barred.has(author));
  };
  // The product's own function, shown the commits that are left.
  const dutyIn: Rules["dutyIn"] = (epoch, self, checks) => {
    const child = childOf(epoch);
    const complaints = epoch.complaints.filter(({ by }) => by === self).map((item) => ({ ...item, says: { kind: "lost" } as const }));
    return rules.dutyIn({ commits: child === undefined ? [] : [child], complaints }, self, checks);
  };
  return { childOf, barredIn, dutyIn };
}
