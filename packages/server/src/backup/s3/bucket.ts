import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { ServerError } from "../../errors.ts";
import type { S3Address } from "./address.ts";

/** An object in the bucket. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
}

/** An answer that is no object's content. */
const maxAnswerBytes = 8 * 1_048_576;
/** Objects of a listing that are taken; a server that names more is not believed. */
const maxListed = 4_000_000;
const tries = 4;
const firstWaitMs = 500;
/** For so long nothing may come of an answer, its beginning or what follows. */
const silenceMs = 120_000;
/** What comes of a long answer in the long run: with less it never ends. */
const leastBytesPerMs = 32;
/** For what is said when everything else was broken off. */
const lastWordMs = 2000;
/** Pages of a listing that bring next to nothing. */
const maxThinPages = 100;

/**
 * A bucket: what backups need of S3, over a client that signs requests. Every request has an end in time, however long what it brings is; what failed for a moment is tried
 * again. All throw ServerError `backup_failed` that names the bucket, what S3 calls the cause, and what to do, and nothing secret.
 */
export class Bucket {
  readonly #address: S3Address;
  readonly #client: AwsClient;
  readonly #waitMs: number;
  readonly #partBytes: number;
  readonly #silenceMs: number;
  readonly #stopped: AbortSignal | undefined;

