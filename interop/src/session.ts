import { toHex } from "@latchkey/codec";
import type { Party } from "./party.ts";

/** Numbers that a seed decides: mulberry32. */
export function seededNumbers(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

/** What a session went through: a session that did too little proves too little. */
export interface SessionReport {
  commits: number;
  /** By implementation. */
  readonly commitsOf: Record<string, number>;
  joins: number;
  removals: number;
  messages: number;
  lateMessages: number;
  refusedJoins: number;
  /** Members that did not notice their removal. */
  unnoticedRemovals: number;
}

/** How a session goes. */
export interface SessionParams {
  readonly seed: number;
  readonly rounds: number;
  readonly maxMembers: number;
  readonly groupId: Uint8Array;
  /** A new client, of the implementation that the number decides. */
  readonly newParty: (choice: number, name: string) => Party;
  /**
   * Called when a joiner refuses its Welcome: returns the party that takes its place, having joined by the same key package,
   * or throws what the joiner threw.
   */
  readonly onRefusedJoin: (joiner: Party, params: { welcome: Uint8Array; ratchetTree: Uint8Array; error: unknown }) => Promise<Party>;
  /** Whether a removed member's failure on the commit that removed it is a known fault of its implementation. */
  readonly isKnownRemovalFault: (member: Party, params: { error: unknown; hasAdds: boolean }) => boolean;
  /** By how many commits a message may be late. */
  readonly maxLateEpochs: number;
}

interface Held {
  readonly from: Party;
  readonly text: string;
  readonly message: Uint8Array;
  readonly readers: Set<Party>;
  readonly dueRound: number;
  readonly isLate: boolean;
}

/**
 * Plays a random group among parties of several implementations: commits by each, several adds and removals at a time, joins
 * by Welcome, messages out of order and late by epochs. All members must agree after every commit.
 * @throws Error that names seed and round.
 */
export async function playSession(params: SessionParams): Promise<SessionReport> {
  const below = seededNumbers(params.seed);
  const pick = <T>(list: readonly T[]): T => {
    const chosen = list[below(list.length)];
    if (chosen === undefined) throw new Error("nothing to pick from");
    return chosen;
  };
  const report: SessionReport = {
    commits: 0,
    commitsOf: {},
    joins: 0,
    removals: 0,
    messages: 0,
    lateMessages: 0,
    refusedJoins: 0,
    unnoticedRemovals: 0,
  };
  let named = 0;
  const newParty = (): Party => params.newParty(below(1 << 16), `client ${named++}`);
  const founder = newParty();
  await founder.createGroup(params.groupId);
  let members: Party[] = [founder];
  let held: Held[] = [];

  for (let round = 0; round < params.rounds; round++) {
    const at = `seed ${params.seed}, round ${round}`;
    // Messages of this epoch: each reader gets them in its own order, or later.
    for (let i = below(4); i > 0 && members.length > 1; i--) {
      const from = pick(members);
      const text = `${at}: ${from.name} says ${i}`;
      const message = await labelled(`${at}: ${from.name} (${from.implementation}) encrypts`, () =>
        from.encrypt(new TextEncoder().encode(text)),
      );
      const dueRound = below(3) === 0 ? round + 1 + below(params.maxLateEpochs) : round;
      held.push({ from, text, message, readers: new Set(members.filter((member) => member !== from)), dueRound, isLate: dueRound > round });
    }
    await deliver(held.filter(({ dueRound }) => dueRound <= round).sort(() => below(3) - 1));
    held = held.filter(({ dueRound }) => dueRound > round);

    const committer = pick(members);
    const joiners: Party[] = [];
    const leaving: Party[] = [];
    const action = below(10);
    if (members.length < 3 || (action < 5 && members.length < params.maxMembers))
      for (let i = 0; i <= below(3); i++) joiners.push(newParty());
    if (members.length > 2 && action >= 3 && action < 8) {
      for (let i = 0; i <= below(2); i++) {
        const gone = pick(members);
        if (gone !== committer && !leaving.includes(gone)) leaving.push(gone);
      }
    }
    const adds: Uint8Array[] = [];
    for (const joiner of joiners) adds.push(await joiner.keyPackage());
    const treeInWelcome = below(2) === 0;
    const created = await labelled(`${at}: ${committer.name} (${committer.implementation}) commits`, () =>
      committer.commit({ adds, removes: leaving.map((party) => party.ownLeaf()), asPublicMessage: below(2) === 0, treeInWelcome }),
    );
    report.commits++;
    report.commitsOf[committer.implementation] = (report.commitsOf[committer.implementation] ?? 0) + 1;
    for (const member of members) {
      if (member === committer) continue;
      const isLeaving = leaving.includes(member);
      const received = await labelled(
        `${at}: ${member.name} (${member.implementation}) receives a commit of ${committer.implementation}`,
        async () => {
          try {
            return await member.receive(created.message);
          } catch (error) {
            if (!isLeaving || !params.isKnownRemovalFault(member, { error, hasAdds: joiners.length > 0 })) throw error;
            report.unnoticedRemovals++;
            return { kind: "removed" } as const;
          }
        },
      );
      const expected = isLeaving ? "removed" : "commit";
      if (received.kind !== expected) throw new Error(`${at}: ${member.implementation} saw ${received.kind}, not ${expected}`);
    }
    for (const gone of leaving) for (const { readers } of held) readers.delete(gone);
    members = members.filter((member) => !leaving.includes(member));
    report.removals += leaving.length;
    for (const [place, joiner] of joiners.entries()) {
      const welcome = created.welcomes[place];
      if (welcome === undefined) throw new Error(`${at}: no Welcome for ${joiner.name}`);
      const { ratchetTree } = created;
      try {
        await joiner.join({ welcome, ratchetTree: treeInWelcome ? undefined : ratchetTree });
        members.push(joiner);
      } catch (error) {
        members.push(
          await labelled(`${at}: ${joiner.name} (${joiner.implementation}) joins`, () =>
            params.onRefusedJoin(joiner, { welcome, ratchetTree, error }),
          ),
        );
        report.refusedJoins++;
      }
      report.joins++;
    }
    await agree(at);
  }
  await deliver(held);
  return report;

  async function deliver(messages: readonly Held[]): Promise<void> {
    for (const { from, text, message, readers, isLate } of messages) {
      for (const reader of readers) {
        const received = await labelled(`${text}: read by ${reader.name} (${reader.implementation}) from ${from.implementation}`, () =>
          reader.receive(message),
        );
        if (received.kind !== "application" || new TextDecoder().decode(received.plaintext) !== text)
          throw new Error(`${text}: not what was read`);
        report.messages++;
        if (isLate) report.lateMessages++;
      }
    }
  }

  async function agree(at: string): Promise<void> {
    const views = new Map<string, string>();
    for (const member of members) {
      const { epoch, epochAuthenticator, exported, treeHash } = await member.view();
      views.set([epoch, toHex(epochAuthenticator), toHex(exported), toHex(treeHash)].join(" "), member.implementation);
    }
    if (views.size !== 1) throw new Error(`${at}: ${views.size} different views of the group: ${[...views.values()].join(", ")}`);
  }
}

async function labelled<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw new Error(`${what}: ${String(cause)}`, { cause });
  }
}
