import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { RequestDetail, RequestIntake } from "@latchkey/protocol/desk";
import { verifyRelease } from "@latchkey/releases";
import { describe, expect, test } from "vitest";
import { dayMs } from "../../../../days.ts";
import { deskDatabaseFile } from "../../database.ts";
import type { Colleague } from "../../office.testing.ts";
import { addAccount, approved, beginReleasing, holdingsWith, packaged, reread, verifiedRequest } from "./release.testing.ts";
import type { ReleasingDesk } from "./release.testing.ts";

const none = { kind: "none" } as const;

/** An order to preserve, verified, whose copy is kept. */
async function preserved(scene: ReleasingDesk, parts: Partial<RequestIntake> = {}): Promise<RequestDetail> {
  return verifiedRequest(scene, { type: "us-preservation", secrecy: none, ...parts }).then(async (request) => {
    await scene.ines.ask("request-preserve", at(request));
    await scene.desk.idle();
    return reread(scene.ines, request);
  });
}

/** The request that follows it: nothing of it is preserved by itself. */
function following(scene: ReleasingDesk, parts: Partial<RequestIntake> = {}): Promise<RequestDetail> {
  return verifiedRequest(scene, { type: "us-court-order", secrecy: none, categories: ["subscriber"], ...parts });
}

function at({ number, revision }: RequestDetail): { number: number; revision: number } {
  return { number, revision };
}

async function madeOf({ ines }: ReleasingDesk, request: RequestDetail, keeper: RequestDetail): Promise<RequestDetail> {
  return (await ines.ask("request-package", { ...at(request), copyOf: keeper.number })).request;
}

