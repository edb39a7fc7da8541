import { toBase64Url } from "@latchkey/codec";
import { httpPaths } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import type { BlobHost } from "../group/blobs.ts";
import { ownCode } from "../transport/between.ts";
import { apart, orOffline, refused } from "../transport/blob-answers.ts";
import { fetchWithin } from "../transport/fetch-within.ts";

/*
 * What of tus 1.0.0 an upload needs: it is begun (POST), its end is asked for (HEAD), and the rest is sent in parts (PATCH). The names of an
 * upload are the server's secrets, kept here until it is over.
 */
const tusHeaders = { "tus-resumable": "1.0.0" };
const partType = "application/offset+octet-stream";
const largestPartBytes = 4_194_304;
const leastPartBytes = 65_536;
const firstPartBytes = 524_288;
/** Parts that take less are followed by larger ones: each is short beside what a lost connection costs. */
const swiftMs = 4000;
/** A part may take this long, and longer by its size: how much of it has gone cannot be seen. */
const partMs = 60_000;
const partBytesPerMs = 4;
/** Somebody waits for it, and without it the server refuses later. */
const optionsMs = 5000;
const namePattern = /\/v1\/uploads\/([\w-]{16,256})$/;

/** An upload of one file. */
export interface UploadParams {
  readonly host: BlobHost;
  readonly nowMs: () => number;
  readonly blobId: Uint8Array;
  readonly totalBytes: number;
  /** So much of the ciphertext, from the store. @throws ClientError where it is not there */
  bytes(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
  /** What the server calls the upload, if it was begun before. */
  readonly name: string | undefined;
  /** Writes down what the server calls it now; `undefined`: it does not know the one before any more. */
  named(name: string | undefined): Promise<void>;
  sent(bytes: number): void;
  readonly signal: AbortSignal;
}

/** How large the parts are that go through to a host now: learned by one upload, good for the next. */
export class PartSize {
  bytes: number = firstPartBytes;

  /** One went through. */
  went(bytes: number, tookMs: number): void {
    if (bytes >= this.bytes && tookMs < swiftMs) this.bytes = Math.min(largestPartBytes, this.bytes * 2);
  }

