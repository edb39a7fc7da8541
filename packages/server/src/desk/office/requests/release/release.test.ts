import { fromHex } from "@latchkey/codec";
import type { RequestDetail } from "@latchkey/protocol/desk";
import { verifyRelease } from "@latchkey/releases";
import { vrfPublicKey } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { TestAuthenticator } from "../../../../testing/authenticator.ts";
import { host } from "../../office.testing.ts";
import { addAccount, approved, beginReleasing, packaged, reread, verifiedRequest } from "./release.testing.ts";

const day = 86_400_000;
const tick = (desk: Awaited<ReturnType<typeof beginReleasing>>["desk"], passedMs: number): number =>
  desk.office.tick({ nowMs: desk.nowMs, passedMs, isDoubted: false });

describe("a release", () => {
  test("[F-7] two people's passkeys approve exactly what goes out, and whoever gets it can verify that without the server", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    const id = addAccount(desk, "oscar");
    let request = await verifiedRequest({ desk, ines });
    expect(request.may).toContain("request-package");
    request = await packaged(ines, request);
    expect(request.release).toMatchObject({ accounts: 1, approvals: [], mayRelease: false });
    expect(await ines.refusal("request-approve-begin", at(request))).toBe("not_allowed");
    request = await approved(ana, request);
    expect(request).toMatchObject({ state: "verified", release: { approvals: [{ by: "Ana", kind: "staff" }] } });
    request = await approved(ben, request);
    expect(request).toMatchObject({ state: "approved", release: { rule: "two-staff", mayRelease: true } });
    ({ request } = await ines.ask("request-release", at(request)));
    expect(request).toMatchObject({ state: "released", release: { released: { by: "Ines" } } });
    const zip = ines.release(request.number);
    const check = await verifyRelease(zip, { host });
    expect(check.problems).toEqual([]);
    expect(check.digest).toBe(request.release?.packageHash);
    expect(check.approvals).toMatchObject({ rule: "two-staff", releasedAtMs: desk.nowMs });
    expect(check.manifest.files).toMatchObject([{ kind: "holdings", accountId: id, isPreserved: true }]);
    expect(check.approvals.approvals.map(({ who }) => who)).toEqual(["Ana", "Ben"]);
    // The same bytes each time, and by nobody who does not read requests.
    expect(ines.release(request.number)).toEqual(zip);
    const trail = await ines.ask("trail-verify", {});
    expect(trail.brokenAt).toBeUndefined();
  });

  test("[F-7] nobody approves twice, nor anybody who made it where there are two others", async () => {
    const { desk, ines, ana, ben } = await beginReleasing(["Ana", "Ben", "Cy"]);
    addAccount(desk, "oscar");
    const request = await packaged(ana, await verifiedRequest({ desk, ines }));
    expect(await ana.refusal("request-approve-begin", at(request))).toBe("other_person");
    const once = await approved(ben, request);
    expect(await ben.refusal("request-approve-begin", at(once))).toBe("other_person");
    expect(await ben.refusal("request-wait", at(once))).toBe("other_person");
    expect(await ines.refusal("request-release", at(once))).toBe("changed");
  });

  test("[F-7] [E-241] an approval is of these bytes alone: not of another package, another request, or one that changed since", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const [first, second] = [
      await packaged(ines, await verifiedRequest({ desk, ines })),
      await packaged(ines, await verifiedRequest({ desk, ines })),
    ];
    const begun = await ana.ask("request-approve-begin", at(first));
    const response = ana.touch(begun.options);
    // Of another request.
    expect(await ana.refusal("request-approve-finish", { ...at(second), response })).toBe("passkey_refused");
    // Made anew meanwhile, of the very same things.
    const anew = await packaged(ines, first);
    expect(await ana.refusal("request-approve-finish", { ...at(first), response })).toBe("changed");
    expect(await ana.refusal("request-approve-finish", { ...at(anew), response })).toBe("passkey_refused");
    const kept = await approved(ana, anew);
    expect(kept.release?.approvals).toHaveLength(1);
    // The request changes: what was approved is not it any more.
    const scope = { identifiers: [1], categories: ["subscriber"] as const, period: { fromDay: "2026-01-01" } };
    const { request: narrowed } = await ines.ask("request-narrow", { ...at(kept), scope, words: "Too much" });
    expect(narrowed.release).toBeUndefined();
    expect(await ben.refusal("request-approve-begin", at(narrowed))).toBe("changed");
    // And so it is of one that two approved already.
    let both = await approved(ben, await approved(ana, await packaged(ines, narrowed)));
    expect(both.state).toBe("approved");
    ({ request: both } = await ines.ask("request-identify", { ...at(both), place: 1 }));
    expect(both).toMatchObject({ state: "narrowed" });
    expect(both.release).toBeUndefined();
    expect(await ines.refusal("request-release", at(both))).toBe("changed");
  });

  test("[F-7] a stolen session approves nothing: it needs the passkey of whoever is signed in, and their touch", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const request = await packaged(ines, await verifiedRequest({ desk, ines }));
    const { options } = await ana.ask("request-approve-begin", at(request));
    const thief = new TestAuthenticator(`https://${host}`);
    expect(await ana.refusal("request-approve-finish", { ...at(request), response: thief.get(options) })).toBe("passkey_refused");
    expect(await ana.refusal("request-approve-finish", { ...at(request), response: ben.touch(options) })).toBe("passkey_refused");
    for (const twist of [{ isUnverified: true }, { origin: "https://evil.example" }, { rpId: "evil.example" }]) {
      expect(await ana.refusal("request-approve-finish", { ...at(request), response: ana.touch(options, twist) })).toBe("passkey_refused");
    }
    // An answer for signing in is none.
    const signIn = await desk.outside("sign-in-begin", {});
    expect(await ana.refusal("request-approve-finish", { ...at(request), response: ana.touch(signIn.options) })).toBe("passkey_refused");
    for (const response of [{}, { id: 7 }, { id: "x", response: null }, { id: "x", response: { clientDataJSON: "!" } }]) {
      expect(await ana.refusal("request-approve-finish", { ...at(request), response })).toBe("passkey_refused");
    }
    expect((await reread(ines, request)).release?.approvals).toEqual([]);
  });

  test("[F-7] who lost the role meanwhile approves nothing, and what they had approved does not go out", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const request = await packaged(ines, await verifiedRequest({ desk, ines }));
    const { options } = await ana.ask("request-approve-begin", at(request));
    const { staff } = await ines.ask("staff-list", {});
    const idOf = (name: string): string => staff.find((one) => one.name === name)?.id ?? "";
    await approved(ben, request);
    await ines.ask("staff-set", { id: idOf("Ben"), roles: ["auditor"], isActive: true });
    const now = await reread(ines, request);
    // Ana is the second: it is approved, and does not go out by Ben's.
    const { request: both } = await ana.ask("request-approve-finish", { ...at(now), response: ana.touch(options) });
    expect(both.state).toBe("approved");
    expect(await ines.refusal("request-release", at(both))).toBe("other_person");
    await ines.ask("staff-set", { id: idOf("Ana"), roles: ["intake"], isActive: true });
    expect(await ana.refusal("request-approve-finish", { ...at(both), response: {} })).toBe("not_signed_in");
  });

  test("[F-7] of two releases that race one counts, and a crash before or after loses and doubles nothing", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const request = await approved(ben, await approved(ana, await packaged(ines, await verifiedRequest({ desk, ines }))));
    await desk.restart();
    const again = await desk.again("Ines");
    expect((await reread(again, request)).state).toBe("approved");
    const both = await Promise.allSettled([again.ask("request-release", at(request)), again.ask("request-release", at(request))]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    const zip = again.release(request.number);
    await desk.restart();
    const later = await desk.again("Ines");
    expect(later.release(request.number)).toEqual(zip);
    expect(await later.refusal("request-release", at(await reread(later, request)))).toBe("changed");
    const { entries } = await later.ask("trail-list", { after: 0 });
    expect(entries.filter(({ act }) => act === "package released")).toHaveLength(1);
  });

  test("[F-7] nothing goes out before its time, or by time alone", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    // Another authority was notified, and may object for ten days.
    const notified = { name: "Parquet de Paris", country: "FR" };
    const request = await approved(ben, await approved(ana, await packaged(ines, await verifiedRequest({ desk, ines }, { notified }))));
    expect(request.release?.mayRelease).toBe(false);
    expect(await ines.refusal("request-release", at(request))).toBe("too_early");
    desk.nowMs += 12 * day;
    tick(desk, 2000);
    await desk.idle();
    expect((await reread(ines, request)).state).toBe("approved");
    desk.nowMs -= 11 * day;
    expect(await ines.refusal("request-release", at(request))).toBe("too_early");
    desk.nowMs += 11 * day;
    expect((await ines.ask("request-release", at(request))).request.state).toBe("released");
  });

  test("[F-7] [E-242] one person alone waits a day that passes: no clock that is set ahead or back makes it shorter", async () => {
    const { desk, ines, ana } = await beginReleasing(["Ana"]);
    addAccount(desk, "oscar");
    let request = await packaged(ana, await verifiedRequest({ desk, ines }));
    expect(await ana.refusal("request-wait", at(request))).toBe("changed");
    request = await approved(ana, request);
    expect(request.may).toContain("request-wait");
    ({ request } = await ana.ask("request-wait", at(request)));
    expect(request).toMatchObject({ state: "approved", release: { rule: "staff-and-wait", mayRelease: false } });
    expect(await ines.refusal("request-release", at(request))).toBe("too_early");
    // Set ahead by two days: nothing passed.
    desk.nowMs += 2 * day;
    expect(await ines.refusal("request-release", at(request))).toBe("too_early");
    tick(desk, 1000 + day / 2);
    expect(await ines.refusal("request-release", at(request))).toBe("too_early");
    // Set back: it stands.
    desk.nowMs -= 2 * day;
    tick(desk, 1000 + day);
    expect(await ines.refusal("request-release", at(request))).toBe("too_early");
    desk.nowMs += 3 * day;
    tick(desk, 1000 + day + day / 2);
    ({ request } = await ines.ask("request-release", at(request)));
    const check = await verifyRelease(ines.release(request.number));
    // The release says when it was approved and when it went out, by the same clock.
    expect(check).toMatchObject({ problems: [], approvals: { rule: "staff-and-wait" } });
  });

  test("[F-7] somebody outside approves by a link, once, with a passkey of their own, and sees what goes out and nothing else", async () => {
    const { desk, ines, ana } = await beginReleasing(["Ana"]);
    const id = addAccount(desk, "oscar");
    let request = await approved(ana, await packaged(ana, await verifiedRequest({ desk, ines })));
    expect(await ana.refusal("request-outside-invite", { ...at(request), name: "Ana" })).toBe("other_person");
    const invited = await ana.ask("request-outside-invite", { ...at(request), name: "Lena Lawyer" });
    const { code } = invited;
    const begun = await desk.outside("outside-begin", { code });
    expect(begun).toMatchObject({ name: "Lena Lawyer", host, packageHash: request.release?.packageHash });
    expect(JSON.stringify(begun)).not.toContain(id);
    const lena = new TestAuthenticator(`https://${host}`);
    const { key, manifest, options } = await desk.outside("outside-enrol", { code, response: lena.create(begun.options) });
    expect(JSON.parse(manifest)).toMatchObject({ files: [{ name: "account-1.json", accountId: id }] });
    const { bytes } = await desk.outside("outside-file", { key, name: "account-1.json" });
    expect(Buffer.from(bytes, "base64url").toString()).toContain("name-oscar");
    // The link is used, and the key opens one package.
    await expect(desk.outside("outside-begin", { code })).rejects.toThrow(/code_refused/u);
    await expect(desk.outside("outside-file", { key, name: "account-2.json" })).rejects.toThrow(/not_found/u);
    await expect(desk.outside("outside-file", { key: "x", name: "account-1.json" })).rejects.toThrow(/code_refused/u);
    await expect(desk.outside("request-get", { number: request.number })).rejects.toThrow(/not_signed_in/u);
    await expect(desk.outside("outside-approve", { key, response: new TestAuthenticator(`https://${host}`).get(options) })).rejects.toThrow(
      /passkey_refused/u,
    );
    await desk.outside("outside-approve", { key, response: lena.get(options) });
    await expect(desk.outside("outside-approve", { key, response: lena.get(options) })).rejects.toThrow(/code_refused/u);
    request = await reread(ines, request);
    expect(request).toMatchObject({ state: "approved", release: { rule: "staff-and-outside", outside: { isUsed: true } } });
    ({ request } = await ines.ask("request-release", at(request)));
    const check = await verifyRelease(ines.release(request.number));
    expect(check.problems).toEqual([]);
    expect(check.approvals.approvals.map(({ who, role }) => [who, role])).toEqual([
      ["Ana", "reviewer"],
      ["Lena Lawyer", "outside"],
    ]);
  });

  test("[F-7] neither somebody outside nor a wait takes the place of a second person who is there, also where they were gone meanwhile", async () => {
    const { desk, ines, ana } = await beginReleasing();
    addAccount(desk, "oscar");
    let request = await approved(ana, await packaged(ines, await verifiedRequest({ desk, ines })));
    expect(request.may).not.toContain("request-outside-invite");
    expect(await ana.refusal("request-outside-invite", { ...at(request), name: "Lena" })).toBe("other_person");
    expect(await ana.refusal("request-wait", at(request))).toBe("other_person");
    const { staff } = await ines.ask("staff-list", {});
    const ben = staff.find(({ name }) => name === "Ben")?.id ?? "";
    await ines.ask("staff-set", { id: ben, roles: ["auditor"], isActive: true });
    ({ request } = await ana.ask("request-wait", at(request)));
    const proof = await ines.proof({ act: "grant", name: "Ben", roles: ["reviewer"] });
    await ines.ask("staff-set", { id: ben, roles: ["reviewer"], isActive: true, proof });
    desk.nowMs += 2 * day;
    tick(desk, 1000);
    tick(desk, 1000 + 2 * day);
    expect(await ines.refusal("request-release", at(request))).toBe("other_person");
  });

  test("[F-7] what was approved by a passkey that was lost since does not go out, nor what by the clock was approved later", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const request = await packaged(ines, await verifiedRequest({ desk, ines }));
    await approved(ana, request);
    const both = await approved(ben, request);
    desk.nowMs -= 60_000;
    expect(await ines.refusal("request-release", at(both))).toBe("too_early");
    desk.nowMs += 60_000;
    const { staff } = await ines.ask("staff-list", {});
    const id = staff.find(({ name }) => name === "Ben")?.id ?? "";
    await ines.ask("staff-set", { id, roles: ["reviewer"], isActive: true, forgetPasskeys: true });
    expect(await ines.refusal("request-release", at(both))).toBe("other_person");
  });

  test("[F-7] a link for somebody outside ends with its time, with the package that it was for, and with another link", async () => {
    const { desk, ines, ana } = await beginReleasing(["Ana"]);
    addAccount(desk, "oscar");
    let request = await packaged(ana, await verifiedRequest({ desk, ines }));
    const invite = async (): Promise<string> => {
      const invited = await ana.ask("request-outside-invite", { ...at(request), name: "Lena" });
      request = invited.request;
      return invited.code;
    };
    const first = await invite();
    const second = await invite();
    await expect(desk.outside("outside-begin", { code: first })).rejects.toThrow(/code_refused/u);
    await desk.outside("outside-begin", { code: second });
    desk.nowMs += 3 * day;
    await expect(desk.outside("outside-begin", { code: second })).rejects.toThrow(/code_refused/u);
    const third = await invite();
    const { options } = await desk.outside("outside-begin", { code: third });
    const lena = new TestAuthenticator(`https://${host}`);
    const enrolled = await desk.outside("outside-enrol", { code: third, response: lena.create(options) });
    request = await packaged(ana, request);
    await expect(desk.outside("outside-approve", { key: enrolled.key, response: lena.get(enrolled.options) })).rejects.toThrow(/changed/u);
    await expect(desk.outside("outside-file", { key: enrolled.key, name: "account-1.json" })).rejects.toThrow(/changed/u);
  });

  test("[F-7] whoever was asked by mistake sees and approves nothing once somebody else was asked", async () => {
    const { desk, ines, ana } = await beginReleasing(["Ana"]);
    addAccount(desk, "oscar");
    const request = await packaged(ana, await verifiedRequest({ desk, ines }));
    const { code, request: asked } = await ana.ask("request-outside-invite", { ...at(request), name: "Lena" });
    const wrong = new TestAuthenticator(`https://${host}`);
    const begun = await desk.outside("outside-begin", { code });
    const { key, options } = await desk.outside("outside-enrol", { code, response: wrong.create(begun.options) });
    await ana.ask("request-outside-invite", { ...at(await reread(ana, asked)), name: "Lena" });
    await expect(desk.outside("outside-file", { key, name: "account-1.json" })).rejects.toThrow(/code_refused/u);
    await expect(desk.outside("outside-approve", { key, response: wrong.get(options) })).rejects.toThrow(/code_refused/u);
  });

  test("[F-7] the operator's signature is by the desk's published key, and nothing is in the trail but numbers and hashes", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const request = await approved(ben, await approved(ana, await packaged(ines, await verifiedRequest({ desk, ines }))));
    await ines.ask("request-release", at(request));
    const check = await verifyRelease(ines.release(request.number));
    const [published] = desk.world.published;
    expect(Buffer.from(published ?? new Uint8Array()).includes(Buffer.from(check.signedBy ?? new Uint8Array(1)))).toBe(true);
    expect(vrfPublicKey(fromHex("00".repeat(32)))).not.toEqual(check.signedBy);
    const { entries } = await ines.ask("trail-list", { after: 0 });
    expect(JSON.stringify(entries)).not.toMatch(/oscar|Staatsanwaltschaft|241 Js/u);
  });
});

