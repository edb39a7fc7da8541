import type { OperatorRules } from "./admin/rules.ts";
import type { Knowledge } from "./start/knowledge.ts";
import type { DirectoryOptions } from "./directory/bootstrap.ts";
import type { AcmeOptions } from "./tls/acme/renewal.ts";
import type { CertificateSource } from "./tls/keeper.ts";
import { keyPackageLifetimeMs, maxBlobBytes, oneTimeKeyPackages, retentionDays } from "@latchkey/protocol";
import { dayMs } from "./days.ts";

/** How fast something may go: `burst` at once, then `perSecond`. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Limits for one log, inbox, device or account. */
export interface TargetRates {
  /** Messages and complaints in one log, of one address; of all; and of each address whatever the others do. */
  readonly append: Rate;
  readonly appendInAll: Rate;
  readonly appendLeast: Rate;
  /** Bytes of blobs that the entries of one log name, and so keep: of those up to 4 MiB, and of larger ones. */
  readonly blobBytes: Rate;
  readonly fileBytes: Rate;
  /** Strangers' items for one inbox, of one address; of all; and of each address whatever the others do. */
  readonly strangerPost: Rate;
  readonly strangerPostInAll: Rate;
  readonly strangerPostLeast: Rate;
  /** Contacts' items for one inbox, of one address. */
  readonly contactPost: Rate;
  /** One-time key packages of one device that one address, and all, are given; beyond them it is the last-resort one. */
  readonly takeKeyPackage: Rate;
  readonly takeKeyPackageInAll: Rate;
  /** Wakes by one token, whoever shows it. */
  readonly wake: Rate;
  /** Bytes that are written of one account's history backup, by whichever of its devices. */
  readonly historyBytes: Rate;
}

