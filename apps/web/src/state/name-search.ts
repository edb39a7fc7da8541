import { fold } from "@latchkey/client/own";

/** What tells of names whether one has what was asked for in it, folded as in the search for messages; an empty question is in all. */
export function namesWith(asked: string): (...names: readonly (string | undefined)[]) => boolean {
  const text = fold(asked.trim());
  return (...names) => text === "" || names.some((name) => name !== undefined && fold(name).includes(text));
}
