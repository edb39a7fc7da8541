/** Why a camera cannot be used: `denied` by the person or the system, `none` there, `unavailable` in this browser or over plain HTTP. */
export type CameraProblem = "denied" | "none" | "unavailable";

/** Reads QR codes in pictures of a camera. */
export type CodeReader = (video: HTMLVideoElement) => Promise<string | undefined>;

interface NativeDetector {
  detect(source: HTMLVideoElement): Promise<readonly { readonly rawValue: string }[]>;
}

interface NativeDetectorClass {
  new (options: { formats: readonly string[] }): NativeDetector;
  getSupportedFormats(): Promise<readonly string[]>;
}

/** Longest side of the picture that is searched, in pixels: enough for a code that fills a third of it. */
const searchedPixels = 720;

/** The browser's own reader where it has one, else one in JavaScript, fetched now. */
export async function createCodeReader(): Promise<CodeReader> {
  const native = await nativeDetector();
  if (native !== undefined) return async (video) => (await native.detect(video))[0]?.rawValue;
  const { decodeQR } = await import("qr/decode.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return async (video) => {
    const { videoWidth, videoHeight } = video;
    if (context === null || videoWidth === 0 || videoHeight === 0) return undefined;
    const scale = Math.min(1, searchedPixels / Math.max(videoWidth, videoHeight));
    canvas.width = Math.round(videoWidth * scale);
    canvas.height = Math.round(videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    return decodePicture(context.getImageData(0, 0, canvas.width, canvas.height), decodeQR);
  };
}

/** The text of the code in a picture, or `undefined` when there is none to be read. */
export function decodePicture(
  picture: { readonly width: number; readonly height: number; readonly data: Uint8Array | Uint8ClampedArray },
  decode: (picture: { width: number; height: number; data: Uint8Array | Uint8ClampedArray }) => string,
): string | undefined {
  try {
    return decode(picture);
  } catch {
    // The decoder throws for every picture without a code.
    return undefined;
  }
}

async function nativeDetector(): Promise<NativeDetector | undefined> {
  // Not yet in the DOM types; present in Chromium on Android, ChromeOS and macOS.
  const { BarcodeDetector } = globalThis as { BarcodeDetector?: NativeDetectorClass };
  if (BarcodeDetector === undefined) return undefined;
  try {
    const formats = await BarcodeDetector.getSupportedFormats();
    return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : undefined;
  } catch {
    return undefined;
  }
}

/** Opens the camera that looks away from the person, where there is a choice. */
export async function openCamera(): Promise<MediaStream | CameraProblem> {
  // Absent over plain HTTP and in some embedded browsers, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return "unavailable";
  try {
    return await devices.getUserMedia({
      audio: false,
      video: { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    return cameraProblem(error);
  }
}

/** What a refusal of `getUserMedia` means. */
export function cameraProblem(error: unknown): CameraProblem {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "NotReadableError" || name === "OverconstrainedError") return "none";
  return "unavailable";
}
