import { CodecError, decode, encode, equalBytes, fromBase64Url, opaque, opaqueV, safeUint64, struct, toBase64Url } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { groupReportCodec, inboxItemKinds, maxReportedMessages, maxGroupReportWordsBytes } from "@latchkey/protocol";
import type { GroupReport as ReportBody } from "@latchkey/protocol";
import type { GroupReport, InvitedBy, ModerationCalls, Person } from "../api.ts";
import { roleOf, roles } from "../core/rights.ts";
import { leafOf } from "../core/roster.ts";
import type { DeviceReference, Roster, RosterLeaf } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import { requireWritable } from "../engine/writable.ts";
import type { World } from "../engine/world.ts";
import { ClientError, offlineError } from "../errors.ts";
import { isAdmitted } from "../join-links/book.ts";
import { linkKeys, tagOf } from "../join-links/link-keys.ts";
import { cleanDescription } from "../names/clean.ts";
import { loadCame } from "./came.ts";

/** Administrators who are told at once: owners first. Each device is sealed to by itself. */
const toldAtOnce = 10;
/** Reports that are kept of one group, and of one member in it: the oldest go. */
const maxKept = 64;
const maxKeptOfOne = 8;

/** A report as it is stored. */
interface Kept {
  readonly from: Uint8Array;
  readonly receivedAtMs: number;
  readonly body: Uint8Array;
}

const keptCodec: Codec<Kept> = struct<Kept>({ from: opaque(32), receivedAtMs: safeUint64, body: opaqueV(65_536) });
const prefix = (conversationId: string): string => `group-report/${conversationId}/`;

type ReportParams = Parameters<ModerationCalls["reportToAdministrators"]>[1];

/** What keeps a group in order beside its log: who came how, and what members tell its administrators (spec ). */
export class Moderation {
  readonly #world: World;
  readonly #runner: (id: string) => ConversationRunner;
  readonly #runners: () => readonly ConversationRunner[];

  constructor(
    world: World,
    access: { readonly runner: (id: string) => ConversationRunner; readonly runners: () => readonly ConversationRunner[] },
  ) {
    this.#world = world;
    this.#runner = access.runner;
    this.#runners = access.runners;
  }

  async invitedBy(id: string): Promise<readonly InvitedBy[]> {
    const { store, people, joinLinks, platform } = this.#world;
    const runner = this.#runner(id);
    await runner.load();
    const came = await store.transact("read", (tx) => loadCame(tx, id));
    const stored = joinLinks.stored;
    const links = await Promise.all(
      (stored?.of(id) ?? []).map(async (link) => {
        const seed = stored?.held(id, link.linkId)?.seed;
        return { link, keys: seed === undefined ? undefined : await linkKeys(platform, seed) };
      }),
    );
    const members = [...(runner.state.roster?.accounts.values() ?? [])].flatMap((leaves) => leaves.slice(0, 1));
    await people.load([...came.values()].flatMap(({ by }) => (by === undefined ? [] : [by])));
    return members.map(({ accountId, account }): InvitedBy => {
      const person = people.person(accountId);
      const known = came.get(account);
      if (known === undefined) return { person };
      const { by, atMs } = known;
      const through = links.findLast(({ link, keys }) => keys !== undefined && isAdmitted(link, tagOf(platform, keys, accountId)));
      return {
        person,
        atMs,
        ...(by === undefined ? {} : { addedBy: people.person(by) }),
        ...(through === undefined ? {} : { linkOf: people.person(through.link.accountId) }),
      };
    });
  }

  async report(id: string, { messageIds, reason, words = "" }: ReportParams): Promise<readonly Person[]> {
    const runner = this.#runner(id);
    await runner.load();
    requireWritable(runner.state);
    const { roster, host, logId, kind } = runner.state;
    const ids = [...new Set(messageIds)];
    if (ids.length === 0 || ids.length > maxReportedMessages || new TextEncoder().encode(words).length > maxGroupReportWordsBytes)
      throw new ClientError("invalid_setting", `A report is of 1 to ${String(maxReportedMessages)} messages, in at most 2,048 bytes.`);
    const authors: Uint8Array[] = [];
    for (const messageId of ids) {
      const line = await runner.history.line(messageId);
      if (line?.message === undefined || line.author === undefined) throw new ClientError("unknown_message", "This message is not here.");
      authors.push(line.author);
    }
    const told = roster === undefined || kind !== "group" ? [] : this.#administrators(roster, authors);
    if (told.length === 0) throw new ClientError("no_administrator", "Nobody else leads this group who could be told.");
    const body: ReportBody = {
      format: 1,
      host,
      logId,
      reason,
      words: cleanDescription(words),
      messageIds: ids.map((messageId) => fromBase64Url(messageId)),
      ext: new Uint8Array(0),
    };
    return await this.#send(encode(groupReportCodec, body), told);
  }

