import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const sourceFolder = join(import.meta.dirname, "../go-tlog");
const packagePath = "src/golang.org/x/mod/sumdb/tlog/tlog.go";

/** Where golang.org/x/mod lies: a GOPATH, as Debian's golang-golang-x-mod-dev fills it. */
function goPath(): string | undefined {
  return [process.env["GOPATH"], "/usr/share/gocode"].find((path) => path !== undefined && existsSync(join(path, packagePath)));
}

/** Why programs in Go cannot be built here, or undefined when they can. */
export function goMissing(): string | undefined {
  if (spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return "Go is not installed (Debian: golang-go)";
  return goPath() === undefined ? "golang.org/x/mod is not installed (Debian: golang-golang-x-mod-dev)" : undefined;
}

/** The checker of go-tlog/, built into a folder of its own. */
export interface GoChecker {
  /** Runs it once: JSON in, JSON out. @throws Error with its standard error when it fails. */
  run(input: unknown): unknown;
  remove(): void;
}

/** @throws Error when it does not build. */
export function buildGoChecker(): GoChecker {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-go-"));
  const binary = join(folder, "go-tlog");
  const env = { ...process.env, GO111MODULE: "off", GOFLAGS: "", GOPATH: goPath() ?? "", CGO_ENABLED: "0" };
  execFileSync("go", ["build", "-o", binary, "main.go"], { cwd: sourceFolder, env, stdio: ["ignore", "ignore", "pipe"] });
  return {
    run: (input) => JSON.parse(execFileSync(binary, { input: JSON.stringify(input), encoding: "utf8", maxBuffer: 1 << 28 })),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
