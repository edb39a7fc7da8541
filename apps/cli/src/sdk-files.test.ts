import { fileAt, nodeFiles, openNodeClient } from "@latchkey/client/node";
import type { AttachedFile, Client, ClientEvent, FileState } from "@latchkey/client";
import { startServer } from "@latchkey/server";
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { fileOf, messageOf, openWith, read, storedIn, texts } from "./files.testing.ts";
import { serverOfAllTests } from "./server.testing.ts";

/*
 * Files from end to end (spec X-23), with a real server and real profiles.
 */

const server = serverOfAllTests();
const { folder, open } = server;
const stored = (name: string): string[] => storedIn(server, name);
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

test("[X-23] what is sent is read byte for byte, whole and in parts, in the order in which it was said", async () => {
  const [ann, ben] = [await open("ann"), await open("ben")];
  const states: FileState[] = [];
  const note = (event: ClientEvent): void => void (event.kind === "file" && states.push(event.state));
  ann.subscribe(note);
  const { id } = await ann.startConversation({ to: ["ben"] });
  const [large, small, empty] = [randomBytes(9_000_000), randomBytes(70_000), Buffer.alloc(0)];
  const files = [
    fileOf("large.bin", large),
    fileOf("../../up/photo‮gpj.exe", small, { kind: "picture", mediaType: "Image/JPEG; q=1", width: 4, height: 3, description: "A cat" }),
    { ...fileOf("empty", empty), content: new Blob([]) },
  ];
  const sending = ann.send(id, "three files", { files });
  // Said while the files are encrypted.
  const after = ann.send(id, "after them");
  const sent = await sending;
  await after;
  expect(sent.files?.map(({ name }) => name)).toEqual(["large.bin", "photogpj.exe", "empty"]);
  await ann.settle();
  const got = await messageOf(ben, id, "three files");
  expect(await texts(ben, id)).toEqual(["three files", "after them"]);
  const [one, two, three] = got.files ?? [];
  if (one === undefined || two === undefined || three === undefined) throw new Error("three files");
  expect(two).toMatchObject({ kind: "picture", mediaType: "image/jpeg", width: 4, height: 3, description: "A cat", sizeBytes: 70_000 });
  expect(await ben.fileState(id, got.id, one.id)).toMatchObject({ kind: "remote", hereBytes: 0 });
  expect((await read(ben, got, one, { from: 8_000_000, to: 8_000_010 })).equals(large.subarray(8_000_000, 8_000_010))).toBe(true);
  const part = await ben.fileState(id, got.id, one.id);
  expect(part).toMatchObject({ kind: "remote", hereBytes: 1_048_576 });
  expect(digest(await read(ben, got, one))).toBe(digest(large));
  expect(await ben.fileState(id, got.id, one.id)).toEqual({ kind: "here" });
  await ben.fetchFile(id, got.id, two.id);
  expect(await ben.fileState(id, got.id, two.id)).toEqual({ kind: "here" });
  expect((await read(ben, got, two)).equals(small)).toBe(true);
  expect((await read(ben, got, three)).length).toBe(0);
  // What was sent is here already.
  const own = await messageOf(ann, id, "three files");
  expect(await ann.fileState(id, own.id, one.id)).toEqual({ kind: "here" });
  expect(digest(await read(ann, own, one))).toBe(digest(large));
  const sentBytes = states.flatMap((state) => (state.kind === "sending" ? [state.sentBytes] : []));
  expect(sentBytes.some((bytes) => bytes > 0 && bytes < 9_000_000)).toBe(true);
  expect(states.at(-1)).toEqual({ kind: "here" });

  const listed = await ben.listFiles(id, { limit: 10 });
  expect(listed.map(({ file, storedBytes }) => [file.id, storedBytes > 0])).toEqual([one, two, three].map((file) => [file.id, true]));
  expect((await ben.listFiles(id, { kinds: ["picture"], limit: 10 })).map(({ file }) => file.id)).toEqual([two.id]);
  expect((await ben.listFiles(undefined, { limit: 2 })).map(({ file }) => file.id)).toEqual([one.id, two.id]);
  expect(await ben.listFiles(id, { beforeOrder: got.order, limit: 10 })).toEqual([]);
  await ben.removeFile(id, got.id, one.id);
  expect(await ben.fileState(id, got.id, one.id)).toMatchObject({ kind: "remote", hereBytes: 0 });
  expect((await messageOf(ben, id, "three files")).files?.length).toBe(3);
  expect(digest(await read(ben, got, one))).toBe(digest(large));
  // Deleted by its author, nothing of its files is left with anybody.
  const gone: string[] = [];
  ben.subscribe((event) => void (event.kind === "files_gone" && gone.push(...event.fileIds)));
  await ann.deleteMessages(id, [own.id], { forEveryone: true });
  await ann.settle();
  await expect.poll(() => [stored("ann"), stored("ben")], { timeout: 30_000 }).toEqual([[], []]);
  // Whoever decrypts elsewhere is told: as a page's service worker, which has keys in memory.
  expect(gone).toEqual(expect.arrayContaining(got.files?.map((file) => file.id) ?? [""]));
  await expect(ben.fileState(id, got.id, one.id)).rejects.toMatchObject({ code: "unknown_message" });
}, 120_000);

