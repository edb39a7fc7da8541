// D12 | a report that shows other words than were said, in another order, or without what they answered | P
// Source: Dodis, Grubbs, Ristenpart, Woodage 2018; reports by several who agree, and by who edits first
// Counter-measure: a report is what its authors signed, each claim gets a verdict, edits go along by force, gaps and order show; the desk decides, never a number (V-2, V-6, F-3)
import { fromBase64Url } from "@latchkey/codec";
import { createTextContent } from "@latchkey/protocol";
import { reportPaths } from "@latchkey/protocol/reports";
import type { CaseDetail } from "@latchkey/protocol/desk";
import { itemsOf, Talk, talker } from "@latchkey/reports/testing";
import { beginDesk, TestReporter } from "@latchkey/server/testing";
import type { DeskPage } from "@latchkey/server/testing";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventually, hear, host, say, Scene, withFile } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** The desk of the scene's server, with somebody who looks at what came. */
async function deskOf(scene: Scene): Promise<DeskPage> {
  return (await beginDesk({ dataDirectory: join(scene.folder, "server"), url: scene.server.url, origin: `https://${host}` })).page;
}

/** The only case, once it has so many reports. */
async function caseOf(page: DeskPage, reports: number): Promise<CaseDetail> {
  return await eventually(
    async () => {
      const { cases } = await page.ask("case-list", {});
      const [found] = cases;
      if (cases.length !== 1 || found?.reports !== reports) return undefined;
      return (await page.ask("case-get", { number: found.number })).case;
    },
    `a case with ${String(reports)} reports`,
  );
}

const verdictOf = ({ verdicts }: Pick<CaseDetail["items"][number], "verdicts">, claim: string): string | undefined =>
  verdicts.find((one) => one.claim === claim)?.verdict;

const idOf = async (person: Person, conversationId: string, text: string): Promise<string> => {
  const found = (await person.client.messages(conversationId, { limit: 100 })).find(
    ({ body }) => body.kind === "text" && body.text === text,
  );
  if (found === undefined) throw new Error("it is there");
  return found.id;
};

