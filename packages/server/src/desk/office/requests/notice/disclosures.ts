import { decode, fromBase64Url } from "@latchkey/codec";
import { encodeReceipts, receiptRecord } from "@latchkey/counts";
import { decodeManifest } from "@latchkey/releases";
import type { DeskNotice } from "@latchkey/reports";
import { accountStateCodec, signedCodec } from "@latchkey/transparency";
import type { RequestNotice } from "@latchkey/protocol/desk";
import { dayMs } from "../../../../days.ts";
import type { DeskSecrets } from "../../desk-keys.ts";
import { sealNotice } from "../../notices.ts";
import { Rounds } from "../../rounds.ts";
import { random } from "../../tellings.ts";
import type { OfficeWorld } from "../../world.ts";
import type { PackageTable } from "../release/package-table.ts";
import type { StoredRequest } from "../request-body.ts";
import { receiptsOf, record } from "../request-office.ts";
import type { RequestPart, RequestParts } from "../request-office.ts";
import { disclosureOf } from "./disclosure.ts";
import { noticeDueMs } from "./due.ts";
import type { NoticeTable, StoredNotice } from "./notice-table.ts";

/** Items in inboxes go after 30 days: who was away longer is told again, for half a year. */
const againMs: number = 28 * dayMs;
const toldForMs: number = 184 * dayMs;

/** What notices are given with. */
export interface DisclosureParts extends RequestParts {
  readonly notices: NoticeTable;
  readonly packages: PackageTable;
  readonly secrets: DeskSecrets;
  readonly tell: Pick<OfficeWorld, "cardsOf" | "postNotice" | "statesOf">;
  nowMs(): number;
  /** Whether the clock is in doubt. */
  isDoubted(): boolean;
  reportBug(error: unknown): void;
}

/**
 * Tells people what was given out about them (rule F-8), where it is on the server to do so and nothing forbids it any more: by itself, two
 * days after a secrecy ended, on each of their devices.
 *
 *     released --secrecy ends, and two days--> told, again every four weeks for half a year
 *                                         `--> nobody is there any more: cannot
 */
export class Disclosures {
  readonly #parts: DisclosureParts;
  /** When they are given. */
  readonly rounds: Rounds;
  /** What the rest of the desk tells it. */
  readonly part: RequestPart;

  constructor(parts: DisclosureParts) {
    this.#parts = parts;
    this.rounds = new Rounds(() => this.#tellAll(), parts.reportBug);
    const { notices } = parts;
    this.part = {
      happened: ({ kind, request, nowMs }) => {
        if (kind === "released" && request.body.type.notice === "us") this.#add(request);
        if (kind === "secrecy") notices.setEnded(request.number, request.body.intake.secrecy.kind === "none" ? nowMs : undefined);
        if (kind === "erased") notices.erase(request.number);
        // After the act's transaction: told is what was written down.
        if (kind === "released" || kind === "secrecy") queueMicrotask(() => this.rounds.wake());
      },
      notice: (request) => this.#shown(request),
      keeps: ({ number }) =>
        notices.of(number).some(({ state, isAgain }) => state === "waits" || isAgain) ||
        // Its secrecy is over, or it is not: whoever waits for that has to be able to ask.
        parts.packages.releasedOf(number).some((other) => notices.of(other).some(({ state }) => state === "waits")),
    };
  }

  #add(request: StoredRequest): void {
    const { notices, packages } = this.#parts;
    const pack = packages.get(request);
    if (pack === undefined) return;
    const ended = this.#endedMs(request);
    for (const { name, kind } of decodeManifest(pack.manifest).files) {
      if (kind === "holdings") notices.add({ number: request.number, file: name, noticeId: random(16), endedMs: ended });
    }
  }