describe("what is in it", () => {
  test("[F-7] the release for each of twenty people has nothing of any other", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    const names = Array.from({ length: 20 }, (_, at) => `person${String(at).padStart(2, "0")}`);
    for (const name of names) addAccount(desk, name);
    for (const name of names) {
      const identifiers = [{ kind: "username", value: name }] as const;
      const categories = ["subscriber", "traffic"] as const;
      const made = await packaged(ines, await verifiedRequest({ desk, ines }, { identifiers, categories }));
      const request = await approved(ben, await approved(ana, made));
      await ines.ask("request-release", at(request));
      const text = Buffer.from(ines.release(request.number)).toString("latin1");
      const others = names.filter((one) => one !== name);
      expect(text).toContain(`name-${name}`);
      expect(others.filter((one) => text.includes(one))).toEqual([]);
      const ids = others.map((one) => Buffer.from(desk.world.accounts.get(one) ?? []).toString("base64url"));
      expect(ids.filter((id) => text.includes(id))).toEqual([]);
    }
  });

  test("[F-7] [E-216] that a notified authority does not object lets it go before its time; taken back the time counts again, and what was put together is gone", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    addAccount(desk, "oscar");
    const notified = { name: "Tribunal", country: "FR" };
    const objection = (confirmedAtMs?: number): object => ({
      notified: { ...notified, ...(confirmedAtMs === undefined ? {} : { confirmedAtMs }) },
    });
    const request = await verifiedRequest({ desk, ines }, objection());
    const change = async (found: RequestDetail, confirmedAtMs?: number): Promise<RequestDetail> =>
      (await ines.ask("request-change", { ...at(found), intake: { ...found.intake, ...objection(confirmedAtMs) } })).request;
    const ahead = { ...request.intake, ...objection(desk.nowMs + 1) };
    expect(await ines.refusal("request-change", { ...at(request), intake: ahead })).toBe("malformed");
    const confirmed = await packaged(ines, await change(request, desk.nowMs));
    const back = await change(confirmed);
    expect(back.release).toBeUndefined();
    const slow = await approved(ben, await approved(ana, await packaged(ines, back)));
    expect(await ines.refusal("request-release", at(slow))).toBe("too_early");
    const other = await change(await verifiedRequest({ desk, ines }, objection()), desk.nowMs);
    const quick = await approved(ben, await approved(ana, await packaged(ines, other)));
    expect((await ines.ask("request-release", at(quick))).request.state).toBe("released");
  });

  test("[F-7] an account that is not there is said, and so is what the server has no key to", async () => {
    const { desk, ines, ana, ben } = await beginReleasing();
    const made = await packaged(ines, await verifiedRequest({ desk, ines }, { categories: ["subscriber", "content"] }));
    const request = await approved(ben, await approved(ana, made));
    await ines.ask("request-release", at(request));
    const { manifest } = await verifyRelease(ines.release(request.number));
    expect(manifest.files).toEqual([]);
    expect(manifest.notHeld.join(" ")).toMatch(/No account here is called "oscar".*the server has no key/u);
  });
});

function at({ number, revision }: { number: number; revision: number }): { number: number; revision: number } {
  return { number, revision };
}
