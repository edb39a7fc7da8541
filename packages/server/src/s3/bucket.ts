import { readAtMost } from "@latchkey/codec";
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { ServerError } from "../errors.ts";
import type { S3Address } from "./address.ts";

/** An object in the bucket. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
}

/** A page of a listing. */
export interface ListedPage {
  readonly objects: readonly StoredObject[];
  readonly folders: readonly string[];
}

/** Bytes of an object, the first and the last of them included, of so many in all. */
export interface ObjectRange {
  readonly first: number;
  readonly last: number;
  readonly size: number;
}

/** A part of an object: parts are joined in the order of their numbers, from 1 to 10,000, which need not follow one another. */
export interface PutPart {
  readonly number: number;
  /** What the bucket calls the bytes that it has. */
  readonly tag: string;
}

/** How much time a bucket gets, and how much of a file at once. */
export interface BucketPatience {
  /** Before the second try, in milliseconds; twice as long before each further one. */
  readonly waitMs?: number;
  /** What is sent, and held in memory, at once: larger files go in parts of this length. */
  readonly partBytes?: number;
  /** For how long nothing may come of an answer, in milliseconds; what is sent gets time by its length besides. */
  readonly silenceMs?: number;
  /** How often a request is made that fails for a moment. */
  readonly tries?: number;
}

/** An answer that is no object's content. */
const maxAnswerBytes = 8 * 1_048_576;
/** Objects of a listing that are taken; a server that names more is not believed. */
const maxListed = 4_000_000;
const usualTries = 4;
const firstWaitMs = 500;
/** For so long nothing may come of an answer, its beginning or what follows. */
const silenceMs = 120_000;
/** What comes of a long answer in the long run: with less it never ends. */
const leastBytesPerMs = 32;
/** What is sent gets so much time besides: a megabit a second. */
const leastSentBytesPerMs = 128;
/** What a bucket copies or joins within itself gets so much time besides. */
const leastMovedBytesPerMs = 4096;
/** What a bucket calls a part, and an object in parts: both are kept in the store. */
const partTag = /^[\x20-\x7e]{1,128}$/;
const uploadId = /^[\x20-\x7e]{1,1024}$/;
/** What a bucket calls it that parts are not those that it has. */
const lostParts: ReadonlySet<string> = new Set(["NoSuchUpload", "InvalidPart", "InvalidPartOrder", "EntityTooSmall"]);
/** For what is said when everything else was broken off. */
const lastWordMs = 2000;
/** Longer keys S3 does not have. */
const maxKeyLength = 1024;
/** Pages of a listing that bring next to nothing. */
const maxThinPages = 100;
/** Uploads that nobody joins any more and that are broken off at once: each is a request, and a bucket may name 100,000. */
const maxBrokenOff = 100;

/**
 * A bucket: what backups and blobs need of S3, over a client that signs requests. Every request has an end in time, however long what it brings is; what failed for a moment is tried
 * again. All throw ServerError `bucket_failed` that names the bucket, what S3 calls the cause, and what to do, and nothing secret.
 */
export class Bucket {
  readonly #address: S3Address;
  readonly #client: AwsClient;
  readonly #waitMs: number;
  readonly #partBytes: number;
  readonly #silenceMs: number;
  readonly #tries: number;
  readonly #stopped: AbortSignal | undefined;

