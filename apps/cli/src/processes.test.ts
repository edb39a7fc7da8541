import { startServer } from "@latchkey/server";
import { issueCertificate } from "@latchkey/server/testing";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, request } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

/*
 * The command line as a process: what its exit status says, and what it says of a server that it does not reach.
 */

const launcher = fileURLToPath(new URL("../bin/latchkey.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "latchkey-processes-"));
const home = join(folder, "ann");
const children = new Set<ChildProcess>();
let url: string;
let stopServer: () => Promise<void>;

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], stdin: "pipe" | "ignore" = "ignore"): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [launcher, ...args], { stdio: [stdin, "pipe", "pipe"] });
  children.add(child);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, "close").then(([status, signal]: unknown[]) => ({
    status: typeof status === "number" ? status : null,
    signal: typeof signal === "string" ? signal : null,
    stdout,
    stderr,
  }));
  return { child, ended };
}

const latchkey = (...args: readonly string[]): Promise<Ended> => start(args).ended;

async function listen(server: Server): Promise<number> {
  server.listen(0, "localhost");
  await once(server, "listening");
  // Listening on a port of its own.
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const server = await startServer({ dataDirectory: join(folder, "data"), port: 0, logLevel: "error" });
  url = server.url;
  stopServer = () => server.close();
  const { status, stderr } = await latchkey("register", "ann", "--home", home, "--server", url);
  if (status !== 0) throw new Error(stderr);
});

afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await stopServer();
  rmSync(folder, { recursive: true, force: true });
});

describe("what a command says of a server that it does not reach", () => {
  /** Where the command is sent, and what ends it. */
  type Place = () => Promise<string>;
  const nobody: Place = async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    return `http://localhost:${String(port)}`;
  };
  const tls: Place = async () => {
    const { cert, key } = issueCertificate(["localhost"]);
    const server = createTlsServer({ cert, key }, (_request, response) => response.end());
    onTestFinished(() => void server.close());
    return `https://localhost:${String(await listen(server))}`;
  };
  const withoutSockets: Place = async () => {
    const server = createHttpServer((incoming, response) => {
      const { method, headers, url: path } = incoming;
      incoming.pipe(
        request(new URL(path ?? "/", url), { method: method ?? "GET", headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        }),
      );
    });
    server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"));
    onTestFinished(() => void server.close());
    return `http://localhost:${String(await listen(server))}`;
  };
  const places: readonly (readonly [string, Place, string])[] = [
    ["a port where nobody listens", nobody, "Nothing answers at this address"],
    ["a host name that does not exist", async () => "https://no-such-host.invalid", "host name"],
    ["https where http is spoken", async () => url.replace("http:", "https:"), "does not speak https"],
    ["http where https is spoken", async () => (await tls()).replace("https:", "http:"), "does not speak http:"],
    ["a certificate of nobody's", tls, "The server's certificate is signed by nobody whom this machine trusts"],
    ["a proxy that lets no WebSocket through", withoutSockets, "no WebSocket comes about"],
  ];

  test.each(places)("%s, with a profile that has an account", async (_what, place, sentence) => {
    const server = await place();
    const { status, stderr } = await latchkey("conversations", "--json", "--home", home, "--server", server);
    const { error } = JSON.parse(stderr) as { error: Record<string, unknown> };
    expect({ status, error }).toMatchObject({ status: 1, error: { server, message: expect.stringContaining(sentence), exitCode: 1 } });
    expect(["offline", "way_blocked"]).toContain(error["code"]);
  });

  test.each(places)("%s, when an account is made", async (_what, place, sentence) => {
    const server = await place();
    const { status, stderr } = await latchkey("register", "eve", "--home", mkdtempSync(join(folder, "eve-")), "--server", server);
    expect(status).toBe(1);
    expect(stderr.startsWith(`latchkey: offline: ${server}: `)).toBe(true);
    expect(stderr).toContain(sentence);
  });
});

