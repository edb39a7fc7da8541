import { decode, encode, equalBytes, toBase64Url } from "@latchkey/codec";
import { sealedReportCodec } from "@latchkey/protocol/reports";
import type { InboxPlaintext } from "@latchkey/protocol";
import {
  deskSuite,
  encodeBounded,
  knownStates,
  ReportError,
  reportAnswerCodec,
  reportCodec,
  reporterTbs,
  sealedReportHash,
  sealReport,
  verifyReport,
} from "@latchkey/reports";
import type { Appealed, Complained, Report, ReportAnswer, Reporter, VerifiedItem } from "@latchkey/reports";
import { signedContent } from "@latchkey/transparency";
import type { AppealParams, Notice, ReportLine, ReportParams, ReportPreview, ReportStatus, SentReport } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { Delivery } from "./delivery.ts";
import { DeskKeyring } from "./desk-keys.ts";
import type { DeskKeySource } from "./desk-keys.ts";
import { enclose } from "./enclose.ts";
import type { Enclosed } from "./enclose.ts";
import { cleanWords, Notices } from "./notices.ts";
import { loadReport, loadReports, putReport } from "./stored.ts";
import type { StoredReport } from "./stored.ts";

const none = new Uint8Array(0);

/** Reports to the desks of hosts, what they answer, and what the desk of one's own host decided (spec V-1 to V-6). */
export class Reports {
  readonly #world: World;
  readonly #runner: (id: string) => ConversationRunner;
  readonly #keys: DeskKeySource;
  readonly #notices: Notices;
  readonly #delivery: Delivery;

  constructor(world: World, runner: (id: string) => ConversationRunner, keys: DeskKeySource = new DeskKeyring(world)) {
    this.#world = world;
    this.#runner = runner;
    this.#keys = keys;
    this.#notices = new Notices(world, this.#keys);
    this.#delivery = new Delivery(world, this.#keys);
  }

  /** Brings what waits, and asks for answers from now on. */
  start(): void {
    this.#delivery.start();
  }

  async preview(conversationId: string, params: ReportParams): Promise<ReportPreview> {
    const enclosed = await enclose(this.#world, this.#runner(conversationId), params);
    const report = this.#reportOf(enclosed, params);
    const encoded = await orTooLarge(() => encodeBounded(reportCodec, report));
    const { host } = enclosed.accused;
    const { people, platform } = this.#world;
    const suite = platform.crypto.suite(deskSuite);
    // What the desk will make of these bytes is read by what the desk reads them with.
    const view = {
      host,
      suite,
      signatures: platform.signatures,
      nowMs: platform.nowMs(),
      historyOf: (id: Uint8Array) => this.#historyOf(id),
    };
    const verified = await verifyReport({ report, encoded, reporter: { kind: "unnamed" } }, new Map(), view);
    await people.load(verified.items.map(({ author }) => author.accountId));
    return {
      host,
      accused: people.person(enclosed.accused.accountId),
      lines: verified.items.map((item) => this.#line(item, enclosed)),
      unproven: enclosed.unproven,
      namesReporter: params.isAnonymous !== true,
      words: params.words ?? "",
      reason: params.reason,
      sizeBytes: encoded.length,
    };
  }

  async report(conversationId: string, params: ReportParams): Promise<SentReport> {
    const enclosed = await enclose(this.#world, this.#runner(conversationId), params);
    const report = this.#reportOf(enclosed, params);
    const { host, accountId } = enclosed.accused;
    return await this.#seal(report, { host, accused: accountId, conversationId, isNamed: params.isAnonymous !== true });
  }

  async list({ isFresh = false }: { readonly isFresh?: boolean } = {}): Promise<readonly SentReport[]> {
    if (isFresh) await this.#delivery.refresh();
    const stored = await this.#world.store.transact("read", (tx) => loadReports(tx));
    await this.#world.people.load(stored.flatMap(({ accused }) => (accused.length === 0 ? [] : [accused])));
    return stored.map((one) => this.#shown(one));
  }

  /** An item of the inbox that says it is a notice. @throws ClientError while it cannot be verified */
  async takeNotice(item: InboxPlaintext, receivedAtMs: number): Promise<void> {
    await this.#notices.take(item, receivedAtMs);
  }

  async notices(): Promise<readonly Notice[]> {
    return await this.#notices.list();
  }

  async readNotice(noticeId: string): Promise<void> {
    await this.#notices.read(noticeId);
  }

  async appeal({ noticeId, reportId, words }: AppealParams): Promise<SentReport> {
    if ((noticeId === undefined) === (reportId === undefined))
      throw new ClientError("invalid_setting", "An appeal is against the decision of one notice, or of one report.");
    // Whether it is too late says the desk, by a clock that is not this device's.
    const { host, puid, report } = noticeId === undefined ? await this.#decisionOf(reportId ?? "") : await this.#decisionTold(noticeId);
    if (words.trim() === "") throw new ClientError("invalid_setting", "An appeal says why.");
    const evidence = { words, contexts: [], items: [], attachments: [], states: [], leftOut: 0 };
    const body: Appealed = { kind: "appeal", puid, report, ...evidence };
    return await this.#seal(this.#made(body), { host, accused: none, conversationId: "", isNamed: report === undefined });
  }

  async close(): Promise<void> {
    await this.#delivery.close();
  }

  async #decisionTold(noticeId: string): Promise<Decision> {
    const notice = (await this.#notices.list()).find((one) => one.noticeId === noticeId);
    if (notice?.body.kind !== "statement") throw new ClientError("unknown_message", "There is no such decision here.");
    return { host: this.#world.own.host, puid: notice.puid, report: undefined };
  }

  async #decisionOf(id: string): Promise<Decision> {
    const stored = await this.#world.store.transact("read", (tx) => loadReport(tx, id));
    const decided = stored?.answers.map((answer) => decode(reportAnswerCodec, answer).outcome).findLast(({ kind }) => kind === "decided");
    if (stored === undefined || decided?.kind !== "decided")
      throw new ClientError("unknown_message", "There is no decision about this report here.");
    const { host, reportId, replySecret } = stored;
    return { host, puid: decided.puid, report: { reportId, replySecret } };
  }

  #reportOf({ accused, evidence }: Enclosed, { reason, words = "" }: ReportParams): Report {
    const body: Complained = { kind: "report", accused, reason, words, ...evidence, attachments: [] };
    return this.#made(body);
  }

  #made(body: Report["body"]): Report {
    const { random } = this.#world.platform;
    return { format: 1, reportId: random(16), replySecret: random(32), body, ext: none };
  }

  /** Seals it to the desk, and puts it on disk before anything is sent. */
  async #seal(report: Report, about: About): Promise<SentReport> {
    const { store, platform } = this.#world;
    const desk = await this.#keys.newest(about.host);
    const { reportId, replySecret, body } = report;
    const encoded = await orTooLarge(() => encodeBounded(reportCodec, report));
    const reporter: Reporter = about.isNamed ? await this.#signed(encoded) : { kind: "unnamed" };
    const sealed = await orTooLarge(() =>
      sealReport({
        suite: platform.crypto.suite(deskSuite),
        random: platform.random,
        desk,
        plaintext: { report: encoded, reporter },
        reportId,
        attachments: [],
      }),
    );
    const stored: StoredReport = {
      kind: body.kind,
      reportId,
      replySecret,
      host: about.host,
      accused: about.accused,
      conversationId: about.conversationId,
      madeAtMs: platform.nowMs(),
      sealed: encode(sealedReportCodec, sealed),
      reportHash: sealedReportHash(sealed),
      deskKey: desk.signatureKey,
      receipt: none,
      receiptDay: 0,
      answers: [],
      fetched: 0,
      refusal: undefined,
    };
    await store.transact("write", async (tx) => putReport(tx, stored));
    this.#delivery.wake();
    return this.#shown(stored);
  }

  async #signed(encoded: Uint8Array): Promise<Reporter> {
    const { own, platform } = this.#world;
    const { host, accountId, deviceId } = own;
    const content = signedContent("Report", reporterTbs(encoded, { host, accountId, deviceId }));
    return {
      kind: "device",
      host,
      accountId,
      deviceId,
      signature: await platform.signatures.sign(own.signatureKeyPair.secretKey, content),
    };
  }

