import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { verifyRelease } from "@latchkey/releases";
import { describe, expect, test } from "vitest";
import { openOfCase } from "../../case-key.ts";
import { deskDatabaseFile } from "../../database.ts";
import { loadDeskSecrets } from "../../desk-keys.ts";
import type { TestDesk } from "../../office.testing.ts";
import { intakeOf } from "../requests.testing.ts";
import { addAccount, approved, beginReleasing, holdingsWith, packaged, reread, verifiedRequest } from "./release.testing.ts";
import { Vault } from "./vault.ts";

const day = 86_400_000;

/** What whoever has the database has: a request's key, and what is sealed for it. */
function rowsOf({ directory }: TestDesk): { key: Uint8Array; copies: readonly Uint8Array[]; files: readonly Uint8Array[] } {
  const database = new DatabaseSync(join(directory, deskDatabaseFile), { readOnly: true });
  const bytesOf = (sql: string): readonly Uint8Array[] =>
    database
      .prepare(sql)
      .all()
      .map((row) => row["bytes"] as Uint8Array);
  const [key = new Uint8Array()] = bytesOf("SELECT key AS bytes FROM requests");
  const rows = { key, copies: bytesOf("SELECT bytes FROM request_copies"), files: bytesOf("SELECT bytes FROM request_package_files") };
  database.close();
  return rows;
}

