import { deskRequestPackagesPath } from "@latchkey/protocol/desk";
import type { FastifyInstance } from "fastify";
import { peerOf } from "../addresses.ts";
import { DeskError } from "../desk/office/desk-error.ts";
import { cookieOf } from "./desk-api-routes.ts";
import type { DeskApiRoutes } from "./desk-api-routes.ts";
import { isOwnPage } from "./own-page.ts";

/** The file that went out for a request: for whoever reads requests at the desk, by its own page, to be saved and never shown. */
export function addDeskReleaseRoutes(app: FastifyInstance, routes: DeskApiRoutes): void {
  const { context, admission, proxies } = routes;
  const { host, nowMs, elapsedMs } = context;

  app.get<{ Params: { number: string } }>(`${deskRequestPackagesPath}/:number`, async (request, reply) => {
    const office = routes.office();
    const session = cookieOf(request);
    const number = Number(request.params.number);
    const admitStranger = (): void => admission.admit("deskRefused", { address: peerOf(request.raw, proxies) });
    if (session === "") admitStranger();
    if (office?.isBegun !== true || !isOwnPage(request, host) || !Number.isSafeInteger(number)) {
      reply.callNotFound();
      return reply;
    }
    try {
      const bytes = await office.releasedFile({ session, number, nowMs: nowMs(), passedMs: elapsedMs() });
      const headers = {
        "cache-control": "no-store",
        "content-type": "application/zip",
        "content-disposition": `attachment; filename="release-${String(number)}.zip"`,
      };
      return await reply.headers(headers).send(Buffer.from(bytes));
    } catch (error) {
      // A cookie that opens nothing is as good as none.
      if (error instanceof DeskError && error.code === "not_signed_in" && session !== "") admitStranger();
      throw error;
    }
  });
}
