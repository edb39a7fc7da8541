import { draw, encodePicture, fitted, isVisible, thumbhashOf } from "./canvas.ts";
import { cleanVideo } from "./clean-video.ts";
import { maxPixels } from "./picture-size.ts";
import { durationOf, eventOf } from "./playing.ts";
import { peaksOfSamples } from "./waveform.ts";

/** Longest time that a file is looked at. */
const timeLimitMs = 5000;
/** Most pixels on the longer side of the picture that stands for a video until it plays. */
const posterSide = 1280;
const posterQuality = 0.75;
const retryMs = 50;
/** Seconds from which a picture is taken: many videos begin with a black one. */
const posterAt = 1;

/** Longest sound, and largest file, of which it is looked at how loud it is. */
const maxHeardMs = 10 * 60 * 1000;
const maxHeardBytes = 32 * 1024 * 1024;
/** Samples a second that are taken of it. */
const heardRate = 8000;

/** A file with video or sound, as it is sent and as the browser plays it. */
export type PreparedVideo =
  | (Recording & {
      readonly kind: "video";
      /** Pixels, as it is shown. */
      readonly width: number;
      readonly height: number;
      /** One picture of it and what that looks like; `undefined` where none came in time. */
      readonly poster: { readonly blob: Blob; readonly thumbhash: Uint8Array } | undefined;
    })
  /** It has sound only. How loud it is, 64 times over its length, where it is short enough to be looked at as a whole. */
  | (Recording & { readonly kind: "audio"; readonly peaks: Uint8Array | undefined })
  | (Cleaned & { readonly kind: "as_file"; readonly reason: "undecodable" | "too_many_pixels" | "too_slow" });

interface Cleaned {
  readonly blob: Blob;
  /** Whether what it says of where, when and with what it was recorded is gone. Only of MP4 and QuickTime it can be taken out. */
  readonly metadata: "removed" | "kept";
}

interface Recording extends Cleaned {
  readonly durationMs: number | undefined;
}

/**
 * Looks at a video or a sound for what is said of it: its size, its length and a picture of it; what the file says of its recording is taken out where
 * that is possible, and what it shows stays as it is. Needs a page; ends within five seconds, and never throws.
 */
export async function prepareVideo(file: Blob): Promise<PreparedVideo> {
  const element = document.createElement("video");
  const address = URL.createObjectURL(file);
  const signal = AbortSignal.timeout(timeLimitMs);
  let sent: Cleaned = { blob: file, metadata: "kept" };
  try {
    const cleaned = await cleanVideo(file, signal);
    if (cleaned !== undefined) sent = { blob: cleaned, metadata: "removed" };
    element.muted = true;
    element.playsInline = true;
    element.preload = "auto";
    const ready = eventOf(element, ["loadedmetadata"], signal);
    element.src = address;
    await ready;
    const { videoWidth: width, videoHeight: height } = element;
    if (width * height > maxPixels) return { kind: "as_file", reason: "too_many_pixels", ...sent };
    const durationMs = await durationOf(element, signal);
    if (width === 0 || height === 0) return { kind: "audio", durationMs, peaks: await soundPeaks(file, { durationMs, signal }), ...sent };
    // Some browsers load nothing but the head before somebody plays it: then the time ends without a picture.
    return { kind: "video", width, height, durationMs, poster: await posterOf(element, { durationMs, signal }), ...sent };
  } catch {
    return { kind: "as_file", reason: signal.aborted ? "too_slow" : "undecodable", ...sent };
  } finally {
    element.removeAttribute("src");
    element.load();
    URL.revokeObjectURL(address);
  }
}

/** Of what is longer, larger or slower, and of what cannot be decoded as a whole, nothing. */
async function soundPeaks(
  file: Blob,
  { durationMs, signal }: { readonly durationMs: number | undefined; readonly signal: AbortSignal },
): Promise<Uint8Array | undefined> {
  if (durationMs === undefined || durationMs > maxHeardMs || file.size > maxHeardBytes) return undefined;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const stop = (): void => resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  try {
    // A few samples a second are enough for bars: speech and music have most of their strength there.
    const context = new OfflineAudioContext(1, 1, heardRate);
    const decoded = await Promise.race([context.decodeAudioData(await file.arrayBuffer()), late]);
    return decoded === undefined ? undefined : peaksOfSamples(decoded.getChannelData(0));
  } catch {
    return undefined;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function posterOf(
  element: HTMLVideoElement,
  params: { readonly durationMs: number | undefined; readonly signal: AbortSignal },
): Promise<{ blob: Blob; thumbhash: Uint8Array } | undefined> {
  try {
    const sought = eventOf(element, ["seeked"], params.signal);
    element.currentTime = Math.min(posterAt, (params.durationMs ?? 0) / 4000);
    await sought;
    const drawable = { source: element, width: element.videoWidth, height: element.videoHeight };
    const size = fitted(drawable, posterSide);
    let canvas = draw(drawable, size);
    // A browser may say that it is there some moments before there is a picture of it.
    while (!isVisible(canvas)) {
      params.signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, retryMs));
      canvas = draw(drawable, size);
    }
    const blob = await encodePicture(canvas, { mediaTypes: ["image/webp", "image/jpeg"], quality: posterQuality });
    return blob === undefined ? undefined : { blob, thumbhash: thumbhashOf({ source: canvas, ...size }) };
  } catch {
    return undefined;
  }
}
