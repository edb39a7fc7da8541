import { equalBytes, toBase64Url } from "@latchkey/codec";
import { deviceOf } from "@latchkey/transparency";
import type { Contact } from "../account/contacts.ts";
import type { ConversationState } from "../core/types.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { isSignedBy } from "../group/inbox-seal.ts";
import { refusals, refusalsThatBlock } from "./book.ts";
import type { LinkRecord } from "./book.ts";
import { openKnock } from "./knock.ts";
import type { OpenedKnock } from "./knock.ts";
import * as inbox from "./link-inbox.ts";
import { linkKeys, tagOf } from "./link-keys.ts";
import type { LinkKeys } from "./link-keys.ts";
import type { StoredLinks } from "./stored-links.ts";

/** Accounts that were never met and are looked up in one look, and how often nothing is found of one before its knock goes. */
const lookUpsAtOnce = 64;
const maxFailures = 3;

/** Somebody who waits at a link: their signature holds. */
export interface Waiting {
  readonly host: string;
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
  readonly linkId: Uint8Array;
  readonly answer: Uint8Array;
  readonly seq: number;
  readonly seenAtMs: number;
  readonly refused: number;
}

interface Look {
  readonly state: ConversationState;
  readonly link: LinkRecord;
  readonly keys: LinkKeys;
  lookUpsLeft: number;
}

/**
 * Who waits at the links of groups, as the server has it: each account has one place at a link, the newest. What is no knock of somebody who
 * has the link and an account goes from there at once, so that a flood keeps nobody out.
 */
export class WaitingRoom {
  readonly #world: World;
  readonly #links: StoredLinks;
  readonly #waiting = new Map<string, readonly Waiting[]>();
  /** Of items that could not be verified yet: how often that was tried, and how often there was nothing to be found. */
  readonly #tries = new Map<string, { readonly tries: number; readonly failures: number }>();

  constructor(world: World, links: StoredLinks) {
    this.#world = world;
    this.#links = links;
  }

