import { describeCodec } from "@latchkey/testkit";
import { describe, expect, test } from "vitest";
import { formatAddress, hostCodec, isHost, isReservedUsername, isUsername, parseAddress, usernameCodec } from "./index.ts";

describe("[C-3] usernames", () => {
  test.each(["bob", "a.b", "a_b-c", "0123456789", "x".repeat(32), "..."])("%s is one", (name) => {
    expect(isUsername(name)).toBe(true);
  });

  test.each(["", "ab", "x".repeat(33), "Bob", "b ob", "bøb", "bob@host", "bob\n", "b/b", "b:b"])("%j is none", (name) => {
    expect(isUsername(name)).toBe(false);
  });

  describeCodec("usernameCodec", usernameCodec, {
    samples: ["alice", "a.b-c_9"],
    frozen: "05616c696365",
    overLimit: { "33 characters": "x".repeat(33), "two characters": "ab", "a capital": "Alice", nothing: "" },
  });
});

describe("[C-3] [E-60] reserved usernames", () => {
  const server = ["chat.example:8443", "Our Chat"];

  test.each([
    ..."admin root support help security latchkey latch-key _admin_ ad.min adm1n r00t supp0rt you everyone".split(" "),
    ..."... --- _._ our.chat ourchat chat chat.example chatexample 0ur-chat adrnin".split(" "),
  ])("%s is", (name) => {
    expect(isUsername(name)).toBe(true);
    expect(isReservedUsername(name, server)).toBe(true);
  });

  test.each(["alice", "bob", "admiral", "rooted", "helper", "a.b", "chatty", "yours", "007", "latchkeys"])("%s is not", (name) => {
    expect(isReservedUsername(name, server)).toBe(false);
  });
});

describe("[C-3] hosts", () => {
  test.each(["localhost", "localhost:8080", "chat.example", "a.b.c.example:1", "xn--bcher-kva.example", "127.0.0.1:8080", "x:65535"])(
    "%s is one",
    (host) => {
      expect(isHost(host)).toBe(true);
    },
  );

  test.each([
    "",
    "Chat.example",
    "chat.example:443",
    "chat.example:0",
    "chat.example:65536",
    "chat.example:080",
    "chat.example:",
    ".example",
    "chat..example",
    "-chat.example",
    "chat-.example",
    "chat.example.",
    "bücher.example",
    "chat example",
    "chat.example/path",
    "user@chat.example",
    `${"a".repeat(64)}.example`,
    `${"a.".repeat(127)}toolong`,
  ])("%j is none", (host) => {
    expect(isHost(host)).toBe(false);
  });

  describeCodec("hostCodec", hostCodec, {
    samples: ["chat.example", "localhost:8080"],
    frozen: "0c636861742e6578616d706c65",
    overLimit: {
      "a capital": "Chat.example",
      "the default port": "chat.example:443",
      nothing: "",
      "a label of 64 characters": "a".repeat(64),
    },
  });
});

describe("[C-3] addresses", () => {
  test("are read forgivingly and written shortly", () => {
    expect(parseAddress("bob", "chat.example")).toEqual({ username: "bob", host: "chat.example" });
    expect(parseAddress(" @Bob@Other.Example:8080 ", "chat.example")).toEqual({ username: "bob", host: "other.example:8080" });
    expect(formatAddress({ username: "bob", host: "chat.example" }, "chat.example")).toBe("bob");
    expect(formatAddress({ username: "bob", host: "other.example" }, "chat.example")).toBe("bob@other.example");
  });

  test.each(["", "@", "bo", "bob@", "bob@host@host", "bob@host:443", "b b@host", "bob@-host"])("%j is none", (input) => {
    expect(parseAddress(input, "chat.example")).toBeUndefined();
  });
});
