import type { Opaque } from "@latchkey/client";
import { RemoteError } from "../worker/protocol.ts";
import { scriptAddress } from "../worker/script-addresses.ts";
import type { OpaqueAnswer, OpaqueQuestion } from "./wasm-opaque.ts";

/** What a slow telephone computes takes half of it. */
const longestMs = 60_000;

/** This browser could not compute, for want of memory, of leave to run WebAssembly, or of time: it says nothing of the passphrase. */
export class CannotComputeHere extends Error {
  override readonly name = "CannotComputeHere";
}

/**
 * Runs `run` with OPAQUE in a worker, which ends afterwards with all that it had of a passphrase.
 * @param signal ends what is computed, and `run` with its reason as soon as that asks for more
 * @throws RemoteError `offline` where the worker cannot be fetched; CannotComputeHere; what `run` throws
 */
export async function withOpaque<T>(run: (opaque: Opaque) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const worker = new Worker(scriptAddress("opaque"), { type: "module" });
  const waiting = new Map<number, (answer: OpaqueAnswer) => void>();
  let count = 0;
  const failed = Promise.withResolvers<never>();
  // Whoever asks next is told.
  failed.promise.catch(() => undefined);
  worker.addEventListener("error", () => {
    failed.reject(new RemoteError({ code: "offline", message: "The worker for passphrases could not be had.", canRetry: true }));
  });
  signal?.addEventListener("abort", () => failed.reject(signal.reason), { once: true });
  worker.addEventListener("message", ({ data }: MessageEvent<OpaqueAnswer>) => waiting.get(data.id)?.(data));
  const answerOf = (method: OpaqueQuestion["method"], param: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const question: OpaqueQuestion = { id: count++, method, param };
      const timer = setTimeout(() => reject(new CannotComputeHere()), longestMs);
      waiting.set(question.id, (answer) => {
        clearTimeout(timer);
        if ("failed" in answer) reject(new CannotComputeHere());
        else resolve(answer.value);
      });
      worker.postMessage(question, []);
    });
  // Each answer is that of the method of this name.
  const opaque = Object.fromEntries(
    (["startRegistration", "finishRegistration", "startLogin", "finishLogin"] as const).map((method) => [
      method,
      (param: unknown) => Promise.race([failed.promise, answerOf(method, param)]),
    ]),
  ) as unknown as Opaque;
  try {
    return await run(opaque);
  } finally {
    worker.terminate();
  }
}