  /** One did not. */
  failed(): void {
    this.bytes = Math.max(leastPartBytes, this.bytes / 2);
  }
}

/**
 * Brings a file to its host: goes on where an earlier call stopped. One try: whoever calls tries again, as long as it takes.
 * @throws ClientError `message_too_large` where the server takes none of this size, which is final; every other may pass
 */
export async function uploadFile(params: UploadParams, size: PartSize): Promise<void> {
  const { totalBytes, sent } = params;
  let name = params.name;
  let offset = name === undefined ? undefined : await offsetOf(params, name);
  if (offset === undefined) {
    // The one before is forgotten with the new one: what says that it is gone may be something in between.
    name = await begin(params);
    await params.named(name);
    offset = 0;
  }
  sent(offset);
  while (offset < totalBytes) {
    const next = await sendPart(params, size, { name: name ?? "", offset });
    // Elsewhere than it was: asked again from there, once for each part that came meanwhile.
    if (next <= offset) throw new ClientError("server_refused", "The server takes no more of a file now.", { canRetry: true });
    offset = next;
    sent(offset);
  }
}

/** The most ciphertext of one file that the server says that it takes; `undefined` where that is not known now. */
export async function mostFileBytes({ platform, baseUrl }: BlobHost): Promise<number | undefined> {
  const init: RequestInit = { ...apart, method: "OPTIONS", headers: tusHeaders };
  try {
    return await fetchWithin(
      platform,
      `${baseUrl}${httpPaths.uploads}`,
      init,
      async (response) => {
        await response.body?.cancel();
        const text = response.ok ? (response.headers.get("tus-max-size") ?? "") : "";
        return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
      },
      optionsMs,
    );
  } catch {
    return undefined;
  }
}

/** Has the server forget an upload that is not to be finished; it forgets it by itself in a day or two. */
export async function abandonUpload(host: BlobHost, name: string): Promise<void> {
  await orOffline(() =>
    fetchWithin(host.platform, urlOf(host, name), { ...apart, method: "DELETE", headers: tusHeaders }, async (response) => {
      await response.body?.cancel();
    }),
  );
}

async function begin({ host, blobId, totalBytes, signal }: UploadParams): Promise<string> {
  const encoded = toBase64Url(blobId).replaceAll("-", "+").replaceAll("_", "/");
  const headers = { ...tusHeaders, "upload-length": String(totalBytes), "upload-metadata": `blob ${encoded}=` };
  const url = `${host.baseUrl}${httpPaths.uploads}`;
  return await orOffline(() =>
    fetchWithin(host.platform, url, { ...apart, method: "POST", headers, signal }, async (response) => {
      if (response.status !== 201) throw refused(response.status, await ownCode(response), "put");
      await response.body?.cancel();
      // Its name alone: nothing leads to another host.
      const name = namePattern.exec(response.headers.get("location") ?? "")?.[1];
      if (name === undefined) throw new ClientError("server_refused", "The server's answer makes no sense.", { canRetry: true });
      return name;
    }),
  );
}

/** How much the server has; `undefined` where it does not know the upload. */
async function offsetOf(params: UploadParams, name: string): Promise<number | undefined> {
  const { host, signal } = params;
  const offset = await orOffline(() =>
    fetchWithin(host.platform, urlOf(host, name), { ...apart, method: "HEAD", headers: tusHeaders, signal }, async (response) => {
      if (response.status === 404 || response.status === 410) return "missing";
      if (!response.ok) throw refused(response.status, undefined, "put");
      return offsetIn(params, response);
    }),
  );
  if (offset !== "missing") return offset;
  // Such an answer has no words, and may be of something in between: nothing is sent to hear the server's own.
  const answer = await orOffline(() => patch(params, { name, offset: 0, body: new Uint8Array(0) }));
  if (answer === "unknown") return undefined;
  throw new ClientError("server_refused", "The server's answers make no sense.", { canRetry: true });
}

async function sendPart(
  params: UploadParams,
  size: PartSize,
  { name, offset }: { readonly name: string; readonly offset: number },
): Promise<number> {
  const { totalBytes, nowMs } = params;
  const body = await params.bytes(offset, Math.min(totalBytes, offset + size.bytes));
  const beganMs = nowMs();
  let answer: Awaited<ReturnType<typeof patch>>;
  try {
    answer = await orOffline(() => patch(params, { name, offset, body }));
  } catch (error) {
    size.failed();
    throw error;
  }
  if (answer === "unknown") {
    await params.named(undefined);
    throw new ClientError("server_refused", "The server forgot the beginning of a file. It is sent again.", { canRetry: true });
  }
  if (answer === "elsewhere") return (await offsetOf(params, name)) ?? 0;
  size.went(body.length, nowMs() - beganMs);
  return answer;
}

/** Sends bytes: where the upload goes on then, "elsewhere" where it is not at `offset`, "unknown" where the server says that it has no such upload. */
async function patch(
  params: UploadParams,
  { name, offset, body }: { readonly name: string; readonly offset: number; readonly body: Uint8Array<ArrayBuffer> },
): Promise<number | "elsewhere" | "unknown"> {
  const { host, signal } = params;
  const headers = { ...tusHeaders, "content-type": partType, "upload-offset": String(offset) };
  const limitMs = partMs + body.length / partBytesPerMs;
  const init: RequestInit = { ...apart, method: "PATCH", headers, body, signal };
  return await fetchWithin(
    host.platform,
    urlOf(host, name),
    init,
    async (response) => {
      const { status } = response;
      if (status === 204) return offsetIn(params, response);
      const code = await ownCode(response);
      if (code === "conflict" || code === "not_found") return "unknown";
      if (status === 409 || status === 423) return "elsewhere";
      throw refused(status, code, "put");
    },
    limitMs,
  );
}

function offsetIn({ totalBytes }: UploadParams, response: Response): number {
  const text = response.headers.get("upload-offset") ?? "";
  const offset = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (offset >= 0 && offset <= totalBytes) return offset;
  throw new ClientError("server_refused", "The server's answer makes no sense.", { canRetry: true });
}

function urlOf({ baseUrl }: BlobHost, name: string): string {
  return `${baseUrl}${httpPaths.uploads}/${name}`;
}
