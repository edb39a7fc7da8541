// The page of media.e2e.ts, and its worker: what they do is started from the test.
import { joinParts } from "virtual:web/media/bytes.ts";
import { preparePicture } from "virtual:web/media/prepare-picture.ts";
import { prepareVideo } from "virtual:web/media/prepare-video.ts";
import { startVoice } from "virtual:web/media/voice-recorder.ts";
import { packetSizes } from "virtual:web/media/packet-sizes.ts";
import { avif, avifPicture } from "virtual:web/media/testing/heif.ts";
import * as pictures from "virtual:web/media/testing/pictures.ts";
import type { PreparedVideo } from "virtual:web/media/prepare-video.ts";
import type { PictureQuality } from "virtual:web/media/prepare-picture.ts";
import type { NoVoice, VoiceEnd, VoiceRecorder } from "virtual:web/media/voice-recorder.ts";

const { latin1 } = pictures;
/** What stands in metadata, and nowhere in what is sent. */
const secret = "secret place";
type Colour = readonly [red: number, green: number, blue: number, alpha: number];
const colours = { red: [255, 0, 0, 255], green: [0, 255, 0, 255], blue: [0, 0, 255, 255], none: [0, 0, 0, 0] } as const satisfies Record<
  string,
  Colour
>;

/** A picture as it is sent, as far as a test looks at it. */
export interface SeenPicture {
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  readonly isAnimated: boolean;
  readonly thumbhashBytes: number;
  readonly bytes: number;
  /** Its metadata are still there. */
  readonly hasSecret: boolean;
  /** Pictures that the browser finds in it. */
  readonly frames: number;
  /** The colours near its corners, from the first row on. */
  readonly corners: readonly string[];
}

/** The name of a file of {@link MediaChecks.picture}. */
export type FileName =
  | "photo"
  | "smallPhoto"
  | "smallTurnedPhoto"
  | "drawing"
  | "longLine"
  | "largeTransparent"
  | "turnedWebp"
  | "animatedGif"
  | "animatedPng"
  | "animatedWebp"
  | "avif"
  | "noAvif"
  | "heic"
  | "svg"
  | "html"
  | "huge"
  | "hugeAnimation"
  | "broken"
  | "brokenAnimation"
  | "empty";

/** The files, by name. */
const files: Readonly<Record<FileName, () => Promise<Uint8Array<ArrayBuffer>>>> = {
  /** 12 megapixels, red on the left and blue on the right, to be turned by a quarter. */
  photo: async () => withExif(await drawn(4032, 3024, "image/jpeg"), 6),
  smallPhoto: async () => withExif(await drawn(64, 32, "image/jpeg"), 1),
  smallTurnedPhoto: async () => withExif(await drawn(64, 32, "image/jpeg"), 6),
  drawing: async () => joinParts([await drawn(64, 32, "image/png"), latin1(secret)]),
  longLine: () => drawn(1, 3000, "image/png"),
  largeTransparent: () => drawn(5000, 100, "image/png", "none"),
  turnedWebp: () =>
    Promise.resolve(pictures.webp(pictures.webpHeader(0x18), pictures.webpPixel, pictures.riffChunk("EXIF", pictures.exif(6, secret)))),
  animatedGif: () =>
    Promise.resolve(
      joinParts([
        pictures.gifHeader(),
        pictures.gifLoop,
        pictures.gifExtension(0xfe, latin1(secret)),
        pictures.gifControl(),
        pictures.gifPicture(0),
        pictures.gifControl(),
        pictures.gifPicture(1),
        pictures.gifEnd,
        latin1(secret),
      ]),
    ),
  animatedPng: () => pictures.animatedPng(8, 8, pictures.pngChunk("tEXt", latin1(`Comment\0${secret}`))),
  animatedWebp: async () => {
    const frame = pictures.webpFrame(pictures.riffChunk("abcd", latin1(secret)));
    const about = pictures.riffChunk("XMP ", latin1(`<x>${secret}</x>`));
    return pictures.webp(pictures.webpHeader(0x16), pictures.webpAnimation, frame, frame, about);
  },
  avif: () => Promise.resolve(avif([avifPicture, { type: "mime", data: latin1(secret) }])),
  noAvif: () => Promise.resolve(latin1("\0\0\0\u0018ftypavif\0\0\0\0mif1avif")),
  heic: () => {
    const bytes = avif([avifPicture, { type: "Exif", data: joinParts([new Uint8Array(4), pictures.exif(1, secret)]) }]);
    bytes.set(latin1("heic\0\0\0\0heic"), 8);
    return Promise.resolve(bytes);
  },
  svg: () =>
    Promise.resolve(latin1('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>globalThis.wasRun = true</script></svg>')),
  html: () => Promise.resolve(latin1("<!doctype html><script>globalThis.wasRun = true</script>")),
  huge: () => Promise.resolve(pictures.png(pictures.pngHeader(30_000, 30_000), pictures.pngChunk("IDAT"), pictures.pngChunk("IEND"))),
  hugeAnimation: () =>
    Promise.resolve(joinParts([pictures.gifHeader(60_000, 1000), pictures.gifPicture(0), pictures.gifPicture(1), pictures.gifEnd])),
  broken: () =>
    Promise.resolve(pictures.png(pictures.pngHeader(9, 9), pictures.pngChunk("IDAT", latin1("no rows")), pictures.pngChunk("IEND"))),
  brokenAnimation: () => Promise.resolve(joinParts([pictures.gifHeader(), pictures.gifPicture(0), pictures.gifPicture(1).subarray(0, 9)])),
  empty: () => Promise.resolve(new Uint8Array(0)),
};

