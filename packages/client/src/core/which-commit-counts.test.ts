import { describe, expect, test } from "vitest";
import {
  barredIn,
  childOf,
  complaintsOwed,
  dutyIn,
  isVoid,
  mayLetIn,
  standingComplaints,
  type SeenCommit,
  type SeenComplaint,
  type SeenEpoch,
} from "./which-commit-counts.ts";

const everyone = ["ada", "ben", "cyd", "eve"];
const commit = (seq: number, author: string | undefined, more: Partial<SeenCommit> = {}): SeenCommit => ({
  seq,
  author,
  passes: author !== undefined,
  keeps: new Set(everyone),
  readds: new Set(),
  ...more,
});
const complaint = (seq: number, by: string, about: number, says: SeenComplaint["says"] = { kind: "broken" }): SeenComplaint => ({
  seq,
  by,
  about,
  says,
});
const arrived = (at: number): SeenComplaint["says"] => ({ kind: "arrived", at });
const epoch = (commits: readonly SeenCommit[], complaints: readonly SeenComplaint[] = []): SeenEpoch => ({ commits, complaints });
const childSeq = (seen: SeenEpoch): number | undefined => childOf(seen)?.seq;

describe("[G-3] the child of an epoch", () => {
  test("is the first commit that passes the public check; junk, of an author or of nobody, is skipped", () => {
    expect(childSeq(epoch([]))).toBeUndefined();
    expect(childSeq(epoch([commit(3, undefined)]))).toBeUndefined();
    expect(childSeq(epoch([commit(3, undefined), commit(4, "eve", { passes: false }), commit(5, "ada"), commit(6, "ben")]))).toBe(5);
  });

  test("is no commit of an author who has a void one in the epoch, in whatever order", () => {
    const complaints = [complaint(5, "ada", 4), complaint(6, "ben", 4), complaint(7, "cyd", 4)];
    const seen = epoch([commit(4, "eve"), commit(8, "eve"), commit(9, "ben")], complaints);
    expect([...barredIn(seen)]).toEqual(["eve"]);
    expect(childSeq(seen)).toBe(9);
    expect(childSeq(epoch([commit(3, "eve", { keeps: new Set(["eve", "cyd"]) }), commit(4, "eve")], complaints))).toBeUndefined();
  });

  test("stays the first commit while one honest companion of its author is silent", () => {
    expect(childSeq(epoch([commit(4, "eve"), commit(5, "ben")], [complaint(6, "ada", 4), complaint(7, "ben", 4)]))).toBe(4);
  });
});

