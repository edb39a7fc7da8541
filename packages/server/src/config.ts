import type { OperatorRules } from "./admin/rules.ts";
import type { Knowledge } from "./start/knowledge.ts";
import type { DirectoryOptions } from "./directory/bootstrap.ts";
import type { CertificateSource } from "./tls/keeper.ts";
import { keyPackageLifetimeMs, maxBlobBytes, oneTimeKeyPackages, retentionDays } from "@latchkey/protocol";

/** How fast something may go: `burst` at once, then `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Bounds of everything that a peer can make the server hold or do. Sizes in bytes. */
export interface ServerLimits {
  /** Open WebSockets in all, and from one address. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Requests a second of one connection: above it the server stops reading it until the second is over. */
  readonly maxRequestsPerSecond: number;
  /** Requests of one connection under way at once, and their bytes: above either the server stops reading it. */
  readonly maxRequestsInFlight: number;
  readonly maxBytesInFlight: number;
  /** Bytes waiting to be sent to one connection before live events stop and it is served from the store as it reads. */
  readonly maxBytesWaiting: number;
  /** Messages and complaints of one connection in one log. */
  readonly appendRate: Rate;
  /** Complaints of one log that are taken as they come; beyond them about one a minute is, by fair turns (spec L-16). */
  readonly complaintsAtOnce: number;
  /** Openings of logs and published heads that one connection asks for: each reads the store. */
  readonly openRate: Rate;
  /** Logs that one connection has open. */
  readonly maxLogsPerConnection: number;
  /** A connection is asked for a sign of life this often; one that gives none until the next time is closed. */
  readonly pingIntervalMs: number;
  /** Items and bytes of one inbox that came with its capability (spec I-1), and those that came without. */
  readonly maxInboxItems: number;
  readonly maxInboxBytes: number;
  readonly maxStrangerItems: number;
  readonly maxStrangerBytes: number;
  readonly maxOneTimeKeyPackages: number;
  readonly maxBlobBytes: number;
  /** Days that a blob is kept without an entry that refers to it. */
  readonly unusedBlobDays: number;
  /** Blobs are refused when the disk has less than this left, so that messages still find room. */
  readonly minFreeBytes: number;
  /** Size of the database in pages of 4 KiB; 0 for no bound but the disk's. */
  readonly maxDatabasePages: number;
  /** Least time between two publications of the directory. */
  readonly publicationIntervalMs: number;
  /** Least time between two publications of the heads of logs (spec L-11). */
  readonly headsIntervalMs: number;
  /** What stands in the place of anonymous tokens (spec T-1) until they are built, for each address. */
  readonly rates: {
    readonly createLog: Rate;
    readonly strangerPost: Rate;
    /** Items that show a capability, right or wrong; what shows a wrong one counts as a stranger's too. */
    readonly contactPost: Rate;
    readonly takeKeyPackage: Rate;
    readonly putBlob: Rate;
    readonly register: Rate;
    readonly lookup: Rate;
    /** Lookups of names that nobody has and that were not asked for lately: each costs the server a VRF proof. */
    readonly proveAbsence: Rate;
    /** Files of the directory's log over HTTP: an audit reads them all. */
    readonly readDirectory: Rate;
  };
}

/** Limits for a server of some thousand people on one machine. */
export const defaultLimits: ServerLimits = {
  maxConnections: 100_000,
  maxConnectionsPerAddress: 10_000,
  maxRequestsPerSecond: 25_000,
  maxRequestsInFlight: 1024,
  maxBytesInFlight: 2_097_152,
  maxBytesWaiting: 524_288,
  appendRate: { burst: 2000, perSecond: 100 },
  complaintsAtOnce: 2048,
  openRate: { burst: 30_000, perSecond: 100 },
  maxLogsPerConnection: 10_000,
  pingIntervalMs: 30_000,
  maxInboxItems: 10_000,
  maxInboxBytes: 67_108_864,
  maxStrangerItems: 5000,
  maxStrangerBytes: 33_554_432,
  maxOneTimeKeyPackages: oneTimeKeyPackages,
  maxBlobBytes,
  unusedBlobDays: 2,
  minFreeBytes: 67_108_864,
  maxDatabasePages: 0,
  publicationIntervalMs: 1000,
  headsIntervalMs: 3_600_000,
  rates: {
    createLog: { burst: 1000, perSecond: 5 },
    strangerPost: { burst: 5000, perSecond: 50 },
    contactPost: { burst: 20_000, perSecond: 200 },
    takeKeyPackage: { burst: 5000, perSecond: 50 },
    putBlob: { burst: 1000, perSecond: 10 },
    register: { burst: 200, perSecond: 1 },
    lookup: { burst: 10_000, perSecond: 100 },
    proveAbsence: { burst: 500, perSecond: 5 },
    readDirectory: { burst: 50_000, perSecond: 500 },
  },
};

