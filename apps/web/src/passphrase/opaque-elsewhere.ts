import type { Opaque } from "@latchkey/client";
import { RemoteError } from "../worker/protocol.ts";
import { scriptAddress } from "../worker/script-addresses.ts";
import type { OpaqueAnswer, OpaqueQuestion } from "./wasm-opaque.ts";

/**
 * Runs `run` with OPAQUE in a worker, which ends afterwards with all that it had of a passphrase.
 * @throws RemoteError `offline` where the worker cannot be fetched; what `run` throws
 */
export async function withOpaque<T>(run: (opaque: Opaque) => Promise<T>): Promise<T> {
  const worker = new Worker(scriptAddress("opaque"), { type: "module" });
  const waiting = new Map<number, (value: unknown) => void>();
  let count = 0;
  const failed = new Promise<never>((_, reject) => {
    worker.addEventListener("error", () => {
      reject(new RemoteError({ code: "offline", message: "The worker for passphrases could not be had.", canRetry: true }));
    });
  });
  worker.addEventListener("message", ({ data }: MessageEvent<OpaqueAnswer>) => waiting.get(data.id)?.(data.value));
  const ask = (method: OpaqueQuestion["method"], param: unknown): Promise<unknown> =>
    Promise.race([
      failed,
      new Promise((resolve) => {
        const question: OpaqueQuestion = { id: count++, method, param };
        waiting.set(question.id, resolve);
        worker.postMessage(question, []);
      }),
    ]);
  // Each answer is that of the method of this name.
  const opaque = Object.fromEntries(
    (["startRegistration", "finishRegistration", "startLogin", "finishLogin"] as const).map((method) => [
      method,
      (param: unknown) => ask(method, param),
    ]),
  ) as unknown as Opaque;
  try {
    return await run(opaque);
  } finally {
    worker.terminate();
  }
}
