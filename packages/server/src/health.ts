import { describeDoubt } from "./clock/clock-guard.ts";
import type { ClockGuard } from "./clock/clock-guard.ts";
import type { Counters } from "./metrics.ts";
import { diskSpaceOf } from "./storage/disk-space.ts";
import type { CertificateReason } from "./tls/certificate.ts";

/** How long too few witnesses may answer, or the directory publish nothing, until somebody should look, in milliseconds. */
export const patienceMs = 600_000;

/** Why the server is not well: a code for programs, and a sentence for people that says what to do. No user's data. */
export interface HealthReason {
  readonly code:
    | "record_ahead"
    | "stopped"
    | "disk_full"
    | "clock"
    | "quorum"
    | "directory"
    | "journal"
    | "backup"
    | "store"
    | "database"
    | "blobs"
    | "certificate";
  readonly message: string;
}

/** What health is told by; times in milliseconds since some moment, by a clock that never jumps. */
export interface HealthParts {
  readonly elapsedMs: () => number;
  readonly clock: Pick<ClockGuard, "doubt">;
  /** Why the public record waits for its date, for the operator; `undefined` while it does not. */
  readonly recordAhead?: () => string | undefined;
  readonly counters: Pick<Counters, "refusals">;
  /** Where the data lie, and how much of that disk has to stay free. */
  readonly dataDirectory: string;
  readonly minFreeBytes: number;
  /** Since when every publication of the directory has failed; `undefined` while they are stored. */
  readonly publicationsFailSinceMs: () => number | undefined;
  /** Since when too few witnesses answer; `undefined` while enough do. */
  readonly quorumLostSinceMs: () => number | undefined;
  /** What is wrong with the journal of the public record; absent where there is none. */
  readonly journal?: () => readonly HealthReason[];
  /** Whether the store fails at something again and again although its disk works and has room. */
  readonly isStoreFailing?: () => boolean;
  /** Why the database does nothing now; `undefined` where it does, or the data lie in the data folder. */
  readonly databaseFault?: () => string | undefined;
  /** What is wrong with the bucket of the blobs; `undefined` where nothing is, or they lie in the data folder. */
  readonly bucketFault?: () => string | undefined;
  /** What is wrong with the certificate, where the server speaks TLS itself. */
  readonly certificate?: () => readonly CertificateReason[];
}

/** Whether the server does what it is there for, as `/healthz` says it. */
export class Health {
  readonly #parts: HealthParts;
  #stopped: string | undefined;
  #timesFull = 0;
  #fullMs: number | undefined;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /** It stops for this, and does nothing any more. */
  stopped(message: string): void {
    this.#stopped ??= message;
  }

  /** Notices what happened since the last time. Called every minute or so. */
  sample(): void {
    const times = this.#parts.counters.refusals.get("storage_full") ?? 0;
    // For want of a journal that is refused as well, whatever room the disk of the data has.
    const isJournalFailing = this.#parts.journal?.().some(({ code }) => code === "journal") ?? false;
    if (times > this.#timesFull && !isJournalFailing) this.#fullMs = this.#parts.elapsedMs();
    this.#timesFull = times;
  }

  /** All that is wrong now; empty where nothing is. */
  async reasons(): Promise<HealthReason[]> {
    this.sample();
    const { certificate, clock, recordAhead, journal, isStoreFailing, elapsedMs, publicationsFailSinceMs, quorumLostSinceMs } = this.#parts;
    const isLong = (sinceMs: number | undefined): boolean => sinceMs !== undefined && elapsedMs() - sinceMs >= patienceMs;
    const doubt = clock.doubt();
    const ahead = recordAhead?.();
    const found: (HealthReason | false)[] = [
      this.#stopped !== undefined && { code: "stopped", message: this.#stopped },
      (await this.#isFull()) && {
        code: "disk_full",
        message: `The disk is full: messages or files are refused. Make room on the disk of the data directory${this.#parts.databaseFault === undefined ? "" : ", or on that of the database"}.`,
      },
      doubt !== undefined && { code: "clock", message: `${describeDoubt(doubt)}.` },
      ahead !== undefined && { code: "record_ahead", message: ahead },
      isLong(quorumLostSinceMs()) && {
        code: "quorum",
        message: "Too few witnesses answer: nobody can look up people whom they do not know yet. Ask those who run the witnesses.",
      },
      isLong(publicationsFailSinceMs()) && {
        code: "directory",
        message: "Changes of accounts cannot be published: nobody can register. The log of the server says why.",
      },
    ];
    found.push(...(journal?.() ?? []));
    found.push(
      isStoreFailing?.() === true && {
        code: "store",
        message:
          "The store fails again and again at something that it is asked for, although its disk works. The log of the server says at what, and how; see whether another program uses the data directory.",
      },
    );
    const databaseFault = this.#parts.databaseFault?.();
    if (databaseFault !== undefined) found.push({ code: "database", message: databaseFault });
    const bucketFault = this.#parts.bucketFault?.();
    if (bucketFault !== undefined) found.push({ code: "blobs", message: `Pictures and files do not come and go: ${bucketFault}` });
    // What is only going to happen is a line in the log: nobody is kept away yet.
    for (const { isFailure, message } of certificate?.() ?? []) found.push(isFailure && { code: "certificate", message });
    return found.filter((reason) => reason !== false);
  }

  async #isFull(): Promise<boolean> {
    const { dataDirectory, minFreeBytes, elapsedMs } = this.#parts;
    if (this.#fullMs !== undefined && elapsedMs() - this.#fullMs < patienceMs) return true;
    try {
      return (await diskSpaceOf(dataDirectory)).freeBytes < minFreeBytes;
    } catch {
      // A disk that does not even say that: whoever writes next is told.
      return false;
    }
  }
}
