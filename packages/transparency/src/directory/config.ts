import { equalBytes } from "@latchkey/codec";
import { TransparencyError } from "../errors.ts";
import { leafHash } from "../log/hashes.ts";
import { verifyInclusion } from "../log/verify.ts";
import { decodeOrRefuse, directoryConfigCodec, logEntryCodec } from "./structures.ts";
import type { DirectoryConfig } from "./structures.ts";
import type { DirectoryView } from "./view.ts";

/**
 * Notice of a new config (spec D-2): 7 days between two heads that the quorum before cosigned, by its witnesses' clocks; without
 * witnesses, by the reader's own.
 */
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
 * Takes note of a config that was logged: everybody is told of it. It takes effect by `openConfigChange` alone. The proof leads to the
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
  /** When this reader last met the log without the entry, by its own clock; 0 for never. */
  sightMs: number;
}): DirectoryView {
  const { view, index, sightMs } = params;
  verifyInclusion({ index, size: view.size, leafHash: leafHash(params.entry), proof: params.inclusion, root: view.root });
  const entry = decodeOrRefuse(logEntryCodec, params.entry, "D-2");
  if (view.pendingConfig?.index === index) return view;
  if (entry.config.length === 0 || entry.configIndex !== index || index <= view.configIndex) {
    throw new TransparencyError("config", "D-2", "the entry has no later configuration");
  }
  const config = decodeOrRefuse(directoryConfigCodec, entry.config, "D-2");
  checkSuccessorConfig(view.config, config);
  if (view.pendingConfig !== undefined) {
    throw new TransparencyError("config", "D-2", "a configuration was logged before the one before it took effect");
  }
  return { ...view, pendingConfig: { config, index, effectiveAtMs: entry.timestampMs + configNoticeMs, sightMs } };
}
