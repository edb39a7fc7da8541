import { nobleCrypto } from "@latchkey/mls/noble";
import { webCrypto } from "@latchkey/mls/web";
import { benchPrimitives } from "./primitives.ts";

// The worker of the benchmark of primitives in Chromium.
addEventListener("message", ({ data }: MessageEvent<{ isQuick: boolean }>) => {
  benchPrimitives("chromium", [webCrypto, nobleCrypto], data).then(
    (rows) => postMessage({ rows: JSON.stringify(rows) }),
    (error: unknown) => postMessage({ failure: String(error instanceof Error ? (error.stack ?? error.message) : error) }),
  );
});