/** Who may make an account: anybody, who has a code, nobody. */
export type Registration = "open" | "invitation" | "closed";

/** Numbers of `registration` in the hello frame. */
export const registrationNumbers: Readonly<Record<Registration, number>> = { open: 0, invitation: 1, closed: 2 };

/** How much the server writes about itself; never about people. */
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** Backups that a server makes of itself. */
export interface BackupSchedule {
  readonly to: string;
  readonly everyMs: number;
  /** How many are kept. */
  readonly keep: number;
  /** Seals the keys; without one they are left out. */
  readonly passphrase?: string;
}

/** How a server is started. */
export interface ServerOptions extends DirectoryOptions {
  /** The public name, as in addresses (spec C-3); `localhost:<port>` when absent. */
  readonly host?: string;
  /** The address to listen on; 127.0.0.1 when absent. */
  readonly address?: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** Where everything is kept; made if absent. */
  readonly dataDirectory: string;
  /** The built web app, served at `/`: its folder, or its files by their path in it. Without it `/` says that there is none. */
  readonly webRoot?: string | ReadonlyMap<string, Uint8Array>;
  /** The server's name for people; the host when absent. */
  readonly serverName?: string;
  readonly registration?: Registration;
  readonly invitationCodes?: readonly string[];
  /** Days that entries are kept (spec L-8). */
  readonly retentionDays?: number;
  readonly logLevel?: LogLevel;
  /** PEM certificate and key, or the files that hold them, where no proxy terminates TLS. Files are read again when they change. */
  readonly tls?: CertificateSource;
  /** Take a peer's address from X-Forwarded-For: only behind a proxy that sets it. */
  readonly trustProxy?: boolean;
  readonly limits?: Partial<ServerLimits>;
  /** Backups that the server makes of itself. */
  readonly backups?: BackupSchedule;
  /** What the operator says about a start that is refused or doubted otherwise: for the rare case that it is meant. */
  readonly iKnow?: readonly Knowledge[];
  /** The options as the operator may keep them in a file, without secrets: what `latchkey admin export-config` answers. */
  readonly effectiveConfig?: Readonly<Record<string, string | readonly string[]>>;
}

/** What the modules share, fixed once the server listens. */
export interface ServerContext {
  readonly host: string;
  readonly serverName: string;
  readonly registration: Registration;
  readonly invitationCodes: readonly string[];
  readonly retentionDays: number;
  readonly limits: ServerLimits;
  /** What the operator has decided while the server runs. */
  readonly rules: OperatorRules;
  /** The clock, in milliseconds since 1970. */
  readonly nowMs: () => number;
}

/** Days that a released name is kept for its former owner (spec A-3). */
export const releasedNameDays = 180;

/** Longest life of a key package, in days (spec A-5). */
export const keyPackageDays: number = keyPackageLifetimeMs / 86_400_000;

export const defaultRetentionDays: number = retentionDays;

/** Where browsers reach a server of this public name: by TLS, unless it is this machine's own and speaks none. */
export function publicUrlOf(host: string, isTls: boolean): string {
  const isLocal = /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(host);
  return `${isLocal && !isTls ? "http" : "https"}://${host}`;
}

/** Rows of one kind that one transaction removes because of their age: 13 ms of work, while others wait. */
export const purgedAtOnce = 100;

/** The day of a time, in days since 1970-01-01. */
export function dayOf(timeMs: number): number {
  return Math.floor(timeMs / 86_400_000);
}
