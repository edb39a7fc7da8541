import { workerPath } from "../service-worker/messages.ts";
import picturesAddress from "../attach/picture-thread.ts?worker&url";
import opaqueAddress from "../passphrase/wasm-opaque.ts?worker&url";
import workerAddress from "./client-worker.ts?worker&url";

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

/** A script that this app may start: the client's worker, the app's service worker, and those that make pictures ready and compute for passphrases. */
type Script = "client" | "app" | "pictures" | "opaque";

const addresses: Readonly<Record<Script, string>> = {
  client: workerAddress,
  app: workerPath,
  pictures: picturesAddress,
  opaque: opaqueAddress,
};

let policy: { createScriptURL(url: string): string } | undefined;

/** The address of a worker, blessed by the one policy of this app: it lets through exactly these addresses. */
export function scriptAddress(which: Script): string {
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
