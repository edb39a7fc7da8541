// G11 | somebody writes as the police, in an emergency, to learn who has a name | P
// Source: forged emergency data requests to large platforms (2022; FBI alert of November 2024: 30 % of those in one count failed a second verification)
// Counter-measure: nothing is looked up before somebody was spoken with at a number that the request does not have; a clock that runs out gives nothing out; the follow-up stays until it is done (F-13, F-14, E-210)
import { join } from "node:path";
import type { RequestDetail, RequestIntake, RequestVerification } from "@latchkey/protocol/desk";
import { beginDesk } from "@latchkey/server/testing";
import type { DeskPage } from "@latchkey/server/testing";
import { describe, expect, test } from "vitest";
import { host, Scene } from "./testing/scene.ts";

const verification: RequestVerification = {
  how: "call-back",
  contact: "+49 30 4664 0",
  foundIn: "The state's own list of police stations",
  answeredBy: "The officer on duty",
};

const username = "lena";

/** The desk of a server where somebody is looked for, and a forged request for them. */
async function forgedAt(scene: Scene): Promise<{ page: DeskPage; forged: RequestIntake }> {
  await scene.person(username);
  const { page } = await beginDesk({ dataDirectory: join(scene.folder, "server"), url: scene.server.url, origin: `https://${host}` });
  const forged: RequestIntake = {
    type: "eu-production-order",
    receivedAtMs: Date.now() - 60_000,
    channel: "e-mail",
    authority: { name: "Landespolizei", country: "DE", reference: "EIL-1" },
    officer: { name: "K. Eilig", email: "lage@polizei-lage.example", phone: "+49 170 555 0199" },
    addressee: "Example Chat",
    legalBasis: "Emergency",
    language: "de",
    isEmergency: true,
    emergencyGrounds: "A life is in danger. Call me back at +49 170 555 0199, no time for the switchboard.",
    identifiers: [
      { kind: "username", value: username },
      { kind: "username", value: "nobody-of-this-name" },
    ],
    categories: ["subscriber", "identification", "traffic", "content"],
    secrecy: { kind: "open", reviewDay: new Date(Date.now() + 80 * 86_400_000).toISOString().slice(0, 10), basis: "None" },
    deliverTo: "lage@polizei-lage.example",
  };
  return { page, forged };
}

const at = ({ number, revision }: RequestDetail): { number: number; revision: number } => ({ number, revision });

describe("G11", () => {
  test("a forged emergency learns nothing of anybody: neither from the desk nor by how it answers", async () => {
    await using scene = await Scene.open();
    const { page, forged } = await forgedAt(scene);
    const { request } = await page.ask("request-open", { intake: forged });
    for (const place of [1, 2]) expect(await page.refusal("request-identify", { ...at(request), place })).toBe("not_verified");
    expect(request.preservation?.state).toBe("asked");
    expect(request.subjects.map(({ found }) => found)).toEqual([undefined, undefined]);
    const { text } = await page.ask("request-letter-preview", { number: request.number, letter: { kind: "acknowledgement" } });
    expect(text).not.toContain(forged.identifiers[0]?.value);
    for (const operation of ["request-package", "request-release", "request-wait", "request-approve-begin"] as const) {
      expect(["changed", "not_found", "not_verified"]).toContain(await page.refusal(operation, at(request)));
    }
  });

  test("the number that it asks to be called at does not verify it, however it is written, nor does its address", async () => {
    await using scene = await Scene.open();
    const { page, forged } = await forgedAt(scene);
    const { request } = await page.ask("request-open", { intake: forged });
    for (const contact of ["+49 170 555 0199", "0170/5550199", "0049-170-5550199", "LAGE@polizei-lage.example", "5550199"]) {
      const sent = { ...at(request), verification: { ...verification, contact } };
      expect([contact, await page.refusal("request-verify", sent)]).toEqual([contact, "not_independent"]);
    }
    // Nor does a register, in an emergency: it says that there is such an office, not that it asked.
    const sent = { ...at(request), verification: { ...verification, how: "court-register" as const } };
    expect(await page.refusal("request-verify", sent)).toBe("not_independent");
  });

  test("what was found out to be forged is refused, its copy goes, and it stays on the list until somebody followed it up", async () => {
    await using scene = await Scene.open();
    const { page, forged } = await forgedAt(scene);
    const { request } = await page.ask("request-open", { intake: forged });
    const refusal = { ...at(request), reason: "not-verified" as const, words: "The station has no such officer" };
    const { request: refused } = await page.ask("request-refuse", refusal);
    expect(refused).toMatchObject({ state: "refused", preservation: { state: "over" } });
    expect(refused.openTasks.map(({ kind }) => kind)).toContain("emergency-follow-up");
    expect(await page.refusal("request-verify", { ...at(refused), verification })).toBe("changed");
    expect(await page.refusal("request-identify", { ...at(refused), place: 1 })).toBe("changed");
  });

  test("after verification who asks does not change into somebody else, and each look-up is in the trail by its place alone", async () => {
    await using scene = await Scene.open();
    const { page, forged } = await forgedAt(scene);
    const { request } = await page.ask("request-open", { intake: forged });
    const { request: verified } = await page.ask("request-verify", { ...at(request), verification });
    const intake = { ...forged, officer: { name: "Somebody else" } };
    expect(await page.refusal("request-change", { ...at(verified), intake })).toBe("not_allowed");
    const { request: known } = await page.ask("request-identify", { ...at(verified), place: 1 });
    const { request: unknown } = await page.ask("request-identify", { ...at(known), place: 2 });
    expect(unknown.subjects.map(({ found }) => found?.username)).toEqual([username, undefined]);
    const { entries } = await page.ask("trail-list", { after: 0 });
    const lookups = entries.filter(({ act }) => act === "request identified").map(({ details }) => details);
    expect(lookups).toEqual(['{"request":1,"place":1}', '{"request":1,"place":2}']);
    expect(JSON.stringify(entries)).not.toContain(username);
  });
});
