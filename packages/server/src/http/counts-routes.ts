import { parsePeriod } from "@latchkey/counts";
import { httpPaths } from "@latchkey/protocol";
import type { FastifyInstance } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import { DeskError } from "../desk/office/desk-error.ts";
import type { CountsQuery } from "../desk/office/counting/published.ts";
import type { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { Refusal } from "../errors.ts";

/** How long an answer is given to everybody before the desk is asked again: a crowd is no work for it. */
const heldMs = 60_000;
/** Answers held at once: of some half-years, and not of every one that somebody names. */
const mostHeld = 16;

interface Held {
  readonly body: Promise<Uint8Array | undefined>;
  readonly untilMs: number;
}

/** What is counted in public (spec F-9): files that are the same for everybody. */
export function addCountsRoutes(
  app: FastifyInstance,
  parts: {
    office(): Pick<OfficeKeeper, "counts"> | undefined;
    readonly admission: Admission;
    readonly proxies: TrustedProxies;
    /** Never jumps. */
    passedMs(): number;
  },
): void {
  const { office, admission, proxies, passedMs } = parts;
  const held = new Map<string, Held>();

  async function answerOf(key: string, query: CountsQuery): Promise<Uint8Array> {
    let found = held.get(key);
    if (found === undefined || passedMs() >= found.untilMs) {
      found = { body: ask(query), untilMs: passedMs() + heldMs };
      held.delete(key);
      held.set(key, found);
      const own = found;
      found.body.catch(() => {
        if (held.get(key) === own) held.delete(key);
      });
      for (const old of held.keys()) {
        if (held.size <= mostHeld) break;
        held.delete(old);
      }
    }
    const body = await found.body;
    if (body === undefined) throw new Refusal("not_found");
    return body;
  }

  async function ask(query: CountsQuery): Promise<Uint8Array | undefined> {
    try {
      return await office()?.counts(query);
    } catch (error) {
      // A server without a desk counts nothing.
      if (error instanceof DeskError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  const serve = (path: string, kind: CountsQuery["kind"], type: string, cache: string): void => {
    app.get<{ Params: { period?: string; number?: string } }>(path, async (request, reply) => {
      admission.admit("readDirectory", { address: peerOf(request.raw, proxies) });
      const query = queryOf(kind, request.params);
      if (query === undefined) throw new Refusal("not_found");
      const body = await answerOf(JSON.stringify(query), query);
      return reply.headers({ "content-type": type, "cache-control": cache }).send(Buffer.from(body));
    });
  };
  serve(httpPaths.counts, "index", "application/json", "public, max-age=60");
  serve(`${httpPaths.counts}/:period/log`, "log", "application/octet-stream", "public, max-age=60");
  // Its hash stands in the public record: it is never another one.
  serve(`${httpPaths.counts}/:period/opening-:number`, "opening", "application/json", "public, max-age=31536000, immutable");
}

function queryOf(kind: CountsQuery["kind"], params: { period?: string; number?: string }): CountsQuery | undefined {
  if (kind === "index") return { kind };
  const period = parsePeriod(params.period ?? "");
  if (period === undefined) return undefined;
  if (kind === "log") return { kind, period };
  const number = /^[1-9][0-9]{0,2}$/.test(params.number ?? "") ? Number(params.number) : undefined;
  return number === undefined ? undefined : { kind, period, number };
}
