import { postReplyCodec, postRequestCodec } from "@latchkey/protocol";
import type { PostItem, PostReply, PostRequest } from "@latchkey/protocol";
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
        // Append capabilities (spec I-1) are not given out yet: every item counts as a stranger's.
        this.services.admission.admit("strangerPost", this.connection, request.token);
        this.replyLater(id, this.#post(request), sizeBytes);
        return undefined;
      case "ping":
        this.reply(id, { kind: "done" }, sizeBytes);
        return undefined;
    }
  }

  async #post(item: PostItem): Promise<PostReply> {
    await this.services.inboxes.post(item);
    return { kind: "done" };
  }
}
