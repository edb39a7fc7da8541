/** What can happen next in the model of `which-commit-counts.model.testing.ts`: steps of honest members, of the server and of malicious members. */
import {
  bit,
  has,
  listOf,
  namesOf,
  type CommitEntry,
  type Entry,
  type Model,
  type Position,
  type State,
} from "./which-commit-counts.model.testing.ts";

/** What may come of a state. `text` says what happened, for a counter-example. */
export interface Step {
  readonly text: string;
  readonly next: State;
}

const replaced = <T>(list: readonly T[], index: number, value: T): T[] => list.map((item, at) => (at === index ? value : item));

/** The log grows, and everybody who is shown it reads it. */
function appended(model: Model, state: State, on: number, entry: Entry): State {
  let next: State = { ...state, logs: state.logs.map((log, index) => (index === on ? [...log, entry] : log)) };
  for (const [member, shown] of state.on.entries()) if (shown === on) next = settled(model, next, member);
  return next;
}

/** A member writes an entry: it comes into the log later. */
function written(state: State, member: number, entry: Entry): State {
  return { ...state, flight: replaced(state.flight, member, entry) };
}

/** What a member does at once when it has read: it enters epochs, and sends the Welcomes of its commits that count. */
function settled(model: Model, state: State, member: number): State {
  const position = model.position(state, member);
  if (position.kind !== "in") return state;
  let next = state;
  if (!model.config.keepsState && position.epoch > (state.newest[member] ?? 0))
    next = { ...next, newest: replaced(state.newest, member, position.epoch) };
  const log = model.log(state, member);
  for (const epoch of position.epochs) {
    const commit = model.commit(log, epoch);
    const sent = next.sent[member] ?? [];
    if (commit === undefined || commit.author !== member || !has(commit.holdsFor, member) || sent.includes(epoch)) continue;
    if (commit.readds === 0) continue;
    const welcomes = listOf(commit.readds & model.honest).map((to) => ({ to, at: epoch, signer: member }));
    next = { ...next, sent: replaced(next.sent, member, [...sent, epoch]), welcomes: [...next.welcomes, ...welcomes] };
  }
  return next;
}

/** What a member writes at once, on its way whenever the server likes: of the commit that it cannot follow, and that it was let in. */
export function firstWord(model: Model, state: State): Step | undefined {
  for (let member = 0; member < model.config.honest; member++) {
    if (state.flight[member] !== undefined) continue;
    const [step] = complaints(model, state, { member, position: model.position(state, member), isFirst: true });
    if (step !== undefined) return step;
  }
  return undefined;
}

/** Steps of honest members and of the server. `isIdle` adds what happens only when nothing else does: somebody loses patience. */
export function* honestSteps(model: Model, state: State, isIdle: boolean): Generator<Step> {
  for (let member = 0; member < model.config.honest; member++) {
    const waiting = state.flight[member];
    if (waiting !== undefined) {
      const landed = { ...state, flight: replaced(state.flight, member, undefined) };
      yield { text: `${member}'s entry is in the log`, next: appended(model, landed, state.on[member] ?? 0, waiting) };
      continue;
    }
    const position = model.position(state, member);
    if (position.kind === "alarmed") continue;
    yield* complaints(model, state, { member, position, isFirst: false });
    if (position.kind === "in") yield* commits(model, state, member, position);
    if (isIdle && position.kind === "waits" && (state.again[member] ?? 0) < model.config.patience) {
      const again = replaced(state.again, member, (state.again[member] ?? 0) + 1);
      yield {
        text: `${member} complains again about ${position.about}`,
        next: written({ ...state, again }, member, {
          kind: "complaint",
          epoch: position.epoch,
          by: member,
          about: position.about,
          says: "broken",
          at: 0,
        }),
      };
    }
  }
  for (const [index, welcome] of state.welcomes.entries()) {
    yield { text: `${welcome.to} gets ${welcome.signer}'s Welcome to ${welcome.at}`, next: received(model, state, index) };
  }
  if (state.logs.length > 1 && state.published < 0)
    for (const on of [0, 1]) yield { text: `head of log ${on} is published`, next: { ...state, published: on } };
}

