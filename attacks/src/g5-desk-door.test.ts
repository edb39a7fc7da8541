// G5 | a stranger asks the desk's door about accounts, mailboxes or reports to find out who is there | P
// Source: Hagen et al., NDSS 2021 (contact discovery); user enumeration by differing answers (OWASP)
// Counter-measure: what is said at the door is said before anything is opened, the same for all; a mailbox that nobody has is empty (V-1, V-4)
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "@latchkey/codec";
import { reportAcceptedCodec } from "@latchkey/protocol/reports";
import { startServer } from "@latchkey/server";
import { TestReporter, beginDesk } from "@latchkey/server/testing";
import { describe, expect, test } from "vitest";
import type { TestContext } from "vitest";

const random = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));

async function stranger({ onTestFinished }: TestContext): Promise<{ host: string; reporter: TestReporter }> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  const server = await startServer({ port: 0, dataDirectory, logLevel: "silent" });
  onTestFinished(() => server.close());
  await beginDesk({ dataDirectory, url: server.url });
  return { host: server.host, reporter: await TestReporter.of(server) };
}

describe("G5", () => {
  test("a report about an account that is not here is answered as one about any other, before anybody could know", async (context) => {
    const { host, reporter } = await stranger(context);
    const outcomes = [];
    for (const accused of [host, host, "elsewhere.example"].map((one) => ({ host: one, accountId: random(32) }))) {
      // It waits for a file that never comes: nobody opens it, and it has its receipt.
      const waiting = { attachments: [{ hash: random(32), sizeBytes: 1000 }] };
      const { status, bytes } = await reporter.send(await reporter.seal(reporter.report({ accused }), waiting));
      const { receipt, missing } = decode(reportAcceptedCodec, bytes);
      outcomes.push(JSON.stringify([status, bytes.length, receipt.length, missing.length]));
    }
    expect(new Set(outcomes)).toEqual(new Set([outcomes[0]]));
  });

  test("a mailbox that somebody has a report for, and one that nobody has, are empty alike to who does not know the secret", async (context) => {
    const { reporter } = await stranger(context);
    const report = reporter.report();
    await reporter.send(await reporter.seal(report));
    await reporter.answers(report, 1);
    const padded = new Uint8Array(32);
    padded.set(report.reportId);
    const guesses = [padded, report.replySecret, random(32)].map((mailbox) => ({ mailbox, from: 0 }));
    expect(await reporter.sealedAnswers(guesses)).toEqual([[], [], []]);
  });
});
