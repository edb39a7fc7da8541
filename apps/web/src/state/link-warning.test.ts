import { describe, expect, it } from "vitest";
import { linkWarning } from "./link-warning.ts";

describe("[E-130] a link in a message", () => {
  it.each([
    ["https://a.example/x", "https://a.example/x"],
    ["http://a.example/x", "a.example/x"],
    ["https://www.a.example/", "a.example"],
    ["https://a.example/", "www.a.example"],
    ["https://a.example/", "here"],
    ["https://a.example/", "read.this, please"],
    ["mailto:ben@a.example", "ben@a.example"],
    ["mailto:ben@a.example?subject=x", "Ben@A.example"],
    ["mailto:ben@a.example", "write to Ben"],
    ["http://[::1]:8080/", "http://[::1]:8080/"],
    ["https://a.example/", "see https://a.example/x, please"],
    ["https://a.example/", "(www.a.example)."],
    ["https://a.example:8443/", "a.example"],
  ])("%s, shown as %s, is followed", (href, words) => expect(linkWarning(href, words)).toBeUndefined());

  it.each([
    ["https://evil.example/", "bank.example", "other_host", "evil.example"],
    ["https://evil.example/", "https://bank.example/login?x", "other_host", "evil.example"],
    ["https://bank.example.evil.example/", "bank.example", "other_host", "bank.example.evil.example"],
    ["https://bank.example@evil.example/", "bank", "user", "evil.example"],
    ["https://\u0430pple.example/", "\u0430pple.example", "mixed_scripts", "xn--pple-43d.example"],
    ["https://apple.example/", "\u0430pple.example", "other_host", "apple.example"],
    ["https://evil.example/", "Log in at https://bank.example/login now", "other_host", "evil.example"],
    ["https://evil.example/", "log in (www.bank.example)", "other_host", "evil.example"],
    ["https://evil.example/", "https://bank.example@evil.example/", "other_host", "evil.example"],
    ["https://evil.example/", "ben@bank.example", "other_host", "evil.example"],
    ["https://evil.example/", "bank\u3002example", "other_host", "evil.example"],
    ["https://evil.example/", "bank\u2024example", "other_host", "evil.example"],
    ["https://evil.example/", "\u202Eelpmaxe.knab", "other_host", "evil.example"],
    // What nobody sees: a space of no width counts as one.
    ["https://evil.example/", "bank\uFEFF.example", "other_host", "evil.example"],
    ["https://evil.example/", "bank\u200B.\u2060example", "other_host", "evil.example"],
    ["https://evil.example/", "bank\u200A.example", "other_host", "evil.example"],
    ["mailto:mal@evil.example", "ben@bank.example", "other_host", "mal@evil.example"],
    ["mailto:mal%40evil.example", "bank.example", "other_host", "mal@evil.example"],
    ["mailto:mal@evil.example?cc=ben@bank.example", "ben@bank.example", "other_host", "mal@evil.example"],
  ] as const)("%s, shown as %s, asks first", (href, words, kind, host) => expect(linkWarning(href, words)).toEqual({ kind, host }));

  it("is looked at by what is seen of it: what nobody sees in front makes it no longer", () => {
    for (const nothing of ["\u200B", "\uFEFF ", "\u034F", "\n", "\u3164"])
      expect(linkWarning("https://evil.example/", `${nothing.repeat(2048)}bank.example`)?.kind).toBe("other_host");
  });
});
