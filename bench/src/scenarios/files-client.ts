import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSealedFile } from "@latchkey/client/files";
import type { FileKeys } from "@latchkey/client/files";
import { sealFile } from "@latchkey/client/testing";
import { fileNonce } from "@latchkey/protocol";
import { openReader, settled } from "../client/people.ts";
import { moveFile } from "../files/client-process.ts";
import type { Figure, Scenario } from "../scenario.ts";
import { startServerProcess } from "../server-process.ts";
import { summarize } from "../statistics.ts";

const mebibyte = 1_048_576;
const chunkBytes = 65_536;
const chunksAtOnce = 8;

/** What a device takes to send a large file and to read one, with profiles on the disk, and what its cipher takes beside WebCrypto alone. */
export const filesClient: Scenario = {
  name: "files-client",
  summary: "a file of 1 GiB sent and read by the client in Node: memory, CPU and time; its cipher by WebCrypto's own for 64 KiB chunks",
  async run({ isQuick }) {
    const bytes = isQuick ? 32 * mebibyte : 1024 * mebibyte;
    const rounds = isQuick ? 1 : 3;
    const per = (1024 * mebibyte) / bytes;
    const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-files-"));
    try {
      const cipher = await cipherFigures((isQuick ? 16 : 128) * mebibyte, isQuick ? 3 : 9);
      const [up, down, upCpu, downCpu, staged]: [number[], number[], number[], number[], number[]] = [[], [], [], [], []];
      const [upGrown, downGrown]: [number[], number[]] = [[], []];
      for (let round = 0; round < rounds; round++) {
        await using server = await startServerProcess({ serverOptions: { limits: { publicationIntervalMs: 0 } } });
        const serverUrl = server.url.replace(/^ws/, "http");
        const [ada, ben] = [await openReader(serverUrl, folder), await openReader(serverUrl, folder)];
        const { id: conversationId } = await ada.client.startConversation({ to: [ben.username] });
        await ada.client.send(conversationId, "hello");
        await settled(ada.client);
        while ((await ben.client.conversations()).length === 0) await settled(ben.client);
        for (const { client } of [ada, ben]) await client.close();
        const sent = await moveFile({ home: ada.home, serverUrl, conversationId, sendBytes: bytes });
        const read = await moveFile({ home: ben.home, serverUrl, conversationId });
        if (sent.digest !== read.digest) throw new Error("other bytes came");
        up.push(sent.seconds * per);
        staged.push(sent.stagedSeconds * per);
        upCpu.push(sent.cpuSeconds * per);
        upGrown.push(sent.grownBytes / mebibyte);
        down.push(read.seconds * per);
        downCpu.push(read.cpuSeconds * per);
        downGrown.push(read.grownBytes / mebibyte);
        for (const { home } of [ada, ben]) rmSync(home, { recursive: true });
      }
      const figures: Figure[] = [
        { name: "sent: memory grown", unit: "MiB", target: 150, ...summarize(upGrown) },
        { name: "read: memory grown", unit: "MiB", target: 150, ...summarize(downGrown) },
        { name: "sent: CPU", unit: "s / GiB", ...summarize(upCpu) },
        { name: "read: CPU", unit: "s / GiB", ...summarize(downCpu) },
        { name: "sent: until it is encrypted and its message written down", unit: "s / GiB", ...summarize(staged) },
        { name: "sent: until the server has it and its message", unit: "s / GiB", ...summarize(up) },
        { name: "read", unit: "s / GiB", ...summarize(down) },
        ...cipher,
      ];
      return { parameters: { bytes, rounds }, figures };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Encrypting and decrypting by that of WebCrypto alone, with as many chunks under way. */
async function cipherFigures(sizeBytes: number, rounds: number): Promise<Figure[]> {
  const keys: FileKeys = { key: new Uint8Array(32).fill(1), prefix: new Uint8Array(7), sizeBytes };
  const content = new Uint8Array(sizeBytes).map((_, at) => at & 0xff);
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length; at += mebibyte) yield content.subarray(at, at + mebibyte);
  }
  const secret = await crypto.subtle.importKey("raw", new Uint8Array(keys.key), "AES-GCM", false, ["encrypt", "decrypt"]);
  const paramsOf = (index: number): AesGcmParams => ({ name: "AES-GCM", iv: fileNonce(keys.prefix, index, false) });
  const chunks = Array.from({ length: sizeBytes / chunkBytes }, (_, index) =>
    content.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  const sealedChunks: Uint8Array<ArrayBuffer>[] = [];
  for (const [index, chunk] of chunks.entries())
    sealedChunks.push(new Uint8Array(await crypto.subtle.encrypt(paramsOf(index), secret, chunk)));
  const pieces = piecesOf(Buffer.concat(await Array.fromAsync(sealFile(keys, parts()))));
  const [seal, open, plainSeal, plainOpen]: [number[], number[], number[], number[]] = [[], [], [], []];
  // The first round is for the compiler.
  for (let round = 0; round <= rounds; round++) {
    const times = [
      await timed(() => drain(sealFile(keys, parts()))),
      await timed(() => inTurn(chunks, (chunk, index) => crypto.subtle.encrypt(paramsOf(index), secret, chunk))),
      await timed(() => drain(readSealedFile(keys, async (index) => pieces[index] ?? new Uint8Array(0)))),
      await timed(() => inTurn(sealedChunks, (chunk, index) => crypto.subtle.decrypt(paramsOf(index), secret, chunk))),
    ];
    if (round === 0) continue;
    for (const [at, list] of [seal, plainSeal, open, plainOpen].entries()) list.push(times[at] ?? 0);
  }
  const ratios = (ours: readonly number[], plain: readonly number[]): number[] => ours.map((time, at) => (100 * (plain[at] ?? 0)) / time);
  const perSecond = (times: readonly number[]): number[] => times.map((time) => sizeBytes / mebibyte / time);
  return [
    { name: "encrypting, by WebCrypto's own throughput", unit: "%", target: 80, isFloor: true, ...summarize(ratios(seal, plainSeal)) },
    { name: "decrypting, by WebCrypto's own throughput", unit: "%", target: 80, isFloor: true, ...summarize(ratios(open, plainOpen)) },
    { name: "encrypting", unit: "MiB / s", ...summarize(perSecond(seal)) },
    { name: "decrypting", unit: "MiB / s", ...summarize(perSecond(open)) },
  ];
}

function piecesOf(ciphertext: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(ciphertext.length / mebibyte) }, (_, at) =>
    ciphertext.subarray(at * mebibyte, (at + 1) * mebibyte),
  );
}

async function drain(parts: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const part of parts) if (part.length === 0) throw new Error("a part has bytes");
}

async function inTurn<T>(items: readonly T[], run: (item: T, index: number) => Promise<unknown>): Promise<void> {
  const going: Promise<unknown>[] = [];
  for (const [index, item] of items.entries()) {
    going.push(run(item, index));
    if (going.length === chunksAtOnce) await going.shift();
  }
  await Promise.all(going);
}

async function timed(run: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await run();
  return (performance.now() - startedMs) / 1000;
}
