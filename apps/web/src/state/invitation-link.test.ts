import { expect, test } from "vitest";
import { invitationOfFragment } from "./invitation-link.ts";

test("the code of an invitation is read from the fragment of its link, and nothing else is", () => {
  expect(invitationOfFragment("#invitation=k7x2m-9q4ts-w8hfd-3vnc0")).toBe("k7x2m-9q4ts-w8hfd-3vnc0");
  expect(invitationOfFragment("#invitation=oak%20elm")).toBe("oak elm");
  for (const other of ["", "#", "#settings", "#invitation=", "#invitation=%3Cb%3E", `#invitation=${"a".repeat(129)}`]) {
    expect(invitationOfFragment(other)).toBe("");
  }
});