/** Bounds of everything that a peer can make the server hold or do. Sizes in bytes. */
export interface ServerLimits {
  /** Open WebSockets in all, and from one address. */
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Sockets that are no WebSockets, in all and from one address, and the time in which each must move some bytes. */
  readonly maxHttpSockets: number;
  readonly maxHttpSocketsPerAddress: number;
  readonly httpIdleMs: number;
  /** Bytes that connections make the server hold: messages that have not ended, and what readers do not take. In all, and from one address. */
  readonly maxBytesHeld: number;
  readonly maxBytesHeldPerAddress: number;
  /** Requests a second of one address: above it the server stops reading its connections until the second is over. */
  readonly maxRequestsPerSecond: number;
  /** Requests of all connections under way at once, and of one address, and their bytes: above either the server stops reading them. */
  readonly maxRequestsInFlightInAll: number;
  readonly maxRequestsInFlightPerAddress: number;
  readonly maxBytesInFlightInAll: number;
  readonly maxBytesInFlightPerAddress: number;
  /** What is with the store at a time: in all and of one address while others ask too, and of one that is alone. One for each operation and 4 KiB. */
  readonly maxStoreUnits: number;
  readonly maxStoreUnitsPerAddress: number;
  readonly maxStoreUnitsAlone: number;
  /** Of addresses that ask for much, while somebody is about who asks for little. */
  readonly maxStoreUnitsOfMuch: number;
  /** Requests of one connection under way at once, and their bytes: above either the server stops reading it. */
  readonly maxRequestsInFlight: number;
  readonly maxBytesInFlight: number;
  /** Bytes waiting to be sent to one connection before live events stop and it is served from the store as it reads. */
  readonly maxBytesWaiting: number;
  /** Messages and complaints of one connection in one log. */
  readonly appendRate: Rate;
  /** Bytes of entries that one connection stores. */
  readonly connectionBytes: Rate;
  /** What may be done to one log, inbox or device. */
  readonly targets: TargetRates;
  /** Complaints of one log that are taken as they come; beyond them about one a minute is, by fair turns (spec L-16). */
  readonly complaintsAtOnce: number;
  /** Openings of logs and published heads that one connection asks for: each reads the store. */
  readonly openRate: Rate;
  /** Signals of one connection, and those of one log that are relayed (spec N-1). */
  readonly signalRate: Rate;
  readonly signalsInLog: Rate;
  /** Connections that have a log open, above which its signals are dropped. */
  readonly maxSignalReaders: number;
  /** Logs that one connection has open. */
  readonly maxLogsPerConnection: number;
  /** A connection is asked for a sign of life this often; one that gives none until the next time is closed. */
  readonly pingIntervalMs: number;
  /** Items and bytes of one inbox that came with its capability (spec I-1), and those that came without. */
  readonly maxInboxItems: number;
  readonly maxInboxBytes: number;
  readonly maxStrangerItems: number;
  readonly maxStrangerBytes: number;
  /** Inboxes of join links that are open at once, of all groups together (spec I-5). */
  readonly maxLinkInboxes: number;
  /** Bytes of one writing of an account's history backup (spec B-1); while all is written anew there are two. */
  readonly maxHistoryBytes: number;
  /** Of the history backups of all accounts, with what was given up and is not erased yet; 0 for no bound but the disk's and its reserve. */
  readonly maxStoredHistoryBytes: number;
  readonly maxOneTimeKeyPackages: number;
  readonly maxBlobBytes: number;
  /** Of a blob that is uploaded in parts. */
  readonly maxFileBytes: number;
  /** Uploads in parts that are not whole: in all, and of one address. */
  readonly maxUploads: number;
  readonly maxUploadsPerAddress: number;
  /** Of all blobs together; 0 for no bound but the disk's and its reserve. */
  readonly maxStoredBlobBytes: number;
  /** Of reports to the desk and their attachments that lie there sealed. */
  readonly maxSealedReportBytes: number;
  /** Of everything that the cases of the desk hold: reports that do not fit are refused for now, and wait at whoever sends them. */
  readonly maxCaseBytes: number;
  /** Of an account that chose to be known, reports that the desk takes in a day; who does not say who they are is bounded by tokens and address. */
  readonly reportsPerDay: number;
  /** Days that a blob is kept without an entry that refers to it. */
  readonly unusedBlobDays: number;
  /** With less than this left on the disk blobs, new logs, new accounts and strangers' items are refused, so that messages still find room. */
  readonly minFreeBytes: number;
  /** Size of the database in pages of 4 KiB; 0 for no bound but the disk's. */
  readonly maxDatabasePages: number;
  /** Least time between two publications of the directory. */
  readonly publicationIntervalMs: number;
  /** Least time between two publications of the heads of logs (spec L-11). */
  readonly headsIntervalMs: number;
  /** Tokens that an account is given a day (spec T-1); 0: nothing costs one, and each address' limits alone hold. */
  readonly tokensPerDay: number;
  /** For each address, whatever tokens it has. */
  readonly rates: {
    readonly createLog: Rate;
    readonly strangerPost: Rate;
    /** Items that show a capability, right or wrong; what shows a wrong one counts as a stranger's too. */
    readonly contactPost: Rate;
    readonly takeKeyPackage: Rate;
    readonly putBlob: Rate;
    /** Parts of uploads, each of which is put on disk by itself, and looks at how far one is. */
    readonly patchUpload: Rate;
    readonly register: Rate;
    /** What costs a token and came without one, of those who may have no account. */
    readonly withoutToken: Rate;
    /** Tokens that do not hold: each costs a computation on a curve. Beyond them none of that address is looked at for a while. */
    readonly badToken: Rate;
    readonly lookup: Rate;
    /** Tries of recovery passphrases, of whichever accounts (spec A-13). */
    readonly tryPassphrase: Rate;
    /** Wake tokens that are shown. */
    readonly wake: Rate;
    /** Lookups of names that nobody has and that were not asked for lately: each costs the server a VRF proof. */
    readonly proveAbsence: Rate;
    /** Files of the directory's log over HTTP: an audit reads them all. */
    readonly readDirectory: Rate;
    /** Requests to the desk of somebody who has no session there. */
    readonly deskRefused: Rate;
    /** Reports to the desk, each attachment a tenth of one; their bytes; and requests for answers. */
    readonly report: Rate;
    readonly reportBytes: Rate;
    readonly reportAnswers: Rate;
    /** Packages of what is held about an account: each reads all of it. */
    readonly holdings: Rate;
    /** Bytes of history backups. */
    readonly historyBytes: Rate;
    /** Openings of logs. */
    readonly openLog: Rate;
    /** Proofs that a log's head was published. */
    readonly headProof: Rate;
    /** Bytes of entries and items. */
    readonly storeBytes: Rate;
    /** Bytes of blobs. */
    readonly blobBytes: Rate;
  };
}

/** The largest blob that is uploaded in parts: a file of 2 GiB, padded and encrypted (spec X-23), and some more. */
export const maxFileBytes = 2_214_592_512;

