import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import type { Client, ClientEvent } from "../api.ts";
import { ClientError } from "../errors.ts";
import { archiveAt } from "../files/node-files.ts";
import { joinProfile } from "./join-profile.ts";
import { socketFile } from "./messages.ts";
import { shareProfile } from "./share-profile.ts";

const alarm = { kind: "alarms" } as const;

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "latchkey-shared-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function fakeClient(): { client: Client; calls: unknown[][]; emit: (event: ClientEvent) => void } {
  const calls: unknown[][] = [];
  const listeners = new Set<(event: ClientEvent) => void>();
  const methods: Partial<Client> = {
    account: () => Promise.resolve(undefined),
    send: (...args) => {
      calls.push(["send", ...args]);
      return Promise.reject(new ClientError("rate_limited", "Too much at once."));
    },
    settle: (...args) => {
      calls.push(["settle", ...args]);
      return Promise.resolve();
    },
    alarms: () =>
      Promise.resolve([
        {
          id: "a",
          failure: { code: "log_fork", message: "Two\nlines 👋", canRetry: false },
          conversationId: undefined,
          evidence: [Uint8Array.of(0, 255)],
          atMs: 1,
        },
      ]),
    wake: () => void calls.push(["wake"]),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return {
    // The methods that these tests call.
    client: methods as Client,
    calls,
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
  };
}

test("another process uses the client: values, bytes, failures and events cross the socket, which is its owner's alone", async () => {
  const home = folder();
  const { client, calls, emit } = fakeClient();
  const shared = await shareProfile(client, home);
  expect(statSync(join(home, socketFile)).mode & 0o777).toBe(0o600);
  const joined = await joinProfile(home);
  if (joined === undefined) throw new Error("not joined");
  expect(await joined.account()).toBe(undefined);
  expect(await joined.alarms()).toEqual([
    { id: "a", failure: { code: "log_fork", message: "Two\nlines 👋", canRetry: false }, evidence: [Uint8Array.of(0, 255)], atMs: 1 },
  ]);
  await expect(joined.send("id", "hi")).rejects.toMatchObject({ name: "ClientError", code: "rate_limited", canRetry: true });
  await joined.settle(undefined);
  joined.wake();
  const events: ClientEvent[] = [];
  const stop = joined.subscribe((event) => events.push(event));
  emit(alarm);
  await joined.account();
  stop();
  emit(alarm);
  await joined.account();
  expect(events).toEqual([alarm]);
  expect(calls).toEqual([["send", "id", "hi"], ["settle"], ["wake"]]);
  await joined.close();
  await expect(joined.account()).rejects.toMatchObject({ code: "closed" });
  await shared?.close();
});

test("whoever lets go of the profile waits for those who are at it, and tells them", async () => {
  const home = folder();
  const { client } = fakeClient();
  const shared = await shareProfile(client, home);
  const lost = Promise.withResolvers<void>();
  const joined = await joinProfile(home, () => lost.resolve());
  const closed = shared?.close();
  await lost.promise;
  expect(await joined?.account()).toBe(undefined);
  expect(await joinProfile(home)).toBe(undefined);
  await joined?.close();
  await closed;
  expect(existsSync(join(home, socketFile))).toBe(false);
});

test("a socket that is left of a process that is gone is nobody's, and is replaced", async () => {
  const home = folder();
  writeFileSync(join(home, socketFile), "");
  expect(await joinProfile(home)).toBe(undefined);
  const shared = await shareProfile(fakeClient().client, home);
  expect(await (await joinProfile(home))?.account()).toBe(undefined);
  await shared?.close();
});

test.each([
  ["no JSON", "nonsense\n"],
  ["no request", "[]\n"],
  ["a method that ends the client for all", '{"kind":"call","id":1,"method":"close","args":[]}\n'],
  ["what every object has", '{"kind":"call","id":1,"method":"constructor","args":[]}\n'],
  ["a line without end", "x".repeat(1 << 21)],
])("what is no call of a known method ends the connection, and nothing else: %s", async (_what, line) => {
  const home = folder();
  const shared = await shareProfile(fakeClient().client, home);
  const socket = connect(join(home, socketFile));
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(line);
  await new Promise((closed) => socket.once("close", closed));
  const joined = await joinProfile(home);
  expect(await joined?.account()).toBe(undefined);
  await joined?.close();
  await shared?.close();
});

test("a process of another version keeps the profile to itself", async () => {
  const home = folder();
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write('{"kind":"hello","version":"0.0.0-other"}\n');
  });
  server.listen(join(home, socketFile));
  await once(server, "listening");
  await expect(joinProfile(home)).rejects.toMatchObject({ code: "storage_in_use", canRetry: false });
  server.close();
});

test("there is no socket where its path would be too long or the folder takes none, and everything else works", async () => {
  const home = folder();
  expect(await shareProfile(fakeClient().client, join(home, "x".repeat(100)))).toBe(undefined);
  expect(await joinProfile(join(home, "x".repeat(100)))).toBe(undefined);
  expect(await shareProfile(fakeClient().client, join(home, "missing"))).toBe(undefined);
});

test("[Y-5] another process hands over an archive by its path alone", async () => {
  const home = folder();
  const path = join(home, "chat.zip");
  writeFileSync(path, "the archive");
  const seen: string[] = [];
  const { client } = fakeClient();
  const keepImportedFile: Client["keepImportedFile"] = async (_id, { archive }) => {
    seen.push(await archive.text());
    return "kept";
  };
  const shared = await shareProfile({ ...client, keepImportedFile }, home);
  const joined = await joinProfile(home);
  if (joined === undefined) throw new Error("not joined");
  const entry = { sizeBytes: 1, packedBytes: 1, isPacked: false, crc: 0, localAt: 0 };
  const file = { entry, name: "a", kind: "file", mediaType: "", places: [] } as const;
  expect(await joined.keepImportedFile("i", { ...file, archive: await archiveAt(path) })).toBe("kept");
  expect(seen).toEqual(["the archive"]);
  await expect(joined.keepImportedFile("i", { ...file, archive: new Blob(["bytes"]) })).rejects.toMatchObject({ code: "storage_in_use" });
  await joined.close();
  await shared?.close();
});
