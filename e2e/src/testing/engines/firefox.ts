import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { keyActions, pressActions } from "./page.ts";
import type { EnginePage } from "./page.ts";

export const firefoxPath: string = process.env["FIREFOX"] ?? "/usr/bin/firefox-esr";
export const hasFirefox: boolean = existsSync(firefoxPath);

// Nothing is fetched but what the pages ask for.
const preferences = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage": "about:blank",
  "captivedetect.canonicalURL": "",
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.getAddons.cache.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,#remote-settings-dummy/v1",
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

/** A person's Firefox on a profile in `folder`, driven by WebDriver BiDi. `blocksCookies`: sites may store nothing. */
export async function openFirefox({ folder, blocksCookies = false }: { folder: string; blocksCookies?: boolean }): Promise<EnginePage> {
  mkdirSync(folder, { recursive: true });
  const all = { ...preferences, ...(blocksCookies ? { "network.cookie.cookieBehavior": 2 } : {}) };
  writeFileSync(
    join(folder, "user.js"),
    Object.entries(all)
      .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
      .join(""),
  );
  const args = ["--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0", "about:blank"];
  const browser = spawn(firefoxPath, args, { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, HOME: folder } });
  const exited = new Promise<void>((resolve) => browser.once("exit", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(browser.stderr).on("line", (line) => {
      const found = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    browser.once("error", reject);
    browser.once("exit", (code) => reject(new Error(`Firefox ended (${String(code)}) before it listened`)));
  });
  const bidi = await Bidi.connect(`${address}/session`);
  await bidi.send("session.new", { capabilities: {} });
  const tree = (await bidi.send("browsingContext.getTree", {})) as { contexts: { context: string }[] };
  const context = tree.contexts[0]?.context ?? "";
  await bidi.send("browsingContext.setViewport", { context, viewport: { width: 1280, height: 800 } });
  return {
    engine: "Firefox",
    async open(url) {
      await bidi.send("browsingContext.navigate", { context, url, wait: "complete" });
    },
    async reload() {
      await bidi.send("browsingContext.reload", { context, wait: "complete" });
    },
    async back() {
      await bidi.send("browsingContext.traverseHistory", { context, delta: -1 });
    },
    async run(source, values) {
      const answer = (await bidi.send("script.callFunction", {
        functionDeclaration: `async (all) => JSON.stringify((await (${source})(...JSON.parse(all))) ?? null)`,
        arguments: [{ type: "string", value: JSON.stringify(values) }],
        target: { context },
        awaitPromise: true,
      })) as { type: string; result?: { value?: string }; exceptionDetails?: { text: string } };
      if (answer.type === "exception") throw new Error(answer.exceptionDetails?.text ?? "a script failed");
      return JSON.parse(answer.result?.value ?? "null") as unknown;
    },
    async press(at) {
      await bidi.send("input.performActions", { context, actions: pressActions(at) });
    },
    async type(text) {
      await bidi.send("input.performActions", { context, actions: keyActions(text) });
    },
    async [Symbol.asyncDispose]() {
      bidi.close();
      browser.kill();
      await exited;
    },
  };
}

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly result?: unknown;
  readonly message?: string;
}

/** Commands of WebDriver BiDi and their answers. */
class Bidi {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      const answer = JSON.parse(data.toString("utf8")) as Answer;
      if (answer.id === undefined) return;
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async connect(address: string): Promise<Bidi> {
    const socket = new WebSocket(address);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return new Bidi(socket);
  }

  async send(method: string, params: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ id, method, params }));
    const answer = await promise;
    if (answer.type === "error") throw new Error(`${method}: ${answer.message ?? ""}`);
    return answer.result;
  }

  close(): void {
    this.#socket.close();
  }
}
