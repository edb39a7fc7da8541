import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defaultLimits } from "../../config.ts";
import { deskAttachmentsPath, deskRoles } from "@latchkey/protocol/desk";
import { answer, ask } from "../../testing/ask-admin.ts";
import { TestAuthenticator } from "../../testing/authenticator.ts";
import { DeskPage, addColleague, beginDesk, proofOf } from "../../testing/desk-page.ts";
import { runServer, temporaryDirectory } from "../../testing/fixtures.ts";

async function running(): Promise<{ dataDirectory: string; url: string }> {
  const dataDirectory = temporaryDirectory();
  const { url } = await runServer({ dataDirectory });
  return { dataDirectory, url };
}

test("[E-170] until the operator begins it there is no desk: no database, and its paths are ones that there are not", async () => {
  const { dataDirectory, url } = await running();
  const page = new DeskPage(url);
  for (const operation of ["session", "sign-in-begin", "case-list", "nothing-of-this-name"]) {
    expect(await page.send(operation, {})).toMatchObject({ status: 404, body: { code: "not_found" } });
  }
  expect(existsSync(join(dataDirectory, "desk.sqlite"))).toBe(false);
  await answer(dataDirectory, "desk-start", { name: "Ada" });
  expect(statSync(join(dataDirectory, "desk.sqlite")).mode & 0o777).toBe(0o600);
  expect(await page.refusal("session", {})).toBe("not_signed_in");
});

test.each([-7, -8, -257] as const)(
  "[E-170] with the code a passkey is made, once, and with it somebody signs in (algorithm %i)",
  async (algorithm) => {
    const { dataDirectory, url } = await running();
    const { code, link } = await answer(dataDirectory, "desk-start", { name: "Ada" });
    expect(link).toBe(`${url}/desk#enrol=${String(code)}`);
    const page = new DeskPage(url);
    const authenticator = await page.enrol(String(code), new TestAuthenticator(url, algorithm));
    const { staff, leftSeconds } = await page.ask("session", {});
    expect(staff).toMatchObject({ name: "Ada", roles: deskRoles, isActive: true, passkeys: 1 });
    expect(leftSeconds).toBeLessThanOrEqual(1800);
    expect(await new DeskPage(url).refusal("enrol-begin", { code: String(code) })).toBe("code_refused");
    await page.ask("sign-out", {});
    expect(page.cookie).toBe("");
    expect(await page.refusal("session", {})).toBe("not_signed_in");
    await page.signIn(authenticator);
    expect((await page.ask("session", {})).staff.name).toBe("Ada");
  },
);

test("[E-170] the cookie is for the desk's own page alone, and no other site's page is answered", async () => {
  const { dataDirectory, url } = await running();
  const { page, authenticator } = await beginDesk({ dataDirectory, url });
  const { options } = await page.ask("sign-in-begin", {});
  const { headers } = await page.send("sign-in-finish", { response: authenticator.get(options) });
  expect(headers.get("set-cookie")).toMatch(/^latchkey_desk=[\w-]{43}; Path=\/desk\/api; HttpOnly; SameSite=Strict$/);
  expect(headers.get("cache-control")).toBe("no-store");
  for (const foreign of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" }]) {
    expect(await page.send("session", {}, foreign)).toMatchObject({ status: 404 });
  }
});

test("[E-170] a challenge counts once, for what it was made for; nothing but the person's own passkey here opens anything", async () => {
  const { dataDirectory, url } = await running();
  const { page, authenticator } = await beginDesk({ dataDirectory, url });
  const other = new DeskPage(url);
  const begin = async (): Promise<Readonly<Record<string, unknown>>> => (await other.ask("sign-in-begin", {})).options;
  const finish = async (response: Readonly<Record<string, unknown>>): Promise<string> => other.refusal("sign-in-finish", { response });

  const response = authenticator.get(await begin());
  await other.ask("sign-in-finish", { response });
  other.cookie = "";
  expect(await finish(response)).toBe("passkey_refused");

  // What was refused once is refused for good, also when what was wrong with it is put right.
  const options = await begin();
  expect(await finish(authenticator.get(options, { origin: "https://evil.example" }))).toBe("passkey_refused");
  expect(await finish(authenticator.get(await begin(), { rpId: "evil.example" }))).toBe("passkey_refused");
  expect(await finish(authenticator.get(await begin(), { isUnverified: true }))).toBe("passkey_refused");
  expect(await finish(authenticator.get(await begin(), { challenge: Buffer.alloc(56).toString("base64url") }))).toBe("passkey_refused");
  expect(await finish(new TestAuthenticator(url).get(await begin()))).toBe("passkey_refused");
  for (const nonsense of [{}, { id: 7 }, { ...authenticator.get(await begin()), response: {} }]) {
    expect(await finish(nonsense)).toBe("passkey_refused");
  }
  // A challenge for a passkey to be made is none to sign in with.
  const { staff } = await page.ask("session", {});
  const { code } = await page.ask("staff-invite", {
    id: staff.id,
    proof: await proofOf(page, authenticator, { act: "grant", name: staff.name, roles: staff.roles }),
  });
  const enrol = await other.ask("enrol-begin", { code });
  expect(await finish(authenticator.get(enrol.options))).toBe("passkey_refused");
  // A copied authenticator counts less than the one that went on.
  await page.signIn(authenticator);
  expect(await finish(authenticator.get(await begin(), { counter: 1 }))).toBe("passkey_refused");
});

