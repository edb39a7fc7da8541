import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root =
  process.env["LATCHKEY_VECTORS"] ?? join(fileURLToPath(import.meta.url), "..", "..", "..", "..", "..", "shared", "vectors");

/** The MLS working group's vectors of that name, or undefined (said on stderr) when they are not there. */
export function loadVectors<T>(name: string): T[] | undefined {
  const path = join(root, "mls", `${name}.json`);
  if (!existsSync(path)) {
    console.warn(`MLS vectors "${name}" are absent: set LATCHKEY_VECTORS to the directory that holds mls/${name}.json`);
    return undefined;
  }
  // The format is the working group's; each test checks what it reads.
  return JSON.parse(readFileSync(path, "utf8")) as T[];
}
