import { toBase64Url } from "@latchkey/codec";
import type { FoundMessage, Message, Person, SearchOptions, SearchPage } from "../api.ts";
import { entryOrder } from "../core/order.ts";
import type { Conversations } from "../engine/conversations.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { accountsOfLine } from "../engine/effects.ts";
import { messageOfLine } from "../engine/shown-message.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { factOf } from "../own/view.ts";
import { loadLine, loadStanding } from "../timeline/history.ts";
import type { Line } from "../timeline/line.ts";
import { hasLink, withFiles } from "./entry.ts";
import { fold, foldMessage } from "./fold.ts";
import { isNothing, parseQuery } from "./query.ts";
import type { Query } from "./query.ts";
import { beginningOf, scanSegment, sieveOf } from "./scan.ts";
import type { Candidate } from "./scan.ts";
import { SegmentCache } from "./segment-cache.ts";
import { snippetOf } from "./snippet.ts";

const mostFound = 200;
/** Segments that are looked through for one page. */
const segmentsAtOnce = 64;
/** Messages that are opened at once, and UTF-16 units of what they say after which a page ends. */
const openedAtOnce = 32;
const maxUnitsOpened = 1_048_576;
/** Conversations whose newest segments are opened in one go. */
const tailsAtOnce = 32;
/** Pages that can be gone on from. */
const maxCursors = 8;

/** What is left to look through of a conversation. */
interface Stream {
  readonly runner: ConversationRunner;
  /** The segment that was looked through last. */
  readonly before: number | undefined;
  /** At about which time what is left was said at the latest, seconds since 1970. */
  readonly latestS: number;
}

interface Candidates extends Candidate {
  readonly runner: ConversationRunner;
}

/** A search that is under way; never changed, so that the same page can be had again. */
interface Progress {
  readonly query: Query;
  readonly streams: readonly Stream[];
  /** Found, and not shown yet: what was said later may still be found elsewhere. The newest first. */
  readonly waiting: readonly Candidates[];
}

/**
 * Looks through the index, the newest first: of all conversations always the one of which what is left is newest. What is found there is looked
 * for in the message itself, as it is now, before it is shown: the index says only which messages are worth opening.
 */
export class Finder {
  readonly #world: World;
  readonly #conversations: Conversations;
  readonly #segments = new SegmentCache();
  readonly #cursors = new Map<string, Progress>();
  #nextCursor = 1;
  /** Account ids by how the index tells authors apart. */
  readonly #authors = new Map<number, Uint8Array>();

  constructor(world: World, conversations: Conversations) {
    this.#world = world;
    this.#conversations = conversations;
    world.segments.listener = this.#segments.changed;
  }

  /** @throws ClientError `unknown_conversation`, `invalid_cursor` */
  async page(text: string, { conversationId, limit = mostFound, cursor }: SearchOptions): Promise<Omit<SearchPage, "indexing">> {
    const most = Math.max(1, Math.min(mostFound, Math.floor(limit)));
    let progress = cursor === undefined ? this.#begin(text, conversationId) : this.#goOn(cursor);
    const { query } = progress;
    const found: FoundMessage[] = [];
    let segments = 0;
    let units = 0;
    for (;;) {
      const next = newest(progress.streams);
      const ready = progress.waiting.filter(({ timeS }) => next === undefined || timeS >= next.latestS);
      const opened = ready.slice(0, Math.min(openedAtOnce, most - found.length));
      if (opened.length > 0) {
        progress = { ...progress, waiting: progress.waiting.slice(opened.length) };
        const shown = await this.#show(query, opened);
        found.push(...shown.found);
        units += shown.units;
      }
      if (found.length >= most || units > maxUnitsOpened || (next === undefined && progress.waiting.length === 0)) break;
      if (opened.length > 0 || next === undefined) continue;
      if (segments === segmentsAtOnce) break;
      progress = await this.#lookThrough(progress, next, segments);
      segments += 1;
    }
    const isMore = progress.streams.length > 0 || progress.waiting.length > 0;
    return { found, cursor: isMore ? this.#keep(progress) : undefined, unknown: query.unknown };
  }

  #begin(text: string, conversationId: string | undefined): Progress {
    const query = parseQuery(text, (year, month, day) => new Date(year, month - 1, day).getTime());
    const within = conversationId === undefined ? undefined : this.#conversations.inPlaceOf(conversationId).id;
    const isFutile = isNothing(query) || query.unknown.length > 0;
    const runners = isFutile ? [] : this.#conversations.all().filter((runner) => this.#isSought(runner, query, within));
    const streams = runners.map((runner): Stream => {
      const latestMs = Math.max(runner.state.updatedAtMs, runner.lastLine?.sentAtMs ?? 0);
      return { runner, before: undefined, latestS: Math.ceil(latestMs / 1000) };
    });
    return { query, streams, waiting: [] };
  }

