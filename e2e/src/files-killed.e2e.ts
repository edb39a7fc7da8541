// A file on its way while the server is killed and the sender's program ends: it goes on where it was, and arrives as it was sent.
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { openNodeClient } from "@latchkey/client/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually, registerPerson } from "./testing/people.ts";
import { createFolder, startServerProcess } from "./testing/processes.ts";
import type { ServerProcess, TemporaryFolder } from "./testing/processes.ts";

const sizeBytes = 80_000_000;

let folder: TemporaryFolder;
let server: ServerProcess;

beforeEach(async () => {
  folder = createFolder();
  server = await startServerProcess({ data: folder.at("data") });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** How much of an upload lies at the server. */
function comeBytes(): number {
  const uploads = folder.at("data", "blobs", "uploads");
  return Math.max(0, ...readdirSync(uploads).map((name) => statSync(`${uploads}/${name}`, { throwIfNoEntry: false })?.size ?? 0));
}

test("the server is killed twice and the sender's program ends once: the file arrives byte for byte, and what had come is not sent again", async () => {
  const { port } = server;
  const people = { home: folder.at("ada"), server: server.url, username: "ada" };
  const ada = await registerPerson(people);
  await using ben = await registerPerson({ ...people, home: folder.at("ben"), username: "ben" });
  const { id } = await ada.client.startConversation({ to: ["ben"] });
  const content = randomBytes(sizeBytes);
  const sent = await ada.client.send(id, "the plans", {
    files: [{ name: "plans.bin", mediaType: "application/octet-stream", sizeBytes, content: new Blob([content]) }],
  });
  const fileId = sent.files?.[0]?.id ?? "";
  const kept: number[] = [];
  for (const share of [0.15, 0.4]) {
    await expect.poll(comeBytes, { interval: 2 }).toBeGreaterThan(share * sizeBytes);
    await server.kill();
    kept.push(comeBytes());
    server = await startServerProcess({ data: folder.at("data"), port });
    // It never begins anew.
    expect(comeBytes()).toBeGreaterThan((share - 0.1) * sizeBytes);
  }
  await expect.poll(comeBytes, { interval: 2 }).toBeGreaterThan(0.6 * sizeBytes);
  await ada.client.close();
  kept.push(comeBytes());
  expect(kept.every((bytes) => bytes < sizeBytes)).toBe(true);
  const again = await openNodeClient({ home: people.home, serverUrl: server.url, requests: "accept" });
  const state = await again.fileState(id, sent.id, fileId);
  expect(state.kind).toBe("sending");
  await eventually(
    again,
    async () =>
      (await again.messages(id, { limit: 10 })).find((message) => message.id === sent.id && message.delivery?.kind === "accepted"),
    "the message is accepted",
  );
  await eventually(
    ben.client,
    async () => (await ben.client.messages(id, { limit: 10 })).find((message) => message.id === sent.id),
    "it arrives",
  );
  const hash = createHash("sha256");
  for await (const piece of ben.client.readFile(id, sent.id, fileId)) hash.update(piece);
  expect(hash.digest("hex")).toBe(createHash("sha256").update(content).digest("hex"));
  await again.close();
});
