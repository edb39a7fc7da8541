// npm run build:image [-- --output FILE]: a container image from nothing but the executable and the libraries that it asks for.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { buildBinary } from "./build-binary.js";
import { ensureInstalled } from "./ensure-installed.js";
import { fail, isMain, root } from "./node.js";
import { productVersion } from "./version.js";

/** Nobody's number on any machine. */
const user = "65532:65532";
const port = "8080";

/** Why no image can be built here; undefined when one can. */
export function whyNoImage() {
  if (process.platform !== "linux") return `images are for Linux, and this is ${process.platform}`;
  return spawnSync("buildah", ["--version"], { stdio: "ignore" }).error === undefined ? undefined : "buildah is not installed";
}

/**
 * Builds the image with buildah, as the user who runs this: nothing in it needs root to be made. `format` is `oci`, or `docker`, whose
 * archive says how the container's health is asked for as well. The same files make the same image. Returns the archive's path.
 */
export async function buildImage({ binary, output, format = "oci" } = {}) {
  const target = resolve(output ?? join(root, "dist", `latchkey-${productVersion()}-${format}.tar`));
  const program = binary ?? (await buildBinary());
  const folder = mkdtempSync(join(tmpdir(), "latchkey-image-"));
  // It keeps nothing in the home of whoever builds.
  const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder };
  const buildah = (...args) =>
    execFileSync("buildah", ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs", ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env,
    }).trim();
  try {
    fillRoot(join(folder, "root"), program);
    const container = buildah("from", "scratch");
    buildah("add", "--quiet", container, join(folder, "root"), "/");
    const settings = {
      entrypoint: '["/usr/bin/latchkey"]',
      cmd: "serve",
      user,
      port,
      volume: "/data",
      workingdir: "/data",
      "stop-signal": "SIGTERM",
      ...(format === "docker"
        ? {
            healthcheck: "CMD /usr/bin/latchkey healthcheck",
            "healthcheck-interval": "30s",
            "healthcheck-timeout": "6s",
            "healthcheck-start-period": "60s",
          }
        : {}),
    };
    // Everywhere in the container, in a volume that any user may write to, where the server makes a folder that only it can read.
    const variables = { LATCHKEY_ADDRESS: "0.0.0.0", LATCHKEY_PORT: port, LATCHKEY_DATA: "/data/latchkey", HOME: "/data" };
    const labels = {
      "org.opencontainers.image.title": "Latchkey",
      "org.opencontainers.image.version": productVersion(),
      "org.opencontainers.image.licenses": "AGPL-3.0-or-later",
    };
    buildah(
      "config",
      ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      ...Object.entries(variables).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
      ...Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
      container,
    );
    mkdirSync(dirname(target), { recursive: true });
    rmSync(target, { force: true });
    buildah(
      "commit",
      "--quiet",
      // By itself it compresses for registries only.
      "--disable-compression=false",
      "--timestamp",
      "0",
      "--format",
      format,
      container,
      `${format}-archive:${target}:latchkey:${productVersion()}`,
    );
    return target;
  } finally {
    // Some folders of its storage may be opened, and have owners, within its own range of user numbers only.
    spawnSync("buildah", ["unshare", "rm", "-rf", join(folder, "storage")], { stdio: "ignore", env });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the container sees: the program, its libraries, a user, a volume and a folder for what is temporary. No shell. */
function fillRoot(folder, program) {
  const put = (path, from, mode) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(from, join(folder, path));
    chmodSync(join(folder, path), mode);
  };
  put("usr/bin/latchkey", program, 0o755);
  const { stdout } = spawnSync("ldd", [program], { encoding: "utf8" });
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path);
  if (libraries.length === 0) throw new Error("ldd does not say which libraries the executable needs.");
  for (const path of libraries) put(path, realpathSync(path), 0o755);
  for (const name of ["data", "tmp"]) {
    mkdirSync(join(folder, name));
    chmodSync(join(folder, name), 0o1777);
  }
  mkdirSync(join(folder, "etc"));
  writeFileSync(join(folder, "etc/passwd"), "latchkey:x:65532:65532:Latchkey:/data:/nonexistent\n");
  writeFileSync(join(folder, "etc/group"), "latchkey:x:65532:\n");
  // The answers of the machine's own names come before those of the network.
  writeFileSync(join(folder, "etc/nsswitch.conf"), "hosts: files dns\n");
  const certificates = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(certificates)) put(certificates, certificates, 0o644);
}

if (isMain(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes("--help"))
    process.stdout.write("npm run build:image [-- --output FILE] [--format oci|docker]: a container image of Latchkey.\n");
  else {
    if (!args.includes("--binary")) ensureInstalled();
    const options = Object.fromEntries(args.flatMap((name, index) => (index % 2 === 0 ? [[name, args[index + 1]]] : [])));
    const { "--binary": binary, "--output": output, "--format": format = "oci", ...others } = options;
    if (Object.keys(others).length > 0 || args.length % 2 === 1 || !["oci", "docker"].includes(format))
      fail("npm run build:image [-- --output FILE] [--format oci|docker]");
    const reason = whyNoImage();
    if (reason !== undefined) fail(`No image: ${reason}.`);
    const path = await buildImage({ binary, output, format });
    process.stdout.write(`${path}: ${(statSync(path).size / 1e6).toFixed(1)} MB\n`);
  }
}
