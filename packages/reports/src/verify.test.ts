import { encode, toHex } from "@latchkey/codec";
import { createDeletionContent, createEditContent, createReactionContent, createTextContent } from "@latchkey/protocol";
import { nobleSignatures, signedContent } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { flipped, host, itemsOf, opened, random, reportOf, saidAtMs, Talk, talker, viewOf } from "./testing/index.ts";
import { reportCodec, reporterTbs, verifyReport } from "./index.ts";
import type { Complained, ItemRole, Report, VerifiedItem, VerifiedReport } from "./index.ts";
import type { SaidItem, Talker } from "./testing/index.ts";

const none = new Map<string, Uint8Array>();
const verdictOf = ({ verdicts }: Pick<VerifiedItem, "verdicts">, claim: string): string =>
  verdicts.find((one) => one.claim === claim)?.verdict ?? "absent";
const verdictsOf = (item: VerifiedItem | undefined): Record<string, string> =>
  Object.fromEntries((item?.verdicts ?? []).map(({ claim, verdict }) => [claim, verdict]));
const allProved = { signed: "proved", author: "proved", conversation: "proved", order: "proved", role: "proved" };

async function people(): Promise<{ mal: Talker; ada: Talker; ben: Talker; talk: Talk }> {
  const [mal, ada, ben] = [await talker("mal"), await talker("ada"), await talker("ben")];
  return { mal, ada, ben, talk: await Talk.begin(mal, [ada, ben]) };
}

async function judge(report: Report, known: readonly Talker[]): Promise<VerifiedReport> {
  return await verifyReport(opened(report, encode(reportCodec, report)), none, viewOf(known));
}

