// G12 | somebody at the desk looks people up, reads what is not theirs, decides alone or rewrites what was done | P
// Source: staff look-ups at large services (Uber "God View" 2014; Twitter 2022); two people, purpose, log
// Counter-measure: no case, no look-up; roles; an appeal is another person's; every reading and act in a chained trail (F-5, F-10, E-171, E-172)
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { deskApiPath } from "@latchkey/protocol/desk";
import type { DeskRole } from "@latchkey/protocol/desk";
import { startServer } from "@latchkey/server";
import type { RunningServer } from "@latchkey/server";
import { DeskPage, TestAuthenticator, TestReporter, addColleague, beginDesk, proofOf } from "@latchkey/server/testing";
import { describe, expect, test } from "vitest";
import type { TestContext } from "vitest";

interface Scene {
  readonly server: RunningServer;
  readonly dataDirectory: string;
  /** The first administrator. */
  readonly ada: DeskPage;
  readonly adasKey: TestAuthenticator;
}

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  const server = await startServer({ port: 0, dataDirectory, logLevel: "silent" });
  onTestFinished(() => server.close());
  const { page, authenticator } = await beginDesk({ dataDirectory, url: server.url });
  return { server, dataDirectory, ada: page, adasKey: authenticator };
}

type Hand = Awaited<ReturnType<typeof addColleague>>;

function colleague({ dataDirectory, ada, adasKey }: Scene, name: string, roles: readonly DeskRole[]): Promise<Hand> {
  return addColleague({ dataDirectory, page: ada, authenticator: adasKey }, { name, roles });
}

/** Somebody reports somebody, and it is case 1. */
async function reported({ server }: Scene): Promise<{ reporter: TestReporter; report: ReturnType<TestReporter["report"]> }> {
  const reporter = await TestReporter.of(server);
  const report = reporter.report();
  await reporter.send(await reporter.seal(report));
  await reporter.answers(report, 1);
  return { reporter, report };
}

