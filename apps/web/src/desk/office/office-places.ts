import type { DeskRole } from "@latchkey/client/desk";

/** A page of the desk; the address has it behind `#`, so that no server and no proxy sees which case somebody reads. */
export type OfficePlace = { readonly kind: "staff" | "trail" };

/** Whose pages there are, in the order of the menu. */
export const officePages: readonly { readonly kind: OfficePlace["kind"]; readonly roles: readonly DeskRole[] }[] = [
  { kind: "staff", roles: ["administrator"] },
  { kind: "trail", roles: ["auditor"] },
];

/** The pages of somebody with these roles. */
export function pagesOf(roles: readonly DeskRole[]): readonly OfficePlace["kind"][] {
  return officePages.filter((page) => page.roles.some((role) => roles.includes(role))).map(({ kind }) => kind);
}

/** The place that an address names, if it is one of these pages; else the first of them. */
export function placeOf(hash: string, pages: readonly OfficePlace["kind"][]): OfficePlace | undefined {
  const kind = pages.find((page) => page === /^#([a-z]+)/.exec(hash)?.[1]) ?? pages[0];
  return kind === undefined ? undefined : { kind };
}
