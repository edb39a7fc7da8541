// G11 | a forged emergency request, from a police mailbox that was broken into | P
// Source: FBI notification of November 2024; Kodex: 485 of 1,597 emergency requests failed a second verification (Krebs 2024)
// Counter-measure: nothing is looked up before a call-back to a number that was found elsewhere; two people's passkeys; a follow-up on paper (F-7, F-13, F-14)
import type { RequestDetail, RequestIntake } from "@latchkey/protocol/desk";
import { startServer } from "@latchkey/server";
import { addColleague, beginDesk } from "@latchkey/server/testing";
import type { DeskPage, TestAuthenticator } from "@latchkey/server/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TestContext } from "vitest";

interface Scene {
  /** Takes requests in, and may approve. */
  readonly ada: DeskPage;
  readonly adasKey: TestAuthenticator;
  readonly bo: DeskPage;
  readonly bosKey: TestAuthenticator;
}

async function scene({ onTestFinished }: TestContext): Promise<Scene> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-attack-"));
  onTestFinished(() => rmSync(dataDirectory, { recursive: true, force: true }));
  const server = await startServer({ port: 0, dataDirectory, logLevel: "silent" });
  onTestFinished(() => server.close());
  const { page: ada, authenticator: adasKey } = await beginDesk({ dataDirectory, url: server.url });
  const ofBo = { name: "Bo", roles: ["reviewer"] } as const;
  const { page: bo, authenticator: bosKey } = await addColleague({ dataDirectory, page: ada, authenticator: adasKey }, ofBo);
  return { ada, adasKey, bo, bosKey };
}

/** What came by e-mail, with the number under which its author waits for a call. */
const forged = (): RequestIntake => ({
  type: "us-emergency",
  receivedAtMs: Date.now() - 60_000,
  channel: "e-mail",
  authority: { name: "Springfield Police", country: "US", reference: "EDR 1" },
  officer: { name: "Sgt. Doe", email: "doe@springfield.example", phone: "+1 (555) 010-2000" },
  addressee: "chat",
  legalBasis: "18 USC 2702(c)(4)",
  language: "en",
  isEmergency: true,
  emergencyGrounds: "A child will die today. Call 555 010 2000 at once.",
  identifiers: [{ kind: "username", value: "alice" }],
  categories: ["subscriber"],
  secrecy: { kind: "none" },
  deliverTo: "doe@springfield.example",
});

async function now(page: DeskPage, { number }: { number: number }): Promise<{ number: number; revision: number }> {
  const { request } = await page.ask("request-get", { number });
  return { number, revision: request.revision };
}

async function opened(page: DeskPage): Promise<RequestDetail> {
  return (await page.ask("request-open", { intake: forged() })).request;
}

const calledBack = {
  how: "call-back",
  contact: "+1 555 777 0000",
  foundIn: "The state's list of agencies",
  answeredBy: "Dispatch",
} as const;

describe("G11", () => {
  test("a request that says that a child will die gets nothing: no look-up, no package, no release, whoever is in a hurry", async (context) => {
    const { ada } = await scene(context);
    const request = await opened(ada);
    expect(request.isEmergency).toBe(true);
    expect(await ada.refusal("request-identify", { ...(await now(ada, request)), place: 1 })).toBe("not_verified");
    for (const operation of ["request-package", "request-wait", "request-release", "request-approve-begin"] as const) {
      expect(await ada.refusal(operation, await now(ada, request)), operation).toBe("changed");
    }
  });

  test("calling the number that it gives, written however, or its mailbox, verifies nothing; nor does an e-mail in an emergency", async (context) => {
    const { ada } = await scene(context);
    const request = await opened(ada);
    const own = ["+1 555 010 2000", "15550102000", "(555) 010-2000", "doe@springfield.example"];
    for (const contact of own) {
      const verification = { ...calledBack, contact };
      expect(await ada.refusal("request-verify", { ...(await now(ada, request)), verification }), contact).toBe("not_independent");
    }
    const verification = { ...calledBack, how: "known-contact" as const };
    expect(await ada.refusal("request-verify", { ...(await now(ada, request)), verification })).toBe("not_independent");
  });

  test("whoever is deceived alone releases nothing: a second person's passkey is missing, and an emergency shortens no wait", async (context) => {
    const { ada, adasKey, bo, bosKey } = await scene(context);
    const request = await opened(ada);
    await ada.ask("request-verify", { ...(await now(ada, request)), verification: calledBack });
    await ada.ask("request-identify", { ...(await now(ada, request)), place: 1 });
    await ada.ask("request-package", await now(ada, request));
    const { options } = await ada.ask("request-approve-begin", await now(ada, request));
    const response = adasKey.get(options);
    await ada.ask("request-approve-finish", { ...(await now(ada, request)), response });
    expect(await ada.refusal("request-release", await now(ada, request))).toBe("changed");
    expect(await ada.refusal("request-approve-finish", { ...(await now(ada, request)), response })).toBe("passkey_refused");
    expect(await ada.refusal("request-approve-begin", await now(ada, request))).toBe("other_person");
    // There is somebody else, so nobody waits alone.
    expect(await ada.refusal("request-wait", await now(ada, request))).toBe("other_person");
    // Bo's session in the hands of whoever deceived Ada: without Bo's key it approves nothing.
    const begun = await bo.ask("request-approve-begin", await now(bo, request));
    expect(await bo.refusal("request-approve-finish", { ...(await now(bo, request)), response: adasKey.get(begun.options) })).toBe(
      "passkey_refused",
    );
    await bo.ask("request-approve-finish", { ...(await now(bo, request)), response: bosKey.get(begun.options) });
    const { request: released } = await ada.ask("request-release", await now(ada, request));
    // What was promised on the telephone has to come on paper, and stands there until somebody says what came.
    expect(released.openTasks.map(({ kind }) => kind)).toContain("emergency-follow-up");
    const { entries } = await ada.ask("trail-list", { after: 0 });
    const acts = entries.map(({ act, actor }) => `${actor}: ${act}`);
    for (const line of ["Ada: request verified", "Ada: package approved", "Bo: package approved", "Ada: package released"])
      expect(acts).toContain(line);
  });
});
