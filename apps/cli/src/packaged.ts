import { getAssetKeys, getRawAsset, isSea } from "node:sea";

const prefix = "web/";

/** The files of the web app by their path, where this is the single executable that carries them. Shared: not to be changed. */
export function packagedWebApp(): ReadonlyMap<string, Uint8Array> | undefined {
  if (!isSea()) return undefined;
  const keys = getAssetKeys().filter((key) => key.startsWith(prefix));
  return new Map(keys.map((key) => [key.slice(prefix.length), new Uint8Array(getRawAsset(key))]));
}
