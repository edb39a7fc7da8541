import { concatBytes, equalBytes, toBase64Url } from "@latchkey/codec";
import { signWithLabel } from "@latchkey/mls";
import { nodeCrypto } from "@latchkey/mls/node";
import { firstHead } from "@latchkey/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, it } from "vitest";
import { entryOrder } from "../core/order.ts";
import { suiteId } from "../core/sim.testing.ts";
import { decodeArchive, encodeArchive } from "./archive.ts";
import type { HistoryArchive } from "./archive.ts";
import { pastSaid } from "./past-said.ts";
import { JoinerWorld, stateOf } from "./shared.testing.ts";
import type { VerifiedArchive } from "./verify.ts";

type Verified = Extract<VerifiedArchive, { kind: "verified" }>;

function verified(found: VerifiedArchive): Verified {
  if (found.kind !== "verified") throw new Error(found.reason);
  return found;
}

/** The texts of what holds, in its order. */
function textsOf(found: VerifiedArchive): string[] {
  return verified(found).past.flatMap(({ content }) => (content.kind === "text" ? [content.text] : []));
}

const missing = (found: VerifiedArchive): number[][] => verified(found).gaps.map(({ count, unproven }) => [count, unproven]);

/** Four messages of two people, a receipt among them; then cyd joins. */
async function talked(seed: string): Promise<{ world: JoinerWorld; archive: HistoryArchive }> {
  const world = await JoinerWorld.create(seed, { history: "30_days", names: ["eve"] });
  const one = await world.text("ada", "one");
  await world.text("ben", "two");
  await world.say("ben", { kind: "receipt", of: one });
  await world.text("ada", "three");
  await world.text("ben", "four");
  await world.join("ada", "cyd");
  return { world, archive: await world.archive("ada") };
}

/** With other messages at the same entries. */
function withMessages(
  archive: HistoryArchive,
  change: (messages: HistoryArchive["messages"]) => HistoryArchive["messages"],
): HistoryArchive {
  return { ...archive, messages: change(archive.messages) };
}

