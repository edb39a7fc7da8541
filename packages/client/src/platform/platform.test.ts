import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { IDBFactory } from "fake-indexeddb";
import "fake-indexeddb/auto";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { Store } from "../store/store.ts";
import { createNodePlatform, openNodeStore } from "./node-platform.ts";
import type { SocketLike } from "./platform.ts";
import { askToPersist, createWebPlatform } from "./web-platform.ts";
import { openWebStore } from "./web-store.ts";

const homes: string[] = [];
afterEach(() => {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true });
});

function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "latchkey-home-"));
  homes.push(home);
  return join(home, "profile", "ann");
}

async function write(store: Store, value: string): Promise<void> {
  await store.transact("write", (tx) => tx.put("note/secret-name", new TextEncoder().encode(value)));
}

async function read(store: Store): Promise<string | undefined> {
  const bytes = await store.transact("read", (tx) => tx.get("note/secret-name"));
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

async function runOf(home: string, value: string): Promise<string | undefined> {
  const store = await openNodeStore(home);
  const before = await read(store);
  await write(store, value);
  await store.close();
  return before;
}

describe("a profile directory", () => {
  test("keeps what it is told, for its owner only, and nothing of it readable", async () => {
    const home = newHome();
    expect(await runOf(home, "secret-value")).toBeUndefined();
    expect(await runOf(home, "again")).toBe("secret-value");
    expect(readdirSync(home).toSorted()).toEqual([".gitignore", "device-key", "generation", "profile.db"]);
    expect(statSync(home).mode & 0o077).toBe(0);
    for (const name of readdirSync(home)) {
      expect(statSync(join(home, name)).mode & 0o077, name).toBe(0);
      expect(readFileSync(join(home, name), "latin1")).not.toMatch(/secret|again/);
    }
  });

  test("opened twice, it is in use; a failed opening leaves it free", async () => {
    const home = newHome();
    const store = await openNodeStore(home);
    await expect(openNodeStore(home)).rejects.toMatchObject({ code: "storage_in_use" });
    await store.close();
    const key = readFileSync(join(home, "device-key"));
    rmSync(join(home, "device-key"));
    await expect(openNodeStore(home)).rejects.toMatchObject({ code: "storage_denied" });
    writeFileSync(join(home, "device-key"), "latchkey-device-key/2 passphrase AAAA\n");
    await expect(openNodeStore(home)).rejects.toMatchObject({ code: "storage_newer" });
    for (const text of [
      "",
      "latchkey-device-key/1 plain AAAA",
      "latchkey-device-key/1 plain ?",
      `latchkey-device-key/1 plain ${"A".repeat(43)}`,
    ]) {
      writeFileSync(join(home, "device-key"), text);
      await expect(openNodeStore(home), text).rejects.toMatchObject({ code: "storage_denied" });
    }
    writeFileSync(join(home, "device-key"), key);
    await (await openNodeStore(home)).close();
  });

  test("an old database put back is refused, the newest taken", async () => {
    const home = newHome();
    await runOf(home, "one");
    const path = join(home, "profile.db");
    copyFileSync(path, `${path}.old`);
    await runOf(home, "two");
    copyFileSync(path, `${path}.newest`);
    copyFileSync(`${path}.old`, path);
    await expect(openNodeStore(home)).rejects.toMatchObject({ code: "profile_restored" });
    copyFileSync(`${path}.newest`, path);
    expect(await runOf(home, "three")).toBe("two");
    writeFileSync(join(home, "generation"), "nonsense");
    expect(await runOf(home, "four")).toBe("three");
  });

  test("of format 1, as a test version wrote it, is refused and stays as it is", async () => {
    const home = newHome();
    mkdirSync(home, { recursive: true });
    const names = ["profile.db", "device-key", "generation"];
    for (const name of names) copyFileSync(new URL(`../store/fixtures/format-1/${name}`, import.meta.url), join(home, name));
    const before = names.map((name) => readFileSync(join(home, name)));
    await expect(openNodeStore(home)).rejects.toMatchObject({ code: "storage_older" });
    expect(names.map((name) => readFileSync(join(home, name)))).toEqual(before);
  });

  test("where nothing can be made, it says so", async () => {
    const file = join(newHome(), "..", "..", "file");
    writeFileSync(file, "");
    await expect(openNodeStore(join(file, "profile"))).rejects.toMatchObject({ code: "storage_denied" });
  });
});

describe("a browser's profile", () => {
  test("keeps what it is told under a key that cannot be exported", async () => {
    const first = await openWebStore("ann");
    await write(first, "one");
    await first.close();
    const second = await openWebStore("ann");
    expect(await read(second)).toBe("one");
    await expect(openWebStore("ann")).rejects.toMatchObject({ code: "storage_in_use" });
    await second.close();
    const other = await openWebStore("bob");
    expect(await read(other)).toBeUndefined();
    await other.close();
    expect(await askToPersist()).toBeUndefined();
  });

  test("whose storage was evicted begins anew, and one without storage says so", async () => {
    const kept = globalThis.indexedDB;
    try {
      globalThis.indexedDB = new IDBFactory();
      const fresh = await openWebStore("ann");
      expect(await read(fresh)).toBeUndefined();
      await fresh.close();
      Reflect.deleteProperty(globalThis, "indexedDB");
      await expect(openWebStore("ann")).rejects.toMatchObject({ code: "storage_denied" });
    } finally {
      globalThis.indexedDB = kept;
    }
  });
});

interface Heard {
  readonly frames: (Uint8Array | undefined)[];
  readonly closed: Promise<number>;
  readonly opened: Promise<void>;
}

function listen(socket: SocketLike): Heard {
  const frames: (Uint8Array | undefined)[] = [];
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<number>();
  socket.listen({ onOpen: () => opened.resolve(), onMessage: (frame) => frames.push(frame), onClose: (code) => closed.resolve(code) });
  return { frames, opened: opened.promise, closed: closed.promise };
}

describe.each([
  ["Node", createNodePlatform()],
  ["browsers", createWebPlatform()],
])("the platform of %s", (_, platform) => {
  test("sends and receives binary frames of one subprotocol, and tells how the connection ended", async () => {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: (offered) => [...offered][0] ?? false });
    await new Promise((resolve) => server.once("listening", resolve));
    // An address of TCP is always of this type.
    const { port } = server.address() as AddressInfo;
    server.on("connection", (socket) => {
      expect(socket.protocol).toBe("latchkey.1");
      socket.on("message", (data) => {
        socket.send(data, { binary: true });
        socket.send("text");
        socket.close(4409);
      });
    });
    try {
      const socket = platform.connect(`ws://127.0.0.1:${port}/v1/log`, ["latchkey.1"]);
      const heard = listen(socket);
      socket.send(new Uint8Array([9]));
      await heard.opened;
      socket.send(new Uint8Array([1, 2, 3]).subarray(1));
      expect(await heard.closed).toBe(4409);
      expect(heard.frames).toEqual([new Uint8Array([2, 3]), undefined]);
      expect(Object.getPrototypeOf(heard.frames[0])).toBe(Uint8Array.prototype);
      socket.send(new Uint8Array([1]));
      socket.close();
      const early = platform.connect(`ws://127.0.0.1:${port}/v1/log`, ["latchkey.1"]);
      const earlyHeard = listen(early);
      early.close();
      expect(await earlyHeard.closed).toBe(1006);
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
    expect(await listen(platform.connect(`ws://127.0.0.1:${port}/v1/log`, ["latchkey.1"])).closed).toBe(1006);
  });

  test("has randomness of any size, SHA-256, signatures and timers that can be cancelled", async () => {
    expect(platform.random(0).length).toBe(0);
    const large = platform.random(200_000);
    expect(large.length).toBe(200_000);
    expect(large.subarray(199_000).some((byte) => byte !== 0)).toBe(true);
    expect(platform.sha256(new Uint8Array(0)).subarray(0, 4)).toEqual(new Uint8Array([0xe3, 0xb0, 0xc4, 0x42]));
    const pair = await platform.crypto.suite(0x0001).generateSignatureKeyPair(platform.random);
    const message = new Uint8Array([1]);
    const signature = await platform.signatures.sign(pair.secretKey, message);
    expect(await platform.signatures.verify(pair.publicKey, message, signature)).toBe(true);
    expect(await platform.signatures.verify(pair.publicKey, new Uint8Array([2]), signature)).toBe(false);
    expect(await platform.signatures.verify(new Uint8Array(3), message, signature)).toBe(false);
    const fired: string[] = [];
    const cancel = platform.setTimer(1, () => fired.push("cancelled"));
    cancel();
    await new Promise<void>((resolve) => platform.setTimer(2, resolve));
    await delay(5);
    expect(fired).toEqual([]);
    expect(Math.abs(platform.nowMs() - Date.now())).toBeLessThan(1000);
  });
});
