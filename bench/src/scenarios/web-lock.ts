import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";
import { openBrowser } from "../web/browser.ts";
import { signUp } from "../web/people.ts";

const webRoot = fileURLToPath(new URL("../../../apps/web/dist", import.meta.url));
const passphrase = "seven harbour lanterns sing";

/** What a person waits for who unlocks the web app: from the press until their conversations are there. The authenticator answers at once. */
export const webLock: Scenario = {
  name: "web-lock",
  summary: "unlocking the web app by a passphrase (Argon2id, 64 MiB, three passes, in the worker) and by a passkey",
  async run({ isQuick }) {
    if (!existsSync(join(webRoot, "index.html"))) throw new Error("The web app is not built: node tools/build-web.js");
    const rounds = isQuick ? 2 : 9;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-lock-"));
    await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 }, webRoot } });
    const url = server.url.replace(/^ws/, "http");
    try {
      await using browser = await openBrowser(folder, "locked");
      const { page } = browser;
      await signUp(page, url, "locked");
      await addAuthenticator(page);
      await page.goto(`${url}/settings/lock`);
      await page.getByLabel("New passphrase").fill(passphrase);
      await page.getByLabel("The same again").fill(passphrase);
      await page.getByRole("button", { name: "Turn the lock on" }).click();
      const byPassphrase: number[] = [];
      const byPasskey: number[] = [];
      await openByPassphrase(page);
      await addPasskey(page);
      for (let round = 0; round < rounds; round++) {
        await lock(page);
        byPassphrase.push(await openByPassphrase(page));
        await lock(page);
        byPasskey.push(await timed(page, () => page.getByRole("button", { name: "Use a passkey" }).click()));
      }
      return {
        parameters: { rounds },
        figures: [
          { name: "unlock by passphrase", unit: "ms", target: 3000, ...summarize(byPassphrase) },
          { name: "unlock by passkey", unit: "ms", target: 1000, ...summarize(byPasskey) },
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function addAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      hasPrf: true,
      automaticPresenceSimulation: true,
    },
  });
}

async function addPasskey(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Next", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Passphrase", { exact: true }).fill(passphrase);
  await dialog.getByRole("button", { name: "Confirm", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
}

async function lock(page: Page): Promise<void> {
  await page.keyboard.press("Control+Shift+L");
  await page.getByLabel("Passphrase", { exact: true }).waitFor();
}

async function openByPassphrase(page: Page): Promise<number> {
  await page.getByLabel("Passphrase", { exact: true }).fill(passphrase);
  return await timed(page, () => page.getByRole("button", { name: "Unlock", exact: true }).click());
}

/** Milliseconds from `press` until the app stands. */
async function timed(page: Page, press: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await press();
  await page.getByRole("button", { name: "Lock now" }).first().waitFor();
  return performance.now() - beganMs;
}
