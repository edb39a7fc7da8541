import { issueCertificate } from "@latchkey/server/testing";
import { freePort } from "@latchkey/testkit";
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { change, endWithTest, programPath, recipe } from "./recipes.testing.ts";

/*
 * The recipes of ops/ with the proxies that they are for: of each file only names, ports and paths are changed.
 */

const launcher = fileURLToPath(new URL("../bin/latchkey.js", import.meta.url));

interface Place {
  readonly folder: string;
  readonly cert: string;
  /** The proxy's port, and the server's. */
  readonly port: number;
  readonly upstream: number;
  /** What the proxy writes of what happens. */
  said(): string;
}

/** How each proxy is started with its recipe. */
const proxies: Readonly<
  Record<"nginx" | "caddy", (program: string, place: Omit<Place, "said">) => { args: string[]; environment?: Record<string, string> }>
> = {
  nginx(_program, { folder, port, upstream }) {
    const changed = change(recipe("nginx.conf"), [
      ["127.0.0.1:8080", `127.0.0.1:${upstream}`],
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      ["listen 80", `listen unix:${folder}/plain.sock`],
      ["/etc/letsencrypt/live/chat.example.org/fullchain.pem", join(folder, "cert.pem")],
      ["/etc/letsencrypt/live/chat.example.org/privkey.pem", join(folder, "key.pem")],
      ["/var/log/nginx/latchkey.log", join(folder, "error.log")],
      ["chat.example.org", "localhost"],
    ]);
    const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
    const user = process.getuid?.() === 0 ? "user root;" : "";
    writeFileSync(
      join(folder, "nginx.conf"),
      `daemon off; ${user} pid ${folder}/pid; error_log ${folder}/error.log; events {} http { ${own} ${changed} }`,
    );
    return { args: ["-p", folder, "-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")] };
  },
  caddy(_program, { folder, port, upstream }) {
    const site = `https://localhost:${port} {\n\tbind 127.0.0.1\n\ttls ${folder}/cert.pem ${folder}/key.pem`;
    const changed = change(recipe("Caddyfile"), [
      ["127.0.0.1:8080", `127.0.0.1:${upstream}`],
      ["\nchat.example.org {", `\n${site}`],
      ["\n{\n", "\n{\n\tadmin off\n\tauto_https disable_redirects\n"],
    ]);
    writeFileSync(join(folder, "Caddyfile"), changed);
    const args = ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
    return { args, environment: { XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder } };
  },
};

