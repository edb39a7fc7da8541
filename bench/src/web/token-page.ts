// The page of the benchmark of tokens: hands work to its worker, and does nothing else. Bytes go in and out as base64url.
import { fromBase64Url, toBase64Url } from "@latchkey/codec";
import type { TokenWork, TokenWorkDone } from "./token-worker.ts";

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

// The server's pages start scripts through the one policy that its headers name.
const policies = Reflect.get(globalThis, "trustedTypes") as Policies;
const address = policies.createPolicy("latchkey-worker", { createScriptURL: (url) => url }).createScriptURL("/worker.js");
const worker = new Worker(address, { type: "module" });

function ask(work: TokenWork): Promise<TokenWorkDone> {
  return new Promise((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<TokenWorkDone>) => resolve(data), { once: true });
    worker.addEventListener("error", ({ message }) => reject(new Error(message)), { once: true });
    worker.postMessage(work, []);
  });
}

Object.assign(globalThis, {
  async blindBatch(size: number) {
    const { blinded, stretchesMs } = await ask({ kind: "blind", size });
    return { blinded: blinded.map(toBase64Url), stretchesMs };
  },
  async finishBatch({ evaluated, proof, publicKey }: { evaluated: readonly string[]; proof: string; publicKey: string }) {
    return await ask({
      kind: "finish",
      evaluated: evaluated.map(fromBase64Url),
      proof: fromBase64Url(proof),
      publicKey: fromBase64Url(publicKey),
    });
  },
});
