import { chmodSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { join } from "node:path";
import { productVersion } from "@latchkey/protocol";
import type { Client } from "../api.ts";
import { failureOf } from "../errors.ts";
import { archiveAt, PathContent } from "../files/node-files.ts";
import { isRemoteMethod } from "../methods.ts";
import { fromLine, maxPathBytes, maxReplyBytes, maxRequestBytes, readLines, socketFile, toLine } from "./messages.ts";
import type { Reply } from "./messages.ts";

const maxConnections = 32;
/** How long others may finish what they are at before the profile is let go. */
const lingerMs = 3000;

/** What is shared, until it is closed. */
export interface SharedProfile {
  /** Takes nobody new, lets the others finish for 3 s, and removes the socket. */
  close(): Promise<void>;
}

/**
 * Lets other processes of the same person use this client, over a socket in the profile's folder that only its owner may open. The caller
 * has the profile's store open, so a socket that lies there is of a process that is gone. Resolves to `undefined` where there can be none:
 * on Windows, and where the path is longer than a socket's may be.
 */
export async function shareProfile(client: Client, home: string): Promise<SharedProfile | undefined> {
  const path = join(home, socketFile);
  if (process.platform === "win32" || Buffer.byteLength(path) > maxPathBytes) return undefined;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => serve(client, socket, sockets));
  server.maxConnections = maxConnections;
  try {
    rmSync(path, { force: true });
    await listen(server, path);
    chmodSync(path, 0o600);
  } catch {
    // Everything else works without it.
    server.close();
    return undefined;
  }
  // It keeps no process alive: who opened the client does.
  server.unref();
  return {
    async close() {
      // Removes the socket's file, and waits for the connections there are.
      const left = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) write(socket, { kind: "closing" });
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, lingerMs);
      await left;
      clearTimeout(timer);
    },
  };
}

/** The folder lets nobody else in, so nobody opens the socket in the moment before its mode is set. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

function serve(client: Client, socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.unref();
  // "close" follows every error; without a listener an error would end the process.
  socket.on("error", () => undefined);
  write(socket, { kind: "hello", version: productVersion });
  const stop = client.subscribe((event) => write(socket, { kind: "event", event }));
  socket.on("close", () => {
    stop();
    sockets.delete(socket);
  });
  readLines(socket, maxRequestBytes, (line) => {
    const request = fromLine(line);
    const kind: unknown = Reflect.get(request, "kind");
    if (kind === "wake") {
      client.wake();
      return;
    }
    const [id, method, args]: unknown[] = ["id", "method", "args"].map((name) => Reflect.get(request, name));
    if (kind !== "call" || typeof id !== "number" || typeof method !== "string" || !isRemoteMethod(method) || !Array.isArray(args))
      throw new TypeError("not a call");
    // The other side is typed on the same interface, and of the same version, so the arguments fit the method.
    const run = client[method] as (...args: readonly unknown[]) => Promise<unknown>;
    const answer =
      method === "keepImportedFile" ? withArchive(args).then((given) => run.apply(client, [...given])) : run.apply(client, args);
    answer.then(
      (value) => write(socket, { kind: "result", id, value }),
      (error: unknown) => write(socket, { kind: "failure", id, failure: failureOf(error) }),
    );
  });
}

/** An archive came as its path. */
async function withArchive([id, file]: readonly unknown[]): Promise<readonly unknown[]> {
  if (typeof file !== "object" || file === null) throw new TypeError("no file");
  const archive: unknown = Reflect.get(file, "archive");
  if (!(archive instanceof PathContent)) throw new TypeError("no archive");
  return [id, { ...file, archive: await archiveAt(archive.path) }];
}

function write(socket: Socket, reply: Reply): void {
  if (!socket.writable) return;
  // Whoever does not read is cut off: nothing of the profile is lost to them.
  if (socket.writableLength > maxReplyBytes) socket.destroy();
  else socket.write(toLine(reply));
}
