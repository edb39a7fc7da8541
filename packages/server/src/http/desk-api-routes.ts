import { deskApiPath, deskAttachmentsPath, openDeskOperations, requestLimits } from "@latchkey/protocol/desk";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import type { ServerContext } from "../config.ts";
import { DeskError, deskStatuses } from "../desk/office/desk-error.ts";
import type { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { isOwnPage, readBody } from "./own-page.ts";

/** A decision of many cases with the longest texts; a document to import, as a string of JSON, may be twice what it is. */
const maxBodyBytes = 131_072;
const maxImportBytes = 2 * requestLimits.importBytes + 1024;
const cookieName = "latchkey_desk";

/** What the routes need. */
export interface DeskApiRoutes {
  /** Absent in a server that has no admin socket. */
  readonly office: () => OfficeKeeper | undefined;
  readonly context: Pick<ServerContext, "host" | "nowMs" | "elapsedMs">;
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
}

/**
 * The desk's operations over HTTP, for its own page alone. The session is a cookie that no script reads and no other site's page sends.
 * Who has none, or needs none, is limited by address; where there is no desk, its paths are ones that there are not.
 */
export function addDeskApiRoutes(app: FastifyInstance, { office, context, admission, proxies }: DeskApiRoutes): void {
  const { host, nowMs, elapsedMs } = context;
  const admitStranger = (request: FastifyRequest): void => admission.admit("deskRefused", { address: peerOf(request.raw, proxies) });

  app.post<{ Params: { operation: string } }>(`${deskApiPath}/:operation`, { bodyLimit: maxImportBytes }, async (request, reply) => {
    const current = office();
    const session = cookieOf(request);
    const { operation } = request.params;
    // What needs no session is not asked with one either: any cookie would do.
    if (session === "" || openDeskOperations.some((open) => open === operation)) admitStranger(request);
    if (current?.isBegun !== true || !isOwnPage(request, host)) {
      reply.callNotFound();
      return reply;
    }
    const body = await readBody(request, operation === "request-import" ? maxImportBytes : maxBodyBytes);
    const answer = await current.handle({ operation, session, body, nowMs: nowMs(), passedMs: elapsedMs() });
    // A cookie that opens nothing is as good as none.
    if (answer.status === deskStatuses.not_signed_in && session !== "") admitStranger(request);
    if (answer.session !== undefined) setCookie(reply, answer.session, current.publicUrl.startsWith("https:"));
    return reply.code(answer.status).header("cache-control", "no-store").send(answer.body);
  });

  // Without a cookie no other site's page gets it, with one only this site's: it is Strict. Saved or read by script, never shown by itself.
  app.get<{ Params: { number: string; file: string } }>(`${deskAttachmentsPath}/:number/:file`, async (request, reply) => {
    const current = office();
    const session = cookieOf(request);
    const [caseNumber, file] = [Number(request.params.number), Number(request.params.file)];
    if (session === "") admitStranger(request);
    if (current?.isBegun !== true || !isOwnPage(request, host) || !Number.isSafeInteger(caseNumber) || !Number.isSafeInteger(file)) {
      reply.callNotFound();
      return reply;
    }
    try {
      const bytes = await current.file({ session, caseNumber, file, nowMs: nowMs(), passedMs: elapsedMs() });
      const headers = { "cache-control": "no-store", "content-type": "application/octet-stream", "content-disposition": "attachment" };
      return await reply.headers(headers).send(Buffer.from(bytes));
    } catch (error) {
      if (error instanceof DeskError && error.code === "not_signed_in" && session !== "") admitStranger(request);
      throw error;
    }
  });
}

/** Secret of the session that a request's cookie names; "" of none. */
export function cookieOf(request: FastifyRequest): string {
  const cookies = (request.headers.cookie ?? "").split(";").map((cookie) => cookie.trim());
  const value = cookies.find((cookie) => cookie.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1) ?? "";
  return /^[\w-]{43}$/.test(value) ? value : "";
}

function setCookie(reply: FastifyReply, secret: string, isSecure: boolean): void {
  const parts = [`${cookieName}=${secret}`, `Path=${deskApiPath}`, "HttpOnly", "SameSite=Strict"];
  if (isSecure) parts.push("Secure");
  if (secret === "") parts.push("Max-Age=0");
  void reply.header("set-cookie", parts.join("; "));
}
