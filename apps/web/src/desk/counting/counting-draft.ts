import type { CountingChoice } from "@latchkey/client/desk";

/** How half-years to come are counted, as it stands in a form. */
export interface CountingDraft {
  /** `exact` seals nothing. */
  readonly kind: "covered" | "exact";
  readonly everyDays: "1" | "7";
  readonly hour: string;
  readonly slots: `${CountingChoice["slots"]}`;
  readonly sealed: string;
  readonly openingDays: string;
  readonly delayPeriods: string;
  readonly smallNumber: string;
  readonly band: string;
}

/** Fields with a number in them. */
export type NumberField = "hour" | "sealed" | "openingDays" | "delayPeriods" | "smallNumber";

/** What is in a number's field, from and to; of `sealed` the most depends on the slots. */
export const bounds: Readonly<Record<NumberField, readonly [least: number, most: number]>> = {
  hour: [0, 23],
  sealed: [1, 62],
  openingDays: [1, 180],
  delayPeriods: [0, 10],
  smallNumber: [0, 100],
};

export const slotChoices: readonly CountingDraft["slots"][] = ["4", "8", "16", "32", "64"];

export function draftOf(choice: CountingChoice): CountingDraft {
  const { everyDays, hour, slots, sealed, openingDays, delayPeriods, smallNumber, band } = choice;
  return {
    kind: sealed === 0 ? "exact" : "covered",
    everyDays: everyDays === 1 ? "1" : "7",
    hour: String(hour),
    slots: `${slots}`,
    // Where somebody changes their mind there is something to begin with.
    sealed: String(sealed === 0 ? Math.max(1, slots / 4) : sealed),
    openingDays: String(openingDays),
    delayPeriods: String(delayPeriods),
    smallNumber: String(smallNumber),
    band,
  };
}

/** What a form comes to, or which of its numbers are none that can be. */
export function choiceOf(
  draft: CountingDraft,
): { readonly choice: CountingChoice; readonly wrong?: never } | { readonly choice?: never; readonly wrong: readonly NumberField[] } {
  const slots = Number(draft.slots) as CountingChoice["slots"];
  const isWrong = (field: NumberField): boolean => {
    if (field === "sealed" && draft.kind === "exact") return false;
    const [least, most] = bounds[field];
    const value = /^\d{1,4}$/.test(draft[field].trim()) ? Number(draft[field]) : -1;
    return value < least || value > (field === "sealed" ? slots - 2 : most);
  };
  const fields: readonly NumberField[] = ["hour", "sealed", "openingDays", "delayPeriods", "smallNumber"];
  const wrong = fields.filter(isWrong);
  if (wrong.length > 0) return { wrong };
  return {
    choice: {
      everyDays: draft.everyDays === "1" ? 1 : 7,
      hour: Number(draft.hour),
      slots,
      sealed: draft.kind === "exact" ? 0 : Number(draft.sealed),
      openingDays: Number(draft.openingDays),
      delayPeriods: Number(draft.delayPeriods),
      smallNumber: Number(draft.smallNumber),
      band: draft.band,
    },
  };
}

/** How many slots stay sealed in a half-year, whatever there was: the public sees that many of everybody who chose so. */
export function sealedInHalfYear({ everyDays, sealed }: Pick<CountingChoice, "everyDays" | "sealed">): number {
  return (everyDays === 1 ? 184 : 26) * sealed;
}