  /**
   * @param params.waitMs before the second try; twice as long before each further one
   * @param params.partBytes what is sent, and held in memory, at once: larger files go in parts of this length
   * @param params.silenceMs how long nothing may come of an answer
   * @param params.signal breaks off whatever is under way, also what waits for an answer
   */
  constructor(
    address: S3Address,
    params: {
      readonly waitMs?: number;
      readonly partBytes?: number;
      readonly silenceMs?: number;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ) {
    const { waitMs = firstWaitMs, partBytes = 16 * 1_048_576 } = params;
    this.#silenceMs = params.silenceMs ?? silenceMs;
    this.#stopped = params.signal;
    this.#partBytes = partBytes;
    const { accessKeyId, secretAccessKey, sessionToken, region } = address;
    this.#address = address;
    this.#waitMs = waitMs;
    this.#client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: "s3",
      region,
      retries: 0,
    });
  }

  /** Objects, and with a delimiter the folders, whose keys begin so; both without the prefix of the address. */
  async list(prefix: string, delimiter = ""): Promise<{ readonly objects: StoredObject[]; readonly folders: string[] }> {
    const base = this.#address.prefix;
    const objects: StoredObject[] = [];
    const folders: string[] = [];
    let token: string | undefined;
    for (let pages = 1; ; pages++) {
      const query = new URLSearchParams({ "list-type": "2", prefix: base + prefix });
      if (delimiter !== "") query.set("delimiter", delimiter);
      if (token !== undefined) query.set("continuation-token", token);
      const text = await this.#text("GET", `?${query.toString()}`);
      for (const [, item = ""] of text.matchAll(/<Contents>(.*?)<\/Contents>/gs)) {
        const [key, size] = [tagOf(item, "Key"), Number(tagOf(item, "Size"))];
        if (key?.startsWith(base) === true && Number.isSafeInteger(size)) objects.push({ key: key.slice(base.length), size });
      }
      for (const [, item = ""] of text.matchAll(/<CommonPrefixes>(.*?)<\/CommonPrefixes>/gs)) {
        const folder = tagOf(item, "Prefix");
        if (folder?.startsWith(base) === true) folders.push(folder.slice(base.length));
      }
      const next = tagOf(text, "IsTruncated") === "true" ? tagOf(text, "NextContinuationToken") : undefined;
      if (next === undefined) return { objects, folders };
      const count = objects.length + folders.length;
      if (next === token || count > maxListed || pages > maxThinPages + count / 10) throw this.#failure("its listing does not end");
      token = next;
    }
  }

  /** The content of an object of at most so many bytes; `undefined` where there is none. */
  async get(key: string, maxBytes: number): Promise<Uint8Array | undefined> {
    const response = await this.#request("GET", this.#pathOf(key), { missing: "allowed" });
    return response === undefined ? undefined : await this.#bytesOf(response, maxBytes);
  }

  /** Has each piece of an object's content taken in turn; answers whether there is such an object. It ends after `maxBytes`. */
  async read(key: string, maxBytes: number, take: (piece: Uint8Array) => Promise<void> | void): Promise<boolean> {
    const response = await this.#request("GET", this.#pathOf(key), { missing: "allowed" });
    if (response === undefined) return false;
    await this.#pieces(response, maxBytes, take);
    return true;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#discard(await this.#request("PUT", this.#pathOf(key), { body: bytes }));
  }

  /** Puts a file, of any length, without holding more than a part of it. */
  async putFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      if (size <= this.#partBytes) await this.put(key, await readPart(file, 0, size));
      else await this.#putParts(key, file, size, signal);
    } finally {
      await file.close();
    }
  }

  /** Takes an object away; one that is not there is none. */
  async remove(key: string): Promise<void> {
    const response = await this.#request("DELETE", this.#pathOf(key), { missing: "allowed" });
    if (response !== undefined) await this.#discard(response);
  }

  async #putParts(key: string, file: FileHandle, size: number, signal: AbortSignal | undefined): Promise<void> {
    const path = this.#pathOf(key);
    const upload = tagOf(await this.#text("POST", `${path}?uploads`), "UploadId");
    if (upload === undefined) throw this.#failure("it takes no file in parts");
    const id = encodeURIComponent(upload);
    try {
      const parts: string[] = [];
      for (let at = 0; at < size; at += this.#partBytes) {
        signal?.throwIfAborted();
        const body = await readPart(file, at, Math.min(this.#partBytes, size - at));
        const number = String(parts.length + 1);
        const response = await this.#request("PUT", `${path}?partNumber=${number}&uploadId=${id}`, { body });
        const tag = response?.headers.get("etag") ?? "";
        await this.#discard(response);
        parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${tag.replaceAll(/[<>&]/g, "")}</ETag></Part>`);
      }
      const list = new TextEncoder().encode(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`);
      // It answers 200 also where it fails meanwhile, and says so in the answer.
      const answer = await this.#text("POST", `${path}?uploadId=${id}`, list);
      if (!answer.includes("CompleteMultipartUploadResult")) throw this.#failure(tagOf(answer, "Code") ?? "it did not join the parts");
    } catch (error) {
      await this.#breakOff(`${path}?uploadId=${id}`);
      throw error;
    }
  }

  /** Parts of a file that nobody joins any more take room; who stops does not wait long for it. */
  async #breakOff(path: string): Promise<void> {
    if (this.#stopped?.aborted !== true) {
      await this.#request("DELETE", path, { missing: "allowed" }).then(
        (response) => this.#discard(response),
        () => undefined,
      );
      return;
    }
    const response = await this.#once("DELETE", path, undefined, AbortSignal.timeout(lastWordMs));
    if (!(response instanceof Error)) await this.#discard(response);
  }

  #pathOf(key: string): string {
    return (this.#address.prefix + key)
      .split("/")
      .map((part) => encodeURIComponent(part))
      .join("/");
  }

  async #text(method: string, path: string, body?: Uint8Array): Promise<string> {
    const response = await this.#request(method, path, { body });
    return response === undefined ? "" : new TextDecoder().decode(await this.#bytesOf(response, maxAnswerBytes));
  }

  /** An answer that is well; `undefined` where the object is missing and may be. */
  async #request(
    method: string,
    path: string,
    { body, missing }: { readonly body?: Uint8Array | undefined; readonly missing?: "allowed" } = {},
  ): Promise<Response | undefined> {
    for (let attempt = 1; ; attempt++) {
      this.#stopped?.throwIfAborted();
      const response = await this.#once(method, path, body, this.#stopped);
      if (!(response instanceof Error) && response.ok) return response;
      if (!(response instanceof Error) && response.status === 404 && missing === "allowed") {
        await this.#discard(response);
        return undefined;
      }
      const isPassing = response instanceof Error || response.status >= 500 || response.status === 429;
      if (!isPassing || attempt >= tries) throw await this.#failureOf(response);
      if (!(response instanceof Error)) await this.#discard(response);
      await delay(this.#waitMs * 2 ** (attempt - 1), undefined, this.#stopped === undefined ? {} : { signal: this.#stopped });
    }
  }

  async #once(method: string, path: string, body: Uint8Array | undefined, signal: AbortSignal | undefined): Promise<Response | Error> {
    const headers = {
      "x-amz-content-sha256": createHash("sha256")
        .update(body ?? "")
        .digest("hex"),
    };
    const tooLate = new AbortController();
    const timer = setTimeout(() => tooLate.abort(new DOMException("no answer", "TimeoutError")), this.#silenceMs);
    try {
      // Another origin that an answer leads to has no business with backups.
      return await this.#client.fetch(this.#address.baseUrl + path, {
        method,
        headers,
        redirect: "error",
        signal: signal === undefined ? tooLate.signal : AbortSignal.any([tooLate.signal, signal]),
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      });
    } catch (error) {
      return error instanceof Error ? error : new Error("unknown");
    } finally {
      clearTimeout(timer);
    }
  }

  async #bytesOf(response: Response, maxBytes: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    await this.#pieces(response, maxBytes, (piece) => void pieces.push(piece));
    return new Uint8Array(Buffer.concat(pieces));
  }

  async #pieces(response: Response, maxBytes: number, take: (piece: Uint8Array) => Promise<void> | void): Promise<void> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    const sinceMs = performance.now();
    let size = 0;
    try {
      for (;;) {
        const { done, value } = await this.#inTime(reader.read());
        if (done) return;
        size += value.length;
        if (size > maxBytes) throw this.#failure("an object is longer than it can be");
        if (performance.now() - sinceMs > this.#silenceMs + size / leastBytesPerMs) throw this.#failure("it answers too slowly");
        await take(value);
      }
    } catch (error) {
      // What is still on its way is left where it is.
      reader.cancel().catch(() => undefined);
      throw error instanceof ServerError ? error : this.#failure("the connection broke off", error);
    }
  }

  /** Of a long answer each piece has its time, and not the whole: that may be large, and the line slow. */
  async #inTime<T>(work: Promise<T>): Promise<T> {
    const isDone = new AbortController();
    const tooLate = delay(this.#silenceMs, undefined, { signal: isDone.signal }).then(() => {
      throw this.#failure("no answer in time");
    });
    try {
      return await Promise.race([work, tooLate]);
    } finally {
      isDone.abort();
    }
  }

  async #discard(response: Response | undefined): Promise<void> {
    await response?.body?.cancel().catch(() => undefined);
  }

  async #failureOf(response: Response | Error): Promise<ServerError> {
    if (response instanceof Error) return this.#failure(networkCause(response), response);
    const answer = await this.#bytesOf(response, maxAnswerBytes).catch(() => new Uint8Array(0));
    const code = tagOf(new TextDecoder().decode(answer), "Code")
      ?.replaceAll(/[^\w.-]/g, "")
      .slice(0, 40);
    const cause = code === undefined || code === "" ? `it answered ${String(response.status)}` : code;
    return this.#failure(cause);
  }

  #failure(cause: string, error?: unknown): ServerError {
    return new ServerError(
      "backup_failed",
      `The bucket ${this.#address.name} cannot be used (${cause}): check its name, its region or endpoint, the credentials and what they may do.`,
      error === undefined ? {} : { cause: error },
    );
  }
}

/** What the system calls it, such as ECONNREFUSED: it may stand two errors deep. */
function networkCause(error: Error): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ("code" in at && typeof at.code === "string") return at.code;
    if (at.name === "TimeoutError") return "no answer in time";
  }
  return "no connection";
}

async function readPart(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error("a file became shorter while it was read");
    done += bytesRead;
  }
  return bytes;
}

const entities: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&" };

/** The text of the first such element: all that is read of an answer are flat lists of them. */
function tagOf(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found?.replaceAll(/&(?:lt|gt|quot|apos|amp);|&#(\d+);/g, (whole, number?: string) =>
    number === undefined ? (entities[whole] ?? whole) : String.fromCodePoint(Math.min(Number(number), 0x10_ffff)),
  );
}
