import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { keyActions, pressActions } from "./page.ts";
import type { EnginePage } from "./page.ts";

export const webkitDriverPath: string = process.env["WEBKIT_DRIVER"] ?? "/usr/bin/WebKitWebDriver";
const displayPath = "/usr/bin/Xvfb";
export const hasWebKit: boolean = existsSync(webkitDriverPath) && existsSync(displayPath);

/** WebKitGTK's own small browser, on a display that nobody sees, driven by WebDriver. What it stores lies in `folder`. */
export async function openWebKit({ folder }: { folder: string }): Promise<EnginePage> {
  mkdirSync(folder, { recursive: true });
  const display = await startDisplay();
  const port = await freePort();
  const driver = spawn(webkitDriverPath, [`--port=${String(port)}`], {
    stdio: "ignore",
    env: {
      ...process.env,
      HOME: folder,
      XDG_DATA_HOME: folder,
      XDG_CACHE_HOME: folder,
      DISPLAY: display.name,
      WEBKIT_DISABLE_DMABUF_RENDERER: "1",
    },
  });
  const base = `http://127.0.0.1:${String(port)}`;
  const { sessionId } = (await untilListening(() =>
    ask(base, "POST", "/session", { capabilities: { alwaysMatch: { pageLoadStrategy: "normal" } } }),
  )) as { sessionId: string };
  const call = (method: "GET" | "POST" | "DELETE", path: string, body?: object): Promise<unknown> =>
    ask(base, method, `/session/${sessionId}${path}`, body);
  await call("POST", "/timeouts", { script: 60_000, pageLoad: 60_000 });
  await call("POST", "/window/rect", { width: 1280, height: 880 });
  return {
    engine: "WebKit",
    async open(url) {
      await call("POST", "/url", { url });
    },
    async reload() {
      await call("POST", "/refresh", {});
    },
    async back() {
      await call("POST", "/back", {});
    },
    async run(source, values) {
      const script = `const [all, done] = arguments; Promise.resolve((${source})(...JSON.parse(all))).then((value) => done(JSON.stringify({ value: value ?? null })), (error) => done(JSON.stringify({ error: String(error) })));`;
      const answer = JSON.parse((await call("POST", "/execute/async", { script, args: [JSON.stringify(values)] })) as string) as {
        value?: unknown;
        error?: string;
      };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value;
    },
    async press(at) {
      await call("POST", "/actions", { actions: pressActions(at) });
    },
    async type(text) {
      await call("POST", "/actions", { actions: keyActions(text) });
    },
    async [Symbol.asyncDispose]() {
      await call("DELETE", "", undefined).catch(() => undefined);
      await ended(driver);
      await ended(display.process);
    },
  };
}

async function ask(base: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(base + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const { value } = (await response.json()) as { value: unknown };
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(value)}`);
  return value;
}

async function untilListening<T>(run: () => Promise<T>): Promise<T> {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      // `fetch` fails so while nobody listens.
      if (!(error instanceof TypeError) || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A display of its own number, which the display server chooses. */
async function startDisplay(): Promise<{ readonly name: string; readonly process: ChildProcess }> {
  const server = spawn(displayPath, ["-displayfd", "1", "-screen", "0", "1400x1000x24", "-nolisten", "tcp"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const number = await new Promise<string>((resolve, reject) => {
    createInterface(server.stdout).once("line", resolve);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the display ended (${String(code)})`)));
  });
  return { name: `:${number}`, process: server };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await exited;
}