  /** Those of a group, who came first first; without those whom this person blocked. */
  of(conversationId: string): readonly Waiting[] {
    const { people } = this.#world;
    const all = [...this.#waiting].flatMap(([key, waiting]) => (key.startsWith(`${conversationId}/`) ? waiting : []));
    return all.filter(({ accountId }) => !people.isBlocked(accountId)).toSorted((a, b) => a.seenAtMs - b.seenAtMs);
  }

  /** Reads the inboxes of these links of a group. @throws ClientError */
  async look(state: ConversationState, links: readonly LinkRecord[]): Promise<void> {
    const { platform, store } = this.#world;
    for (const link of links) {
      const held = this.#links.held(state.id, link.linkId);
      if (held === undefined || held.isInboxClosed) continue;
      const keys = await linkKeys(platform, held.seed);
      const items = await inbox.read(this.#world, state.host, keys);
      if (items === undefined) {
        // Another one who has the link closed it, or its time is over there.
        await store.transact("write", (tx) => this.#links.hold(tx, state.id, link.linkId, { ...held, isInboxClosed: true }));
        this.closed(state.id, link.linkId);
        continue;
      }
      const key = keyOf(state.id, link.linkId);
      const before = this.#waiting.get(key) ?? [];
      const found = await this.#sort({ state, link, keys, lookUpsLeft: lookUpsAtOnce }, items, before);
      this.#waiting.set(key, found.waiting);
      await inbox.erase(this.#world, state.host, keys, found.useless);
      for (const seq of found.useless) this.#tries.delete(`${key}/${String(seq)}`);
    }
  }

  /** Somebody was let in, or refused: their knock goes. */
  async done(state: ConversationState, { linkId, accountId, seq }: Waiting): Promise<void> {
    const { platform } = this.#world;
    const key = keyOf(state.id, linkId);
    this.#waiting.set(
      key,
      (this.#waiting.get(key) ?? []).filter((one) => !equalBytes(one.accountId, accountId)),
    );
    const held = this.#links.held(state.id, linkId);
    if (held === undefined) return;
    try {
      await inbox.erase(this.#world, state.host, await linkKeys(platform, held.seed), [seq]);
    } catch (error) {
      // With the next look: who is in the group waits no more.
      if (!(error instanceof ClientError)) throw error;
    }
  }

  /** Nobody waits at this link any more. */
  closed(conversationId: string, linkId: Uint8Array): void {
    this.#waiting.delete(keyOf(conversationId, linkId));
  }

  async #sort(
    look: Look,
    items: readonly { readonly seq: number; readonly blob: Uint8Array }[],
    before: readonly Waiting[],
  ): Promise<{ waiting: readonly Waiting[]; useless: readonly number[] }> {
    const waiting = new Map<string, Waiting>();
    const useless: number[] = [];
    // The newest first: of one account the others go. Those that were tried less often have their turn before the others.
    const tries = (seq: number): number => this.#tries.get(`${keyOf(look.state.id, look.link.linkId)}/${String(seq)}`)?.tries ?? 0;
    for (const { seq, blob } of items.toSorted((a, b) => tries(a.seq) - tries(b.seq) || b.seq - a.seq)) {
      const known = before.find((one) => one.seq === seq);
      const verdict = known ?? (await this.#judge(look, seq, blob));
      if (verdict === "later") continue;
      const other = verdict === "useless" ? undefined : waiting.get(toBase64Url(verdict.accountId));
      if (verdict === "useless" || this.#isSettled(look, verdict.accountId) || (other?.seq ?? 0) > seq) {
        useless.push(seq);
        continue;
      }
      if (other !== undefined) useless.push(other.seq);
      const refused = refusals(look.link, tagOf(this.#world.platform, look.keys, verdict.accountId));
      waiting.set(toBase64Url(verdict.accountId), { ...verdict, refused });
    }
    return { waiting: [...waiting.values()], useless };
  }

  /** Whether nobody has to decide of this account: it is in the group, kept out of it, or was refused too often. */
  #isSettled({ state, link, keys }: Look, accountId: Uint8Array): boolean {
    if (state.opening.settings.keptOut.some((kept) => equalBytes(kept, accountId))) return true;
    if (state.roster?.accounts.has(toBase64Url(accountId)) === true) return true;
    return refusals(link, tagOf(this.#world.platform, keys, accountId)) >= refusalsThatBlock;
  }

  /** What an item is: whether its sender has the link is asked first, and costs nothing but its bytes. */
  async #judge(look: Look, seq: number, blob: Uint8Array): Promise<Waiting | "useless" | "later"> {
    const { platform } = this.#world;
    const { state, link, keys } = look;
    const opened = await openKnock({ platform, host: state.host, keys, blob });
    if (opened === undefined || this.#isSettled(look, opened.item.head.senderAccountId)) return "useless";
    const key = `${keyOf(state.id, link.linkId)}/${String(seq)}`;
    try {
      const contact = await this.#sender(look, opened);
      if (contact === undefined) return "later";
      if (!(await isSignedBy(contact.account, opened.item, platform))) return "useless";
      this.#world.people.keep(contact);
      await this.#world.people.load([contact.accountId]);
      const { senderAccountId, senderDeviceId } = opened.item.head;
      return {
        host: state.host,
        accountId: senderAccountId.slice(),
        deviceId: senderDeviceId.slice(),
        linkId: link.linkId,
        answer: opened.answer,
        seq,
        seenAtMs: platform.nowMs(),
        refused: 0,
      };
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code === "offline" || error.code === "closed") throw error;
      const { tries, failures } = this.#tries.get(key) ?? { tries: 0, failures: 0 };
      const next = { tries: tries + 1, failures: error.canRetry ? failures : failures + 1 };
      this.#tries.set(key, next);
      return next.failures >= maxFailures ? "useless" : "later";
    }
  }

  /** The account that a knock names; `undefined` where so many were looked up already. @throws ClientError */
  async #sender(look: Look, { item }: OpenedKnock): Promise<Contact | undefined> {
    const { directory, store } = this.#world;
    const { senderAccountId: accountId, senderDeviceId: deviceId } = item.head;
    const known = await store.transact("read", (tx) => directory.cached(tx, accountId));
    const isNews = known === undefined || deviceOf(known.account, deviceId) === undefined;
    if (isNews && look.lookUpsLeft === 0) return undefined;
    if (isNews) look.lookUpsLeft--;
    return isNews
      ? await directory.refresh(look.state.host, accountId.slice())
      : await directory.account(look.state.host, accountId.slice());
  }
}

function keyOf(conversationId: string, linkId: Uint8Array): string {
  return `${conversationId}/${toBase64Url(linkId)}`;
}
