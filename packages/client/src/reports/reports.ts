import { concatBytes, decode, encode, equalBytes, toBase64Url, toHex } from "@latchkey/codec";
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
import type { Appealed, Report, Reporter, VerifiedItem, VerifiedReport } from "@latchkey/reports";
import { signedContent } from "@latchkey/transparency";
import type { AppealParams, Notice, ReportFileChoice, ReportLine, ReportParams, ReportPreview, SentReport } from "../api.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import type { FileAt } from "../files/files.ts";
import { Delivery } from "./delivery.ts";
import { DeskKeyring } from "./desk-keys.ts";
import type { DeskKeySource } from "./desk-keys.ts";
import { attachFiles, enclosedFiles } from "./attached.ts";
import type { Attached } from "./attached.ts";
import { enclose, encloseBeside } from "./enclose.ts";
import type { Enclosed, Gathered } from "./enclose.ts";
import { Notices } from "./notices.ts";
import { statusOf } from "./status.ts";
import { loadFiles, putFiles } from "./stored-files.ts";
import type { StoredFile } from "./stored-files.ts";
import { loadReport, loadReports, putReport } from "./stored.ts";
import type { StoredReport } from "./stored.ts";

const none = new Uint8Array(0);

/** What reports need of the engine. */
export interface ReportsAccess {
  /** @throws ClientError `unknown_conversation` */
  readonly runner: (id: string) => ConversationRunner;
  /** As `Files.ciphertext`. */
  readonly ciphertext: (at: FileAt) => Promise<Uint8Array>;
}

/** Reports to the desks of hosts, what they answer, and what the desk of one's own host decided (spec V-1 to V-6). */
export class Reports {
  readonly #world: World;
  readonly #runner: ReportsAccess["runner"];
  readonly #ciphertext: ReportsAccess["ciphertext"];
  readonly #keys: DeskKeySource;
  readonly #notices: Notices;
  readonly #delivery: Delivery;

  constructor(world: World, { runner, ciphertext }: ReportsAccess, keys: DeskKeySource = new DeskKeyring(world)) {
    this.#world = world;
    this.#runner = runner;
    this.#ciphertext = ciphertext;
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
    const { report, sealed } = await this.#complaint(conversationId, enclosed, params);
    const { host } = enclosed.accused;
    const { encoded, lines } = await this.#read(report, { host, sealed, gathered: enclosed, files: params.files ?? [] });
    return {
      host,
      accused: this.#world.people.person(enclosed.accused.accountId),
      lines,
      unproven: enclosed.unproven,
      namesReporter: params.isAnonymous !== true,
      words: params.words ?? "",
      reason: params.reason,
      fingerprint: this.#fingerprint(enclosed),
      sizeBytes: [...sealed.values()].reduce((sum, { length }) => sum + length, encoded.length),
    };
  }

  async report(conversationId: string, params: ReportParams): Promise<SentReport> {
    const enclosed = await enclose(this.#world, this.#runner(conversationId), params);
    if (params.shown !== undefined && params.shown !== this.#fingerprint(enclosed))
      throw new ClientError("conflict", "Something was changed since you looked at it: look at it again.");
    const { report, sealed } = await this.#complaint(conversationId, enclosed, params);
    const { host, accountId } = enclosed.accused;
    return await this.#seal(report, { host, accused: accountId, conversationId, isNamed: params.isAnonymous !== true }, sealed);
  }

  async takesReports(host: string): Promise<"yes" | "no" | "unknown"> {
    try {
      await this.#keys.newest(host);
      return "yes";
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      if (error.code === "not_permitted") return "no";
      return (await this.#keys.known(host)) === undefined ? "unknown" : "yes";
    }
  }

  async list({ isFresh = false }: { readonly isFresh?: boolean } = {}): Promise<readonly SentReport[]> {
    if (isFresh) await this.#delivery.refresh();
    const stored = await this.#world.store.transact("read", async (tx) => {
      const found: { readonly report: StoredReport; readonly files: readonly StoredFile[] }[] = [];
      for (const report of await loadReports(tx)) found.push({ report, files: await loadFiles(tx, toBase64Url(report.reportId)) });
      return found;
    });
    await this.#world.people.load(stored.flatMap(({ report: { accused } }) => (accused.length === 0 ? [] : [accused])));
    return stored.map(({ report, files }) => this.#shown(report, files));
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

  async previewAppeal(params: AppealParams): Promise<readonly ReportLine[]> {
    const { host, report, sealed, gathered } = await this.#appealOf(params);
    if (gathered === undefined) return [];
    return (await this.#read(report, { host, sealed, gathered, files: params.evidence?.files ?? [] })).lines;
  }

  async appeal(params: AppealParams): Promise<SentReport> {
    if (params.words.trim() === "") throw new ClientError("invalid_setting", "An appeal says why.");
    const { host, report, sealed, isNamed } = await this.#appealOf(params);
    return await this.#seal(report, { host, accused: none, conversationId: "", isNamed }, sealed);
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

  async #complaint(conversationId: string, { accused, evidence, carried }: Enclosed, params: ReportParams): Promise<Made> {
    const { reason, words = "", files = [] } = params;
    const made = this.#made({ kind: "report", accused, reason, words, ...evidence, attachments: [] });
    return await this.#withFiles(made, { conversationId, files, carried });
  }

  async #appealOf({ noticeId, reportId, words, evidence: chosen }: AppealParams): Promise<MadeAppeal> {
    if ((noticeId === undefined) === (reportId === undefined))
      throw new ClientError("invalid_setting", "An appeal is against the decision of one notice, or of one report.");
    // Whether it is too late says the desk, by a clock that is not this device's.
    const { host, puid, report } = noticeId === undefined ? await this.#decisionOf(reportId ?? "") : await this.#decisionTold(noticeId);
    const isNamed = report === undefined;
    const gathered =
      chosen &&
      (await encloseBeside(this.#world, this.#runner(chosen.conversationId), {
        messageIds: chosen.messageIds,
        isAnonymous: !isNamed,
        deskHost: host,
      }));
    const evidence = gathered?.evidence ?? { contexts: [], items: [], states: [], leftOut: 0 };
    const body: Appealed = { kind: "appeal", puid, report, words, ...evidence, attachments: [] };
    const { conversationId = "", files = [] } = chosen ?? {};
    const made = await this.#withFiles(this.#made(body), { conversationId, files, carried: gathered?.carried ?? new Map() });
    return { ...made, host, isNamed, gathered };
  }

  async #withFiles(
    report: Report,
    what: { readonly conversationId: string; readonly files: readonly ReportFileChoice[]; readonly carried: Gathered["carried"] },
  ): Promise<Made> {
    const { conversationId, files, carried } = what;
    const { reportId, body } = report;
    const ciphertextOf = (messageId: string, fileId: string): Promise<Uint8Array> =>
      this.#ciphertext({ conversationId, messageId, fileId });
    const { random } = this.#world.platform;
    const { attachments, sealed } = await attachFiles({ random, reportId, choices: files, carried, ciphertextOf });
    return { report: { ...report, body: { ...body, attachments } }, sealed };
  }

  /** What the desk will make of these bytes is read by what the desk reads them with. */
  async #read(
    report: Report,
    what: Pick<Reading, "gathered" | "files"> & { readonly host: string; readonly sealed: Made["sealed"] },
  ): Promise<{ readonly encoded: Uint8Array; readonly lines: readonly ReportLine[] }> {
    const { host, sealed, gathered, files } = what;
    const encoded = await orTooLarge(() => encodeBounded(reportCodec, report));
    const { people, platform } = this.#world;
    const view = {
      host,
      suite: platform.crypto.suite(deskSuite),
      signatures: platform.signatures,
      nowMs: platform.nowMs(),
      historyOf: (id: Uint8Array) => this.#historyOf(id),
    };
    const verified = await verifyReport({ report, encoded, reporter: { kind: "unnamed" } }, sealed, view);
    await people.load(verified.items.map(({ author }) => author.accountId));
    return { encoded, lines: verified.items.map((item, at) => this.#line({ item, at, verified, gathered, files })) };
  }

  #fingerprint({ evidence }: Gathered): string {
    const { sha256 } = this.#world.platform;
    const parts = evidence.items.flatMap(({ content, signature }) => [sha256(content), sha256(signature)]);
    return toBase64Url(sha256(concatBytes(...parts)));
  }

  #made(body: Report["body"]): Report {
    const { random } = this.#world.platform;
    return { format: 1, reportId: random(16), replySecret: random(32), body, ext: none };
  }