describe("D12 false reports", () => {
  test("who provokes, edits that away and reports the answer shows the desk what they had written; who reports with them adds nothing", async (context) => {
    await using scene = await Scene.open();
    const page = await deskOf(scene);
    const [ada, mal, pal] = [await scene.person("ada"), await scene.person("mal"), await scene.person("pal")];
    const { id } = await ada.client.startConversation({ to: ["mal", "pal"], name: "Allotment" });
    await say(ada, id, "welcome");
    await hear(mal, id, "welcome");
    await hear(pal, id, "welcome");
    await say(mal, id, "You are a thief, and I will tell everybody");
    await hear(ada, id, "You are a thief, and I will tell everybody");
    await say(ada, id, "Then I will tell what you did");
    await hear(mal, id, "Then I will tell what you did");
    await hear(pal, id, "Then I will tell what you did");
    const provocation = await idOf(mal, id, "You are a thief, and I will tell everybody");
    const answer = await idOf(mal, id, "Then I will tell what you did");
    await mal.client.edit(id, provocation, "Good morning, dear neighbour");
    await hear(pal, id, "Good morning, dear neighbour");

    const choice = { messageIds: [answer], contextIds: [provocation], reason: "threat" as const };
    const preview = await mal.client.previewReport(id, choice);
    await mal.client.report(id, choice);
    const first = await caseOf(page, 1);
    expect(first.items.map(({ role, text }) => [role, text])).toEqual(preview.lines.map(({ role, text }) => [role, text]));
    expect(first.items.map(({ role, text }) => [role, text])).toEqual([
      ["context", "You are a thief, and I will tell everybody"],
      ["reported", "Then I will tell what you did"],
      ["edit", "Good morning, dear neighbour"],
    ]);
    for (const item of first.items) for (const { claim, verdict } of item.verdicts) expect([claim, verdict]).toEqual([claim, "proved"]);

    // The edit left out is a gap, and the same message by another reporter is the same message.
    await pal.client.report(id, { messageIds: [answer], reason: "threat" });
    const both = await caseOf(page, 2);
    expect([both.messages, both.decisions, both.state]).toEqual([3, [], "new"]);
    expect(both.items.filter(({ role }) => role === "reported")).toHaveLength(1);
    const desk = readdirSync(join(scene.folder, "server"), { recursive: true })
      .map(String)
      .filter((name) => /desk/.test(name) && /sqlite/.test(name))
      .map((name) => readFileSync(join(scene.folder, "server", name)).toString("latin1"))
      .join("");
    expect(desk.length).toBeGreaterThan(1000);
    // Neither the conversation nor who reports, nor who else is in it, stands there.
    for (const unknown of [id, "Allotment", mal.accountId, pal.accountId]) {
      expect(desk.includes(unknown)).toBe(false);
      if (/^[\w-]{43}$/.test(unknown)) expect(desk.includes(Buffer.from(fromBase64Url(unknown)).toString("latin1"))).toBe(false);
    }
    const shown = both.items.map(({ author, text }) => `${author}: ${text ?? ""}`);
    shows(context, `the desk sees ${String(both.reports)} reports of ${String(both.messages)} messages: ${shown.join(" / ")}`);
  });

  test("invented, altered, swapped and cut evidence is named for what it is, whoever sends it; forged bytes come to nothing", async (context) => {
    await using scene = await Scene.open();
    const page = await deskOf(scene);
    const ada = await scene.person("ada");
    const adaId = fromBase64Url(ada.accountId);
    // Whoever has no words of Ada's makes some, in a group of their own.
    const [mal, friend] = [await talker("mal"), await talker("friend")];
    const talk = await Talk.begin(mal, [friend]);
    const elsewhere = await Talk.begin(mal, [friend]);
    const [real, there] = [await talk.say(mal, "hello"), await elsewhere.say(mal, "from another group")];
    await talk.nextEpoch(mal);
    const later = await talk.say(mal, "later");
    const content = createTextContent({ ...talk.head(), text: "I will burn your house" });
    const invented = await talk.say(mal, "", { content, ownNumber: 1 });
    const { contexts, items } = itemsOf([
      ["reported", real],
      ["reported", later],
      ["reported", invented],
      ["reported", there],
    ]);
    const claimed = items.map((item) => ({ ...item, sender: { ...item.sender, host, accountId: adaId } }));
    const [one, two, three, four] = claimed;
    if (one === undefined || two === undefined || three === undefined || four === undefined) throw new Error("four messages");
    const altered = { ...one, content: one.content.slice() };
    altered.content[altered.content.length - 1] = (altered.content.at(-1) ?? 0) ^ 1;
    const otherEpoch = { ...two, context: one.context };
    const reporter = await TestReporter.of(scene.server);
    const accused = { host, accountId: adaId };
    const report = reporter.report({ accused, contexts, items: [three, altered, otherEpoch, four, one], reason: "threat" });
    const sealed = await reporter.seal(report);
    expect((await reporter.send(sealed)).status).toBe(200);
    // Again, cut, altered, and too large.
    expect((await reporter.send(sealed)).status).toBe(200);
    expect((await reporter.post(reportPaths.reports, new Uint8Array(1_100_000))).status).toBe(413);
    expect((await reporter.post(reportPaths.reports, new Uint8Array(40))).status).toBe(400);
    await reporter.send({ ...sealed, reportId: new Uint8Array(16).fill(9), ciphertext: sealed.ciphertext.map((byte) => byte ^ 1) });
    const found = await caseOf(page, 1);
    expect(found.proved).toBe(0);
    for (const item of found.items) {
      const isSaid = verdictOf(item, "signed") === "proved";
      // Of what is signed, the key is none of Ada's; the rest nobody signed.
      expect(verdictOf(item, "author")).toBe(isSaid ? "contradicted" : "not-proved");
      if (!isSaid) expect(verdictOf(item, "signed")).toBe("contradicted");
    }
    const verdicts = found.received.flatMap((received) => received.verdicts);
    expect(verdicts.find(({ claim }) => claim === "accused")?.verdict).toBe("contradicted");
    expect(found.decisions).toEqual([]);
    shows(
      context,
      `of ${String(found.messages)} messages said to be Ada's ${String(found.proved)} are proved: ${verdicts.find(({ claim }) => claim === "accused")?.why ?? ""}`,
    );
  });

  test("who threatens and deletes that for everybody, or provokes and deletes it, is shown with it to the desk for a day; a file that goes along is what its message names", async (context) => {
    await using scene = await Scene.open();
    const page = await deskOf(scene);
    const [ada, mal] = [await scene.person("ada"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["mal"] });
    await say(ada, id, "You are a thief");
    await hear(mal, id, "You are a thief");
    await say(mal, id, "You will see what comes of it");
    await hear(ada, id, "You will see what comes of it");
    const bytes = randomBytes(90_000);
    const files = [{ name: "a.png", mediaType: "image/png", sizeBytes: bytes.length, content: new Blob([new Uint8Array(bytes)]) }];
    await mal.client.send(id, "your house", { files });
    const { message, file } = await withFile(ada, id, "your house");
    const [provocation, threat] = [await idOf(ada, id, "You are a thief"), await idOf(mal, id, "You will see what comes of it")];
    await mal.client.deleteMessages(id, [threat], { forEveryone: true });
    await ada.client.deleteMessages(id, [provocation], { forEveryone: true });
    const isGone = async (messageId: string): Promise<true | undefined> => {
      const found = (await ada.client.messages(id, { limit: 100 })).find((one) => one.id === messageId);
      return found?.body.kind === "deleted" ? true : undefined;
    };
    for (const one of [threat, provocation]) await eventually(() => isGone(one), "it is deleted");

    const choice = {
      messageIds: [threat, message.id],
      contextIds: [provocation],
      reason: "threat" as const,
      files: [{ messageId: message.id, fileId: file.id }],
    };
    const preview = await ada.client.previewReport(id, choice);
    expect(preview.lines.flatMap((line) => line.files)).toMatchObject([{ goesAs: "whole", verdict: "proved" }]);
    await ada.client.report(id, choice);
    const found = await caseOf(page, 1);
    expect(found.items.map(({ role, text }) => [role, text ?? ""])).toEqual([
      ["context", "You are a thief"],
      ["reported", "You will see what comes of it"],
      ["reported", "your house"],
      ["delete", ""],
      ["delete", ""],
    ]);
    for (const item of found.items) for (const { claim, verdict } of item.verdicts) expect([claim, verdict]).toEqual([claim, "proved"]);
    expect(found.attachments).toMatchObject([{ mediaType: "image/png", sizeBytes: bytes.length, verdict: "proved" }]);
    const shown = found.items.map(({ role, author, text }) => `${role} ${author}: ${text ?? ""}`);
    shows(context, `the desk sees ${shown.join(" / ")} and ${String(found.attachments.length)} file that its message names`);
  }, 120_000);

  test("an answer that is cut out of what was said before it is put back there by whom it is about, with proof, and nothing that they are told names who reported", async (context) => {
    await using scene = await Scene.open();
    const page = await deskOf(scene);
    const [ada, mal] = [await scene.person("ada"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["mal"] });
    await say(ada, id, "Hello");
    await hear(mal, id, "Hello");
    await say(mal, id, "I have your cat, and you will pay");
    await hear(ada, id, "I have your cat, and you will pay");
    await say(ada, id, "Then you will be sorry");
    await hear(mal, id, "Then you will be sorry");
    await mal.client.report(id, { messageIds: [await idOf(mal, id, "Then you will be sorry")], reason: "threat" });
    const { number, revision } = await caseOf(page, 1);
    const decision = {
      kind: "warn" as const,
      ground: { kind: "incompatible" as const, basis: "Rule 3", explanation: "No threats." },
      facts: "The message threatens somebody.",
      category: "VIOLENCE" as const,
      contentTypes: ["TEXT"] as const,
      territory: [],
      toReporter: "",
    };
    await page.ask("case-decide", { cases: [{ number, revision }], decision });
    const notice = await eventually(async () => (await ada.client.notices())[0], "Ada is told");
    for (const name of [mal.accountId, "mal", "cat"]) expect(JSON.stringify(notice)).not.toMatch(new RegExp(`\\b${name}\\b`, "u"));

    const said = await idOf(ada, id, "I have your cat, and you will pay");
    const appeal = { noticeId: notice.noticeId, words: "They began.", evidence: { conversationId: id, messageIds: [said] } };
    expect((await ada.client.previewAppeal(appeal)).map(({ text }) => text)).toEqual(["I have your cat, and you will pay"]);
    await ada.client.appeal(appeal);
    const found = await eventually(async () => {
      const now = (await page.ask("case-get", { number })).case;
      return now.appeals.length === 0 ? undefined : now;
    }, "the appeal is at the desk");
    const put = found.items.find(({ text }) => text === "I have your cat, and you will pay");
    expect([put?.author, verdictOf(put ?? { verdicts: [] }, "signed"), verdictOf(put ?? { verdicts: [] }, "author")]).toEqual([
      "reporter",
      "proved",
      "proved",
    ]);
    shows(context, `the appeal puts "${put?.text ?? ""}" of the reporter beside the answer, proved`);
  }, 120_000);
});
