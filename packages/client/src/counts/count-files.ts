import { maxCountLogBytes, maxOpeningBytes, parsePeriod, periodText } from "@latchkey/counts";
import type { Period } from "@latchkey/counts";
import { httpPaths } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { betweenFailure, ownCode } from "../transport/between.ts";
import { apart, orOffline, refused } from "../transport/blob-answers.ts";
import { fetchWhileItComes, readBody } from "../transport/fetch-within.ts";

/** A half-year that a server says it counts. Nothing of it is verified. */
export interface CountedHalfYear {
  /** `2026-2` */
  readonly period: string;
  /** When it is opened, in milliseconds since 1970. */
  readonly opensMs: number;
  /** Numbers of its openings, rising. */
  readonly openings: readonly number[];
}

const maxIndexBytes = 65_536;
const maxPeriods = 40;

/** What a server counts in public, over HTTP: files that are the same for everybody. What something in between says is none of it (spec E-79). */
export interface CountFiles {
  /** The half-years, the oldest first; none of a server that does not count. @throws ClientError */
  index(): Promise<readonly CountedHalfYear[]>;
  /** What proves a half-year's values; `undefined` where the server itself says that it has none. @throws ClientError */
  log(period: Period): Promise<Uint8Array | undefined>;
  /** An opening of it by its number; `undefined` where the server itself says that there is none. @throws ClientError */
  opening(period: Period, number: number): Promise<Uint8Array | undefined>;
}

/** @param baseUrl of the host's HTTP, without a slash at its end */
export function createCountFiles({ platform, baseUrl }: { platform: Pick<Platform, "fetch" | "setTimer">; baseUrl: string }): CountFiles {
  async function get(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const read = async (response: Response, came: (bytes: number) => void): Promise<Uint8Array | undefined> => {
      if (!response.ok) {
        const code = await ownCode(response);
        if (response.status === 404 && code === "not_found") return undefined;
        throw refused(response.status, code, "put");
      }
      const body = await readBody(response, maxBytes, came);
      if (body === undefined) throw betweenFailure(response.status);
      return body;
    };
    return await orOffline(() => fetchWhileItComes(platform, `${baseUrl}${httpPaths.counts}${path}`, apart, read));
  }
  return {
    async index() {
      const bytes = await get("", maxIndexBytes);
      return bytes === undefined ? [] : readIndex(bytes);
    },
    log: (period) => get(`/${periodText(period)}/log`, maxCountLogBytes),
    opening: (period, number) => get(`/${periodText(period)}/opening-${number}`, maxOpeningBytes),
  };
}

function readIndex(bytes: Uint8Array): readonly CountedHalfYear[] {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as unknown;
    const periods = typeof value === "object" && value !== null && "periods" in value ? value.periods : undefined;
    if (!Array.isArray(periods)) throw strange();
    return periods.slice(-maxPeriods).map(readHalfYear);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw strange(cause);
  }
}

function readHalfYear(value: unknown): CountedHalfYear {
  if (typeof value !== "object" || value === null || !("period" in value) || !("opensMs" in value) || !("openings" in value))
    throw strange();
  const { period, opensMs, openings } = value;
  if (typeof period !== "string" || parsePeriod(period) === undefined || typeof opensMs !== "number" || !Array.isArray(openings))
    throw strange();
  const numbers = openings.filter((one): one is number => Number.isInteger(one) && one >= 1 && one <= 255);
  if (numbers.length !== openings.length || !Number.isSafeInteger(opensMs)) throw strange();
  return { period, opensMs, openings: numbers };
}

function strange(cause?: unknown): ClientError {
  return new ClientError("server_lied", "What the server says that it counts cannot be read.", { cause });
}
