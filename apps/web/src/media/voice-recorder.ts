import { createStopwatch } from "./stopwatch.ts";
import { loudnessOf, peaksOf } from "./waveform.ts";
import { withDuration } from "./webm-duration.ts";
import { packetSizes } from "./packet-sizes.ts";
import type { PacketSizes } from "./packet-sizes.ts";

/** Longest recording: 14 MB of it. */
export const maxVoiceMs: number = 60 * 60 * 1000;
/** Bits a second: speech is clear, and an hour of it is small. */
const bitsPerSecond = 32_000;
/** One size for all packets; not yet in the DOM types, and not in all browsers. */
const constantRate: MediaRecorderOptions & { readonly audioBitrateMode: "constant" } = { audioBitrateMode: "constant" };
/** How often it is looked how loud it is. */
const stepMs = 50;
/** How often the browser hands out what it recorded. */
const sliceMs = 1000;
/** Containers, the best known first. */
const mediaTypes = ["audio/webm;codecs=opus", "audio/mp4;codecs=opus", "audio/mp4"];

/** Why nothing is recorded. */
export type NoVoice =
  /** The person, or the system, does not let this site use the microphone. */
  | "denied"
  | "no_microphone"
  /** There is one, and something else has it. */
  | "busy"
  /** The browser records nothing that others can play. */
  | "unsupported";

/** What ended a recording: the person, its longest time, or that the microphone went. */
export type VoiceEnd = "finished" | "limit" | "microphone_gone" | "discarded";

/** A recording as it is sent. */
export interface VoiceRecording {
  readonly blob: Blob;
  /** Without parameters. */
  readonly mediaType: string;
  readonly durationMs: number;
  /** How loud it is, 64 times over its length. */
  readonly peaks: Uint8Array;
  /** Whether all packets have one size, as the browser was asked for. Where they do not, how large the file is tells a little of how it was spoken. */
  readonly packets: PacketSizes["kind"];
}

/** A recording that runs. All times are of what is recorded: pauses do not count. */
export interface VoiceRecorder {
  readonly state: () => "recording" | "paused" | "ended";
  readonly elapsedMs: () => number;
  /** How loud it is now, 0 to 1. */
  readonly level: () => number;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Ends it, once; `undefined` where nothing was recorded, or it was discarded. */
  readonly finish: () => Promise<VoiceRecording | undefined>;
  /** Ends it and keeps nothing. */
  readonly discard: () => void;
  /** Resolves when it ended, by whatever; `finish` gives what was recorded until then. */
  readonly ended: Promise<VoiceEnd>;
}

/** A recording that runs, or why there is none. */
export type VoiceStart =
  | { readonly kind: "recording"; readonly recorder: VoiceRecorder }
  | { readonly kind: "refused"; readonly reason: NoVoice };

/** Asks for the microphone and records from it. Needs a page; never throws. */
export async function startVoice(limitMs: number = maxVoiceMs): Promise<VoiceStart> {
  const mediaType = typeof MediaRecorder === "undefined" ? undefined : mediaTypes.find((type) => MediaRecorder.isTypeSupported(type));
  if (mediaType === undefined || typeof navigator.mediaDevices?.getUserMedia !== "function")
    return { kind: "refused", reason: "unsupported" };
  let stream: MediaStream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
  } catch (error) {
    return { kind: "refused", reason: reasonOf(error) };
  }
  try {
    return { kind: "recording", recorder: record(stream, { mediaType, limitMs }) };
  } catch {
    release(stream);
    return { kind: "refused", reason: "unsupported" };
  }
}

function reasonOf(error: unknown): NoVoice {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "no_microphone";
  return name === "NotReadableError" || name === "AbortError" ? "busy" : "denied";
}

function record(stream: MediaStream, { mediaType, limitMs }: { mediaType: string; limitMs: number }): VoiceRecorder {
  const recorder = new MediaRecorder(stream, { mimeType: mediaType, audioBitsPerSecond: bitsPerSecond, ...constantRate });
  const watch = createStopwatch();
  const slices: Blob[] = [];
  const loudnesses: number[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<VoiceEnd>();
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  let isDiscarded = false;
  let recording: Promise<VoiceRecording | undefined> | undefined;

  const elapsedMs = (): number => Math.min(limitMs, watch.elapsedMs(performance.now()));
  const halt = (reason: VoiceEnd): void => {
    end(reason);
    watch.stop(performance.now());
    clearInterval(steps);
    // What it still has comes before its event "stop", also where it stopped by itself.
    if (recorder.state !== "inactive") recorder.stop();
    release(stream);
    meter.close();
  };
  recorder.addEventListener("dataavailable", ({ data }) => {
    if (data.size > 0 && !isDiscarded) slices.push(data);
  });
  recorder.addEventListener("stop", () => {
    halt("microphone_gone");
    stop();
  });
  recorder.addEventListener("error", () => halt("microphone_gone"));
  for (const track of stream.getTracks()) track.addEventListener("ended", () => halt("microphone_gone"));
  recorder.start(sliceMs);
  watch.start(performance.now());
  const meter = createMeter(stream);
  // A page that is not seen is called less often: what was not heard is as loud as what was heard last.
  const steps = setInterval(() => {
    if (recorder.state !== "recording") return;
    const loudness = meter.level();
    while (loudnesses.length * stepMs < elapsedMs()) loudnesses.push(loudness);
    if (elapsedMs() >= limitMs) halt("limit");
  }, stepMs);

  return {
    state: () => (recorder.state === "inactive" ? "ended" : recorder.state),
    elapsedMs,
    level: () => (recorder.state === "recording" ? meter.level() : 0),
    pause() {
      if (recorder.state !== "recording") return;
      recorder.pause();
      watch.stop(performance.now());
    },
    resume() {
      if (recorder.state !== "paused") return;
      recorder.resume();
      watch.start(performance.now());
    },
    finish() {
      recording ??= (async () => {
        halt("finished");
        await stopped;
        return await finished({ slices, mediaType, loudnesses, durationMs: Math.round(elapsedMs()) });
      })();
      return recording;
    },
    discard() {
      isDiscarded = true;
      slices.length = 0;
      loudnesses.length = 0;
      halt("discarded");
    },
    ended,
  };
}

async function finished(params: {
  readonly slices: readonly Blob[];
  readonly mediaType: string;
  readonly loudnesses: readonly number[];
  readonly durationMs: number;
}): Promise<VoiceRecording | undefined> {
  const { slices, loudnesses, durationMs } = params;
  const mediaType = params.mediaType.split(";", 1)[0] ?? params.mediaType;
  if (slices.length === 0 || durationMs === 0) return undefined;
  const bytes = new Uint8Array(await new Blob([...slices]).arrayBuffer());
  const packets = packetSizes(bytes).kind;
  return {
    blob: new Blob([withDuration(bytes, durationMs)], { type: mediaType }),
    mediaType,
    durationMs,
    peaks: peaksOf(loudnesses),
    packets,
  };
}

/** Says how loud a stream is; without a meter, which some systems do not give, it is silent. */
function createMeter(stream: MediaStream): { level: () => number; close: () => void } {
  try {
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    void context.resume().catch(() => undefined);
    const samples = new Float32Array(analyser.fftSize);
    return {
      level() {
        analyser.getFloatTimeDomainData(samples);
        return loudnessOf(samples);
      },
      close: () => void context.close().catch(() => undefined),
    };
  } catch {
    return { level: () => 0, close: () => undefined };
  }
}

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
