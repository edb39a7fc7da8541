import { decodeReceipts, receiptRecord } from "@latchkey/counts";
import { Reader, concatBytes, decode, encode, equalBytes, uint32, utf8Bytes } from "@latchkey/codec";
import { nodeCrypto } from "@latchkey/mls/node";
import { hostCodec, inboxHeadTbsCodec, inboxItemKinds, inboxPlaintextCodec, sealedItemCodec } from "@latchkey/protocol";
import type { DecisionInput } from "@latchkey/protocol/desk";
import { deskNoticeCodec, reportCodec, reporterTbs } from "@latchkey/reports";
import type { DeskNotice, Report, Reporter } from "@latchkey/reports";
import { deviceCardCodec, signStructure, signedContent } from "@latchkey/transparency";
import { expect, test } from "vitest";
import { dayMs } from "../../days.ts";
import { nodeSignatures } from "../../directory/signatures.ts";
import { sha256 } from "../../hash.ts";
import { addColleague, beginDesk } from "../../testing/desk-page.ts";
import { connectDevice, none, random, register, runServer, temporaryDirectory, zeros } from "../../testing/fixtures.ts";
import type { TestAccount } from "../../testing/fixtures.ts";
import { TestClient } from "../../testing/test-client.ts";
import { TestReporter } from "../../testing/test-reporter.ts";

const suite = nodeCrypto.suite(0xf001);

/** A device with an inbox that it can open, as the app has it. */
async function reachable(
  server: { url: string; host: string },
  username: string,
): Promise<{
  account: TestAccount;
  client: TestClient<"device">;
  inboxId: Uint8Array;
  open: (item: Uint8Array) => Promise<{ kind: number; signature: Uint8Array; tbs: Uint8Array; sender: Uint8Array; notice: DeskNotice }>;
}> {
  const { account, client } = await register(server, username);
  const keys = await suite.deriveKemKeyPair(random(32));
  const inboxId = random(32);
  const { deviceId, seed } = account.device;
  const value = { format: 1, deviceId, inboxId, inboxKey: keys.publicKey, notAfterMs: Date.now() + dayMs, ext: none } as const;
  const card = await signStructure({ codec: deviceCardCodec, value, label: "DeviceCard", secretKey: seed, signatures: nodeSignatures });
  expect(await client.outcome({ kind: "card", card })).toBe("done");
  return {
    account,
    client,
    inboxId,
    async open(item) {
      const { kemOutput, ciphertext } = decode(sealedItemCodec, item);
      const aad = concatBytes(encode(hostCodec, server.host), inboxId, encode(uint32, item.length));
      const padded = await suite.hpkeOpen({ ...keys, kemOutput, ciphertext, info: utf8Bytes("latchkey/inbox/1"), aad });
      const { head, signature, body } = inboxPlaintextCodec.read(new Reader(padded));
      const tbs = encode(inboxHeadTbsCodec, { head, bodyHash: sha256(body) });
      return { kind: head.kind, signature, tbs, sender: head.senderAccountId, notice: decode(deskNoticeCodec, body) };
    },
  };
}

/** The next item of an inbox that is being read. */
async function nextItem(client: TestClient<"device">): Promise<Uint8Array> {
  const [event] = await client.take(1);
  if (event?.kind !== "item") throw new Error("an item comes");
  return event.blob;
}

const suspension: DecisionInput = {
  kind: "suspend",
  days: 30,
  ground: { kind: "illegal", basis: "§ 241", explanation: "A threat." },
  facts: "What was written on that day.",
  category: "VIOLENCE",
  contentTypes: ["TEXT"],
  territory: ["DE"],
  toReporter: "Thank you.",
};

