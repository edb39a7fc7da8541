import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";

const dist = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));

/** A copy of the built web app that a server serves, and that becomes another build. */
export interface WebBuild {
  readonly folder: string;
  /** The server has another build from now on, whose mark is this one letter; `isFalse`: its list says something else of one of its files. */
  become(mark: string, params?: { isFalse?: boolean }): void;
}

/** The file by which builds of tests differ, and what of it. */
const markedFile = "theme.js";
const marked = /Runs before the first pain./u;

/** Copies the web app that is built. */
export function copyWebBuild(folder: string): WebBuild {
  cpSync(dist, folder, { recursive: true });
  let count = 0;
  const change = (name: string, update: (text: string) => string): void => {
    const path = join(folder, name);
    writeFileSync(path, update(readFileSync(path, "utf8")));
    for (const ending of [".br", ".gz"]) rmSync(path + ending, { force: true });
  };
  const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");
  const hash = (): string => hashOf(readFileSync(join(folder, markedFile)));
  let listed = hash();
  return {
    folder,
    become(mark, { isFalse = false } = {}) {
      change(markedFile, (text) => text.replace(marked, `Runs before the first pain${mark}`));
      const before = listed;
      listed = isFalse ? hashOf(Buffer.from(`false ${mark}`)) : hash();
      change("sw.js", (text) => {
        if (!text.includes(before)) throw new Error("the list has no such file");
        return text.replace(before, listed);
      });
      count += 1;
      utimesSync(join(folder, "index.html"), count, count);
    },
  };
}

/** The mark of the build that answers a page: "t" as it was built. */
export async function markOf(page: Page): Promise<string | undefined> {
  const text = await page.evaluate(async () => await (await fetch("/theme.js")).text());
  return marked.exec(text)?.[0].at(-1);
}

/** Resolves when the app is kept in this browser, with all of its files. */
export async function whenKept(page: Page): Promise<void> {
  const isKept = (): Promise<boolean> =>
    page.evaluate(async () => navigator.serviceWorker.controller !== null && (await caches.match("/")) !== undefined);
  for (let tries = 0; tries < 240; tries++) {
    if (await isKept()) return;
    await page.waitForTimeout(250);
  }
  throw new Error("the app is not kept");
}
