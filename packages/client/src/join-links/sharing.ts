import { encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { inboxItemKinds, linkShareCodec } from "@latchkey/protocol";
import { invitersIn } from "../core/join-links.ts";
import { isSameDevice } from "../core/roster.ts";
import type { ConversationState, RosterLeaf } from "../core/types.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import type { LinkRecord } from "./book.ts";
import { maxTold } from "./stored-links.ts";
import type { StoredLinks } from "./stored-links.ts";

/** Devices that are given a link in one look: of the largest groups all have it within half an hour. */
const sharesAtOnce = 64;
/** Devices to which nothing can be sealed, as of people who were away for long, are tried again after so long: else they take all others' turns. */
const unreachedMs = 3_600_000;

/** Gives the links that this person opened to those who have the right to them (spec X-14). */
export class LinkSharing {
  readonly #world: World;
  readonly #links: StoredLinks;
  /** When a device that could not be given a link is tried again. */
  readonly #unreached = new Map<string, number>();

  constructor(world: World, links: StoredLinks) {
    this.#world = world;
    this.#links = links;
  }

  /** Gives what this person opened to the devices that have the right to it and were not given it. */
  async share(state: ConversationState, open: readonly LinkRecord[]): Promise<void> {
    const { own, platform } = this.#world;
    const { roster } = state;
    if (roster === undefined) return;
    let left = sharesAtOnce;
    for (const link of open) {
      const held = this.#links.held(state.id, link.linkId);
      if (held === undefined || !equalBytes(link.accountId, own.accountId)) continue;
      for (const leaf of invitersIn(roster)) {
        if (isSameDevice(leaf, own) || held.told.some((deviceId) => equalBytes(deviceId, leaf.deviceId))) continue;
        const device = toBase64Url(leaf.deviceId);
        if (platform.nowMs() < (this.#unreached.get(device) ?? 0)) continue;
        if (left-- === 0) return;
        await this.#give(state, link, leaf).catch((error: unknown) => {
          // What could not be done now is done with the next look.
          if (!(error instanceof ClientError)) throw error;
          if (error.code !== "offline") this.#unreached.set(device, platform.nowMs() + unreachedMs);
        });
      }
    }
  }

  async #give(state: ConversationState, link: LinkRecord, leaf: RosterLeaf): Promise<void> {
    const { directory, store, posts, own } = this.#world;
    const { host, accountId, deviceId } = leaf;
    const isOwn = equalBytes(accountId, own.accountId);
    const contact = isOwn ? { host, accountId, account: own.account } : await directory.account(host, accountId);
    const { inboxId, inboxKey } = await directory.card(contact, deviceId);
    const held = this.#links.held(state.id, link.linkId);
    if (held === undefined || held.told.length >= maxTold) return;
    const { seed, name } = held;
    const { accountId: by, notAfterMs, maxUses, admitted, refused } = link;
    const { logId } = state;
    const body = encode(linkShareCodec, {
      format: 1,
      host,
      logId,
      seed,
      accountId: by,
      notAfterMs,
      maxUses,
      admitted,
      refused,
      name,
      ext: new Uint8Array(0),
    });
    await store.transact("write", async (tx) => {
      const recipient = { host, accountId, deviceId, inboxId, inboxKey };
      await posts.putItem(tx, { recipient, kind: inboxItemKinds.linkShare, body });
      this.#links.hold(tx, state.id, link.linkId, { ...held, told: [...held.told, deviceId] });
    });
    void posts.deliver();
  }
}
