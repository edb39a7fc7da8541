import { postReplyCodec, postRequestCodec } from "@latchkey/protocol";
import type { PostItem, PostReply, PostRequest } from "@latchkey/protocol";
import { costOf } from "../admission/fair-queue.ts";
import { Refusal } from "../errors.ts";
import { isNoCapability } from "../inboxes/inbox-service.ts";
import type { Connection } from "./connection.ts";
import { RoleSession } from "./role-session.ts";
import type { Handled } from "./role-session.ts";
import type { Services } from "./services.ts";

/** Role `post`: puts sealed items into other people's inboxes; nothing here knows who is connected (spec C-5). */
export class PostSession extends RoleSession<PostRequest, PostReply> {
  constructor(services: Services, connection: Connection) {
    super({ services, connection, requests: postRequestCodec, replies: postReplyCodec });
  }

  protected handle(id: number, request: PostRequest, sizeBytes: number): Handled {
    switch (request.kind) {
      case "post":
        // Before the store is asked: whoever shows a capability costs a read of it.
        this.services.admission.admit(isNoCapability(request.capability) ? "strangerPost" : "contactPost", this.connection, request.token);
        this.replyInTurn(id, costOf(sizeBytes), () => this.#post(request), sizeBytes);
        return undefined;
      case "ping":
        this.reply(id, { kind: "done" }, sizeBytes);
        return undefined;
    }
  }

  async #post(item: PostItem): Promise<PostReply> {
    const { admission, disk, inboxes, targets } = this.services;
    const part = await inboxes.partOf(item);
    // A wrong capability is as good as none.
    if (part === "strangers" && !isNoCapability(item.capability)) admission.admit("strangerPost", this.connection, item.token);
    if (part === "strangers" && disk.isLow) throw new Refusal("storage_full");
    targets.post(part, item.inboxId, this.connection);
    admission.admit("storeBytes", this.connection, item.token, item.blob.length);
    await inboxes.post({ ...item, part });
    return { kind: "done" };
  }
}
