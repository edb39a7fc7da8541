import { toBase64Url } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { namedIn } from "./mentions.ts";

const host = "chat.example";
const room = `mimi://${host}/r/group`;
const account = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const link = (fill: number, where = host): string => `[@Ben](mimi://${where}/u/${toBase64Url(account(fill))})`;

describe("[X-1] whom a text names", () => {
  test("accounts on the group's host, each once, whatever words stand in the link", () => {
    expect(namedIn(`hello ${link(1)}, ${link(2)} and ${link(1)}`, host, room)).toEqual({ accounts: [account(1), account(2)], room: false });
    expect(namedIn(`[a [b] \\] c](mimi://${host}/u/${toBase64Url(account(3))})`, host, room).accounts).toEqual([account(3)]);
  });

  test("everybody by the room's own address, and not by another's", () => {
    expect(namedIn(`[@all](${room})`, host, room)).toEqual({ accounts: [], room: true });
    expect(namedIn(`[@all](mimi://${host}/r/other)`, host, room).room).toBe(false);
  });

  test("nobody elsewhere, and nobody by what is no id", () => {
    for (const text of [
      "@ben",
      link(1, "elsewhere.example"),
      `[@x](mimi://${host}/u/short)`,
      `[@x](mimi://${host}/u/${"A".repeat(44)})`,
      `[x](https://${host}/u/a)`,
    ])
      expect(namedIn(text, host, room), text).toEqual({ accounts: [], room: false });
  });

  test("at most 64, and a hostile text of 64 KiB is read in one go", () => {
    const many = Array.from({ length: 90 }, (_, at) => link(at)).join(" ");
    expect(namedIn(many, host, room).accounts).toHaveLength(64);
    for (const piece of ["[", "](mimi://", "](mimi://a/u/", "\\]("]) {
      const before = process.cpuUsage().user;
      namedIn(piece.repeat(Math.ceil(65_536 / piece.length)), host, room);
      expect(process.cpuUsage().user - before, piece).toBeLessThan(200_000);
    }
  });
});