describe("[V-6] every claim of a report gets a verdict", () => {
  test("what was said is proved, by whom, in which order, with what each had seen", async () => {
    const { mal, ada, ben, talk } = await people();
    const first = await talk.say(mal, "I know where you live");
    const answer = await talk.say(ada, "Stop it");
    const second = await talk.say(mal, "Or what?");
    const report = reportOf(mal, [
      ["reported", second],
      ["context", answer],
      ["reported", first],
    ]);
    const verified = await judge(report, [mal, ada, ben]);
    expect(verified.items.map(({ text }) => text)).toEqual(["I know where you live", "Stop it", "Or what?"]);
    for (const item of verified.items) expect(verdictsOf(item)).toEqual(allProved);
    expect(verified.items.map(({ gapBefore, seen }) => [gapBefore, seen])).toEqual([
      [0, "nothing"],
      [0, 0],
      [0, 1],
    ]);
    expect(verdictOf(verified, "accused")).toBe("proved");
    expect(verdictOf(verified, "reporter")).toBe("not-proved");
    expect(verified.items[0]?.messageId).toEqual(first.messageId);
    expect(verified.items[0]?.saysAtMs).toBe(saidAtMs);
  });

  test("what is left out shows as a gap of exactly so many messages", async () => {
    const { mal, ada, talk } = await people();
    const said: SaidItem[] = [];
    for (let count = 0; count < 6; count++) said.push(await talk.say(mal, `line ${count}`));
    const [one, , , four] = said;
    const answer = await talk.say(ada, "I saw all of it");
    const report = reportOf(mal, [
      ["reported", one!],
      ["reported", four!],
      ["context", answer],
    ]);
    const verified = await judge(report, [mal, ada]);
    expect(verified.items.map(({ gapBefore }) => gapBefore)).toEqual([0, 2, 0]);
    // What she had seen is none of what she shows.
    expect(verified.items[2]?.seen).toBe("unshown");
  });

  test("invented words, altered words and another's key are contradicted", async () => {
    const { mal, ada, talk } = await people();
    const said = await talk.say(mal, "good morning");
    const adas = await talk.say(ada, "I will kill you");
    const report = reportOf(mal, [["reported", said]]);
    const body = report.body as Complained;
    const [item] = body.items;
    const change = async (changed: Partial<Complained["items"][number]>): Promise<VerifiedReport> =>
      await judge({ ...report, body: { ...body, items: [{ ...item!, ...changed }] } }, [mal, ada]);
    for (const forged of [
      await change({ content: flipped(item!.content) }),
      await change({ signature: flipped(item!.signature, 3) }),
      await change({ content: random(100) }),
      await change({ signaturePublicKey: ada.keys.publicKey }),
      await change({ context: 7 }),
    ]) {
      expect(verdictOf(forged.items[0]!, "signed")).toBe("contradicted");
      expect(forged.items[0]?.isProved).toBe(false);
      expect(verdictOf(forged, "accused")).toBe("contradicted");
    }
    // Her own words, said to be his.
    const hers = itemsOf([["reported", { ...adas, by: mal }]]);
    const swapped = await judge({ ...report, body: { ...body, ...hers } }, [mal, ada]);
    expect(verdictsOf(swapped.items[0])).toMatchObject({ signed: "proved", author: "contradicted" });
    expect(verdictOf(swapped, "accused")).toBe("contradicted");
  });

  test("whose key it is is not proved where the account is unknown, or its version", async () => {
    const { mal, ada, talk } = await people();
    const said = await talk.say(mal, "boo");
    const unknown = await judge(reportOf(mal, [["reported", said]]), [ada]);
    expect(verdictsOf(unknown.items[0])).toMatchObject({ signed: "proved", author: "not-proved" });
    expect(verdictOf(unknown, "accused")).toBe("not-proved");
    const later = await talk.say(mal, "boo", { accountVersion: 5 });
    expect(verdictsOf((await judge(reportOf(mal, [["reported", later]]), [mal])).items[0])).toMatchObject({ author: "not-proved" });
    const others = await talk.say(mal, "boo", { accountChain: ada.chain });
    expect(verdictsOf((await judge(reportOf(mal, [["reported", others]]), [mal])).items[0])).toMatchObject({ author: "contradicted" });
  });

  test("an account of another host is proved by the states that come along, and by no others", async () => {
    const [mal, ada] = [await talker("mal", "other.example"), await talker("ada")];
    const talk = await Talk.begin(ada, [mal]);
    const said = await talk.say(mal, "boo");
    const states = [{ accountId: mal.accountId, states: mal.states, pops: mal.pops }];
    const judged = async (body: Partial<Complained>): Promise<string> =>
      verdictOf((await judge(reportOf(mal, [["reported", said]], body), [ada])).items[0]!, "author");
    expect(await judged({ states })).toBe("proved");
    expect(await judged({})).toBe("not-proved");
    expect(await judged({ states: [{ ...states[0]!, pops: [] }] })).toBe("not-proved");
    expect(await judged({ states: [{ ...states[0]!, states: [flipped(mal.states[0]!)] }] })).toBe("not-proved");
    expect(await judged({ states: [{ ...states[0]!, states: ada.states, pops: ada.pops }] })).toBe("not-proved");
  });

  test("evidence of another group, and content of one epoch under the context of another, is contradicted", async () => {
    const { mal, ada, talk } = await people();
    const elsewhere = await Talk.begin(ada, [mal]);
    const here = await talk.say(mal, "here");
    const there = await elsewhere.say(mal, "there");
    const mixed = await judge(
      reportOf(mal, [
        ["reported", here],
        ["reported", there],
      ]),
      [mal, ada],
    );
    expect(
      verdictOf(
        mixed.items.find(({ text }) => text === "here")!,
        "conversation",
      ),
    ).toBe("proved");
    expect(
      verdictOf(
        mixed.items.find(({ text }) => text === "there")!,
        "conversation",
      ),
    ).toBe("contradicted");

    // Bytes that nobody signed say nothing of the others.
    const forged = reportOf(mal, [
      ["reported", there],
      ["reported", here],
    ]);
    const said = forged.body as Complained;
    const unsigned = said.items.map((item, at) => (at === 0 ? { ...item, signature: flipped(item.signature, 3) } : item));
    const { items: judged, conversation } = await judge({ ...forged, body: { ...said, items: unsigned } }, [mal, ada]);
    expect(judged.map((item) => [item.text, verdictOf(item, "conversation")])).toEqual([
      ["there", "not-proved"],
      ["here", "proved"],
    ]);
    expect(conversation).toEqual(mixed.conversation);

    await talk.nextEpoch(ada);
    const later = await talk.say(mal, "later");
    const { contexts, items } = itemsOf([
      ["reported", here],
      ["reported", later],
    ]);
    expect(contexts).toHaveLength(2);
    const report = reportOf(mal, [["reported", here]]);
    const body = { ...(report.body as Complained), contexts: contexts.toReversed(), items };
    const swapped = await judge({ ...report, body }, [mal, ada]);
    for (const item of swapped.items) expect(verdictOf(item, "signed")).toBe("contradicted");
    const right = await judge({ ...report, body: { ...body, contexts, items: items.toReversed() } }, [mal, ada]);
    expect(right.items.map(({ text }) => text)).toEqual(["here", "later"]);
  });

  test("edits, deletions and reactions stand with what they change; of what somebody else wrote they are contradicted", async () => {
    const { mal, ada, talk } = await people();
    const provoked = await talk.say(ada, "You are a thief");
    const reply = await talk.say(mal, "I will get you");
    const replaces = provoked.messageId;
    const edit = await talk.say(ada, "", { content: createEditContent({ ...talk.head(), replaces, text: "Nice to meet you" }) });
    const reaction = await talk.say(ada, "", {
      content: createReactionContent({ ...talk.head(), inReplyTo: reply.messageId, emoji: "👍" }),
    });
    const deletion = await talk.say(mal, "", { content: createDeletionContent({ ...talk.head(), replaces: reply.messageId }) });
    const said: [ItemRole, SaidItem][] = [
      ["reported", reply],
      ["edit", edit],
      ["context", provoked],
      ["reaction", reaction],
      ["delete", deletion],
    ];
    const { items } = await judge(reportOf(mal, said), [mal, ada]);
    expect(items.map(({ role, about }) => [role, about])).toEqual([
      ["context", undefined],
      ["reported", undefined],
      ["edit", 0],
      ["reaction", 1],
      ["delete", 1],
    ]);
    for (const item of items) expect(verdictsOf(item)).toEqual(allProved);
    // He had read the words that she has changed since.
    expect(items[1]?.seen).toBe(0);

    // What changes a message never goes, whatever it says: only messages do.
    const expires = { relative: false, seconds: 1 };
    const gone = await talk.say(mal, "", { content: createTextContent({ ...talk.head(), text: "Soon gone", expires }) });
    const going: [ItemRole, SaidItem][] = [
      ["reported", reply],
      [
        "edit",
        await talk.say(mal, "", { content: createEditContent({ ...talk.head(), replaces: reply.messageId, text: "You know", expires }) }),
      ],
      [
        "reaction",
        await talk.say(mal, "", { content: createReactionContent({ ...talk.head(), inReplyTo: reply.messageId, emoji: "👍", expires }) }),
      ],
      ["context", gone],
    ];
    const ended = (await judge(reportOf(mal, going), [mal, ada])).items;
    expect(ended.map(({ role, goneAtMs }) => [role, goneAtMs])).toEqual([
      ["reported", undefined],
      ["context", 1000],
      ["edit", undefined],
      ["reaction", undefined],
    ]);

    const alone = await judge(
      reportOf(mal, [
        ["reported", reply],
        ["edit", edit],
      ]),
      [mal, ada],
    );
    expect(verdictOf(alone.items[1]!, "role")).toBe("not-proved");
    const foreign = await talk.say(mal, "", { content: createEditContent({ ...talk.head(), replaces, text: "I am one" }) });
    const false1 = await judge(
      reportOf(mal, [
        ["context", provoked],
        ["edit", foreign],
      ]),
      [mal, ada],
    );
    expect(verdictOf(false1.items[1]!, "role")).toBe("contradicted");
    const asReaction = await judge(
      reportOf(mal, [
        ["reported", reply],
        ["reaction", deletion],
      ]),
      [mal, ada],
    );
    expect(verdictOf(asReaction.items[1]!, "role")).toBe("contradicted");
    // An answer stands with what it answers, whatever its quote says.
    const answer = await talk.say(ada, "", {
      content: createTextContent({ ...talk.head(), text: "He said hello", inReplyTo: reply.messageId }),
    });
    const answered = await judge(
      reportOf(mal, [
        ["reported", reply],
        ["context", answer],
      ]),
      [mal, ada],
    );
    expect(answered.items[1]).toMatchObject({ about: 0 });
  });

  test("two messages under one number, a false one before, and a circle of what was seen are contradicted", async () => {
    const { mal, ada, talk } = await people();
    const first = await talk.say(mal, "one");
    const twice = await talk.say(mal, "two", { ownNumber: 1 });
    const doubled = await judge(
      reportOf(mal, [
        ["reported", first],
        ["reported", twice],
      ]),
      [mal, ada],
    );
    for (const item of doubled.items) expect(verdictOf(item, "order")).toBe("contradicted");

    const next = await talk.say(ada, "a");
    const wrong = await talk.say(ada, "b", { previousOwn: first.mark });
    const broken = await judge(
      reportOf(ada, [
        ["reported", next],
        ["reported", wrong],
      ]),
      [mal, ada],
    );
    expect(broken.items.map((item) => verdictOf(item, "order"))).toEqual(["proved", "contradicted"]);

    // Each says that it saw the other: only changed clients that work together can say so.
    const content = createTextContent({ ...talk.head(), text: "B" });
    const b = await talk.say(ada, "", { content });
    const a = await talk.say(mal, "A", { seen: b.mark });
    const circle = await talk.say(ada, "", { content, seen: a.mark, ownNumber: 9 });
    const round = await judge(
      reportOf(mal, [
        ["reported", a],
        ["context", circle],
      ]),
      [mal, ada],
    );
    for (const item of round.items) expect(verdictOf(item, "order")).toBe("contradicted");

    // A device that came anew into the group counts from one again.
    await talk.nextEpoch(ada);
    const anew = await talk.say(mal, "back", { ownNumber: 1, previousOwn: new Uint8Array(32) });
    const back = await judge(
      reportOf(mal, [
        ["reported", a],
        ["reported", anew],
      ]),
      [mal, ada],
    );
    expect(back.items.map((item) => [verdictOf(item, "order"), item.gapBefore])).toEqual([
      ["proved", 2],
      ["proved", -1],
    ]);
  });

  test("the same message twice is one by its identity, and a forged copy of it is another", async () => {
    const { mal, ada, talk } = await people();
    const said = await talk.say(mal, "boo");
    const [a, b] = [reportOf(mal, [["reported", said]]), reportOf(mal, [["context", said]])];
    const identities = [await judge(a, [mal]), await judge(b, [mal, ada])].map(({ items: [item] }) => toHex(item!.identity));
    expect(identities[0]).toBe(identities[1]);
    const body = a.body as Complained;
    const forged = { ...a, body: { ...body, items: [{ ...body.items[0]!, signature: flipped(body.items[0]!.signature) }] } };
    expect(toHex((await judge(forged, [mal])).items[0]!.identity)).not.toBe(identities[0]);
  });

  test("a named reporter is proved by their device's signature over everything", async () => {
    const { mal, ada, talk } = await people();
    const report = reportOf(mal, [["reported", await talk.say(mal, "boo")]]);
    const encoded = encode(reportCodec, report);
    const who = { host, accountId: ada.accountId, deviceId: ada.deviceId };
    const content = signedContent("Report", reporterTbs(encoded, who));
    const signature = await nobleSignatures.sign(ada.keys.secretKey, content);
    const reporter = { kind: "device" as const, ...who, signature };
    const view = viewOf([mal, ada]);
    const verified = await verifyReport(opened(report, encoded, reporter), none, view);
    expect(verdictOf(verified, "reporter")).toBe("proved");
    expect(verified.reporter?.accountId).toEqual(ada.accountId);
    const changed = encode(reportCodec, { ...report, body: { ...(report.body as Complained), words: "Something else" } });
    for (const bad of [
      await verifyReport(opened(report, changed, reporter), none, view),
      await verifyReport(opened(report, encoded, { ...reporter, signature: flipped(signature, 2) }), none, view),
      await verifyReport(opened(report, encoded, { ...reporter, accountId: mal.accountId, deviceId: mal.deviceId }), none, view),
    ]) {
      expect(verdictOf(bad, "reporter")).toBe("contradicted");
      expect(bad.reporter).toBeUndefined();
    }
  });

  test("dates after its arrival are contradicted, and none is proved", async () => {
    const { mal, talk } = await people();
    const says = async (atMs: number): Promise<string> => {
      const content = createTextContent({ ...talk.head(atMs), text: "x" });
      const report = reportOf(mal, [["reported", await talk.say(mal, "", { content })]]);
      return verdictOf(await judge(report, [mal]), "time");
    };
    expect(await says(saidAtMs)).toBe("not-proved");
    expect(await says(saidAtMs + 400_000)).toBe("contradicted");
  });
});
