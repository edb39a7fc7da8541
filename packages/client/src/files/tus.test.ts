import { toBase64Url } from "@latchkey/codec";
import { describe, expect, it } from "vitest";
import { createFakeHost, hostPlatform, refusal } from "./fake-host.testing.ts";
import type { FakeHost } from "./fake-host.testing.ts";
import { abandonUpload, mostFileBytes, PartSize, uploadFile } from "./tus.ts";

const baseUrl = "https://chat.example";
const blobId = new Uint8Array(32).fill(0xfb);
const bytes = new Uint8Array(5_000_000).map((_, at) => (at * 13) & 0xff);

/** A try to upload; what the server calls it is kept between tries. */
function uploader(host: FakeHost, signal: AbortSignal = new AbortController().signal) {
  const kept: { name: string | undefined; sent: number[] } = { name: undefined, sent: [] };
  const size = new PartSize();
  return {
    kept,
    size,
    attempt: () =>
      uploadFile(
        {
          host: { platform: hostPlatform(host), baseUrl },
          nowMs: hostPlatform(host).nowMs,
          blobId,
          totalBytes: bytes.length,
          bytes: async (from, to) => bytes.slice(from, to),
          name: kept.name,
          named: async (name) => {
            kept.name = name;
          },
          sent: (sent) => void kept.sent.push(sent),
          signal,
        },
        size,
      ),
  };
}

const patches = ({ asked }: FakeHost): number[] => asked.filter(({ method }) => method === "PATCH").map((one) => one.bytes);

