/** Visits every state of the model of `which-commit-counts.model.testing.ts`, symmetric ones once, and checks those that are at rest. */
import { bit, has, listOf, Model, type Config, type Entry, type Position, type State } from "./which-commit-counts.model.testing.ts";
import { firstWord, honestSteps, maliciousSteps, type Step } from "./which-commit-counts.steps.testing.ts";

/** What an exploration found. */
export interface Exploration {
  readonly states: number;
  /** States in which nothing is left to do for honest members. */
  readonly atRest: number;
  /** Of these, how many in which somebody waits, holds back or has an alarm: with a stated reason, and a new conversation as the way on (G-9). */
  readonly stopped: number;
  /** The most entries that honest members wrote for all moves and changes. */
  readonly mostEntries: number;
  /** The first promise that was broken, and the way there. */
  readonly broken: { readonly promise: string; readonly steps: readonly string[] } | undefined;
  /** The first state at rest in which somebody was stopped, and the way there. */
  readonly stop: { readonly reason: string; readonly steps: readonly string[] } | undefined;
}

/** Explores until everything was visited, a promise is broken, or `limit` states were seen; `isBroad` finds the shortest way first. */
export function explore(config: Config, { limit = Infinity, isBroad = false }: { limit?: number; isBroad?: boolean } = {}): Exploration {
  const model = new Model(config);
  const relabellings = relabellingsOf(config);
  const seen = new Set<string>();
  const start = model.start();
  interface Node {
    readonly state: State;
    readonly text: string;
    readonly from: Node | undefined;
  }
  let open: Node[] = [{ state: start, text: "", from: undefined }];
  let at = 0;
  const take = (): Node | undefined => {
    if (!isBroad) return open.pop();
    if (at > 65_536) {
      open = open.slice(at);
      at = 0;
    }
    return open[at++];
  };
  seen.add(keyOf(start, relabellings));
  let atRest = 0;
  let stopped = 0;
  let mostEntries = 0;
  let stop: Exploration["stop"];
  const way = (node: Node | undefined): string[] => (node?.from === undefined ? [] : [...way(node.from), node.text]);
  const done = (broken: Exploration["broken"]): Exploration => ({ states: seen.size, atRest, stopped, mostEntries, broken, stop });
  for (let node = take(); node !== undefined; node = take()) {
    const { state } = node;
    const word = firstWord(model, state);
    const busy = word === undefined ? [...honestSteps(model, state, false)] : [word];
    const idle = busy.length === 0 ? [...honestSteps(model, state, true)] : [];
    const steps: Step[] = word === undefined ? [...busy, ...idle, ...maliciousSteps(model, state)] : busy;
    if (busy.length === 0 && idle.length === 0) {
      atRest += 1;
      const verdict = judged(model, state);
      if (verdict.broken !== undefined) return done({ promise: verdict.broken, steps: way(node) });
      if (verdict.stopped !== undefined) {
        if (!config.mayStop) return done({ promise: `nobody stands still: ${verdict.stopped}`, steps: way(node) });
        stopped += 1;
        stop ??= { reason: verdict.stopped, steps: way(node) };
      }
    }
    const entries = honestEntries(model, state);
    if (entries > mostEntries) mostEntries = entries;
    if (entries > boundOf(config)) return done({ promise: "work is bounded", steps: way(node) });
    for (const { next, text } of steps) {
      if (seen.size >= limit) return done(undefined);
      const key = keyOf(next, relabellings);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push({ state: next, text, from: node });
    }
  }
  return done(undefined);
}

/** Entries of honest members that a move or a change may cause: each complains, answers, arrives and opens the epoch again. */
function boundOf({ honest, moves, changes, patience }: Config): number {
  return changes + (moves + changes) * (4 * honest) + honest * patience * 3;
}

function honestEntries(model: Model, { logs }: State): number {
  return Math.max(
    ...logs.map(
      (log) =>
        log.filter(
          (entry) =>
            (entry.kind === "commit" ? has(entry.holdsFor, entry.author) : true) &&
            has(model.honest, entry.kind === "commit" ? entry.author : entry.by),
        ).length,
    ),
  );
}

/** What is wrong in a state at rest, or why somebody stands still in it. */
function judged(model: Model, state: State): { broken?: string; stopped?: string } {
  const positions = state.on.map((_, member) => model.position(state, member));
  const reasons = positions.map((position, member) => reasonOf(model, state, { member, position, positions }));
  const sending = positions.flatMap((position, member) =>
    reasons[member] === undefined && position.kind === "in" ? [{ member, epoch: position.epoch, log: model.log(state, member) }] : [],
  );
  const [first] = sending;
  if (first !== undefined && sending.some(({ epoch, log }) => epoch !== first.epoch || log !== first.log))
    return { broken: `agreement: ${sending.map(({ member, epoch }) => `${member} sends in ${epoch}`).join(", ")}` };
  const stops: string[] = [];
  for (const [member, position] of positions.entries()) {
    const log = model.log(state, member);
    // Who was removed waits for nothing, whether it knows or not: a malicious member may have had the role for it.
    const remover =
      position.kind === "out" ? position.by : first?.log === log ? removerOf(model, log, { member, epoch: first.epoch }) : undefined;
    if (remover === undefined) {
      if (reasons[member] !== undefined) stops.push(`${member} ${reasons[member]}`);
    } else if (has(model.honest, model.commit(log, remover)?.author ?? 0))
      return { broken: `nobody is expelled by complaints: ${member} is out by ${remover}` };
  }
  return stops.length === 0 ? {} : { stopped: stops.join(", ") };
}

