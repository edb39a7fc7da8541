import type { ClientFailure, FileAccess } from "@latchkey/client";
import { sealFile } from "@latchkey/client/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { RemoteError } from "../worker/protocol.ts";
import { FileSource } from "./file-source.ts";
import type { FilePlace } from "./file-source.ts";

beforeEach(() => {
  const worker = { postMessage: () => undefined };
  const serviceWorker = {
    addEventListener: () => undefined,
    startMessages: () => undefined,
    register: async () => ({}),
    controller: worker,
  };
  vi.stubGlobal("navigator", { serviceWorker });
  vi.stubGlobal("location", { origin: "https://chat.example" });
});
afterEach(() => vi.unstubAllGlobals());

const access: FileAccess = {
  id: "f",
  url: "/v1/blobs/f",
  key: new Uint8Array(32),
  prefix: new Uint8Array(7),
  sizeBytes: 10,
  mediaType: "image/png",
  name: "a.png",
  isKept: false,
};
const place = (isOnce: boolean): FilePlace => ({
  message: { conversationId: "c", id: "m", ...(isOnce ? { isOnce } : {}) },
  file: { id: "f", name: "a.png", sizeBytes: 10 },
});

/** A page's files, and how its client answers, once each. */
function sourceWith(...answers: (ClientFailure["code"] | FileAccess | undefined)[]): FileSource {
  return new FileSource({
    async fileAccess() {
      const code = answers.shift();
      if (code === undefined) return access;
      if (typeof code === "object") return code;
      throw new RemoteError({ code, message: "", canRetry: false });
    },
    fetchFile: async () => undefined,
    importedFile: async () => access,
    removeFile: async () => undefined,
  });
}

const causes = [
  ["file_gone", "gone"],
  ["server_lied", "broken"],
  ["other_host", "not_accepted"],
  ["not_accepted", "not_accepted"],
  ["storage_full", "storage_full"],
  ["seen_once", "seen_once"],
  ["offline", "failed"],
] as const;

test("[Y-4] [X-23] of files that nothing names any more the worker is told by their names, and this page gives out none of them", async () => {
  const said: unknown[] = [];
  const questions: ((event: object) => void)[] = [];
  vi.stubGlobal("navigator", {
    serviceWorker: {
      addEventListener: (_kind: string, heard: (event: object) => void) => questions.push(heard),
      startMessages: () => undefined,
      register: async () => ({}),
      controller: { postMessage: (message: unknown) => said.push(message) },
    },
  });
  const answerTo = async (token: string): Promise<unknown> => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    for (const heard of questions) heard({ data: { kind: "media_access", token }, ports: [{ postMessage: resolve }] });
    return await promise;
  };
  const source = sourceWith();
  const [address, other] = [
    await source.address(place(false)),
    await source.address({ ...place(false), file: { ...place(false).file, id: "g" } }),
  ];
  const [token, otherToken] = [address, other].map((from) => from.slice("/media/".length));
  expect(await answerTo(token ?? "")).toMatchObject({ kind: "access" });
  source.gone(["f", "x"]);
  expect(said).toEqual([
    { kind: "media_forget", token },
    { kind: "media_forget", fileIds: ["f", "x"] },
  ]);
  expect(await answerTo(token ?? "")).toEqual({ kind: "none" });
  expect(await answerTo(otherToken ?? "")).toMatchObject({ kind: "access" });
});

test("[Y-4] a file of an imported line is asked for by its import and place, and by nothing else", async () => {
  const asked: unknown[] = [];
  const source = new FileSource({
    fileAccess: () => Promise.reject(new Error("no message has it")),
    fetchFile: () => Promise.reject(new Error("no host has it")),
    removeFile: () => Promise.reject(new Error("not asked for")),
    async importedFile(...params) {
      asked.push(params);
      return { ...access, url: undefined };
    },
  });
  const message = { conversationId: "i", id: "i/7", imported: { importId: "i", order: 7, author: "" } };
  const reading = Array.fromAsync(source.read({ message, file: { id: "f", name: "a.png", sizeBytes: 10 } }));
  // No piece is on this device, and none is fetched.
  await expect(reading).rejects.toMatchObject({ why: "gone" });
  expect(asked).toEqual([["i", 7, "f"]]);
});

describe("why a file is not shown", () => {
  test.each(causes)("[X-8] of what is to be seen once: the client says %s; asked again, it opens", async (code, why) => {
    const source = sourceWith(code);
    await expect(source.address(place(true))).rejects.toMatchObject({ why });
    expect(await source.address(place(true))).toMatch(/^\/media\/[0-9a-f]{32}$/);
  });

  test.each(causes)("of what the worker is not given: the client says %s", async (code, why) => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 404 }));
    const source = sourceWith(code);
    const address = await source.address(place(false));
    expect(await source.why(`${address}?1`)).toBe(why);
    // It is given out now: the worker asked too early, or there was none.
    expect(await source.why(address)).toBe("failed");
  });
});

test("[X-8] what is to be seen once is not lost where what shows it is taken off and put back at once; left, it is over", async () => {
  const source = sourceWith(undefined, "seen_once");
  const opened = source.address(place(true));
  source.forget(place(true));
  const again = source.address(place(true));
  expect(await again).toBe(await opened);
  source.shown(place(true));
  source.forget(place(true));
  // Behind what the source does next.
  await new Promise((resolve) => setTimeout(resolve, 0));
  await expect(source.address(place(true))).rejects.toMatchObject({ why: "seen_once" });
});

describe("[X-8] what is to be seen once, and was not shown by what should have shown it", () => {
  /** Lets what the source does next be done. */
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

  test("opens again in this page, by the key that the client gave out, until it was shown", async () => {
    const source = sourceWith(undefined, "seen_once");
    expect(source.isOpened(place(true))).toBe(false);
    const first = await source.address(place(true));
    source.forget(place(true));
    await settled();
    expect(source.isOpened(place(true))).toBe(true);
    // Under another address: the worker was told to forget that one.
    const second = await source.address(place(true));
    expect(second).not.toBe(first);
    source.shown(place(true));
    expect(source.isOpened(place(true))).toBe(false);
    source.forget(place(true));
    await settled();
    await expect(source.address(place(true))).rejects.toMatchObject({ why: "seen_once" });
  });

  test("is decrypted by the page where it is asked for again, and not by the worker", async () => {
    const content = new TextEncoder().encode("0123456789");
    const keys = { key: new Uint8Array(32).fill(1), prefix: new Uint8Array(7), sizeBytes: content.length };
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for await (const part of sealFile(keys, new Blob([content]).stream())) parts.push(part);
    const sealed = new Blob(parts);
    const range = `bytes 0-${String(sealed.size - 1)}/${String(sealed.size)}`;
    vi.stubGlobal("fetch", async () => new Response(sealed, { status: 206, headers: { "content-range": range } }));
    const source = sourceWith({ ...access, ...keys });
    expect(await source.address(place(true))).toMatch(/^\/media\//);
    const address = await source.address(place(true), { isAgain: true });
    expect(address).toMatch(/^blob:/);
    vi.unstubAllGlobals();
    expect(await (await fetch(address)).text()).toBe("0123456789");
    source.shown(place(true));
    source.forget(place(true));
    await settled();
    await expect(fetch(address)).rejects.toThrow();
  });
});