describe("[G-6] a commit is void", () => {
  test("when all whom it keeps but one complained, and these are two at least", () => {
    const made = commit(4, "eve");
    const by = (...names: string[]): SeenEpoch =>
      epoch(
        [made],
        names.map((name, index) => complaint(5 + index, name, 4)),
      );
    expect(isVoid(by("ada", "ben"), made)).toBe(false);
    expect(isVoid(by("ada", "ben", "ben"), made)).toBe(false);
    expect(isVoid(by("ada", "ben", "cyd"), made)).toBe(true);
    // Its author may be one of the complainers: somebody posted an honest commit again, broken (G-7).
    expect(isVoid(by("ada", "ben", "eve"), made)).toBe(true);
  });

  test("never by one complaint, by those whom it removes, or by strangers", () => {
    const pair = commit(4, "eve", { keeps: new Set(["ada", "eve"]) });
    expect(isVoid(epoch([pair], [complaint(5, "ada", 4)]), pair)).toBe(false);
    const removal = commit(4, "ada", { keeps: new Set(["ada", "ben", "cyd"]) });
    expect(isVoid(epoch([removal], [complaint(5, "eve", 4), complaint(6, "mallory", 4), complaint(7, "ben", 4)]), removal)).toBe(false);
    expect(isVoid(epoch([removal], [complaint(5, "ben", 3), complaint(6, "cyd", 4)]), removal)).toBe(false);
  });

  test("of whom it adds again too: who never gets in can say so", () => {
    const trap = commit(4, "eve", { keeps: new Set(["ada", "eve"]), readds: new Set(["ben", "cyd"]) });
    expect(isVoid(epoch([trap], [complaint(5, "ada", 4), complaint(6, "ben", 4)]), trap)).toBe(false);
    expect(isVoid(epoch([trap], [complaint(5, "ada", 4), complaint(6, "ben", 4), complaint(7, "cyd", 4)]), trap)).toBe(true);
  });

  test("not by who lost the state that it takes, nor by who has arrived behind it since; but what was void stays void", () => {
    const made = commit(4, "eve");
    const three = (last: SeenComplaint["says"], ...more: SeenComplaint[]): SeenEpoch =>
      epoch(
        [made],
        [complaint(5, "ada", 4), ...more, complaint(7, "ben", 4), complaint(8, "cyd", 4, last), complaint(9, "ada", 4, arrived(12))],
      );
    expect(isVoid(three({ kind: "lost" }), made)).toBe(false);
    expect(isVoid(three({ kind: "broken" }, complaint(6, "ada", 4, arrived(10))), made)).toBe(false);
    expect(isVoid(three({ kind: "broken" }), made)).toBe(true);
  });

  test("a commit that fails the public check is skipped, not void: its author is not barred", () => {
    const complaints = [complaint(5, "ada", 4), complaint(6, "ben", 4), complaint(7, "cyd", 4)];
    expect(childSeq(epoch([commit(4, "eve", { passes: false }), commit(8, "eve")], complaints))).toBe(8);
  });
});

describe("what a member does", () => {
  const seen = epoch([commit(4, "eve")]);

  test("follows, complains once and waits, or has been removed, as its own private check says", () => {
    expect(dutyIn(epoch([]), "ada", new Map()).kind).toBe("stay");
    expect(dutyIn(seen, "ada", new Map()).kind).toBe("check");
    expect(dutyIn(seen, "ada", new Map([[4, "holds"]])).kind).toBe("follow");
    expect(dutyIn(seen, "ada", new Map([[4, "fails"]])).kind).toBe("complain");
    expect(dutyIn(epoch(seen.commits, [complaint(5, "ada", 4)]), "ada", new Map([[4, "fails"]])).kind).toBe("wait");
    expect(dutyIn(epoch([commit(4, "eve", { keeps: new Set(["ben", "eve"]) })]), "ada", new Map()).kind).toBe("removed");
  });

  test("never follows a sibling of a commit that it cannot follow, until that is void", () => {
    const checks = new Map<number, "holds" | "fails">([
      [4, "fails"],
      [5, "holds"],
    ]);
    const commits = [commit(4, "eve"), commit(5, "ben")];
    expect(dutyIn(epoch(commits), "ada", checks)).toMatchObject({ kind: "complain", commit: { seq: 4 } });
    const complaints = ["ada", "ben", "cyd"].map((by, index) => complaint(6 + index, by, 4));
    expect(dutyIn(epoch(commits, complaints), "ada", checks)).toMatchObject({ kind: "follow", commit: { seq: 5 } });
  });

  test("complains about the earlier commits too at which others stand and wait: who leaves them behind one by one is left alone", () => {
    const first = epoch([commit(4, "eve")], [complaint(5, "ada", 4), complaint(6, "ben", 4)]);
    const second = epoch([commit(7, "eve")]);
    const checks = new Map<number, "holds" | "fails">([
      [4, "holds"],
      [7, "fails"],
    ]);
    expect(complaintsOwed([first, second], "cyd", checks)).toEqual([
      { epoch: 1, about: 7 },
      { epoch: 0, about: 4 },
    ]);
    const written = epoch([commit(7, "eve")], [complaint(8, "cyd", 7)]);
    expect(complaintsOwed([first, written], "cyd", checks)).toEqual([{ epoch: 0, about: 4 }]);
    const both = epoch(first.commits, [...first.complaints, complaint(9, "cyd", 4)]);
    expect(complaintsOwed([both, written], "cyd", checks)).toEqual([]);
    expect(childOf(both)).toBeUndefined();
    // Nobody waits at the first any more: only the last is complained about.
    const letIn = epoch([commit(7, "ben", { keeps: new Set(["cyd", "eve"]) }), commit(8, "eve")]);
    expect(complaintsOwed([first, letIn, epoch([commit(9, "eve")])], "cyd", new Map([...checks, [9, "fails"]]))).toEqual([
      { epoch: 2, about: 9 },
    ]);
    expect(complaintsOwed([first, epoch([])], "cyd", checks)).toEqual([]);
  });
});

