import type { OfficeWorld } from "../../world.ts";
import type { DeskSecrets } from "../../desk-keys.ts";
import type { RequestParts } from "../request-office.ts";
import type { CopyTable } from "./copy-table.ts";
import type { PackageTable } from "./package-table.ts";
import type { WaitMeter } from "./wait-meter.ts";

/** What releasing works with besides requests. */
export interface ReleaseParts extends RequestParts {
  readonly packages: PackageTable;
  readonly copies: CopyTable;
  readonly secrets: DeskSecrets;
  /** The page at which passkeys approve. */
  readonly place: { readonly origin: string; readonly rpId: string };
  readonly holdings: Pick<OfficeWorld, "holdingsOf">;
  readonly meter: WaitMeter;
}
