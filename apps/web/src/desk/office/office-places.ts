import type { DeskRole } from "@latchkey/client/desk";

/** A page of the desk; the address has it behind `#`, so that no server and no proxy sees which case somebody reads. */
export type OfficePlace =
  | { readonly kind: "cases"; readonly number: number | undefined }
  | { readonly kind: "requests"; readonly number: number | "new" | undefined }
  | { readonly kind: "reasons" }
  | { readonly kind: "types" }
  | { readonly kind: "counting" }
  | { readonly kind: "staff" }
  | { readonly kind: "trail" };

/** The pages of the menu. */
export type OfficePage = OfficePlace["kind"];

const pages: readonly { readonly kind: OfficePage; readonly roles: readonly DeskRole[] }[] = [
  { kind: "cases", roles: ["intake", "moderator", "reviewer"] },
  { kind: "requests", roles: ["intake", "moderator", "reviewer"] },
  { kind: "reasons", roles: ["moderator", "administrator"] },
  { kind: "types", roles: ["intake", "moderator", "reviewer", "administrator"] },
  { kind: "counting", roles: ["administrator"] },
  { kind: "staff", roles: ["administrator"] },
  { kind: "trail", roles: ["auditor"] },
];

/** The pages of somebody with these roles, in the order of the menu. */
export function pagesOf(roles: readonly DeskRole[]): readonly OfficePage[] {
  return pages.filter((page) => page.roles.some((role) => roles.includes(role))).map(({ kind }) => kind);
}

/** The place that an address names, if it is one of these pages; else the first of them. */
export function placeOf(hash: string, open: readonly OfficePage[]): OfficePlace | undefined {
  const [, name, number] = /^#([a-z]+)(?:\/(\d{1,15}|new))?$/.exec(hash) ?? [];
  const kind = open.find((page) => page === name) ?? open[0];
  if (kind !== "cases" && kind !== "requests") return kind === undefined ? undefined : { kind };
  const isNamed = name === kind && number !== undefined;
  if (kind === "requests" && isNamed && number === "new") return { kind, number };
  return { kind, number: isNamed && number !== "new" ? Number(number) : undefined };
}

/** The address of a case. */
export function caseAddress(number: number): string {
  return `#cases/${number}`;
}

/** The address of a request of an authority, or of a new one. */
export function requestAddress(number: number | "new"): string {
  return `#requests/${number}`;
}