  #shown(request: StoredRequest): RequestNotice | undefined {
    const { type } = request.body;
    const found = this.#parts.notices.of(request.number);
    const owner = type.notice;
    if (owner !== "us" || found.length === 0) return undefined;
    const waiting = found.find(({ state }) => state === "waits");
    if (waiting !== undefined) {
      const dueMs = this.#dueMs(request, waiting);
      return { owner, state: dueMs === undefined ? "waits" : "goes", ...(dueMs === undefined ? {} : { atMs: dueMs }) };
    }
    const sentMs = found.find(({ state }) => state === "sent")?.sentMs;
    return sentMs === undefined ? { owner, state: "cannot" } : { owner, state: "sent", atMs: sentMs };
  }

  /** When a secrecy was taken back: it may still be extended then. */
  #endedMs(request: StoredRequest): number | undefined {
    if (request.body.intake.secrecy.kind !== "none") return undefined;
    return this.#parts.requests.events(request).findLast(({ kind }) => kind === "secrecy")?.atMs;
  }

  #dueMs(request: StoredRequest, { endedMs }: StoredNotice): number | undefined {
    const { packages, requests } = this.#parts;
    const pack = packages.get(request);
    const releasedMs = pack?.released?.atMs;
    if (releasedMs === undefined) return undefined;
    const dueOf = ({ body }: StoredRequest, ended: number | undefined): number | undefined =>
      noticeDueMs({ secrecy: body.intake.secrecy, releasedMs, endedMs: ended, zone: body.calendar.zone });
    const dueMs = dueOf(request, endedMs);
    if (dueMs === undefined || pack?.copyOf === undefined) return dueMs;
    // That a copy is older than the request says that another had it kept, which may be secret still.
    const keeper = requests.require(pack.copyOf);
    const keptMs = dueOf(keeper, this.#endedMs(keeper));
    return keptMs === undefined ? undefined : Math.max(dueMs, keptMs);
  }

  /** Of what was given out alone: how many accounts the request named is told to none of them. */
  #receipts(request: StoredRequest): Uint8Array {
    const released = receiptsOf(this.#parts, request).filter((receipt) => {
      const record = receiptRecord(receipt);
      return record.kind === "outcome" && record.result === "released";
    });
    return encodeReceipts(released);
  }

  async #tellAll(): Promise<void> {
    const { notices, requests, reportBug, nowMs, isDoubted } = this.#parts;
    // What is told cannot be taken back.
    if (isDoubted()) return;
    for (const notice of notices.open(nowMs())) {
      if (this.rounds.isStopped) return;
      try {
        const request = requests.require(notice.number);
        const dueMs = notice.state === "sent" ? notice.sentMs : this.#dueMs(request, notice);
        if (dueMs !== undefined && dueMs <= nowMs()) await this.#tell(request, notice);
      } catch (error) {
        if (this.rounds.isStopped) return;
        // It waits, and is told with the next tick.
        reportBug(error);
      }
    }
  }

  async #tell(request: StoredRequest, notice: StoredNotice): Promise<void> {
    const { notices, packages, secrets, options, tell, transaction, trail, nowMs, reportBug } = this.#parts;
    const pack = packages.get(request);
    const about = pack === undefined ? undefined : disclosureOf(request, pack, notice);
    if (about === undefined) return;
    const { host } = options;
    const accountId = fromBase64Url(about.accountId);
    const cards = await tell.cardsOf({ accountId });
    const isGone = cards.length === 0 && isDeleted(await tell.statesOf({ accountId }));
    // Whoever has no device that can be reached now may have one tomorrow.
    if (cards.length === 0 && !isGone) return;
    const { noticeId } = notice;
    const said: DeskNotice = { format: 1, noticeId, host, accountId, body: about.body, ext: this.#receipts(request) };
    let told = 0;
    for (const { card, inboxId } of cards) {
      try {
        await tell.postNotice({ inboxId, item: await sealNotice({ secrets, host, card, inboxId, notice: said, nowMs: nowMs() }) });
        told += 1;
      } catch (error) {
        if (this.rounds.isStopped) return;
        // One device that takes nothing keeps nobody from what the others are told, and does not have them told again and again.
        reportBug(error);
      }
    }
    if (told === 0 && !isGone) return;
    transaction(() => {
      const now = nowMs();
      const firstMs = notice.sentMs ?? now;
      const nextMs = now + againMs;
      if (isGone) notices.cannot(notice);
      else notices.sent(notice, now, nextMs < firstMs + toldForMs ? nextMs : undefined);
      if (notice.state !== "waits") return;
      trail.append({ actor: "desk", act: isGone ? "nobody to be told" : "notice given", details: { request: request.number } }, now);
      record(this.#parts, this.#parts.requests.require(request.number), {
        kind: "notice",
        by: "desk",
        text: isGone ? "cannot" : "sent",
        nowMs: now,
      });
    });
  }
}

/** Whether an account is not here any more: it has no states, or its last one says so. */
function isDeleted(states: readonly Uint8Array[]): boolean {
  const last = states.at(-1);
  return last === undefined || decode(accountStateCodec, decode(signedCodec, last).body).status !== "active";
}
