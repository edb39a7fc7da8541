import type { FastifyReply } from "fastify";

/** The camera reads the codes of other devices, the microphone records voice messages; nothing else of the machine is the page's. */
const permissionsPolicy = [
  "camera=(self)",
  "microphone=(self)",
  ...["accelerometer", "autoplay", "bluetooth", "browsing-topics", "display-capture", "geolocation", "gyroscope", "hid"].map(none),
  ...["magnetometer", "midi", "payment", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking"].map(none),
].join(", ");

/** The one rule that the library of the app's menus puts into the page: what is pressed is neither scrolled nor zoomed by two taps. */
const pressStyle = "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='";

function none(feature: string): string {
  return `${feature}=()`;
}

/**
 * The policy of a worker that computes in WebAssembly, which the page's own forbids: it may compile that, and do nothing else, not even ask this
 * server for anything.
 */
export const wasmWorkerPolicy: string = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Headers of every answer. The page loads nothing from elsewhere, runs no inline code, and may make script URLs only
 * through the one policy that starts its worker.
 */
export function setSecurityHeaders(reply: FastifyReply, params: { socketOrigin: string; isSecure: boolean }): void {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' ${pressStyle}`,
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "font-src 'self'",
    `connect-src 'self' ${params.socketOrigin}`,
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types latchkey-worker",
  ].join("; ");
  void reply.headers({
    "content-security-policy": policy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "permissions-policy": permissionsPolicy,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  });
  if (params.isSecure) void reply.header("strict-transport-security", "max-age=31536000");
}
