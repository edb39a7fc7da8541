import { encode, toHex } from "@latchkey/codec";
import { createTextContent } from "@latchkey/protocol";
import { sealedReportCodec } from "@latchkey/protocol/reports";
import type { SealedReport } from "@latchkey/protocol/reports";
import { nobleSignatures } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { encryptedFile, flipped, opened, random, reportOf, suite, Talk, talker, viewOf } from "./testing/index.ts";
import {
  fitsReport,
  mailboxOf,
  maxReportFileBytes,
  openAnswer,
  openReport,
  reportCodec,
  sealAnswer,
  sealAttachment,
  sealedReportHash,
  sealReport,
  signReceipt,
  verifyReceipt,
  verifyReport,
} from "./index.ts";
import type { Complained, Report, ReportAnswer } from "./index.ts";

const desk = await suite.deriveKemKeyPair(random(32));
const deskKey = await suite.generateSignatureKeyPair(random);
const none = new Uint8Array(0);

async function seal(report: Report): Promise<SealedReport> {
  const plaintext = { report: encode(reportCodec, report), reporter: { kind: "unnamed" as const } };
  return await sealReport({
    suite,
    random,
    desk: { encryptionKey: desk.publicKey },
    plaintext,
    reportId: report.reportId,
    attachments: [],
  });
}

async function someReport(body: Partial<Complained> = {}): Promise<Report> {
  const mal = await talker("mal");
  const talk = await Talk.begin(mal, []);
  return reportOf(mal, [["reported", await talk.say(mal, "boo")]], body);
}

describe("[V-1] a report opens with the desk's key alone, whole", () => {
  test("it is what was sealed, of a length that says little", async () => {
    const report = await someReport();
    const sealed = await seal(report);
    expect((await openReport({ suite, keys: desk, sealed })).report).toEqual(report);
    const longer = await seal(await someReport({ words: "They threaten me, more or less, today" }));
    expect(longer.ciphertext.length).toBe(sealed.ciphertext.length);
    expect(toHex(encode(sealedReportCodec, sealed))).not.toContain(toHex(report.replySecret));
  });

  test("altered, cut, under another id or to another key it does not open", async () => {
    const sealed = await seal(await someReport());
    const other = await suite.deriveKemKeyPair(random(32));
    const refused = async (changed: Partial<SealedReport>, keys = desk): Promise<void> => {
      await expect(openReport({ suite, keys, sealed: { ...sealed, ...changed } })).rejects.toMatchObject({
        name: "ReportError",
        code: "unopened",
      });
    };
    await refused({ ciphertext: flipped(sealed.ciphertext, 700) });
    await refused({ ciphertext: sealed.ciphertext.subarray(0, 900) });
    await refused({ kemOutput: flipped(sealed.kemOutput) });
    await refused({ kemOutput: random(7) });
    await refused({ reportId: random(16) });
    await refused({}, other);
  });

  test("what is in it and is no report, or another's, is refused as malformed", async () => {
    const report = await someReport();
    const sealing = { suite, random, desk: { encryptionKey: desk.publicKey }, attachments: [] };
    const encoded = encode(reportCodec, report);
    for (const [bytes, reportId] of [
      [random(300), report.reportId],
      [encoded.subarray(0, encoded.length - 1), report.reportId],
      [encoded, random(16)],
    ] as const) {
      const sealed = await sealReport({ ...sealing, plaintext: { report: bytes, reporter: { kind: "unnamed" } }, reportId });
      await expect(openReport({ suite, keys: desk, sealed })).rejects.toMatchObject({ code: "malformed" });
    }
    const huge = { report: random(1_040_000), reporter: { kind: "unnamed" as const } };
    await expect(sealReport({ ...sealing, plaintext: huge, reportId: report.reportId })).rejects.toMatchObject({ code: "too_large" });
  });
});

