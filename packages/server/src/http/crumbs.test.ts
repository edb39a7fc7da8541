import { toBase64Url } from "@latchkey/codec";
import { blobPath } from "@latchkey/protocol";
import { once } from "node:events";
import { connect } from "node:net";
import { expect, test } from "vitest";
import { random, runServer } from "../testing/fixtures.ts";
import { readBlob } from "../testing/tus.ts";

/** Sends a blob in chunks of so many bytes; the answer's first line, or that the connection ended. */
async function put(port: number, blobId: Uint8Array, bytes: Uint8Array, chunkBytes: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => undefined);
  const answer = new Promise<string>((resolve) => {
    socket.once("data", (data: Buffer) => resolve(data.toString("latin1").split("\r\n")[0] ?? ""));
    socket.once("close", () => resolve("ended"));
  });
  await once(socket, "connect");
  const chunks = [`PUT ${blobPath(toBase64Url(blobId))} HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n`];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const chunk = bytes.subarray(at, at + chunkBytes);
    chunks.push(`${chunk.length.toString(16)}\r\n${Buffer.from(chunk).toString("latin1")}\r\n`);
  }
  socket.write(Buffer.from(`${chunks.join("")}0\r\n\r\n`, "latin1"));
  const line = await answer;
  socket.destroy();
  return line;
}

test("[E-145] a body that comes in crumbs ends its connection; one in short pieces, and a short one, are taken", async () => {
  const server = await runServer({ host: "latchkey.example" });
  for (const [size, chunkBytes, line] of [
    [200, 1, "HTTP/1.1 201 Created"],
    [50_000, 100, "HTTP/1.1 201 Created"],
    [50_000, 1, "ended"],
    [50_000, 40, "ended"],
  ] as const) {
    const [blobId, bytes] = [random(32), random(size)];
    expect([size, chunkBytes, await put(server.port, blobId, bytes, chunkBytes)]).toEqual([size, chunkBytes, line]);
    if (line !== "ended") expect(await readBlob(server, blobId)).toEqual(bytes);
  }
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
});