describe("a copy that is kept for a request", () => {
  test("[F-6] is made at once where the type says so, of what was asked for alone, and what it found nobody is told before the request is verified", async () => {
    const { desk, ines } = await beginReleasing();
    addAccount(desk, "oscar");
    addAccount(desk, "olga");
    const known = (await ines.ask("request-open", { intake: intakeOf({ receivedAtMs: desk.nowMs, secrecy: { kind: "none" } }) })).request;
    const identifiers = [{ kind: "username", value: "nobody" }] as const;
    const unknown = (
      await ines.ask("request-open", { intake: intakeOf({ receivedAtMs: desk.nowMs, secrecy: { kind: "none" }, identifiers }) })
    ).request;
    await desk.idle();
    expect(desk.world.asked.filter((name) => name === "olga")).toEqual([]);
    expect((await reread(ines, known)).preservation?.state).toBe("asked");
    expect((await reread(ines, unknown)).preservation?.state).toBe("asked");
    const verification = { how: "call-back", contact: "+49 30 12345678", foundIn: "The court's page", answeredBy: "Registry" } as const;
    for (const [request, state] of [
      [known, "kept"],
      [unknown, "nothing"],
    ] as const) {
      const { revision } = await reread(ines, request);
      const verified = await ines.ask("request-verify", { number: request.number, revision, verification });
      expect(verified.request.preservation?.state).toBe(state);
    }
  });

  test("[F-6] holds what was there then: neither a change of the account nor its deletion touches it, and the release says of when it is", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    const id = addAccount(desk, "oscar");
    const keptMs = desk.nowMs;
    const request = await verifiedRequest({ desk, ines });
    // Changed, then gone.
    desk.world.holdings.set(id, holdingsWith(id, "afterwards"));
    desk.world.holdings.delete(id);
    desk.world.accounts.delete("oscar");
    desk.nowMs += 2 * day;
    const { request: gone } = await ines.ask("request-identify", {
      number: request.number,
      revision: (await reread(ines, request)).revision,
      place: 1,
    });
    expect(gone.subjects[0]?.found?.accountId).toBeUndefined();
    const made = await approved(ben, await approved(ana, await packaged(ines, gone)));
    await ines.ask("request-release", { number: made.number, revision: made.revision });
    const { manifest } = await verifyRelease(ines.release(made.number));
    expect(manifest.files).toMatchObject([{ accountId: id, isPreserved: true, asOf: new Date(keptMs).toISOString() }]);
    expect(Buffer.from(ines.release(made.number)).toString("latin1")).toContain("name-oscar");
  });

  test("[F-6] goes by itself on its day, with whoever had it extended, and at once when somebody ends it", async () => {
    const { desk, ines } = await beginReleasing();
    const id = addAccount(desk, "oscar");
    const type = "eu-preservation-order";
    const asked = { type, secrecy: { kind: "none" as const } };
    const [first, second] = [await verifiedRequest({ desk, ines }, asked), await verifiedRequest({ desk, ines }, asked)];
    let kept = await reread(ines, first);
    expect(kept.preservation).toMatchObject({ state: "kept", mayExtend: true });
    const { request: extended } = await ines.ask("request-preservation-extend", {
      number: kept.number,
      revision: kept.revision,
      words: "Annex VI",
    });
    const later = extended.preservation?.untilMs ?? 0;
    expect(later).toBeGreaterThan((kept.preservation?.untilMs ?? 0) + 29 * day);
    const ended = await reread(ines, second);
    await ines.ask("request-preservation-end", { number: ended.number, revision: ended.revision, words: "Annex V" });
    const places = (): number => rowsOf(desk).copies.length;
    expect(places()).toBe(1);
    // A clock that is doubted erases nothing.
    desk.nowMs = later;
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 2000, isDoubted: true });
    expect(places()).toBe(1);
    desk.office.tick({ nowMs: later - 1, passedMs: 2000, isDoubted: false });
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 3000, isDoubted: false });
    expect(places()).toBe(0);
    kept = await reread(ines, first);
    expect(kept.preservation?.state).toBe("over");
    expect(id).toBeDefined();
  });

  test("[F-6] that could not be made is made with the next look, also after a crash", async () => {
    const { desk, ines } = await beginReleasing();
    addAccount(desk, "oscar");
    const { holdingsOf } = desk.world;
    let fails = true;
    desk.world.holdingsOf = (params) => (fails ? Promise.reject(new Error("no room")) : holdingsOf(params));
    await ines.ask("request-open", { intake: intakeOf({ receivedAtMs: desk.nowMs, secrecy: { kind: "none" } }) });
    await desk.idle();
    expect(desk.bugs).toHaveLength(1);
    expect(rowsOf(desk).copies.length).toBe(0);
    fails = false;
    await desk.restart();
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 2000, isDoubted: false });
    await desk.idle();
    expect(rowsOf(desk).copies.length).toBe(1);
  });

  test("[F-6] [F-7] of many accounts one is read at a time, a crash between two keeps what was kept, and a package that is too large is refused", async () => {
    const { desk, ines } = await beginReleasing();
    const names = ["oscar", "olga", "otto"];
    const ids = names.map((name) => addAccount(desk, name));
    const { holdingsOf } = desk.world;
    const read: string[] = [];
    let under = 0;
    desk.world.holdingsOf = async (params) => {
      under += 1;
      expect(under).toBe(1);
      read.push(Buffer.from(params.accountId).toString("base64url"));
      const held = await holdingsOf(params);
      under -= 1;
      if (read.length === 2) throw new Error("the server stops here");
      return held;
    };
    const identifiers = names.map((value) => ({ kind: "username" as const, value }));
    const intake = intakeOf({ receivedAtMs: desk.nowMs, secrecy: { kind: "none" }, identifiers });
    const { request } = await ines.ask("request-open", { intake });
    await desk.idle();
    expect(rowsOf(desk).copies.length).toBe(1);
    await desk.restart();
    desk.office.tick({ nowMs: desk.nowMs, passedMs: 2000, isDoubted: false });
    await desk.idle();
    expect(rowsOf(desk).copies.length).toBe(3);
    // The first is read once.
    expect(read).toEqual([ids[0], ids[1], ids[1], ids[2]]);
    expect(request.number).toBe(1);
    desk.world.holdingsOf = holdingsOf;
    const again = await desk.again("Ines");
    // 66 MiB in three that are ordered whole.
    const everything = ["subscriber", "identification", "traffic", "content"] as const;
    const big = ["a", "b", "c"].map((name) => {
      const id = addAccount(desk, name);
      desk.world.holdings.set(id, holdingsWith(id, name.repeat(5_600_000)));
      return { kind: "username" as const, value: name };
    });
    const large = await verifiedRequest(
      { desk, ines: again },
      { type: "us-emergency", isEmergency: true, emergencyGrounds: "Danger", categories: everything, identifiers: big },
    );
    expect(await again.refusal("request-package", { number: large.number, revision: large.revision })).toBe("too_large");
    const scope = { identifiers: [1, 2], categories: everything };
    const { request: narrowed } = await again.ask("request-narrow", {
      number: large.number,
      revision: large.revision,
      scope,
      words: "In parts",
    });
    const made = await packaged(again, narrowed);
    expect(made.release?.accounts).toBe(2);
  });

  test("[F-7] neither copies nor packages are opened by the database alone", async () => {
    const { desk, ines } = await beginReleasing();
    addAccount(desk, "oscar");
    await packaged(ines, await verifiedRequest({ desk, ines }));
    const { key, copies, files } = rowsOf(desk);
    expect(copies).toHaveLength(1);
    expect(files).toHaveLength(1);
    for (const sealed of [...copies, ...files]) expect(() => openOfCase(key, sealed)).toThrow();
    // With the desk's key, which lies in another file, it is what was kept.
    const vault = new Vault(await loadDeskSecrets(desk.directory, { isBegun: true }));
    for (const sealed of [...copies, ...files]) expect(Buffer.from(vault.open(key, sealed)).toString()).toContain("name-oscar");
  });
});
