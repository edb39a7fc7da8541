// What was said leaves the app as one file: for programs, and for people in any browser, where it runs nothing that somebody wrote.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { greyJpeg } from "@latchkey/client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessibilityProblems } from "./testing/accessibility.ts";
import { createAccount, messagesWith, sendMessage, startConversation } from "./testing/app.ts";
import { openBrowser } from "./testing/chromium.ts";
import type { BrowserProfile } from "./testing/chromium.ts";
import { joinedConversation, registerPerson } from "./testing/people.ts";
import type { TestPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const hostile = `<script>document.title="ran"</script><img src=x onerror="document.title='ran'">`;

let folder: TemporaryFolder;
let server: ServerProcess;
let ada: BrowserProfile;
let ben: TestPerson;

beforeAll(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
  ada = await openBrowser({ folder: folder.at("ada"), viewport: { width: 1280, height: 800 } });
  ben = await registerPerson({ home: folder.at("ben"), server: server.url, username: "ben" });
  await createAccount(ada.page, { url: server.url, username: "ada" });
  await startConversation(ada.page, { to: ["ben"] });
  await sendMessage(ada.page, "Send me something");
  const { id } = await joinedConversation(ben.client, "ada");
  const picture = greyJpeg({ widthPx: 64, heightPx: 48 });
  const file = (name: string, kind: "picture" | "file") => ({
    name,
    kind,
    mediaType: "image/jpeg",
    sizeBytes: picture.length,
    content: new Blob([new Uint8Array(picture)]),
  });
  await ben.client.send(id, hostile, { files: [file("boat.jpg", "picture"), file("page.html", "file")] });
  await ben.client.send(id, "", { files: [file("secret.jpg", "picture")], isOnce: true });
  await ben.client.send(id, "the last one");
  await messagesWith(ada.page, "the last one").last().waitFor();
}, 180_000);

afterAll(async () => {
  await ada[Symbol.asyncDispose]();
  await ben[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("exporting", () => {
  test(
    "[Y-1] [Y-2] [Y-3] all conversations come out as one ZIP, which another program reads, and whose page runs nothing",
    { timeout: 240_000 },
    async () => {
      const { page } = ada;
      await page.goto(`${server.url}/settings/data`);
      await page.getByRole("heading", { name: "Take them with you" }).waitFor();
      expect(await accessibilityProblems(page)).toEqual([]);
      const [download] = await Promise.all([
        page.waitForEvent("download", { timeout: 90_000 }),
        page.getByRole("button", { name: "Export" }).click(),
      ]);
      expect(download.suggestedFilename()).toMatch(/^latchkey-ada-\d{4}-\d\d-\d\d\.zip$/);
      const path = await download.path();
      await page.getByText(/^Exported: /).waitFor({ timeout: 60_000 });
      await page.getByText("Left out, to be seen once: 1").waitFor();
      if (process.env["SHOTS"] !== undefined) {
        await page.screenshot({ path: join(process.env["SHOTS"], "wide.png") });
        await page.setViewportSize({ width: 390, height: 844 });
        await page.screenshot({ path: join(process.env["SHOTS"], "narrow.png") });
        await page.setViewportSize({ width: 1280, height: 800 });
      }

      const target = folder.at("unpacked");
      mkdirSync(target);
      const { status, stderr } = spawnSync("python3", ["-m", "zipfile", "-e", path, target], { encoding: "utf8" });
      expect([status, stderr]).toEqual([0, ""]);
      const lines = readFileSync(join(target, "messages.jsonl"), "utf8").trim().split("\n");
      const texts = lines.map((line) => JSON.parse(line) as { body: { kind: string; text?: string } }).map(({ body }) => body.text);
      expect(texts).toEqual(expect.arrayContaining(["Send me something", hostile, "the last one"]));
      expect(lines.join("\n")).not.toContain("secret");
      expect(readFileSync(join(target, "files", "00001-boat.jpg")).subarray(0, 2)).toEqual(Buffer.from([0xff, 0xd8]));

      const reader = await openBrowser({ folder: folder.at("reader"), viewport: { width: 1280, height: 800 } });
      try {
        await reader.page.goto(pathToFileURL(join(target, "index.html")).href);
        await reader.page.getByText("the last one").waitFor();
        expect(await reader.page.title()).toBe("Messages of ada");
        expect(await reader.page.getByText(hostile).count()).toBe(1);
        const picture = reader.page.locator("img");
        expect(await picture.count()).toBe(1);
        await expect.poll(() => picture.evaluate((shown) => (shown as HTMLImageElement).naturalWidth), { timeout: 30_000 }).toBe(64);
        if (process.env["SHOTS"] !== undefined) await reader.page.screenshot({ path: join(process.env["SHOTS"], "page.png") });
      } finally {
        await reader[Symbol.asyncDispose]();
      }
    },
  );

  test("[Y-1] one conversation comes out without its files", { timeout: 240_000 }, async () => {
    const { page } = ada;
    await page.goto(`${server.url}/settings/data`);
    await page.getByLabel("Which conversations").selectOption({ label: "ben" });
    await page.getByRole("switch", { name: /With pictures and files/ }).uncheck();
    const [download] = await Promise.all([
      page.waitForEvent("download", { timeout: 90_000 }),
      page.getByRole("button", { name: "Export" }).click(),
    ]);
    const { status, stdout } = spawnSync("python3", ["-m", "zipfile", "-l", await download.path()], { encoding: "utf8" });
    expect([status, /files\//.test(stdout), /index\.html/.test(stdout)]).toEqual([0, false, true]);
  });
});
