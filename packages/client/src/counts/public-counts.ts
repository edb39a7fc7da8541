import { claimedPeriod, countsLabel, CountsError, parsePeriod, verifyCountLog, verifyPeriod } from "@latchkey/counts";
import type { Period, PeriodReport } from "@latchkey/counts";
import { TransparencyError } from "@latchkey/transparency";
import type { DirectoryStatus } from "../api.ts";
import type { DirectoryLog } from "../directory/log.ts";
import { createOperatorLabels } from "../directory/operator-labels.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { createCountFiles } from "./count-files.ts";
import type { CountedHalfYear, CountFiles } from "./count-files.ts";

/** A half-year, verified. */
export interface VerifiedHalfYear {
  readonly report: PeriodReport;
  /** Bytes that were fetched for it, apart from the public record's own files. */
  readonly bytes: { readonly log: number; readonly opening: number };
  /** How long verifying took, in milliseconds, without waiting for the network. */
  readonly tookMs: number;
  /** The public record that it was held against: its size, and who vouched for it. */
  readonly record: DirectoryStatus;
}

/** What a host counts in public, as everybody verifies it (spec F-9). */
export interface PublicCounts {
  halfYears(host: string): Promise<readonly CountedHalfYear[]>;
  /** What the host says of a half-year, not verified; `undefined` for what is none, or is not counted. @throws ClientError */
  claimed(host: string, period: string): Promise<PeriodReport | undefined>;
  /**
   * Fetches a half-year and holds it against the public record: the head with its witnesses, the label's place, each value, every slot.
   * @param period `2026-2`; `undefined` for what is none, or is not counted
   * @throws ClientError `directory_unproven` for what the record does not have, `server_lied` for what cannot be read; as `OperatorLabels.newest`
   */
  verify(host: string, period: string): Promise<VerifiedHalfYear | undefined>;
}

interface Fetched {
  readonly period: Period;
  readonly bytes: Uint8Array;
  readonly opening: Uint8Array | undefined;
}

/** @param params whatever reads the host's record: of a profile, or of a page that keeps nothing */
export function createPublicCounts(params: {
  store: Store;
  platform: Platform;
  connections: Pick<Connections, "once" | "httpUrl">;
  log: DirectoryLog;
}): PublicCounts {
  const { platform, connections, log } = params;
  const labels = createOperatorLabels(params);
  const filesOf = (host: string): CountFiles => createCountFiles({ platform, baseUrl: connections.httpUrl(host) });

  /** The files of a half-year. */
  async function fetchPeriod(host: string, text: string): Promise<Fetched | undefined> {
    const period = parsePeriod(text);
    if (period === undefined) return undefined;
    const files = filesOf(host);
    const number = (await files.index()).find((one) => one.period === text)?.openings.at(-1);
    const [bytes, opening] = await Promise.all([files.log(period), number === undefined ? undefined : files.opening(period, number)]);
    return bytes === undefined ? undefined : { period, bytes, opening };
  }

  return {
    halfYears: (host) => filesOf(host).index(),
    async claimed(host, text) {
      const fetched = await fetchPeriod(host, text);
      if (fetched === undefined) return undefined;
      const { period, bytes: log, opening } = fetched;
      try {
        return claimedPeriod({ host, period, log, opening, nowMs: platform.nowMs() });
      } catch (cause) {
        throw failureOf(cause);
      }
    },
    async verify(host, text) {
      const fetched = await fetchPeriod(host, text);
      if (fetched === undefined) return undefined;
      const { period, bytes, opening } = fetched;
      await labels.newest(host, countsLabel);
      const [index, tree] = await Promise.all([labels.place(host, countsLabel), log.tree(host)]);
      if (index === undefined || tree === undefined)
        throw new ClientError("directory_unproven", "The server's public record has nothing of what it counts.");
      const startedMs = performance.now();
      let waitedMs = 0;
      const hashes: typeof tree.hashes = async (ids) => {
        const askedMs = performance.now();
        const found = await tree.hashes(ids);
        waitedMs += performance.now() - askedMs;
        return found;
      };
      try {
        const values = await verifyCountLog(bytes, { ...tree, hashes, index });
        const report = verifyPeriod({ host, period, values, opening, nowMs: platform.nowMs() });
        const tookMs = performance.now() - startedMs - waitedMs;
        return { report, bytes: { log: bytes.length, opening: opening?.length ?? 0 }, tookMs, record: await log.status(host) };
      } catch (cause) {
        throw failureOf(cause);
      }
    },
  };
}

function failureOf(cause: unknown): unknown {
  if (cause instanceof CountsError && cause.code === "malformed") return new ClientError("server_lied", cause.message, { cause });
  if (cause instanceof CountsError || cause instanceof TransparencyError)
    return new ClientError("directory_unproven", "What the server says that it counted is not in its public record.", { cause });
  return cause;
}
