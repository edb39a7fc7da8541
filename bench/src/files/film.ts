import { execFileSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";

/** Seconds of the part that is repeated. */
const partSeconds = 10;
const kilobits = 3500;

/**
 * Writes a film of about so many bytes, made by ffmpeg: H.264 of 1280 x 720 pixels with noise, a key frame every two seconds, AAC, 3.6 Mbit/s; what
 * describes it stands at its end, as cameras write it.
 */
export function writeFilm(folder: string, bytes: number): string {
  const [part, path] = [join(folder, "part.mp4"), join(folder, "film.mp4")];
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30,noise=alls=12:allf=t"];
  const sound = ["-f", "lavfi", "-i", "sine=frequency=440:beep_factor=4:sample_rate=48000"];
  const rate = ["-b:v", `${String(kilobits)}k`, "-maxrate", `${String(kilobits)}k`, "-bufsize", `${String(kilobits)}k`];
  const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "60", ...rate, "-c:a", "aac", "-b:a", "128k"];
  ffmpeg(...picture, ...sound, "-t", String(partSeconds), ...codecs, part);
  const times = Math.max(1, Math.round(bytes / statSync(part).size));
  ffmpeg("-stream_loop", String(times - 1), "-i", part, "-c", "copy", path);
  return path;
}

function ffmpeg(...args: readonly string[]): void {
  try {
    execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], { stdio: ["ignore", "ignore", "inherit"] });
  } catch (cause) {
    throw new Error("this needs ffmpeg with libx264 in the path", { cause });
  }
}