function* complaints(
  model: Model,
  state: State,
  { member, position, isFirst }: { member: number; position: Position; isFirst: boolean },
): Generator<Step> {
  if (position.kind !== "in" && position.kind !== "waits") return;
  const log = model.log(state, member);
  const said = (epoch: number, about: number, at: number): boolean => {
    const word = log.findLast(
      (entry) => entry.kind === "complaint" && entry.by === member && entry.epoch === epoch && entry.about === about,
    );
    return word?.kind === "complaint" && word.at === at;
  };
  const write = (epoch: number, about: number, says: "broken" | "lost" | "arrived", at: number): Step => ({
    text: `${member} says of ${about}: ${says}${at > 0 ? ` at ${at}` : ""}`,
    next: written(state, member, { kind: "complaint", epoch, by: member, about, says, at }),
  });
  if (position.kind === "waits") {
    const { rules } = model.config;
    const checks = new Map(
      position.chain.flatMap(({ commits }) => commits.map(({ seq }) => [seq, seq === position.about ? "fails" : "holds"] as const)),
    );
    const isLost = has(model.commit(log, position.about)?.holdsFor ?? 0, member);
    for (const { epoch: index, about } of rules.complaintsOwed(position.chain, String(member), checks)) {
      const epoch = position.epochs[index] ?? -1;
      if (epoch >= 0 && (about === position.about) === isFirst && !said(epoch, about, 0))
        yield write(epoch, about, isLost && about === position.about ? "lost" : "broken", 0);
    }
    return;
  }
  if (!model.config.rules.arrivals || !isFirst) return;
  const last = (state.letIn[member] ?? []).findLast(({ at }) => position.epochs.includes(at));
  if (last === undefined) return;
  for (const [index, epoch] of position.epochs.slice(0, -1).entries()) {
    const seen = position.chain[index];
    const child = seen === undefined ? undefined : model.config.rules.childOf(seen);
    if (epoch < 0 || seen === undefined || child === undefined || child.seq === last.at) continue;
    const word = seen.complaints.findLast(({ by, about }) => by === String(member) && about === child.seq);
    if (word !== undefined && (word.says.kind !== "arrived" || word.says.at !== last.at)) yield write(epoch, child.seq, "arrived", last.at);
  }
}

function* commits(model: Model, state: State, member: number, position: Extract<Position, { kind: "in" }>): Generator<Step> {
  const { epoch, chain } = position;
  const { rules } = model.config;
  const log = model.log(state, member);
  const here = chain.at(-1);
  if (here === undefined || position.isLost || rules.barredIn(here).has(String(member))) return;
  if (model.contradicts(state, member, position) !== 0) return;
  const hasOwn = log.some(
    (entry) => entry.kind === "commit" && entry.epoch === epoch && entry.author === member && has(entry.holdsFor, member),
  );
  if (hasOwn) return;
  const members = model.members(log, epoch);
  const make = (text: string, readds: number, removes: number, from: State = state): Step => ({
    text: `${member} ${text} in ${epoch}`,
    next: written(from, member, {
      kind: "commit",
      epoch,
      author: member,
      passes: true,
      holdsFor: model.honest,
      keeps: members & ~readds & ~removes,
      readds,
    }),
  });
  const standing = rules.standingComplaints(chain).reduce((set, { by }) => set | bit(Number(by)), 0) & members & ~bit(member);
  if (standing !== 0) yield make(`lets in ${listOf(standing).join()}`, standing, 0);
  else if (here.commits.length > 0) yield make("commits, so that the epoch is open", 0, 0);
  if (state.changes > 0) {
    const from = { ...state, changes: state.changes - 1 };
    yield make("commits", 0, 0, from);
    const malicious = members & ~model.honest;
    if (malicious !== 0) yield make("removes a member", 0, bit(listOf(malicious)[0] ?? 0), from);
  }
}

/** A Welcome arrives. It is taken when it fits where the member stands, and dropped otherwise. */
function received(model: Model, state: State, index: number): State {
  const welcome = state.welcomes[index];
  const without = { ...state, welcomes: state.welcomes.filter((_, at) => at !== index) };
  if (welcome === undefined) return without;
  const { to, at, signer } = welcome;
  const log = model.log(state, to);
  const position = model.position(state, to);
  const commit = model.commit(log, at);
  if (commit === undefined || !has(commit.readds, to)) return without;
  const taken = state.letIn[to] ?? [];
  const waits = position.kind === "waits" ? [{ epoch: position.epoch, about: position.about }] : [];
  const before =
    position.kind === "in" ? taken.filter((item) => position.epochs.includes(item.epoch) && position.epochs.includes(item.at)) : [];
  for (const { epoch, about } of [...waits, ...before]) {
    const seen = model.seen(log, log.length, epoch);
    const members = namesOf(model.members(log, epoch));
    if (at < about || !model.config.rules.mayLetIn(seen, about, { signer: String(signer), at, members })) continue;
    if (taken.some((item) => item.epoch === epoch && item.about === about && item.at === at)) continue;
    const next = { ...without, letIn: replaced(state.letIn, to, [...taken, { epoch, about, at, signer }]) };
    return settled(model, next, to);
  }
  return without;
}

