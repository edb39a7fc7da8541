import { deskRequestFilesPath, requestLimits } from "@latchkey/client/desk";

/** What became of sending a file. */
export type Upload = "done" | "failed" | "stopped";

/** What became of a part: it is there, it may be another time, or the desk does not take it. */
export type PartOutcome = "taken" | "lost" | "refused";

/** A part of a file goes to the server, from the byte where it belongs. */
export type PutPart = (path: string, part: Blob, at: { readonly fromByte: number; readonly signal: AbortSignal }) => Promise<PartOutcome>;

const mostTries = 3;
/** A part may take so long, and longer by its size. */
const partMs = 60_000;
const bytesPerMs = 4;
/** Refusals that pass: it took too long, or was too much at once. */
const passing: ReadonlySet<number> = new Set([408, 429]);

/**
 * Sends a file's bytes in parts, one after another, so that no part is larger than what a server takes at once. A part of which no answer
 * came is sent again a few times: the desk takes it once.
 * @param progress is told how many bytes are there
 */
export async function uploadFile(
  { number, file, bytes }: { number: number; file: number; bytes: Blob },
  {
    put,
    progress,
    signal,
    pause,
  }: { put: PutPart; progress: (hereBytes: number) => void; signal: AbortSignal; pause: (ms: number) => Promise<void> },
): Promise<Upload> {
  const path = `${deskRequestFilesPath}/${number}/${file}`;
  for (let from = 0; from < bytes.size;) {
    progress(from);
    const part = bytes.slice(from, from + requestLimits.partBytes);
    let outcome: PartOutcome = "lost";
    for (let tries = 0; outcome === "lost" && tries < mostTries; tries += 1) {
      if (tries > 0) await pause(1000 * tries);
      if (signal.aborted) return "stopped";
      outcome = await put(path, part, { fromByte: from, signal });
    }
    if (outcome !== "taken") return signal.aborted ? "stopped" : "failed";
    from += part.size;
  }
  progress(bytes.size);
  return "done";
}

/** Sends a part by the browser, which may take a minute, and longer by its size. */
export const putPart: PutPart = async (path, part, { fromByte, signal }) => {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, partMs + part.size / bytesPerMs);
  signal.addEventListener("abort", end);
  try {
    const { ok, status } = await fetch(path, {
      method: "PUT",
      body: part,
      headers: { "content-type": "application/octet-stream", "upload-offset": String(fromByte) },
      cache: "no-store",
      credentials: "same-origin",
      signal: ending.signal,
    });
    if (ok) return "taken";
    return status >= 500 || passing.has(status) ? "lost" : "refused";
  } catch {
    return "lost";
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(timer);
  }
};