/** Limits for a server of some thousand people on one machine. */
export const defaultLimits: ServerLimits = {
  maxConnections: 100_000,
  maxConnectionsPerAddress: 2000,
  maxHttpSockets: 4096,
  maxHttpSocketsPerAddress: 512,
  httpIdleMs: 30_000,
  maxBytesHeld: 134_217_728,
  maxBytesHeldPerAddress: 25_165_824,
  maxRequestsPerSecond: 25_000,
  maxRequestsInFlightInAll: 16_384,
  maxRequestsInFlightPerAddress: 4096,
  maxBytesInFlightInAll: 67_108_864,
  maxBytesInFlightPerAddress: 16_777_216,
  maxStoreUnits: 64,
  maxStoreUnitsPerAddress: 32,
  maxStoreUnitsAlone: 2048,
  maxStoreUnitsOfMuch: 16,
  maxRequestsInFlight: 1024,
  maxBytesInFlight: 2_097_152,
  maxBytesWaiting: 524_288,
  appendRate: { burst: 2000, perSecond: 100 },
  connectionBytes: { burst: 67_108_864, perSecond: 16_384 },
  targets: {
    append: { burst: 2000, perSecond: 20 },
    appendInAll: { burst: 5000, perSecond: 50 },
    appendLeast: { burst: 20, perSecond: 0.2 },
    blobBytes: { burst: 4_294_967_296, perSecond: 65_536 },
    fileBytes: { burst: 17_179_869_184, perSecond: 131_072 },
    strangerPost: { burst: 100, perSecond: 0.05 },
    strangerPostInAll: { burst: 1000, perSecond: 1 },
    strangerPostLeast: { burst: 5, perSecond: 0.005 },
    contactPost: { burst: 2000, perSecond: 5 },
    takeKeyPackage: { burst: 20, perSecond: 0.02 },
    takeKeyPackageInAll: { burst: 40, perSecond: 0.05 },
    wake: { burst: 30, perSecond: 0.01 },
    historyBytes: { burst: 1_073_741_824, perSecond: 8192 },
  },
  complaintsAtOnce: 2048,
  openRate: { burst: 30_000, perSecond: 100 },
  signalRate: { burst: 4, perSecond: 0.5 },
  signalsInLog: { burst: 20, perSecond: 5 },
  maxSignalReaders: 200,
  maxLogsPerConnection: 10_000,
  pingIntervalMs: 30_000,
  maxInboxItems: 10_000,
  maxInboxBytes: 67_108_864,
  maxStrangerItems: 5000,
  maxStrangerBytes: 33_554_432,
  maxLinkInboxes: 100_000,
  maxHistoryBytes: 134_217_728,
  maxStoredHistoryBytes: 17_179_869_184,
  maxOneTimeKeyPackages: oneTimeKeyPackages,
  maxBlobBytes,
  maxFileBytes,
  maxUploads: 16_384,
  maxUploadsPerAddress: 256,
  maxStoredBlobBytes: 0,
  maxSealedReportBytes: 2_147_483_648,
  maxCaseBytes: 8_589_934_592,
  reportsPerDay: 20,
  unusedBlobDays: 2,
  minFreeBytes: 268_435_456,
  maxDatabasePages: 0,
  publicationIntervalMs: 1000,
  headsIntervalMs: 3_600_000,
  tokensPerDay: 1000,
  rates: {
    createLog: { burst: 1000, perSecond: 5 },
    strangerPost: { burst: 5000, perSecond: 50 },
    contactPost: { burst: 20_000, perSecond: 200 },
    takeKeyPackage: { burst: 5000, perSecond: 50 },
    putBlob: { burst: 1000, perSecond: 10 },
    patchUpload: { burst: 4000, perSecond: 10 },
    register: { burst: 200, perSecond: 1 },
    withoutToken: { burst: 200, perSecond: 0.02 },
    badToken: { burst: 50, perSecond: 0.1 },
    lookup: { burst: 10_000, perSecond: 100 },
    tryPassphrase: { burst: 20, perSecond: 0.005 },
    wake: { burst: 1000, perSecond: 20 },
    proveAbsence: { burst: 500, perSecond: 5 },
    readDirectory: { burst: 50_000, perSecond: 500 },
    deskRefused: { burst: 60, perSecond: 0.5 },
    report: { burst: 20, perSecond: 0.005 },
    reportBytes: { burst: 134_217_728, perSecond: 4096 },
    reportAnswers: { burst: 600, perSecond: 1 },
    holdings: { burst: 60, perSecond: 0.1 },
    historyBytes: { burst: 2_147_483_648, perSecond: 32_768 },
    openLog: { burst: 60_000, perSecond: 200 },
    headProof: { burst: 5000, perSecond: 20 },
    storeBytes: { burst: 134_217_728, perSecond: 32_768 },
    blobBytes: { burst: 4_294_967_296, perSecond: 65_536 },
  },
};

/** The limits unless the operator says otherwise: where not everybody may register, a stranger may do what reaching its people takes. */
export function limitsFor(registration: Registration | undefined): ServerLimits {
  if (registration === undefined || registration === "open") return defaultLimits;
  const { rates, targets } = defaultLimits;
  return {
    ...defaultLimits,
    targets: {
      ...targets,
      blobBytes: { burst: 1_073_741_824, perSecond: 16_384 },
      fileBytes: { burst: 8_589_934_592, perSecond: 65_536 },
    },
    rates: {
      ...rates,
      createLog: { burst: 200, perSecond: 0.02 },
      putBlob: { burst: 200, perSecond: 0.05 },
      blobBytes: { burst: 2_147_483_648, perSecond: 16_384 },
    },
  };
}

