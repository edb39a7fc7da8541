import { describe, expect, test } from "vitest";
import { approverGap, mayWait, ruleOf } from "./approvers.ts";
import type { Approver } from "./approvers.ts";
import { WaitMeter, waitedOn } from "./wait-meter.ts";

const someone = (id: string, parts: Partial<Approver> = {}): Approver => ({
  id,
  roles: ["reviewer"],
  isActive: true,
  passkeys: 1,
  ...parts,
});
const [ana, ben, cy] = [someone("ana"), someone("ben", { roles: ["moderator"] }), someone("cy")];

describe("who approves", () => {
  test("[F-7] reviewers and moderators, each once, and whoever made the package only where there are not two others", () => {
    const gap = (who: Approver, staff: readonly Approver[], approvedBy: readonly string[] = []): unknown =>
      approverGap({ who, makerId: "ana", approvedBy, staff, nowMs: 1000 });
    expect(gap(ben, [ana, ben])).toBeUndefined();
    expect(gap(ana, [ana, ben])).toBeUndefined();
    expect(gap(ana, [ana, ben, cy])).toBe("maker");
    expect(gap(ana, [ana, ben, { ...cy, passkeys: 0 }])).toBeUndefined();
    expect(gap(ana, [ana, ben, { ...cy, isActive: false }])).toBeUndefined();
    expect(gap(ben, [ana, ben], ["ben"])).toBe("again");
    // Who was let in by one alone, less than a day ago, neither approves nor keeps whoever made it from it.
    expect(gap({ ...ben, approvesFromMs: 1001 }, [ana, ben])).toBe("new");
    expect(gap({ ...ben, approvesFromMs: 1000 }, [ana, ben])).toBeUndefined();
    expect(gap(ana, [ana, ben, { ...cy, approvesFromMs: 1001 }])).toBeUndefined();
    expect(gap({ ...ben, isActive: false }, [ana, ben])).toBe("role");
    for (const role of ["intake", "auditor", "administrator"] as const)
      expect(gap(someone("dan", { roles: [role] }), [ana, ben])).toBe("role");
  });

  test("[F-7] one person waits only where there is no second", () => {
    expect(mayWait([ana])).toBe(true);
    expect(mayWait([ana, { ...ben, passkeys: 0 }, someone("dan", { roles: ["administrator"] })])).toBe(true);
    expect(mayWait([ana, ben])).toBe(false);
    // Who is named anew is a second one still: nobody makes room for somebody outside by that.
    expect(mayWait([ana, { ...ben, approvesFromMs: Number.MAX_SAFE_INTEGER }])).toBe(false);
  });

  test("[F-7] which rule it was is which people they were", () => {
    const [staff, outside] = [{ kind: "staff" } as const, { kind: "outside" } as const];
    expect(ruleOf([])).toBeUndefined();
    expect(ruleOf([staff])).toBeUndefined();
    expect(ruleOf([outside])).toBeUndefined();
    expect(ruleOf([outside, outside])).toBeUndefined();
    expect(ruleOf([staff, outside])).toBe("staff-and-outside");
    expect(ruleOf([staff, outside, staff])).toBe("two-staff");
  });
});

describe("a wait", () => {
  test("[F-7] is as long as the time that passes: no clock that is set ahead, back or stands makes it shorter", () => {
    const start = { waitedMs: 0, seenMs: 1000 };
    expect(waitedOn(start, 500, 1500)).toEqual({ waitedMs: 500, seenMs: 1500 });
    // Set ahead by a day.
    expect(waitedOn(start, 10, 86_401_000).waitedMs).toBe(10);
    // Set back: the time that it says is the same again later.
    const back = waitedOn(start, 500, 200);
    expect(back).toEqual({ waitedMs: 0, seenMs: 1000 });
    expect(waitedOn(back, 300, 1100).waitedMs).toBe(100);
  });

  test("[F-7] goes on only while the server runs and looks", () => {
    const meter = new WaitMeter();
    expect([meter.passed(5000), meter.passed(5400), meter.passed(5300), meter.passed(5500)]).toEqual([0, 400, 0, 100]);
    expect(new WaitMeter().passed(9000)).toBe(0);
    // Clocks tell parts of milliseconds; what is stored is whole, and of a thousand short looks no time is lost.
    const fine = new WaitMeter();
    const looks = Array.from({ length: 1001 }, (_, at) => fine.passed(0.25 + at * 0.7));
    expect(looks.every((one) => Number.isInteger(one))).toBe(true);
    expect(looks.reduce((sum, one) => sum + one, 0)).toBe(700);
  });
});