/** What the page can do. */
export interface MediaChecks {
  /** Prepares one of the files; its reason where it goes as a file. */
  picture(name: FileName, quality?: PictureQuality): Promise<SeenPicture | string>;
  /** What is sent of one that goes as a file. */
  asFile(name: FileName): Promise<unknown>;
  /** The same in a worker, without its looks. */
  pictureInWorker(name: FileName): Promise<string>;
  /** How often the browser was asked to decode something meanwhile. */
  decodings(run: FileName): Promise<number>;
  /** The browser hands out noise for what is drawn. */
  pictureWithNoise(name: FileName): Promise<string>;
  /** A film that the browser records; with a place in it where it is an MP4. */
  video(type: "webm" | "mp4"): Promise<unknown>;
  sound(seconds: number): Promise<unknown>;
  noVideo(): Promise<unknown>;
  /** The time to look at it is over before it begins. */
  lateVideo(): Promise<unknown>;
  voice: {
    start(limitMs?: number): Promise<"recording" | NoVoice>;
    /** Where the microphone is not to be had for that reason. */
    startWithout(errorName: string): Promise<"recording" | NoVoice>;
    /** The microphone is unplugged meanwhile. */
    startAndUnplug(): Promise<VoiceEnd | undefined>;
    /** Where the browser knows no WebM. */
    startWithoutWebm(): Promise<"recording" | NoVoice>;
    look(): { readonly state: string; readonly elapsedMs: number; readonly level: number; readonly end: VoiceEnd | undefined };
    pause(): void;
    resume(): void;
    discard(): void;
    finish(): Promise<unknown>;
  };
}

let voice: VoiceRecorder | undefined;
let end: VoiceEnd | undefined;

