import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

const types: Readonly<Record<string, string>> = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };

/** A page in Chromium, served from loopback. */
export interface TestPage extends AsyncDisposable {
  readonly page: Page;
  readonly url: string;
}

/**
 * Opens `/` of a server that offers exactly `files` (path to file or content). WebAssembly needs 'wasm-unsafe-eval', which the
 * product's own pages never allow.
 * @throws Error when there is no Chromium (environment variable CHROMIUM).
 */
export async function openPage(files: Readonly<Record<string, string | { readonly content: string }>>): Promise<TestPage> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) throw new Error(`there is no Chromium at ${executablePath}: set CHROMIUM to its path`);
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const file = files[path];
    response.setHeader(
      "content-security-policy",
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'",
    );
    if (file === undefined && path !== "/") {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", types[extname(path)] ?? "text/html");
    response.end(
      file === undefined ? "<!doctype html><title>interop</title>" : typeof file === "string" ? readFileSync(file) : file.content,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    server.close();
  };
  try {
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
    const page = await browser.newPage();
    const url = `http://localhost:${address.port}/`;
    await page.goto(url);
    return { page, url, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
