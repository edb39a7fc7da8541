import type { Person } from "@latchkey/client";

/** A person's name in a sentence: with the address where the name alone would not tell who it is. */
export function nameOf({ displayName, besideName }: Person): string {
  return besideName === undefined ? displayName : `${displayName} (${besideName})`;
}