test("[F-4] the accused gets the desk's reasons whatever was taken, appeals with their device, and has it back when it falls", async () => {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  const { page: ada, authenticator } = await beginDesk({ dataDirectory, url: server.url });
  const { page: bo } = await addColleague({ dataDirectory, page: ada, authenticator }, { name: "Bo", roles: ["reviewer"] });
  const reporter = await TestReporter.of(server);
  const alice = await reachable(server, "alice");
  const { accountId } = alice.account;
  const accused = { host: server.host, accountId };
  const post = await TestClient.connect(server.url, "post");
  const strangersItem = (): Promise<string> =>
    post.outcome({ kind: "post", inboxId: alice.inboxId, capability: zeros, blob: random(512), token: none });

  const report = reporter.report({ accused });
  await reporter.send(await reporter.seal(report));
  await reporter.answers(report, 1);
  const read = (await ada.ask("case-get", { number: 1 })).case;
  expect(read.accused).toMatchObject({ username: "alice", restricted: [] });
  await ada.ask("case-decide", { cases: [{ number: 1, revision: read.revision }], decision: suspension });
  expect(await reporter.answers(report, 2)).toMatchObject([
    { kind: "received" },
    { kind: "decided", isActedOn: true, words: "Thank you." },
  ]);

  // Suspended, and told all the same.
  expect(await alice.client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
  const item = await nextItem(alice.client);
  expect(await strangersItem()).toBe("inbox_full");
  const told = await alice.open(item);
  expect([told.kind, told.sender]).toEqual([inboxItemKinds.notice, zeros]);
  expect(nodeSignatures.verify(reporter.keys.signatureKey, signedContent("DeskNotice", told.tbs), told.signature)).toBe(true);
  // Each side has what is counted of it and told to them (K-5): not what was decided, and not what it was reported as.
  const kinds = (ext: Uint8Array): unknown[] => decodeReceipts(ext).map((receipt) => [receipt.host, receiptRecord(receipt).kind]);
  expect((await reporter.wholeAnswers(report, 2)).map(({ ext }) => kinds(ext))).toEqual([
    [[server.host, "arrival"]],
    [[server.host, "arrival"]],
  ]);
  expect(kinds(told.notice.ext)).toEqual([[server.host, "outcome"]]);
  const { body } = told.notice;
  if (body.kind !== "statement") throw new Error("it is a statement of reasons");
  expect(body).toMatchObject({
    sanction: "suspend",
    untilDay: body.decidedDay + 30,
    appealUntilDay: body.decidedDay + 184,
    ground: { kind: "illegal", basis: "§ 241" },
    isAutomatedDecision: false,
  });
  expect(equalBytes(told.notice.accountId, accountId)).toBe(true);

  // Somebody else's device has no appeal of theirs.
  const mallory = await register(server, "mallory");
  const signed = async (appeal: Report, by: TestAccount): Promise<Reporter> => {
    const named = { host: server.host, accountId: by.accountId, deviceId: by.device.deviceId };
    const content = signedContent("Report", reporterTbs(encode(reportCodec, appeal), named));
    return { kind: "device", ...named, signature: await nodeSignatures.sign(by.device.seed, content) };
  };
  const foreign = reporter.appeal(body.puid, undefined);
  await reporter.send(await reporter.seal(foreign, { reporter: await signed(foreign, mallory.account) }));
  expect(await reporter.answers(foreign, 1)).toMatchObject([{ kind: "refused" }]);
  const appeal = reporter.appeal(body.puid, undefined);
  await reporter.send(await reporter.seal(appeal, { reporter: await signed(appeal, alice.account) }));
  expect(await reporter.answers(appeal, 1)).toEqual([{ kind: "received" }]);

  const { revision } = (await bo.ask("case-get", { number: 1 })).case;
  await bo.ask("appeal-decide", { number: 1, revision, appeal: 1, outcome: "reversed", words: "Not a threat." });
  const second = await nextItem(alice.client);
  expect((await alice.open(second)).notice.body).toMatchObject({ kind: "appeal-decided", outcome: "reversed", words: "Not a threat." });
  // The task before that gave back what was taken: tasks are done in order, and that of the reporters is the last.
  expect((await reporter.answers(report, 3))[2]).toMatchObject({ kind: "appeal-decided", outcome: "reversed" });
  expect((await ada.ask("case-get", { number: 1 })).case.accused.restricted).toEqual([]);
  await expect.poll(strangersItem).toBe("done");
});

test("[E-175] a server that stops between a decision and what it takes does that when it starts, and tells both sides once", async () => {
  const dataDirectory = temporaryDirectory();
  const first = await runServer({ dataDirectory });
  const { page } = await beginDesk({ dataDirectory, url: first.url });
  const reporter = await TestReporter.of(first);
  const alice = await reachable(first, "alice");
  const { host, port } = first;
  const report = reporter.report({ accused: { host, accountId: alice.account.accountId } });
  await reporter.send(await reporter.seal(report));
  await reporter.answers(report, 1);
  const { revision } = (await page.ask("case-get", { number: 1 })).case;
  await page.ask("case-decide", { cases: [{ number: 1, revision }], decision: suspension });
  await first.close();
  const server = await runServer({ dataDirectory, host, port });
  const post = await TestClient.connect(server.url, "post");
  const item = { kind: "post", inboxId: alice.inboxId, capability: zeros, blob: random(512), token: none } as const;
  await expect.poll(() => post.outcome(item)).toBe("inbox_full");
  expect(await reporter.answers(report, 2)).toMatchObject([{ kind: "received" }, { kind: "decided" }]);
  const client = await TestClient.connect(server.url, "device");
  expect(await connectDevice(client, alice.account.accountId, alice.account.device)).toBe("done");
  expect(await client.outcome({ kind: "read_inbox", afterSeq: 0 })).toBe("done");
  const notices = [];
  // Before the stop a stranger's item may have come.
  while (notices.length === 0) {
    const opened = await alice.open(await nextItem(client)).catch(() => undefined);
    if (opened !== undefined) notices.push(opened.notice.body.kind);
  }
  expect(notices).toEqual(["statement"]);
});
