import { describe, expect, test } from "vitest";
import { CommitTurns, complaintPace, freeCommits, maxWaiting, maxWindowMs } from "./commit-turns.ts";
import type { CommitAsk, Committer, Turn } from "./commit-turns.ts";

interface Ask extends CommitAsk {
  readonly by: Member;
}

interface Member {
  readonly committer: Committer;
  /** Its commits that the log took, and answers that sent it away. */
  accepted: number;
  refused: number;
}

let order = 0;
const member = (address: string): Member => ({ committer: { address, order: ++order }, accepted: 0, refused: 0 });

/**
 * A log as the server keeps it, without the server: the epoch moves on with each accepted commit. An attacker knows each new epoch at
 * once; an honest member only after `catchUpMs`, and commits then, until it was accepted once.
 */
function race(params: {
  attackers: readonly Member[];
  honest: Member;
  catchUpMs: number;
  honestFromMs: number;
  untilMs: number;
  /** What each attacker does besides, such as making new connections. */
  reconnects?: boolean;
}): { acceptedAtMs: number | undefined; entries: number } {
  const { honest, catchUpMs } = params;
  const turns = new CommitTurns<Ask>();
  let attackers = [...params.attackers];
  let epochId = 0;
  let openedAtMs = -Infinity;
  let entries = 0;
  const pending = new Set<Member>();
  let acceptedAtMs: number | undefined;

  function take(given: readonly Turn<Ask>[], nowMs: number): void {
    for (const turn of given) {
      const { ask } = turn;
      pending.delete(ask.by);
      if (turn.kind === "refuse") {
        ask.by.refused++;
        continue;
      }
      // The store: a commit of another epoch than the newest conflicts.
      const isAccepted = ask.epochId === epochId;
      if (isAccepted) {
        entries++;
        ask.by.accepted++;
        epochId = entries;
        openedAtMs = nowMs;
        if (ask.by === honest) acceptedAtMs ??= nowMs;
      }
      take(turns.settled("log", ask, isAccepted ? entries : undefined, nowMs), nowMs);
    }
  }

  for (let nowMs = 0; nowMs < params.untilMs && acceptedAtMs === undefined; nowMs += attackers.length > 100 ? 50 : 5) {
    take(turns.tick(nowMs), nowMs);
    if (params.reconnects === true) attackers = attackers.map((each) => (pending.has(each) ? each : member(each.committer.address)));
    for (const each of attackers) {
      if (pending.has(each)) continue;
      pending.add(each);
      take(turns.arrive("log", { committer: each.committer, epochId, afterSeq: 0, by: each }, nowMs), nowMs);
    }
    if (nowMs >= params.honestFromMs && nowMs - openedAtMs >= catchUpMs && !pending.has(honest)) {
      pending.add(honest);
      take(turns.arrive("log", { committer: honest.committer, epochId, afterSeq: 0, by: honest }, nowMs), nowMs);
    }
  }
  return { acceptedAtMs, entries };
}

const members = (count: number, addressOf: (at: number) => string): Member[] =>
  Array.from({ length: count }, (_, at) => member(addressOf(at)));

describe("[L-13] a commit gets its turn against a member that commits in a loop", () => {
  test.each([
    ["on one connection", 1, "a", "b", 150],
    ["on one connection, from the same address", 1, "a", "a", 150],
    ["on 20 connections that were there before", 20, "a", "b", 150],
    ["on 20 connections that were there before, from the same address", 20, "a", "a", 150],
    ["on 1,000 connections from one address", 1000, "a", "b", 150],
    ["on one connection, and the honest one is slow", 1, "a", "b", 1000],
  ])("%s", (_title, count, theirs, address, catchUpMs) => {
    const attackers = members(count, () => theirs);
    const { acceptedAtMs } = race({ attackers, honest: member(address), catchUpMs, honestFromMs: 2000, untilMs: 60_000 });
    expect((acceptedAtMs ?? Infinity) - 2000).toBeLessThan(10_000);
  });

  test("that makes a new connection for every commit", () => {
    const honest = member("a");
    const attackers = members(20, () => "a");
    const { acceptedAtMs } = race({ attackers, honest, catchUpMs: 150, honestFromMs: 2000, untilMs: 60_000, reconnects: true });
    expect((acceptedAtMs ?? Infinity) - 2000).toBeLessThan(10_000);
  });

  test("a loop without rivals is bounded: its commits are some dozens in the first minute, and eight a minute at last", () => {
    const attackers = members(1, () => "a");
    const none = member("b");
    const first = race({ attackers, honest: none, catchUpMs: 0, honestFromMs: Infinity, untilMs: 60_000 }).entries;
    expect(first).toBeGreaterThan(freeCommits);
    expect(first).toBeLessThan(freeCommits + 60);
    const hour = race({
      attackers: members(20, () => "a"),
      honest: none,
      catchUpMs: 0,
      honestFromMs: Infinity,
      untilMs: 3_600_000,
    }).entries;
    expect(hour).toBeLessThan(freeCommits + 60 * (60_000 / maxWindowMs + 2));
  });

  test("nobody waits for ever: every one of 30 connections that wants to commit does, each once before any does twice", () => {
    const turns = new CommitTurns<Ask>();
    const all = members(30, (at) => `address ${at % 3}`);
    const done: Member[] = [];
    const pending = new Set<Member>();
    let seq = 0;
    const take = (given: readonly Turn<Ask>[], nowMs: number): void => {
      for (const { kind, ask } of given) {
        pending.delete(ask.by);
        if (kind === "refuse") continue;
        const isAccepted = ask.epochId === seq;
        if (isAccepted) {
          seq++;
          if (seq > freeCommits) done.push(ask.by);
        }
        take(turns.settled("log", ask, isAccepted ? seq : undefined, nowMs), nowMs);
      }
    };
    for (let nowMs = 0; done.length < 60 && nowMs < 600_000; nowMs += 50) {
      take(turns.tick(nowMs), nowMs);
      for (const by of all) {
        if (pending.has(by)) continue;
        pending.add(by);
        take(turns.arrive("log", { committer: by.committer, epochId: seq, afterSeq: 0, by }, nowMs), nowMs);
      }
    }
    expect(new Set(done.slice(0, 30)).size).toBe(30);
    expect(new Set(done.slice(30, 60)).size).toBe(30);
  });
});

