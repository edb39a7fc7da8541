import { describe, expect, test } from "vitest";
import { explore, type Exploration } from "./which-commit-counts.explore.testing.ts";
import { rules, type Config, type Rules } from "./which-commit-counts.model.testing.ts";
import * as others from "./other-rules.testing.ts";

const isDeep = process.env["LATCHKEY_NIGHTLY"] === "1";

/** One malicious member of four, who is no administrator: nobody may ever stand still. */
const oneOfFour: Config = {
  honest: 3,
  malicious: 1,
  moves: 1,
  changes: 1,
  patience: 1,
  collusion: false,
  branches: false,
  keepsState: true,
  administers: false,
  mayStop: false,
  rules,
};
/** Half of the members are malicious, and administrators: somebody may stand still, with a reason. */
const twoOfFour: Config = { ...oneOfFour, honest: 2, malicious: 2, administers: true, mayStop: true };

function expectKept({ broken, atRest }: Exploration): void {
  expect(broken).toBeUndefined();
  expect(atRest).toBeGreaterThan(0);
}

describe("[E-30] [G-6] every state of three honest members and a malicious one", () => {
  test("all come to one epoch and can send there, whatever it does once and whatever the server delays", () => {
    expectKept(explore(oneOfFour));
    expectKept(explore({ ...oneOfFour, keepsState: false }));
  });

  test("also when the server shows it what they send before it is in the log", () => {
    expectKept(explore({ ...oneOfFour, collusion: true }));
  });

  test("when it is an administrator, who stands still is alone with it", () => {
    const found = explore({ ...oneOfFour, administers: true, mayStop: true });
    expectKept(found);
    expect(found.stopped).toBe(0);
  });

  test("a log that the server splits in two ends in an alarm for those whose branch is not the published one (L-11)", () => {
    const found = explore({ ...oneOfFour, changes: 0, moves: 2, branches: true, mayStop: true }, isDeep ? {} : { limit: 8000 });
    expectKept(found);
    expect(found.stop?.reason).toMatch(/has the alarm of a fork/);
  });

  test.runIf(isDeep)("and whatever it does twice", { timeout: 3_600_000 }, () => {
    expectKept(explore({ ...oneOfFour, moves: 2, changes: 0 }, { limit: 2_000_000 }));
  });
});

describe("[E-31] every state of two honest members and two malicious ones", () => {
  test("they never send in two epochs, whatever the two do twice; who stands still knows the commit", () => {
    const found = explore({ ...twoOfFour, changes: 0, moves: 2 });
    expectKept(found);
    expect(found.stop?.reason).toMatch(/cannot read \d+/);
  });

  test("also when the server shows them what the honest ones send before it is in the log", () => {
    expectKept(explore({ ...twoOfFour, collusion: true }));
  });

  test.runIf(isDeep)("with a change of their own, and three moves", { timeout: 3_600_000 }, () => {
    expectKept(explore({ ...twoOfFour, moves: 2, collusion: true }));
    expectKept(explore({ ...twoOfFour, changes: 0, moves: 3, administers: false }, { limit: 4_000_000 }));
  });
});

describe("rules that look right are found wanting", () => {
  const agreement = /^agreement: /;
  const standstill = /^nobody stands still: /;
  const cases: { name: string; wrong: Rules; config: Config; promise: RegExp; isBroad?: boolean }[] = [
    { name: "the first commit wins, whatever it is", wrong: others.firstWriterWins, config: oneOfFour, promise: standstill },
    {
      name: "everybody follows the first sibling that they can follow",
      wrong: others.lowestValidSibling,
      config: oneOfFour,
      promise: agreement,
    },
    {
      name: "one complaint makes a commit void",
      wrong: others.oneComplaintVoids,
      config: { ...oneOfFour, moves: 2, changes: 0 },
      promise: standstill,
    },
    {
      name: "the author's word about its own commit does not count, and an honest commit is posted broken before it is",
      wrong: others.allButTheAuthor,
      config: { ...oneOfFour, changes: 0, collusion: true },
      promise: standstill,
    },
    {
      name: "who is left behind one epoch later does not complain about the earlier commit",
      wrong: others.noEarlierComplaints,
      config: { ...oneOfFour, moves: 2, changes: 0 },
      promise: standstill,
    },
    {
      name: "the author of the broken commit lets in",
      wrong: others.anybodyLetsIn,
      config: { ...oneOfFour, moves: 2, changes: 0 },
      promise: standstill,
    },
    {
      name: "who was let in does not say where",
      wrong: others.noArrivals,
      config: { ...twoOfFour, changes: 0, moves: 3, administers: false },
      promise: agreement,
      isBroad: true,
    },
    { name: "the first Welcome wins", wrong: others.firstWelcomeWins, config: { ...twoOfFour, changes: 0, moves: 2 }, promise: agreement },
    {
      name: "the rules as they were first written",
      wrong: others.firstDraft,
      config: { ...twoOfFour, changes: 0, moves: 2 },
      promise: agreement,
    },
  ];
  for (const { name, wrong, config, promise, isBroad = false } of cases) {
    test(name, () => {
      const { broken } = explore({ ...config, rules: wrong }, { isBroad, limit: 200_000 });
      expect(broken?.promise).toMatch(promise);
      // The way there is short enough to be read.
      expect(broken?.steps.length).toBeLessThan(60);
    });
  }
});
