import { describe, expect, test } from "vitest";
import type { PageClient } from "../service-worker/scope.ts";
import type { WrittenAnswer, WrittenPart, WrittenRequest } from "./messages.ts";
import { answerWritten } from "./written.ts";

/** A page that answers with these pieces where it is asked for its token, and what it was asked. */
function pageWith(token: string, parts: readonly WrittenPart[]): { readonly page: PageClient; readonly asked: string[] } {
  const asked: string[] = [];
  const left = [...parts];
  const page: PageClient = {
    postMessage(message, [transferred]) {
      // What is transferred is the one port.
      const port = transferred as MessagePort;
      if (message.kind !== "written_open") return;
      const answer: WrittenAnswer = message.token === token ? { kind: "written", name: 'äll "x".zip' } : { kind: "none" };
      port.addEventListener("message", ({ data }: MessageEvent<WrittenRequest>) => {
        asked.push(data.kind);
        const next = left.shift();
        if (data.kind === "more" && next !== undefined) port.postMessage(next);
        if (data.kind === "stop") port.close();
      });
      port.start();
      port.postMessage(answer);
    },
  };
  return { page, asked };
}

const scopeOf = (...pages: readonly PageClient[]): Parameters<typeof answerWritten>[0] => ({
  clients: { claim: () => Promise.resolve(), get: () => Promise.resolve(undefined), matchAll: () => Promise.resolve(pages) },
});
const bytes = (...values: readonly number[]): WrittenPart => ({ kind: "bytes", bytes: new Uint8Array(values) });

describe("what a page writes as it is saved", () => {
  test("[Y-1] comes from the page that has it, piece by piece as it is taken, and is only saved", async () => {
    const other = pageWith("another", []);
    const own = pageWith("mine", [bytes(1, 2), bytes(3), { kind: "end" }]);
    const response = await answerWritten(scopeOf(other.page, own.page), "mine");
    expect(response.headers.get("content-disposition")).toBe(`attachment; filename="_ll _x_.zip"; filename*=UTF-8''%C3%A4ll%20%22x%22.zip`);
    expect(response.headers.get("content-security-policy")).toBe("default-src 'none'; sandbox");
    expect(own.asked).toEqual([]);
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([1, 2, 3]);
    expect([own.asked, other.asked]).toEqual([["more", "more", "more"], []]);
  });

  test("[Y-1] that breaks off is no whole, and what nobody takes any more is stopped", async () => {
    const broken = pageWith("mine", [bytes(1), { kind: "failed" }]);
    await expect((await answerWritten(scopeOf(broken.page), "mine")).arrayBuffer()).rejects.toThrow();
    const long = pageWith("mine", [bytes(1), bytes(2)]);
    const reader = (await answerWritten(scopeOf(long.page), "mine")).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => long.asked, { timeout: 30_000 }).toEqual(["more", "stop"]);
  });

  test("of an unknown token nobody has anything", async () => {
    expect((await answerWritten(scopeOf(pageWith("mine", []).page), "other")).status).toBe(404);
    expect((await answerWritten(scopeOf(), "other")).status).toBe(404);
  });
});
