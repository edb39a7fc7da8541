import { expect, test } from "vitest";
import { DeskAccess, deskLinkMs, deskSessionMs } from "./access.ts";

function opened(): { access: DeskAccess; pass: (ms: number) => void; secret: string; id: string } {
  let nowMs = 1000;
  const access = new DeskAccess(() => nowMs);
  const link = access.createLink();
  if (link === undefined) throw new Error("no link");
  return { access, pass: (ms) => (nowMs += ms), ...link };
}

function tokenOf(outcome: ReturnType<DeskAccess["useLink"]>): string {
  if (outcome === undefined || outcome === "used") throw new Error("not opened");
  return outcome.token;
}

test("a link opens one session, and neither is the other's secret or shown in the list", () => {
  const { access, secret, id } = opened();
  expect(access.list()).toEqual([{ id, kind: "link", leftMs: deskLinkMs }]);
  expect(access.admit(secret)).toBeUndefined();
  const token = tokenOf(access.useLink(secret));
  expect(access.admit(token)).toEqual({ waitMs: 0 });
  expect(access.useLink(token)).toBeUndefined();
  expect(access.list()).toEqual([{ id, kind: "session", leftMs: deskSessionMs }]);
  expect(JSON.stringify(access.list())).not.toMatch(new RegExp(`${secret}|${token}`));
});

test("a link that comes a second time ends the session that it opened, and is nothing the third time", () => {
  const { access, secret } = opened();
  const token = tokenOf(access.useLink(secret));
  expect(access.useLink(secret)).toBe("used");
  expect(access.admit(token)).toBeUndefined();
  expect(access.useLink(secret)).toBeUndefined();
});

test("a link's time and a session's time end, whatever was asked meanwhile", () => {
  const { access, secret, pass } = opened();
  pass(deskLinkMs);
  expect(access.useLink(secret)).toBeUndefined();
  const later = access.createLink()?.secret ?? "";
  pass(deskLinkMs - 1);
  const token = tokenOf(access.useLink(later));
  // After the link's time its second use says nothing, and ends nothing.
  pass(deskSessionMs - 1);
  expect(access.useLink(later)).toBeUndefined();
  expect(access.admit(token)).toEqual({ waitMs: 0 });
  pass(1);
  expect(access.admit(token)).toBeUndefined();
  expect(access.list()).toEqual([]);
});

test("one is revoked by its id, or all; the others stay", () => {
  const { access, secret, id } = opened();
  const other = access.createLink();
  const token = tokenOf(access.useLink(secret));
  expect(access.revoke("0000000000")).toBe(0);
  expect(access.revoke(id)).toBe(1);
  expect(access.admit(token)).toBeUndefined();
  expect(access.list()).toMatchObject([{ id: other?.id }]);
  expect(access.revoke(undefined)).toBe(1);
  expect(access.useLink(other?.secret ?? "")).toBeUndefined();
});

test("there are sixteen at most, and each session has a rate of its own", () => {
  const { access, secret, pass } = opened();
  const token = tokenOf(access.useLink(secret));
  for (let made = 1; made < 16; made += 1) expect(access.createLink()).toBeDefined();
  expect(access.createLink()).toBeUndefined();
  const waits = Array.from({ length: 121 }, () => access.admit(token)?.waitMs);
  expect(waits.slice(0, 120)).toEqual(Array.from({ length: 120 }, () => 0));
  expect(waits[120]).toBeGreaterThan(0);
  pass(deskLinkMs);
  expect(access.createLink()).toBeDefined();
  expect(access.admit(token)).toEqual({ waitMs: 0 });
});
