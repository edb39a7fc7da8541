import { decode } from "@latchkey/codec";
import { configChangeCodec, logEntryCodec, openConfigChange, peekHeadSize, TransparencyError } from "@latchkey/transparency";
import type { DirectoryView, HeadParams, SignedHead } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import { checkpointOf, growthOf } from "./growth.ts";
import type { RecordSource } from "./record-source.ts";

/** Changes that are followed at a time. */
const maxChanges = 16;

/** Whether a head says that a config may be in effect which this view does not have; it is not verified yet. */
export function mayHaveChanged(view: DirectoryView | undefined, head: SignedHead, nowMs: number): boolean {
  const { configIndex } = decode(logEntryCodec, head.entry);
  if (configIndex <= (view?.configIndex ?? 0)) return false;
  const pending = view?.pendingConfig;
  return pending?.index !== configIndex || nowMs >= pending.effectiveAtMs;
}

/**
 * Follows the changes of the config up to the one that a head names, each under the one before it (spec D-2). One that cannot be had, or
 * whose notice is not over, ends it: what is followed until there holds.
 * @param params `known` is of the view, or of the first contact
 * @returns the view with the last config that is in effect, the one given when none is, and the encoded changes that led to it
 * @throws TransparencyError when a change is false
 */
export async function followConfigs(params: {
  known: HeadParams;
  head: SignedHead;
  source: RecordSource;
}): Promise<{ readonly view: DirectoryView | undefined; readonly changes: readonly Uint8Array[] }> {
  const { known, head, source } = params;
  let { view } = known;
  const changes: Uint8Array[] = [];
  try {
    for (const index of await changesUpTo(head, view?.configIndex ?? 0, source)) {
      const bytes = await source.configChange(index);
      const change = decode(configChangeCodec, bytes);
      const join = async (one: SignedHead): Promise<readonly Uint8Array[]> => {
        const [shown, own] = [checkpointOf(one.checkpoint), view];
        if (own === undefined || own.size === 0) return [];
        const [from, to] = shown.size <= own.size ? [shown, own] : [own, shown];
        return (await growthOf({ from: from.size, to, source })).proof;
      };
      const [consistency, lastConsistency] = [await join(change.first), await join(change.last)];
      view = await openConfigChange({ ...known, view, change, consistency, lastConsistency });
      changes.push(bytes);
    }
  } catch (error) {
    const isNotYet = error instanceof ClientError || (error instanceof TransparencyError && error.code === "config");
    if (!isNotYet) throw error;
  }
  return { view, changes };
}

/** Indices of the configs after one up to that of a head, oldest first. What the entries say is verified with each change. */
async function changesUpTo(head: SignedHead, after: number, source: RecordSource): Promise<readonly number[]> {
  const size = peekHeadSize(head);
  const indices: number[] = [];
  let index = decode(logEntryCodec, head.entry).configIndex;
  while (index > after) {
    indices.unshift(index);
    if (indices.length > maxChanges) throw new TransparencyError("config", "D-2", "the configuration was changed too often");
    const [entry] = await source.entries(index - 1, index, size);
    const before = entry === undefined ? index : decode(logEntryCodec, entry).configIndex;
    if (before >= index) throw new TransparencyError("config", "D-2", "an entry names a later configuration");
    index = before;
  }
  return indices;
}