describe("[L-13] single turns", () => {
  const ask = (by: Member, epochId: number, afterSeq = 0): Ask => ({ committer: by.committer, epochId, afterSeq, by });

  test("people's pace is not held back: 32 commits as they come, and one each ten seconds for ever", () => {
    const turns = new CommitTurns<Ask>();
    const alice = member("a");
    for (let seq = 1; seq <= 500; seq++) {
      const nowMs = seq <= freeCommits ? seq : seq * 10_000;
      const commit = ask(alice, seq - 1);
      expect(turns.arrive("log", commit, nowMs)).toEqual([{ kind: "go", ask: commit }]);
      expect(turns.settled("log", commit, seq, nowMs)).toEqual([]);
    }
  });

  test("a further commit of one epoch by the same connection waits 1, 2, 4 ... 64 s; another connection's first does not", () => {
    const turns = new CommitTurns<Ask>();
    const mallory = member("a");
    let nowMs = 0;
    const waits: number[] = [];
    for (let seq = 1; seq <= 10; seq++) {
      let given = turns.arrive("log", ask(mallory, 0, seq - 1), nowMs);
      const [first] = given;
      if (first?.kind === "refuse") {
        expect(first.code).toBe("rate_limited");
        waits.push(first.retryAfterMs / 1000);
        nowMs += first.retryAfterMs;
        given = turns.arrive("log", ask(mallory, 0, seq - 1), nowMs);
      }
      expect(given.map(({ kind }) => kind)).toEqual(["go"]);
      turns.settled("log", given[0]?.ask ?? ask(mallory, 0), seq, nowMs);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64]);
    // An epoch that ended earlier is no way around it, one that it opened since is none of it.
    expect(turns.arrive("log", ask(mallory, 0, 99), nowMs)[0]?.kind).toBe("refuse");
    expect(turns.arrive("log", ask(member("a"), 0, 99), nowMs)[0]?.kind).toBe("go");
    expect(turns.arrive("log", ask(mallory, 10), nowMs)[0]?.kind).toBe("go");
  });

  /** A log on which so many commits were accepted at time 0. */
  function heated(count: number): { turns: CommitTurns<Ask>; mallory: Member } {
    const turns = new CommitTurns<Ask>();
    const mallory = member("m");
    for (let seq = 1; seq <= count; seq++) {
      const commit = ask(mallory, seq - 1);
      turns.arrive("log", commit, 0);
      turns.settled("log", commit, seq, 0);
    }
    return { turns, mallory };
  }

  test("what waits is bounded: one for each connection, 64 in all, and who makes room is the one with the most turns", () => {
    const { turns, mallory } = heated(freeCommits + 1);
    expect(turns.arrive("log", ask(mallory, 33), 1)).toEqual([]);
    expect(turns.arrive("log", ask(mallory, 33), 1)).toMatchObject([{ kind: "refuse", code: "rate_limited" }]);
    for (const other of members(maxWaiting - 1, () => "n")) expect(turns.arrive("log", ask(other, 33), 1)).toEqual([]);
    const last = ask(member("o"), 33);
    const made = turns.arrive("log", last, 1);
    expect(made).toMatchObject([{ kind: "refuse", code: "rate_limited", ask: { by: mallory } }]);
    expect(turns.nextTickMs()).toBe(300);
    expect(turns.tick(299)).toEqual([]);
    const [go] = turns.tick(300);
    expect(go).toMatchObject({ kind: "go", ask: { by: { committer: { address: "n" } } } });
  });

  test("who waited and did not see the commit that came first is told so at once", () => {
    const { turns, mallory } = heated(freeCommits + 1);
    const first = ask(member("a"), 33);
    const second = ask(member("b"), 33);
    turns.arrive("log", first, 1);
    turns.arrive("log", second, 1);
    expect(turns.tick(300)).toEqual([{ kind: "go", ask: first }]);
    expect(turns.arrive("log", ask(mallory, 33), 301)).toEqual([]);
    expect(turns.settled("log", first, 34, 302).map(({ kind, ask: { by } }) => [kind, by === second.by || by === mallory])).toEqual([
      ["refuse", true],
      ["refuse", true],
    ]);
  });

  test("a commit that the store does not take gives its turn to the next; one whose connection ended has none", () => {
    const { turns } = heated(freeCommits + 1);
    const [a, b, c] = [ask(member("a"), 33), ask(member("b"), 33), ask(member("c"), 33)];
    for (const each of [a, b, c]) turns.arrive("log", each, 1);
    expect(turns.tick(300)).toEqual([{ kind: "go", ask: a }]);
    expect(turns.drop("log", ({ by }) => by === b.by)).toEqual([b]);
    expect(turns.settled("log", a, undefined, 301)).toEqual([{ kind: "go", ask: c }]);
  });

  test("what waits too long is sent away with a time to come back", () => {
    const { turns } = heated(freeCommits + 1);
    const stuck = ask(member("a"), 33);
    turns.arrive("log", stuck, 1);
    expect(turns.tick(300)).toHaveLength(1);
    // The store does not answer.
    const late = ask(member("b"), 33);
    turns.arrive("log", late, 400);
    expect(turns.tick(20_399)).toEqual([]);
    expect(turns.tick(20_400)).toMatchObject([{ kind: "refuse", code: "rate_limited", ask: late }]);
  });

  test("logs do not hold each other back, and are forgotten", () => {
    const turns = new CommitTurns<Ask>();
    for (let at = 0; at < 25_000; at++) {
      const commit = ask(member("a"), 0);
      expect(turns.arrive(`log ${at}`, commit, at)[0]?.kind).toBe("go");
      turns.settled(`log ${at}`, commit, 1, at);
    }
    expect(turns.size).toBeLessThanOrEqual(20_000);
  });
});

