import { ClientError } from "@latchkey/client";
import type { AttachedFile, Message } from "@latchkey/client";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fileOf, messageOf, openWith, read, storedIn, texts } from "./files.testing.ts";
import { serverOfAllTests } from "./server.testing.ts";

/*
 * Files whose way fails: at the host, on the way there, and on this device (spec X-23), with a real server and real profiles.
 */

const server = serverOfAllTests();
const { folder, open } = server;
const stored = (name: string): string[] => storedIn(server, name);

test("[X-23] an upload goes on after failures of every kind and a restart, and what was said after it waits", async () => {
  const [cleo, dan] = [await open("cleo"), await open("dan")];
  const { id } = await cleo.startConversation({ to: ["dan"] });
  await cleo.send(id, "hello");
  await cleo.settle();
  await cleo.close();
  const bytes = randomBytes(6_000_000);
  let patches = 0;
  const answers = [403, 500, 429, 404].map((status) => () => new Response("<html>", { status }));
  const first = await openWith(server, "cleo", (method) => {
    if (method !== "PATCH") return undefined;
    patches++;
    if (patches === 1 || patches > 3) throw new TypeError("fetch failed");
    return undefined;
  });
  await first.send(id, "a large file", { files: [fileOf("large.bin", bytes)] });
  await first.send(id, "after the file");
  await expect.poll(() => patches, { timeout: 30_000 }).toBeGreaterThan(4);
  const [part] = (await first.messages(id, { limit: 2 })).flatMap(({ files }) => files ?? []);
  if (part === undefined) throw new Error("a message with a file");
  const [waiting] = await first.messages(id, { limit: 2 });
  expect(waiting?.delivery).toEqual({ kind: "pending" });
  const state = await first.fileState(id, waiting?.id ?? "", part.id);
  expect(state).toMatchObject({ kind: "sending", totalBytes: expect.any(Number) });
  expect(state.kind === "sending" && state.sentBytes > 0).toBe(true);
  expect(await texts(dan, id)).toEqual(["hello"]);
  await first.close();
  let sent = 0;
  const asked: string[] = [];
  const again = await openWith(server, "cleo", (method, path) => {
    if (!path.startsWith("/v1/uploads")) return undefined;
    asked.push(method);
    const answer = answers[sent++];
    return answer?.();
  });
  await again.settle({ timeoutMs: 120_000 });
  // It went on with the upload that was begun before the restart.
  expect(asked).not.toContain("POST");
  const got = await messageOf(dan, id, "a large file");
  expect(await texts(dan, id)).toEqual(["hello", "a large file", "after the file"]);
  const [file] = got.files ?? [];
  if (file === undefined) throw new Error("a file");
  expect((await read(dan, got, file)).equals(bytes)).toBe(true);
}, 180_000);

test("[X-23] files that the server lost before they were used are brought there again", async () => {
  const [gus, hal] = [await open("gus"), await open("hal")];
  const { id } = await gus.startConversation({ to: ["hal"] });
  await gus.send(id, "hello");
  await gus.settle();
  await gus.close();
  const bytes = randomBytes(2_500_000);
  let [uploads, offset] = [0, 0];
  // The host says that it has it, and has nothing.
  const answer = (method: string, path: string): Response | undefined => {
    if (!path.startsWith("/v1/uploads") && method !== "PUT") return undefined;
    if (method === "POST") uploads++;
    if (uploads > 1) return undefined;
    if (method === "POST") return new Response(null, { status: 201, headers: { location: "/v1/uploads/aaaaaaaaaaaaaaaaaaaaaaaa" } });
    return new Response(null, {
      status: 204,
      headers: { "upload-offset": uploads > 0 && method === "PATCH" ? String((offset += 524_288)) : "0" },
    });
  };
  // A message that the host took for one without its file is sent again after fifteen seconds.
  const lying = await openWith(server, "gus", answer, { longMs: 16_000 });
  await lying.send(id, "lost", { files: [fileOf("lost.bin", bytes)] });
  const got = await messageOf(hal, id, "lost");
  const [file] = got.files ?? [];
  if (file === undefined) throw new Error("a file");
  expect((await read(hal, got, file)).equals(bytes)).toBe(true);
  expect(uploads).toBe(2);
}, 120_000);

