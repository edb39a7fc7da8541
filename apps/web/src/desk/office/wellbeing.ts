/** How hard things are shown to whoever looks at them all day; kept in this browser. */
export interface Wellbeing {
  readonly isBlurred: boolean;
  readonly isGrey: boolean;
  readonly isMuted: boolean;
}

/** The gentlest: what somebody sees who has chosen nothing. */
export const gentlest: Wellbeing = { isBlurred: true, isGrey: true, isMuted: true };

const name = "latchkey.desk.wellbeing";

export function loadWellbeing(storage: Pick<Storage, "getItem">): Wellbeing {
  try {
    const kept = JSON.parse(storage.getItem(name) ?? "{}") as Partial<Record<keyof Wellbeing, unknown>>;
    // Only what was switched off by hand is off.
    return { isBlurred: kept.isBlurred !== false, isGrey: kept.isGrey !== false, isMuted: kept.isMuted !== false };
  } catch {
    return gentlest;
  }
}

export function saveWellbeing(storage: Pick<Storage, "setItem">, wellbeing: Wellbeing): void {
  try {
    storage.setItem(name, JSON.stringify(wellbeing));
  } catch {
    // A browser that keeps nothing: then it is the gentlest next time.
  }
}
