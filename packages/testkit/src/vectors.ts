import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Where published test vectors lie: LATCHKEY_VECTORS, else `../shared/vectors` beside the repository. They are not part of it. */
export function vectorsDirectory(): string {
  return resolve(repositoryRoot, process.env["LATCHKEY_VECTORS"] ?? "../shared/vectors");
}

/**
 * The parsed content of one vector file, such as `mls/tree-math.json`, or undefined, said on standard error, when it is absent:
 * `const vectors = loadVectors<...>("mls/tree-math.json"); describe.skipIf(vectors === undefined)("tree-math vectors", ...)`.
 * @throws SyntaxError when the file is there and is not JSON.
 */
export function loadVectors<T>(name: string): T | undefined {
  const path = join(vectorsDirectory(), name);
  if (!existsSync(path)) {
    process.stderr.write(`vectors absent, their tests are skipped: ${name} (set LATCHKEY_VECTORS to the folder that holds them)\n`);
    return undefined;
  }
  // The caller knows the published shape of the file it names.
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
