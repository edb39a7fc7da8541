import type { Socket } from "node:net";
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { ClientEvent, ClientFailure } from "../api.ts";
import { archivePath, PathContent } from "../files/node-files.ts";

/*
 * What two processes of one person say to each other over the socket in a profile's folder: one JSON object a line. Both run as the
 * person who may read the profile, so that nothing is proven here; lines are bounded all the same.
 */

/** The socket's name in the profile's folder. */
export const socketFile = "profile.sock";
/** What systems take for a socket's path: 104 bytes on macOS with the end of the text, 108 on Linux. */
export const maxPathBytes = 103;

/** To the process that has the profile open. */
export type Request =
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly kind: "wake" };

/** From it. */
export type Reply =
  /** First of all: which version of the program it is. */
  | { readonly kind: "hello"; readonly version: string }
  | { readonly kind: "result"; readonly id: number; readonly value?: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: ClientFailure }
  | { readonly kind: "event"; readonly event: ClientEvent }
  /** It is about to let go of the profile: whoever has finished should leave, and may open it then. */
  | { readonly kind: "closing" };

/** Of a call: a text of 64 KiB, or any list of people. */
export const maxRequestBytes: number = 1 << 20;
/** Of an answer: a page of any length. */
export const maxReplyBytes: number = 1 << 26;

/** A message as a line. Byte arrays are kept as such, and of a file on this machine the path goes. */
export function toLine(message: Request | Reply): string {
  const text = JSON.stringify(message, (_key, value: unknown) => {
    if (value instanceof PathContent) return { $path: value.path };
    if (value instanceof Blob) return { $path: archivePath(value) };
    return value instanceof Uint8Array ? { $bytes: toBase64Url(value) } : value;
  });
  return `${text}\n`;
}

/** A line as it was meant; nothing of its shape is checked but that it is an object. @throws SyntaxError, CodecError */
export function fromLine(line: string): object {
  const value: unknown = JSON.parse(line, (_key, inner: unknown) => {
    if (typeof inner !== "object" || inner === null) return inner;
    const [bytes, path]: unknown[] = [Reflect.get(inner, "$bytes"), Reflect.get(inner, "$path")];
    if (typeof path === "string") return new PathContent(path);
    return typeof bytes === "string" ? fromBase64Url(bytes) : inner;
  });
  if (typeof value !== "object" || value === null) throw new SyntaxError("a line that is no object");
  return value;
}

/** Calls `take` for every line that comes; a line that is too long, or that `take` throws at, ends the connection. */
export function readLines(socket: Socket, maxBytes: number, take: (line: string) => void): void {
  let waiting: Buffer[] = [];
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    try {
      let from = 0;
      for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
        waiting.push(chunk.subarray(from, end));
        const line = Buffer.concat(waiting).toString("utf8");
        [waiting, size, from] = [[], 0, end + 1];
        take(line);
      }
      const rest = chunk.subarray(from);
      size += rest.length;
      if (rest.length > 0) waiting.push(rest);
      if (size > maxBytes) throw new RangeError("a line that is too long");
    } catch {
      socket.destroy();
    }
  });
}
