import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, delimiter, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { buildPackages, libraries } from "../build-packages.js";
import { requireNode, root } from "../node.js";
import { productVersion } from "../version.js";
import { exchange, freePort, runToEnd, startPackaged } from "./packaged.testing.js";

const folder = mkdtempSync(join(tmpdir(), "latchkey-npm-test-"));
/** A project of somebody else, with nothing in it. */
const project = join(folder, "project");
const node = requireNode();
const environment = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env["PATH"] ?? ""}` };
const archives = await buildPackages({ output: join(folder, "packages") });

mkdirSync(project);
writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
const installed = spawnSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...archives], {
  cwd: project,
  env: environment,
  encoding: "utf8",
});
const isUnreachable = installed.status !== 0 && /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH/.test(installed.stderr);
if (isUnreachable) process.stdout.write("The npm packages are not tested: their dependencies cannot be had from the registry now.\n");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = join(project, "node_modules/.bin/latchkey");

describe.skipIf(isUnreachable)("the packages, installed in an empty project", () => {
  test("are installed without a word of failure", () => {
    expect([installed.status, installed.stderr.replaceAll(/^npm warn.*\n?/gm, "")]).toEqual([0, ""]);
  });

  test("are what they say: version, licence and changelog, compiled modules with their types, and nothing else", () => {
    for (const name of [...Object.keys(libraries), "cli"]) {
      const at = join(project, "node_modules/@latchkey", name);
      const manifest = JSON.parse(readFileSync(join(at, "package.json"), "utf8")) as Record<string, unknown>;
      expect(manifest, name).toMatchObject({ name: `@latchkey/${name}`, version: productVersion(), type: "module" });
      expect([manifest["private"], manifest["devDependencies"], manifest["scripts"]]).toEqual([undefined, undefined, undefined]);
      expect(readFileSync(join(at, "CHANGELOG.md"), "utf8")).toContain(`## ${productVersion()}`);
      expect(readFileSync(join(at, "LICENSE"), "utf8")).toContain(manifest["license"] === "MIT" ? "MIT License" : "GNU AFFERO");
      const files = readdirSync(at, { recursive: true }).map(String);
      for (const file of files) expect(file).not.toMatch(/\.test\.|\.testing\.|(?<!\.d)\.ts$|\.map$|^src/);
      if (name !== "cli") expect(files.some((file) => file.endsWith(".d.ts"))).toBe(true);
    }
    const licences = readFileSync(join(project, "node_modules/@latchkey/cli/THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["fastify", "ws", "@noble/curves", "libsodium-wrappers-sumo", "pino"]) expect(licences).toContain(`${name} `);
  });

  test("export the modules that their manifests name, with types that a strict compiler takes", () => {
    const checks = Object.keys(libraries).flatMap((name) => {
      const { exports } = JSON.parse(readFileSync(join(project, "node_modules/@latchkey", name, "package.json"), "utf8")) as {
        exports: Record<string, unknown>;
      };
      return Object.keys(exports).map((key) => `@latchkey/${name}${key.slice(1)}`);
    });
    expect(checks).toContain("@latchkey/client/node");
    const lines = checks.map((name, at) => `import * as m${String(at)} from "${name}";`);
    writeFileSync(
      join(project, "all.ts"),
      `${lines.join("\n")}\nconsole.log([${checks.map((_, at) => `m${String(at)}`).join(", ")}].length);\n`,
    );
    expect(execFileSync(node, ["all.ts"], { cwd: project, encoding: "utf8" }).trim()).toBe(String(checks.length));

    const echo = /```ts\n\/\/ echo-bot\.ts[^\n]*\n([\s\S]*?)```/.exec(readFileSync(join(root, "docs/sdk.md"), "utf8"))?.[1] ?? "";
    expect(echo).toContain("openNodeClient");
    writeFileSync(join(project, "echo-bot.ts"), echo);
    const options = { module: "nodenext", target: "esnext", strict: true, noEmit: true, types: ["node"], lib: ["esnext", "dom"] };
    const config = { compilerOptions: { ...options, typeRoots: [join(root, "node_modules/@types")] }, include: ["*.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    const checked = spawnSync(node, [join(root, "node_modules/@typescript/native/bin/tsc"), "-p", "."], { cwd: project, encoding: "utf8" });
    expect(checked.stdout).toBe("");
  });

  test("run: the command line serves the app, two people write to each other, and the bot of the documentation answers", async () => {
    const port = await freePort();
    const url = `http://localhost:${String(port)}`;
    const server = await startPackaged(program, ["serve", "--port", String(port), "--data", "data"], { cwd: project, env: environment });
    expect((await fetch(`${url}/settings`)).headers.get("content-type")).toMatch(/text\/html/);
    const people = mkdtempSync(join(folder, "people-"));
    const wrapped = join(folder, basename(program));
    writeFileSync(wrapped, `#!/bin/sh\nPATH="${dirname(node)}:$PATH" exec "${program}" "$@"\n`, { mode: 0o755 });
    expect(exchange({ program: wrapped, url, folder: people, text: "from a package" })).toContain("from a package");
    const backup = ["backup", join(folder, "backups"), "--data", join(project, "data"), "--no-keys"];
    expect(runToEnd(wrapped, backup)).toMatchObject({ status: 0 });

    const text = readFileSync(join(project, "echo-bot.ts"), "utf8").replace("http://localhost:8080", url);
    writeFileSync(join(project, "echo-bot.ts"), `${text}\nconsole.log("ready");\n`);
    const bot = spawn(node, ["echo-bot.ts"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] });
    try {
      await new Promise<void>((resolve, reject) => {
        bot.stdout.once("data", () => resolve());
        bot.once("exit", (status) => reject(new Error(`the bot ended with ${String(status)}`)));
      });
      const ann = ["--home", join(people, "ann"), "--server", url];
      expect(runToEnd(wrapped, ["send", "echo_bot", "is anybody there?", ...ann])).toMatchObject({ status: 0 });
      await expect
        .poll(() => runToEnd(wrapped, ["read", ...ann]).stdout, { timeout: 30_000, interval: 500 })
        .toContain("You said: is anybody there?");
    } finally {
      bot.kill();
    }
    expect(await server.stop()).toBe(0);
  });
});