  /** Those who are told: neither this person nor who wrote what is reported. */
  #administrators(roster: Roster, authors: readonly Uint8Array[]): readonly (readonly RosterLeaf[])[] {
    const { accountId: own } = this.#world.own;
    return [...roster.accounts]
      .filter(([account, [first]]) => {
        if (first === undefined || roleOf(roster, account) < roles.administrator || equalBytes(first.accountId, own)) return false;
        return authors.every((author) => !equalBytes(author, first.accountId));
      })
      .toSorted(([a], [b]) => roleOf(roster, b) - roleOf(roster, a))
      .slice(0, toldAtOnce)
      .map(([, leaves]) => leaves);
  }

  /** Seals it to every device of theirs that can be reached. @throws ClientError where none can */
  async #send(body: Uint8Array, told: readonly (readonly RosterLeaf[])[]): Promise<readonly Person[]> {
    const { directory, store, posts, people } = this.#world;
    const reached: RosterLeaf[] = [];
    const recipients: Parameters<typeof posts.putItem>[1]["recipient"][] = [];
    let failure: ClientError | undefined;
    for (const leaf of told.flat()) {
      try {
        const { host, accountId, deviceId } = leaf;
        const contact = await directory.account(host, accountId);
        const { inboxId, inboxKey } = await directory.card(contact, deviceId);
        recipients.push({ host, accountId, deviceId, inboxId, inboxKey });
        reached.push(leaf);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        failure = error;
      }
    }
    if (recipients.length === 0 && failure !== undefined) throw failure;
    await store.transact("write", async (tx) => {
      for (const recipient of recipients) await posts.putItem(tx, { recipient, kind: inboxItemKinds.groupReport, body });
    });
    void posts.deliver();
    const accounts = told.flatMap(([first]) =>
      first !== undefined && reached.some(({ account }) => account === first.account) ? [first] : [],
    );
    return accounts.map(({ accountId }) => people.person(accountId));
  }

  /** What a member's device sealed to this one; its signature was verified. Only who administers the group keeps it. */
  async take(sender: DeviceReference, body: Uint8Array): Promise<void> {
    const report = parse(body);
    const runner = report === undefined ? undefined : this.#runners().find(({ state }) => equalBytes(state.logId, report.logId));
    if (report === undefined || runner?.state.host !== report.host) return;
    await runner.load();
    const { roster, id, kind } = runner.state;
    if (kind !== "group" || roster === undefined || !this.#leads(roster)) return;
    // This device may not have read yet that they came: it is looked at again, until it is too old.
    if (leafOf(roster, sender) === undefined) throw offlineError();
    const { store, platform, emit } = this.#world;
    const kept: Kept = { from: sender.accountId.slice(), receivedAtMs: platform.nowMs(), body: body.slice() };
    await store.transact("write", async (tx) => {
      const before = (await tx.scan({ prefix: prefix(id) }))
        .map(([key, value]) => ({ key, kept: decode(keptCodec, value) }))
        .toSorted((a, b) => a.kept.receivedAtMs - b.kept.receivedAtMs);
      const ofOne = before.filter((one) => equalBytes(one.kept.from, kept.from));
      // One member's go for that member's; only then the oldest of all.
      const gone = ofOne.length >= maxKeptOfOne ? ofOne.slice(0, 1) : before.length >= maxKept ? before.slice(0, 1) : [];
      for (const { key } of gone) tx.delete(key);
      tx.put(prefix(id) + toBase64Url(platform.random(16)), encode(keptCodec, kept));
    });
    emit({ kind: "group_reports", conversationId: id });
  }

  async list(id: string): Promise<readonly GroupReport[]> {
    const { store, people } = this.#world;
    const runner = this.#runner(id);
    await runner.load();
    const { roster } = runner.state;
    if (roster === undefined || !this.#leads(roster)) return [];
    const found = await store.transact("read", (tx) => tx.scan({ prefix: prefix(id) }));
    const kept = found
      .map(([key, value]) => ({ reportId: key.slice(prefix(id).length), ...decode(keptCodec, value) }))
      .toSorted((a, b) => b.receivedAtMs - a.receivedAtMs);
    await people.load(kept.map(({ from }) => from));
    const shown: GroupReport[] = [];
    for (const { reportId, from, receivedAtMs, body } of kept) {
      const report = parse(body);
      if (report === undefined) continue;
      const messages: GroupReport["messages"][number][] = [];
      for (const bytes of report.messageIds) {
        const messageId = toBase64Url(bytes);
        const message = await runner.history.message(messageId);
        messages.push({ messageId, ...(message === undefined ? {} : { message }) });
      }
      const { reason } = report;
      const words = cleanDescription(report.words);
      shown.push({ reportId, conversationId: id, from: people.person(from), receivedAtMs, reason, words, messages });
    }
    return shown;
  }

  async dismiss(id: string, reportId: string): Promise<void> {
    const { store, emit } = this.#world;
    await store.transact("write", (tx) => tx.delete(prefix(this.#runner(id).id) + reportId));
    emit({ kind: "group_reports", conversationId: id });
  }

  #leads(roster: Roster): boolean {
    return roleOf(roster, this.#world.people.self.account) >= roles.administrator;
  }
}

function parse(body: Uint8Array): ReportBody | undefined {
  try {
    return decode(groupReportCodec, body);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