/** Moves of the malicious members, together. */
export function* maliciousSteps(model: Model, state: State): Generator<Step> {
  if (state.moves === 0) return;
  const paid = { ...state, moves: state.moves - 1 };
  for (const [on, log] of state.logs.entries()) {
    const epochs = [0, ...log.flatMap((entry, index) => (entry.kind === "commit" ? [index + 1] : []))];
    for (const epoch of epochs) {
      const members = model.members(log, epoch);
      const liars = listOf(members & ~model.honest);
      if (liars.length === 0) continue;
      for (const author of liars) yield* forgeries(model, paid, { on, log, epoch, members, author });
      yield* reposts(model, paid, { on, log, epoch, members });
      for (const by of liars) yield* falseComplaints(model, paid, { on, log, epoch, by });
    }
    // A Welcome to any commit that a malicious member made, or that let somebody in again.
    for (const [index, entry] of log.entries()) {
      if (entry.kind !== "commit" || has(model.honest, entry.author)) continue;
      for (const to of listOf(entry.readds & model.honest)) {
        for (const signer of listOf(model.all & ~model.honest)) {
          if (state.welcomes.some((item) => item.to === to && item.at === index + 1 && item.signer === signer)) continue;
          yield {
            text: `${signer} welcomes ${to} to ${index + 1}`,
            next: { ...paid, welcomes: [...state.welcomes, { to, at: index + 1, signer }] },
          };
        }
      }
    }
  }
  if (model.config.branches && state.logs.length === 1 && state.published < 0) {
    for (let apart = 1; apart < model.honest; apart++) {
      const on = state.on.map((_, member) => (has(apart, member) ? 1 : 0));
      const [log] = state.logs;
      if (log !== undefined) yield { text: `the log splits: ${listOf(apart).join()} apart`, next: { ...paid, logs: [log, [...log]], on } };
    }
  }
}

function* forgeries(
  model: Model,
  state: State,
  { on, log, epoch, members, author }: { on: number; log: readonly Entry[]; epoch: number; members: number; author: number },
): Generator<Step> {
  const honest = members & model.honest;
  const waiting =
    log.reduce((set, entry) => (entry.kind === "complaint" && has(members, entry.by) ? set | bit(entry.by) : set), 0) & model.honest;
  const make = (entry: Omit<CommitEntry, "kind" | "epoch" | "author">, isWelcoming: boolean): Step => {
    const next = appended(model, state, on, { kind: "commit", epoch, author, ...entry });
    const at = log.length + 1;
    const welcomes = isWelcoming ? listOf(entry.readds).map((to) => ({ to, at, signer: author })) : [];
    return {
      text: `${author} forges in ${epoch}: ${entry.passes ? `passes, holds for [${listOf(entry.holdsFor).join()}]` : "fails"}, removes [${listOf(members & ~entry.keeps & ~entry.readds).join()}], lets in [${listOf(entry.readds).join()}]${isWelcoming ? " and welcomes" : ""}`,
      next: { ...next, welcomes: [...next.welcomes, ...welcomes] },
    };
  };
  yield make({ passes: false, holdsFor: 0, keeps: members, readds: 0 }, false);
  for (let holdsFor = 0; holdsFor <= model.honest; holdsFor++) {
    if ((holdsFor & ~honest) === 0) yield make({ passes: true, holdsFor, keeps: members, readds: 0 }, false);
  }
  for (const removed of model.config.administers ? listOf(honest) : []) {
    const keeps = members & ~bit(removed);
    yield make({ passes: true, holdsFor: honest & keeps, keeps, readds: 0 }, false);
    yield make({ passes: true, holdsFor: 0, keeps, readds: 0 }, false);
  }
  for (let readds = 1; readds <= waiting; readds++) {
    if ((readds & ~waiting) !== 0) continue;
    const keeps = members & ~readds;
    yield make({ passes: true, holdsFor: honest, keeps, readds }, true);
    yield make({ passes: true, holdsFor: honest, keeps, readds }, false);
    yield make({ passes: true, holdsFor: 0, keeps, readds }, true);
    yield make({ passes: false, holdsFor: 0, keeps, readds }, true);
  }
}

/** An honest commit posted again with another confirmation tag (spec G-7): before it, when the server helps, or after it. */
function* reposts(
  model: Model,
  state: State,
  { on, log, epoch, members }: { on: number; log: readonly Entry[]; epoch: number; members: number },
): Generator<Step> {
  for (const author of listOf(members & model.honest)) {
    const original = log.find(
      (entry) => entry.kind === "commit" && entry.epoch === epoch && entry.author === author && has(entry.holdsFor, author),
    );
    const isThere =
      model.config.collusion && original === undefined && state.on[author] === on && model.position(state, author).kind === "in";
    const position = model.position(state, author);
    if (isThere && position.kind === "in" && position.epoch === epoch && !position.isLost)
      yield {
        text: `${author}'s commit in ${epoch} is posted broken before it is`,
        next: appended(model, state, on, { kind: "commit", epoch, author, passes: true, holdsFor: 0, keeps: members, readds: 0 }),
      };
    else if (original?.kind === "commit")
      yield {
        text: `${author}'s commit in ${epoch} is posted again, broken`,
        next: appended(model, state, on, { ...original, holdsFor: 0 }),
      };
  }
}

function* falseComplaints(
  model: Model,
  state: State,
  { on, log, epoch, by }: { on: number; log: readonly Entry[]; epoch: number; by: number },
): Generator<Step> {
  for (const [index, entry] of log.entries()) {
    if (entry.kind !== "commit" || entry.epoch !== epoch || !entry.passes || !has(entry.keeps | entry.readds, by)) continue;
    yield {
      text: `${by} complains falsely about ${index + 1}`,
      next: appended(model, state, on, { kind: "complaint", epoch, by, about: index + 1, says: "broken", at: 0 }),
    };
  }
}
