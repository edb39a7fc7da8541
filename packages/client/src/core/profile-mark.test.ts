import { describe, expect, it } from "vitest";
import { isSameProfile, profileMark } from "./profile-mark.ts";

const picture = (fill: number): Uint8Array => new Uint8Array(96).fill(fill);
const at = (rosterAdds: number) => ({ rosterAdds, memberCount: 5 });
const none = new Uint8Array(0);

describe("[X-21] what a group was told of somebody", () => {
  it("is the same whoever joined since, and another with another name or picture", () => {
    const mark = profileMark({ displayName: "Ann", picture: picture(1) }, at(3));
    expect(isSameProfile(mark, profileMark({ displayName: "Ann", picture: picture(1) }, at(4)))).toBe(true);
    expect(mark).not.toBe(profileMark({ displayName: "Ann", picture: picture(1) }, at(4)));
    expect(isSameProfile(mark, profileMark({ displayName: "Ann", picture: picture(2) }, at(3)))).toBe(false);
    expect(isSameProfile(mark, profileMark({ displayName: "Bea", picture: picture(1) }, at(3)))).toBe(false);
    expect(isSameProfile(mark, profileMark({ displayName: "Ann", picture: none }, at(3)))).toBe(false);
    expect(mark).not.toBe(profileMark({ displayName: "Ann", picture: picture(1) }, { rosterAdds: 3, memberCount: 6 }));
    // As it was kept before there were pictures.
    expect(profileMark({ displayName: "Ann", picture: none }, at(3))).toBe("Ann");
  });
});
