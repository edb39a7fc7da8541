import { describe, expect, it } from "vitest";
import { ben, testPerson } from "../testing/fixtures.ts";
import {
  addAddresses,
  commitText,
  countRecipients,
  meantAddresses,
  noRecipients,
  removeAddress,
  settleAddress,
  splitAddresses,
  typeText,
} from "./recipients.ts";

describe("recipients", () => {
  it("splits what people type", () => {
    expect(splitAddresses(" Ben, @chidi;dana.k\nmika@b.example ,,")).toEqual(["ben", "chidi", "dana.k", "mika@b.example"]);
  });

  it("makes chips of what stands before the last separator", () => {
    const state = typeText(noRecipients, "ben, chidi,da");
    expect(state.chips.map(({ address }) => address)).toEqual(["ben", "chidi"]);
    expect(state.text).toBe("da");
    expect(countRecipients(state)).toBe(3);
    expect(commitText(state)).toMatchObject({ text: "", chips: [{ address: "ben" }, { address: "chidi" }, { address: "da" }] });
  });

  it("means the same people before and after what is typed becomes a chip, and others once one goes", () => {
    const typed = typeText(noRecipients, "ben, me");
    expect(meantAddresses(commitText(typed))).toEqual(meantAddresses(typed));
    expect(meantAddresses(removeAddress(commitText(typed), "me"))).toEqual(["ben"]);
  });

  it("does not double anybody", () => {
    expect(addAddresses(noRecipients, ["ben", "ben"]).chips).toHaveLength(1);
    const two = addAddresses(noRecipients, ["ben", "ben@a.example"]);
    const found = { kind: "found", person: ben } as const;
    expect(settleAddress(settleAddress(two, "ben", found), "ben@a.example", found).chips.map(({ address }) => address)).toEqual(["ben"]);
  });

  it("keeps an answer for a chip that stands, and drops one for a chip that is gone", () => {
    const state = addAddresses(noRecipients, ["chidi"]);
    const found = { kind: "found", person: testPerson("chidi") } as const;
    expect(settleAddress(state, "chidi", found).chips[0]?.status).toEqual(found);
    expect(settleAddress(removeAddress(state, "chidi"), "chidi", found).chips).toEqual([]);
  });
});
