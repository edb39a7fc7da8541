import { existsSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { productVersion } from "@latchkey/protocol";
import type { Client, ClientEvent } from "../api.ts";
import { ClientError } from "../errors.ts";
import { archivePath, PathContent } from "../files/node-files.ts";
import { remoteMethodNames } from "../methods.ts";
import type { RemoteMethods } from "../methods.ts";
import { fromLine, maxPathBytes, maxReplyBytes, readLines, socketFile, toLine } from "./messages.ts";
import type { Reply, Request } from "./messages.ts";

const helloTimeoutMs = 5000;

/**
 * The client of the process that has the profile in `home` open, if it shares it. `close` leaves that process as it is.
 * @param onLost that process lets go of the profile, or is gone: calls fail as `closed` from then on
 * @throws ClientError `storage_in_use` when it is another version of the program, or does not answer
 */
export async function joinProfile(home: string, onLost: () => void = () => undefined): Promise<Client | undefined> {
  const path = join(home, socketFile);
  if (process.platform === "win32" || Buffer.byteLength(path) > maxPathBytes || !existsSync(path)) return undefined;
  const socket = await reach(path);
  return socket === undefined ? undefined : speak(socket, home, onLost);
}

/** `undefined` where nobody listens: the socket is of a process that is gone. */
function reach(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(socket));
    socket.on("error", () => resolve(undefined));
  });
}

interface Call {
  resolve(value: unknown): void;
  reject(error: ClientError): void;
}

function speak(socket: Socket, home: string, onLost: () => void): Promise<Client> {
  return new Promise((resolve, reject) => {
    const calls = new Map<number, Call>();
    const listeners = new Set<(event: ClientEvent) => void>();
    let nextId = 1;
    let isLost = false;
    let isClosed = false;

    const lose = (): void => {
      if (!isLost && !isClosed) onLost();
      isLost = true;
    };
    const send = (request: Request): void => {
      if (socket.writable) socket.write(toLine(request));
    };
    const call = (method: string, args: readonly unknown[]): Promise<unknown> =>
      new Promise((answer, fail) => {
        if (isClosed || !socket.writable) {
          fail(gone());
          return;
        }
        const id = nextId++;
        calls.set(id, { resolve: answer, reject: fail });
        // Defaults of parameters are for what is missing, and JSON has no such value inside a list.
        send({ kind: "call", id, method, args: args.slice(0, args.findLastIndex((value) => value !== undefined) + 1) });
      });

    // All methods that can be called from elsewhere are made here, from the complete list of their names.
    const remote = Object.fromEntries(
      remoteMethodNames.map((name) => [name, (...args: unknown[]) => call(name, args)]),
    ) as unknown as RemoteMethods;
    const client: Client = {
      ...remote,
      async send(id, text, options) {
        if (options?.files?.some(({ content }) => !(content instanceof PathContent)) === true) throw notByPath();
        return await remote.send(id, text, options);
      },
      async keepImportedFile(id, file) {
        if (archivePath(file.archive) === undefined) throw notByPath();
        return await remote.keepImportedFile(id, file);
      },
      async *readImportedFile(importId, order, fileId) {
        const { readImportedHere } = await import("./read-here.ts");
        yield* readImportedHere(home, await remote.importedFile(importId, order, fileId));
      },
      async *readFile(conversationId, messageId, fileId, range) {
        const { readHere } = await import("./read-here.ts");
        yield* readHere({ home, remote }, [conversationId, messageId, fileId], range);
      },
      subscribe(listener: (event: ClientEvent) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      wake: () => send({ kind: "wake" }),
      async close() {
        isClosed = true;
        listeners.clear();
        if (!socket.destroyed) await new Promise<void>((closed) => socket.end(closed));
      },
    };

    const timer = setTimeout(() => socket.destroy(), helloTimeoutMs);
    socket.on("close", () => {
      clearTimeout(timer);
      reject(new ClientError("storage_in_use", "Another process has this profile open and does not answer. End it first."));
      for (const waiting of calls.values()) waiting.reject(gone());
      calls.clear();
      lose();
    });

    const take = (reply: Reply): void => {
      switch (reply.kind) {
        case "hello":
          clearTimeout(timer);
          if (reply.version === productVersion) resolve(client);
          else {
            reject(
              new ClientError("storage_in_use", "Another version of the program has this profile open. End it first.", { canRetry: false }),
            );
            isClosed = true;
            socket.destroy();
          }
          return;
        case "result":
          calls.get(reply.id)?.resolve(reply.value);
          calls.delete(reply.id);
          return;
        case "failure": {
          const { code, message, canRetry } = reply.failure;
          calls.get(reply.id)?.reject(new ClientError(code, message, { canRetry }));
          calls.delete(reply.id);
          return;
        }
        case "event":
          for (const listener of listeners) tell(listener, reply.event);
          return;
        case "closing":
          lose();
      }
    };
    // From the process that has the profile: what it says is believed as the profile is.
    readLines(socket, maxReplyBytes, (line) => take(fromLine(line) as Reply));
  });
}

function tell(listener: (event: ClientEvent) => void, event: ClientEvent): void {
  try {
    listener(event);
  } catch {
    // A listener's own fault: the others and the client go on.
  }
}

function notByPath(): ClientError {
  return new ClientError("storage_in_use", "Another process has this profile open: it takes files by their paths alone (fileAt).", {
    canRetry: false,
  });
}

function gone(): ClientError {
  return new ClientError("closed", "The process that had the profile open has ended. Try again.", { canRetry: true });
}