describe("[V-3] [V-4] receipts and answers are the desk's", () => {
  test("a receipt is of these bytes, whatever token paid for them, and of no others", async () => {
    const report = await someReport();
    const sealed = await seal(report);
    const { reportId } = report;
    const receipt = await signReceipt(nobleSignatures, deskKey.secretKey, {
      format: 1,
      reportId,
      reportHash: sealedReportHash(sealed),
      day: 20_000,
      ext: none,
    });
    const verify = async (of: SealedReport, bytes = receipt, deskKeys = [deskKey.publicKey]): Promise<number> =>
      (await verifyReceipt({ signatures: nobleSignatures, deskKeys, reportId, reportHash: sealedReportHash(of), receipt: bytes })).day;
    expect(await verify(sealed)).toBe(20_000);
    expect(await verify({ ...sealed, token: random(40) })).toBe(20_000);
    await expect(verify({ ...sealed, ciphertext: flipped(sealed.ciphertext) })).rejects.toMatchObject({ code: "signature" });
    await expect(verify(sealed, flipped(receipt))).rejects.toMatchObject({ code: "signature" });
    await expect(verify(sealed, receipt, [random(32)])).rejects.toMatchObject({ code: "signature" });
    await expect(verify(sealed, random(5))).rejects.toMatchObject({ code: "malformed" });
  });

  test("an answer opens for who has the reply secret, is signed, and is about this report", async () => {
    const [replySecret, reportId] = [random(32), random(16)];
    const answer: ReportAnswer = { format: 1, reportId, day: 20_001, outcome: { kind: "received" }, ext: none };
    const by = { signatures: nobleSignatures, secretKey: deskKey.secretKey, random, replySecret };
    const sealed = await sealAnswer({ ...by, answer });
    const open = async (changed: Partial<Parameters<typeof openAnswer>[0]>): Promise<ReportAnswer> =>
      await openAnswer({ signatures: nobleSignatures, deskKeys: [deskKey.publicKey], replySecret, reportId, sealed, ...changed });
    expect(await open({})).toEqual(answer);
    await expect(open({ replySecret: random(32) })).rejects.toMatchObject({ code: "unopened" });
    await expect(open({ sealed: flipped(sealed) })).rejects.toMatchObject({ code: "unopened" });
    await expect(open({ sealed: sealed.subarray(0, 9) })).rejects.toMatchObject({ code: "unopened" });
    await expect(open({ deskKeys: [random(32)] })).rejects.toMatchObject({ code: "signature" });
    await expect(open({ reportId: random(16) })).rejects.toMatchObject({ code: "malformed" });
    expect(mailboxOf(replySecret)).not.toEqual(replySecret);
  });
});

describe("[V-2] a file is proved where key and hash in the signed message open it", () => {
  test("its own ciphertext is, a preview is the reporter's word, and other bytes are contradicted or nothing", async () => {
    const mal = await talker("mal");
    const talk = await Talk.begin(mal, []);
    const bytes = random(100_000);
    const { part, ciphertext } = encryptedFile(bytes);
    const content = createTextContent({ ...talk.head(), text: "look", files: [part] });
    const said = await talk.say(mal, "", { content });
    const report = reportOf(mal, [["reported", said]]);
    const verify = async (sent: Uint8Array, form: "ciphertext" | "preview", alter = (sealed: Uint8Array) => sealed) => {
      const { key, sealed, hash } = sealAttachment({ random, reportId: report.reportId, bytes: sent });
      const attachment = { item: 0, file: 0, form, mediaType: form === "preview" ? "image/webp" : "", key, hash, sizeBytes: sealed.length };
      const full = { ...report, body: { ...(report.body as Complained), attachments: [attachment] } };
      const came = new Map([[toHex(hash), alter(sealed)]]);
      return (await verifyReport(opened(full, encode(reportCodec, full)), came, viewOf([mal]))).files;
    };
    expect(await verify(ciphertext, "ciphertext")).toEqual([{ item: 0, mediaType: "text/plain", bytes, verdict: "proved" }]);
    const preview = random(500);
    expect(await verify(preview, "preview")).toEqual([{ item: 0, mediaType: "image/webp", bytes: preview, verdict: "not-proved" }]);
    // Another file that somebody says it was.
    expect(await verify(encryptedFile(bytes).ciphertext, "ciphertext")).toMatchObject([{ verdict: "contradicted", bytes: none }]);
    expect(await verify(ciphertext, "ciphertext", (sealed) => flipped(sealed))).toEqual([]);
    expect(fitsReport({ sizeBytes: 3_000_000 })).toBe(true);
    expect(fitsReport({ sizeBytes: 5_000_000 })).toBe(false);
    expect(() => sealAttachment({ random, reportId: report.reportId, bytes: new Uint8Array(maxReportFileBytes + 1) })).toThrow("too large");
  });
});
