import { fromBase64Url, toBase64Url, toHex } from "@latchkey/codec";
import { encodeManifest, releaseDigest } from "@latchkey/releases";
import type { ReleaseFile } from "@latchkey/releases";
import { randomBytes } from "node:crypto";
import { sha256 } from "../../../../hash.ts";
import { fields } from "../../../inventory/fields.ts";
import { notHeld } from "../../../inventory/inventory.ts";
import type { Staff } from "../../staff.ts";
import type { OfficeWorld } from "../../world.ts";
import { scopeOf } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import type { KeptCopy } from "./copy-table.ts";
import { narrowHoldings } from "./narrow.ts";
import type { NewPackage } from "./package-table.ts";

/** What a package is made from. */
export interface PackageSource {
  readonly request: StoredRequest;
  readonly maker: Staff;
  readonly nowMs: number;
  readonly host: string;
  /** The page at which passkeys approve. */
  readonly desk: { readonly origin: string; readonly rpId: string };
  readonly world: Pick<OfficeWorld, "holdingsOf">;
  /** The copies that are kept for it, by the places of their identifiers. */
  readonly copies: ReadonlyMap<number, KeptCopy>;
  /** Letters that go along, as PDF. */
  readonly letters: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Whether each account in scope was looked up, so that a package can be made. */
export function isIdentified(request: StoredRequest): boolean {
  const known = new Set(request.body.subjects.map(({ place }) => place));
  return scopeOf(request).identifiers.every((place) => known.has(place));
}

/**
 * Makes what would go out: of each account that was looked up, the copy that was kept when the request came in, or what is held now, cut
 * down to what was ordered. Nothing of any other account is read.
 */
export async function buildPackage(source: PackageSource): Promise<NewPackage> {
  const { request, maker, nowMs, host, desk, world, copies, letters } = source;
  const { number, body } = request;
  const { intake, subjects, type } = body;
  const scope = scopeOf(request);
  const { fromDay, toDay } = scope.period ?? {};
  const order = { categories: scope.categories, ...(scope.period === undefined ? {} : { period: scope.period }) };
  const files = new Map<string, Uint8Array>();
  const described: ReleaseFile[] = [];
  const absent: string[] = [];
  const add = (name: string, bytes: Uint8Array, about: Pick<ReleaseFile, "kind"> & Partial<ReleaseFile>): void => {
    files.set(name, bytes);
    described.push({ name, sha256: toHex(sha256(bytes)), sizeBytes: bytes.length, ...about });
  };
  for (const place of scope.identifiers) {
    const copy = copies.get(place);
    const accountId = copy?.accountId ?? subjects.find((one) => one.place === place)?.accountId;
    const value = intake.identifiers[place - 1]?.value ?? "";
    const held = copy?.bytes ?? (accountId === undefined ? undefined : await world.holdingsOf({ accountId: fromBase64Url(accountId) }));
    if (held === undefined || accountId === undefined) {
      absent.push(`No account here is called "${value}".`);
      continue;
    }
    const { bytes, leftOut } = narrowHoldings(held, order, (path) => fields[path]?.category);
    const asOf = new Date(copy?.asOfMs ?? nowMs).toISOString();
    const kind = "holdings" as const;
    add(`account-${String(place)}.json`, bytes, { kind, accountId, asOf, isPreserved: copy !== undefined, leftOut });
  }
  const accounts = files.size;
  for (const { name, bytes } of letters) add(name, bytes, { kind: "letter" });
  if (scope.categories.some((category) => category === "content" || category === "identification")) absent.push(notHeld);
  const manifest = encodeManifest({
    releaseId: toBase64Url(new Uint8Array(randomBytes(16))),
    host,
    desk,
    request: {
      number,
      reference: intake.authority.reference,
      authority: intake.authority.name,
      country: intake.authority.country,
      type: type.id,
      basis: intake.legalBasis,
      receivedAt: new Date(intake.receivedAtMs).toISOString(),
    },
    asked: {
      identifiers: scope.identifiers.map((place) => intake.identifiers[place - 1]?.value ?? ""),
      categories: scope.categories,
      ...(fromDay === undefined ? {} : { from: fromDay }),
      ...(toDay === undefined ? {} : { until: toDay }),
    },
    preparedBy: maker.name,
    preparedAt: new Date(nowMs).toISOString(),
    files: described,
    notHeld: absent,
  });
  return { digest: releaseDigest(manifest), manifest, files, accounts, maker: maker.id, builtMs: nowMs };
}