test("[X-8] what is to be seen once is not over where nothing of it could be given out", async () => {
  const [vic, wes] = [await open("vic"), await open("wes")];
  const { id } = await vic.startConversation({ to: ["wes"] });
  const bytes = randomBytes(300_000);
  const looks = { kind: "picture", mediaType: "image/jpeg" } as const;
  await vic.send(id, "once", { files: [fileOf("secret.jpg", bytes, looks)], isOnce: true });
  await vic.settle();
  await messageOf(wes, id, "once");
  await wes.close();
  let good = 0;
  let isFull = false;
  const reading = await openWith(server, "wes", () => undefined, {
    onPiece() {
      if (good-- <= 0) throw new ClientError("storage_denied", "Too many files are open.");
    },
    onWrite() {
      if (isFull) throw new ClientError("storage_denied", "The disk is full.");
    },
  });
  const got = await messageOf(reading, id, "once");
  const [secret] = got.files ?? [];
  if (secret === undefined) throw new Error("a file");
  // Its one piece is read to verify the whole, and again to give it out: the first fails, then the second.
  for (const count of [0, 1]) {
    good = count;
    await expect(read(reading, got, secret), String(count)).rejects.toMatchObject({ code: "storage_denied" });
    expect((await messageOf(reading, id, "once")).isSeen).toBeUndefined();
  }
  good = 100;
  // It cannot be written down that it was seen: it is not given out, and can be opened later.
  isFull = true;
  await expect(reading.fileAccess(id, got.id, secret.id)).rejects.toMatchObject({ code: "storage_denied" });
  isFull = false;
  expect((await messageOf(reading, id, "once")).isSeen).toBeUndefined();
  // Begun to be given out, it is over, however little of it was taken.
  for await (const part of reading.readFile(id, got.id, secret.id)) {
    expect(part.length).toBeGreaterThan(0);
    expect(await messageOf(reading, id, "once")).toMatchObject({ isSeen: true });
    break;
  }
  await expect(read(reading, got, secret)).rejects.toMatchObject({ code: "seen_once" });
  await expect.poll(() => stored("wes"), { timeout: 20_000 }).toEqual([]);
}, 120_000);

test("[E-3] [X-23] what the store does not give out now is tried again, and says why; only what is not there any more ends, and holds up nothing else", async () => {
  const [xia, yan, zoe] = [await open("xia"), await open("yan"), await open("zoe")];
  const [{ id }, { id: other }] = [await xia.startConversation({ to: ["yan"] }), await xia.startConversation({ to: ["zoe"] })];
  for (const one of [id, other]) await xia.send(one, "hello");
  await xia.settle();
  await xia.close();
  const bytes = randomBytes(3_000_000);
  let failures: Error[] = [];
  const sending = await openWith(server, "xia", () => undefined, {
    onPiece() {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
    },
  });
  const causes: (string | undefined)[] = [];
  sending.subscribe((event) => {
    if (event.kind === "file" && event.state.kind === "sending") causes.push(event.state.cause);
  });
  // EMFILE and EIO as the store says them, and what no store should throw.
  const denied = (): Error => new ClientError("storage_denied", "The profile cannot be written here.");
  failures = [denied(), new DOMException("the database is being closed", "InvalidStateError"), denied()];
  await sending.send(id, "large", { files: [fileOf("large.bin", bytes)] });
  const got = await messageOf(yan, id, "large");
  expect((await read(yan, got, got.files?.[0] as AttachedFile)).equals(bytes)).toBe(true);
  expect([failures, causes.includes("storage_denied"), causes.at(-1)]).toEqual([[], true, undefined]);

  // Somebody takes the whole stage away, while it cannot be sent.
  failures = Array.from({ length: 100_000 }, denied);
  const gone = await sending.send(id, "taken away", { files: [fileOf("gone.bin", bytes)] });
  await sending.send(id, "behind it");
  await sending.send(other, "elsewhere", { files: [fileOf("small.bin", randomBytes(10))] });
  await expect.poll(() => causes.at(-1)).toBe("storage_denied");
  for (const name of stored("xia").filter((one) => one.startsWith(gone.files?.[0]?.id ?? "none")))
    rmSync(join(folder, "xia", "files", name));
  failures = [];
  await messageOf(zoe, other, "elsewhere");
  const failed = async (): Promise<unknown> => (await messageOf(sending, id, "taken away")).delivery;
  await expect.poll(failed, { timeout: 30_000 }).toMatchObject({ kind: "failed", failure: { code: "unreadable_file" } });
  await messageOf(yan, id, "behind it");
}, 180_000);