test("[X-23] nothing is kept of a file that could not be sent: changed, too large, full, cancelled, or of a program that ended", async () => {
  const [eve, fay] = [await open("eve"), await open("fay")];
  const { id } = await eve.startConversation({ to: ["fay"] });
  await eve.send(id, "hello");
  await eve.settle();
  const small = randomBytes(1000);
  for (const sizeBytes of [999, 1001]) {
    const files = [fileOf("good", small), fileOf("changed", small, { sizeBytes })];
    await expect(eve.send(id, "", { files })).rejects.toMatchObject({ code: "file_changed", canRetry: false });
  }
  const many = Array.from({ length: 31 }, (_, at) => fileOf(`f${String(at)}`, small));
  await expect(eve.send(id, "", { files: many })).rejects.toMatchObject({ code: "message_too_large" });
  for (const sizeBytes of [2 ** 31 + 1, -1, 0.5, Number.NaN])
    await expect(eve.send(id, "", { files: [fileOf("huge", small, { sizeBytes })] })).rejects.toMatchObject({ code: "message_too_large" });
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield small;
    throw new TypeError("the disk went away");
  }
  await expect(eve.send(id, "", { files: [fileOf("a", small, { sizeBytes: 3000, content: failing() })] })).rejects.toThrow("disk");
  await expect(eve.send(id, "", { files: [fileOf("a", small)], isOnce: true })).rejects.toMatchObject({ code: "not_permitted" });
  expect(stored("eve")).toEqual([]);
  expect(await texts(eve, id)).toEqual(["hello"]);
  await eve.close();

  // Of an upload that is cancelled nothing stays, here or there.
  let isDown = true;
  let [tried, ended] = [0, 0];
  const sending = await openWith(server, "eve", (method) => {
    if (method === "DELETE") ended++;
    if (method === "PATCH") tried++;
    if (isDown && method === "PATCH") throw new TypeError("fetch failed");
    return undefined;
  });
  const message = await sending.send(id, "never", { files: [fileOf("large.bin", randomBytes(3_000_000)), fileOf("other.bin", small)] });
  await sending.send(id, "but this");
  const [file] = message.files ?? [];
  if (file === undefined) throw new Error("a file");
  expect(stored("eve").length).toBe(4);
  await expect(sending.removeFile(id, message.id, file.id)).rejects.toMatchObject({ code: "not_permitted" });
  await expect.poll(() => tried).toBeGreaterThan(0);
  await sending.cancelFile(id, message.id, file.id);
  await expect.poll(() => stored("eve")).toEqual([]);
  await expect.poll(() => ended).toBe(1);
  isDown = false;
  await sending.settle();
  await expect.poll(() => texts(fay, id), { timeout: 30_000 }).toEqual(["hello", "but this"]);

  // What a crash left of a file that was being encrypted goes with the next start; what a message has stays.
  const kept = await sending.send(id, "kept", { files: [fileOf("kept.bin", small)] });
  await sending.settle();
  await sending.close();
  const { store } = await nodeFiles(join(folder, "eve"))();
  await store.begin("x".repeat(43), 2_000_000, 1);
  await store.put("x".repeat(43), 0, new Uint8Array(1_048_576));
  const after = await open("eve");
  await expect.poll(async () => (await store.list()).map(({ id: blobId }) => blobId)).toEqual([kept.files?.[0]?.id]);
  // A conversation that is deleted takes its files along, and so does the profile.
  const got = await messageOf(fay, id, "kept");
  await fay.fetchFile(id, got.id, got.files?.[0]?.id ?? "");
  expect(stored("fay").length).toBe(2);
  await fay.deleteConversation(id);
  await expect.poll(() => stored("fay"), { timeout: 20_000 }).toEqual([]);
  await after.erase();
  expect(stored("eve")).toEqual([]);
  await after.close();
}, 120_000);

