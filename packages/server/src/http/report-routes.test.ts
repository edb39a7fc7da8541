import { decode, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { reportAcceptedCodec, reportAttachmentPath, reportPaths } from "@latchkey/protocol/reports";
import { mailboxOf, sealAttachment, sealedReportHash, verifyReceipt } from "@latchkey/reports";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import type { ServerLimits } from "../config.ts";
import { nodeSignatures } from "../directory/signatures.ts";
import type { RunningServer } from "../server.ts";
import { answer } from "../testing/ask-admin.ts";
import { beginDesk } from "../testing/desk-page.ts";
import type { DeskPage } from "../testing/desk-page.ts";
import { random, register, runServer, temporaryDirectory } from "../testing/fixtures.ts";
import { TestReporter } from "../testing/test-reporter.ts";

/** A server with a desk that somebody sits at, and somebody who reports to it. */
async function desk(
  limits?: Partial<ServerLimits>,
): Promise<{ server: RunningServer; page: DeskPage; reporter: TestReporter; dataDirectory: string }> {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory, ...(limits === undefined ? {} : { limits }) });
  const { page } = await beginDesk({ dataDirectory, url: server.url });
  return { server, page, reporter: await TestReporter.of(server), dataDirectory };
}

test("[V-1] without a desk, and before somebody sits there, nothing takes reports; then its keys are in the public record", async () => {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  for (const path of [reportPaths.reports, reportAttachmentPath(toBase64Url(random(32))), reportPaths.answers]) {
    expect((await fetch(`${server.url}${path}`, { method: "POST", body: "A" })).status).toBe(404);
  }
  expect(existsSync(join(dataDirectory, "desk"))).toBe(false);
  await beginDesk({ dataDirectory, url: server.url });
  const { keys } = await TestReporter.of(server);
  expect([keys.encryptionKey.length, keys.signatureKey.length]).toEqual([1216, 32]);
});

test("[E-173] a report is answered with a receipt that the desk signed, before anybody opens it; the same again as the first time", async () => {
  const { page, reporter, dataDirectory } = await desk();
  const report = reporter.report();
  const { reportId } = report;
  const sealed = await reporter.seal(report);
  const first = await reporter.send(sealed);
  expect(first.status).toBe(200);
  const { receipt, missing } = decode(reportAcceptedCodec, first.bytes);
  expect(missing).toEqual([]);
  const proof = { signatures: nodeSignatures, deskKeys: [reporter.keys.signatureKey], reportId, receipt };
  expect(await verifyReceipt({ ...proof, reportHash: sealedReportHash(sealed) })).toMatchObject({ reportId });
  await reporter.answers(report, 1);
  expect((await reporter.send({ ...sealed, token: random(60) })).bytes).toEqual(first.bytes);
  // Another one under its id, and what is no report.
  expect(await reporter.send(await reporter.seal(report))).toMatchObject({ status: 409 });
  expect(await reporter.post(reportPaths.reports, random(500))).toMatchObject({ status: 400 });
  expect(await reporter.post(reportPaths.reports, new Uint8Array(1_048_577))).toMatchObject({ status: 413 });
  expect((await page.ask("case-list", {})).cases).toMatchObject([{ number: 1, reports: 1, reasons: ["harassment"] }]);
  // The operator, who may not work there, sees that somebody waits, and nothing else.
  expect((await answer(dataDirectory, "status"))["desk"]).toEqual({
    cases: 1,
    oldestDay: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    appeals: 0,
    staff: 1,
    reviewers: 1,
  });
});

test("[V-3] whomever a report is about, known here or not, and whatever is in it, its receipt is the same", async () => {
  const { server, reporter } = await desk();
  const { account } = await register(server, "alice");
  const accused = { host: server.host, accountId: account.accountId };
  const known = await reporter.send(await reporter.seal(reporter.report({ accused })));
  const unknown = await reporter.send(await reporter.seal(reporter.report()));
  const sealed = await reporter.seal(reporter.report());
  const garbage = await reporter.send({ ...sealed, reportId: random(16), ciphertext: random(sealed.ciphertext.length) });
  for (const other of [unknown, garbage]) expect([other.status, other.bytes.length]).toEqual([known.status, known.bytes.length]);
});

test("[V-1] attachments come after their report, and none that no report announced", async () => {
  const { page, reporter } = await desk();
  const report = reporter.report();
  const attachment = sealAttachment({ random, reportId: report.reportId, bytes: random(3000) });
  const path = reportAttachmentPath(toBase64Url(attachment.hash));
  expect(await reporter.post(path, attachment.sealed)).toMatchObject({ status: 404 });
  const announced = { hash: attachment.hash, sizeBytes: attachment.sealed.length };
  const sealed = await reporter.seal(report, { attachments: [announced] });
  expect(decode(reportAcceptedCodec, (await reporter.send(sealed)).bytes).missing).toEqual([attachment.hash]);
  // It waits for what was announced.
  expect((await page.ask("case-list", {})).cases).toEqual([]);
  expect(await reporter.post(path, random(attachment.sealed.length))).toMatchObject({ status: 400 });
  expect(await reporter.post(path, attachment.sealed.slice(1))).toMatchObject({ status: 404 });
  expect(await reporter.post(path, attachment.sealed)).toMatchObject({ status: 200 });
  await reporter.answers(report, 1);
  expect((await page.ask("case-list", {})).cases).toHaveLength(1);
  expect(decode(reportAcceptedCodec, (await reporter.send(sealed)).bytes).missing).toEqual([]);
});

