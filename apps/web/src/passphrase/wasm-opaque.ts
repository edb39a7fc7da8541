import { opaqueHere } from "@latchkey/client/opaque";
import type { Opaque } from "@latchkey/client";

/*
 * OPAQUE in a worker of its own: the page's policy lets nothing compile WebAssembly. The server gives files that begin with "wasm-" another one,
 * under which this may do that, and can neither fetch nor send anything.
 */

/** What the page asks for. */
export interface OpaqueQuestion {
  readonly id: number;
  readonly method: keyof Opaque;
  readonly param: unknown;
}

/** What it is answered: nothing in `value` where the library takes it for no message; `failed` where this browser could not compute it. */
export type OpaqueAnswer = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly failed: true };

globalThis.addEventListener("message", ({ data }: MessageEvent<OpaqueQuestion>) => {
  const { id, method, param } = data;
  // The page's proxy is typed on the same interface, so the parameter fits the method.
  const run = opaqueHere[method] as (param: unknown) => Promise<unknown>;
  const tell = (answer: OpaqueAnswer): void => globalThis.postMessage(answer, { transfer: [] });
  void run(param).then(
    (value) => tell({ id, value }),
    () => tell({ id, failed: true }),
  );
});
