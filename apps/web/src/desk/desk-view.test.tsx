import "../testing/english.ts";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { DeskPage } from "./DeskPage.tsx";
import { DeskSession } from "./desk-session.ts";
import { viewAccounts, viewDecisions, viewFindings, viewStatus } from "./desk-view.ts";

const valuesOf = (rows: readonly (readonly [string, string])[]): Record<string, string> => Object.fromEntries(rows);

test("status is told in words", () => {
  const { host, reasons, rows } = viewStatus({
    version: "1.2.3",
    host: "chat.example",
    upSeconds: 90_000,
    registration: "invitation",
    connections: { device: 2, log: 3 },
    accounts: 1,
    storage: { blobs: 1, blobBytes: 2000 },
    directory: { entries: 7, witnesses: 2, isMet: false },
    backup: { lastMs: null, everyHours: 24, kept: 7 },
    limitsReached: { storage_full: 1, new_code: 2 },
    health: { reasons: ["the disk is full"] },
  });
  expect([host, reasons]).toEqual(["chat.example", ["the disk is full"]]);
  expect(valuesOf(rows)).toMatchObject({
    "Running for": "1 day 1 hour",
    "May register": "whoever is invited",
    Connections: "5",
    "Public record": "7 entries, 2 witnesses, too few answer",
    "Last backup": "never",
    "Backups by itself": "every 24 hours, 7 are kept",
    "Refused since the start": "1 request for want of room\n2 requests new_code",
  });
});

test("what needs doing stands first, accounts say who is suspended, decisions are rows", () => {
  const findings = [
    { topic: "clock", state: "ok", message: "a" },
    { topic: "disk", state: "todo", message: "b" },
    { topic: "limits", state: "note", message: "c" },
  ];
  expect(viewFindings({ findings }).map(({ message }) => message)).toEqual(["b", "c", "a"]);
  const accounts = [
    { username: "alice", sizeBytes: 1000, isSuspended: true },
    { username: "bob", sizeBytes: 0, isSuspended: false },
  ];
  expect(viewAccounts({ count: 9, accounts, hasMore: true })).toMatchObject({ count: 9, hasMore: true });
  expect(valuesOf(viewAccounts({ accounts }).rows)["alice"]).toMatch(/, suspended$/);
  const decisions = viewDecisions({
    "invite-list": { invitations: [{ id: "ab", usesLeft: 1, lastDay: "2026-12-01" }] },
    reserved: { names: ["mayor"] },
    suspended: { accounts: [{ username: "alice", sinceDay: "2026-11-01" }] },
    quota: { quotas: { "max-accounts": 0, "blob-megabytes-per-day": 1500 } },
    announce: { text: "Down on Sunday" },
  });
  expect(decisions).toMatchObject({
    invitations: [["ab", "1 use left, until 2026-12-01"]],
    reserved: ["mayor"],
    suspended: [["alice", "since 2026-11-01"]],
    announcement: "Down on Sunday",
  });
  expect(decisions.quotas[0]).toEqual(["Accounts at most", "no bound"]);
});

test.each([undefined, null, 7, "text", [], { accounts: 1, findings: "x", health: [] }])(
  "an answer of %j is shown as nothing, and nothing breaks",
  (value) => {
    expect(viewStatus(value).rows).toHaveLength(13);
    expect([viewFindings(value), viewAccounts(value).rows]).toEqual([[], []]);
    const answers = { "invite-list": value, reserved: value, suspended: value, quota: value, announce: value };
    expect(viewDecisions(answers)).toEqual({ invitations: [], reserved: [], suspended: [], quotas: [], announcement: "" });
  },
);

test("before anything was read it says that it reads", () => {
  const session = new DeskSession(globalThis);
  const markup = renderToStaticMarkup(<DeskPage session={session} opening={new Promise(() => undefined)} toOffice={() => undefined} />);
  expect(markup).toContain("Reading…");
});
