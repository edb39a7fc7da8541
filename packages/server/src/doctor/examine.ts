import type { Registration } from "../config.ts";
import { note, ok, todo } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { FolderFacts } from "./folder.ts";
import type { NetworkFacts } from "./network.ts";
import { clockBoundMs } from "../clock/clock-guard.ts";
import { dayMs, dayOf, dayText } from "../days.ts";

/** What only a server that runs knows. */
export interface RunningFacts {
  readonly healthReasons: readonly string[];
  readonly quorum: { readonly witnesses: number; readonly isMet: boolean };
  /** Requests refused since the start, by code. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly upMs: number;
}

/** Everything that was looked at. Times in milliseconds since 1970. */
export interface DoctorFacts {
  readonly nowMs: number;
  readonly host: string;
  readonly publicUrl: string;
  readonly registration: Registration;
  readonly minFreeBytes: number;
  /** What is wrong with the certificate of the options; `undefined` where they have none. */
  readonly certificate: readonly string[] | undefined;
  /** Of the database, where the options name one: what is wrong with it. */
  readonly database: { readonly fault: string | undefined } | undefined;
  /** Of the bucket of the blobs, where the options name one: what is wrong with it. */
  readonly bucket: { readonly name: string; readonly fault: string | undefined } | undefined;
  readonly webApp: "there" | "missing" | "none";
  readonly folder: FolderFacts;
  /** Absent where no server runs that could be reached. */
  readonly network: NetworkFacts | undefined;
  readonly running: RunningFacts | undefined;
}

const maxSkewMs = 300_000;
const backupAgeDays = 7;
const comfortableBytes = 1_000_000_000;

/** Says of each thing whether it is in order, and what to do where it is not. Pure. */
export function examine(facts: DoctorFacts): Finding[] {
  return [
    ...examineServer(facts),
    ...examineClock(facts),
    ...examineDisk(facts),
    ...examineDatabases(facts),
    ...examineKeys(facts),
    ...examineCertificate(facts),
    ...examineWebApp(facts),
    ...examineReachability(facts),
    ...examineWitnesses(facts),
    ...examineBlobs(facts),
    ...examineBackup(facts),
    ...examineLimits(facts),
    ...examineRegistration(facts),
  ];
}

function examineServer({ running, folder }: DoctorFacts): Finding[] {
  if (running === undefined) {
    if (!folder.exists) {
      return [todo("server", `There is no data folder at ${folder.path}: start the server, or name its folder with --data.`)];
    }
    return folder.isHeld
      ? [todo("server", "A server holds the data folder and does not answer on its admin socket: look at its log, and stop and start it.")]
      : [todo("server", "No server runs on this data folder: start it with latchkey serve.")];
  }
  if (running.healthReasons.length === 0) return [ok("server", "The server runs and is well.")];
  return running.healthReasons.map((reason) => todo("server", `The server is not well: ${reason.replace(/\.$/, "")}.`));
}

function examineClock({ nowMs, folder, network }: DoctorFacts): Finding[] {
  const findings: Finding[] = [];
  const { lastRunMs } = folder;
  const day = (timeMs: number): string => dayText(dayOf(timeMs));
  if (lastRunMs !== undefined && nowMs < lastRunMs) {
    findings.push(
      todo(
        "clock",
        `This machine's clock says ${day(nowMs)}, before the server's last day, ${day(lastRunMs)}: set the clock; if it is right, the file clock in the data folder is damaged, which the next start finds out.`,
      ),
    );
  } else if (lastRunMs !== undefined && nowMs - lastRunMs > clockBoundMs) {
    findings.push(
      todo(
        "clock",
        `This machine's clock says ${day(nowMs)}, more than ${String(clockBoundMs / dayMs)} days after the server's last day, ${day(lastRunMs)}: check the clock before you start it; if it is right, start with --i-know clock, or the server doubts it for a day.`,
      ),
    );
  }
  const wrong = (network?.times ?? []).filter(({ theirsMs, oursMs }) => Math.abs(theirsMs - oursMs) > maxSkewMs);
  if (wrong.length > 0) {
    const [{ theirsMs, oursMs } = { theirsMs: 0, oursMs: 0 }] = wrong;
    const minutes = Math.round(Math.abs(theirsMs - oursMs) / 60_000);
    findings.push(
      todo(
        "clock",
        `This machine's clock is ${String(minutes)} minutes ${theirsMs > oursMs ? "behind" : "ahead of"} a witness's: set the clock, by NTP if you can.`,
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [
        network?.times.length === 0
          ? ok("clock", "The clock agrees with what is stored. No witness says what time it is: compare it yourself.")
          : ok("clock", "The clock agrees with what is stored and with the witnesses that answer."),
      ];
}

function examineDisk({ folder, minFreeBytes }: DoctorFacts): Finding[] {
  if (!folder.exists) return [];
  const { freeBytes, diskBytes } = folder;
  const free = `${megabytes(freeBytes)} MB of ${megabytes(diskBytes)} MB are free`;
  if (freeBytes < minFreeBytes) {
    return [
      todo(
        "disk",
        `The disk is full: ${free}, and files are refused below ${megabytes(minFreeBytes)} MB. Make room, or move the data folder to a larger disk.`,
      ),
    ];
  }
  if (freeBytes < comfortableBytes)
    return [todo("disk", `The disk is nearly full: ${free}. Make room before files and messages are refused.`)];
  return [ok("disk", `${free}.`)];
}

function examineDatabases({ folder, database }: DoctorFacts): Finding[] {
  if (database !== undefined) {
    const here = folder.databases.find(({ state }) => state !== "missing");
    if (here !== undefined)
      return [
        todo(
          "database",
          `${here.name} is in the data folder, beside a PostgreSQL: leave out --database, or name the folder that belongs to it.`,
        ),
      ];
    return [
      database.fault === undefined ? ok("database", "PostgreSQL answers and is set as it has to be.") : todo("database", database.fault),
    ];
  }
  if (folder.isElsewhere)
    return [todo("database", "Accounts and messages lie in a PostgreSQL: say --database, here and to latchkey serve.")];
  return folder.databases.map(({ name, state, version, newestVersion }) => {
    if (state === "missing") {
      return folder.keys.some((key) => key.state === "there")
        ? todo("database", `${name} is missing beside its keys: restore it from a backup; never start without it.`)
        : note("database", "There is no database yet: the first start makes it.");
    }
    if (state === "unreadable") return todo("database", `${name} cannot be opened: restore it from a backup with latchkey restore.`);
    if (version > newestVersion) return todo("database", `${name} was written by a newer version of Latchkey: update the program.`);
    return ok("database", `${name} opens${version < newestVersion ? "; the next start brings it to this version's format" : ""}.`);
  });
}

function examineKeys({ folder }: DoctorFacts): Finding[] {
  const hasRun = folder.keys.some(({ state }) => state !== "missing") || folder.databases.some(({ state }) => state !== "missing");
  if (!folder.exists || !(hasRun || folder.isHeld)) return [];
  const findings = folder.keys.flatMap(({ name, state, isOpen }): Finding[] => {
    if (state === "missing")
      return [todo("keys", `The key directory/${name} is missing: put it back from a backup; with another one nobody trusts the server.`)];
    if (state === "damaged") return [todo("keys", `The key directory/${name} is damaged: put it back from a backup.`)];
    return isOpen ? [todo("keys", `The key directory/${name} can be read by others: chmod 600 it, and change it if it was read.`)] : [];
  });
  return findings.length > 0 ? findings : [ok("keys", "The keys of the public log are there, for the server's user alone.")];
}

function examineCertificate({ certificate, network }: DoctorFacts): Finding[] {
  if (network?.http.kind === "certificate" && (certificate ?? []).length === 0) {
    return [
      todo(
        "certificate",
        `The certificate at the public address is refused (${network.http.code}): renew it, or use one for this host and by an issuer that browsers know.`,
      ),
    ];
  }
  if (certificate === undefined) return [];
  return certificate.length > 0
    ? certificate.map((reason) => todo("certificate", reason))
    : [ok("certificate", "The certificate is valid for the host.")];
}

function examineWebApp({ webApp }: DoctorFacts): Finding[] {
  if (webApp === "missing") return [todo("web app", "The folder of the web app has no index.html: build it, or correct --web-root.")];
  return webApp === "none"
    ? [note("web app", "The server serves no web app: only the command line can use it.")]
    : [ok("web app", "The web app is there.")];
}

function examineReachability({ network, publicUrl, host }: DoctorFacts): Finding[] {
  if (network === undefined) return [];
  const { http, webSocket } = network;
  const proxyHint = "check DNS, firewall and proxy";
  if (http.kind === "unreachable") return [todo("reachability", `${publicUrl} does not answer from here (${http.code}): ${proxyHint}.`)];
  if (http.kind === "other") {
    const who = http.host === "" ? "something that is no Latchkey server" : `the server of ${http.host}`;
    return [todo("reachability", `${publicUrl} is answered by ${who}, not by ${host}: ${proxyHint}, and --host.`)];
  }
  if (http.kind === "certificate") return [];
  if (webSocket !== "opened") {
    return [
      todo(
        "reachability",
        `${publicUrl} answers, but lets no WebSocket through: let the proxy pass upgrades, as the recipes in docs/operations.md do.`,
      ),
    ];
  }
  return [ok("reachability", `${publicUrl} is reached from here, by HTTP and by WebSocket.`)];
}

function examineWitnesses({ running, network }: DoctorFacts): Finding[] {
  if (running === undefined) return [];
  const { witnesses, isMet } = running.quorum;
  if (witnesses === 0)
    return [note("witnesses", "No witnesses watch the public log: ask somebody to run latchkey witness for this server.")];
  if (!isMet) {
    return [
      todo(
        "witnesses",
        "Too few witnesses answer, and nobody can look up anybody new: ask those who run them, and check that this machine reaches their URLs.",
      ),
    ];
  }
  const silent = network?.silentWitnesses ?? 0;
  return [silent > 0 ? note("witnesses", `Enough witnesses answer; ${String(silent)} do not.`) : ok("witnesses", "The witnesses answer.")];
}

function examineBlobs({ bucket }: DoctorFacts): Finding[] {
  if (bucket === undefined) return [];
  const { name, fault } = bucket;
  return [
    fault === undefined
      ? ok("blobs", `The bucket of the blobs, ${name}, answers; no backup of the server copies it.`)
      : todo("blobs", fault),
  ];
}

function examineBackup({ folder, database, nowMs }: DoctorFacts): Finding[] {
  if (!folder.exists) return [];
  if (folder.isElsewhere || database !== undefined)
    return [
      note("backup", "Latchkey makes none of PostgreSQL: see that something else does, and that copies of directory/*.key lie elsewhere."),
    ];
  const { lastBackup } = folder;
  const how = "make one with latchkey backup PLACE, or let the server do it with --backup-to PLACE";
  if (lastBackup === undefined) return [todo("backup", `There is no backup: ${how}.`)];
  const days = Math.floor((nowMs - lastBackup.timeMs) / dayMs);
  if (days < -1) {
    const made = dayText(dayOf(lastBackup.timeMs));
    return [
      todo(
        "backup",
        `The last backup is of ${made}, which is still to come: this machine's clock was ahead then, or is behind now. If it is right, ${how}.`,
      ),
    ];
  }
  if (days > backupAgeDays) return [todo("backup", `The last backup is ${String(days)} days old: ${how}.`)];
  return [ok("backup", `The last backup was made ${days <= 0 ? "within a day" : `${String(days)} days ago`}.`)];
}

/** Refusals that come from a bound, and what each says of the server. */
const boundMeanings: readonly (readonly [code: string, state: "note" | "todo", meaning: string])[] = [
  ["storage_full", "todo", "for want of room: look at the disk, and at latchkey admin quota"],
  ["rate_limited", "note", "as too many at once: that is normal now and then, and for one address that asks without end"],
  ["inbox_full", "note", "since somebody's inbox is full: they have not been online for long"],
  ["too_many_updates", "note", "since an account was changed too often in a day"],
  ["registration_closed", "note", "for want of an invitation, or since registration is closed"],
];

/** Codes of the refusals that come from a bound. */
export const boundCodes: ReadonlySet<string> = new Set(boundMeanings.map(([code]) => code));

function examineLimits({ running }: DoctorFacts): Finding[] {
  if (running === undefined) return [];
  const findings = boundMeanings.flatMap(([code, state, meaning]): Finding[] => {
    const count = running.refusals.get(code) ?? 0;
    if (count === 0) return [];
    const message = `${String(count)} ${count === 1 ? "request was" : "requests were"} refused since the start ${meaning}.`;
    return [state === "todo" ? todo("limits", message) : note("limits", message)];
  });
  return findings.length > 0 ? findings : [ok("limits", "No limit was reached since the start.")];
}

function examineRegistration({ registration, publicUrl }: DoctorFacts): Finding[] {
  const isPublic = publicUrl.startsWith("https:");
  return registration === "open" && isPublic
    ? [note("registration", "Anybody who finds the server may register: --registration invitation lets in whom you invite.")]
    : [];
}

function megabytes(bytes: number): string {
  return String(Math.round(bytes / 1_000_000));
}
