import { describe, expect, test } from "vitest";
import { examine } from "./examine.ts";
import type { DoctorFacts } from "./examine.ts";
import type { FolderFacts } from "./folder.ts";

const dayMs = 86_400_000;
const nowMs = 20_000 * dayMs;

const folder: FolderFacts = {
  path: "/data",
  exists: true,
  freeBytes: 50_000_000_000,
  diskBytes: 100_000_000_000,
  isHeld: true,
  databases: [],
  isElsewhere: false,
  keys: ["log.key", "vrf.key"].map((name) => ({ name, state: "there", isOpen: false })),
  lastRunMs: nowMs,
  lastBackup: { timeMs: nowMs - dayMs, path: "/backup" },
};

/** A server that runs and wants for nothing. */
const well: DoctorFacts = {
  nowMs,
  host: "chat.example",
  publicUrl: "https://chat.example",
  registration: "invitation",
  minFreeBytes: 67_108_864,
  certificate: [],
  database: undefined,
  bucket: undefined,
  webApp: "there",
  folder,
  network: { http: { kind: "reached" }, webSocket: "opened", times: [{ theirsMs: nowMs + 1000, oursMs: nowMs }], silentWitnesses: 0 },
  running: { healthReasons: [], quorum: { witnesses: 3, isMet: true }, refusals: new Map(), upMs: 1000 },
};

const stopped: Partial<DoctorFacts> = { running: undefined, network: undefined };
const inFolder = (change: Partial<FolderFacts>): Partial<DoctorFacts> => ({ folder: { ...folder, ...change } });
const onNetwork = (change: Partial<NonNullable<DoctorFacts["network"]>>): Partial<DoctorFacts> =>
  well.network === undefined ? {} : { network: { ...well.network, ...change } };
const atRest = (change: Partial<FolderFacts>): Partial<DoctorFacts> => ({ ...stopped, ...inFolder({ isHeld: false, ...change }) });
const running = (change: Partial<NonNullable<DoctorFacts["running"]>>): Partial<DoctorFacts> =>
  well.running === undefined ? {} : { running: { ...well.running, ...change } };

test("of a server that is well everything is in order, in whole sentences", () => {
  const findings = examine(well);
  expect(findings.map(({ topic, state }) => [topic, state])).toEqual(
    ["server", "clock", "disk", "keys", "certificate", "web app", "reachability", "witnesses", "backup", "limits"].map((topic) => [
      topic,
      "ok",
    ]),
  );
  for (const { message } of findings) expect(message).toMatch(/^\S[^\n]*\.$/);
});