test("[X-23] through another process that has the profile open, files go by their paths and are read from its folder; [X-9] forwarded, they are other blobs", async () => {
  const [ida, jon] = [await open("ida"), await open("jon")];
  const joined = await openNodeClient({ home: join(folder, "ida"), serverUrl: server.url, join: {} });
  onTestFinished(() => joined.close());
  const { id } = await joined.startConversation({ to: ["jon"] });
  const bytes = randomBytes(3_000_000);
  const path = join(folder, "picture.png");
  writeFileSync(path, bytes);
  const states: FileState[] = [];
  joined.subscribe((event) => void (event.kind === "file" && states.push(event.state)));
  await joined.send(id, "", { files: [await fileAt(path)] });
  await expect(joined.send(id, "", { files: [fileOf("a", bytes)] })).rejects.toMatchObject({ code: "storage_in_use" });
  await joined.settle();
  expect(states.some(({ kind }) => kind === "sending")).toBe(true);
  const got = await messageOf(jon, id, "");
  const [file] = got.files ?? [];
  if (file === undefined) throw new Error("a file");
  expect(file).toMatchObject({ kind: "picture", name: "picture.png", mediaType: "image/png" });
  expect((await read(jon, got, file)).equals(bytes)).toBe(true);
  const own = await messageOf(joined, id, "");
  expect((await read(joined, own, file, { from: 2_000_000, to: 2_000_100 })).equals(bytes.subarray(2_000_000, 2_000_100))).toBe(true);

  // To be seen once, it is read as well, once, and nothing of it stays.
  await jon.send(id, "once", { files: [fileOf("secret.jpg", bytes, { kind: "picture", mediaType: "image/jpeg" })], isOnce: true });
  const once = await messageOf(joined, id, "once");
  const [secret] = once.files ?? [];
  if (secret === undefined) throw new Error("a file");
  expect((await read(joined, once, secret)).equals(bytes)).toBe(true);
  expect(stored("ida").some((name) => name.startsWith(secret.id))).toBe(false);
  await expect(read(joined, once, secret)).rejects.toMatchObject({ code: "seen_once" });

  const kim = await open("kim");
  const { id: other } = await jon.startConversation({ to: ["kim"] });
  const [forwarded] = await jon.forward(id, got.id, [other]);
  await jon.settle();
  const there = await messageOf(kim, other, "");
  const [copy] = there.files ?? [];
  if (copy === undefined || forwarded === undefined) throw new Error("a file");
  expect([there.forwardedHops, copy.name, copy.id === file.id]).toEqual([1, "picture.png", false]);
  expect((await read(kim, there, copy)).equals(bytes)).toBe(true);
  expect(ida).toBeDefined();
}, 120_000);

