import { loadVectors as load } from "@latchkey/testkit";

/** The MLS working group's vectors of that name, or undefined (said on stderr) when they are not there. */
export function loadVectors<T>(name: string): T[] | undefined {
  return load<T[]>(`mls/${name}.json`);
}