test("[E-3] [X-23] a file that the host does not take now holds up nobody else's, and what was said after it in its own conversation waits", async () => {
  const [nia, oli, pam] = [await open("nia"), await open("oli"), await open("pam")];
  const [{ id: first }, { id: second }] = [await nia.startConversation({ to: ["oli"] }), await nia.startConversation({ to: ["pam"] })];
  for (const id of [first, second]) await nia.send(id, "hello");
  await nia.settle();
  await nia.close();
  let isFull = true;
  const sending = await openWith(server, "nia", (method, path) =>
    isFull && method === "POST" && path === "/v1/uploads"
      ? new Response(JSON.stringify({ code: "storage_full" }), { status: 507 })
      : undefined,
  );
  await sending.send(first, "large", { files: [fileOf("large.bin", randomBytes(3_000_000))] });
  await sending.send(first, "behind it", { files: [fileOf("small.bin", randomBytes(1000))] });
  await sending.send(second, "elsewhere", { files: [fileOf("small.bin", randomBytes(1000))] });
  await messageOf(pam, second, "elsewhere");
  expect(await texts(oli, first)).toEqual(["hello"]);
  isFull = false;
  await messageOf(oli, first, "behind it");
  expect(await texts(oli, first)).toEqual(["hello", "large", "behind it"]);
}, 120_000);

test("[E-140] what is let go of is ended at the host, also while another file is next", async () => {
  const [sia, tom, uma] = [await open("sia"), await open("tom"), await open("uma")];
  const [{ id: first }, { id: second }] = [await sia.startConversation({ to: ["tom"] }), await sia.startConversation({ to: ["uma"] })];
  await sia.settle();
  await sia.close();
  let isFull = true;
  const [refusedPaths, deletedPaths] = [new Set<string>(), new Set<string>()];
  const sending = await openWith(server, "sia", (method, path) => {
    if (method === "DELETE") deletedPaths.add(path);
    if (!isFull || method !== "PATCH") return undefined;
    refusedPaths.add(path);
    return new Response(JSON.stringify({ code: "storage_full" }), { status: 507 });
  });
  const dropped = await sending.send(first, "dropped", { files: [fileOf("a.bin", randomBytes(3_000_000))] });
  await expect.poll(() => refusedPaths.size, { timeout: 20_000 }).toBe(1);
  await sending.send(second, "next", { files: [fileOf("b.bin", randomBytes(3_000_000))] });
  await expect.poll(() => refusedPaths.size, { timeout: 20_000, interval: 5 }).toBe(2);
  await sending.discard(first, dropped.id);
  await expect.poll(() => [...deletedPaths], { timeout: 20_000 }).toEqual([...refusedPaths].slice(0, 1));
  isFull = false;
  await messageOf(uma, second, "next");
  expect([await texts(tom, first), deletedPaths.size]).toEqual([[], 1]);
}, 120_000);

