import { httpPaths } from "@latchkey/protocol";
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import type { HoldingsDoor } from "../desk/holdings-door.ts";
import { inventoryJson } from "../desk/inventory/inventory.ts";
import { Refusal } from "../errors.ts";
import { readBytes } from "./own-page.ts";

const ticketBytes = 32;

/** What the routes need. */
export interface HoldingsRoutes {
  readonly holdings: Pick<HoldingsDoor, "open">;
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
  reportBug(error: unknown): void;
}

/**
 * What the server holds (spec F-20): of one account, for its own device, which shows a ticket in the body, so that no address that anybody
 * writes down says who asked; and of everybody, as columns and files.
 */
export function addHoldingsRoutes(app: FastifyInstance, { holdings, admission, proxies, reportBug }: HoldingsRoutes): void {
  app.post(httpPaths.holdings, { bodyLimit: ticketBytes }, async (request, reply) => {
    const address = peerOf(request.raw, proxies);
    admission.admit("holdings", { address });
    const ticket = await readBytes(request, ticketBytes);
    if (ticket.length !== ticketBytes) throw new Refusal("malformed");
    const pieces = Readable.from(await holdings.open(ticket, address));
    // The answer has begun: what ends early shows whoever reads it that it is not whole.
    pieces.on("error", reportBug);
    const headers = { "content-type": "application/json", "cache-control": "no-store", "content-disposition": "attachment" };
    return reply.headers(headers).send(pieces);
  });

  app.get(httpPaths.inventory, (request, reply) => {
    admission.admit("readDirectory", { address: peerOf(request.raw, proxies) });
    return reply.headers({ "content-type": "application/json", "cache-control": "no-cache" }).send(inventoryJson);
  });
}
