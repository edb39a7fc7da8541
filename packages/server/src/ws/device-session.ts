import { encode, equalBytes } from "@latchkey/codec";
import { connectTbsCodec, deviceReplyCodec, deviceRequestCodec } from "@latchkey/protocol";
import type { Connect, DeviceReply, DeviceRequest, PublishAccount } from "@latchkey/protocol";
import { costOf } from "../admission/fair-queue.ts";
import { Refusal } from "../errors.ts";
import type { InboxSink, InboxStream } from "../inboxes/inbox-service.ts";
import type { KeyPackageCounts, StoredItem } from "../store/store.ts";
import type { Connection } from "./connection.ts";
import { RoleSession, pageCost } from "./role-session.ts";
import type { Services } from "./services.ts";
import { dayMs } from "../days.ts";

/** Who is connected, once proven. */
interface Identity {
  readonly accountId: Uint8Array;
  readonly deviceId: Uint8Array;
}

const noExt = new Uint8Array();
const itemOverheadBytes = 64;

/** Role `device`: a device and what is its own. Before `connect` it may make or change an account, which its signatures allow. */
export class DeviceSession extends RoleSession<DeviceRequest, DeviceReply> implements InboxSink {
  readonly #nonce: Uint8Array;
  #identity: Identity | undefined;
  #stream: InboxStream | undefined;
  #afterReply: (() => void) | undefined;

  constructor(services: Services, connection: Connection, nonce: Uint8Array) {
    super({ services, connection, requests: deviceRequestCodec, replies: deviceReplyCodec });
    this.#nonce = nonce;
  }

  /** Requests are handled one after the other: each may depend on the one before. */
  protected async handle(id: number, request: DeviceRequest, sizeBytes: number): Promise<void> {
    // A publication takes its time: others need not wait for it.
    const cost = request.kind === "read_history_chunk" ? pageCost : costOf(sizeBytes);
    const answer = request.kind === "publish" ? this.#answer(request) : this.inTurn(cost, () => this.#answer(request));
    this.reply(id, await answer, sizeBytes);
    this.#afterReply?.();
    this.#afterReply = undefined;
    this.#stream?.wake();
  }

  get isWritable(): boolean {
    return this.connection.isWritable;
  }

  page<T>(read: () => Promise<T>): Promise<T> {
    return this.inTurn(pageCost, read);
  }

  item(item: StoredItem): void {
    this.connection.send(this.encodeEvent({ kind: "item", ...item }, item.blob.length + itemOverheadBytes));
  }

  lost(error?: unknown): void {
    this.endStream(error);
  }

  override drained(): void {
    this.#stream?.wake();
  }