describe("a copy that an order to preserve had kept", () => {
  test("[F-14] goes out with the request that follows it, as it was: by two who approve exactly it, and the release says for which order it was kept and what it leaves out", async () => {
    const scene = await beginReleasing();
    const { desk, ines, ana, ben } = scene;
    const id = addAccount(desk, "oscar");
    const keptMs = desk.nowMs;
    const keeper = await preserved(scene);
    expect(keeper.preservation?.state).toBe("kept");
    // The account is changed, then deleted: who asks now finds nobody.
    desk.world.holdings.delete(id);
    desk.world.accounts.delete("oscar");
    desk.nowMs += 20 * dayMs;
    const request = await following(scene, { categories: ["subscriber", "traffic"] });
    expect(request.subjects[0]?.found?.accountId).toBeUndefined();
    expect(request.keptForOthers).toMatchObject([{ number: keeper.number, places: [1], asOfMs: keptMs }]);
    let made = await madeOf(scene, request, keeper);
    expect(made.release).toMatchObject({ copyOf: keeper.number, accounts: 1 });
    made = await approved(ben, await approved(ana, made));
    await ines.ask("request-release", at(made));
    const zip = ines.release(made.number);
    const { manifest, problems } = await verifyRelease(zip);
    expect(problems).toEqual([]);
    const [file] = manifest.files;
    expect(file).toMatchObject({ accountId: id, isPreserved: true, keptFor: keeper.number, asOf: new Date(keptMs).toISOString() });
    // The order was for the subscriber alone: what else was held then is not in the copy, and that is said.
    expect(file?.notKept).toContain("updates.day");
    expect(file?.leftOut).toEqual([]);
    expect(Buffer.from(zip).toString("latin1")).toContain("name-oscar");
    expect((await reread(ines, keeper)).events.at(-1)).toMatchObject({ kind: "copy-given", text: String(request.number), by: "Ines" });
    const { entries } = await ines.ask("trail-list", { after: 0 });
    const said = entries.filter(({ act }) => ["package made", "package released", "kept copy given out"].includes(act));
    expect(said.map(({ act, details }) => [act, JSON.parse(details)])).toMatchObject([
      ["package made", { request: request.number, copyOf: keeper.number }],
      ["package released", { request: request.number, copyOf: keeper.number }],
      ["kept copy given out", { request: keeper.number, to: request.number }],
    ]);
    // It is kept on, until its own end.
    expect((await reread(ines, keeper)).preservation?.state).toBe("kept");
  });

  test("[F-14] [E-244] of another account is neither offered nor given, whatever it is called now", async () => {
    const scene = await beginReleasing();
    const { desk, ines } = scene;
    addAccount(desk, "oscar");
    addAccount(desk, "olga");
    const keeper = await preserved(scene);
    const other = await following(scene, { identifiers: [{ kind: "username", value: "olga" }] });
    expect(other.keptForOthers).toEqual([]);
    expect(await ines.refusal("request-package", { ...at(other), copyOf: keeper.number })).toBe("changed");
    // Somebody else is called so by now.
    desk.world.accounts.delete("oscar");
    const newId = addAccount(desk, "oscar");
    const later = await following(scene);
    expect(later.subjects[0]?.found?.accountId).toBe(newId);
    expect(later.keptForOthers).toEqual([]);
    expect(await ines.refusal("request-package", { ...at(later), copyOf: keeper.number })).toBe("changed");
    // Numbers of requests that there are not, that keep nothing, or that are it itself.
    for (const copyOf of [other.number, later.number]) {
      expect(await ines.refusal("request-package", { ...at(later), copyOf })).toBe("changed");
    }
    expect(await ines.refusal("request-package", { ...at(later), copyOf: 99 })).toBe("not_found");
    expect(await ines.refusal("request-package", { ...at(later), copyOf: 0 })).toBe("malformed");
  });

  test("[F-14] [E-244] whose time is over goes out no more: neither into a package, nor with one that was approved, also while nobody has erased it", async () => {
    const scene = await beginReleasing();
    const { desk, ines, ana, ben } = scene;
    addAccount(desk, "oscar");
    const keeper = await preserved(scene);
    const made = await approved(ben, await approved(ana, await madeOf(scene, await following(scene), keeper)));
    expect(made.state).toBe("approved");
    desk.nowMs = keeper.preservation?.untilMs ?? 0;
    expect((await reread(ines, made)).keptForOthers).toEqual([]);
    expect(await ines.refusal("request-release", at(made))).toBe("changed");
    expect(await ines.refusal("request-package", { ...at(made), copyOf: keeper.number })).toBe("changed");
    // With its erasure goes what was put together of it.
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 2000, isDoubted: false });
    const after = await reread(ines, made);
    expect(after).toMatchObject({ state: "verified", events: expect.arrayContaining([expect.objectContaining({ kind: "copy-gone" })]) });
    expect(after.release).toBeUndefined();
    expect(await ana.refusal("request-approve-begin", at(made))).toBe("changed");
  });

  test.each([
    ["refused", (who: Colleague, keeper: RequestDetail) => who.ask("request-refuse", { ...at(keeper), reason: "no-basis", words: "No" })],
    ["disputed", (who: Colleague, keeper: RequestDetail) => who.ask("request-challenge", { ...at(keeper), ground: "form", words: "No" })],
    ["ended", (who: Colleague, keeper: RequestDetail) => who.ask("request-preservation-end", { ...at(keeper), words: "Annex V" })],
  ] as const)("[F-14] of an order that was %s goes out no more, and takes the package along", async (_, act) => {
    const scene = await beginReleasing();
    const { desk, ines, ana } = scene;
    addAccount(desk, "oscar");
    const keeper = await preserved(scene);
    const made = await approved(ana, await madeOf(scene, await following(scene), keeper));
    await act(ines, keeper);
    const after = await reread(ines, made);
    expect(after.release).toBeUndefined();
    expect(after.keptForOthers).toEqual([]);
    expect(await ines.refusal("request-package", { ...at(after), copyOf: keeper.number })).toBe("changed");
  });

  test("[F-14] goes out for no request that is closed, refused or not verified, and for no order of which nobody knows whose it is", async () => {
    const scene = await beginReleasing();
    const { desk, ines } = scene;
    addAccount(desk, "oscar");
    const refused = await following(scene);
    // A European order is preserved at intake: before it was verified its copy is nobody's to give.
    const identifiers = [{ kind: "username", value: "oscar" }] as const;
    const intake = { ...refused.intake, type: "eu-preservation-order", identifiers };
    const unverified = (await ines.ask("request-open", { intake })).request;
    await desk.idle();
    expect((await reread(ines, refused)).keptForOthers).toEqual([]);
    expect(await ines.refusal("request-package", { ...at(refused), copyOf: unverified.number })).toBe("changed");
    const keeper = await preserved(scene);
    const no = (await ines.ask("request-refuse", { ...at(refused), reason: "no-basis", words: "No" })).request;
    expect(await ines.refusal("request-package", { ...at(no), copyOf: keeper.number })).toBe("changed");
    const closed = (await ines.ask("request-close", { ...at(no), words: "Over" })).request;
    expect(await ines.refusal("request-package", { ...at(closed), copyOf: keeper.number })).toBe("changed");
  });

  test("[F-14] [F-7] of two who release it at once one does, and it is given whole to each request that is approved by itself", async () => {
    const scene = await beginReleasing();
    const { desk, ines, ana, ben } = scene;
    addAccount(desk, "oscar");
    const keeper = await preserved(scene);
    const both: RequestDetail[] = [];
    for (const request of [await following(scene), await following(scene)]) {
      both.push(await approved(ben, await approved(ana, await madeOf(scene, request, keeper))));
    }
    const outcomes = await Promise.allSettled([...both, ...both].map((one) => ines.ask("request-release", at(one))));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
    const [first, second] = both.map(({ number }) => ines.release(number));
    expect(first).not.toEqual(second);
    const digests = await Promise.all([first, second].map(async (zip) => (await verifyRelease(zip ?? new Uint8Array())).digest));
    expect(digests).toEqual(both.map(({ release }) => release?.packageHash));
    const { entries } = await ines.ask("trail-list", { after: 0 });
    expect(entries.filter(({ act }) => act === "kept copy given out")).toHaveLength(2);
  });

  test("[F-14] is no more than either asks for: what the order was narrowed to since, and what the request is", async () => {
    const scene = await beginReleasing();
    const { desk, ines, ana, ben } = scene;
    addAccount(desk, "oscar");
    addAccount(desk, "olga");
    const identifiers = [
      { kind: "username", value: "oscar" },
      { kind: "username", value: "olga" },
    ] as const;
    let keeper = await preserved(scene, { identifiers, categories: ["subscriber", "traffic"] });
    const scope = { identifiers: [1], categories: ["subscriber"] as const };
    ({ request: keeper } = await ines.ask("request-narrow", { ...at(keeper), scope, words: "Too much" }));
    const request = await following(scene, { identifiers: [...identifiers].toReversed(), categories: ["subscriber", "traffic"] });
    expect(request.keptForOthers).toMatchObject([{ number: keeper.number, places: [2] }]);
    const made = await approved(ben, await approved(ana, await madeOf(scene, request, keeper)));
    await ines.ask("request-release", at(made));
    const zip = ines.release(made.number);
    const { manifest } = await verifyRelease(zip);
    // Olga was narrowed out of the order: of her is given what is held now.
    expect(manifest.files).toMatchObject([{ isPreserved: false }, { isPreserved: true, keptFor: keeper.number }]);
    expect(manifest.files[1]?.notKept).toContain("updates.day");
    const narrow = await following(scene, { categories: ["traffic"] });
    const little = await madeOf(scene, narrow, keeper);
    const { bytes } = await ines.ask("request-package-file", { number: little.number, name: "account-1.json" });
    expect(Buffer.from(bytes, "base64url").toString()).not.toContain("name-oscar");
  });

  test("[F-14] that ends while something is put together of it is not in it", async () => {
    const scene = await beginReleasing();
    const { desk, ines } = scene;
    addAccount(desk, "oscar");
    const olga = addAccount(desk, "olga");
    const keeper = await preserved(scene);
    const identifiers = [
      { kind: "username", value: "oscar" },
      { kind: "username", value: "olga" },
    ] as const;
    const request = await following(scene, { identifiers });
    desk.world.holdingsOf = async () => {
      await ines.ask("request-preservation-end", { ...at(await reread(ines, keeper)), words: "Annex V" });
      return holdingsWith(olga, "olga");
    };
    expect(await ines.refusal("request-package", { ...at(request), copyOf: keeper.number })).toBe("changed");
    expect((await reread(ines, request)).release).toBeUndefined();
  });

  test("[F-8] [F-14] tells nobody of an order that is secret still: the notice waits for the longer of both", async () => {
    const scene = await beginReleasing();
    const { desk, ines, ana, ben } = scene;
    const id = addAccount(desk, "oscar");
    desk.world.cards.set(id, []);
    const untilDay = new Date(desk.nowMs + 40 * dayMs).toISOString().slice(0, 10);
    const keeper = await preserved(scene, { secrecy: { kind: "until", untilDay, basis: "2705(b)" } });
    const request = await following(scene);
    const made = await approved(ben, await approved(ana, await madeOf(scene, request, keeper)));
    const { request: released } = await ines.ask("request-release", at(made));
    expect(released.notice).toMatchObject({ owner: "us", state: "goes" });
    expect(released.notice.atMs).toBeGreaterThan(desk.nowMs + 41 * dayMs);
    // Without the copy it goes at once.
    const plain = await approved(ben, await approved(ana, await packaged(ines, await following(scene))));
    const { request: now } = await ines.ask("request-release", at(plain));
    expect(now.notice.atMs).toBe(desk.nowMs);
    // By an order that is secret without an end nobody is told by time alone.
    const secrecy = { kind: "open", reviewDay: untilDay, basis: "2705(b)" } as const;
    await ines.ask("request-secrecy", { ...at(await reread(ines, keeper)), secrecy, words: "Extended" });
    expect((await reread(ines, released)).notice.state).toBe("waits");
  });

  test("[F-14] of a desk from before it was written down what a copy leaves out is given with nothing said of that", async () => {
    const scene = await beginReleasing();
    const { desk, ines } = scene;
    addAccount(desk, "oscar");
    const keeper = await preserved(scene);
    const database = new DatabaseSync(join(desk.directory, deskDatabaseFile));
    database.exec("UPDATE request_copies SET left_out = NULL");
    database.close();
    const made = await madeOf(scene, await following(scene), keeper);
    const { bytes } = await ines.ask("request-package-file", { number: made.number, name: "manifest.json" });
    expect(JSON.parse(Buffer.from(bytes, "base64url").toString())).toMatchObject({ files: [{ keptFor: keeper.number, notKept: [] }] });
  });
});