/** Who may make an account: anybody, who has a code, nobody. */
export type Registration = "open" | "invitation" | "closed";

/** Numbers of `registration` in the hello frame. */
export const registrationNumbers: Readonly<Record<Registration, number>> = { open: 0, invitation: 1, closed: 2 };

/** How much the server writes about itself; never about people. */
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug";

/** Backups that a server makes of itself. */
export interface BackupSchedule {
  /** A folder, or `s3://BUCKET/PREFIX`. */
  readonly to: string;
  /** Where the credentials of a bucket stand, by the names that `backupPlace` reads. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly everyMs: number;
  /** How many are kept. */
  readonly keep: number;
  /** Seals the keys; without one they are left out. */
  readonly passphrase?: string;
}

/** A database that holds what the data folder's would. */
export interface DatabasePlace {
  /** `postgresql://user:password@host:port/database`: a secret. */
  readonly at: string;
  /** The same of another cluster for what is known of accounts: in one, rows tell in which order those of both were written (promise P1). */
  readonly accountsAt?: string;
  /** `nats://user:password@host:port`, several with commas between them: servers hear of each other there, in place of the database. A secret. */
  readonly nats?: string;
  /** Whether what came last may be lost with the machine that has it: else the database needs a synchronous standby. */
  readonly acceptLoss: boolean;
  /** What its schemas are called, before `_logs` and `_accounts`; `latchkey` when absent. */
  readonly schema?: string;
}

/** A bucket that holds the blobs in place of the data folder. */
export interface BlobBucket {
  /** `s3://BUCKET/PREFIX`. */
  readonly at: string;
  /** Where the credentials stand, by the names that `readS3Address` reads. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** How a server is started. */
export interface ServerOptions extends DirectoryOptions {
  /** The public name, as in addresses (spec C-3); `localhost:<port>` when absent. */
  readonly host?: string;
  /** The address to listen on; 127.0.0.1 when absent. */
  readonly address?: string;
  /** The port to listen on; 0 takes any free one. */
  readonly port: number;
  /** A port of the loopback address that shows the figures of `/metrics`; 0 takes any free one. Without it nobody sees them. */
  readonly metricsPort?: number;
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
  /** In place of `tls`: the certificate is got and renewed by ACME, for `host`. Using it means that the authority's terms are accepted. */
  readonly acme?: AcmeOptions;
  /** With TLS: a port that leads visitors to HTTPS; 80 with ACME, which checks there. */
  readonly httpPort?: number;
  /** Proxies from which a peer's address is taken from X-Forwarded-For, as `parseProxies` reads them; `true` for this machine's and private ones. */
  readonly trustProxy?: boolean | string;
  readonly limits?: Partial<ServerLimits>;
  /** Limits as an operator writes them, over `limits`: `NAME=VALUE` (`withSettings`). */
  readonly limitSettings?: readonly string[];
  /** Push services that are asked to wake devices (spec W-1), in place of the known ones: `HOST`, `HOST:PORT` or `*.DOMAIN`; none: nobody is woken. */
  readonly pushServices?: readonly string[];
  /** Where accounts, messages and the public record lie, in place of the data folder. */
  readonly database?: DatabasePlace;
  /** Where blobs lie, in place of the data folder. */
  readonly blobs?: BlobBucket;
  /** Backups that the server makes of itself. */
  readonly backups?: BackupSchedule;
  /** A folder, on another disk than the data, that has every publication of the public record before anybody sees it. */
  readonly journal?: string;
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
  /** The later of that and the machine's clock: while the two differ, which is right is not known, and what others date is held against this one. */
  readonly latestMs: () => number;
  /** Time that has passed since some moment, in milliseconds: no step of a clock shortens or lengthens a wait that is measured by it. */
  readonly elapsedMs: () => number;
  /** The day before which lies what has been kept for so many days. */
  readonly dayBefore: (days: number) => number;
}

/** Days that a released name is kept for its former owner (spec A-3). */
export const releasedNameDays = 180;

/** Longest life of a key package, in days (spec A-5). */
export const keyPackageDays: number = keyPackageLifetimeMs / dayMs;

export const defaultRetentionDays: number = retentionDays;

/** Where browsers reach a server of this public name: by TLS, unless it is this machine's own and speaks none. */
export function publicUrlOf(host: string, isTls: boolean): string {
  const isLocal = /^(?:localhost|127\.0\.0\.1)(?::|$)/.test(host);
  return `${isLocal && !isTls ? "http" : "https"}://${host}`;
}

/** Rows of one kind that one transaction removes because of their age: 13 ms of work, while others wait. */
export const purgedAtOnce = 100;
