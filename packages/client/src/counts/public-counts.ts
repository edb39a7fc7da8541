import { claimedPeriod, countsLabel, CountsError, hiddenValues, parsePeriod, verifyCountLog, verifyPeriod } from "@latchkey/counts";
import type { Period, PeriodReport, ProvenValue } from "@latchkey/counts";
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

/** All that a host counts, verified. */
export interface VerifiedCounts {
  /** The oldest first. */
  readonly halfYears: readonly VerifiedHalfYear[];
  /** How many values of the public record no half-year shows: none where a server lost nothing and hides nothing (spec K-3). */
  readonly hidden: number;
}

/** What a host counts in public, as everybody verifies it (spec F-9). */
export interface PublicCounts {
  /** What the host says of every half-year, the oldest first, with nothing of it verified. @throws ClientError `server_lied` for what cannot be read, `offline` */
  claimed(host: string): Promise<readonly PeriodReport[]>;
  /**
   * Fetches a half-year and holds it against the public record: the head with its witnesses, the label's place, each value, every slot.
   * @param period `2026-2`; `undefined` for what is none, or is not counted
   * @throws ClientError `directory_unproven` for what the record does not have, `server_lied` for what cannot be read; as `OperatorLabels.newest`
   */
  verify(host: string, period: string): Promise<VerifiedHalfYear | undefined>;
  /** Verifies every half-year that there is, and that the public record has nothing that none of them shows. @throws as `verify` */
  verifyAll(host: string): Promise<VerifiedCounts>;
}

interface Fetched {
  readonly period: Period;
  readonly bytes: Uint8Array;
  readonly opening: Uint8Array | undefined;
  /** The opening before that one; nobody but who verifies needs it. */
  readonly before: Uint8Array | undefined;
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
  async function fetchPeriod(
    files: CountFiles,
    { period: text, openings }: Pick<CountedHalfYear, "period" | "openings">,
    isToVerify: boolean,
  ): Promise<Fetched | undefined> {
    const period = parsePeriod(text);
    if (period === undefined) return undefined;
    const one = (number: number | undefined): Promise<Uint8Array | undefined> =>
      number === undefined ? Promise.resolve(undefined) : files.opening(period, number);
    const [bytes, opening, before] = await Promise.all([
      files.log(period),
      one(openings.at(-1)),
      one(isToVerify ? openings.at(-2) : undefined),
    ]);
    return bytes === undefined ? undefined : { period, bytes, opening, before };
  }

  async function fetchOne(host: string, text: string): Promise<Fetched | undefined> {
    const files = filesOf(host);
    return fetchPeriod(files, (await files.index()).find((one) => one.period === text) ?? { period: text, openings: [] }, true);
  }

  /** All half-years, one after another: forty are a lot at once. */
  async function* fetchAll(host: string, isToVerify: boolean): AsyncGenerator<Fetched> {
    const files = filesOf(host);
    for (const one of await files.index()) {
      const found = await fetchPeriod(files, one, isToVerify);
      if (found !== undefined) yield found;
    }
  }

  /** Holds what was fetched before against the record as it is now. */
  async function verifyFetched(host: string, fetched: readonly Fetched[]): Promise<VerifiedCounts> {
    await labels.newest(host, countsLabel);
    const [label, tree] = await Promise.all([labels.state(host, countsLabel), log.tree(host)]);
    if (label === undefined || tree === undefined)
      throw new ClientError("directory_unproven", "The server's public record has nothing of what it counts.");
    let waitedMs = 0;
    const hashes: typeof tree.hashes = async (ids) => {
      const askedMs = performance.now();
      const found = await tree.hashes(ids);
      waitedMs += performance.now() - askedMs;
      return found;
    };
    const record = await log.status(host);
    const halfYears: VerifiedHalfYear[] = [];
    const shown: (readonly ProvenValue[])[] = [];
    try {
      for (const { period, bytes, opening, before } of fetched) {
        const [startedMs, waitedBefore] = [performance.now(), waitedMs];
        const values = await verifyCountLog(bytes, { ...tree, hashes, index: label.index });
        const report = verifyPeriod({ host, period, values, opening, before, nowMs: platform.nowMs() });
        const tookMs = performance.now() - startedMs - (waitedMs - waitedBefore);
        shown.push(values);
        halfYears.push({ report, bytes: { log: bytes.length, opening: opening?.length ?? 0 }, tookMs, record });
      }
    } catch (cause) {
      throw failureOf(cause);
    }
    return { halfYears, hidden: hiddenValues(shown, label.version) };
  }

  return {
    async claimed(host) {
      const claimed: PeriodReport[] = [];
      try {
        for await (const { period, bytes: log, opening } of fetchAll(host, false))
          claimed.push(claimedPeriod({ host, period, log, opening, nowMs: platform.nowMs() }));
        return claimed;
      } catch (cause) {
        throw failureOf(cause);
      }
    },
    async verify(host, text) {
      const fetched = await fetchOne(host, text);
      return fetched === undefined ? undefined : (await verifyFetched(host, [fetched])).halfYears[0];
    },
    async verifyAll(host) {
      const fetched = await Array.fromAsync(fetchAll(host, true));
      // Who says that nothing is counted has nothing in the record either: looked up all the same.
      if (fetched.length === 0 && (await labels.newest(host, countsLabel)) === undefined) return { halfYears: [], hidden: 0 };
      return verifyFetched(host, fetched);
    },
  };
}

function failureOf(cause: unknown): unknown {
  if (cause instanceof CountsError && cause.code === "malformed") return new ClientError("server_lied", cause.message, { cause });
  if (cause instanceof CountsError || cause instanceof TransparencyError)
    return new ClientError("directory_unproven", "What the server says that it counted is not in its public record.", { cause });
  return cause;
}