describe("what needs doing is said with what to do", () => {
  test.each<[string, Partial<DoctorFacts>, string, RegExp]>([
    ["the server is down", stopped, "server", /does not answer on its admin socket.*stop and start/],
    ["no server runs", atRest({}), "server", /No server runs.*latchkey serve/],
    ["there is no folder", atRest({ exists: false }), "server", /no data folder.*--data/],
    ["it says that it is ill", running({ healthReasons: ["the store has stopped"] }), "server", /not well: the store has stopped/],
    ["the clock went back", inFolder({ lastRunMs: nowMs + dayMs }), "clock", /before the server's last day.*set the clock/],
    ["the clock jumped ahead", atRest({ lastRunMs: nowMs - 4 * dayMs }), "clock", /3 days after.*check the clock/],
    [
      "a witness has another time",
      onNetwork({ times: [{ theirsMs: nowMs + 3_600_000, oursMs: nowMs }] }),
      "clock",
      /60 minutes behind a witness's/,
    ],
    ["the disk is full", inFolder({ freeBytes: 1_000_000 }), "disk", /full: 1 MB of 100000 MB.*Make room/],
    ["the disk is nearly full", inFolder({ freeBytes: 500_000_000 }), "disk", /nearly full/],
    [
      "the database is gone",
      atRest({ databases: [{ name: "a.sqlite", state: "missing", version: 0, newestVersion: 6 }] }),
      "database",
      /missing beside its keys.*backup/,
    ],
    [
      "the database does not open",
      atRest({ databases: [{ name: "a.sqlite", state: "unreadable", version: 0, newestVersion: 6 }] }),
      "database",
      /latchkey restore/,
    ],
    ["PostgreSQL is not there", { database: { fault: "It does not answer: see why." } }, "database", /^It does not answer/],
    ["it lies in a PostgreSQL that is not named", atRest({ isElsewhere: true }), "database", /in a PostgreSQL: say --database/],
    [
      "there is a database here too",
      {
        ...atRest({ databases: [{ name: "a.sqlite", state: "readable", version: 1, newestVersion: 6 }] }),
        database: { fault: undefined },
      },
      "database",
      /a\.sqlite is in the data folder.*leave out --database/,
    ],
    [
      "the database is newer",
      atRest({ databases: [{ name: "a.sqlite", state: "readable", version: 7, newestVersion: 6 }] }),
      "database",
      /newer version.*update/,
    ],
    ["a key is missing", inFolder({ keys: [{ name: "vrf.key", state: "missing", isOpen: false }] }), "keys", /vrf\.key is missing.*backup/],
    ["a key is damaged", inFolder({ keys: [{ name: "log.key", state: "damaged", isOpen: false }] }), "keys", /damaged/],
    ["a key is open", inFolder({ keys: [{ name: "log.key", state: "there", isOpen: true }] }), "keys", /read by others: chmod 600/],
    ["the certificate ended", { certificate: ["The TLS certificate expired on 2024-01-01: renew it."] }, "certificate", /expired/],
    [
      "the proxy's certificate ended",
      { certificate: undefined, ...onNetwork({ http: { kind: "certificate", code: "CERT_HAS_EXPIRED" }, webSocket: "not tried" }) },
      "certificate",
      /CERT_HAS_EXPIRED.*renew/,
    ],
    ["the app is not built", { webApp: "missing" }, "web app", /build it/],
    [
      "the address does not answer",
      onNetwork({ http: { kind: "unreachable", code: "ENOTFOUND" }, webSocket: "not tried" }),
      "reachability",
      /ENOTFOUND.*DNS/,
    ],
    [
      "another server answers",
      onNetwork({ http: { kind: "other", host: "b.example" }, webSocket: "not tried" }),
      "reachability",
      /b\.example, not by chat\.example/,
    ],
    ["the proxy takes no WebSocket", onNetwork({ webSocket: "refused" }), "reachability", /WebSocket.*upgrades/],
    ["too few witnesses answer", running({ quorum: { witnesses: 3, isMet: false } }), "witnesses", /Too few/],
    ["there is no backup", inFolder({ lastBackup: undefined }), "backup", /no backup.*latchkey backup PLACE/],
    ["the backup is of a day to come", inFolder({ lastBackup: { timeMs: nowMs + 40 * dayMs, path: "/b" } }), "backup", /still to come/],
    ["the backup is old", inFolder({ lastBackup: { timeMs: nowMs - 9 * dayMs, path: "/b" } }), "backup", /9 days old/],
    ["there was no room", running({ refusals: new Map([["storage_full", 2]]) }), "limits", /2 requests were refused.*disk/],
  ])("%s", (_, change, topic, message) => {
    const wanted = examine({ ...well, ...change }).filter(({ state }) => state === "todo");
    expect(wanted).toContainEqual({ topic, state: "todo", message: expect.stringMatching(message) });
    for (const finding of wanted) expect(finding.message).toMatch(/^\S[^\n]*\.$/);
    // One thing is wrong; that the server is down may stand beside it.
    expect(new Set(wanted.map((finding) => finding.topic).filter((one) => one !== "server" || topic === "server"))).toEqual(
      new Set([topic]),
    );
  });

  test.each<[string, Partial<DoctorFacts>, string]>([
    ["no witnesses", running({ quorum: { witnesses: 0, isMet: true } }), "witnesses"],
    ["one witness of three is silent", onNetwork({ silentWitnesses: 1 }), "witnesses"],
    ["open registration on the network", { registration: "open" }, "registration"],
    ["somebody asked too often", running({ refusals: new Map([["rate_limited", 1]]) }), "limits"],
    ["no web app", { webApp: "none" }, "web app"],
  ])("worth a note only: %s", (_, change, topic) => {
    const findings = examine({ ...well, ...change });
    expect(findings.filter(({ state }) => state === "todo")).toEqual([]);
    expect(findings.filter(({ state }) => state === "note").map((finding) => finding.topic)).toEqual([topic]);
  });
});
