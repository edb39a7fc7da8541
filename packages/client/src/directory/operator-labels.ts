import { decode, encode, oneOf, opaqueV, optional, struct, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { maxOperatorValueBytes } from "@latchkey/protocol";
import type { OperatorLabelName } from "@latchkey/protocol";
import { decodeDirectoryProof, TransparencyError, verifyOperatorLabel } from "@latchkey/transparency";
import type { LabelState } from "@latchkey/transparency";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { DirectoryLog } from "./log.ts";
import { labelStateCodec } from "./proven.ts";
import { unavailable } from "./record-source.ts";

/** What a host's operator publishes to everybody (spec D-8). */
export interface OperatorLabels {
  /**
   * The newest value under a name, as the host's record has it now; `undefined` where it has none. A label that lost a value, or has
   * another history than was verified before, is an alarm as that of an account.
   * @throws ClientError `directory_unproven`, `directory_stale`, `directory_fork`, `offline`
   */
  newest(host: string, name: OperatorLabelName): Promise<Uint8Array | undefined>;
  /** The newest that was verified before. */
  known(host: string, name: OperatorLabelName): Promise<Uint8Array | undefined>;
  /** Where a label stands in the map and how many values it has, as they were verified last; `undefined` where it never had one. */
  state(host: string, name: OperatorLabelName): Promise<LabelState | undefined>;
}

/** What is remembered of a label. */
interface Known {
  readonly format: 1;
  readonly label: LabelState | undefined;
  readonly value: Uint8Array | undefined;
}

const knownCodec: Codec<Known> = struct<Known>({
  format: oneOf(uint16, [1]),
  label: optional(labelStateCodec),
  value: optional(opaqueV(maxOperatorValueBytes)),
});
const nothing: Known = { format: 1, label: undefined, value: undefined };

/** Looks labels up on connections that say nobody's name, and remembers what was verified of each. */
export function createOperatorLabels(params: {
  store: Store;
  platform: Pick<Platform, "verifyVrf">;
  connections: Pick<Connections, "once">;
  log: Pick<DirectoryLog, "knownSize" | "proveAt">;
}): OperatorLabels {
  const { store, platform, connections, log } = params;
  const keyOf = (host: string, name: OperatorLabelName): string => `directory/operator/${name}/${host}`;

  /** @param isAnew whether all of the label's history is asked for, to be held against what is known */
  async function lookUp(host: string, name: OperatorLabelName, known: Known, isAnew: boolean): Promise<Known> {
    const knownSize = await log.knownSize(host);
    const knownValues = isAnew ? 0 : (known.label?.version ?? 0);
    const answer = await connections.once("lookup", host, async (connection) =>
      expectAnswer(await connection.request({ kind: "lookup_operator", name, knownValues, knownSize }), "operator_value"),
    );
    if (answer.proof.length === 0) throw unavailable();
    const proof = decodeProof(answer.proof);
    const { consistency } = proof;
    const found = await log.proveAt({ host, head: proof.head, consistency, askedSize: knownSize }, (head) =>
      verifyOperatorLabel({ ...head, proof, name, known: known.label, verifyVrf: platform.verifyVrf, value: answer.value[0] }),
    );
    if (found.label === undefined) return nothing;
    // The place of a proof is a part of what came.
    const label = { index: found.label.index.slice(), version: found.label.version, chain: found.label.chain.slice() };
    return { format: 1, label, value: found.value?.slice() ?? known.value };
  }

  async function load(host: string, name: OperatorLabelName): Promise<Known> {
    const stored = await store.transact("read", (tx) => tx.get(keyOf(host, name)));
    return stored === undefined ? nothing : decode(knownCodec, stored);
  }

  return {
    known: async (host, name) => (await load(host, name)).value,
    state: async (host, name) => (await load(host, name)).label,
    async newest(host, name) {
      const known = await load(host, name);
      const found = await lookUp(host, name, known, false).catch(async (error: unknown) => {
        // Another history shows only when all of it is shown.
        const isUnproven = error instanceof ClientError && error.code === "directory_unproven" && !error.canRetry;
        if (!isUnproven || known.label === undefined) throw error;
        return await lookUp(host, name, known, true);
      });
      // With a head that is older than the view a label may have fewer values than are known: those count on.
      if ((found.label?.version ?? 0) < (known.label?.version ?? 0)) return known.value;
      if (found.label?.version !== known.label?.version) {
        await store.transact("write", (tx) => tx.put(keyOf(host, name), encode(knownCodec, found)));
      }
      return found.value;
    },
  };
}

function decodeProof(bytes: Uint8Array): ReturnType<typeof decodeDirectoryProof> {
  try {
    return decodeDirectoryProof(bytes);
  } catch (cause) {
    if (cause instanceof TransparencyError) throw new ClientError("directory_unproven", "The server's proof does not decode.", { cause });
    throw cause;
  }
}
