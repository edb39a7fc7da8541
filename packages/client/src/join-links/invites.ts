import type { JoinLink, JoinLinkOptions, JoinLinkPreview, OwnKnock, WaitingPerson } from "../api.ts";
import type { DeviceReference } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import type { KeeperAccess, LinkKeeper } from "./keeping.ts";

/** How often the inboxes of one's groups' links are looked at, and how soon after something changed. */
const everyMs = 120_000;
const soonMs = 1000;

/** What join links need of the engine. */
export interface InvitesAccess extends KeeperAccess {
  runners(): readonly ConversationRunner[];
}

/** Join links, from both sides (spec X-14). What it takes is loaded when there is a link: most people never have one. */
export class Invites {
  readonly #world: World;
  readonly #access: InvitesAccess;
  #keeper: Promise<LinkKeeper> | undefined;
  #cancelTimer: () => void = () => undefined;
  /** When the next look is, while one is planned. */
  #dueMs: number | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stop: () => void = () => undefined;
  #isClosed = false;

  constructor(world: World, access: InvitesAccess) {
    this.#world = world;
    this.#access = access;
  }

  /** Looks at what waits, now and from time to time. */
  start(): void {
    const { joinLinks, emit } = this.#world;
    this.#stop = joinLinks.onChange((id) => {
      if (joinLinks.stored === undefined || joinLinks.stored.of(id).length === 0) return;
      emit({ kind: "join_links", conversationId: id });
      this.#plan(soonMs);
    });
    if (this.#hasLinks) this.#plan(soonMs);
  }

  get #hasLinks(): boolean {
    return (this.#world.joinLinks.stored?.groups.length ?? 0) > 0;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    this.#cancelTimer();
    await this.#looking;
  }

  async create(id: string, options: JoinLinkOptions): Promise<JoinLink> {
    return (await this.#kept()).create(id, options);
  }

  async list(id: string): Promise<readonly JoinLink[]> {
    const { stored } = this.#world.joinLinks;
    return stored === undefined || stored.of(id).length === 0 ? [] : (await this.#kept()).list(id);
  }

  async revoke(id: string, linkId: string): Promise<void> {
    await (await this.#kept()).revoke(id, linkId);
  }

  async waiting(id: string): Promise<readonly WaitingPerson[]> {
    return (await this.#kept()).waiting(id);
  }

  async admit(id: string, accountId: string): Promise<void> {
    await (await this.#kept()).admit(id, accountId);
  }

  async refuse(id: string, accountId: string): Promise<void> {
    await (await this.#kept()).refuse(id, accountId);
  }

  async read(link: string): Promise<JoinLinkPreview> {
    return (await import("./knocking.ts")).previewOf(link);
  }

  async knock(link: string): Promise<OwnKnock> {
    return (await import("./knocking.ts")).knockAt(this.#world, link);
  }

  async knocks(): Promise<readonly OwnKnock[]> {
    return (await import("./knocking.ts")).ownKnocks(this.#world);
  }

  async withdraw(linkId: string): Promise<void> {
    await (await import("./knocking.ts")).withdrawKnock(this.#world, linkId);
  }

  /** Whether somebody may answer a knock of this person: else nobody's answer is looked at. */
  get isKnocking(): boolean {
    return (this.#world.joinLinks.stored?.knocks.length ?? 0) > 0;
  }

  /** Somebody's answer to a knock; its signature was verified. */
  async takeAdmission(sender: DeviceReference, body: Uint8Array): Promise<void> {
    await (await import("./knocking.ts")).takeAdmission(this.#world, sender, body);
  }

  /** A link that another device gave to this one; its signature was verified. @throws ClientError */
  async takeShare(sender: DeviceReference, body: Uint8Array): Promise<void> {
    await (await import("./knocking.ts")).takeShare(this.#world, { runners: this.#access.runners(), sender, body });
  }

  #kept(): Promise<LinkKeeper> {
    this.#keeper ??= import("./keeping.ts").then(
      async (module) => new module.LinkKeeper(this.#world, await this.#world.joinLinks.open(), this.#access),
    );
    return this.#keeper;
  }

  /** What is planned sooner stays: a look that ends puts none off that was asked for meanwhile. */
  #plan(delayMs: number): void {
    const { platform } = this.#world;
    const dueMs = platform.nowMs() + delayMs;
    if (this.#isClosed || (this.#dueMs !== undefined && this.#dueMs <= dueMs)) return;
    this.#cancelTimer();
    this.#dueMs = dueMs;
    this.#cancelTimer = platform.setTimer(delayMs, () => {
      this.#dueMs = undefined;
      this.#looking = this.#looking.then(() => this.#lookAll());
    });
  }

  async #lookAll(): Promise<void> {
    for (const id of this.#world.joinLinks.stored?.groups ?? []) {
      if (this.#isClosed) return;
      try {
        await (await this.#kept()).look(id);
      } catch {
        // The server, the store, or what somebody put into one link: it holds up no other, and is looked at again.
      }
    }
    if (this.#hasLinks) this.#plan(everyMs);
  }
}
