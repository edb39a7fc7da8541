import { describe, expect, test } from "vitest";
import type { JoinLinkCode } from "@latchkey/protocol";
import { formatJoinLink, parseJoinLink } from "./link-text.ts";

const code: JoinLinkCode = {
  host: "chat.example",
  linkId: new Uint8Array(32).fill(1),
  keyHash: new Uint8Array(32).fill(2),
  secret: new Uint8Array(16).fill(3),
  directory: new Uint8Array(32).fill(4),
  name: "Allotment ‮ club",
};

describe("[X-14] join links as text", () => {
  test("come back as they were made, whole or by what stands behind #", () => {
    const link = formatJoinLink("https://chat.example", code);
    expect(link).toMatch(/^https:\/\/chat\.example\/join#v1\.[\w-]+$/u);
    expect(parseJoinLink(`  ${link}\n`)).toEqual(code);
    expect(parseJoinLink(link.slice(link.indexOf("#") + 1))).toEqual(code);
    expect(parseJoinLink(link.slice(link.indexOf("#")))).toEqual(code);
  });

  test("have the address of the host, not the one by which this client reaches it; a port and plain HTTP where that is the host's", () => {
    expect(formatJoinLink("http://localhost:8443/ada", code)).toMatch(/^https:\/\/chat\.example\/join#/u);
    const local = { ...code, host: "localhost:8080" };
    const link = formatJoinLink("http://localhost:8080/", local);
    expect(link).toMatch(/^http:\/\/localhost:8080\/join#/u);
    expect(parseJoinLink(link)).toEqual(local);
  });

  test("[E-112] one that says two hosts, has another path, is cut short, too long or of another version is none", () => {
    const link = formatJoinLink("https://chat.example", code);
    const [, fragment = ""] = link.split("#");
    const wrong = [
      `https://evil.example/join#${fragment}`,
      `https://chat.example:444/join#${fragment}`,
      `https://chat.example/other#${fragment}`,
      `not a url#${fragment}`,
      link.slice(0, -1),
      link.slice(0, 90),
      `${link}A`,
      link.replace("#v1.", "#v2."),
      `https://chat.example/join`,
      "",
      `v1.${"A".repeat(3000)}`,
    ];
    for (const text of wrong)
      expect(() => parseJoinLink(text), text.slice(0, 60)).toThrow(expect.objectContaining({ code: "invalid_join_link" }));
  });
});
