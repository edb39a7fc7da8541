import { scriptAddress } from "../worker/script-addresses.ts";
import type { PictureQuality } from "../media/prepare-picture.ts";
import type { MadePicture, PictureTask } from "./picture-thread.ts";

let thread: Worker | undefined;
let count = 0;
const waiting = new Map<number, { readonly done: (made: MadePicture | undefined) => void }>();
/** One at a time: each is held uncompressed. */
let last: Promise<unknown> = Promise.resolve();

/** Makes a picture ready to be sent in a worker; where none can be had, in the page. */
export function makePictureElsewhere(file: Blob, quality: PictureQuality): Promise<MadePicture> {
  const made = last.then(async () => {
    const there = await inThread(file, quality);
    return there ?? (await (await import("./picture-thread.ts")).makePicture(file, quality));
  });
  last = made.catch(() => undefined);
  return made;
}

async function inThread(file: Blob, quality: PictureQuality): Promise<MadePicture | undefined> {
  const task: PictureTask = { id: count++, file, quality };
  const { promise, resolve } = Promise.withResolvers<MadePicture | undefined>();
  waiting.set(task.id, { done: resolve });
  try {
    thread ??= start();
    thread.postMessage(task, []);
    return await promise;
  } catch {
    return undefined;
  } finally {
    waiting.delete(task.id);
    // What it used is free again.
    if (waiting.size === 0) stop();
  }
}

function start(): Worker {
  const worker = new Worker(scriptAddress("pictures"), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<{ readonly id: number; readonly made: MadePicture }>) =>
    waiting.get(data.id)?.done(data.made),
  );
  worker.addEventListener("error", () => {
    for (const { done } of waiting.values()) done(undefined);
  });
  return worker;
}

function stop(): void {
  thread?.terminate();
  thread = undefined;
}