const dismissal = {
  kind: "dismiss",
  facts: "Nothing.",
  category: "OTHER_VIOLATION_TC",
  contentTypes: ["TEXT"],
  territory: [],
  toReporter: "We looked.",
} as const;

test("[V-4] answers lie in the mailbox of the report, for who has its secret; of another mailbox there is nothing", async () => {
  const { page, reporter } = await desk();
  const report = reporter.report();
  await reporter.send(await reporter.seal(report));
  expect(await reporter.answers(report, 1)).toEqual([{ kind: "received" }]);
  const { number, revision } = (await page.ask("case-get", { number: 1 })).case;
  await page.ask("case-decide", { cases: [{ number, revision }], decision: dismissal });
  const [, decided] = await reporter.answers(report, 2);
  expect(decided).toMatchObject({ kind: "decided", isActedOn: false, words: "We looked." });
  const mailbox = mailboxOf(report.replySecret);
  const at = (from: number): { mailbox: Uint8Array; from: number } => ({ mailbox, from });
  const found = await reporter.sealedAnswers([{ mailbox: random(32), from: 0 }, at(1), at(2)]);
  expect(found.map(({ length }) => length)).toEqual([0, 1, 0]);
  expect(await reporter.post(reportPaths.answers, random(40))).toMatchObject({ status: 400 });
});

test("[E-174] a reporter without an account appeals by the secret of the report, once; what cannot be appealed is answered so", async () => {
  const { page, reporter } = await desk();
  const report = reporter.report();
  await reporter.send(await reporter.seal(report));
  await reporter.answers(report, 1);
  const { number, revision } = (await page.ask("case-get", { number: 1 })).case;
  await page.ask("case-decide", { cases: [{ number, revision }], decision: dismissal });
  const [, decided] = await reporter.answers(report, 2);
  if (decided?.kind !== "decided") throw new Error("it is decided");
  const [first, again, stranger] = [report, report, reporter.report()].map((of) => reporter.appeal(decided.puid, of));
  if (first === undefined || again === undefined || stranger === undefined) throw new Error("three appeals");
  await reporter.send(await reporter.seal(first));
  expect(await reporter.answers(first, 1)).toEqual([{ kind: "received" }]);
  for (const other of [again, stranger, reporter.appeal(decided.puid, undefined), reporter.appeal("nothing", report)]) {
    await reporter.send(await reporter.seal(other));
    expect(await reporter.answers(other, 1)).toMatchObject([{ kind: "refused" }]);
  }
  expect((await page.ask("case-get", { number })).case.appeals).toMatchObject([{ by: "reporter" }]);
});

test("[V-1] a report about an account of another host is refused to who sent it", async () => {
  const { page, reporter } = await desk();
  const report = reporter.report({ accused: { host: "elsewhere.example", accountId: random(32) } });
  expect(await reporter.send(await reporter.seal(report))).toMatchObject({ status: 200 });
  expect(await reporter.answers(report, 1)).toMatchObject([{ kind: "refused" }]);
  expect((await page.ask("case-list", {})).cases).toEqual([]);
});

test("[V-1] what the server stores of a report until the desk opens it is sealed; what is too much for its place is refused", async () => {
  const { reporter, dataDirectory } = await desk({ maxSealedReportBytes: 2500 });
  const words = "A very special word that nobody else says";
  const attachments = [{ hash: random(32), sizeBytes: 4_000_000 }];
  expect(await reporter.send(await reporter.seal(reporter.report({ words }), { attachments }))).toMatchObject({ status: 200 });
  for (const name of ["desk.sqlite", "desk.sqlite-wal", "logs.sqlite", "accounts.sqlite"]) {
    expect(readFileSync(join(dataDirectory, name)).includes(utf8Bytes(words)), name).toBe(false);
  }
  expect(await reporter.send(await reporter.seal(reporter.report(), { attachments }))).toMatchObject({ status: 507 });
});

test("[T-1] where reports cost a token, a false one is refused, and without one each address has a few", async () => {
  const rates = { ...defaultLimits.rates, withoutToken: { burst: 1, perSecond: 0 } };
  const { reporter } = await desk({ tokensPerDay: 10, rates });
  expect(await reporter.send(await reporter.seal(reporter.report()))).toMatchObject({ status: 200 });
  const bare = await reporter.send(await reporter.seal(reporter.report()));
  expect(bare).toMatchObject({ status: 400, text: expect.stringContaining("token_required") });
  const forged = await reporter.send(await reporter.seal(reporter.report(), { token: random(100) }));
  expect(forged).toMatchObject({ status: 400, text: expect.stringContaining("token_invalid") });
});