describe("exit status", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s ends read --follow in order with %i", async (signal, status) => {
    const { child, ended } = start(["read", "--follow", "--json", "--home", home, "--server", url]);
    // The profile is open, and signals are listened for, once what is stored was shown and the account is there.
    await expect.poll(() => isOpen(), { timeout: 20_000 }).toBe(true);
    child.kill(signal);
    expect(await ended).toMatchObject({ status, signal: null, stderr: "" });
  });

  test("0 when it was done, 1 when it failed, 2 when it was typed wrongly; what is no UTF-8 is refused", async () => {
    expect(await latchkey("whoami", "--home", home, "--server", url)).toMatchObject({ status: 0, stderr: "" });
    expect(await latchkey("whoami", "--home", join(folder, "nobody"), "--server", url)).toMatchObject({ status: 1 });
    expect(await latchkey("send", "ann", "-h", "--home", home)).toMatchObject({ status: 2, stdout: "" });
    const piped = start(["send", "ann", "--home", home, "--server", url], "pipe");
    piped.child.stdin?.end(Uint8Array.of(0x67, 0x72, 0xfc, 0xdf, 0x65));
    expect(await piped.ended).toMatchObject({ status: 1, stderr: expect.stringMatching(/^latchkey: invalid_text: /) });
    // An argument of bytes: only a shell hands such over.
    const line = `exec "$0" "$1" send ann "$(printf 'gr\\374\\337e')" --home "$2"`;
    const typed = spawn("sh", ["-c", line, process.execPath, launcher, home], { stdio: "ignore" });
    expect(await once(typed, "close")).toEqual([2, null]);
  });

  test("a profile's folder is ignored by git, with nothing else that lies there", () => {
    const ignored = readFileSync(join(home, ".gitignore"), "utf8");
    expect(ignored.split("\n")).toEqual(expect.arrayContaining(["/profile.*", "/device-key*", "/generation*", "/cli.json*"]));
  });
});

describe("two commands on one profile", () => {
  const ben = join(folder, "ben");
  const follow = (): { child: ChildProcess; printed: () => string; ended: Promise<Ended> } => {
    const { child, ended } = start(["read", "--follow", "--home", home, "--server", url]);
    let printed = "";
    child.stdout?.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    return { child, printed: () => printed, ended };
  };
  const send = (text: string, from: string, to: string): Promise<Ended> =>
    latchkey("send", to, text, "--accept-requests", "--home", from, "--server", url);
  const isShared = (): boolean => existsSync(join(home, "profile.sock"));

  test("a second one goes through the first, which one killed leaves nothing in the way, and one that ends hands over", async () => {
    expect(await latchkey("register", "ben", "--home", ben, "--server", url)).toMatchObject({ status: 0 });
    const first = follow();
    await expect.poll(isShared, { timeout: 60_000 }).toBe(true);
    expect(await send("through the first", home, "ben")).toMatchObject({ status: 0, stdout: "accepted\n" });
    await expect.poll(first.printed, { timeout: 60_000 }).toContain("through the first");
    first.child.kill("SIGKILL");
    await first.ended;
    expect(isShared()).toBe(true);
    expect(await send("after it was killed", home, "ben")).toMatchObject({ status: 0, stdout: "accepted\n" });

    const second = follow();
    await expect.poll(second.printed, { timeout: 60_000 }).toContain("after it was killed");
    const third = follow();
    await expect.poll(third.printed, { timeout: 60_000 }).toContain("after it was killed");
    second.child.kill("SIGTERM");
    expect(await second.ended).toMatchObject({ status: 143 });
    expect(await send("to whom it was handed over", ben, "ann")).toMatchObject({ status: 0 });
    await expect.poll(third.printed, { timeout: 60_000 }).toContain("to whom it was handed over");
    expect(third.printed().match(/after it was killed/g)).toHaveLength(1);
    third.child.kill("SIGTERM");
    expect(await third.ended).toMatchObject({ status: 143 });
    expect(isShared()).toBe(false);
  }, 300_000);
});

/** Whether a process has the profile open: then nobody else gets it. */
async function isOpen(): Promise<boolean> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(join(home, "profile.db"), { timeout: 0 });
  try {
    database.prepare("PRAGMA user_version").get();
    return false;
  } catch {
    return true;
  } finally {
    database.close();
  }
}
