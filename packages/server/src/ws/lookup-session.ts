import { lookupReplyCodec, lookupRequestCodec } from "@latchkey/protocol";
import type { LookupReply, LookupRequest, TakeKeyPackage } from "@latchkey/protocol";
import type { Connection } from "./connection.ts";
import { RoleSession } from "./role-session.ts";
import type { Handled } from "./role-session.ts";
import type { Services } from "./services.ts";

/** Units of the store's turns, as `costOf` counts: some 64 KiB. */
const answerCost = 16;

/** Role `lookup`: the directory and other people's key packages; nothing here knows who asks (spec C-5). */
export class LookupSession extends RoleSession<LookupRequest, LookupReply> {
  constructor(services: Services, connection: Connection) {
    super({ services, connection, requests: lookupRequestCodec, replies: lookupReplyCodec });
  }

  protected handle(id: number, request: LookupRequest, sizeBytes: number): Handled {
    // Answers are large: histories and proofs.
    this.replyInTurn(id, answerCost, () => this.#answer(request), sizeBytes);
    return undefined;
  }

  async #takeKeyPackage(request: TakeKeyPackage): Promise<LookupReply> {
    const { directory, targets, tokens } = this.services;
    const { token: bytes, deviceId: target } = request;
    const token =
      bytes.length === 0 && (await tokens.isAsked())
        ? "none"
        : await tokens.redeem({ token: bytes, operation: "key_package", target, source: this.connection });
    const sparedMs = targets.sparedMs(request.deviceId, this.connection);
    return { kind: "key_package", ...(await directory.takeKeyPackage({ ...request, sparedMs, token })) };
  }

  async #answer(request: LookupRequest): Promise<LookupReply> {
    const { directory, admission } = this.services;
    switch (request.kind) {
      case "lookup_username":
        admission.admit("lookup", this.connection);
        return directory.lookupUsername({
          ...request,
          admit: () => admission.admit("proveAbsence", this.connection),
        });
      case "lookup_account":
        admission.admit("lookup", this.connection);
        return directory.lookupAccount({
          accountId: request.accountId,
          fromVersion: request.fromVersion,
          accountValues: request.accountValues,
          nameValues: request.nameValues,
          knownSize: request.knownSize,
        });
      case "take_key_package":
        admission.admit("takeKeyPackage", this.connection);
        return this.#takeKeyPackage(request);
      case "lookup_card":
        admission.admit("lookup", this.connection);
        return { kind: "card", card: await directory.card(request) };
      case "lookup_operator":
        admission.admit("lookup", this.connection);
        // Where nobody was ever woken there are no keys for it.
        if (request.name === "wake") await this.services.wakes.published();
        return { kind: "operator_value", ...(await this.services.operatorLabels.lookup(request)) };
      case "try_passphrase":
        admission.admit("tryPassphrase", this.connection);
        return { kind: "passphrase_challenge", ...(await this.services.passphrases.try(request)) };
      case "open_passphrase":
        admission.admit("lookup", this.connection);
        return { kind: "sealed_phrase", sealed: await this.services.passphrases.open(request) };
      case "check_username":
        admission.admit("lookup", this.connection);
        return { kind: "availability", reason: await directory.availability(request.username) };
      case "ping":
        return { kind: "done" };
    }
  }
}
