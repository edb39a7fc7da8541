import { afterEach, expect, test, vi } from "vitest";
import { fetchInventory, readHoldings } from "./holdings.ts";

const ticket = { url: "https://chat.example/v1/holdings", ticket: "YWJj" };

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

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
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await standing).toMatchObject({ code: "offline", canRetry: true });
});

test("[E-230] [E-15] one that trickles in is given up, and a slow one is waited for", async () => {
  vi.useFakeTimers();
  /** Thirty pieces of this size, one a second. */
  const slow = (sizeBytes: number): Response => {
    let left = 30;
    const stream = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        controller.enqueue(new Uint8Array(sizeBytes).fill(97));
        left -= 1;
        if (left === 0) controller.close();
      },
    });
    return new Response(stream);
  };
  const trickling = read(() => slow(1)).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await trickling).toMatchObject({ code: "offline" });
  const whole = read(() => slow(2000));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await whole).toHaveLength(60_000);
});

test("[E-230] whoever has enough of it ends it", async () => {
  const fetched = vi.fn<typeof fetch>(() => Promise.resolve(body(["{"], "wait")));
  for await (const piece of readHoldings(ticket, { fetch: fetched })) {
    expect(piece).toHaveLength(1);
    break;
  }
  expect(fetched.mock.calls[0]?.[1]?.signal?.aborted).toBe(true);
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

test("[F-20] [E-230] the inventory comes whole; of one without end no more than a million bytes are read, and one that hangs ends", async () => {
  const ask = async (response: Response): Promise<string> => await fetchInventory("", { fetch: () => Promise.resolve(response) });
  expect(await ask(body(["{", "}"], "close"))).toBe("{}");
  await expect(ask(new Response("<html>", { status: 404 }))).rejects.toMatchObject({ code: "way_blocked" });
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 100_000;
      controller.enqueue(new Uint8Array(100_000));
    },
  });
  await expect(ask(new Response(endless))).rejects.toMatchObject({ code: "way_blocked" });
  expect(pulled).toBeLessThan(2_000_000);
  vi.useFakeTimers();
  const hanging: typeof fetch = async (_, init) =>
    await new Promise((__, reject) => init?.signal?.addEventListener("abort", () => reject(new DOMException("over", "AbortError"))));
  const asked = fetchInventory("", { fetch: hanging }).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(await asked).toMatchObject({ code: "offline" });
});

test("the fetch of a browser is called as its own, which it insists on", async () => {
  vi.stubGlobal("fetch", function fetchOf(this: unknown) {
    if (this !== undefined && this !== globalThis) throw new TypeError("Illegal invocation");
    return Promise.resolve(body(["{}"], "close"));
  });
  expect(await fetchInventory("")).toBe("{}");
  expect(await Array.fromAsync(readHoldings(ticket))).toHaveLength(1);
});
