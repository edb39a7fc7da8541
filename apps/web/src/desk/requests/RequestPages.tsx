import "./requests.css";
import type { ReactElement } from "react";
import type { OfficePlace } from "../office/office-places.ts";
import { IntakePage } from "./IntakePage.tsx";
import { RequestPage } from "./RequestPage.tsx";
import { RequestQueue } from "./RequestQueue.tsx";
import { TypesPage } from "./TypesPage.tsx";

/** Pages of requests of authorities: fetched with their words by whoever opens one. */
export function RequestPages({ place }: { readonly place: Extract<OfficePlace, { readonly kind: "requests" | "types" }> }): ReactElement {
  if (place.kind === "types") return <TypesPage />;
  const { number } = place;
  if (number === undefined) return <RequestQueue />;
  return number === "new" ? <IntakePage /> : <RequestPage key={number} number={number} />;
}