  #historyOf(accountId: Uint8Array): Promise<ReturnType<typeof knownStates> | undefined> {
    const { own, people } = this.#world;
    const record = equalBytes(accountId, own.accountId) ? own.record : people.contact(accountId)?.record;
    return Promise.resolve(record && knownStates(record.states));
  }

  #line(item: VerifiedItem, { carries }: Enclosed): ReportLine {
    const messageId = toBase64Url(item.messageId);
    const { role, text = "", saysAtMs, gapBefore, verdicts } = item;
    return {
      messageId,
      role,
      author: this.#world.people.person(item.author.accountId),
      text,
      ...(saysAtMs === undefined ? {} : { saysAtMs }),
      gapBefore,
      carries: carries.get(messageId) ?? [],
      claims: verdicts.map(({ claim, verdict }) => ({ claim, verdict })),
    };
  }

  #shown(stored: StoredReport): SentReport {
    const { reportId, kind, host, accused, conversationId, madeAtMs } = stored;
    return {
      reportId: toBase64Url(reportId),
      kind,
      host,
      ...(accused.length === 0 ? {} : { accused: this.#world.people.person(accused) }),
      ...(conversationId === "" ? {} : { conversationId }),
      madeAtMs,
      status: statusOf(stored),
    };
  }
}

interface Decision {
  readonly host: string;
  readonly puid: string;
  readonly report: Appealed["report"];
}

interface About {
  readonly host: string;
  readonly accused: Uint8Array;
  readonly conversationId: string;
  readonly isNamed: boolean;
}

function statusOf({ receipt, receiptDay, answers, refusal }: StoredReport): ReportStatus {
  const newest = answers.map((answer): ReportAnswer => decode(reportAnswerCodec, answer)).at(-1);
  if (newest === undefined) {
    if (refusal !== undefined) return { kind: "refused", words: refusal };
    return receipt.length === 0 ? { kind: "waiting" } : { kind: "sent", day: receiptDay };
  }
  const { outcome, day } = newest;
  switch (outcome.kind) {
    case "received":
      return { kind: "received", day };
    case "refused":
      return { kind: "refused", words: cleanWords(outcome.words) };
    case "decided": {
      const { isActedOn, words, appealUntilDay } = outcome;
      return { kind: "decided", day, isActedOn, words: cleanWords(words), appealUntilDay };
    }
    case "appeal-decided":
      return { kind: "appeal-decided", day, outcome: outcome.outcome, words: cleanWords(outcome.words) };
  }
}

/** @throws ClientError `message_too_large` */
async function orTooLarge<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    if (!(cause instanceof ReportError) || cause.code !== "too_large") throw cause;
    throw new ClientError("message_too_large", "This report is too large: choose fewer messages, or fewer words.", { cause });
  }
}
