import { postReplyCodec, postRequestCodec } from "@latchkey/protocol";
import type { OpenLinkInbox, PostItem, PostKnock, PostReply, PostRequest } from "@latchkey/protocol";
import { costOf } from "../admission/fair-queue.ts";
import { Refusal } from "../errors.ts";
import { isNoCapability } from "../inboxes/inbox-service.ts";
import type { Connection } from "./connection.ts";
import { RoleSession } from "./role-session.ts";
import type { Handled } from "./role-session.ts";
import type { Services } from "./services.ts";

/** Units of the store's turns of a page of knocks, as `costOf` counts. */
const pageOfKnocksCost = 57;

/** A wake token whose device its push service does not know counts as so many: they cost nothing to make up. */
const badWakeCost = 20;

/** Role `post`: puts sealed items into other people's inboxes and those of links; nothing here knows who is connected (spec C-5). */
export class PostSession extends RoleSession<PostRequest, PostReply> {
  constructor(services: Services, connection: Connection) {
    super({ services, connection, requests: postRequestCodec, replies: postReplyCodec });
  }

  protected handle(id: number, request: PostRequest, sizeBytes: number): Handled {
    switch (request.kind) {
      case "post":
        // Before the store is asked: whoever shows a capability costs a read of it.
        this.services.admission.admit(isNoCapability(request.capability) ? "strangerPost" : "contactPost", this.connection);
        this.replyInTurn(id, costOf(sizeBytes), () => this.#post(request), sizeBytes);
        return undefined;
      case "ping":
        this.reply(id, { kind: "done" }, sizeBytes);
        return undefined;
      case "wake":
        this.services.admission.admit("wake", this.connection);
        this.reply(id, { kind: "done" }, sizeBytes);
        setImmediate(() => this.#wake(request.token));
        return undefined;
      case "open_link_inbox":
        // It makes a place that anybody may fill, as a log does.
        this.services.admission.admit("createLog", this.connection);
        this.replyInTurn(id, costOf(sizeBytes), () => this.#open(request), sizeBytes);
        return undefined;
      case "knock":
        this.services.admission.admit("strangerPost", this.connection);
        this.replyInTurn(id, costOf(sizeBytes), () => this.#knock(request), sizeBytes);
        return undefined;
      default:
        this.services.admission.admit("lookup", this.connection);
        this.replyInTurn(id, request.kind === "read_knocks" ? pageOfKnocksCost : costOf(sizeBytes), () => this.#ofLink(request), sizeBytes);
        return undefined;
    }
  }

  /** After the answer, which says nothing of it, not even by how long it takes. */
  #wake(token: Uint8Array): void {
    this.services.wakes.wake(token, () => {
      try {
        this.services.admission.admit("wake", this.connection, badWakeCost);
      } catch (error) {
        // They have none left: the next one is refused.
        if (!(error instanceof Refusal)) throw error;
      }
    });
  }

  async #open(request: OpenLinkInbox): Promise<PostReply> {
    if (this.services.disk.isLow) throw new Refusal("storage_full");
    const { token, linkId: target } = request;
    const spent = await this.services.tokens.redeem({ token, operation: "link_inbox", target, source: this.connection });
    await this.services.linkInboxes.open({ ...request, spent });
    return { kind: "done" };
  }

  async #knock(request: PostKnock): Promise<PostReply> {
    const { admission, disk, linkInboxes, targets, tokens } = this.services;
    if (disk.isLow) throw new Refusal("storage_full");
    targets.post("strangers", request.linkId, this.connection);
    admission.admit("storeBytes", this.connection, request.blob.length);
    const { token, linkId: target } = request;
    const spent = await tokens.redeem({ token, operation: "knock", target, source: this.connection });
    await linkInboxes.knock({ ...request, spent });
    return { kind: "done" };
  }

  async #ofLink(
    request: Extract<PostRequest, { kind: "take_link_key" | "read_knocks" | "erase_knocks" | "close_link_inbox" }>,
  ): Promise<PostReply> {
    const { linkInboxes } = this.services;
    switch (request.kind) {
      case "take_link_key":
        return { kind: "link_key", key: await linkInboxes.key(request.linkId) };
      case "read_knocks":
        return { kind: "knocks", ...(await linkInboxes.read(request)) };
      case "erase_knocks":
        await linkInboxes.erase(request);
        return { kind: "done" };
      case "close_link_inbox":
        await linkInboxes.close(request);
        return { kind: "done" };
    }
  }

  async #post(item: PostItem): Promise<PostReply> {
    const { admission, disk, inboxes, targets, tokens } = this.services;
    const part = await inboxes.partOf(item);
    // A wrong capability is as good as none.
    if (part === "strangers" && !isNoCapability(item.capability)) admission.admit("strangerPost", this.connection);
    if (part === "strangers" && disk.isLow) throw new Refusal("storage_full");
    targets.post(part, item.inboxId, this.connection);
    admission.admit("storeBytes", this.connection, item.blob.length);
    const { token, inboxId: target } = item;
    const costs = part === "strangers";
    const spent = costs ? await tokens.redeem({ token, operation: "stranger_post", target, source: this.connection }) : undefined;
    await inboxes.post({ ...item, part, spent });
    return { kind: "done" };
  }
}
