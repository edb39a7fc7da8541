/** What is wrong with a username as typed, before any server is asked (spec C-3). */
export type UsernameProblem =
  | { readonly kind: "none" }
  | { readonly kind: "too_short"; readonly missing: number }
  | { readonly kind: "too_long" }
  | { readonly kind: "space" }
  | { readonly kind: "bad_character"; readonly character: string };

const shortest = 3;
const longest = 32;

/** What people type for a username, made into one: capitals, a leading `@` and surrounding space are forgiven. */
export function normalizeUsername(typed: string): string {
  return typed.trim().replace(/^@/, "").toLowerCase();
}

/** Checks a normalized username against the rule. */
export function checkUsernameRule(username: string): UsernameProblem {
  const character = [...username].find((one) => !/[a-z0-9_.-]/.test(one));
  if (character !== undefined) return /\s/u.test(character) ? { kind: "space" } : { kind: "bad_character", character };
  if (username.length < shortest) return { kind: "too_short", missing: shortest - username.length };
  return username.length > longest ? { kind: "too_long" } : { kind: "none" };
}
