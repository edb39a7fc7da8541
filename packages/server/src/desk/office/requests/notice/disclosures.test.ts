import { Reader, concatBytes, decode, encode, fromBase64Url, toBase64Url, uint32, utf8Bytes } from "@latchkey/codec";
import { decodeReceipts, receiptRecord } from "@latchkey/counts";
import { nodeCrypto } from "@latchkey/mls/node";
import { hostCodec, inboxPlaintextCodec, sealedItemCodec } from "@latchkey/protocol";
import type { RequestDetail, RequestIntake, RequestSecrecy } from "@latchkey/protocol/desk";
import { deskNoticeCodec } from "@latchkey/reports";
import type { DeskNotice } from "@latchkey/reports";
import { verifyRelease } from "@latchkey/releases";
import { deviceCardCodec, signStructure } from "@latchkey/transparency";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dayOf, dayText } from "../../../../days.ts";
import { nodeSignatures } from "../../../../directory/signatures.ts";
import { createAccount, createDevice, random } from "../../../../testing/accounts.ts";
import { host } from "../../office.testing.ts";
import type { TestDesk } from "../../office.testing.ts";
import { intakeOf } from "../requests.testing.ts";
import { addAccount, approved, beginReleasing, packaged, reread, verifiedRequest } from "../release/release.testing.ts";
import type { ReleasingDesk } from "../release/release.testing.ts";
import { noticeDueMs } from "./due.ts";

const day = 86_400_000;
const suite = nodeCrypto.suite(0xf001);
const zone = "Europe/Berlin";

/** A device that can be told something. */
async function reachable(desk: TestDesk, accountId: string): Promise<{ notices(): Promise<readonly DeskNotice[]> }> {
  const keys = await suite.deriveKemKeyPair(random(32));
  const inboxId = random(32);
  const device = createDevice();
  const value = {
    format: 1,
    deviceId: device.deviceId,
    inboxId,
    inboxKey: keys.publicKey,
    notAfterMs: Date.now() + day,
    ext: new Uint8Array(),
  } as const;
  const card = await signStructure({
    codec: deviceCardCodec,
    value,
    label: "DeviceCard",
    secretKey: device.seed,
    signatures: nodeSignatures,
  });
  desk.world.cards.set(accountId, [{ card, inboxId }]);
  return {
    async notices() {
      const items = desk.world.notices.filter((one) => toBase64Url(one.inboxId) === toBase64Url(inboxId));
      return Promise.all(
        items.map(async ({ item }) => {
          const { kemOutput, ciphertext } = decode(sealedItemCodec, item);
          const aad = concatBytes(encode(hostCodec, host), inboxId, encode(uint32, item.length));
          const padded = await suite.hpkeOpen({ ...keys, kemOutput, ciphertext, info: utf8Bytes("latchkey/inbox/1"), aad });
          return decode(deskNoticeCodec, inboxPlaintextCodec.read(new Reader(padded)).body);
        }),
      );
    },
  };
}

async function tick(desk: TestDesk, isDoubted = false): Promise<void> {
  desk.office.tick({ nowMs: desk.nowMs, passedMs: 1000, isDoubted });
  await desk.idle();
}

/** A request of a type whose notice is the server's, released. */
async function released({ desk, ines, ana, ben }: ReleasingDesk, parts: Partial<RequestIntake> = {}): Promise<RequestDetail> {
  const request = await verifiedRequest({ desk, ines }, { type: "us-subpoena", ...parts });
  const both = await approved(ben, await approved(ana, await packaged(ines, request)));
  return (await ines.ask("request-release", { number: both.number, revision: both.revision })).request;
}

describe("when a person is told", () => {
  const releasedMs = Date.parse("2026-10-20T10:00:00Z");
  const due = (secrecy: RequestSecrecy, endedMs?: number): number | undefined => noticeDueMs({ secrecy, releasedMs, endedMs, zone });

  test("[F-8] at once where nothing forbids it, two days after a secrecy's end, and never by time alone where none was given", () => {
    expect(due({ kind: "none" })).toBe(releasedMs);
    expect(due({ kind: "open", reviewDay: "2026-11-20", basis: "2705(b)" })).toBeUndefined();
    // The clock goes back on 25 October: two days of the calendar are 49 hours.
    expect(due({ kind: "until", untilDay: "2026-10-24", basis: "2705(b)" })).toBe(Date.parse("2026-10-26T22:59:59.999Z"));
    expect(due({ kind: "none" }, Date.parse("2026-11-01T08:00:00Z"))).toBe(Date.parse("2026-11-03T08:00:00Z"));
    // One that ended long before anything went out.
    expect(due({ kind: "until", untilDay: "2026-01-01", basis: "2705(b)" })).toBe(releasedMs);
  });

  test("[F-8] never before its secrecy is over, whatever day that is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 20_000, max: 22_000 }), (untilDay) => {
        const atMs = due({ kind: "until", untilDay: dayText(untilDay), basis: "b" });
        expect(atMs).toBeGreaterThanOrEqual(releasedMs);
        expect(atMs).toBeGreaterThan((untilDay + 2) * day - 4 * 3_600_000);
      }),
    );
  });
});

