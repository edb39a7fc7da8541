import {
  maxReportAttachmentBytes,
  maxSealedReportBytes,
  reportAttachmentPath,
  reportPaths,
  sealedReportCodec,
} from "@latchkey/protocol/reports";
import { CodecError, decode, fromBase64Url } from "@latchkey/codec";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { peerOf } from "../addresses.ts";
import type { TrustedProxies } from "../addresses.ts";
import type { Admission } from "../admission/admission.ts";
import type { DoorAnswer } from "../desk/office/door.ts";
import type { OfficeKeeper } from "../desk/office/office-keeper.ts";
import { Refusal } from "../errors.ts";
import type { SpentToken } from "../store/token-store.ts";
import { readBytes } from "./own-page.ts";

/** An attachment counts as this part of a report. */
const attachmentShare = 0.1;
/** A request for answers names mailboxes by 36 bytes. */
const maxAnswersRequestBytes = 4096;

/** What the routes need. */
export interface ReportRoutes {
  /** Absent in a server that has no admin socket. */
  readonly office: () => OfficeKeeper | undefined;
  readonly admission: Admission;
  readonly proxies: TrustedProxies;
  readonly nowMs: () => number;
  /** Whether the disk has room for what may wait. */
  readonly isLow: () => boolean;
  /** Verifies the token that came along: what is to be spent with the report. @throws Refusal */
  redeem(params: { token: Uint8Array; reportId: Uint8Array; address: string }): Promise<SpentToken | undefined>;
}

/**
 * Where anybody reports to the desk (spec V-1 to V-4), with or without an account: nothing here says who it is, and nothing is opened before
 * it was answered. Without a desk these are paths that there are not.
 */
export function addReportRoutes(app: FastifyInstance, routes: ReportRoutes): void {
  const { admission, proxies, nowMs, isLow, redeem } = routes;
  const sourceOf = (request: FastifyRequest): { address: string } => ({ address: peerOf(request.raw, proxies) });
  const open = async (): Promise<OfficeKeeper> => {
    const office = routes.office();
    if (office === undefined || !(await office.takesReports())) throw new Refusal("not_found");
    return office;
  };

  app.post(reportPaths.reports, { bodyLimit: maxSealedReportBytes }, async (request, reply) => {
    const source = sourceOf(request);
    admission.admit("report", source);
    const admitRest = admitBytes(request, maxSealedReportBytes, (bytes) => admission.admit("reportBytes", source, bytes));
    const office = await open();
    const body = await readBytes(request, maxSealedReportBytes);
    admitRest(body);
    // The same again costs nothing and is answered as before.
    const before = await office.door("seen", body);
    if (before !== undefined) return answerDoor(reply, before);
    if (isLow()) throw new Refusal("storage_full");
    const { token, reportId } = readSealed(body);
    const spent = await redeem({ token, reportId, address: source.address });
    return answerDoor(reply, await office.door("arrive", { body, spent, nowMs: nowMs() }));
  });

  app.post<{ Params: { hash: string } }>(reportAttachmentPath(":hash"), { bodyLimit: maxReportAttachmentBytes }, async (request, reply) => {
    const source = sourceOf(request);
    admission.admit("report", source, attachmentShare);
    const admitRest = admitBytes(request, maxReportAttachmentBytes, (bytes) => admission.admit("reportBytes", source, bytes));
    const office = await open();
    const hash = readHash(request.params.hash);
    const size = await office.door("announced", hash);
    if (isLow()) throw new Refusal("storage_full");
    // What nobody announced is not read.
    if (size === undefined || Number(request.headers["content-length"] ?? size) !== size) throw new Refusal("not_found");
    const bytes = await readBytes(request, size);
    admitRest(bytes);
    return answerDoor(reply, await office.door("attach", { hash, bytes }));
  });

  app.post(reportPaths.answers, { bodyLimit: maxAnswersRequestBytes }, async (request, reply) => {
    const source = sourceOf(request);
    admission.admit("reportAnswers", source);
    const office = await open();
    return answerDoor(reply, await office.door("answers", await readBytes(request, maxAnswersRequestBytes)));
  });
}

/** Counts the bytes of a body for its sender before they are read, where they say how many; else what it answers does. */
function admitBytes(request: FastifyRequest, most: number, admit: (bytes: number) => void): (body: Uint8Array) => void {
  const announced = request.headers["content-length"];
  if (announced === undefined) return (body) => admit(body.length);
  if (Number(announced) > most) throw new Refusal("too_large");
  admit(Number(announced));
  return () => {};
}

function answerDoor(reply: FastifyReply, answer: DoorAnswer): FastifyReply {
  if (answer.kind === "refused") throw new Refusal(answer.code);
  const headers = { "cache-control": "no-store", "content-type": "application/octet-stream" };
  return reply.headers(headers).send(Buffer.from(answer.bytes));
}

function readSealed(body: Uint8Array): { token: Uint8Array; reportId: Uint8Array } {
  try {
    return decode(sealedReportCodec, body);
  } catch (error) {
    if (error instanceof CodecError) throw new Refusal("malformed");
    throw error;
  }
}

function readHash(text: string): Uint8Array {
  try {
    const hash = fromBase64Url(text);
    if (hash.length === 32) return hash;
  } catch {
    // Refused below.
  }
  throw new Refusal("not_found");
}
