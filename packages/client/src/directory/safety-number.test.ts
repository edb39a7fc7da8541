import { describe, expect, it } from "vitest";
import { compareSafetyCode, safetyCode, safetyGroups } from "./safety-number.ts";

const account = (username: string, fill: number): { username: string; host: string; accountId: Uint8Array } => ({
  username,
  host: "chat.example",
  accountId: new Uint8Array(32).fill(fill),
});
const [ann, bob, eve] = [account("ann", 1), account("bob", 2), account("eve", 3)];

describe("safety numbers", () => {
  it("are 60 digits in twelve groups, the same on both sides, and fixed", () => {
    const groups = safetyGroups(ann, bob);
    expect(groups).toHaveLength(12);
    expect(groups.every((group) => /^\d{5}$/.test(group))).toBe(true);
    expect(safetyGroups(bob, ann)).toEqual(groups);
    expect(safetyGroups(ann, eve)).not.toEqual(groups);
    expect(safetyGroups(ann, { ...bob, host: "other.example" })).not.toEqual(groups);
    // Another name of the same account is the same account.
    expect(safetyGroups(ann, { ...bob, username: "robert" })).toEqual(groups);
    // Computed apart from this code, with Python.
    expect(groups.join(" ")).toBe("07052 01614 75957 89108 06729 48301 66872 65710 79817 59708 27858 55576");
  });

  it("a scanned code matches, differs, is of somebody else, or is none", () => {
    const code = safetyCode(bob, ann);
    expect(compareSafetyCode(code, ann, bob)).toBe("match");
    expect(compareSafetyCode(` ${code}\n`, ann, bob)).toBe("match");
    // Bob's phone knows another Ann, or this phone another Bob.
    expect(compareSafetyCode(safetyCode(bob, { ...ann, accountId: eve.accountId }), ann, bob)).toBe("differs");
    expect(compareSafetyCode(code, ann, { ...bob, accountId: eve.accountId })).toBe("differs");
    expect(compareSafetyCode(safetyCode(eve, ann), ann, bob)).toBe("other_account");
    expect(compareSafetyCode(safetyCode(ann, bob), ann, bob)).toBe("other_account");
    for (const none of ["", "hello", "latchkey-safety:1:", "latchkey-safety:1:####", `${code}AA`, code.slice(0, -4)]) {
      expect(compareSafetyCode(none, ann, bob), none).toBe("not_a_code");
    }
  });
});