test("[E-143] of more than the person wants to keep what was used longest ago goes, and is fetched again; what waits to be sent, and what is read, stays", async () => {
  const [ada, bob] = [await open("ada"), await open("bob")];
  const { id } = await ada.startConversation({ to: ["bob"] });
  const bytes = [0, 1, 2].map(() => randomBytes(2_000_000));
  for (const [at, content] of bytes.entries()) await ada.send(id, `file ${String(at)}`, { files: [fileOf("a.bin", content)] });
  await ada.settle();
  const messages = await Promise.all(bytes.map((_, at) => messageOf(bob, id, `file ${String(at)}`)));
  const files = messages.map(({ files: [file] = [] }) => file?.id ?? "");
  const told: string[] = [];
  bob.subscribe((event) => void (event.kind === "file" && event.state.kind === "remote" && told.push(event.fileId)));
  const kinds = async (client: typeof bob): Promise<string[]> =>
    await Promise.all(messages.map(async (message, at) => (await client.fileState(id, message.id, files[at] ?? "")).kind));
  expect(await bob.fileStorage()).toEqual({ storedBytes: 0, limitBytes: 2_000_000_000 });
  for (const [at, message] of messages.entries()) await bob.fetchFile(id, message.id, files[at] ?? "");
  const { storedBytes } = await bob.fileStorage();
  expect(storedBytes).toBeGreaterThan(6_000_000);
  // The first is read, and so the second is the one that was used longest ago.
  const reading = bob.readFile(id, messages[0]?.id ?? "", files[0] ?? "")[Symbol.asyncIterator]();
  const first = await reading.next();
  await bob.setFileLimit(storedBytes - 1);
  expect(await kinds(bob)).toEqual(["here", "remote", "here"]);
  await expect.poll(() => told.includes(files[1] ?? "")).toBe(true);
  await bob.fetchFile(id, messages[1]?.id ?? "", files[1] ?? "");
  await bob.setFileLimit(0);
  // What is read is read to its end from what is here, and the one used last stays too.
  expect(await kinds(bob)).toEqual(["here", "here", "remote"]);
  const parts = [first.value ?? Buffer.alloc(0)];
  for (let next = await reading.next(); next.done !== true; next = await reading.next()) parts.push(next.value);
  expect(Buffer.concat(parts).equals(bytes[0] ?? Buffer.alloc(0))).toBe(true);
  await expect.poll(() => kinds(bob), { timeout: 20_000 }).toEqual(["remote", "here", "remote"]);
  expect((await read(bob, messages[2] as Message, messages[2]?.files?.[0] as AttachedFile)).equals(bytes[2] ?? Buffer.alloc(0))).toBe(true);
  await bob.close();

  // It holds after a restart, and takes nothing of what is not sent yet.
  let isDown = true;
  const again = await openWith(server, "bob", (method) => {
    if (isDown && (method === "PATCH" || method === "PUT")) throw new TypeError("fetch failed");
    return undefined;
  });
  expect((await again.fileStorage()).limitBytes).toBe(0);
  const sent = await again.send(id, "waits", { files: [fileOf("b.bin", bytes[0] ?? Buffer.alloc(0)), fileOf("c.bin", randomBytes(500))] });
  await again.setFileLimit(1);
  await expect.poll(() => kinds(again)).toEqual(["remote", "remote", "remote"]);
  expect(stored("bob").filter((name) => sent.files?.some((file) => name === file.id))).toHaveLength(2);
  isDown = false;
  const got = await messageOf(ada, id, "waits");
  expect((await read(ada, got, got.files?.[0] as AttachedFile)).equals(bytes[0] ?? Buffer.alloc(0))).toBe(true);
  await expect(again.setFileLimit(-1)).rejects.toMatchObject({ code: "invalid_setting" });
}, 120_000);