test("[X-8] what is to be seen once is read once, by whoever it is for, and neither kept, forwarded nor seen again by its author", async () => {
  const [lea, max] = [await open("lea"), await open("max")];
  const { id } = await lea.startConversation({ to: ["max"] });
  const bytes = randomBytes(2_000_000);
  const file = fileOf("secret.jpg", bytes, { kind: "picture", mediaType: "image/jpeg" });
  const sent = await lea.send(id, "one", { files: [file], isOnce: true });
  expect(sent).toMatchObject({ isOnce: true, files: [{ name: "secret.jpg" }] });
  await lea.send(id, "two", { files: [{ ...file, content: new Blob([bytes]) }], isOnce: true });
  await lea.settle();
  await expect.poll(() => stored("lea"), { timeout: 20_000 }).toEqual([]);
  const [own] = [await messageOf(lea, id, "one")];
  expect(own).toMatchObject({ isOnce: true, isSeen: true });
  const [ownFile, got] = [own.files?.[0]?.id ?? "", await messageOf(max, id, "one")];
  await expect(read(lea, own, own.files?.[0] as AttachedFile)).rejects.toMatchObject({ code: "seen_once" });
  const [shown] = got.files ?? [];
  if (shown === undefined) throw new Error("a file");
  expect([got.isOnce, got.isSeen, shown.id]).toEqual([true, undefined, ownFile]);
  await expect(max.forward(id, got.id, [id])).rejects.toMatchObject({ code: "not_permitted" });
  expect((await read(max, got, shown)).equals(bytes)).toBe(true);
  expect(await messageOf(max, id, "one")).toMatchObject({ isSeen: true, files: [{ name: "file", kind: "picture" }] });
  await expect.poll(() => stored("max"), { timeout: 20_000 }).toEqual([]);
  for (const again of [() => read(max, got, shown), () => max.fileAccess(id, got.id, shown.id), () => max.fetchFile(id, got.id, shown.id)])
    await expect(again()).rejects.toMatchObject({ code: "seen_once", canRetry: false });
  // By its key, for whoever decrypts it elsewhere: all of it is here then.
  const second = await messageOf(max, id, "two");
  const fileId = second.files?.[0]?.id ?? "";
  const both = await Promise.allSettled([max.fileAccess(id, second.id, fileId), max.fileAccess(id, second.id, fileId)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(stored("max").length).toBe(2);
  await max.removeFile(id, second.id, fileId);
  expect(stored("max")).toEqual([]);
  await expect(max.fileAccess(id, second.id, fileId)).rejects.toMatchObject({ code: "seen_once" });
}, 120_000);

test("[E-135] a file that the server takes none of is refused before it is encrypted", async () => {
  const small = await startServer({
    dataDirectory: join(folder, "small"),
    port: 0,
    logLevel: "error",
    limits: { maxFileBytes: 4_200_000 },
  });
  const client = await openNodeClient({ home: join(folder, "quin"), serverUrl: small.url, requests: "accept" });
  onTestFinished(async () => {
    await client.close();
    await small.close();
  });
  await client.register({ username: "quin" });
  const { id } = await client.startConversation({ to: ["quin"] });
  let read = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    read++;
    yield new Uint8Array(6_000_000);
  }
  const large = { ...fileOf("large", new Uint8Array(6_000_000)), content: content() };
  await expect(client.send(id, "", { files: [large] })).rejects.toMatchObject({ code: "message_too_large", canRetry: false });
  expect(read).toBe(0);
  const { files } = await client.send(id, "smaller", { files: [fileOf("smaller", new Uint8Array(3_000_000))] });
  await client.settle();
  const fileId = files?.[0]?.id ?? "";
  expect(stored("quin").toSorted()).toEqual([fileId, `${fileId}.map`]);
});

/** Links another device to somebody's account, as its owner would. */
async function linked(owner: Client, name: string): Promise<Client> {
  const device = await openNodeClient({ home: join(folder, name), serverUrl: server.url, requests: "accept" });
  onTestFinished(() => device.close());
  const both = [owner, device];
  const reached = (kind: "compare" | "done"): Promise<unknown> =>
    Promise.all(
      both.map(
        (client) =>
          new Promise<void>((resolve) => {
            const stop = client.subscribe((event) => {
              if (event.kind !== "link" || event.state.kind !== kind) return;
              stop();
              resolve();
            });
          }),
      ),
    );
  const { code } = await device.offerLink({ deviceName: name });
  const [compared, done] = [reached("compare"), reached("done")];
  await expect
    .poll(
      () =>
        owner.acceptLink(code).then(
          () => true,
          () => false,
        ),
      { timeout: 20_000, interval: 500 },
    )
    .toBe(true);
  await compared;
  await Promise.all(both.map((client) => client.confirmLink(true)));
  await done;
  return device;
}

test("[X-8] on one's other devices what was to be seen once is over when it was opened on one of them; [X-23] a device that is linked later reads the files of before", async () => {
  const [nina, olaf] = [await open("nina"), await open("olaf")];
  const { id } = await nina.startConversation({ to: ["olaf"] });
  const bytes = randomBytes(300_000);
  await nina.send(id, "usual", { files: [fileOf("usual.bin", bytes)] });
  await nina.settle();
  await messageOf(olaf, id, "usual");
  const tablet = await linked(olaf, "olafs-tablet");
  const before = await messageOf(tablet, id, "usual");
  expect((await read(tablet, before, before.files?.[0] as AttachedFile)).equals(bytes)).toBe(true);
  expect((await tablet.listFiles(id, { limit: 5 })).map(({ message }) => message.id)).toEqual([before.id]);
  // Both devices are in the conversation before it is sent.
  const memberDevices = async (): Promise<number | undefined> =>
    (await nina.details(id)).members.find(({ person }) => person.username === "olaf")?.deviceCount;
  await expect.poll(memberDevices, { timeout: 30_000 }).toBe(2);
  await nina.send(id, "once", { files: [fileOf("secret.jpg", bytes, { kind: "picture", mediaType: "image/jpeg" })], isOnce: true });
  const [here, there] = [await messageOf(olaf, id, "once"), await messageOf(tablet, id, "once")];
  expect([here.isSeen, there.isSeen]).toEqual([undefined, undefined]);
  expect((await read(olaf, here, here.files?.[0] as AttachedFile)).equals(bytes)).toBe(true);
  await expect.poll(async () => (await messageOf(tablet, id, "once")).isSeen, { timeout: 30_000 }).toBe(true);
  await expect(read(tablet, there, there.files?.[0] as AttachedFile)).rejects.toMatchObject({ code: "seen_once" });
}, 180_000);

test("[X-23] nothing is left of files that were being encrypted when their conversation was left or the device erased, also where their content never ends", async () => {
  const [sue, rae] = [await open("sue"), await open("rae")];
  const { id } = await sue.startConversation({ to: ["rae"], name: "Allotment" });
  await sue.settle();
  await expect.poll(async () => (await rae.conversations()).some((one) => one.id === id), { timeout: 30_000 }).toBe(true);
  async function* endless(isBegun: () => void): AsyncGenerator<Uint8Array> {
    yield randomBytes(1_200_000);
    isBegun();
    await new Promise(() => undefined);
  }
  const begin = async (client: Client): Promise<() => Promise<string>> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const files = [fileOf("first.bin", randomBytes(1000)), fileOf("second.bin", Buffer.alloc(2_000_000), { content: endless(resolve) })];
    const sent = client.send(id, "never", { files }).then(
      () => "sent",
      (error: unknown) => (error as { code: string }).code,
    );
    await promise;
    return () => sent;
  };
  let release = (): void => undefined;
  async function* held(): AsyncGenerator<Uint8Array> {
    await new Promise<void>((resolve) => (release = resolve));
    yield Buffer.alloc(10);
  }
  const leaving = rae.send(id, "never", { files: [fileOf("held.bin", Buffer.alloc(10), { content: held() })] }).catch(() => "refused");
  await expect.poll(() => stored("rae").length).toBe(2);
  await rae.leave(id);
  await rae.settle();
  release();
  expect(await leaving).toBe("refused");
  expect(stored("rae")).toEqual([]);
  const sent = await begin(sue);
  expect(stored("sue").length).toBe(4);
  await sue.erase();
  expect(await sent()).toBe("closed");
  expect(stored("sue")).toEqual([]);
}, 120_000);