  #isSought(runner: ConversationRunner, { within: names }: Query, within: string | undefined): boolean {
    if (runner.state.kind === "devices") return false;
    const listed = this.#listed(runner);
    if (within !== undefined && listed.id !== within) return false;
    if (names.length === 0) return true;
    const { title, peer } = this.#conversations.shown(listed);
    const folded = fold(title);
    return names.some((name) => folded.includes(name) || (peer !== undefined && isPerson(peer, name)));
  }

  /** The conversation where people find it. */
  #listed(runner: ConversationRunner): ConversationRunner {
    return runner.state.phase.kind === "continued" ? this.#conversations.inPlaceOf(runner.id) : runner;
  }

  async #lookThrough(progress: Progress, stream: Stream, segments: number): Promise<Progress> {
    const { query, waiting } = progress;
    const { runner, before } = stream;
    const { store } = this.#world;
    // The further somebody looks, the more are opened in one go.
    const next = before === undefined ? nextOf(progress.streams, stream, segments * 2) : [];
    await this.#segments.open(
      store,
      next.map((one) => one.runner.id),
    );
    const others = progress.streams.filter((one) => one !== stream);
    const segment = await this.#segments.before(store, runner.id, before);
    if (segment === undefined) return { ...progress, streams: others };
    // It says in which order is looked, and ends nothing: somebody may have filled a segment, and say that it is old.
    const latestS = Math.min(stream.latestS, beginningOf(segment.text));
    const left = [...others, { runner, before: segment.first, latestS }];
    const end = entryOrder((factOf(this.#world.ownThings, "deleted", runner.state.logId)?.throughSeq ?? -1) + 1);
    const scanned = scanSegment(segment.text, query.terms, sieveOf(query)).filter(({ order }) => order >= end);
    const found = (await this.#ofAuthors(runner, query, scanned)).map((candidate) => ({ ...candidate, runner }));
    if (found.length === 0) return { ...progress, streams: left };
    return { query, streams: left, waiting: [...waiting, ...found].toSorted((a, b) => b.timeS - a.timeS || b.order - a.order) };
  }

  /** Those of the authors who are asked for; who an author is says one of their messages. */
  async #ofAuthors(runner: ConversationRunner, { from }: Query, found: readonly Candidate[]): Promise<readonly Candidate[]> {
    if (from.length === 0) return found;
    const { store, people } = this.#world;
    const unknown = new Map(found.filter(({ author }) => !this.#authors.has(author)).map(({ author, order }) => [author, order]));
    const lines = await store.transact("read", (tx) => Promise.all([...unknown.values()].map((order) => loadLine(tx, runner.id, order))));
    for (const [at, author] of [...unknown.keys()].entries()) {
      const account = lines[at]?.author;
      if (account !== undefined) this.#authors.set(author, account);
    }
    await people.load(this.#authors.values());
    const sought = new Set<number>();
    for (const author of new Set(found.map((one) => one.author))) {
      const account = this.#authors.get(author);
      if (account !== undefined && isAuthor(people.person(account), from)) sought.add(author);
    }
    return found.filter(({ author }) => sought.has(author));
  }

  /** What of these is what is looked for, as people see it now. */
  async #show(
    query: Query,
    candidates: readonly Candidates[],
  ): Promise<{ readonly found: readonly FoundMessage[]; readonly units: number }> {
    const { store, people, clock, platform } = this.#world;
    const nowMs = clock.latest(platform.nowMs());
    const lines = await store.transact("read", (tx) =>
      Promise.all(candidates.map(({ runner, order }) => loadStanding(tx, runner.id, order, nowMs))),
    );
    const here = candidates.flatMap(({ runner }, at): { runner: ConversationRunner; line: Line }[] => {
      const line = lines[at];
      return line === undefined ? [] : [{ runner, line }];
    });
    await people.load(here.flatMap(({ line }) => accountsOfLine(line)));
    let units = 0;
    const found = here.flatMap(({ runner, line }) => {
      const message = messageOfLine(this.#world, runner.state, line);
      const text = textOf(message);
      units += text?.length ?? 0;
      if (text === undefined || !isFound(query, message, text)) return [];
      const { text: snippet, hits } = snippetOf(text, query.terms);
      const { id: messageId, order, author, sentAtMs, files = [] } = message;
      const voice = files.find(({ kind }) => kind === "voice");
      const said = voice === undefined ? {} : { voiceMs: voice.durationMs ?? 0 };
      return [{ conversationId: this.#listed(runner).id, messageId, order, author, sentAtMs, snippet, hits, ...said }];
    });
    return { found, units };
  }

  #keep(progress: Progress): string {
    const cursor = `${toBase64Url(this.#world.own.deviceId).slice(0, 8)}.${String(this.#nextCursor++)}`;
    this.#cursors.set(cursor, progress);
    for (const old of this.#cursors.keys()) {
      if (this.#cursors.size <= maxCursors) break;
      this.#cursors.delete(old);
    }
    return cursor;
  }

  #goOn(cursor: string): Progress {
    const progress = this.#cursors.get(cursor);
    if (progress === undefined) throw new ClientError("invalid_cursor", "This search is not known any more. Begin it again.");
    return progress;
  }
}

/** A conversation of which nothing was looked through, and so many others that come next, as many as are opened at once. */
function nextOf(streams: readonly Stream[], stream: Stream, others: number): readonly Stream[] {
  if (others === 0) return [stream];
  const unread = streams.filter((one) => one !== stream && one.before === undefined).toSorted((a, b) => b.latestS - a.latestS);
  return [stream, ...unread.slice(0, Math.min(others, tailsAtOnce))];
}

function newest(streams: readonly Stream[]): Stream | undefined {
  let found: Stream | undefined;
  for (const stream of streams) if (found === undefined || stream.latestS > found.latestS) found = stream;
  return found;
}

/** What a message says that is searched. */
function textOf({ body, files, isOnce }: Message): string | undefined {
  if (body.kind === "poll") return [body.question, ...body.options.map((option) => option.text)].join("\n");
  return body.kind === "text" && isOnce !== true ? withFiles(body.text, files) : undefined;
}

function isFound({ terms, from, has, fromMs = 0, beforeMs = Number.POSITIVE_INFINITY }: Query, message: Message, text: string): boolean {
  const { author, sentAtMs, body, files = [] } = message;
  const folded = foldMessage(text);
  return (
    terms.every((term) => folded.includes(term)) &&
    (from.length === 0 || (author !== undefined && isAuthor(author, from))) &&
    sentAtMs >= fromMs &&
    sentAtMs < beforeMs &&
    has.every((kind) => {
      if (kind === "link") return hasLink(folded);
      if (kind === "poll") return body.kind === "poll";
      return kind === "file" ? files.length > 0 : files.some((file) => file.kind === kind);
    })
  );
}

function isAuthor(person: Person, names: readonly string[]): boolean {
  return names.some((name) => (name === "me" ? person.isSelf : isPerson(person, name)));
}

/** Whether a folded name is some of a person's name, the beginning of their username, or their address. */
function isPerson({ displayName, username, address }: Person, name: string): boolean {
  return fold(displayName).includes(name) || fold(username).startsWith(name) || fold(address) === name;
}
