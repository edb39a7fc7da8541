const plural = new Intl.PluralRules("en");

/** A number with its word, as English has them. */
export function count(n: number, one: string, other: string): string {
  return `${n.toLocaleString("en")} ${plural.select(n) === "one" ? one : other}`;
}
