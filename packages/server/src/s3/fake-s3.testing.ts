import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AwsV4Signer } from "aws4fetch";

/** A request as the server saw it, before it is answered. */
export interface SeenRequest {
  readonly method: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  /** The header that asks for a part of an object. */
  readonly range: string | undefined;
  /** The header that names the object of which this is to be a copy: its key. */
  readonly copyOf: string | undefined;
}

/** A little of S3 in memory, on the loopback address: what backups and blobs use of it, signatures and hashes of the content checked. */
export interface FakeS3 {
  readonly environment: Readonly<Record<string, string>>;
  readonly objects: Map<string, Uint8Array>;
  /** Parts of uploads that neither ended nor were broken off. */
  readonly uploads: Map<string, Map<number, Uint8Array>>;
  /** Answers in place of the server, where it says that it does. */
  respond: ((request: SeenRequest, response: ServerResponse) => boolean) | undefined;
  /** What answers in place of the server: a status, "hang up", or nothing ever; `undefined` for what it answers. */
  fault: ((request: SeenRequest) => number | "hang up" | "silence" | undefined) | undefined;
  close(): Promise<void>;
}

export const bucketName = "copies";
const [accessKeyId, secretAccessKey] = ["AKIDEXAMPLE", "a secret of the test"];
const pageSize = 3;

/** Starts one on a free port, empty. */
export async function startFakeS3(): Promise<FakeS3> {
  const objects = new Map<string, Uint8Array>();
  const uploads = new Map<string, Map<number, Uint8Array>>();
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bytesOf(request);
      const url = new URL(request.url ?? "/", `http://${request.headers.host ?? ""}`);
      const key = decodeURIComponent(url.pathname.slice(`/${bucketName}/`.length));
      const seen = {
        method: request.method ?? "",
        key,
        query: url.searchParams,
        body,
        range: request.headers.range,
        copyOf: copiedKey(request),
      };
      if (fake.respond?.(seen, response) === true) return;
      const fault = fake.fault?.(seen);
      if (fault === "silence") return;
      if (fault === "hang up") {
        request.socket.destroy();
        return;
      }
      const refusal = fault === undefined ? await refusalOf(request, url, body) : { status: fault, code: "SlowDown" };
      const answer =
        refusal === undefined
          ? answerTo(seen, objects, uploads)
          : { status: refusal.status, body: `<Error><Code>${refusal.code}</Code></Error>` };
      response.writeHead(answer.status, answer.headers ?? {}).end(answer.body ?? "");
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const fake: FakeS3 = {
    environment: {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_REGION: "eu-test-1",
      AWS_ENDPOINT_URL: `http://127.0.0.1:${String(port)}`,
    },
    objects,
    uploads,
    respond: undefined,
    fault: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return fake;
}

interface Answer {
  readonly status: number;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

function answerTo(
  { method, key, query, body, range, copyOf }: SeenRequest,
  objects: FakeS3["objects"],
  uploads: FakeS3["uploads"],
): Answer {
  if (method === "GET" && query.get("list-type") === "2") return { status: 200, body: listing(objects, query) };
  if (method === "POST" && query.has("uploads")) {
    const id = randomBytes(8).toString("hex");
    uploads.set(id, new Map());
    keys.set(id, key);
    return { status: 200, body: `<R><UploadId>${id}</UploadId></R>` };
  }
  if (method === "GET" && query.has("uploads")) return { status: 200, body: uploadList(uploads, query.get("prefix") ?? "") };
  const upload = query.get("uploadId");
  if (upload !== null) {
    const parts = uploads.get(upload);
    if (parts === undefined) return { status: 404, body: "<Error><Code>NoSuchUpload</Code></Error>" };
    if (method === "PUT") {
      parts.set(Number(query.get("partNumber")), body);
      return { status: 200, headers: { etag: tagOf(body) } };
    }
    if (method === "DELETE") {
      uploads.delete(upload);
      return { status: 204 };
    }
    const joined = joinedParts(parts, Buffer.from(body).toString());
    if (typeof joined === "string") return { status: 400, body: `<Error><Code>${joined}</Code></Error>` };
    uploads.delete(upload);
    objects.set(key, joined);
    return { status: 200, body: "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>" };
  }
  const copied = copyOf === undefined ? body : objects.get(copyOf);
  if (copied === undefined) return { status: 404, body: "<Error><Code>NoSuchKey</Code></Error>" };
  if (method === "PUT") objects.set(key, copied);
  if (method === "PUT" && copyOf !== undefined) return { status: 200, body: "<CopyObjectResult></CopyObjectResult>" };
  if (method === "PUT") return { status: 200 };
  if (method === "DELETE") objects.delete(key);
  if (method === "DELETE") return { status: 204 };
  const found = objects.get(key);
  if (found === undefined) return { status: 404, body: "<Error><Code>NoSuchKey</Code></Error>" };
  if (method === "HEAD") return { status: 200, headers: { "content-length": String(found.length) } };
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "")?.map(Number) ?? [];
  if (first === undefined || last === undefined) return { status: 200, body: found };
  if (first >= found.length) return { status: 416, body: "<Error><Code>InvalidRange</Code></Error>" };
  const part = found.subarray(first, last + 1);
  const there = `bytes ${String(first)}-${String(first + part.length - 1)}/${String(found.length)}`;
  return { status: 206, body: part, headers: { "content-range": there } };
}

function tagOf(part: Uint8Array): string {
  return `"${createHash("md5").update(part).digest("hex")}"`;
}

/** The bytes of the parts that a list names, each by its tag, in ascending order; what S3 calls it where it is no such list. */
function joinedParts(parts: ReadonlyMap<number, Uint8Array>, list: string): Uint8Array | string {
  const bytes: Uint8Array[] = [];
  let last = 0;
  for (const [, number = "", tag = ""] of list.matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag><\/Part>/g)) {
    const part = parts.get(Number(number));
    if (Number(number) <= last) return "InvalidPartOrder";
    if (part === undefined || tagOf(part) !== tag.replaceAll("&quot;", '"')) return "InvalidPart";
    last = Number(number);
    bytes.push(part);
  }
  return last === 0 ? "MalformedXML" : new Uint8Array(Buffer.concat(bytes));
}

