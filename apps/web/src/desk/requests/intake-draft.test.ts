import { expect, test } from "vitest";
import { requestIntake, requestType } from "../../testing/request-fixtures.ts";
import { draftOfIntake, emptyIntake, intakeOf, withType } from "./intake-draft.ts";
import type { IntakeDraft } from "./intake-draft.ts";

const nowMs = Date.UTC(2026, 10, 28, 12);

test("what is missing of an intake is named, and nothing is sent of it", () => {
  const made = intakeOf(emptyIntake(nowMs), nowMs);
  if (!("missing" in made)) throw new Error("nothing was written yet");
  expect(made.missing).toEqual([
    "type",
    "authorityName",
    "authorityCountry",
    "authorityReference",
    "officerName",
    "addressee",
    "legalBasis",
    "deliverTo",
  ]);
});

test("an intake that is written down and read again is the same, with everything that one can have", () => {
  const receivedAtMs = Date.UTC(2026, 10, 27, 9, 30);
  const plain = requestIntake({ receivedAtMs });
  expect(intakeOf(draftOfIntake(plain, nowMs), nowMs)).toEqual({ intake: plain });
  const whole = requestIntake({
    receivedAtMs,
    isEmergency: true,
    emergencyGrounds: "A child is missing.",
    period: { toDay: "2026-10-01" },
    secrecy: { kind: "until", untilDay: "2027-01-01", basis: "Art. 13" },
    notified: { name: "Generalstaatsanwaltschaft", country: "FR", confirmedAtMs: receivedAtMs },
    deadlineAsked: "2026-12-01T17:00",
    route: "Treaty",
    cost: "None",
    remark: "By fax as well",
  });
  expect(intakeOf(draftOfIntake(whole, nowMs), nowMs)).toEqual({ intake: whole });
});

test.each<[string, Partial<IntakeDraft>, keyof IntakeDraft]>([
  ["it came later than now", { receivedAt: "2027-01-01T00:00" }, "receivedAt"],
  ["a country is no two letters", { authorityCountry: "D1" }, "authorityCountry"],
  ["an emergency has no grounds", { isEmergency: true, emergencyGrounds: " " }, "emergencyGrounds"],
  ["a secrecy has no day", { secrecyDay: "" }, "secrecyDay"],
  ["a period ends before it begins", { fromDay: "2026-10-02", toDay: "2026-10-01" }, "toDay"],
  ["a notified authority has no name", { isNotified: true, notifiedCountry: "FR" }, "notifiedName"],
])("it is refused where %s", (_, change, field) => {
  expect(intakeOf({ ...draftOfIntake(requestIntake(), nowMs), ...change }, nowMs)).toEqual({ missing: [field] });
});

test("a type brings its law and its secrecy, and takes away nothing that somebody wrote", () => {
  const chosen = withType(emptyIntake(nowMs), requestType(), nowMs);
  expect([chosen.legalBasis, chosen.secrecyKind, chosen.secrecyDay]).toEqual([requestType().basis, "open", "2027-02-26"]);
  const written = { ...emptyIntake(nowMs), legalBasis: "Section 100j", secrecyKind: "until" as const, secrecyDay: "2027-01-01" };
  expect(withType(written, requestType(), nowMs)).toEqual({ ...written, type: "eu-production-order" });
  const named = withType(
    emptyIntake(nowMs),
    requestType({ basis: "As the order states", secrecy: { isDefault: false, reviewDays: 90 } }),
    nowMs,
  );
  expect([named.legalBasis, named.secrecyKind]).toEqual(["", "none"]);
});
