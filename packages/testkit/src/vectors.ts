import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repositoryRoot = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Where published test vectors lie: LATCHKEY_VECTORS, else `../shared/vectors` beside the repository. They are not part of it. */
export function vectorsDirectory(): string {
  return resolve(repositoryRoot, process.env["LATCHKEY_VECTORS"] ?? "../shared/vectors");
}

const wycheproof = "wycheproof/";

/** Where a file of vectors lies. Those of Wycheproof (`wycheproof/…`) may lie in a folder of their own: LATCHKEY_WYCHEPROOF. */
export function vectorPath(name: string): string {
  const own = process.env["LATCHKEY_WYCHEPROOF"];
  if (own !== undefined && name.startsWith(wycheproof)) return resolve(repositoryRoot, own, name.slice(wycheproof.length));
  return join(vectorsDirectory(), name);
}

/**
 * The parsed content of one vector file, such as `mls/tree-math.json`, or undefined, said on standard error, when it is absent:
 * `const vectors = loadVectors<...>("mls/tree-math.json"); describe.skipIf(vectors === undefined)("tree-math vectors", ...)`.
 * @throws SyntaxError when the file is there and is not JSON.
 */
export function loadVectors<T>(name: string): T | undefined {
  const path = vectorPath(name);
  if (!existsSync(path)) {
    const variable = name.startsWith(wycheproof)
      ? "LATCHKEY_WYCHEPROOF to testvectors_v1 of github.com/C2SP/wycheproof"
      : "LATCHKEY_VECTORS to the folder that holds them";
    process.stderr.write(`vectors absent, their tests are skipped: ${name} (set ${variable})\n`);
    return undefined;
  }
  // The caller knows the published shape of the file it names.
  return JSON.parse(readFileSync(path, "utf8")) as T;
}
