import { CodecError, decode, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { forkNoticeCodec, inboxItemKinds, maxForkNoticeHeads } from "@latchkey/protocol";
import type { ForkNotice } from "@latchkey/protocol";
import { loadHead } from "../core/load-records.ts";
import type { ConversationState, RosterLeaf } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import type { Watched, World } from "./world.ts";

const prefix = "fork-notice/";

/** So long after a member's notice nobody tells the same again. */
const toldAgainMs = 3_600_000;

/**
 * Tells the other members of a conversation that they were shown another log (spec L-11): by their inboxes, since on two branches they
 * cannot read each other. What is to be told waits in the store until every member has it, or until one of them was faster: a group
 * needs one notice. It is no more than a reason to look at the published head, which each of them does by itself at least daily.
 */
export class ForkNotices {
  readonly #world: World;
  /** When a member's device told of each conversation. */
  readonly #heard = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Puts the notice down, for `send` to bring it to the others. */
  async put(state: ConversationState): Promise<void> {
    const { host, logId, chain } = state;
    const heardAtMs = this.#heard.get(state.id);
    if (heardAtMs !== undefined && this.#world.platform.nowMs() - heardAtMs < toldAgainMs) return;
    const others = this.#others(state);
    if (others.length === 0) return;
    const heads = await this.#headsOf(state);
    const notice: ForkNotice = { format: 1, host, logId, lastSeq: chain.seq, heads, ext: new Uint8Array(0) };
    const body = encode(forkNoticeCodec, notice);
    await this.#world.store.transact("write", (tx) => {
      for (const leaf of others) tx.put(`${prefix}${state.id}/${toBase64Url(leaf.deviceId)}`, body);
    });
  }

  /** The last heads that this device saw, as far back as a notice holds and nothing is missing. */
  async #headsOf({ id, chain, recentHeads, joinedSeq }: ConversationState): Promise<readonly Uint8Array[]> {
    const heads = recentHeads.slice(-maxForkNoticeHeads);
    await this.#world.store.transact("read", async (tx) => {
      while (heads.length < maxForkNoticeHeads && chain.seq - heads.length >= joinedSeq) {
        const older = await loadHead(tx, id, chain.seq - heads.length);
        if (older === undefined) return;
        heads.unshift(older);
      }
    });
    return heads;
  }

  /** Sends what waits for members of these conversations. */
  async send(states: Iterable<ConversationState>): Promise<void> {
    const { store, directory, posts } = this.#world;
    for (const state of states) {
      const waiting = await store.transact("read", (tx) => tx.scan({ prefix: `${prefix}${state.id}/` }));
      for (const [key, body] of waiting) {
        const leaf = this.#others(state).find((other) => key.endsWith(`/${toBase64Url(other.deviceId)}`));
        try {
          if (leaf !== undefined) {
            const contact = await directory.account(leaf.host, leaf.accountId);
            const { inboxId, inboxKey } = await directory.card(contact, leaf.deviceId);
            const recipient = { host: leaf.host, accountId: leaf.accountId, deviceId: leaf.deviceId, inboxId, inboxKey };
            await store.transact("write", async (tx) => {
              await posts.putItem(tx, { recipient, kind: inboxItemKinds.forkNotice, body });
              tx.delete(key);
            });
          } else await store.transact("write", (tx) => tx.delete(key));
        } catch (error) {
          // Tried again with the next connection, unless that device cannot be reached at all; the others' do not wait for it (spec E-18).
          if (!(error instanceof ClientError) || !error.canRetry) await store.transact("write", (tx) => tx.delete(key));
        }
      }
    }
    void posts.deliver();
  }

  /** A notice that a device sealed to this one; its signature was verified. */
  async take(sender: { accountId: Uint8Array; deviceId: Uint8Array }, body: Uint8Array, runners: Iterable<Watched>): Promise<void> {
    const notice = parse(body);
    if (notice === undefined) return;
    for (const runner of runners) {
      if (!equalBytes(runner.state.logId, notice.logId) || runner.state.host !== notice.host) continue;
      await runner.load();
      const isMember = this.#others(runner.state).some(
        (leaf) => equalBytes(leaf.accountId, sender.accountId) && equalBytes(leaf.deviceId, sender.deviceId),
      );
      if (!isMember) continue;
      const { lastSeq, heads } = notice;
      const device = { accountId: sender.accountId, deviceId: sender.deviceId };
      await this.#hear(runner.id);
      await runner.input({ kind: "fork_notice", device, lastSeq, heads: heads.map((head) => head.slice()) });
    }
  }

  /** One of the others tells everybody: what waits here need not be told. */
  async #hear(id: string): Promise<void> {
    const { store, platform } = this.#world;
    this.#heard.set(id, platform.nowMs());
    await store.transact("write", async (tx) => {
      for (const [key] of await tx.scan({ prefix: `${prefix}${id}/` })) tx.delete(key);
    });
  }

  #others(state: ConversationState): readonly RosterLeaf[] {
    const { own } = this.#world;
    return [...(state.roster?.leaves.values() ?? [])].filter((leaf) => !equalBytes(leaf.accountId, own.accountId));
  }
}

function parse(body: Uint8Array): ForkNotice | undefined {
  try {
    return decode(forkNoticeCodec, body);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
