import { fromHex } from "@latchkey/codec";
import { decodeApprovals, decodeManifest } from "@latchkey/releases";
import type { Disclosure } from "@latchkey/reports";
import { dayOf } from "../../../../days.ts";
import { endOfDay, parseDate } from "../periods.ts";
import { scopeOf } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import type { StoredPackage } from "../release/package-table.ts";

/** What of a release is told to whom one of its files is about, and which account that is. `undefined` of a file that is about nobody. */
export function disclosureOf(
  request: StoredRequest,
  pack: StoredPackage,
  { file, endedMs }: { file: string; endedMs: number | undefined },
): { readonly accountId: string; readonly body: Disclosure } | undefined {
  const manifest = decodeManifest(pack.manifest);
  const given = manifest.files.find(({ name }) => name === file);
  const { released } = pack;
  if (given?.accountId === undefined || given.asOf === undefined || released === undefined) return undefined;
  const { intake, calendar } = request.body;
  const { secrecy, authority, legalBasis, receivedAtMs } = intake;
  const { categories, period } = scopeOf(request);
  const secretMs = secrecy.kind === "until" ? endOfDay(secrecy.untilDay, calendar.zone) : endedMs;
  return {
    accountId: given.accountId,
    body: {
      kind: "disclosure",
      puid: manifest.releaseId,
      authority: authority.name,
      country: authority.country,
      reference: authority.reference,
      basis: legalBasis,
      receivedDay: dayOf(receivedAtMs),
      releasedDay: dayOf(released.atMs),
      asOfDay: dayOf(Date.parse(given.asOf)),
      isPreserved: given.isPreserved === true,
      categories,
      fromDay: dayNumber(period?.fromDay),
      toDay: dayNumber(period?.toDay),
      sha256: fromHex(given.sha256),
      sizeBytes: given.sizeBytes,
      secretUntilDay: secretMs === undefined ? 0 : dayOf(secretMs),
      rule: decodeApprovals(released.approvals).rule,
    },
  };
}

function dayNumber(day: string | undefined): number {
  const date = day === undefined ? undefined : parseDate(day);
  return date === undefined ? 0 : dayOf(date.toZonedDateTime("UTC").epochMilliseconds);
}