describe("what a person is told", () => {
  test("[F-8] [K-5] [E-243] who asked, by what law, for what, what was given and by whose approval, on each of their devices, by itself", async () => {
    const all = await beginReleasing();
    const { desk, ines } = all;
    const id = addAccount(desk, "oscar");
    const device = await reachable(desk, id);
    const request = await released(all);
    expect(request.notice).toMatchObject({ owner: "us", state: "goes", atMs: desk.nowMs });
    await tick(desk);
    const [notice, ...more] = await device.notices();
    expect(more).toEqual([]);
    expect(toBase64Url(notice?.accountId ?? new Uint8Array())).toBe(id);
    const { manifest } = await verifyRelease(ines.release(request.number));
    expect(notice?.body).toMatchObject({
      kind: "disclosure",
      puid: manifest.releaseId,
      authority: "Staatsanwaltschaft Berlin",
      reference: "241 Js 100/26",
      categories: ["subscriber"],
      releasedDay: dayOf(desk.nowMs),
      asOfDay: dayOf(desk.nowMs),
      isPreserved: false,
      secretUntilDay: 0,
      rule: "two-staff",
    });
    // The receipt of what was given out, and not of how many the request named.
    const receipts = decodeReceipts(notice?.ext ?? new Uint8Array()).map(receiptRecord);
    expect(receipts).toMatchObject([{ kind: "outcome", result: "released", given: ["subscriber"] }]);
    if (notice?.body.kind !== "disclosure") throw new Error("it tells what was given out");
    expect(Buffer.from(notice.body.sha256).toString("hex")).toBe(manifest.files[0]?.sha256);
    expect((await reread(ines, request)).notice).toMatchObject({ state: "sent", atMs: desk.nowMs });
    // Once, and again after four weeks for whoever was away.
    await tick(desk);
    expect(await device.notices()).toHaveLength(1);
    desk.nowMs += 28 * day;
    await tick(desk);
    const told = await device.notices();
    expect(told.map(({ noticeId }) => toBase64Url(noticeId))).toEqual(
      [told[0], told[0]].map((one) => toBase64Url(one?.noticeId ?? new Uint8Array())),
    );
    for (let weeks = 0; weeks < 40; weeks++) {
      desk.nowMs += 7 * day;
      await tick(desk);
    }
    expect((await device.notices()).length).toBeLessThanOrEqual(7);
  });

  test("[F-8] [E-246] nothing while a secrecy holds or may be extended, nor while the clock is doubted; an extension counts within the two days", async () => {
    const all = await beginReleasing();
    const { desk, ines } = all;
    const device = await reachable(desk, addAccount(desk, "oscar"));
    const untilDay = dayText(dayOf(desk.nowMs) + 30);
    let request = await released(all, { secrecy: { kind: "until", untilDay, basis: "18 USC 2705(b)" } });
    expect(request.notice.state).toBe("goes");
    desk.nowMs += 32 * day;
    await tick(desk);
    expect(await device.notices()).toEqual([]);
    // Extended on the last day of the two.
    request = await reread(ines, request);
    const later = { kind: "until" as const, untilDay: dayText(dayOf(desk.nowMs) + 30), basis: "18 USC 2705(b)" };
    const change = { number: request.number, revision: request.revision, secrecy: later, words: "Extended by the court" };
    ({ request } = await ines.ask("request-secrecy", change));
    desk.nowMs += 2 * day;
    await tick(desk);
    expect(await device.notices()).toEqual([]);
    // Taken back: two days later it goes.
    const none = { number: request.number, revision: request.revision, secrecy: { kind: "none" as const }, words: "Lifted" };
    ({ request } = await ines.ask("request-secrecy", none));
    desk.nowMs += 2 * day - 1;
    await tick(desk);
    expect(await device.notices()).toEqual([]);
    desk.nowMs += 1;
    await tick(desk, true);
    expect(await device.notices()).toEqual([]);
    await tick(desk);
    const [notice] = await device.notices();
    expect(notice?.body).toMatchObject({ secretUntilDay: dayOf(desk.nowMs - 2 * day) });
  });

  test("[F-8] a secrecy that was corrected away is one that was taken back: two days later it goes; and by no day that the clock has left again", async () => {
    const all = await beginReleasing();
    const { desk, ines } = all;
    const device = await reachable(desk, addAccount(desk, "oscar"));
    const untilDay = dayText(dayOf(desk.nowMs) + 30);
    const secrecy = { kind: "until" as const, untilDay, basis: "18 USC 2705(b)" };
    let { request } = await ines.ask("request-open", { intake: intakeOf({ receivedAtMs: desk.nowMs, secrecy }) });
    const none = intakeOf({ receivedAtMs: request.intake.receivedAtMs, secrecy: { kind: "none" } });
    ({ request } = await ines.ask("request-change", { number: request.number, revision: request.revision, intake: none }));
    expect(request.events.map(({ kind }) => kind)).toContain("secrecy");
    await released(all, { secrecy });
    // A clock that was wrong for a while and was put right.
    desk.nowMs += 60 * day;
    await tick(desk, true);
    desk.nowMs -= 60 * day;
    await tick(desk);
    expect(await device.notices()).toEqual([]);
  });

  test("[F-8] [E-246] a secrecy without an end keeps it back until somebody says that it ended, and the request is kept as long", async () => {
    const all = await beginReleasing();
    const { desk, ines } = all;
    const device = await reachable(desk, addAccount(desk, "oscar"));
    const reviewDay = dayText(dayOf(desk.nowMs) + 90);
    let request = await released(all, { secrecy: { kind: "open", reviewDay, basis: "18 USC 2705(b)" } });
    expect(request.notice).toEqual({ owner: "us", state: "waits" });
    ({ request } = await ines.ask("request-close", {
      number: request.number,
      revision: request.revision,
      words: "Done",
      retentionDays: 30,
    }));
    desk.nowMs += 400 * day;
    await tick(desk);
    expect(await device.notices()).toEqual([]);
    request = await reread(ines, request);
    expect(request.state).toBe("closed");
    // It stands among what is to be looked at, and whoever looks can say that it ended.
    expect(request.may).toContain("request-secrecy");
    const { tasks } = await ines.ask("request-tasks", {});
    expect(tasks).toMatchObject([{ kind: "secrecy-review", number: request.number }]);
    const ended = { number: request.number, revision: request.revision, secrecy: { kind: "none" }, words: "The court lifted it" } as const;
    ({ request } = await ines.ask("request-secrecy", ended));
    expect(request.may).not.toContain("request-secrecy");
    desk.nowMs += 3 * day;
    await tick(desk);
    expect(await device.notices()).toHaveLength(1);
  });

  test("[F-8] nothing where the authority tells them, and nobody is told whose account is gone, which is stated", async () => {
    const all = await beginReleasing();
    const { desk, ines } = all;
    const device = await reachable(desk, addAccount(desk, "oscar"));
    const european = await released(all, { type: "eu-production-order" });
    await tick(desk);
    expect((await reread(ines, european)).notice).toEqual({ owner: "authority", state: "not-ours" });
    expect(await device.notices()).toEqual([]);
    const gone = addAccount(desk, "olga");
    const request = await released(all, { identifiers: [{ kind: "username", value: "olga" }] });
    await tick(desk);
    expect(desk.world.notices).toEqual([]);
    expect((await reread(ines, request)).notice).toEqual({ owner: "us", state: "cannot" });
    // Whose devices cannot be reached today is told when one can.
    const away = addAccount(desk, "otto");
    const account = await createAccount("otto", host);
    desk.world.states.set(away, [account.signedState]);
    const later = await released(all, { identifiers: [{ kind: "username", value: "otto" }] });
    await tick(desk);
    expect((await reread(ines, later)).notice.state).toBe("goes");
    const otto = await reachable(desk, away);
    await tick(desk);
    expect(await otto.notices()).toHaveLength(1);
    expect(fromBase64Url(gone)).toHaveLength(32);
  });

  test("[F-8] a notice of several accounts names to each only what was given about them", async () => {
    const all = await beginReleasing();
    const { desk } = all;
    const [oscar, olga] = [addAccount(desk, "oscar"), addAccount(desk, "olga")];
    const devices = [await reachable(desk, oscar), await reachable(desk, olga)];
    await released(all, {
      identifiers: [
        { kind: "username", value: "oscar" },
        { kind: "username", value: "olga" },
      ],
    });
    await tick(desk);
    const [[toOscar], [toOlga]] = [await devices[0]!.notices(), await devices[1]!.notices()];
    expect([toOscar, toOlga].map((one) => toBase64Url(one?.accountId ?? new Uint8Array()))).toEqual([oscar, olga]);
    expect(toOscar?.body).not.toEqual(toOlga?.body);
    expect(JSON.stringify(toOscar?.body)).not.toContain("olga");
  });
});
