import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { Agent, request as send } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import type { ServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const partBytes = 4_194_304;
const gibibyte = 1_073_741_824;
const mebibyte = 1_048_576;

/** What the server does for a file beyond taking bytes and putting them on disk, which a bare handler does in the same run; and its memory meanwhile. */
export const filesUpload: Scenario = {
  name: "files-upload",
  summary: "a large file up in parts of 4 MiB and down again: the server's CPU by that of a bare handler that syncs, and its memory",
  async run({ isQuick }) {
    const parts = isQuick ? 8 : 128;
    const rounds = isQuick ? 2 : 7;
    const bytes = parts * partBytes;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const data = randomBytes(partBytes);
    const hash = createHash("sha256");
    for (let part = 0; part < parts; part++) hash.update(data);
    const wanted = hash.digest("hex");
    const [ours, bare, down, ratios]: [number[], number[], number[], number[]] = [[], [], [], []];
    const [ourSeconds, bareSeconds]: [number[], number[]] = [[], []];
    const growth: number[] = [];
    try {
      await using server = await startServerProcess();
      await using other = await startServerProcess({ script: "./files/bare-main.ts", directory: folder });
      let residentBefore = 0;
      for (let round = 0; round <= rounds; round++) {
        const blobId = randomBytes(32);
        const url = server.url.replace(/^ws/, "http");
        const up = await measured(server, async () => upload(agent, url, { blobId, data, parts }));
        const plain = await measured(other, async () => {
          for (let part = 0; part < parts; part++) await ask(agent, `${other.url.replace(/^ws/, "http")}/file`, { method: "PATCH" }, data);
        });
        const read = await measured(server, async () => {
          const found = await digestOf(agent, `${url}/v1/blobs/${blobId.toString("base64url")}`);
          if (found !== wanted) throw new Error("other bytes came back");
        });
        for (const name of readdirSync(folder)) rmSync(join(folder, name));
        const resident = await server.residentBytes();
        // The first round is for the compiler.
        if (round === 0) {
          residentBefore = resident;
          continue;
        }
        const per = gibibyte / bytes;
        ours.push(up.cpu * per);
        bare.push(plain.cpu * per);
        down.push(read.cpu * per);
        ratios.push(up.cpu / plain.cpu);
        ourSeconds.push(up.seconds * per);
        bareSeconds.push(plain.seconds * per);
        growth.push((resident - residentBefore) / mebibyte);
      }
      const figures: Figure[] = [
        { name: "up: server", unit: "CPU s / GiB", ...summarize(ours) },
        { name: "up: bare handler", unit: "CPU s / GiB", ...summarize(bare) },
        { name: "up: server by bare handler", unit: "times", target: 1.7, ...summarize(ratios) },
        { name: "up: server, time", unit: "s / GiB", ...summarize(ourSeconds) },
        { name: "up: bare handler, time", unit: "s / GiB", ...summarize(bareSeconds) },
        { name: "down: server", unit: "CPU s / GiB", ...summarize(down) },
        { name: "memory grown since the first file", unit: "MiB", target: 16, ...summarize(growth) },
        { name: "most memory of the process", unit: "MiB", ...summarize([server.peakBytes() / mebibyte]) },
      ];
      return { parameters: { parts, partBytes, rounds }, figures };
    } finally {
      agent.destroy();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function measured(server: ServerProcess, run: () => Promise<void>): Promise<{ readonly cpu: number; readonly seconds: number }> {
  const [cpu, startedMs] = [server.cpuSeconds(), performance.now()];
  await run();
  return { cpu: server.cpuSeconds() - cpu, seconds: (performance.now() - startedMs) / 1000 };
}

async function upload(agent: Agent, url: string, params: { blobId: Buffer; data: Buffer; parts: number }): Promise<void> {
  const { blobId, data, parts } = params;
  const tus = { "tus-resumable": "1.0.0" };
  const metadata = { "upload-length": String(parts * partBytes), "upload-metadata": `blob ${blobId.toString("base64")}` };
  const created = await ask(agent, `${url}/v1/uploads`, { method: "POST", headers: { ...tus, ...metadata } });
  const path = created.headers.location ?? "";
  for (let part = 0; part < parts; part++) {
    const headers = { ...tus, "upload-offset": String(part * partBytes), "content-type": "application/offset+octet-stream" };
    await ask(agent, url + path, { method: "PATCH", headers }, data);
  }
}

/** One request and its answer, whose body is of no interest. @throws Error unless it is a success */
async function ask(
  agent: Agent,
  url: string,
  { method, headers = {} }: { method: string; headers?: Record<string, string> },
  body: Buffer = Buffer.alloc(0),
): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(url, { agent, method, headers: { ...headers, "content-length": body.length } }, resolve).on("error", reject);
    request.end(body);
  });
  response.resume();
  await new Promise((resolve) => response.once("end", resolve));
  if ((response.statusCode ?? 500) >= 300) throw new Error(`${method} was answered with ${String(response.statusCode)}`);
  return response;
}

async function digestOf(agent: Agent, url: string): Promise<string> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    send(url, { agent }, resolve).on("error", reject).end();
  });
  const hash = createHash("sha256");
  // An answer's body is made of buffers.
  for await (const chunk of response as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest("hex");
}
