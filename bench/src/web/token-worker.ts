// The worker of the benchmark of tokens: what the client's own worker does for a batch, in the same slices.
import { blindInput, finishBatch } from "@latchkey/client/testing/tokens";
import { tokenInput } from "@latchkey/protocol/tokens";

/** What the page asks for: to blind so many, or to finish those. */
export type TokenWork =
  | { readonly kind: "blind"; readonly size: number }
  | { readonly kind: "finish"; readonly evaluated: readonly Uint8Array[]; readonly proof: Uint8Array; readonly publicKey: Uint8Array };

/** How long the thread was at it each time before it let others go on, in milliseconds. */
export interface TokenWorkDone {
  readonly stretchesMs: readonly number[];
  readonly blinded: readonly Uint8Array[];
  readonly finished: number;
}

/** Elements blinded in one go, as the client does. */
const slice = 10;
const random = (size: number): Uint8Array => crypto.getRandomValues(new Uint8Array(size));
let blinded: ReturnType<typeof blindInput>[] = [];

async function work(what: TokenWork): Promise<TokenWorkDone> {
  const stretchesMs: number[] = [];
  if (what.kind === "finish") {
    const beganMs = performance.now();
    const secrets = finishBatch({ ...what, blinded });
    return { stretchesMs: [performance.now() - beganMs], blinded: [], finished: secrets?.length ?? 0 };
  }
  blinded = [];
  while (blinded.length < what.size) {
    await new Promise((resolve) => setTimeout(resolve));
    const beganMs = performance.now();
    for (let i = 0; i < slice; i++) blinded.push(blindInput(tokenInput("logs", random(32)), random));
    stretchesMs.push(performance.now() - beganMs);
  }
  return { stretchesMs, blinded: blinded.map((item) => item.blinded), finished: 0 };
}

addEventListener("message", ({ data }: MessageEvent<TokenWork>) => {
  const answer = async (): Promise<void> => postMessage(await work(data));
  void answer();
});