describe("[L-16] [E-77] complaints", () => {
  const day = 86_400_000;

  /** A flood on so many connections of one address, all older than that of whoever complains from the moment given, as a client does. */
  function flood(params: { free: number; connections: number; address: string; fromMs: number; untilMs: number }): {
    accepted: number;
    landedAtMs: number | undefined;
  } {
    const turns = new CommitTurns<Ask>(complaintPace(params.free));
    const attackers = members(params.connections, () => "m");
    const honest = member(params.address);
    let accepted = 0;
    let landedAtMs: number | undefined;
    let honestAtMs = params.fromMs;
    const pending = new Set<Member>();
    const take = (given: readonly Turn<Ask>[], nowMs: number): void => {
      for (const turn of given) {
        const { by } = turn.ask;
        pending.delete(by);
        if (turn.kind === "refuse") {
          // The client's least wait is 2 s.
          if (by === honest) honestAtMs = nowMs + Math.max(2000, turn.retryAfterMs);
          continue;
        }
        accepted++;
        if (by === honest) landedAtMs = nowMs;
        take(turns.settled("log", turn.ask, accepted, nowMs), nowMs);
      }
    };
    const arrive = (by: Member, nowMs: number): void => {
      if (pending.has(by)) return;
      pending.add(by);
      take(turns.arrive("log", { committer: by.committer, epochId: 0, afterSeq: Infinity, by }, nowMs), nowMs);
    };
    for (let nowMs = 0; nowMs < params.untilMs && landedAtMs === undefined; nowMs += 500) {
      take(turns.tick(nowMs), nowMs);
      for (const by of attackers) arrive(by, nowMs);
      if (nowMs >= honestAtMs) arrive(honest, nowMs);
    }
    return { accepted, landedAtMs };
  }

  test("those of a large group all come at once, more than are with the store at a time too", () => {
    const turns = new CommitTurns<Ask>(complaintPace(2048));
    const asks = members(2060, () => "a").map((by): Ask => ({ committer: by.committer, epochId: 0, afterSeq: Infinity, by }));
    const given = asks.flatMap((ask) => turns.arrive("log", ask, 0));
    expect(given.filter(({ kind }) => kind === "go")).toHaveLength(2048);
    expect(given.filter(({ kind }) => kind === "refuse")).toEqual([]);
  });

  test("a flood without end comes to about one a minute, and to less in seven days than an epoch takes", () => {
    const { accepted } = flood({ free: 2048, connections: 4, address: "h", fromMs: Infinity, untilMs: day });
    expect(accepted).toBeLessThan(2048 + 100 + 1440);
    expect(accepted + 6 * 1440).toBeLessThan(16_384);
  });

  test.each([
    ["another address than the flood's", "h", 61_000],
    ["the flood's own address, where each of its older connections goes before", "m", 8 * 61_000],
  ])("an honest one in the midst of it waits for a turn: from %s", (_title, address, withinMs) => {
    const fromMs = day / 2;
    const { landedAtMs } = flood({ free: 20, connections: 7, address, fromMs, untilMs: day });
    expect((landedAtMs ?? Infinity) - fromMs).toBeLessThan(withinMs + 20_000);
  });
});
