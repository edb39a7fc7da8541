import { decode, encode, toBase64Url, toHex } from "@latchkey/codec";
import type { InboxPlaintext } from "@latchkey/protocol";
import { deskNoticeCodec, isDeskHead, openNotice, ReportError } from "@latchkey/reports";
import type { DeskNotice } from "@latchkey/reports";
import type { Notice } from "../api.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { cleanLine } from "../names/clean.ts";
import type { DeskKeySource } from "./desk-keys.ts";
import { loadNotices, noticeKey, storedNoticeCodec } from "./stored.ts";

/** Notices that are kept; the oldest go that were read. */
const maxKept = 200;
/** Whatever comes that nobody signed, the record is asked no more often. */
const leastBetweenMs = 60_000;

/** What the desk of one's own host tells this account (spec V-5). */
export class Notices {
  readonly #world: World;
  readonly #keys: DeskKeySource;

  constructor(world: World, keys: DeskKeySource) {
    this.#world = world;
    this.#keys = keys;
  }

  /**
   * An item of the inbox that says it is a notice: nobody signed for it so far. It is kept where the desk's key in the public record signed
   * it, and is nothing else.
   * @throws ClientError while that key cannot be had
   */
  async take(item: InboxPlaintext, receivedAtMs: number): Promise<void> {
    const { own, store, platform, emit } = this.#world;
    if (!isDeskHead(item.head, own.host)) return;
    const notice = await this.#verified(item, receivedAtMs);
    if (notice === undefined) return;
    const id = toBase64Url(notice.noticeId);
    const isNew = await store.transact("write", async (tx) => {
      // The same notice lies in the inboxes of all devices, and may come twice.
      if ((await tx.get(noticeKey(id))) !== undefined) return false;
      const kept = await loadNotices(tx);
      if (kept.length >= maxKept) {
        const oldest = kept.findLast(({ isRead }) => isRead) ?? kept.at(-1);
        if (oldest !== undefined) tx.delete(noticeKey(toBase64Url(decode(deskNoticeCodec, oldest.notice).noticeId)));
      }
      const stored = { receivedAtMs: platform.nowMs(), isRead: false, notice: encode(deskNoticeCodec, notice) };
      tx.put(noticeKey(id), encode(storedNoticeCodec, stored));
      return true;
    });
    if (isNew) emit({ kind: "notices" });
  }

  async #verified(item: InboxPlaintext, receivedAtMs: number): Promise<DeskNotice | undefined> {
    const { own, platform } = this.#world;
    const { host } = own;
    const known = await this.#keys.known(host);
    const found = known === undefined ? undefined : await this.#open(item, known.signatureKey);
    const sinceMs = platform.nowMs() - (await this.#keys.checkedAtMs(host));
    // The record as it was asked since the item came names another key, or none.
    const isJudged = platform.nowMs() - receivedAtMs > sinceMs && sinceMs >= 0;
    if (found !== undefined || isJudged) return found;
    if (Math.abs(sinceMs) < leastBetweenMs)
      throw new ClientError("rate_limited", "The record was asked a moment ago.", { retryAfterMs: leastBetweenMs });
    try {
      const { signatureKey } = await this.#keys.newest(host);
      return await this.#open(item, signatureKey);
    } catch (error) {
      // A host without a desk tells nobody anything.
      if (error instanceof ClientError && error.code === "not_permitted") return undefined;
      throw error;
    }
  }

  async #open(item: InboxPlaintext, deskKey: Uint8Array): Promise<DeskNotice | undefined> {
    const { own, platform } = this.#world;
    try {
      return await openNotice({ signatures: platform.signatures, deskKey, item, self: own });
    } catch (error) {
      if (error instanceof ReportError) return undefined;
      throw error;
    }
  }

  async list(): Promise<readonly Notice[]> {
    const stored = await this.#world.store.transact("read", (tx) => loadNotices(tx));
    return stored.map(({ receivedAtMs, isRead, notice }) => shown(decode(deskNoticeCodec, notice), { receivedAtMs, isRead }));
  }

  /** The person has read it. @throws ClientError `unknown_message` */
  async read(noticeId: string): Promise<void> {
    const { store, emit } = this.#world;
    await store.transact("write", async (tx) => {
      const value = await tx.get(noticeKey(noticeId));
      if (value === undefined) throw new ClientError("unknown_message", "There is no such notice here.");
      tx.put(noticeKey(noticeId), encode(storedNoticeCodec, { ...decode(storedNoticeCodec, value), isRead: true }));
    });
    emit({ kind: "notices" });
  }
}

/** As it may be shown: whoever signs for the desk may still have been given text that plays tricks. */
function shown({ noticeId, body }: DeskNotice, kept: Pick<Notice, "receivedAtMs" | "isRead">): Notice {
  const { puid } = body;
  const common = { noticeId: toBase64Url(noticeId), ...kept, puid };
  if (body.kind === "appeal-decided") {
    const { kind, outcome, decidedDay, words } = body;
    return { ...common, body: { kind, outcome, decidedDay, words: cleanWords(words) } };
  }
  if (body.kind === "disclosure") {
    const { puid: _puid, authority, country, reference, basis, sha256, ...rest } = body;
    const words = { authority: cleanWords(authority), reference: cleanWords(reference), basis: cleanWords(basis) };
    return { ...common, body: { ...rest, ...words, country: cleanLine(country, 2), sha256: toHex(sha256) } };
  }
  const { ground, facts, messageIds, puid: _puid, source: _source, ...rest } = body;
  const { kind, basis, explanation, referenceUrl, isAlsoIllegal } = ground;
  const words = { basis: cleanWords(basis), explanation: cleanWords(explanation) };
  return {
    ...common,
    body: {
      ...rest,
      ground: { kind, ...words, referenceUrl: isLink(referenceUrl) ? referenceUrl : "", isAlsoIllegal },
      facts: cleanWords(facts),
      messageIds: messageIds.map((id) => toBase64Url(id)),
    },
  };
}

const maxLine = 5000;

/** Words of the desk, each line cleaned like a name. */
export function cleanWords(text: string): string {
  return text
    .split("\n")
    .map((line) => cleanLine(line, maxLine))
    .join("\n")
    .trim();
}

function isLink(url: string): boolean {
  return /^https:\/\/[\x21-\x7e]+$/.test(url);
}
