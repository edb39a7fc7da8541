import { httpPaths } from "@latchkey/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import type { Desk } from "../desk/desk.ts";
import { Refusal } from "../errors.ts";
import { isOwnPage, readBody } from "./own-page.ts";

const maxBodyBytes = 4096;

/** What the routes need. */
export interface DeskRoutes {
  /** Absent in a server that has no admin socket. */
  readonly desk: () => Desk | undefined;
  readonly host: string;
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
}

/**
 * The desk over HTTP: a link's secret is exchanged for a session's token, which goes in the header Authorization. Whoever has neither gets
 * the answer of a path that there is not, whether the desk is open to somebody or to nobody.
 */
export function addDeskRoutes(app: FastifyInstance, { desk, host, admission, proxies }: DeskRoutes): void {
  /** What is refused counts by address; who has a session has a limit of their own, which no neighbour uses up. */
  const refuse = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    admission.admit("deskRefused", { address: peerOf(request.raw, proxies) });
    reply.callNotFound();
    return reply;
  };

  app.post(`${httpPaths.desk}/open`, async (request, reply) => {
    const current = desk();
    const body = isOwnPage(request, host) ? await readBody(request, maxBodyBytes) : "";
    const outcome = current?.access.useLink(body);
    if (current === undefined || outcome === undefined) return refuse(request, reply);
    void reply.header("cache-control", "no-store");
    if (outcome === "used") {
      current.warnOfSecondUse();
      return reply.code(409).send({ code: "link_used" });
    }
    return reply.send({ token: outcome.token, leftSeconds: Math.floor(outcome.leftMs / 1000) });
  });

  app.post(`${httpPaths.desk}/close`, async (request, reply) => {
    const current = desk();
    const token = tokenOf(request);
    if (current === undefined || !isOwnPage(request, host) || current.access.admit(token) === undefined) return refuse(request, reply);
    current.access.end(token);
    return reply.header("cache-control", "no-store").send({ code: "done" });
  });

  app.post<{ Params: { command: string } }>(`${httpPaths.desk}/read/:command`, async (request, reply) => {
    const current = desk();
    const admitted = isOwnPage(request, host) ? current?.access.admit(tokenOf(request)) : undefined;
    if (current === undefined || admitted === undefined) return refuse(request, reply);
    if (admitted.waitMs > 0) throw new Refusal("rate_limited", admitted.waitMs);
    const { status, body } = await current.read(request.params.command, await readBody(request, maxBodyBytes));
    return reply.code(status).header("cache-control", "no-store").send(body);
  });
}

function tokenOf(request: FastifyRequest): string {
  return /^Bearer ([\w-]{43})$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
}
