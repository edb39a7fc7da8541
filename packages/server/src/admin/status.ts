import { productVersion } from "@latchkey/protocol";
import type { Role } from "@latchkey/protocol";
import { readLastBackup } from "../backup/last-backup.ts";
import type { ServerContext, ServerOptions } from "../config.ts";
import { dayText } from "../days.ts";
import type { WaitingAtDesk } from "../desk/office/office.ts";
import { boundCodes } from "../doctor/examine.ts";
import { diskSpaceOf } from "../storage/disk-space.ts";
import type { StoreSize } from "../store/store-load.ts";
import type { Store } from "../store/store.ts";
import type { AdminCommands, Params } from "./params.ts";

/** Where the numbers come from. */
export interface StatusSources {
  readonly context: ServerContext;
  readonly dataDirectory: string;
  readonly publicUrl: string;
  readonly startedAtMs: number;
  readonly store: Pick<Store, "admin" | "directoryStatus">;
  /** What the store takes on disk; `undefined` while nobody knows. */
  readonly storeSize: () => Promise<StoreSize | undefined>;
  readonly connections: () => ReadonlyMap<Role, number>;
  readonly watchedLogs: () => number;
  /** Uploads in parts that are not whole. */
  readonly unfinishedUploads: () => { readonly uploads: number; readonly bytes: number };
  /** Whether enough witnesses have cosigned the served head, and how many there are. */
  readonly quorum: () => { readonly witnesses: number; readonly isMet: boolean };
  readonly options: Pick<ServerOptions, "backups">;
  /** Requests refused since the start, by code. */
  readonly refusals: ReadonlyMap<string, number>;
  /** What waits at the desk; `undefined` where there is none. */
  readonly waitingAtDesk: () => Promise<WaitingAtDesk | undefined>;
  /** Why the server is not well; none where it is. */
  readonly healthReasons: () => Promise<readonly string[]>;
}

/** `status`: numbers of the server as a whole, nothing about anybody. */
export function statusCommands(sources: StatusSources): AdminCommands {
  return {
    async status(params: Params) {
      params.end();
      const { context, dataDirectory, publicUrl, startedAtMs, store } = sources;
      const [totals, directory, size] = await Promise.all([store.admin.totals(), store.directoryStatus(), sources.storeSize()]);
      const { backups } = sources.options;
      const unfinished = sources.unfinishedUploads();
      const reasons = await sources.healthReasons();
      const waiting = await sources.waitingAtDesk();
      return {
        version: productVersion,
        host: context.host,
        url: publicUrl,
        upSeconds: Math.max(0, Math.round((context.elapsedMs() - startedAtMs) / 1000)),
        registration: context.registration,
        retentionDays: context.retentionDays,
        connections: Object.fromEntries(sources.connections()),
        watchedLogs: sources.watchedLogs(),
        accounts: totals.accounts,
        storage: {
          databaseBytes: (size?.databaseBytes ?? 0) + (size?.journalBytes ?? 0),
          blobs: totals.blobs,
          blobBytes: totals.blobBytes,
          unfinishedUploads: unfinished.uploads,
          unfinishedUploadBytes: unfinished.bytes,
          freeBytes: (await diskSpaceOf(dataDirectory)).freeBytes,
        },
        directory: {
          entries: directory.size,
          servedEntries: directory.servedSize,
          lastPublicationMs: directory.timestampMs,
          ...sources.quorum(),
        },
        backup: {
          lastMs: readLastBackup(dataDirectory)?.timeMs ?? null,
          ...(backups === undefined ? {} : { everyHours: backups.everyMs / 3_600_000, kept: backups.keep }),
        },
        desk: waiting === undefined ? null : { ...waiting, oldestDay: waiting.oldestDay === undefined ? null : dayText(waiting.oldestDay) },
        limitsReached: Object.fromEntries([...sources.refusals].filter(([code, count]) => count > 0 && boundCodes.has(code))),
        health: { isHealthy: reasons.length === 0, reasons },
      };
    },
  };
}