const checks: MediaChecks = {
  async picture(name, quality = "standard") {
    const prepared = await preparePicture(new Blob([await files[name]()]), quality);
    if (prepared.kind === "as_file") return prepared.reason;
    const { blob, mediaType, width, height, isAnimated, thumbhash } = prepared;
    const bytes = new Uint8Array(await blob.arrayBuffer());
    return {
      mediaType,
      width,
      height,
      isAnimated,
      thumbhashBytes: thumbhash.length,
      bytes: bytes.length,
      hasSecret: pictures.contains(bytes, secret),
      frames: await framesOf(bytes, mediaType),
      corners: await cornersOf(blob),
    };
  },
  async asFile(name) {
    const bytes = await files[name]();
    const prepared = await preparePicture(new Blob([bytes]), "standard");
    if (prepared.kind !== "as_file") return prepared.kind;
    const sent = new Uint8Array(await prepared.blob.arrayBuffer());
    return { metadata: prepared.metadata, bytes: sent.length - bytes.length, hasSecret: pictures.contains(sent, secret) };
  },
  async pictureInWorker(name) {
    const worker = new Worker(trustedAddress("/page.js") as string, { type: "module" });
    const answered = new Promise<string>((resolve) =>
      worker.addEventListener("message", ({ data }) => resolve(String(data)), { once: true }),
    );
    worker.postMessage(name, []);
    const answer = await answered;
    worker.terminate();
    return answer;
  },
  async decodings(name) {
    const decode = globalThis.createImageBitmap;
    let count = 0;
    Object.assign(globalThis, { createImageBitmap: (...args: Parameters<typeof decode>) => (count++, decode(...args)) });
    try {
      await preparePicture(new Blob([await files[name]()]), "standard");
    } finally {
      Object.assign(globalThis, { createImageBitmap: decode });
    }
    return count;
  },
  async pictureWithNoise(name) {
    const { prototype } = OffscreenCanvasRenderingContext2D;
    const read = prototype.getImageData;
    prototype.getImageData = (x, y, width, height) =>
      new ImageData(crypto.getRandomValues(new Uint8ClampedArray(width * height * 4)), width);
    try {
      const prepared = await preparePicture(new Blob([await files[name]()]), "standard");
      return prepared.kind === "as_file" ? prepared.reason : prepared.kind;
    } finally {
      prototype.getImageData = read;
    }
  },
  async video(type) {
    const recorded = await film(type);
    const prepared = await prepareVideo(type === "mp4" ? await withPlace(recorded) : recorded);
    if (prepared.kind !== "video") return prepared;
    const { poster, blob, ...looks } = prepared;
    return {
      ...looks,
      hasSecret: pictures.contains(new Uint8Array(await blob.arrayBuffer()), secret),
      // What is sent plays as well.
      again: (await prepareVideo(blob)).kind,
      posterCorners: poster === undefined ? [] : await cornersOf(poster.blob),
      thumbhashBytes: poster?.thumbhash.length,
    };
  },
  async sound(seconds) {
    const prepared = await prepareVideo(new Blob([wav(seconds)], { type: "audio/wav" }));
    if (prepared.kind !== "audio") return prepared;
    const { blob: _, peaks, ...looks } = prepared;
    return { ...looks, peaks: peaks === undefined ? undefined : [peaks.length, Math.min(...peaks) > 240] };
  },
  noVideo: () =>
    withoutBlob(prepareVideo(new Blob([latin1("<!doctype html><script>globalThis.wasRun = true</script>")], { type: "video/mp4" }))),
  async lateVideo() {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = () => AbortSignal.abort();
    try {
      return await withoutBlob(prepareVideo(new Blob([wav(1)], { type: "audio/wav" })));
    } finally {
      AbortSignal.timeout = timeout;
    }
  },
  voice: {
    async start(limitMs) {
      const started = await startVoice(limitMs);
      if (started.kind === "refused") return started.reason;
      voice = started.recorder;
      end = undefined;
      void voice.ended.then((reason) => (end = reason));
      return "recording";
    },
    async startWithout(errorName) {
      const devices = navigator.mediaDevices;
      Object.defineProperty(devices, "getUserMedia", { configurable: true, value: () => Promise.reject(new DOMException("", errorName)) });
      try {
        return await checks.voice.start();
      } finally {
        Reflect.deleteProperty(devices, "getUserMedia");
      }
    },
    async startAndUnplug() {
      const { prototype } = MediaDevices;
      const open = prototype.getUserMedia;
      let stream: MediaStream | undefined;
      prototype.getUserMedia = async function (constraints) {
        return (stream = await open.call(this, constraints));
      };
      try {
        await checks.voice.start();
      } finally {
        prototype.getUserMedia = open;
      }
      while ((voice?.elapsedMs() ?? 0) < 300) await new Promise(requestAnimationFrame);
      for (const track of stream?.getTracks() ?? []) track.dispatchEvent(new Event("ended"));
      return voice?.ended;
    },
    async startWithoutWebm() {
      const isSupported = MediaRecorder.isTypeSupported.bind(MediaRecorder);
      MediaRecorder.isTypeSupported = (type) => !type.includes("webm") && isSupported(type);
      try {
        return await checks.voice.start();
      } finally {
        MediaRecorder.isTypeSupported = isSupported;
      }
    },
    look: () => ({ state: voice?.state() ?? "none", elapsedMs: voice?.elapsedMs() ?? 0, level: voice?.level() ?? 0, end }),
    pause: () => voice?.pause(),
    resume: () => voice?.resume(),
    discard: () => voice?.discard(),
    async finish() {
      const recording = await voice?.finish();
      if (recording === undefined) return undefined;
      const { blob, peaks, ...others } = recording;
      const element = new Audio(URL.createObjectURL(blob));
      await new Promise((resolve) => element.addEventListener("loadedmetadata", resolve, { once: true }));
      return {
        ...others,
        bytes: blob.size,
        peaks: [...peaks],
        playsMs: Math.round(element.duration * 1000),
        sizes: packetSizes(new Uint8Array(await blob.arrayBuffer())),
      };
    },
  },
};

async function withoutBlob(prepared: Promise<PreparedVideo>): Promise<unknown> {
  const { blob: _, ...looks } = await prepared;
  return looks;
}

/** Left red, right blue, or of another colour than red. */
async function drawn(width: number, height: number, type: string, left: keyof typeof colours = "red"): Promise<Uint8Array<ArrayBuffer>> {
  const canvas = new OffscreenCanvas(width, height);
  paint(canvas, left);
  const blob = await canvas.convertToBlob({ type, quality: 0.9 });
  return new Uint8Array(await blob.arrayBuffer());
}

