import { decode, encode } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { answersReplyCodec, answersRequestCodec, deskKeysCodec, reportPaths, sealedReportCodec } from "@latchkey/protocol/reports";
import type { DeskKeys, MailboxAt, SealedReport } from "@latchkey/protocol/reports";
import { mailboxOf, openAnswer, reportCodec, sealReport } from "@latchkey/reports";
import type { Report, ReportAnswer, ReportOutcome, Reporter } from "@latchkey/reports";
import { randomBytes } from "node:crypto";
import { nodeSignatures } from "../directory/signatures.ts";
import type { RunningServer } from "../server.ts";
import { TestClient } from "./test-client.ts";

const suite = nodeCrypto.suite(0xf001);
const none = new Uint8Array();
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size));
const noEvidence = { words: "", contexts: [], items: [], attachments: [], states: [], leftOut: 0 };

/** What came back over HTTP. */
export interface Posted {
  readonly status: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Somebody who reports to a server's desk, with the formats alone: without an account, or with what a test signs. */
export class TestReporter {
  readonly #server: Pick<RunningServer, "url" | "host">;
  readonly keys: DeskKeys;

  private constructor(server: Pick<RunningServer, "url" | "host">, keys: DeskKeys) {
    this.#server = server;
    this.keys = keys;
  }

  /** Waits until the desk's keys are in the public record. */
  static async of(server: Pick<RunningServer, "url" | "host">): Promise<TestReporter> {
    const lookup = await TestClient.connect(server.url, "lookup");
    for (;;) {
      const reply = await lookup.ask({ kind: "lookup_operator", name: "desk", knownValues: 0, knownSize: 0 });
      const value = reply.kind === "operator_value" ? reply.value[0] : undefined;
      if (value !== undefined) return new TestReporter(server, decode(deskKeysCodec, value));
    }
  }

  /** A report without a message, which proves nothing. */
  report(parts: Partial<Omit<Extract<Report["body"], { kind: "report" }>, "kind">> = {}): Report {
    const accused = { host: this.#server.host, accountId: random(32) };
    const body = { kind: "report", accused, reason: "harassment", ...noEvidence, ...parts } as const;
    return { format: 1, reportId: random(16), replySecret: random(32), body, ext: none };
  }

  /** An appeal: of the reporter of `report`, or of whoever signs it. */
  appeal(puid: string, report: Report | undefined): Report {
    const of = report === undefined ? undefined : { reportId: report.reportId, replySecret: report.replySecret };
    const body = { kind: "appeal", puid, report: of, ...noEvidence } as const;
    return { format: 1, reportId: random(16), replySecret: random(32), body, ext: none };
  }

  seal(report: Report, parts: Partial<Pick<SealedReport, "attachments" | "token">> & { reporter?: Reporter } = {}): Promise<SealedReport> {
    const { reporter = { kind: "unnamed" }, ...rest } = parts;
    const plaintext = { report: encode(reportCodec, report), reporter };
    return sealReport({ suite, random, desk: this.keys, plaintext, reportId: report.reportId, attachments: [], ...rest });
  }

  async post(path: string, body: Uint8Array): Promise<Posted> {
    const response = await fetch(`${this.#server.url}${path}`, { method: "POST", body: body.slice() });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, bytes, text: Buffer.from(bytes).toString("utf8") };
  }

  send(sealed: SealedReport): Promise<Posted> {
    return this.post(reportPaths.reports, encode(sealedReportCodec, sealed));
  }

  /** What lies in mailboxes, sealed. */
  async sealedAnswers(mailboxes: readonly MailboxAt[]): Promise<readonly (readonly Uint8Array[])[]> {
    const { bytes } = await this.post(reportPaths.answers, encode(answersRequestCodec, { format: 1, mailboxes }));
    return decode(answersReplyCodec, bytes).mailboxes.map(({ answers }) => answers);
  }

  /** The first answers to a report, once there are so many. */
  async answers(report: Report, count: number): Promise<readonly ReportOutcome[]> {
    return (await this.wholeAnswers(report, count)).map(({ outcome }) => outcome);
  }

  /** The same, with all that came along. */
  async wholeAnswers(report: Report, count: number): Promise<readonly ReportAnswer[]> {
    const { replySecret, reportId } = report;
    for (;;) {
      const [found = []] = await this.sealedAnswers([{ mailbox: mailboxOf(replySecret), from: 0 }]);
      if (found.length < count) continue;
      const proof = { signatures: nodeSignatures, deskKeys: [this.keys.signatureKey], replySecret, reportId };
      return Promise.all(found.slice(0, count).map((sealed) => openAnswer({ ...proof, sealed })));
    }
  }
}
