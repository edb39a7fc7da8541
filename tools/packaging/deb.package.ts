import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { buildDeb, whyNoDeb } from "../build-deb.js";
import { root } from "../node.js";
import { productVersion } from "../version.js";
import { freePort, runToEnd, startPackaged } from "./packaged.testing.js";

const reason = whyNoDeb();
if (reason !== undefined) process.stdout.write(`The Debian package is not tested: ${reason}.\n`);

describe.skipIf(reason !== undefined)("the Debian package", () => {
  let folder: string;
  let deb: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-deb-test-"));
    // Compressed in haste: what is in it is tested, not how small it gets.
    deb = await buildDeb({ binary: inject("program"), output: join(folder, "latchkey.deb"), compression: ["-Zgzip", "-z1"] });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("says what it is, and names the libraries that the executable asks for", () => {
    const field = (name: string): string => execFileSync("dpkg-deb", ["--field", deb, name], { encoding: "utf8" }).trim();
    expect(field("Package")).toBe("latchkey");
    expect(field("Version")).toBe(productVersion().replace("-", "~"));
    const { stdout } = spawnSync("ldd", [inject("program")], { encoding: "utf8" });
    const packages: Readonly<Record<string, string>> = { "libstdc++": "libstdc++6", libgcc_s: "libgcc-s1", libatomic: "libatomic1" };
    for (const [, library = ""] of stdout.matchAll(/^\s*(\S+?)\.so\.\d+ => /gm)) {
      expect(field("Depends"), library).toContain(packages[library] ?? "libc6");
    }
  });

  test("holds the program, its unit, its account and its configuration; everything is root's, and nothing anybody else may change", () => {
    const lines = execFileSync("dpkg-deb", ["--contents", deb], { encoding: "utf8" }).trim().split("\n");
    for (const line of lines) expect(line).toMatch(/^[d-]rw[x-](?:r-[x-]r-[x-]|------) root\/root /);
    const files = lines.filter((line) => line.startsWith("-")).map((line) => line.split(" ./")[1]);
    expect(files.toSorted()).toEqual([
      "etc/latchkey/latchkey.config.json",
      "usr/bin/latchkey",
      "usr/lib/systemd/system/latchkey.service",
      "usr/lib/sysusers.d/latchkey.conf",
      "usr/share/bash-completion/completions/latchkey",
      "usr/share/doc/latchkey/changelog.gz",
      "usr/share/doc/latchkey/copyright",
      "usr/share/doc/latchkey/operations.md",
      "usr/share/fish/vendor_completions.d/latchkey.fish",
      "usr/share/man/man1/latchkey.1.gz",
      "usr/share/zsh/vendor-completions/_latchkey",
    ]);
    execFileSync("dpkg-deb", ["--control", deb, join(folder, "control")]);
    expect(readFileSync(join(folder, "control", "conffiles"), "utf8")).toBe("/etc/latchkey/latchkey.config.json\n");
  });

  test("its scripts end well where there is no systemd, at installation, upgrade and removal, and leave the data alone", () => {
    execFileSync("dpkg-deb", ["--control", deb, join(folder, "scripts")]);
    // Nothing but the shell's own commands can be found.
    const run = (script: string, ...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      runToEnd("/bin/sh", ["-eu", join(folder, "scripts", script), ...args], { env: { PATH: "/nonexistent" } });
    expect(run("postinst", "configure", "")).toMatchObject({ status: 0, stderr: "", stdout: expect.stringContaining("not started") });
    expect(run("postinst", "configure", "0.0.9")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    for (const [script, action] of [
      ["prerm", "upgrade"],
      ["prerm", "remove"],
      ["postrm", "remove"],
      ["postrm", "purge"],
    ] as const) {
      expect(run(script, action), `${script} ${action}`).toMatchObject({ status: 0, stderr: "" });
    }
    for (const script of ["postinst", "prerm", "postrm"]) {
      expect(readFileSync(join(folder, "scripts", script), "utf8")).not.toMatch(/\brm\b/);
    }
  });

  test("installed under another root, it starts as its unit starts it, with the configuration that it brings", async () => {
    const installed = join(folder, "installed");
    execFileSync("dpkg-deb", ["--extract", deb, installed]);
    const unit = readFileSync(join(installed, "usr/lib/systemd/system/latchkey.service"), "utf8");
    const [, command = ""] = /^ExecStart=(.+)$/m.exec(unit) ?? [];
    const state = join(folder, "state");
    mkdirSync(state, { mode: 0o700 });
    const [program = "", ...args] = command
      .replace("${CREDENTIALS_DIRECTORY}", join(installed, "etc/latchkey"))
      .replace("${STATE_DIRECTORY}", state)
      .split(" ");
    const port = await freePort();
    const server = await startPackaged(join(installed, program), args, {
      env: { PATH: "/usr/bin:/bin", LATCHKEY_PORT: String(port) },
      cwd: state,
    });
    expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()).toMatchObject({ status: "ok" });
    expect(await server.stop()).toBe(0);
    expect(statSync(join(state, "directory", "log.key")).mode & 0o077).toBe(0);
  });
});

const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!hasSystemd) process.stdout.write("The unit's exposure is not measured: systemd-analyze is not installed.\n");

describe.skipIf(!hasSystemd)("the systemd unit", () => {
  const unit = join(root, "ops/latchkey.service");

  test("exposes at most 1.5 of 10 to whoever takes the server over", () => {
    const { status, stdout } = runToEnd("systemd-analyze", ["security", "--offline=yes", "--no-pager", "--threshold=15", unit]);
    expect(stdout).toMatch(/Overall exposure level for latchkey\.service: [01]\.\d/);
    expect(status, stdout).toBe(0);
  });

  test("has no line that systemd does not know", () => {
    const { stderr } = runToEnd("systemd-analyze", ["verify", unit]);
    // It is not installed here.
    const complaints = stderr.split("\n").filter((line) => line !== "" && !line.includes("/usr/bin/latchkey is not executable"));
    expect(complaints).toEqual([]);
  });
});
