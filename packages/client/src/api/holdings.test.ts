import { afterEach, expect, test, vi } from "vitest";
import { readHoldings } from "./holdings.ts";

const ticket = { url: "https://chat.example/v1/holdings", ticket: "YWJj" };

afterEach(() => vi.useRealTimers());

async function read(
  response: () => Response | Promise<Response>,
  options: { mostBytes?: number; signal?: AbortSignal } = {},
): Promise<string> {
  const fetched = vi.fn<typeof fetch>(async () => await response());
  const pieces = await Array.fromAsync(readHoldings(ticket, { fetch: fetched, ...options }));
  const [url, init] = fetched.mock.calls[0] ?? [];
  // Who asks stands in the body, and nowhere else.
  expect([url, init?.method, new TextDecoder().decode(init?.body as Uint8Array)]).toEqual([ticket.url, "POST", "abc"]);
  return pieces.map((piece) => new TextDecoder().decode(piece)).join("");
}

/** A body that ends, fails or waits after these pieces. */
function body(pieces: readonly string[], end: "close" | "fail" | "wait" | "endless"): Response {
  const stream = new ReadableStream({
    async pull(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      if (end === "close") controller.close();
      if (end === "fail") controller.error(new TypeError("terminated"));
      if (end === "wait") await new Promise(() => undefined);
    },
  });
  return new Response(stream);
}

test("[E-230] a package comes whole, or not at all", async () => {
  expect(await read(() => body(["{", "}"], "close"))).toBe("{}");
  await expect(read(() => body(["{"], "fail"))).rejects.toMatchObject({ code: "offline", canRetry: true });
  await expect(read(() => body([], "close"))).rejects.toMatchObject({ code: "server_refused", canRetry: true });
  await expect(read(() => Promise.reject(new TypeError("no network")))).rejects.toMatchObject({ code: "offline", canRetry: true });
});

test("[E-230] one without end is given up, and one that stands still", async () => {
  await expect(read(() => body(["x".repeat(1000)], "endless"), { mostBytes: 100_000 })).rejects.toMatchObject({ code: "server_lied" });
  vi.useFakeTimers();
  const standing = read(() => body(["{"], "wait")).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await standing).toMatchObject({ code: "offline" });
});

test("[E-230] what is refused says so, and the person may stop it", async () => {
  const answer = (status: number, text: string) => () => new Response(text, { status });
  await expect(read(answer(404, '{"code":"not_found"}'))).rejects.toMatchObject({ code: "server_refused", canRetry: true });
  await expect(read(answer(429, '{"code":"rate_limited"}'))).rejects.toMatchObject({ code: "rate_limited", canRetry: true });
  await expect(read(answer(502, "<html>"))).rejects.toMatchObject({ code: "server_down" });
  const stopped = new AbortController();
  stopped.abort();
  await expect(read(() => body(["{"], "wait"), { signal: stopped.signal })).rejects.toMatchObject({ code: "offline" });
});