/** The commit that left a member out of an epoch, if one did. */
function removerOf(model: Model, log: readonly Entry[], { member, epoch }: { member: number; epoch: number }): number | undefined {
  if (has(model.members(log, epoch), member)) return undefined;
  for (let at = epoch; at > 0; at = model.commit(log, at)?.epoch ?? 0)
    if (has(model.members(log, model.commit(log, at)?.epoch ?? 0), member)) return at;
  return undefined;
}

/** Why a member does not send, if it does not. */
function reasonOf(
  model: Model,
  state: State,
  about: { member: number; position: Position; positions: readonly Position[] },
): string | undefined {
  const { member, position, positions } = about;
  if (position.kind === "alarmed") return "has the alarm of a fork";
  if (position.kind === "out") return "removed";
  if (position.kind === "waits") return `cannot read ${position.about}`;
  if (position.isLost) return "has lost the keys of its epoch";
  // An honest companion in the same epoch is heard there sooner or later; of malicious ones the worst is assumed for agreement: they speak.
  const unheard = listOf(model.contradicts(state, member, position) & model.honest).filter((other) => {
    const there = positions[other];
    return there?.kind !== "in" || there.epoch !== position.epoch;
  });
  if (unheard.length > 0) return `was let in elsewhere by ${unheard.join()}`;
  const here = position.chain.at(-1);
  return here !== undefined && here.commits.length > 0 ? "cannot commit in its epoch" : undefined;
}

/** New names of members, and of every set of them. */
interface Relabelling {
  readonly names: readonly number[];
  readonly sets: readonly number[];
}

function relabellingsOf({ honest, malicious }: Config): Relabelling[] {
  const permutations = (list: number[]): number[][] =>
    list.length === 0 ? [[]] : list.flatMap((item) => permutations(list.filter((other) => other !== item)).map((rest) => [item, ...rest]));
  const firsts = permutations(Array.from({ length: honest }, (_, index) => index));
  const seconds = permutations(Array.from({ length: malicious }, (_, index) => honest + index));
  return firsts.flatMap((first) =>
    seconds.map((second) => {
      const names = [...first, ...second];
      const sets = Array.from({ length: bit(names.length) }, (_, set) =>
        listOf(set).reduce((sum, member) => sum | bit(names[member] ?? 0), 0),
      );
      return { names, sets };
    }),
  );
}

/** The same for states that differ in the names of members only. */
function keyOf(state: State, relabellings: readonly Relabelling[]): string {
  let least: string | undefined;
  for (const relabelling of relabellings) {
    const key = encoded(state, relabelling);
    if (least === undefined || key < least) least = key;
  }
  return least ?? "";
}

function encoded(state: State, { names, sets }: Relabelling): string {
  const codes: number[] = [];
  const set = (bits: number): number => sets[bits] ?? 0;
  const entry = (item: Entry | undefined): void => {
    if (item === undefined) codes.push(205);
    else if (item.kind === "commit")
      codes.push(1, item.epoch, names[item.author] ?? 0, item.passes ? 1 : 0, set(item.holdsFor), set(item.keeps), set(item.readds));
    else codes.push(2, item.epoch, names[item.by] ?? 0, item.about, item.says === "broken" ? 0 : item.says === "lost" ? 1 : 2, item.at);
  };
  for (const log of state.logs) {
    codes.push(200, log.length);
    for (const item of log) entry(item);
  }
  const order = state.on.map((_, member) => member).sort((a, b) => (names[a] ?? 0) - (names[b] ?? 0));
  for (const member of order) {
    codes.push(201, state.on[member] ?? 0, state.again[member] ?? 0, state.newest[member] ?? 0);
    entry(state.flight[member]);
    for (const item of state.letIn[member] ?? []) codes.push(item.epoch, item.about, item.at, names[item.signer] ?? 0);
    codes.push(202, ...[...(state.sent[member] ?? [])].sort((a, b) => a - b));
  }
  const welcomes = state.welcomes
    .map(({ to, at, signer }) => (names[to] ?? 0) * 4096 + at * 16 + (names[signer] ?? 0))
    .sort((a, b) => a - b);
  return String.fromCharCode(...codes, 203, ...welcomes, 204, state.moves, state.changes, state.published + 1);
}
