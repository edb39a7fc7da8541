import { mediaWorkerPath } from "../media-worker/messages.ts";
import workerAddress from "./client-worker.ts?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** The scripts that this app may start: the client's worker, and the one that answers what is shown of files. */
const addresses: Readonly<Record<"client" | "media", string>> = { client: workerAddress, media: mediaWorkerPath };

let policy: { createScriptURL(url: string): string } | undefined;

/** The address of a worker, blessed by the one policy of this app: it lets through exactly these addresses. */
export function scriptAddress(which: "client" | "media"): string {
  const whole = (path: string): string => new URL(path, globalThis.location.origin).href;
  // Not yet in the DOM types; absent in browsers without Trusted Types.
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return whole(addresses[which]);
  policy ??= trustedTypes.createPolicy("latchkey-worker", {
    createScriptURL(url) {
      if (!Object.values(addresses).some((path) => whole(path) === url)) throw new TypeError("not a worker of this app");
      return url;
    },
  });
  return policy.createScriptURL(whole(addresses[which]));
}
