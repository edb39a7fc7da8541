import { deskRequestFilesPath, requestLimits } from "@latchkey/client/desk";

/** What became of sending a file. */
export type Upload = "done" | "failed" | "stopped";

/** A part of a file goes to the server, from the byte where it belongs; resolves to whether it was taken. */
export type PutPart = (path: string, part: Blob, at: { readonly fromByte: number; readonly signal: AbortSignal }) => Promise<boolean>;

/**
 * Sends a file's bytes in parts, one after another, from where the desk has it: so that no part is larger than what a server takes at once.
 * A part that does not arrive is sent again a few times.
 * @param progress is told how many bytes are there
 */
export async function uploadFile(
  { number, file, bytes, fromByte = 0 }: { number: number; file: number; bytes: Blob; fromByte?: number },
  {
    put,
    progress,
    signal,
    pause,
  }: { put: PutPart; progress: (hereBytes: number) => void; signal: AbortSignal; pause: (ms: number) => Promise<void> },
): Promise<Upload> {
  const { partBytes } = requestLimits;
  for (let from = fromByte; from < bytes.size;) {
    progress(from);
    const part = bytes.slice(from, from + partBytes);
    let isTaken = false;
    for (let tries = 0; !isTaken && tries < 3; tries += 1) {
      if (signal.aborted) return "stopped";
      if (tries > 0) await pause(1000 * tries);
      isTaken = await put(`${deskRequestFilesPath}/${number}/${file}`, part, { fromByte: from, signal });
    }
    if (!isTaken) return signal.aborted ? "stopped" : "failed";
    from += part.size;
  }
  progress(bytes.size);
  return "done";
}

/** Sends a part by the browser. */
export const putPart: PutPart = async (path, part, { fromByte, signal }) => {
  try {
    const response = await fetch(path, {
      method: "PUT",
      body: part,
      headers: { "content-type": "application/octet-stream", "upload-offset": String(fromByte) },
      cache: "no-store",
      credentials: "same-origin",
      signal,
    });
    return response.ok;
  } catch {
    return false;
  }
};
