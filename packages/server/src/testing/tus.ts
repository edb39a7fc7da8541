import { equalBytes, toBase64Url } from "@latchkey/codec";
import { blobPath, httpPaths } from "@latchkey/protocol";

/** A server's address, and perhaps the visitor that a proxy in front of it names. */
export interface TusPeer {
  readonly url: string;
  readonly visitor?: string;
}

/** What a tus server answered. */
export interface TusAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly code: string | undefined;
}

/** One request, by tus 1.0.0 unless `headers` say otherwise. */
export async function tus(
  peer: TusPeer,
  request: { method: string; path?: string; headers?: Record<string, string>; body?: Uint8Array },
): Promise<TusAnswer> {
  const { method, path = httpPaths.uploads, headers = {}, body } = request;
  const forwarded: Record<string, string> = peer.visitor === undefined ? {} : { "x-forwarded-for": peer.visitor };
  const response = await fetch(peer.url + path, {
    method,
    headers: { "tus-resumable": "1.0.0", ...forwarded, ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
  const text = await response.text();
  // Every error is JSON with a code.
  const code = text === "" ? undefined : (JSON.parse(text) as { code: string }).code;
  return { status: response.status, headers: response.headers, code };
}

/** The metadata of an upload. */
export function blobMetadata(blobId: Uint8Array): string {
  return `blob ${Buffer.from(blobId).toString("base64")}`;
}

/** Begins an upload. */
export async function createUpload(peer: TusPeer, blobId: Uint8Array, sizeBytes: number): Promise<TusAnswer & { readonly path: string }> {
  const headers = { "upload-length": String(sizeBytes), "upload-metadata": blobMetadata(blobId) };
  const answer = await tus(peer, { method: "POST", headers });
  return { ...answer, path: answer.headers.get("location") ?? "" };
}

/** Sends a part of an upload. */
export function sendPart(peer: TusPeer, path: string, offset: number, body: Uint8Array): Promise<TusAnswer> {
  const headers = { "upload-offset": String(offset), "content-type": "application/offset+octet-stream" };
  return tus(peer, { method: "PATCH", path, headers, body });
}

/** How far an upload has come; the status where there is none. */
export async function offsetOf(peer: TusPeer, path: string): Promise<number | string> {
  const { status, headers } = await tus(peer, { method: "HEAD", path });
  return status === 200 ? Number(headers.get("upload-offset")) : `status ${status}`;
}

/** A blob's bytes; the status where there is none. */
export async function readBlob(peer: TusPeer, blobId: Uint8Array): Promise<Uint8Array | number> {
  const response = await fetch(peer.url + blobPath(toBase64Url(blobId)));
  const bytes = new Uint8Array(await response.arrayBuffer());
  return response.status === 200 ? bytes : response.status;
}

/** Whether a blob is there and is these bytes, however many. */
export async function holdsBlob(peer: TusPeer, blobId: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  const found = await readBlob(peer, blobId);
  return typeof found !== "number" && equalBytes(found, bytes);
}
