// Programs that are run by the recipes of ops/, of which only names, ports and paths are changed.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, onTestFinished } from "vitest";

/** A file of ops/. */
export const recipe = (name: string): string => readFileSync(new URL(`../../../ops/${name}`, import.meta.url), "utf8");

/** Where a program lies, `undefined` where it is not installed; services are often outside of a person's path. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin", "/usr/bin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** The recipe with other names; whatever it does not hold any more fails the test. */
export function change(recipeText: string, changes: readonly (readonly [string, string])[]): string {
  let changed = recipeText;
  for (const [from, to] of changes) {
    expect(changed).toContain(from);
    changed = changed.replaceAll(from, to);
  }
  return changed;
}

/** Ends a program after the test, and waits for its end. */
export function endWithTest(child: ChildProcess): void {
  const gone = once(child, "exit");
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    await gone;
  });
}