function paint(canvas: OffscreenCanvas | HTMLCanvasElement, left: keyof typeof colours): void {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  const { width, height } = canvas;
  context.fillStyle = `rgb(${colours[left].slice(0, 3).join(" ")} / ${String(colours[left][3] / 255)})`;
  context.fillRect(0, 0, width / 2, height);
  context.fillStyle = "rgb(0 0 255)";
  context.fillRect(width / 2, 0, width / 2, height);
}

function withExif(jpeg: Uint8Array, orientation: number): Uint8Array<ArrayBuffer> {
  const block = pictures.jpegSegment(0xe1, joinParts([latin1("Exif\0\0"), pictures.exif(orientation, secret)]));
  return joinParts([jpeg.subarray(0, 2), block, pictures.jpegSegment(0xfe, latin1(secret)), jpeg.subarray(2)]);
}

async function framesOf(bytes: Uint8Array<ArrayBuffer>, type: string): Promise<number> {
  const decoder = new ImageDecoder({ data: bytes, type });
  await decoder.tracks.ready;
  await decoder.completed;
  return decoder.tracks.selectedTrack?.frameCount ?? 0;
}

async function cornersOf(blob: Blob): Promise<string[]> {
  const bitmap = await createImageBitmap(blob);
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.drawImage(bitmap, 0, 0);
  const [right, bottom] = [Math.max(0, width - 3), Math.max(0, height - 3)];
  const [x, y] = [Math.min(2, width - 1), Math.min(2, height - 1)];
  return [
    [x, y],
    [right, y],
    [x, bottom],
    [right, bottom],
  ].map(([atX = 0, atY = 0]) => nearest(context.getImageData(atX, atY, 1, 1).data));
}

function nearest(pixel: Uint8ClampedArray): string {
  const distance = (colour: Colour): number => colour.reduce((sum, value, at) => sum + Math.abs(value - (pixel[at] ?? 0)), 0);
  return Object.entries(colours).toSorted(([, a], [, b]) => distance(a) - distance(b))[0]?.[0] ?? "";
}

/** A film of about a second, as the browser records it: a WebM does not know its own length. */
async function film(type: "webm" | "mp4"): Promise<Blob> {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: `video/${type}` });
  const slices: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => slices.push(data));
  const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
  recorder.start();
  const beganMs = performance.now();
  while (performance.now() - beganMs < 1000) {
    paint(canvas, "red");
    await new Promise(requestAnimationFrame);
  }
  recorder.stop();
  await stopped;
  return new Blob(slices, { type: `video/${type}` });
}

/** An MP4 that says where it was recorded, at the end of what describes it. */
async function withPlace(mp4: Blob): Promise<Blob> {
  const bytes = new Uint8Array(await mp4.arrayBuffer());
  const view = new DataView(bytes.buffer);
  let at = 0;
  while (String.fromCharCode(...bytes.subarray(at + 4, at + 8)) !== "moov") at += view.getUint32(at);
  const end = at + view.getUint32(at);
  const place = latin1(`\0\0\0\u0000udta\0\0\0\u0000\u00a9xyz${secret}`);
  place[3] = place.length;
  place[11] = place.length - 8;
  view.setUint32(at, end - at + place.length);
  return new Blob([bytes.subarray(0, end), place.slice(), bytes.subarray(end)], { type: mp4.type });
}

/** A tone of 8,000 samples a second. */
function wav(seconds: number): Uint8Array<ArrayBuffer> {
  const samples = Uint8Array.from({ length: 8000 * seconds }, (_, at) => 128 + Math.round(100 * Math.sin(at / 3)));
  const format = pictures.riffChunk("fmt ", pictures.hex("0100 0100 401f0000 401f0000 0100 0800"));
  return new Uint8Array(pictures.riffChunk("RIFF", joinParts([latin1("WAVE"), format, pictures.riffChunk("data", samples)])));
}

/** The one policy that the server's headers let a page have. */
function trustedAddress(address: string): unknown {
  const { trustedTypes } = globalThis as unknown as {
    trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(url: string): unknown } };
  };
  return trustedTypes.createPolicy("latchkey-worker", { createScriptURL: (url: string) => url }).createScriptURL(address);
}

if (typeof document === "undefined")
  addEventListener("message", ({ data }: MessageEvent<FileName>) => {
    void (async () => {
      const prepared = await preparePicture(new Blob([await files[data]()]), "standard");
      postMessage(
        prepared.kind === "as_file" ? prepared.reason : `${prepared.mediaType} ${String(prepared.width)} x ${String(prepared.height)}`,
      );
    })();
  });
else Object.assign(globalThis, { media: checks });
