import { afterEach, expect, test, vi } from "vitest";
import { putPart, uploadFile } from "./file-upload.ts";
import type { PartOutcome } from "./file-upload.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const bytes = new Blob([new Uint8Array(2_500_000)]);

test("a file goes in parts from where they belong, again where an answer is lost, and ends where it is refused or stopped", async () => {
  const taken: number[] = [];
  const progress: number[] = [];
  let answers: PartOutcome[] = ["taken", "lost", "lost"];
  const around = (signal: AbortSignal) => ({
    signal,
    pause: () => Promise.resolve(),
    progress: (hereBytes: number) => progress.push(hereBytes),
    put: (path: string, part: Blob, { fromByte }: { fromByte: number }) => {
      expect(path).toBe("/desk/api/request-files/12/3");
      taken.push(fromByte, part.size);
      return Promise.resolve(answers.shift() ?? "taken");
    },
  });
  const upload = async (signal: AbortSignal) => await uploadFile({ number: 12, file: 3, bytes }, around(signal));
  expect(await upload(new AbortController().signal)).toBe("done");
  expect(taken).toEqual([0, 1_048_576, 1_048_576, 1_048_576, 1_048_576, 1_048_576, 1_048_576, 1_048_576, 2_097_152, 402_848]);
  expect(progress).toEqual([0, 1_048_576, 2_097_152, 2_500_000]);
  answers = ["lost", "lost", "lost"];
  expect(await upload(new AbortController().signal)).toBe("failed");
  taken.length = 0;
  answers = ["refused"];
  expect(await upload(new AbortController().signal)).toBe("failed");
  expect(taken).toHaveLength(2);
  expect(await upload(AbortSignal.abort())).toBe("stopped");
});

test.each<[string, () => Promise<Response>, PartOutcome]>([
  ["taken", () => Promise.resolve(new Response("{}")), "taken"],
  ["another session", () => Promise.resolve(new Response("{}", { status: 401 })), "refused"],
  ["other bytes than came before", () => Promise.resolve(new Response("{}", { status: 409 })), "refused"],
  ["too much at once", () => Promise.resolve(new Response("{}", { status: 429 })), "lost"],
  ["a proxy without its server", () => Promise.resolve(new Response("<html>", { status: 502 })), "lost"],
  ["no network", () => Promise.reject(new TypeError("offline")), "lost"],
])("of a part that is answered with %s it is known whether to send it again", async (_, answer, outcome) => {
  vi.stubGlobal("fetch", answer);
  expect(await putPart("/p", new Blob(["x"]), { fromByte: 0, signal: new AbortController().signal })).toBe(outcome);
});

test("a part that gets no answer ends by itself, and at once where the person stops it", async () => {
  vi.useFakeTimers();
  vi.stubGlobal(
    "fetch",
    async (_: string, { signal }: { signal: AbortSignal }) =>
      await new Promise((__, reject) => signal.addEventListener("abort", () => reject(new DOMException("over", "AbortError")))),
  );
  const stop = new AbortController();
  const [alone, stopped] = [new AbortController().signal, stop.signal].map((signal) =>
    putPart("/p", new Blob([new Uint8Array(1_048_576)]), { fromByte: 0, signal }),
  );
  stop.abort();
  expect(await stopped).toBe("lost");
  await vi.advanceTimersByTimeAsync(400_000);
  expect(await alone).toBe("lost");
});
