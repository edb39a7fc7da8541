import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { whyNoImage } from "../build-image.js";
import { root } from "../node.js";
import { productVersion } from "../version.js";
import { freePort } from "./packaged.testing.js";

// Half a minute on two processors, most of it compressing.
const isNightly = process.env["LATCHKEY_NIGHTLY"] === "1";
const reason = isNightly ? whyNoImage() : "it takes long, npm run test:nightly does it";
if (reason !== undefined) process.stdout.write(`The container image is not tested: ${reason}.\n`);
const isRoot = process.getuid?.() === 0;
// Without a container engine only root may enter a file system as the user that the image names.
if (reason === undefined && !isRoot)
  process.stdout.write("The container image is built and not started: only root can start it without a container engine.\n");

/** An image's settings, as far as they are looked at. */
interface Settings {
  readonly User?: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, unknown>>;
  readonly Healthcheck?: { readonly Test: readonly string[] };
}

describe.skipIf(reason !== undefined)("the container image", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "latchkey-image-test-"));
    chmodSync(folder, 0o1777);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Builds as a user without any right: as nobody where root runs the tests. */
  function build(name: string, format: "oci" | "docker"): string {
    const output = join(folder, name);
    const command = [
      process.execPath,
      join(root, "tools/build-image.js"),
      "--binary",
      inject("program"),
      "--output",
      output,
      "--format",
      format,
    ];
    const asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
    const [program = "", ...args] = isRoot ? [...asNobody, ...command] : command;
    execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
    return output;
  }

  const contentOf = (archive: string, path: string): string => execFileSync("tar", ["-xOf", archive, path], { encoding: "utf8" });

  test("is built by a user without rights, the same each time, and runs as nobody's number", () => {
    const archive = build("first.tar", "oci");
    // The archive around it has the times at which it was written; the image has none.
    expect(contentOf(build("second.tar", "oci"), "index.json")).toBe(contentOf(archive, "index.json"));
    const blob = (digest: string): unknown => JSON.parse(contentOf(archive, `blobs/${digest.replace(":", "/")}`));
    const { manifests } = JSON.parse(contentOf(archive, "index.json")) as { manifests: { digest: string }[] };
    const { config, layers } = blob(manifests[0]?.digest ?? "") as { config: { digest: string }; layers: unknown[] };
    expect(layers).toHaveLength(1);
    const { config: settings } = blob(config.digest) as { config: Settings };
    expect(settings).toMatchObject({ User: "65532:65532", Entrypoint: ["/usr/bin/latchkey"], Cmd: ["serve"], Volumes: { "/data": {} } });
  });

  test("in the format of Docker it says how its health is asked for", () => {
    const archive = build("docker.tar", "docker");
    const [{ Config = "" } = {}] = JSON.parse(contentOf(archive, "manifest.json")) as { Config?: string }[];
    const { config } = JSON.parse(contentOf(archive, Config)) as { config: Settings };
    expect(config.Healthcheck?.Test).toEqual(["CMD", "/usr/bin/latchkey", "healthcheck"]);
    expect(config.User).toBe("65532:65532");
  });

  test.skipIf(!isRoot)("serves from within, healthy by its own command, and keeps its data where no other user reads them", async () => {
    const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
    const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder };
    const buildah = (...args: string[]): string =>
      execFileSync("buildah", [...storage, ...args], { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] }).trim();
    const container = buildah("from", "--pull-never", `oci-archive:${join(folder, "first.tar")}`);
    const port = await freePort();
    const inside = ["run", "--isolation", "chroot", "--env", `LATCHKEY_PORT=${port}`, container, "--", "/usr/bin/latchkey"];
    expect(buildah(...inside, "--version")).toBe(`latchkey ${productVersion()}`);
    const running = spawn("buildah", [...storage, ...inside, "serve"], { env, stdio: ["ignore", "pipe", "ignore"], detached: true });
    try {
      await new Promise<void>((resolve, reject) => {
        running.stdout.setEncoding("utf8").on("data", (text: string) => {
          if (text.includes("Latchkey is running on")) resolve();
        });
        running.once("exit", (code) => reject(new Error(`it ended with ${code}`)));
      });
      expect(await (await fetch(`http://127.0.0.1:${port}/healthz`)).json()).toMatchObject({ status: "ok" });
      expect(buildah(...inside, "healthcheck")).toBe("healthy");
      // The volume that the image names.
      const { stdout } = spawnSync("find", [join(folder, "storage"), "-path", "*/latchkey/directory/log.key", "-printf", "%U %h\n"], {
        encoding: "utf8",
      });
      const [owner, data = ""] = stdout.trim().split(" ");
      expect(owner).toBe("65532");
      expect(statSync(dirname(data)).mode & 0o777).toBe(0o700);
    } finally {
      const ended = new Promise((resolve) => running.once("close", resolve));
      // The group: buildah does not pass signals on.
      process.kill(-(running.pid ?? 0), "SIGTERM");
      await ended;
    }
  });
});