describe("[X-23] [E-135] an upload", () => {
  it("is begun with its length and its blob and nothing else, and goes in parts that grow", async () => {
    const host = createFakeHost();
    const { attempt, kept } = uploader(host);
    await attempt();
    expect(Buffer.compare(host.blobs.get(toBase64Url(blobId)) ?? new Uint8Array(0), bytes)).toBe(0);
    expect(patches(host)).toEqual([524_288, 1_048_576, 2_097_152, 1_329_984]);
    expect(kept.sent).toEqual([0, 524_288, 1_572_864, 3_670_016, 5_000_000]);
    const [post] = host.asked;
    expect(Object.fromEntries(post?.headers ?? [])).toEqual({
      "tus-resumable": "1.0.0",
      "upload-length": "5000000",
      "upload-metadata": `blob ${Buffer.from(blobId).toString("base64")}`,
    });
  });

  it("goes on where the server has it, whichever answer was lost", async () => {
    for (let lost = 0; lost < 5; lost++) {
      const host = createFakeHost();
      const { attempt } = uploader(host);
      host.after = (_asked, response) => {
        if (host.asked.length === lost + 1) throw new TypeError("fetch failed");
        return response;
      };
      await expect(attempt(), `${lost}`).rejects.toMatchObject({ code: "offline", canRetry: true });
      host.after = (_asked, response) => response;
      await attempt();
      expect(Buffer.compare(host.blobs.get(toBase64Url(blobId)) ?? new Uint8Array(0), bytes)).toBe(0);
      // Nothing that the server has is sent twice.
      expect(patches(host).reduce((sum, part) => sum + part, 0)).toBe(bytes.length);
    }
  });

  it("that the server forgot begins anew; what stands between and says so costs nothing", async () => {
    const host = createFakeHost();
    const { attempt, kept } = uploader(host);
    host.instead = ({ method }) => (method === "PATCH" ? refusal(503) : undefined);
    await expect(attempt()).rejects.toMatchObject({ code: "server_down", canRetry: true });
    const name = kept.name;
    expect(name).toBeDefined();
    // A sign-in page says 404 to everything.
    host.instead = () => refusal(404);
    await expect(attempt()).rejects.toMatchObject({ code: "way_blocked", canRetry: true });
    expect(kept.name).toBe(name);
    // Something that lets HEAD not through says so too.
    host.instead = ({ method }) => (method === "HEAD" ? refusal(404) : undefined);
    await expect(attempt()).rejects.toMatchObject({ code: "server_refused", canRetry: true });
    expect(kept.name).toBe(name);
    host.instead = () => undefined;
    await attempt();
    expect(host.uploads.size).toBe(1);
    host.uploads.clear();
    host.blobs.clear();
    await attempt();
    expect(host.blobs.size).toBe(1);
  });

  it("whose server forgets it in the middle, or has another blob there, is begun anew with the next try", async () => {
    for (const answer of [refusal(404, "not_found"), refusal(410, "not_found"), refusal(409, "conflict")]) {
      const host = createFakeHost();
      const { attempt, kept } = uploader(host);
      host.instead = ({ method, headers }) => (method === "PATCH" && headers.get("upload-offset") !== "0" ? answer.clone() : undefined);
      await expect(attempt()).rejects.toMatchObject({ canRetry: true });
      expect(kept.name).toBeUndefined();
      host.instead = () => undefined;
      await attempt();
      expect(host.blobs.size).toBe(1);
    }
  });

  it("goes on from where the server says it is, and ends the try where that is no further", async () => {
    const host = createFakeHost();
    const { attempt } = uploader(host);
    let asks = 0;
    host.instead = ({ method }) => (method === "PATCH" && ++asks === 1 ? refusal(409, "stale") : undefined);
    await expect(attempt()).rejects.toMatchObject({ code: "server_refused", canRetry: true });
    await attempt();
    for (const offset of ["0", "-1", "1e3", "99999999", "", "nonsense"]) {
      const lying = createFakeHost();
      const { attempt: again } = uploader(lying);
      lying.instead = ({ method }) =>
        method === "PATCH" ? new Response(null, { status: 204, headers: { "upload-offset": offset } }) : undefined;
      await expect(again(), offset).rejects.toMatchObject({ code: "server_refused", canRetry: true });
      expect(patches(lying).length).toBe(1);
    }
  });

  it("has smaller parts where something between takes none of that size, and is over only where the server itself takes no such file", async () => {
    const host = createFakeHost();
    const { attempt, size } = uploader(host);
    host.instead = (asked) => (asked.method === "PATCH" && asked.bytes > 100_000 ? refusal(413) : undefined);
    for (let tries = 0; tries < 3; tries++) await expect(attempt()).rejects.toMatchObject({ code: "way_blocked", canRetry: true });
    expect(size.bytes).toBe(65_536);
    await expect(attempt()).rejects.toMatchObject({ code: "way_blocked" });
    host.instead = ({ method }) => (method === "POST" || method === "PATCH" ? refusal(413, "too_large") : undefined);
    await expect(uploader(host).attempt()).rejects.toMatchObject({ code: "message_too_large", canRetry: false });
    for (const [status, code] of [
      [429, "rate_limited"],
      [507, "storage_full"],
      [500, "internal"],
      [403, undefined],
      [502, undefined],
      [423, "stale"],
    ] as const) {
      host.instead = ({ method }) => (method === "PATCH" ? refusal(status, code) : undefined);
      await expect(uploader(host).attempt(), String(status)).rejects.toMatchObject({ canRetry: true });
    }
  });

  it("follows no address to another place", async () => {
    const host = createFakeHost();
    for (const location of ["https://evil.example/v1/uploads/aaaaaaaaaaaaaaaaaaaa", "//evil.example/v1/uploads/bbbbbbbbbbbbbbbbbbbb"]) {
      host.instead = ({ method }) => (method === "POST" ? new Response(null, { status: 201, headers: { location } }) : undefined);
      const seen: string[] = [];
      const inner = host.fetch;
      const spied: FakeHost = Object.assign(createFakeHost(), {
        ...host,
        fetch: (url: string, init?: RequestInit) => (seen.push(url), inner(url, init)),
      });
      await expect(uploader(spied).attempt()).rejects.toMatchObject({ canRetry: true });
      expect(seen.every((url) => url.startsWith(`${baseUrl}/v1/uploads`))).toBe(true);
    }
    for (const location of [
      null,
      "",
      "/v1/uploads/",
      "/v1/uploads/short",
      "/v1/blobs/aaaaaaaaaaaaaaaaaaaa",
      "/v1/uploads/../../etc/passwd/aaaaaaaaa",
    ]) {
      host.instead = ({ method }) =>
        method === "POST" ? new Response(null, { status: 201, headers: location === null ? {} : { location } }) : undefined;
      await expect(uploader(host).attempt(), String(location)).rejects.toMatchObject({ code: "server_refused", canRetry: true });
    }
  });

  it("is not begun of a file that the server says it does not take; what it does not say, or nobody hears, keeps nobody from it", async () => {
    const host = createFakeHost();
    const most = (answer: () => Response): Promise<number | undefined> => {
      host.instead = ({ method }) => (method === "OPTIONS" ? answer() : undefined);
      return mostFileBytes({ platform: hostPlatform(host), baseUrl });
    };
    const saying =
      (text: string, status = 204) =>
      (): Response =>
        new Response(null, { status, headers: { "tus-max-size": text } });
    expect(await most(saying("2147483648"))).toBe(2_147_483_648);
    for (const text of ["", "-1", "1e9", "0x5", "9".repeat(16)]) expect(await most(saying(text)), text).toBeUndefined();
    expect(await most(saying("5", 500))).toBeUndefined();
    const lost = (): Response => {
      throw new TypeError("fetch failed");
    };
    expect(await most(lost)).toBeUndefined();
  });

  it("ends with its signal, and can be given up", async () => {
    const host = createFakeHost();
    const controller = new AbortController();
    const { attempt, kept } = uploader(host, controller.signal);
    host.instead = ({ method }) => {
      if (method === "PATCH") controller.abort();
      return undefined;
    };
    await expect(attempt()).rejects.toThrow();
    await abandonUpload({ platform: hostPlatform(host), baseUrl }, kept.name ?? "");
    expect(host.uploads.size).toBe(0);
  });
});
