import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { leafHash } from "../log/hashes.ts";
import { verifyInclusion } from "../log/verify.ts";
import { decodeOrRefuse, directoryConfigCodec, logEntryCodec } from "./structures.ts";
import type { DirectoryConfig } from "./structures.ts";
import type { DirectoryView } from "./view.ts";

/** Log time from the entry with a new config until it is in effect (spec D-2): 7 days. */
export const configNoticeMs: number = 7 * 86_400_000;

/** A config may change keys of signing and policies; another origin or VRF key is another log. @throws TransparencyError `config` */
export function checkSuccessorConfig(
  before: { readonly origin: string; readonly vrfPublicKey: Uint8Array },
  config: DirectoryConfig,
): void {
  if (config.origin !== before.origin || !equalBytes(config.vrfPublicKey, before.vrfPublicKey)) {
    throw new TransparencyError("config", "D-2", "a configuration changes the origin or the VRF key");
  }
}

/**
 * Takes note of a config that was logged: it takes effect by itself for heads 7 days of log time later. The proof leads to the
 * view's own tree, which was verified under the config before.
 * @throws TransparencyError `proof` when the entry is not in the tree, `config` when it may not follow (spec D-2), `malformed`.
 */
export function learnConfig(params: {
  view: DirectoryView;
  /** Of the entry, above `view.configIndex`. */
  index: number;
  entry: Uint8Array;
  /** In the tree of `view.size`. */
  inclusion: readonly Uint8Array[];
}): DirectoryView {
  const { view, index } = params;
  verifyInclusion({ index, size: view.size, leafHash: leafHash(params.entry), proof: params.inclusion, root: view.root });
  const entry = decodeOrRefuse(logEntryCodec, params.entry, "D-2");
  if (view.pendingConfig?.index === index) return view;
  const current = configFor(view, entry.timestampMs);
  if (entry.config.length === 0 || entry.configIndex !== index || index <= current.index) {
    throw new TransparencyError("config", "D-2", "the entry has no later configuration");
  }
  const config = decodeOrRefuse(directoryConfigCodec, entry.config, "D-2");
  checkSuccessorConfig(current.config, config);
  if (view.pendingConfig !== undefined && current.index !== view.pendingConfig.index) {
    throw new TransparencyError("config", "D-2", "a configuration was logged before the one before it took effect");
  }
  const pendingConfig = { config, index, effectiveAtMs: entry.timestampMs + configNoticeMs };
  return { ...view, config: current.config, configIndex: current.index, pendingConfig };
}

/** The config in effect at a log time. */
export function configFor(view: DirectoryView, timestampMs: number): { config: DirectoryConfig; index: number } {
  const pending = view.pendingConfig;
  if (pending !== undefined && timestampMs >= pending.effectiveAtMs) return { config: pending.config, index: pending.index };
  return { config: view.config, index: view.configIndex };
}
