import { fromBase64Url, toBase64Url, toHex } from "@latchkey/codec";
import { requestLimits } from "@latchkey/protocol/desk";
import { encodeManifest, releaseDigest } from "@latchkey/releases";
import type { ReleaseFile } from "@latchkey/releases";
import { randomBytes } from "node:crypto";
import { sha256 } from "../../../../hash.ts";
import type { Category } from "../../../inventory/entry.ts";
import { fields } from "../../../inventory/fields.ts";
import { notHeld } from "../../../inventory/inventory.ts";
import { DeskError } from "../../desk-error.ts";
import type { Staff } from "../../staff.ts";
import type { OfficeWorld } from "../../world.ts";
import { orderOf, scopeOf } from "../request-body.ts";
import type { StoredRequest } from "../request-body.ts";
import type { FoundCopy } from "./kept-copies.ts";
import { narrowHoldings } from "./narrow.ts";
import type { NewPackage } from "./package-table.ts";

/** What a package is made from. */
export interface PackageSource {
  readonly request: StoredRequest;
  /** The order to preserve whose copies go out. */
  readonly copyOf: number | undefined;
  readonly maker: Staff;
  readonly nowMs: number;
  readonly host: string;
  /** The page at which passkeys approve. */
  readonly desk: { readonly origin: string; readonly rpId: string };
  readonly world: Pick<OfficeWorld, "holdingsOf">;
  /** The copies that go out in place of what is held now, by the places of their identifiers. */
  copyAt(place: number): FoundCopy | undefined;
  /** Letters that go along, as PDF. */
  readonly letters: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** Whether each account in scope was looked up, so that a package can be made. */
export function isIdentified(request: StoredRequest): boolean {
  const known = new Set(request.body.subjects.map(({ place }) => place));
  return scopeOf(request).identifiers.every((place) => known.has(place));
}

/**
 * Makes what would go out: of each account that was looked up, the copy that was kept, or what is held now, cut down to what was ordered.
 * Nothing of any other account is read, and one at a time; what is given out of all of them stays within `requestLimits.packageBytes`.
 *
 * @throws DeskError `too_large` where it does not
 */
export async function buildPackage(source: PackageSource): Promise<NewPackage> {
  const { request, copyOf, maker, nowMs, host, desk, world, letters } = source;
  const { number, body } = request;
  const { intake, subjects, type } = body;
  const scope = scopeOf(request);
  const { fromDay, toDay } = scope.period ?? {};
  const categoryOf = (path: string): Category | undefined => fields[path]?.category;
  const files = new Map<string, Uint8Array>();
  let leftBytes: number = requestLimits.packageBytes;
  const described: ReleaseFile[] = [];
  const absent: string[] = [];
  const add = (name: string, bytes: Uint8Array, about: Pick<ReleaseFile, "kind"> & Partial<ReleaseFile>): void => {
    leftBytes -= bytes.length;
    if (leftBytes < 0) throw new DeskError("too_large");
    files.set(name, bytes);
    described.push({ name, sha256: toHex(sha256(bytes)), sizeBytes: bytes.length, ...about });
  };
  for (const place of scope.identifiers) {
    const copy = source.copyAt(place);
    const accountId = copy?.accountId ?? subjects.find((one) => one.place === place)?.accountId;
    const value = intake.identifiers[place - 1]?.value ?? "";
    const held = copy?.bytes ?? (accountId === undefined ? undefined : await world.holdingsOf({ accountId: fromBase64Url(accountId) }));
    if (held === undefined || accountId === undefined) {
      absent.push(`No account here is called "${value}".`);
      continue;
    }
    const kept = copy?.keptFor;
    // Of another request's copy no more than that asks for, however it was narrowed since.
    const kin = kept === undefined ? { bytes: held, leftOut: [] } : narrowHoldings(held, orderOf(kept), categoryOf);
    const { bytes, leftOut } = narrowHoldings(kin.bytes, orderOf(request), categoryOf);
    const before = [...new Set([...(copy?.leftOut ?? []), ...kin.leftOut])].toSorted();
    add(`account-${String(place)}.json`, bytes, {
      kind: "holdings",
      accountId,
      asOf: new Date(copy?.asOfMs ?? nowMs).toISOString(),
      isPreserved: copy !== undefined,
      ...(kept === undefined
        ? { leftOut: [...new Set([...before, ...leftOut])].toSorted() }
        : { keptFor: kept.number, notKept: before, leftOut }),
    });
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
  return { digest: releaseDigest(manifest), manifest, files, accounts, maker: maker.id, builtMs: nowMs, copyOf };
}