describe("[R-5] what a joiner is given of what was said before", () => {
  it("holds: every author, every place, and nothing missing", async () => {
    const { world, archive } = await talked("holds");
    const again = decodeArchive(encodeArchive(archive));
    const found = await world.verify("cyd", again);
    expect(textsOf(found)).toEqual(["one", "two", "three", "four"]);
    expect(missing(found)).toEqual([]);
    const ada = world.device("ada");
    const places = [...ada.texts()].map(([order, text]) => `${String(order)} ${text}`);
    expect(
      verified(found).past.flatMap(({ seq, content }) => (content.kind === "text" ? [`${String(entryOrder(seq))} ${content.text}`] : [])),
    ).toEqual(places);
    expect(verified(found).past.map(({ author }) => world.sim.deviceOf(author.accountId).name)).toEqual([
      "ada",
      "ben",
      "ben",
      "ada",
      "ben",
    ]);
  });

  it("[E-120] is dropped and counted where its author did not sign it", async () => {
    const { world, archive } = await talked("altered");
    const [first] = archive.messages;
    if (first === undefined) throw new Error("a message");
    const altered = withMessages(archive, (messages) =>
      messages.map((message, at) => {
        const content = message.content.slice();
        content[content.length - 3] = (content[content.length - 3] ?? 0) ^ 1;
        return at === 1 ? { ...message, content } : message;
      }),
    );
    expect(textsOf(await world.verify("cyd", altered))).toEqual(["one", "three", "four"]);
    expect(missing(await world.verify("cyd", altered))).toEqual([[1, 1]]);
    // Another author, by another one's key, by an account that does not have the key, and by one that nobody knows.
    const [ada, ben] = archive.authors;
    if (ada === undefined || ben === undefined) throw new Error("two authors");
    for (const authors of [
      [{ ...ada, accountId: ben.accountId, deviceId: ben.deviceId }, ben],
      [{ ...ada, signaturePublicKey: ben.signaturePublicKey }, ben],
      [{ ...ada, accountId: world.device("eve").self.accountId }, ben],
      [{ ...ada, accountId: new Uint8Array(32) }, ben],
    ]) {
      const found = await world.verify("cyd", { ...archive, authors });
      expect(textsOf(found)).toEqual(["two", "four"]);
      expect(missing(found)).toEqual([
        [1, 1],
        [1, 1],
      ]);
    }
    const swapped = withMessages(archive, (messages) => messages.map((message) => ({ ...message, author: 1 - message.author })));
    expect(textsOf(await world.verify("cyd", swapped))).toEqual([]);
    expect(missing(await world.verify("cyd", swapped))).toEqual([[5, 5]]);
  });

  it("is dropped where it stands at another's place: by what its author had seen, and by its author's own numbers", async () => {
    const { world, archive } = await talked("order");
    const order = (places: readonly number[]): HistoryArchive =>
      withMessages(archive, (messages) =>
        places.flatMap((from, at) => {
          const [message, place] = [messages[from], messages[at]];
          return message === undefined || place === undefined ? [] : [{ ...message, at: place.at }];
        }),
      );
    expect(textsOf(await world.verify("cyd", order([0, 1, 2, 3, 4])))).toEqual(["one", "two", "three", "four"]);
    // "two" had seen "one"; "three" is a later one of ada's than "one".
    expect(textsOf(await world.verify("cyd", order([1, 0, 2, 3, 4])))).not.toContain("two");
    expect(missing(await world.verify("cyd", order([1, 0, 2, 3, 4])))).toEqual([[1, 1]]);
    expect(textsOf(await world.verify("cyd", order([3, 1, 2, 0, 4])))).not.toContain("three");
    // The same again in another's place.
    const twice = await world.verify("cyd", order([0, 1, 2, 0, 4]));
    expect(textsOf(twice)).toEqual(["one", "two", "four"]);
    expect(missing(twice)).toEqual([[1, 1]]);
  });

  it("tells of every message that was left out, and cannot pass one off as nothing", async () => {
    const { world, archive } = await talked("left out");
    const without = withMessages(archive, (messages) => messages.filter((_, at) => at !== 3));
    const found = await world.verify("cyd", without);
    expect(textsOf(found)).toEqual(["one", "two", "four"]);
    expect(missing(found)).toEqual([[1, 0]]);
    expect(
      missing(
        await world.verify(
          "cyd",
          withMessages(archive, () => []),
        ),
      ),
    ).toEqual([[5, 0]]);
    // An entry that is said to be something else, or that is cut out, leads to another head.
    const hole = archive.messages[3]?.at ?? 0;
    const entries = archive.entries.map((entry, at) => (at === hole ? { ...entry, kind: "complaint" as const } : entry));
    expect(await world.verify("cyd", { ...without, entries })).toEqual({ kind: "refused", reason: "chain" });
    const shorter = { ...without, entries: archive.entries.toSpliced(hole, 1), firstSeq: archive.firstSeq + 1 };
    expect(await world.verify("cyd", shorter)).toEqual({ kind: "refused", reason: "chain" });
  });

  it("is refused as a whole where it is of another log, or does not end where this device joined", async () => {
    const { world, archive } = await talked("chain");
    const other = await talked("another log");
    expect(await world.verify("cyd", other.archive)).toEqual({ kind: "refused", reason: "chain" });
    expect(await world.verify("cyd", { ...archive, entries: archive.entries.slice(0, -1) })).toEqual({ kind: "refused", reason: "chain" });
    expect(await world.verify("cyd", { ...archive, firstSeq: 0 })).toEqual({ kind: "refused", reason: "chain" });
    // Messages of another group in this one's places.
    const foreign = { ...archive, messages: other.archive.messages, authors: other.archive.authors, epochs: other.archive.epochs };
    expect(textsOf(await world.verify("cyd", { ...foreign, openings: other.archive.openings }))).toEqual([]);
    const [message] = archive.messages;
    if (message === undefined) throw new Error("a message");
    for (const wrong of [{ at: archive.entries.length - 1 }, { at: 9999 }, { epoch: 7 }, { author: 7 }])
      expect((await world.verify("cyd", { ...archive, messages: [{ ...message, ...wrong }] })).kind).toBe("refused");
    expect(
      (
        await world.verify(
          "cyd",
          withMessages(archive, (messages) => messages.toReversed()),
        )
      ).kind,
    ).toBe("refused");
  });

  it("[E-121] shows the rights by what its author signed: other settings do not open", async () => {
    const { world, archive } = await talked("settings");
    const openings = archive.openings.map((opening) => ({
      ...opening,
      settings: { ...opening.settings, roles: [{ accountId: world.device("ben").self.accountId, role: 3 }] },
    }));
    expect(textsOf(await world.verify("cyd", { ...archive, openings }))).toEqual([]);
    expect(missing(await world.verify("cyd", { ...archive, openings }))).toEqual([[5, 5]]);
  });

  it("takes one epoch of the log for one of the group, and no other for it", async () => {
    const world = await JoinerWorld.create("epochs", { history: "30_days" });
    await world.text("ada", "one");
    await world.device("ben").input({
      kind: "change",
      change: {
        id: "keys",
        adds: [],
        removes: [],
        removeDevices: [],
        proofs: new Uint8Array(0),
        update: true,
        settings: { description: "x" },
      },
    });
    await world.sim.settle();
    await world.text("ben", "two");
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    expect(archive.epochs).toHaveLength(2);
    expect(textsOf(await world.verify("cyd", archive))).toEqual(["one", "two"]);
    const [one, two] = archive.messages;
    if (one === undefined || two === undefined) throw new Error("two messages");
    const swapped = [
      { ...two, at: one.at },
      { ...one, at: two.at },
    ];
    expect(await world.verify("cyd", { ...archive, messages: swapped })).toEqual({ kind: "refused", reason: "epochs" });
    // Said in the epoch in which cyd is, or later: nobody can have said it before.
    const joined = await world.joinedAt("cyd");
    expect(joined.epoch).toBeGreaterThan(verified(await world.verify("cyd", archive)).past.at(-1)?.epoch ?? Number.POSITIVE_INFINITY);
  });

  it("is of this group, and was said before one came", async () => {
    const { world, archive } = await talked("of this group");
    // Another group may name the same log.
    expect(missing(await world.verify("cyd", archive, { groupId: new Uint8Array(32) }))).toEqual([[5, 5]]);
    expect(missing(await world.verify("cyd", archive, { host: "other.example" }))).toEqual([[5, 5]]);
    const { epoch } = verified(await world.verify("cyd", archive)).past[0] ?? { epoch: 0 };
    expect(await world.verify("cyd", archive, { epoch })).toEqual({ kind: "refused", reason: "epochs" });
    expect(textsOf(await world.verify("cyd", archive, { epoch: epoch + 1 }))).toHaveLength(4);
  });

  it("stands where its device's numbers let it, also where what was between is left out", async () => {
    const world = await JoinerWorld.create("numbers", { history: "30_days" });
    for (const text of ["one", "two", "three"]) await world.text("ada", text);
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    const [one, , three] = archive.messages.filter(({ content }) => /one|two|three/.test(Buffer.from(content).toString("latin1")));
    if (one === undefined || three === undefined) throw new Error("three messages");
    const exchanged = [
      { ...three, at: one.at },
      { ...one, at: three.at },
    ];
    const found = await world.verify("cyd", { ...archive, messages: exchanged });
    expect(textsOf(found)).toEqual(["three"]);
    expect(missing(found)).toEqual([[2, 1]]);
  });

  it("is by the one device that has its leaf in that epoch", async () => {
    const { world, archive } = await talked("leaf");
    const [, two] = archive.messages.filter(({ content }) => /one|two/.test(Buffer.from(content).toString("latin1")));
    const epoch = archive.epochs[two?.epoch ?? 0];
    if (two === undefined || epoch === undefined) throw new Error("a message");
    // Ben signs that he is at ada's leaf: behind version, wire format, the group's id and the epoch stands whose it is.
    const content = two.content.slice();
    const at = 2 + 2 + 1 + 32 + 8 + 1 + 3;
    expect(content[at]).toBe(1);
    content[at] = 0;
    const { secretKey } = world.device("ben").self.signatureKeyPair;
    const signature = await signWithLabel(nodeCrypto.suite(suiteId), {
      secretKey,
      label: "FramedContentTBS",
      content: concatBytes(content, epoch.context),
    });
    const found = await world.verify(
      "cyd",
      withMessages(archive, (messages) => messages.map((message) => (message === two ? { ...message, content, signature } : message))),
    );
    expect(textsOf(found)).toEqual(["one", "three", "four"]);
    expect(missing(found)).toEqual([[1, 1]]);
  });

  it("by a device that left its account is shown with that doubt, and what it changed is nothing", async () => {
    const { world, archive } = await talked("departed");
    const found = verified(await world.verify("cyd", archive, { standing: "departed" }));
    const { host, groupId } = stateOf(world.device("cyd"));
    const self = world.device("cyd").self.accountId;
    const said = pastSaid(found.past, { host, groupId, self, sharedBy: self, nowMs: 1_800_000_000_000, members: [] });
    expect(said).toHaveLength(4);
    for (const { device } of said) expect(device?.isDeparted).toBe(true);
  });
});