describe("whom a member lets in again", () => {
  const first = epoch([commit(4, "eve")], [complaint(5, "ada", 4), complaint(6, "ben", 4)]);

  test("the complainers about its chain, until a later commit of it has removed their leaf", () => {
    expect(standingComplaints([first, epoch([])]).map(({ by }) => by)).toEqual(["ada", "ben"]);
    const answer = commit(7, "cyd", { keeps: new Set(["ben", "cyd", "eve"]) });
    expect(standingComplaints([first, epoch([answer]), epoch([])]).map(({ by }) => by)).toEqual(["ben"]);
    // A skipped answer answers nobody.
    expect(standingComplaints([first, epoch([commit(6, "eve"), answer]), epoch([])]).map(({ by }) => by)).toEqual(["ada", "ben"]);
  });

  test("who complains again after it was added and never reached, once", () => {
    const again = epoch(first.commits, [...first.complaints, complaint(8, "ada", 4), complaint(9, "ada", 4)]);
    const answer = commit(7, "cyd", { keeps: new Set(["cyd", "eve"]), readds: new Set(["ada", "ben"]) });
    expect(standingComplaints([again, epoch([answer]), epoch([])])).toEqual([complaint(9, "ada", 4)]);
  });

  test("who arrived at another commit than one of the chain; not who arrived at one", () => {
    const answer = commit(7, "cyd", { keeps: new Set(["cyd", "eve"]), readds: new Set(["ada", "ben"]) });
    const said = (at: number): SeenEpoch => epoch(first.commits, [...first.complaints, complaint(8, "ada", 4, arrived(at))]);
    expect(standingComplaints([said(7), epoch([answer]), epoch([])])).toEqual([]);
    expect(standingComplaints([said(6), epoch([commit(6, "eve", { passes: false }), answer]), epoch([])])).toEqual([
      complaint(8, "ada", 4, arrived(6)),
    ]);
  });

  test("not who complains about something else", () => {
    expect(standingComplaints([epoch([commit(4, "eve")], [complaint(5, "mallory", 4), complaint(6, "ben", 3)]), epoch([])])).toEqual([]);
  });

  test("and a complainer goes with whom it knew, but for the author of what it cannot follow and authors of void commits", () => {
    const members = new Set(everyone);
    expect(mayLetIn(first, 4, { signer: "cyd", at: 7, members })).toBe(true);
    expect(mayLetIn(first, 4, { signer: "eve", at: 7, members })).toBe(false);
    expect(mayLetIn(first, 4, { signer: "mallory", at: 7, members })).toBe(false);
    const later = epoch([...first.commits, commit(9, "ben")], [...first.complaints, complaint(7, "cyd", 4)]);
    expect(mayLetIn(later, 9, { signer: "eve", at: 10, members })).toBe(false);
    expect(mayLetIn(later, 9, { signer: "cyd", at: 10, members })).toBe(true);
  });

  test("or with the author of the commit that removed it and added it again, at that commit", () => {
    const answer = epoch([commit(7, "cyd", { keeps: new Set(["ben", "cyd", "eve"]), readds: new Set(["ada"]) })]);
    const members = new Set(everyone);
    expect(mayLetIn(answer, 7, { signer: "cyd", at: 7, members })).toBe(true);
    expect(mayLetIn(answer, 7, { signer: "ben", at: 7, members })).toBe(false);
    expect(mayLetIn(answer, 7, { signer: "cyd", at: 8, members })).toBe(false);
  });
});