  /** @param params.signal breaks off whatever is under way, also what waits for an answer */
  constructor(address: S3Address, params: BucketPatience & { readonly signal?: AbortSignal | undefined } = {}) {
    const { waitMs = firstWaitMs, partBytes = 16 * 1_048_576 } = params;
    this.#silenceMs = params.silenceMs ?? silenceMs;
    this.#tries = params.tries ?? usualTries;
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

  /** What of a file is sent, and held in memory, at once. */
  get partBytes(): number {
    return this.#partBytes;
  }

  /** What people are shown. */
  get name(): string {
    return this.#address.name;
  }

  /** Objects, and with a delimiter the folders, whose keys begin so; both without the prefix of the address. */
  async list(prefix: string, delimiter = ""): Promise<{ readonly objects: StoredObject[]; readonly folders: string[] }> {
    const objects: StoredObject[] = [];
    const folders: string[] = [];
    for await (const page of this.pages(prefix, delimiter)) {
      for (const object of page.objects) objects.push(object);
      for (const folder of page.folders) folders.push(folder);
    }
    return { objects, folders };
  }

  /** The same, a page after the other as they are asked for: one is in memory. */
  async *pages(prefix: string, delimiter = ""): AsyncGenerator<ListedPage> {
    const base = this.#address.prefix;
    const inner = (key: string | undefined): key is string => key?.startsWith(base) === true && key.length <= maxKeyLength;
    let token: string | undefined;
    let count = 0;
    for (let pages = 1; ; pages++) {
      const query = new URLSearchParams({ "list-type": "2", prefix: base + prefix });
      if (delimiter !== "") query.set("delimiter", delimiter);
      if (token !== undefined) query.set("continuation-token", token);
      const text = await this.#text("GET", `?${query.toString()}`);
      const isTruncated = tagOf(text, "IsTruncated");
      const next = isTruncated === "true" ? tagOf(text, "NextContinuationToken") : undefined;
      // A part is not to be taken for the whole: what it leaves out would be taken for what is not there.
      if (isTruncated !== "false" && next === undefined) throw this.#failure("it does not list what it holds");
      const objects = [...elementsOf(text, "Contents")].flatMap((item): StoredObject[] => {
        const [key, size] = [tagOf(item, "Key"), Number(tagOf(item, "Size"))];
        return inner(key) && Number.isSafeInteger(size) ? [{ key: key.slice(base.length), size }] : [];
      });
      const folders = [...elementsOf(text, "CommonPrefixes")].map((item) => tagOf(item, "Prefix")).filter(inner);
      count += objects.length + folders.length;
      const isEndless = next !== undefined && (next === token || count > maxListed || pages > maxThinPages + count / 10);
      if (isEndless) throw this.#failure("its listing does not end");
      yield { objects, folders: folders.map((folder) => folder.slice(base.length)) };
      if (next === undefined) return;
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
    for await (const piece of this.#content(response, maxBytes)) await take(piece);
    return true;
  }

  /** The length of an object; `undefined` where there is none. */
  async size(key: string): Promise<number | undefined> {
    const response = await this.#request("HEAD", this.#pathOf(key), { missing: "allowed" });
    if (response === undefined) return undefined;
    await this.#discard(response);
    const length = response.headers.get("content-length") ?? "";
    if (!/^\d{1,15}$/.test(length)) throw this.#failure("it does not say how long an object is");
    return Number(length);
  }

  /**
   * Bytes of an object as they come, no sooner than they are asked for; `undefined` where there is no object of that length. Asked for no
   * more, the connection ends. The iteration throws where other bytes come, or fewer or more, or none in time: the time in which nobody asks does not count.
   */
  async readRange(key: string, { first, last, size }: ObjectRange): Promise<AsyncGenerator<Uint8Array> | undefined> {
    const response = await this.#request("GET", this.#pathOf(key), { missing: "allowed", range: `bytes=${String(first)}-${String(last)}` });
    if (response === undefined) return undefined;
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/
      .exec(response.headers.get("content-range") ?? "")
      ?.slice(1)
      .map(Number);
    if (response.status === 206 && range?.[0] === first && range[1] === last && range[2] === size) {
      return this.#exactly(response, last - first + 1);
    }
    await this.#discard(response);
    if (response.status === 206 && range !== undefined && range[2] !== size) return undefined;
    throw this.#failure("it does not read the bytes that it is asked for");
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

  /** Begins an object in parts. Answers what the bucket calls that. */
  async beginParts(key: string): Promise<string> {
    const upload = tagOf(await this.#text("POST", `${this.#pathOf(key)}?uploads`), "UploadId");
    if (upload === undefined || !uploadId.test(upload)) throw this.#failure("it takes no file in parts");
    return upload;
  }

  /** Puts a part. Answers its tag, by which it is joined; `undefined` where that object is not begun, or not any more. */
  async putPart(
    key: string,
    part: { readonly upload: string; readonly number: number; readonly bytes: Uint8Array },
  ): Promise<string | undefined> {
    const path = `${this.#pathOf(key)}?partNumber=${String(part.number)}&uploadId=${encodeURIComponent(part.upload)}`;
    const response = await this.#request("PUT", path, { body: part.bytes, missing: "allowed" });
    if (response === undefined) return undefined;
    const tag = (response.headers.get("etag") ?? "").replaceAll(/[<>&]/g, "");
    await this.#discard(response);
    if (!partTag.test(tag)) throw this.#failure("it does not name the parts that it has");
    return tag;
  }

  /** Makes the object of its parts, in the order of their numbers. False where it is not begun, or not any more, or the parts are not there. */
  async joinParts(
    key: string,
    { upload, parts, sizeBytes }: { readonly upload: string; readonly parts: readonly PutPart[]; readonly sizeBytes: number },
  ): Promise<boolean> {
    const list = parts.map(({ number, tag }) => `<Part><PartNumber>${String(number)}</PartNumber><ETag>${tag}</ETag></Part>`).join("");
    const body = new TextEncoder().encode(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`);
    const sent = { body, missing: "parts", moreMs: sizeBytes / leastMovedBytesPerMs } as const;
    const response = await this.#request("POST", `${this.#pathOf(key)}?uploadId=${encodeURIComponent(upload)}`, sent);
    if (response === undefined) return false;
    // It answers 200 also where it fails meanwhile, and says so in the answer.
    await this.#require(response, "CompleteMultipartUploadResult");
    return true;
  }

  /** Takes away what was begun in parts; where there is nothing of it that is no error. */
  async breakOffParts(key: string, upload: string): Promise<void> {
    const path = `${this.#pathOf(key)}?uploadId=${encodeURIComponent(upload)}`;
    await this.#discard(await this.#request("DELETE", path, { missing: "allowed" }));
  }

  /** Copies an object within the bucket. False where there is none. */
  async copy(from: string, to: string, sizeBytes: number): Promise<boolean> {
    const sent = { copyOf: this.#pathOf(from), missing: "allowed", moreMs: sizeBytes / leastMovedBytesPerMs } as const;
    const response = await this.#request("PUT", this.#pathOf(to), sent);
    if (response === undefined) return false;
    await this.#require(response, "CopyObjectResult");
    return true;
  }

  /**
   * Breaks off the uploads in parts that nobody joins any more, of keys that begin so: 100 at most, the next call goes on. Answers how many.
   * @param isUnderWay whether somebody goes on with that one
   */
  async breakOffUploads(
    prefix: string,
    isUnderWay: (key: string, upload: string) => boolean | Promise<boolean> = () => false,
  ): Promise<number> {
    const base = this.#address.prefix;
    const text = await this.#text("GET", `?${new URLSearchParams({ uploads: "", prefix: base + prefix }).toString()}`);
    let count = 0;
    for (const item of elementsOf(text, "Upload")) {
      if (count >= maxBrokenOff) break;
      const [key, upload] = [tagOf(item, "Key"), tagOf(item, "UploadId")];
      if (key?.startsWith(base) !== true || upload === undefined || (await isUnderWay(key.slice(base.length), upload))) continue;
      await this.breakOffParts(key.slice(base.length), upload);
      count += 1;
    }
    return count;
  }

  async #putParts(key: string, file: FileHandle, size: number, signal: AbortSignal | undefined): Promise<void> {
    const upload = await this.beginParts(key);
    try {
      const parts: PutPart[] = [];
      for (let at = 0; at < size; at += this.#partBytes) {
        signal?.throwIfAborted();
        const bytes = await readPart(file, at, Math.min(this.#partBytes, size - at));
        const number = parts.length + 1;
        const tag = await this.putPart(key, { upload, number, bytes });
        if (tag === undefined) throw this.#failure("NoSuchUpload");
        parts.push({ number, tag });
      }
      if (!(await this.joinParts(key, { upload, parts, sizeBytes: size }))) throw this.#failure("it did not join the parts");
    } catch (error) {
      await this.#breakOff(key, upload);
      throw error;
    }
  }

  /** Parts of a file that nobody joins any more take room; who stops does not wait long for it. */
  async #breakOff(key: string, upload: string): Promise<void> {
    if (this.#stopped?.aborted !== true) {
      await this.breakOffParts(key, upload).catch(() => undefined);
      return;
    }
    const path = `${this.#pathOf(key)}?uploadId=${encodeURIComponent(upload)}`;
    const response = await this.#once("DELETE", path, {}, { patienceMs: lastWordMs });
    if (!(response instanceof Error)) await this.#discard(response);
  }

  /** Reads an answer that has to have this element. */
  async #require(response: Response, name: string): Promise<void> {
    const answer = new TextDecoder().decode(await this.#bytesOf(response, maxAnswerBytes));
    if (!answer.includes(name)) throw this.#failure(tagOf(answer, "Code") ?? "it did not do what it was asked for");
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
  async #request(method: string, path: string, { missing, moreMs = 0, ...sent }: Sent & Patience = {}): Promise<Response | undefined> {
    for (let attempt = 1; ; attempt++) {
      this.#stopped?.throwIfAborted();
      const response = await this.#once(method, path, sent, { patienceMs: this.#silenceMs + moreMs, signal: this.#stopped });
      if (!(response instanceof Error) && response.ok) return response;
      if (!(response instanceof Error) && missing !== undefined && (await this.#isMissing(response, sent, missing))) return undefined;
      const isPassing = response instanceof Error || response.status >= 500 || response.status === 429;
      if (!isPassing || attempt >= this.#tries) throw await this.#failureOf(response);
      if (!(response instanceof Error)) await this.#discard(response);
      await delay(this.#waitMs * 2 ** (attempt - 1), undefined, this.#stopped === undefined ? {} : { signal: this.#stopped });
    }
  }

  /** Whether there is no such object, or none so long that it has the range, or not these parts. A bucket that is not there says nothing of its objects. */
  async #isMissing(response: Response, { range }: Sent, missing: "allowed" | "parts"): Promise<boolean> {
    const { status } = response;
    if (status !== 404 && (status !== 416 || range === undefined) && (status !== 400 || missing !== "parts")) return false;
    const code = tagOf(new TextDecoder().decode(await this.#bytesOf(response, maxAnswerBytes)), "Code");
    if (code === "NoSuchBucket" || (status === 400 && !lostParts.has(code ?? ""))) throw this.#failure(safeCode(code) ?? "it answered 400");
    return true;
  }

  async #once(method: string, path: string, { body, range, copyOf }: Sent, { patienceMs, signal }: Ends): Promise<Response | Error> {
    const headers = {
      ...(range === undefined ? {} : { range }),
      ...(copyOf === undefined ? {} : { "x-amz-copy-source": `/${this.#address.bucket}/${copyOf}` }),
      "x-amz-content-sha256": createHash("sha256")
        .update(body ?? "")
        .digest("hex"),
    };
    const tooLate = new AbortController();
    const limitMs = patienceMs + (body?.length ?? 0) / leastSentBytesPerMs;
    const timer = setTimeout(() => tooLate.abort(new DOMException("no answer", "TimeoutError")), limitMs);
    try {
      const url = this.#address.baseUrl + path;
      const signed = await this.#client.sign(url, { method, headers, ...(body === undefined ? {} : { body: new Uint8Array(body) }) });
      // Not the signed request itself: Node 20 forgets the signal of one that nobody holds, and waits for ever.
      return await fetch(signed.url, {
        method,
        headers: signed.headers,
        // Another origin that an answer leads to has no business with what is here.
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
    // More than that it throws itself.
    return (await readAtMost(this.#content(response, maxBytes), maxBytes)) ?? new Uint8Array(0);
  }

  /** The content of an answer that has to have so many bytes. */
  async *#exactly(response: Response, sizeBytes: number): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const piece of this.#content(response, sizeBytes)) {
      size += piece.length;
      yield piece;
    }
    if (size !== sizeBytes) throw this.#failure("an object ends too early");
  }

  /** What is not asked for waits on the way, and takes no time of the answer's. Each piece has its time, and not the whole: that may be large, and the line slow. */
  async *#content(response: Response, maxBytes: number): AsyncGenerator<Uint8Array> {
    const reader = response.body?.getReader();
    if (reader === undefined) return;
    let [size, waitedMs, isWaiting, isLate] = [0, 0, false, false];
    const timer = setTimeout(() => {
      if (!isWaiting) return;
      isLate = true;
      reader.cancel().catch(() => undefined);
    }, this.#silenceMs);
    try {
      for (;;) {
        const sinceMs = performance.now();
        isWaiting = true;
        timer.refresh();
        const { done, value } = await reader.read().catch((error: unknown) => {
          throw this.#failure("the connection broke off", error);
        });
        isWaiting = false;
        if (isLate) throw this.#failure("no answer in time");
        if (done) return;
        waitedMs += performance.now() - sinceMs;
        size += value.length;
        if (size > maxBytes) throw this.#failure("an object is longer than it can be");
        if (waitedMs > this.#silenceMs + size / leastBytesPerMs) throw this.#failure("it answers too slowly");
        yield value;
      }
    } finally {
      clearTimeout(timer);
      // What is still on its way is left where it is.
      reader.cancel().catch(() => undefined);
    }
  }

  async #discard(response: Response | undefined): Promise<void> {
    await response?.body?.cancel().catch(() => undefined);
  }

  async #failureOf(response: Response | Error): Promise<ServerError> {
    if (response instanceof Error) return this.#failure(networkCause(response), response);
    const answer = await this.#bytesOf(response, maxAnswerBytes).catch(() => new Uint8Array(0));
    return this.#failure(safeCode(tagOf(new TextDecoder().decode(answer), "Code")) ?? `it answered ${String(response.status)}`);
  }

  #failure(cause: string, error?: unknown): ServerError {
    return new ServerError(
      "bucket_failed",
      `The bucket ${this.#address.name} cannot be used (${cause}): check its name, its region or endpoint, the credentials and what they may do.`,
      error === undefined ? {} : { cause: error },
    );
  }
}

/** What goes with a request. */
interface Sent {
  readonly body?: Uint8Array | undefined;
  /** Of the object's bytes only these (RFC 9110 section 14). */
  readonly range?: string;
  /** The path of the object that is copied. */
  readonly copyOf?: string;
}

/** What is to be thought of an answer, and when. */
interface Patience {
  /** Whether the object, or the parts that it is to be made of, need not be there. */
  readonly missing?: "allowed" | "parts";
  /** How much longer the bucket has for what it does with many bytes, in milliseconds. */
  readonly moreMs?: number;
}

/** What ends a request before it is answered. */
interface Ends {
  /** For how long nothing may come, in milliseconds; what is sent gets time besides. */
  readonly patienceMs: number;
  /** A controller's: those with a time of their own are forgotten by Node 20 where another signal follows them. */
  readonly signal?: AbortSignal | undefined;
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

/** What stands in such elements, one after the other, in as many steps as the text is long: whoever runs the bucket writes it. */
function* elementsOf(text: string, name: string): Generator<string> {
  const [opening, closing] = [`<${name}>`, `</${name}>`];
  for (let at = 0; ;) {
    const from = text.indexOf(opening, at);
    const to = from < 0 ? -1 : text.indexOf(closing, from);
    if (to < 0) return;
    yield text.slice(from + opening.length, to);
    at = to + closing.length;
  }
}

/** What a bucket calls a cause, as far as it may stand in a line. */
function safeCode(code: string | undefined): string | undefined {
  const safe = code?.replaceAll(/[^\w.-]/g, "").slice(0, 40);
  return safe === "" ? undefined : safe;
}

/** The text of the first such element: all that is read of an answer are flat lists of them. */
function tagOf(text: string, name: string): string | undefined {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  return found?.replaceAll(/&(?:lt|gt|quot|apos|amp);|&#(\d+);/g, (whole, number?: string) =>
    number === undefined ? (entities[whole] ?? whole) : String.fromCodePoint(Math.min(Number(number), 0x10_ffff)),
  );
}