test("[E-170] who has a code makes one passkey: of two the second comes too late, and a code is nobody else's", async () => {
  const { dataDirectory, url } = await running();
  const { page, authenticator } = await beginDesk({ dataDirectory, url });
  const { code, staff } = await page.ask("staff-invite", { name: "Bo", roles: ["intake"] });
  const [first, second] = [new DeskPage(url), new DeskPage(url)];
  const [a, b] = [new TestAuthenticator(url), new TestAuthenticator(url)];
  const options = [await first.ask("enrol-begin", { code }), await second.ask("enrol-begin", { code })] as const;
  const outcomes = await Promise.all([
    first.send("enrol-finish", { code, response: a.create(options[0].options) }),
    second.send("enrol-finish", { code, response: b.create(options[1].options) }),
  ]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual([200, 403]);
  const listed = (await page.ask("staff-list", {})).staff.find(({ id }) => id === staff.id);
  expect(listed).toMatchObject({ name: "Bo", roles: ["intake"], passkeys: 1 });
  // Of one made without its person nobody is let in.
  const proof = await proofOf(page, authenticator, { act: "grant", name: "Bo", roles: ["intake"] });
  const again = await page.ask("staff-invite", { id: staff.id, proof });
  const { options: third } = await first.ask("enrol-begin", { code: again.code });
  const refused = { code: again.code, response: new TestAuthenticator(url).create(third, { isUnverified: true }) };
  expect(await first.refusal("enrol-finish", refused)).toBe("passkey_refused");
});

test("[E-171] each role does its own and nothing else; who is not active any more does nothing at once", async () => {
  const { dataDirectory, url } = await running();
  const { page, authenticator } = await beginDesk({ dataDirectory, url });
  const { code, staff } = await page.ask("staff-invite", { name: "Bo", roles: ["auditor"] });
  const bo = new DeskPage(url);
  await bo.enrol(code);
  expect((await bo.ask("trail-verify", {})).brokenAt).toBeUndefined();
  expect(await bo.refusal("staff-list", {})).toBe("not_allowed");
  expect(await bo.refusal("staff-grant-begin", { act: "grant", name: "Eve", roles: ["administrator"] })).toBe("not_allowed");
  expect(await bo.refusal("staff-invite", { name: "Eve", roles: ["administrator"] })).toBe("not_allowed");
  await page.ask("staff-set", { id: staff.id, roles: ["intake"], isActive: true });
  expect(await bo.refusal("session", {})).toBe("not_signed_in");
  const bosKey = new TestAuthenticator(url);
  const proof = await proofOf(page, authenticator, { act: "grant", name: "Bo", roles: ["intake"] });
  const again = await page.ask("staff-invite", { id: staff.id, proof });
  await bo.enrol(again.code, bosKey);
  expect(await bo.refusal("trail-verify", {})).toBe("not_allowed");
  await page.ask("staff-set", { id: staff.id, roles: ["intake"], isActive: false });
  expect(await bo.refusal("session", {})).toBe("not_signed_in");
  const { options } = await bo.ask("sign-in-begin", {});
  expect(await bo.refusal("sign-in-finish", { response: bosKey.get(options) })).toBe("passkey_refused");
});

test("[E-171] the last administrator stays one, and the operator makes a code for who lost a passkey, which the trail says", async () => {
  const { dataDirectory, url } = await running();
  const { page } = await beginDesk({ dataDirectory, url });
  const { staff } = await page.ask("session", {});
  expect(await page.refusal("staff-set", { id: staff.id, roles: ["moderator"], isActive: true })).toBe("last_administrator");
  expect(await page.refusal("staff-set", { id: staff.id, roles: deskRoles, isActive: false })).toBe("last_administrator");
  expect(await page.refusal("staff-set", { id: staff.id, roles: deskRoles, isActive: true, forgetPasskeys: true })).toBe(
    "last_administrator",
  );
  expect((await page.ask("session", {})).staff).toMatchObject({ roles: deskRoles, passkeys: 1 });
  expect(await ask(dataDirectory, "desk-start", { name: "Eve" })).toMatchObject({ status: 409, body: { code: "limit" } });
  expect(await ask(dataDirectory, "desk-code", { name: "Eve" })).toMatchObject({ status: 404 });
  expect(await ask(dataDirectory, "desk-code", { name: "" })).toMatchObject({ status: 400 });
  const { code } = await answer(dataDirectory, "desk-code", { name: "Ada" });
  await new DeskPage(url).enrol(String(code));
  expect(await answer(dataDirectory, "desk-staff")).toMatchObject({ staff: [{ name: "Ada", passkeys: 2 }] });
  const { entries } = await page.ask("trail-list", { after: 0 });
  expect(entries.map(({ actor, act }) => `${actor}: ${act}`)).toEqual([
    "operator: first administrator named",
    "Ada: passkey made",
    "operator: code made",
    "Ada: passkey made",
    "Ada: trail read",
  ]);
});

test("[E-171] names at the desk are one person's, and none is taken for the operator or the desk", async () => {
  const { dataDirectory, url } = await running();
  const { page } = await beginDesk({ dataDirectory, url });
  expect(await page.refusal("staff-invite", { name: "Ada", roles: ["intake"] })).toBe("limit");
  for (const name of ["operator", "Desk", "somebody", "", "a".repeat(61), "a\u202eb"]) {
    expect(await page.refusal("staff-invite", { name, roles: ["intake"] }), name).toBe("malformed");
  }
  expect(await page.refusal("staff-invite", { name: "Bo", roles: [] })).toBe("malformed");
  // @ts-expect-error -- there is no such role
  expect(await page.refusal("staff-invite", { name: "Bo", roles: ["god"] })).toBe("malformed");
});

test("[E-170] sessions end with a restart, and after too long; who has none is limited by address, who has one by itself", async () => {
  const dataDirectory = temporaryDirectory();
  const clock = { passedMs: 1000 };
  const first = await runServer({ dataDirectory }, { passedMs: () => clock.passedMs });
  const { page, authenticator } = await beginDesk({ dataDirectory, url: first.url });
  clock.passedMs += 1_799_000;
  await page.ask("session", {});
  clock.passedMs += 1_801_000;
  expect(await page.refusal("session", {})).toBe("not_signed_in");
  await page.signIn(authenticator);
  for (let asked = 0; asked < 240; asked++) await page.ask("session", {});
  expect(await page.refusal("session", {})).toBe("rate_limited");
  const { cookie } = page;
  await first.close();
  const second = await runServer({ dataDirectory, limits: { rates: { ...defaultLimits.rates, deskRefused: { burst: 3, perSecond: 0 } } } });
  const later = new DeskPage(second.url);
  later.cookie = cookie;
  expect(await later.refusal("session", {})).toBe("not_signed_in");
  later.cookie = "";
  expect(await later.refusal("session", {})).toBe("not_signed_in");
  // What needs no session counts too, whatever cookie comes with it; and so does a cookie that opens nothing.
  later.cookie = cookie;
  await later.ask("sign-in-begin", {});
  for (const operation of ["sign-in-begin", "enrol-begin", "session"]) {
    expect(await later.send(operation, { code: "a" }), operation).toMatchObject({ status: 429, body: { code: "rate_limited" } });
  }
  expect((await fetch(`${second.url}${deskAttachmentsPath}/1/1`, { headers: { cookie } })).status).toBe(429);
});

test("[E-170] whoever forgets their own passkeys, since somebody else may have one, is nowhere signed in any more", async () => {
  const { dataDirectory, url } = await running();
  const { page, authenticator } = await beginDesk({ dataDirectory, url });
  await addColleague({ dataDirectory, page, authenticator }, { name: "Bo", roles: ["administrator"] });
  const thief = new DeskPage(url);
  await thief.signIn(authenticator);
  const { staff } = await page.ask("session", {});
  await page.ask("staff-set", { id: staff.id, roles: deskRoles, isActive: true, forgetPasskeys: true });
  expect([await thief.refusal("staff-list", {}), await page.refusal("staff-list", {})]).toEqual(["not_signed_in", "not_signed_in"]);
  const { options } = await thief.ask("sign-in-begin", {});
  expect(await thief.refusal("sign-in-finish", { response: authenticator.get(options) })).toBe("passkey_refused");
});