async function startProxy(name: keyof typeof proxies, program: string, upstream: number): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), `latchkey-${name}-`));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const { cert, key } = issueCertificate(["localhost"]);
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
  const place = { folder, cert, port: await freePort(), upstream };
  const { args, environment } = proxies[name](program, place);
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const errors = join(folder, "error.log");
  endWithTest(child);
  await expect
    .poll(
      async () => {
        if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
        return (await ask(place, "GET", "/").catch(() => undefined)) !== undefined;
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  return { ...place, said: () => said + (existsSync(errors) ? readFileSync(errors, "utf8") : "") };
}

interface Answer {
  readonly status: number | undefined;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** One request with this very path. */
async function ask(
  place: Omit<Place, "said">,
  method: string,
  path: string,
  options: { body?: Uint8Array; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const asked = request(
    {
      host: "127.0.0.1",
      servername: "localhost",
      port: place.port,
      ca: place.cert,
      method,
      path,
      headers: { host: `localhost:${place.port}`, ...options.headers },
    },
    (response) => {
      text(response).then((body) => resolve({ status: response.statusCode, body, headers: response.headers }), reject);
    },
  );
  asked.on("upgrade", (response, socket) => {
    socket.destroy();
    resolve({ status: response.statusCode, body: "", headers: response.headers });
  });
  asked.on("error", reject);
  asked.end(options.body);
  return await promise;
}

async function startServer(upstream: number, proxyPort: number, metricsPort: number, folder: string): Promise<void> {
  const options = ["--host", `localhost:${proxyPort}`, "--trust-proxy", "yes", "--web-root", "", "--metrics-port", String(metricsPort)];
  const args = [launcher, "serve", "--json", "--port", String(upstream), "--data", join(folder, "data"), ...options];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  endWithTest(child);
  await once(child.stdout, "data");
}

const paths = ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/metrics?a=b", "/x/../metrics", "/METRICS"];

for (const name of ["nginx", "caddy"] as const) {
  const program = programPath(name);
  if (program === undefined) process.stdout.write(`ops: the recipe for ${name} is not tried: ${name} is not installed here\n`);
  describe.skipIf(program === undefined)(`behind ${name}, by its recipe`, () => {
    test(
      "people register, write and read, a file of 3 MB goes up, whole and in parts, and down, and the figures are not shown",
      { timeout: 240_000 },
      async () => {
        const upstream = await freePort();
        const place = await startProxy(name, program ?? "", upstream);
        const metricsPort = await freePort();
        await startServer(upstream, place.port, metricsPort, place.folder);
        const url = `https://localhost:${place.port}`;
        const run = (home: string, ...args: string[]): string => {
          const command = [launcher, ...args, "--json", "--home", join(place.folder, home), "--server", url, "--accept-requests"];
          const environment = { ...process.env, NODE_EXTRA_CA_CERTS: join(place.folder, "cert.pem") };
          const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8", env: environment });
          if (status !== 0) throw new Error(`${args[0] ?? ""}: ${stderr}`);
          return stdout;
        };
        run("ann", "register", "ann");
        run("ben", "register", "ben");
        run("ann", "send", "ben", "through the proxy");
        expect(run("ben", "read")).toContain("through the proxy");

        const blob = `/v1/blobs/${randomBytes(32).toString("base64url")}`;
        const body = randomBytes(3_000_000);
        expect(await ask(place, "PUT", blob, { body, headers: { "content-type": "application/octet-stream" } })).toMatchObject({
          status: 201,
        });
        expect((await ask(place, "GET", blob)).status).toBe(200);

        const tus = { "tus-resumable": "1.0.0" };
        const id = randomBytes(32);
        const metadata = { "upload-length": String(body.length), "upload-metadata": `blob ${id.toString("base64")}` };
        const begun = await ask(place, "POST", "/v1/uploads", { headers: { ...tus, ...metadata } });
        expect(begun.status).toBe(201);
        for (const at of [0, 2_000_000]) {
          const headers = { ...tus, "upload-offset": String(at), "content-type": "application/offset+octet-stream" };
          const part = { body: body.subarray(at, at + 2_000_000), headers };
          expect((await ask(place, "HEAD", begun.headers.location ?? "", { headers: tus })).headers["upload-offset"]).toBe(String(at));
          expect((await ask(place, "PATCH", begun.headers.location ?? "", part)).status).toBe(204);
        }
        const range = await ask(place, "GET", `/v1/blobs/${id.toString("base64url")}`, { headers: { range: "bytes=2999999-" } });
        expect(range).toMatchObject({ status: 206, headers: { "content-range": "bytes 2999999-2999999/3000000" } });

        for (const path of paths) expect((await ask(place, "GET", path)).body).not.toContain("latchkey_");
        expect((await ask(place, "GET", "/metrics")).status).toBe(404);
        expect(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()).toContain("latchkey_");

        const upgrade = {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": randomBytes(16).toString("base64"),
          "sec-websocket-protocol": "latchkey.1",
        };
        expect((await ask(place, "GET", "/v1/lookup", { headers: { ...upgrade, origin: url } })).status).toBe(101);
        expect((await ask(place, "GET", "/v1/lookup", { headers: { ...upgrade, origin: "https://evil.example" } })).status).toBe(403);
      },
    );

    test("the proxy writes nothing of who visits and for what, also while the server is away", async () => {
      const place = await startProxy(name, program ?? "", await freePort());
      for (let time = 0; time < 3; time++)
        expect((await ask(place, "GET", "/v1/blobs/of-somebody", { headers: { "user-agent": "somebody's" } })).status).toBe(502);
      for (const told of ["of-somebody", "somebody's", "remote_ip", "client:"]) expect(place.said()).not.toContain(told);
    });

    test("the server hears the visitor's address from the proxy alone, and that the way is TLS", async () => {
      const echo = createHttpServer((asked, answer) => answer.end(JSON.stringify(asked.headers))).listen(0, "127.0.0.1");
      onTestFinished(() => void echo.close());
      await once(echo, "listening");
      // As above.
      const place = await startProxy(name, program ?? "", (echo.address() as AddressInfo).port);
      const madeUp = { "x-forwarded-for": "203.0.113.9", forwarded: "for=203.0.113.9", "x-forwarded-proto": "http" };
      const heard = JSON.parse((await ask(place, "GET", "/", { headers: madeUp })).body) as Record<string, string>;
      expect(heard["x-forwarded-for"]).toBe("127.0.0.1");
      expect(heard["x-forwarded-proto"]).toBe("https");
      expect(JSON.stringify(heard)).not.toContain("203.0.113.9");
      expect(heard["host"]).toBe(`localhost:${place.port}`);
    });
  });
}