describe("G12", () => {
  test("nothing at the desk answers for a name, an account or a case that is not there, whatever it is called", async (context) => {
    const { ada } = await scene(context);
    for (const operation of [
      "account-get",
      "lookup",
      "lookup_username",
      "accounts",
      "holdings",
      "case-search",
      "__proto__",
      "constructor",
    ]) {
      expect(await ada.send(operation, { username: "alice" }), operation).toMatchObject({ status: 404, body: { code: "not_found" } });
    }
    expect(await ada.send("case-get", { number: 1, username: "alice" })).toMatchObject({ status: 400 });
    expect(await ada.send("case-get", { number: 1 })).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect(await ada.send("case-list", { username: "alice" })).toMatchObject({ status: 400 });
  });

  test("an administrator who is curious gives themselves a role, and the auditor sees it, and each case that was read", async (context) => {
    const world = await scene(context);
    const { page: eve, authenticator: evesKey } = await colleague(world, "Eve", ["administrator"]);
    const { page: aud } = await colleague(world, "Aud", ["auditor"]);
    await reported(world);
    expect(await eve.refusal("case-get", { number: 1 })).toBe("not_allowed");
    expect(await eve.send("attachments/1/1", {})).toMatchObject({ status: 404 });
    expect((await fetch(`${world.server.url}${deskApiPath}/attachments/1/1`, { headers: { cookie: eve.cookie } })).status).toBe(403);
    const me = (await eve.ask("session", {})).staff;
    const roles = ["administrator", "moderator"] as const;
    const proof = await proofOf(eve, evesKey, { act: "grant", name: "Eve", roles });
    await eve.ask("staff-set", { id: me.id, roles, isActive: true, proof });
    await eve.ask("case-get", { number: 1 });
    const { entries } = await aud.ask("trail-list", { after: 0 });
    const hers = entries.filter(({ actor }) => actor === "Eve").map(({ act, caseNumber }) => [act, caseNumber]);
    expect(hers).toEqual([
      ["passkey made", undefined],
      ["staff changed", undefined],
      ["case read", 1],
    ]);
  });

  test("who has an administrator's session, and not their passkey, names nobody who approves or names others, and gives nobody's name another key", async (context) => {
    const world = await scene(context);
    const { page: ben } = await colleague(world, "Ben", ["reviewer"]);
    const thief = new DeskPage(world.server.url);
    thief.cookie = world.ada.cookie;
    const { staff } = await thief.ask("staff-list", {});
    const idOf = (name: string): string => staff.find((one) => one.name === name)?.id ?? "";
    const ownKey = new TestAuthenticator(world.server.url);
    for (const roles of [["reviewer"], ["moderator"], ["administrator"], ["intake", "reviewer"]] as const) {
      expect(await thief.refusal("staff-invite", { name: "Eve", roles })).toBe("passkey_refused");
      const proof = await proofOf(thief, ownKey, { act: "grant", name: "Eve", roles });
      expect(await thief.refusal("staff-invite", { name: "Eve", roles, proof })).toBe("passkey_refused");
    }
    // Nor by way of somebody who may do less, or of those who are there.
    const { staff: eve, code } = await thief.ask("staff-invite", { name: "Eve", roles: ["intake"] });
    const evesPage = new DeskPage(world.server.url);
    await evesPage.enrol(code);
    expect(await thief.refusal("staff-set", { id: eve.id, roles: ["reviewer"], isActive: true })).toBe("passkey_refused");
    for (const name of ["Ada", "Ben"]) expect(await thief.refusal("staff-invite", { id: idOf(name) })).toBe("passkey_refused");
    // Who may do less today may do more tomorrow: a key under their name would count then.
    expect(await thief.refusal("staff-invite", { id: eve.id })).toBe("passkey_refused");
    // Locked, and let in again: with nothing but what they had, and that takes a passkey, too.
    await thief.ask("staff-set", { id: idOf("Ben"), roles: ["reviewer"], isActive: false });
    expect(await thief.refusal("staff-set", { id: idOf("Ben"), roles: ["reviewer"], isActive: true })).toBe("passkey_refused");
    expect(await ben.refusal("session", {})).toBe("not_signed_in");
  });

  test("who decided does not decide the appeal", async (context) => {
    const world = await scene(context);
    const { ada } = world;
    const { reporter, report } = await reported(world);
    const { number, revision } = (await ada.ask("case-get", { number: 1 })).case;
    const decision = {
      kind: "dismiss",
      facts: "No.",
      category: "OTHER_VIOLATION_TC",
      contentTypes: ["TEXT"],
      territory: [],
      toReporter: "",
    } as const;
    await ada.ask("case-decide", { cases: [{ number, revision }], decision });
    const [, decided] = await reporter.answers(report, 2);
    if (decided?.kind !== "decided") throw new Error("it is decided");
    const appeal = reporter.appeal(decided.puid, report);
    await reporter.send(await reporter.seal(appeal));
    await reporter.answers(appeal, 1);
    const now = (await ada.ask("case-get", { number })).case;
    expect(now).toMatchObject({ state: "appealed", mayDecideAppeal: false });
    const uphold = { number, revision: now.revision, appeal: 1, outcome: "upheld", words: "No." } as const;
    expect(await ada.refusal("appeal-decide", uphold)).toBe("other_person");
    expect((await ada.ask("trail-verify", {})).brokenAt).toBeUndefined();
  });

  test("who writes on the disk what was not done is found by whoever noted the head before", async (context) => {
    const world = await scene(context);
    const { server, dataDirectory, ada, adasKey } = world;
    await reported(world);
    await ada.ask("case-get", { number: 1 });
    const { head, entries } = await ada.ask("trail-verify", {});
    await server.close();
    const database = new DatabaseSync(join(dataDirectory, "desk.sqlite"));
    database.exec("DELETE FROM trail WHERE act = 'case read'");
    database.close();
    await using again = await startServer({ port: server.port, dataDirectory, logLevel: "silent" });
    const page = new DeskPage(again.url);
    await page.signIn(adasKey);
    const check = await page.ask("trail-verify", {});
    expect(check.brokenAt).toBeLessThanOrEqual(entries);
    expect(check.head).not.toBe(head);
  });
});