function copiedKey({ headers }: IncomingMessage): string | undefined {
  const source = headers["x-amz-copy-source"];
  return typeof source === "string" ? decodeURIComponent(source).slice(`/${bucketName}/`.length) : undefined;
}

/** Which object an upload in parts is to become. */
const keys = new Map<string, string>();

function uploadList(uploads: FakeS3["uploads"], prefix: string): string {
  const found = [...uploads.keys()].filter((id) => keys.get(id)?.startsWith(prefix) === true);
  return `<L>${found.map((id) => `<Upload><Key>${keys.get(id) ?? ""}</Key><UploadId>${id}</UploadId></Upload>`).join("")}</L>`;
}

/** Pages of three, so that every listing has several. */
function listing(objects: FakeS3["objects"], query: URLSearchParams): string {
  const [prefix, delimiter] = [query.get("prefix") ?? "", query.get("delimiter") ?? ""];
  const items = new Map<string, string>();
  for (const [key, { length }] of [...objects].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!key.startsWith(prefix)) continue;
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const folder = key.slice(0, end + 1);
    if (end >= 0) items.set(folder, `<CommonPrefixes><Prefix>${folder}</Prefix></CommonPrefixes>`);
    else items.set(key, `<Contents><Key>${key}</Key><Size>${String(length)}</Size></Contents>`);
  }
  const after = query.get("continuation-token") ?? "";
  const left = [...items].filter(([key]) => key > after);
  const page = left.slice(0, pageSize);
  const isMore = left.length > page.length;
  const token = isMore ? `<NextContinuationToken>${page.at(-1)?.[0] ?? ""}</NextContinuationToken>` : "";
  return `<L><IsTruncated>${String(isMore)}</IsTruncated>${page.map(([, item]) => item).join("")}${token}</L>`;
}

async function refusalOf(request: IncomingMessage, url: URL, body: Uint8Array): Promise<{ status: number; code: string } | undefined> {
  const hash = createHash("sha256").update(body).digest("hex");
  if (request.headers["x-amz-content-sha256"] !== hash) return { status: 400, code: "XAmzContentSHA256Mismatch" };
  const signer = new AwsV4Signer({
    method: request.method ?? "",
    url: url.href,
    headers: {
      "x-amz-content-sha256": hash,
      ...(request.headers["x-amz-copy-source"] === undefined ? {} : { "x-amz-copy-source": String(request.headers["x-amz-copy-source"]) }),
    },
    accessKeyId,
    secretAccessKey,
    service: "s3",
    region: "eu-test-1",
    datetime: String(request.headers["x-amz-date"]),
  });
  const expected = (await signer.sign()).headers.get("authorization");
  if (request.headers.authorization !== expected) return { status: 403, code: "SignatureDoesNotMatch" };
  return url.pathname.startsWith(`/${bucketName}/`) ? undefined : { status: 404, code: "NoSuchBucket" };
}

async function bytesOf(request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of request as AsyncIterable<Uint8Array>) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
