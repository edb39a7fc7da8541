// npm run build:deb [-- --output FILE]: a Debian package of the executable, its systemd unit and its configuration.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { buildBinary } from "./build-binary.js";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, isMain, root } from "./node.js";
import { productVersion } from "./version.js";

const architectures = { x64: "amd64", arm64: "arm64" };
/** What Node.js 26 is linked with. */
const dependencies = "libc6 (>= 2.28), libstdc++6 (>= 9), libgcc-s1, libatomic1";

/** Why no package can be built here; undefined when one can. */
export function whyNoDeb() {
  if (process.platform !== "linux" || architectures[process.arch] === undefined)
    return `no Debian runs on ${process.platform}-${process.arch}`;
  return spawnSync("dpkg-deb", ["--version"], { stdio: "ignore" }).status === 0 ? undefined : "dpkg-deb is not installed (Debian's dpkg)";
}

/**
 * Builds the package; needs no root. `binary` is an executable of tools/build-binary.js, made anew if absent; `compression` is dpkg-deb's
 * options. Returns its path.
 */
export async function buildDeb({ binary, output, compression = ["-Zxz", "-z6"] } = {}) {
  const version = productVersion();
  const architecture = architectures[process.arch];
  const target = resolve(output ?? join(root, "dist", `latchkey_${version}_${architecture}.deb`));
  const program = binary ?? (await buildBinary());
  const folder = mkdtempSync(join(tmpdir(), "latchkey-deb-"));
  try {
    chmodSync(folder, 0o755);
    const put = (path, content, mode = 0o644) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true, mode: 0o755 });
      writeFileSync(join(folder, path), content);
      chmodSync(join(folder, path), mode);
    };
    const ops = (name) => readFileSync(join(root, "ops", name));
    mkdirSync(join(folder, "usr/bin"), { recursive: true, mode: 0o755 });
    copyFileSync(program, join(folder, "usr/bin/latchkey"));
    chmodSync(join(folder, "usr/bin/latchkey"), 0o755);
    put("etc/latchkey/latchkey.config.json", ops("latchkey.config.json"), 0o600);
    put("usr/lib/systemd/system/latchkey.service", ops("latchkey.service"));
    put("usr/lib/sysusers.d/latchkey.conf", ops("debian/sysusers.conf"));
    put("usr/share/doc/latchkey/operations.md", readFileSync(join(root, "docs/operations.md")));
    put("usr/share/doc/latchkey/changelog.gz", gzipSync(readFileSync(join(root, "CHANGELOG.md")), { level: 9 }));
    put("usr/share/doc/latchkey/copyright", copyright());
    const printed = (...args) => execFileSync(program, args, { encoding: "utf8" });
    put("usr/share/man/man1/latchkey.1.gz", gzipSync(printed("manual"), { level: 9 }));
    put("usr/share/bash-completion/completions/latchkey", printed("completion", "bash"));
    put("usr/share/zsh/vendor-completions/_latchkey", printed("completion", "zsh"));
    put("usr/share/fish/vendor_completions.d/latchkey.fish", printed("completion", "fish"));
    put("DEBIAN/conffiles", "/etc/latchkey/latchkey.config.json\n");
    for (const script of ["postinst", "prerm", "postrm"]) put(`DEBIAN/${script}`, ops(`debian/${script}`), 0o755);
    const installedKib = Math.ceil(statSync(program).size / 1024);
    put("DEBIAN/control", control({ version, architecture, installedKib }));
    mkdirSync(dirname(target), { recursive: true });
    // Times within the package are of one moment: the same files make the same package.
    const env = { SOURCE_DATE_EPOCH: "0", ...process.env };
    execFileSync("dpkg-deb", ["--root-owner-group", ...compression, "--build", folder, target], {
      stdio: ["ignore", "ignore", "inherit"],
      env,
    });
    return target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function control({ version, architecture, installedKib }) {
  // A pre-release comes before its release: "~" sorts first.
  return `Package: latchkey
Version: ${version.replace("-", "~")}
Architecture: ${architecture}
Maintainer: The Latchkey authors <maintainers@latchkey.invalid>
Installed-Size: ${installedKib}
Depends: ${dependencies}, systemd | systemd-standalone-sysusers | systemd-sysusers
Recommends: ca-certificates
Section: net
Priority: optional
Description: self-hosted end-to-end encrypted messenger
 The server, the command line and the web app in one program. The server keeps
 numbered ciphertexts until everybody has read them and cannot read one.
`;
}

function copyright() {
  const own = "Latchkey: AGPL-3.0-or-later (packages codec, mls and transparency: MIT).";
  const node = "The executable contains Node.js, whose licence and those of what it contains follow.";
  const text = [
    join(root, "node_modules", `node-linux-${process.arch}`, "LICENSE"),
    join(root, "node_modules", `node-bin-linux-${process.arch}`, "LICENSE"),
  ]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, "utf8"));
  return [own, readFileSync(join(root, "LICENSE"), "utf8"), node, ...text].join("\n\n");
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes("--help")) process.stdout.write("npm run build:deb [-- --output FILE]: a Debian package of Latchkey.\n");
  else {
    ensureInstalled();
    if (args.length > 0 && (args[0] !== "--output" || args.length !== 2)) fail("npm run build:deb [-- --output FILE]");
    const reason = whyNoDeb();
    if (reason !== undefined) fail(`No package: ${reason}.`);
    const path = await buildDeb(args.length === 2 ? { output: args[1] } : {});
    process.stdout.write(`${path}: ${(statSync(path).size / 1e6).toFixed(1)} MB\n`);
  }
}