  /** Seals it to the desk, and puts it on disk before anything is sent. */
  async #seal(report: Report, about: About, files: Made["sealed"]): Promise<SentReport> {
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
        attachments: body.attachments.map(({ hash, sizeBytes }) => ({ hash, sizeBytes })),
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
    const name = toBase64Url(reportId);
    const waiting = body.attachments.map(({ hash }) => ({ hash, bytes: files.get(toHex(hash)) ?? none }));
    const left = await store.transact("write", async (tx) => {
      putReport(tx, stored);
      putFiles(tx, name, waiting);
      return await loadFiles(tx, name);
    });
    this.#delivery.wake();
    return this.#shown(stored, left);
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

  #line({ item, at, verified, gathered, files }: Reading): ReportLine {
    const messageId = toBase64Url(item.messageId);
    const { role, text = "", saysAtMs, gapBefore, verdicts } = item;
    const carried = gathered.carried.get(messageId);
    // In the order of the choices.
    const read = verified.files.filter((file) => file.item === at).map(({ verdict }) => verdict);
    return {
      messageId,
      role,
      author: this.#world.people.person(item.author.accountId),
      text,
      ...(saysAtMs === undefined ? {} : { saysAtMs }),
      gapBefore,
      carries: carried?.carries ?? [],
      files: carried === undefined ? [] : enclosedFiles(carried.files, { chosen: files, messageId, verdicts: read }),
      claims: verdicts.map(({ claim, verdict }) => ({ claim, verdict })),
    };
  }

  #shown(stored: StoredReport, files: readonly StoredFile[]): SentReport {
    const { reportId, kind, host, accused, conversationId, madeAtMs } = stored;
    return {
      reportId: toBase64Url(reportId),
      kind,
      host,
      ...(accused.length === 0 ? {} : { accused: this.#world.people.person(accused) }),
      ...(conversationId === "" ? {} : { conversationId }),
      madeAtMs,
      status: statusOf(stored),
      filesWaiting: files.filter(({ isLost }) => !isLost).length,
      filesLost: files.filter(({ isLost }) => isLost).length,
    };
  }
}

/** A report with the files that go along, as they are sent. */
interface Made extends Pick<Attached, "sealed"> {
  readonly report: Report;
}

interface MadeAppeal extends Made {
  readonly host: string;
  readonly isNamed: boolean;
  readonly gathered: Gathered | undefined;
}

interface Reading {
  readonly item: VerifiedItem;
  readonly at: number;
  readonly verified: VerifiedReport;
  readonly gathered: Gathered;
  readonly files: readonly ReportFileChoice[];
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

/** @throws ClientError `message_too_large` */
async function orTooLarge<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    if (!(cause instanceof ReportError) || cause.code !== "too_large") throw cause;
    throw new ClientError("message_too_large", "This report is too large: choose fewer messages, or fewer words.", { cause });
  }
}
