import type { ReactElement } from "react";
import { CasePage } from "./CasePage.tsx";
import type { OfficePlace } from "./office-places.ts";
import { QueuePage } from "./QueuePage.tsx";
import { ReasonsPage } from "./ReasonsPage.tsx";

/** Queue, cases and saved reasons: fetched with their words by whoever may read them. */
export function CasePages({ place }: { readonly place: Extract<OfficePlace, { readonly kind: "cases" | "reasons" }> }): ReactElement {
  if (place.kind === "reasons") return <ReasonsPage />;
  return place.number === undefined ? <QueuePage /> : <CasePage key={place.number} number={place.number} />;
}
