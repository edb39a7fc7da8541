import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildBinary } from "../build-binary.js";

declare module "vitest" {
  interface ProvidedContext {
    /** The executable, built once for all tests of packages. */
    program: string;
  }
}

/** Builds the executable before the tests of packages, and removes it after them. */
export async function setup(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-built-"));
  chmodSync(folder, 0o755);
  project.provide("program", await buildBinary({ output: join(folder, "latchkey") }));
  return () => rmSync(folder, { recursive: true, force: true });
}
