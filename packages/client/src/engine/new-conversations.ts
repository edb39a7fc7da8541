import { equalBytes, toBase64Url } from "@latchkey/codec";
import type { Contact } from "../account/contacts.ts";
import { defaultSuite } from "../account/key-packages.ts";
import type { Conversation } from "../api.ts";
import { createConversation } from "../core/begin.ts";
import { isWritable } from "../core/phase.ts";
import type { Joiner, WantedChange } from "../core/types.ts";
import { ClientError } from "../errors.ts";
import { cleanName } from "../names/clean.ts";
import { createMutex } from "../store/mutex.ts";
import { addition } from "./addition.ts";
import type { Addresses } from "./addresses.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import type { Conversations } from "./conversations.ts";
import type { DirectConversations } from "./direct-conversations.ts";
import { groupNameOf } from "./group-changes.ts";
import { requireUnblocked, requireWritable } from "./writable.ts";
import { contextOf } from "./world.ts";
import type { World } from "./world.ts";

/** What making conversations needs of the engine. */
export interface NewConversationsAccess {
  readonly conversations: Conversations;
  readonly directs: DirectConversations;
  readonly addresses: Addresses;
  /** The other devices of one's own, which come along. */
  ownJoiners(): Promise<readonly Joiner[]>;
  /** Deals with what waits of an account that was accepted. */
  finishRequest(accountId: string): Promise<void>;
}

/** Makes conversations: those that the person starts, and what is made where one is written into that nobody reads any more. */
export class NewConversations {
  readonly #world: World;
  readonly #access: NewConversationsAccess;
  readonly #starting = createMutex();

  constructor(world: World, access: NewConversationsAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** One after the other: two clicks do not make two conversations. @throws ClientError as the API says */
  start(params: { to: readonly string[]; name?: string }): Promise<Conversation> {
    return this.#starting.run(() => this.#start(params));
  }

  async #start(params: { to: readonly string[]; name?: string }): Promise<Conversation> {
    const { own } = this.#world;
    const { conversations, directs, addresses } = this.#access;
    const contacts = await addresses.resolveAll(params.to);
    const others = contacts.filter((contact) => !equalBytes(contact.accountId, own.accountId));
    const isDirect = others.length <= 1 && cleanName(params.name ?? "") === "";
    const name = isDirect ? "" : groupNameOf(params.name ?? "");
    if (contacts.length === 0) throw new ClientError("invalid_address", "Say with whom.");
    await this.acceptWritten(others);
    const peer = isDirect ? (others[0]?.accountId ?? own.accountId) : undefined;
    if (peer !== undefined) {
      for (const known of directs.with(peer)) {
        if (!(await directs.isDeserted(known))) return conversations.shown(known);
      }
    }
    const change = await addition(this.#world, others, await this.#access.ownJoiners());
    const kind = isDirect ? "direct" : "group";
    const runner = await this.#create({ kind, name, peer, change: change.adds.length === 0 ? undefined : change });
    // The other person's may have come while this one was made.
    await directs.settle(runner);
    return conversations.shown(conversations.inPlaceOf(runner.id));
  }

  /** Makes the group of the account's devices. */
  async createDevicesGroup(change: WantedChange): Promise<void> {
    await this.#create({ kind: "devices", name: "", peer: undefined, change });
  }

  async #create(params: Pick<Parameters<typeof createConversation>[1], "kind" | "name" | "peer" | "change">): Promise<ConversationRunner> {
    const { own, platform } = this.#world;
    const logId = platform.random(32);
    const context = contextOf(this.#world, toBase64Url(logId));
    const created = await createConversation(context, { ...params, logId, host: own.host, suiteId: defaultSuite });
    return await this.#access.conversations.begin(created.state, created.effects);
  }

  /** Whom the person writes to first, or adds, is accepted. @throws ClientError `blocked` */
  async acceptWritten(contacts: readonly Contact[]): Promise<void> {
    const accountIds = contacts.map(({ accountId }) => accountId);
    requireUnblocked(this.#world.people, accountIds);
    await this.#world.standings.accept(accountIds);
    // What they sent before joins first: so a conversation with them that is there is found.
    for (const accountId of accountIds) await this.#access.finishRequest(toBase64Url(accountId));
  }

  /** Where what is written into a conversation goes. @throws ClientError */
  async forWriting(id: string): Promise<ConversationRunner> {
    const { conversations } = this.#access;
    const { peer } = conversations.required(id).state;
    if (peer !== undefined) requireUnblocked(this.#world.people, [peer]);
    const runner = await this.#inhabited(conversations.inPlaceOf(id));
    await runner.load();
    requireWritable(runner.state);
    return runner;
  }

  /** Where the other person of a direct conversation has no device any more, one that reaches them is made in its place. */
  async #inhabited(runner: ConversationRunner): Promise<ConversationRunner> {
    const { conversations, directs } = this.#access;
    const { peer } = runner.state;
    if (peer === undefined || !isWritable(runner.state) || !(await directs.isDeserted(runner))) return runner;
    const { id } = await this.start({ to: [this.#world.people.person(peer).address] });
    return conversations.inPlaceOf(id);
  }
}