  override closed(): void {
    super.closed();
    this.#detach();
    this.services.directory.releaseReservations(this);
    if (this.#identity !== undefined) this.services.devices.remove({ ...this.#identity, connection: this.connection });
  }

  async #answer(request: DeviceRequest): Promise<DeviceReply> {
    const { directory, admission, inboxes } = this.services;
    switch (request.kind) {
      case "reserve": {
        admission.admit("register", this.connection);
        if (this.services.disk.isLow) throw new Refusal("storage_full");
        return { kind: "reserved", untilMs: await directory.reserve({ ...request, owner: this }) };
      }
      case "publish":
        return this.#publish(request);
      case "connect":
        return this.#connect(request);
      case "card": {
        const inboxId = await directory.putCard({ ...this.#known(), card: request.card });
        if (this.#stream !== undefined && !equalBytes(this.#stream.inboxId, inboxId)) this.#detach();
        return { kind: "done" };
      }
      case "publish_key_packages": {
        const { lastResort, notAfterMs, keyPackages } = request;
        return countsReply(await directory.publishKeyPackages({ ...this.#known(), lastResort, notAfterMs, keyPackages }));
      }
      case "count_key_packages":
        return countsReply(await directory.countKeyPackages(this.#known()));
      case "read_inbox": {
        const inboxId = await directory.inboxOf(this.#known());
        if (inboxId === undefined) throw new Refusal("not_found");
        this.#detach();
        const stream = await inboxes.read({ inboxId, afterSeq: request.afterSeq, sink: this });
        // The connection may have ended meanwhile.
        if (this.isClosed) inboxes.detach(stream);
        else this.#stream = stream;
        return { kind: "done" };
      }
      case "erase_inbox": {
        const inboxId = await directory.inboxOf(this.#known());
        if (inboxId === undefined) throw new Refusal("not_found");
        await inboxes.erase({ inboxId, uptoSeq: request.uptoSeq });
        return { kind: "done" };
      }
      case "set_inbox_capability": {
        const inboxId = await directory.inboxOf(this.#known());
        if (inboxId === undefined) throw new Refusal("not_found");
        const { generation, hash } = request;
        return { kind: "inbox_capability", generation: await inboxes.setCapability({ inboxId, generation, hash }) };
      }
      case "issue_tokens":
        return { kind: "tokens", ...(await this.services.tokens.issue(this.#known().accountId, request.blinded)) };
      case "begin_passphrase": {
        const asker = { accountId: this.#known().accountId, nonce: this.#nonce };
        return { kind: "passphrase_begun", response: await this.services.passphrases.begin(asker, request.signed) };
      }
      case "set_passphrase":
        await this.services.passphrases.set({ accountId: this.#known().accountId, nonce: this.#nonce }, request.signed);
        return { kind: "done" };
      case "clear_passphrase":
        await this.services.passphrases.clear(this.#known().accountId);
        return { kind: "done" };
      case "passphrase_status":
        return { kind: "passphrase_status", ...(await this.services.passphrases.status(this.#known().accountId)) };
      case "inspect": {
        const { accountId } = this.#known();
        return { kind: "holdings", ticket: this.services.holdings.ticket(accountId) };
      }
      case "read_history_manifest":
        return { kind: "history_manifest", ...(await this.services.histories.manifest(this.#known().accountId)) };
      case "read_history_chunk":
        return { kind: "history_chunk", chunk: await this.services.histories.chunk(this.#known().accountId, request) };
      case "put_history_chunk":
        await this.services.histories.putChunk(this.#known().accountId, request, this.connection);
        return { kind: "done" };
      case "put_history_manifest":
        await this.services.histories.putManifest(this.#known().accountId, request, this.connection);
        return { kind: "done" };
      case "erase_history":
        await this.services.histories.erase(this.#known().accountId);
        return { kind: "done" };
      case "ping":
        return { kind: "done" };
    }
  }

  async #publish(request: PublishAccount): Promise<DeviceReply> {
    const { directory, devices, passphrases } = this.services;
    const { accountId, deviceIds, version, proof, isRecoveryKeyNew } = await directory.publish(request, this);
    // It leads to a recovery phrase that is none any more (spec A-12).
    if (isRecoveryKeyNew) await passphrases.clear(accountId);
    // Who takes its own device out, or deletes the account, still gets the proof of it.
    this.#afterReply = () => {
      devices.keepOnly({ accountId, version }, deviceIds);
      this.services.bus.publish({ kind: "account", accountId });
    };
    return { kind: "published", version, proof };
  }

  async #connect(request: Connect): Promise<DeviceReply> {
    const { directory, devices, context } = this.services;
    if (this.#identity !== undefined) throw new Refusal("not_allowed_here");
    const accountId = request.accountId.slice();
    const deviceId = request.deviceId.slice();
    const content = encode(connectTbsCodec, {
      format: 1,
      host: context.host,
      accountId,
      deviceId,
      nonce: this.#nonce,
      role: "device",
      ext: noExt,
    });
    const { state } = await directory.authenticate(request, content);
    if (this.isClosed) throw new Refusal("unauthenticated");
    this.#identity = { accountId, deviceId };
    devices.add({ accountId, version: state.version, deviceId, connection: this.connection });
    this.services.bus.publish({ kind: "device", accountId, deviceId });
    return { kind: "done" };
  }

  #known(): Identity {
    if (this.#identity === undefined) throw new Refusal("unauthenticated");
    return this.#identity;
  }

  #detach(): void {
    if (this.#stream !== undefined) this.services.inboxes.detach(this.#stream);
    this.#stream = undefined;
  }
}

function countsReply(counts: KeyPackageCounts): DeviceReply {
  return { kind: "key_packages", oneTime: counts.oneTime, lastResortNotAfterMs: counts.lastResortNotAfterDay * dayMs };
}
