import { decode } from "@latchkey/codec";
import { endedReportDays } from "@latchkey/protocol/desk";
import { sealedReportCodec } from "@latchkey/protocol/reports";
import { ReportError, mailboxOf, openReport } from "@latchkey/reports";
import type { OpenedReport } from "@latchkey/reports";
import { dayMs } from "../../days.ts";
import type { SealedArrival } from "./arrivals.ts";
import type { DeskSecrets } from "./desk-keys.ts";
import { readEvidence } from "./read-evidence.ts";
import type { NewAppeal, NewReport } from "./evidence.ts";
import type { OfficeWorld } from "./world.ts";

/** Whose answers go where. */
interface Answerable {
  readonly replySecret: Uint8Array;
  readonly mailbox: Uint8Array;
}

/** What became of a report that was opened. */
export type OpenedArrival =
  | ({ readonly kind: "report"; readonly report: NewReport } & Answerable)
  | ({ readonly kind: "appeal"; readonly appeal: NewAppeal } & Answerable)
  /** It is not for this desk, or nobody proves that they may; or something in it had ended long before (spec V-7). */
  | ({ readonly kind: "refused"; readonly why: "elsewhere" | "ended" } & Answerable)
  /** Nothing that can be read, or answered: it is as if it had not come. */
  | { readonly kind: "nothing" };

/** Opens a report or an appeal and verifies what is in it. What anybody could write there becomes one of these, never an error. */
export async function openArrival(params: {
  arrival: SealedArrival;
  secrets: DeskSecrets;
  host: string;
  world: Pick<OfficeWorld, "statesOf">;
  nowMs: number;
}): Promise<OpenedArrival> {
  const { arrival, secrets, host, world, nowMs } = params;
  const sealed = decode(sealedReportCodec, arrival.sealed);
  let opened: OpenedReport;
  try {
    opened = await openReport({ suite: secrets.suite, keys: secrets.encryption, sealed });
  } catch (error) {
    if (error instanceof ReportError) return { kind: "nothing" };
    throw error;
  }
  const { report } = opened;
  const { replySecret, reportId, body } = report;
  const answerable = { replySecret, mailbox: mailboxOf(replySecret) };
  const { evidence, signer } = await readEvidence({ opened, files: arrival.files, secrets, host, world, nowMs });
  if (body.kind === "report") {
    // Accounts of other hosts are their desk's.
    if (body.accused.host !== host) return { kind: "refused", why: "elsewhere", ...answerable };
    const earliestMs = (arrival.day - endedReportDays) * dayMs;
    if (evidence.items.some(({ goneAtMs = earliestMs }) => goneAtMs < earliestMs)) return { kind: "refused", why: "ended", ...answerable };
    const reporter = signer === undefined ? {} : { reporter: signer };
    return {
      kind: "report",
      report: { ...evidence, ...answerable, reportId, accused: body.accused, reason: body.reason, ...reporter },
      ...answerable,
    };
  }
  if (body.report !== undefined) {
    const by = { kind: "reporter", mailbox: mailboxOf(body.report.replySecret) } as const;
    return { kind: "appeal", appeal: { ...evidence, puid: body.puid, by }, ...answerable };
  }
  // Without a report of theirs it is the accused's, whose device signed it.
  if (signer === undefined) return { kind: "refused", why: "elsewhere", ...answerable };
  return { kind: "appeal", appeal: { ...evidence, puid: body.puid, by: { kind: "accused", account: signer } }, ...answerable };
}