describe("[R-5] what is given and what is left out", () => {
  it("nothing of what was said while joiners were to see nothing", async () => {
    const world = await JoinerWorld.create("off", { history: "off" });
    await world.text("ada", "before");
    expect(world.device("ada").past).toEqual([]);
    const settings = { rights: { history: "30_days" as const } };
    const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
    await world.device("ada").input({ kind: "change", change: { id: "on", ...nothing, settings } });
    await world.sim.settle();
    await world.text("ben", "after");
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    expect(textsOf(await world.verify("cyd", archive))).toEqual(["after"]);
    expect(missing(await world.verify("cyd", archive))).toEqual([]);
  });

  it("not by a giver who does it all the same: what was said then is not shown", async () => {
    const world = await JoinerWorld.create("off all the same", { history: "off" });
    await world.text("ada", "before");
    const ada = world.device("ada");
    const { opening, logId } = stateOf(ada);
    const nothing = { adds: [], removes: [], removeDevices: [], proofs: new Uint8Array(0), update: false };
    const settings = { rights: { history: "30_days" as const } };
    await ada.input({ kind: "change", change: { id: "on", ...nothing, settings } });
    await world.sim.settle();
    await world.text("ben", "after");
    await world.join("ada", "cyd");
    const honest = await world.archive("ada");
    const [[order, kept] = [0, undefined]] = ada.evidence;
    if (kept === undefined) throw new Error("evidence is kept of what is shown");
    const entries = world.sim.log.entries.slice(0, honest.firstSeq + honest.entries.length - 1);
    const author = honest.authors.length;
    const { accountId, deviceId } = ada.self;
    const { content, context, signature, signaturePublicKey } = kept.evidence;
    const archive: HistoryArchive = {
      ...honest,
      firstSeq: 1,
      headBefore: firstHead(sha256, logId),
      entries: entries.map(({ entryKind: kind, epochId, blob, nextAccessHash }) => ({
        kind,
        epochId,
        blobHash: sha256(blob),
        nextAccessHash: kind === "commit" ? nextAccessHash : undefined,
      })),
      openings: [...honest.openings, opening],
      epochs: [...honest.epochs, { context, opening: honest.openings.length }],
      authors: [...honest.authors, { accountId, deviceId, signaturePublicKey }],
      messages: [
        { at: order / 16 - 1, epoch: honest.epochs.length, author, content, signature },
        ...honest.messages.map((message) => ({ ...message, at: message.at + honest.firstSeq - 1 })),
      ],
    };
    const found = await world.verify("cyd", archive);
    expect(textsOf(found)).toEqual(["after"]);
    expect(missing(found)[0]).toEqual([1, 1]);
  });

  it("by nobody who may not, and to nobody but those who joined", async () => {
    const world = await JoinerWorld.create("may", { history: "30_days", rights: { add: "everyone", shareHistory: "administrators" } });
    await world.text("ada", "one");
    await world.join("ben", "cyd");
    expect(world.device("ben").past.filter(({ kind }) => kind === "give_history")).toEqual([]);
    expect(world.device("ada").past.filter((effect) => effect.kind === "give_history" && effect.joinedSeq > 1)).toEqual([]);
  });

  it("deleted and timed messages and those of people whom the giver blocked are left out, with what was done to them, and told as missing", async () => {
    const world = await JoinerWorld.create("left out too", { history: "30_days" });
    const secret = await world.text("ada", "secret");
    await world.say("ben", { kind: "reaction", of: secret, emoji: "👍" });
    await world.say("ada", { kind: "edit", of: secret, text: "secret still" });
    await world.say("ada", { kind: "deletion", of: secret });
    await world.say("ada", { kind: "text", text: "timed", expires: 60 });
    await world.text("ben", "of ben");
    await world.text("ada", "stays");
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    const text = Buffer.from(encodeArchive(archive)).toString("latin1");
    expect(text).toContain("stays");
    for (const gone of ["secret", "timed"]) expect(text).not.toContain(gone);
    expect(textsOf(await world.verify("cyd", archive))).toEqual(["of ben", "stays"]);
    expect(missing(await world.verify("cyd", archive))).toEqual([[5, 0]]);
    // Somebody who gives it all the same: it is timed, and would not go here.
    const ada = world.device("ada");
    const at = archive.entries.findIndex(({ kind }, index) => {
      const kept = kind === "message" ? ada.evidence.get(entryOrder(archive.firstSeq + index)) : undefined;
      return kept !== undefined && Buffer.from(kept.evidence.content).includes("timed");
    });
    const kept = ada.evidence.get(entryOrder(archive.firstSeq + at));
    if (kept === undefined) throw new Error("evidence is kept");
    const { content, signature } = kept.evidence;
    const author = archive.authors.findIndex(({ accountId }) => equalBytes(accountId, ada.self.accountId));
    const false_ = withMessages(archive, (messages) =>
      [...messages, { at, epoch: 0, author, content, signature }].toSorted((a, b) => a.at - b.at),
    );
    expect(textsOf(await world.verify("cyd", false_))).toEqual(["of ben", "stays"]);
    expect(missing(await world.verify("cyd", false_))).toEqual([[5, 1]]);
    const ben = world.device("ben").self.accountId;
    const unblocked = await world.archive("ada", { isBlocked: (accountId) => equalBytes(accountId, ben) });
    expect(textsOf(await world.verify("cyd", unblocked))).toEqual(["stays"]);
    expect(missing(await world.verify("cyd", unblocked))).toEqual([[6, 0]]);
  });

  it("[X-8] what is to be seen once is given to nobody, and not shown where somebody gives it all the same", async () => {
    const world = await JoinerWorld.create("once", { history: "30_days" });
    const key = new Uint8Array(32).fill(0xa5);
    const [ada] = [world.device("ada")];
    const file = {
      kind: "picture",
      host: stateOf(ada).host,
      blobId: new Uint8Array(32).fill(7),
      key,
      prefix: new Uint8Array(7),
      hash: new Uint8Array(32),
      sizeBytes: 5,
      name: "a.jpg",
      mediaType: "image/jpeg",
      description: "",
    } as const;
    await world.say("ben", { kind: "text", text: "look", files: [file] });
    await world.text("ada", "stays");
    await world.join("ada", "cyd");
    const archive = await world.archive("ada");
    expect(Buffer.from(encodeArchive(archive)).includes(key)).toBe(false);
    expect(textsOf(await world.verify("cyd", archive))).toEqual(["stays"]);
    expect(missing(await world.verify("cyd", archive))).toEqual([[1, 0]]);
    const kept = [...ada.evidence].find(([, { evidence }]) => Buffer.from(evidence.content).includes(key));
    if (kept === undefined) throw new Error("evidence was kept");
    const at = archive.entries.findIndex((_, index) => entryOrder(archive.firstSeq + index) === kept[0]);
    const { content, signature } = kept[1].evidence;
    const ben = world.device("ben").self;
    const { accountId, deviceId } = ben;
    const authors = [...archive.authors, { accountId, deviceId, signaturePublicKey: ben.signatureKeyPair.publicKey }];
    const message = { at, epoch: 0, author: authors.length - 1, content, signature };
    const given = { ...withMessages(archive, (messages) => [...messages, message].toSorted((a, b) => a.at - b.at)), authors };
    expect(textsOf(await world.verify("cyd", given))).toEqual(["stays"]);
    expect(missing(await world.verify("cyd", given))).toEqual([[1, 1]]);
  });

  it("as far back as the group's policy says", async () => {
    const world = await JoinerWorld.create("reach", { history: "100_messages" });
    for (let at = 0; at < 103; at++) await world.text(at % 2 === 0 ? "ada" : "ben", `n${String(at)}`);
    await world.join("ada", "cyd");
    const texts = textsOf(await world.verify("cyd", await world.archive("ada")));
    expect(texts).toHaveLength(100);
    expect(texts[0]).toBe("n3");
    const nowMs = 1_700_000_500_000 + 2 * 86_400_000;
    await expect(world.archive("ada", { policy: "1_day", nowMs })).rejects.toThrow("nothing to give");
    expect(textsOf(await world.verify("cyd", await world.archive("ada", { policy: "7_days", nowMs })))).toHaveLength(103);
  });

  it("edits and reactions come with what they are about, and are folded as for everybody", async () => {
    const world = await JoinerWorld.create("folded", { history: "30_days" });
    const one = await world.text("ada", "one");
    await world.say("ben", { kind: "reaction", of: one, emoji: "👍" });
    await world.say("ada", { kind: "edit", of: one, text: "won" });
    await world.join("ada", "cyd");
    const found = verified(await world.verify("cyd", await world.archive("ada")));
    const { host, groupId } = stateOf(world.device("cyd"));
    const self = world.device("cyd").self.accountId;
    const said = pastSaid(found.past, {
      host,
      groupId,
      self,
      sharedBy: world.device("ada").self.accountId,
      nowMs: 1_800_000_000_000,
      members: [],
    });
    const own = world.device("ben").said;
    expect(
      said.map(({ id, order, body, author, may, claimedAtMs }) => ({ id: toBase64Url(id), order, body, author, may, claimedAtMs })),
    ).toEqual(own.map(({ id, order, body, author, may, claimedAtMs }) => ({ id: toBase64Url(id), order, body, author, may, claimedAtMs })));
  });
});
