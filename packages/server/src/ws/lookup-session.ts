import { lookupReplyCodec, lookupRequestCodec } from "@latchkey/protocol";
import type { LookupReply, LookupRequest } from "@latchkey/protocol";
import { Refusal } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { RoleSession } from "./role-session.ts";
import type { Handled } from "./role-session.ts";
import type { Services } from "./services.ts";

const noToken = new Uint8Array();

/** Role `lookup`: the directory and other people's key packages; nothing here knows who asks (spec C-5). */
export class LookupSession extends RoleSession<LookupRequest, LookupReply> {
  constructor(services: Services, connection: Connection) {
    super({ services, connection, requests: lookupRequestCodec, replies: lookupReplyCodec });
  }

  protected handle(id: number, request: LookupRequest, sizeBytes: number): Handled {
    this.replyLater(id, this.#answer(request), sizeBytes);
    return undefined;
  }

  async #answer(request: LookupRequest): Promise<LookupReply> {
    const { directory, admission } = this.services;
    switch (request.kind) {
      case "lookup_username":
        admission.admit("lookup", this.connection, noToken);
        return { kind: "account", ...(await directory.lookupUsername(request.username, request.fromVersion)) };
      case "lookup_account":
        admission.admit("lookup", this.connection, noToken);
        return { kind: "account", ...(await directory.lookupAccount(request.accountId, request.fromVersion)) };
      case "take_key_package":
        admission.admit("takeKeyPackage", this.connection, request.token);
        return { kind: "key_package", ...(await directory.takeKeyPackage(request)) };
      case "lookup_card":
        admission.admit("lookup", this.connection, noToken);
        throw new Refusal("not_found");
      case "check_username":
        admission.admit("lookup", this.connection, noToken);
        return { kind: "availability", reason: await directory.availability(request.username) };
      case "ping":
        return { kind: "done" };
    }
  }
}
