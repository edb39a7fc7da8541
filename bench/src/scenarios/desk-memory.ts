import { deskRequestFilesPath, requestLimits } from "@latchkey/protocol/desk";
import { beginDesk, epocXml, intakeOf } from "@latchkey/server/testing";
import type { DeskPage } from "@latchkey/server/testing";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startInstalled } from "../installed-program.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const megabyte = 1_000_000;
const promised = 100;
/** The executable to be measured in place of the sources, whose modules take more. */
const program = process.env["BENCH_PROGRAM"];

/** What a desk that is used costs the server's process: letters, an imported order, a file up and down. */
export const deskMemory: Scenario = {
  name: "desk-memory",
  summary: "The desk used as on a day: letters as PDF, an order as XML, a 32 MiB file up and down; memory beyond the same server before",
  async run({ isQuick }) {
    const names = ["begun", "letters and XML", "a file up", "a file down", "three more up and down", "most at any time"];
    const seen: number[][] = names.map(() => []);
    for (let round = 0; round < (isQuick ? 1 : 5); round++) {
      for (const [index, bytes] of (await oneDay()).entries()) seen[index]?.push(bytes / megabyte);
    }
    const figures = names.map((name, index): Figure => ({ name, unit: "MB", target: promised, ...summarize(seen[index] ?? []) }));
    return { parameters: { fileBytes: requestLimits.fileBytes, files: 4 }, figures };
  },
};

/** Bytes beyond what was resident before, after each step; nobody asks for a garbage collection; then the most that ever were. */
async function oneDay(): Promise<readonly number[]> {
  const dataDirectory = mkdtempSync(join(tmpdir(), "latchkey-desk-memory-"));
  try {
    await using server =
      program === undefined ? await startServerProcess({ directory: dataDirectory }) : await startInstalled(program, dataDirectory);
    // What a start takes comes a moment after it listens.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const before = server.residentNowBytes();
    const { page } = await beginDesk({ dataDirectory, url: server.url.replace(/^ws/, "http") });
    const steps = [
      async (): Promise<void> => void (await page.ask("request-list", {})),
      () => lettersAndXml(page),
      () => fileUp(page, 1),
      () => fileDown(page, 1),
      async () => {
        for (const file of [2, 3, 4]) {
          await fileUp(page, file);
          await fileDown(page, file);
        }
      },
    ];
    const after: number[] = [];
    for (const step of steps) {
      await step();
      after.push(server.residentNowBytes() - before);
    }
    return [...after, server.peakBytes() - before];
  } finally {
    rmSync(dataDirectory, { recursive: true, force: true });
  }
}

async function lettersAndXml(page: DeskPage): Promise<void> {
  await page.ask("request-import", { text: epocXml() });
  await page.ask("request-open", { intake: intakeOf({ receivedAtMs: Date.now() - 1000 }) });
  for (let letter = 1; letter <= 5; letter++) {
    await page.ask("request-letter-write", { ...(await atOf(page)), letter: { kind: "acknowledgement", words: "Thank you." } });
    await page.ask("request-letter-get", { number: 1, letter });
  }
}

async function atOf(page: DeskPage): Promise<{ number: number; revision: number }> {
  const { number, revision } = (await page.ask("request-get", { number: 1 })).request;
  return { number, revision };
}

async function fileUp(page: DeskPage, file: number): Promise<void> {
  const body = new Uint8Array(requestLimits.fileBytes).fill(file);
  const announced = { number: 1, name: "Beschluss.pdf", mediaType: "application/pdf", sizeBytes: body.length };
  if ((await page.ask("request-file-begin", announced)).file !== file) throw new Error("it has another number");
  const headers = { cookie: page.cookie, "content-type": "application/octet-stream", connection: "close" };
  const put = (): Promise<Response> => fetch(`${page.url}${deskRequestFilesPath}/1/${String(file)}`, { method: "PUT", headers, body });
  // Once more where it met a connection that had just been closed.
  const { status } = await put().catch(put);
  if (status !== 200) throw new Error(`a file was not taken: ${String(status)}`);
}

async function fileDown(page: DeskPage, file: number): Promise<void> {
  const response = await fetch(`${page.url}${deskRequestFilesPath}/1/${String(file)}`, { headers: { cookie: page.cookie } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (bytes.length !== requestLimits.fileBytes || bytes.some((byte) => byte !== file)) throw new Error("it is another file");
}
