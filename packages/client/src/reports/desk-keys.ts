import { CodecError, decode, encode, optional, safeUint64, struct } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import { deskKeysCodec } from "@latchkey/protocol/reports";
import type { DeskKeys } from "@latchkey/protocol/reports";
import { createOperatorLabels } from "../directory/operator-labels.ts";
import type { OperatorLabels } from "../directory/operator-labels.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";

const key = (host: string): string => `desk-keys/${host}`;
interface Stored {
  /** Absent of a host that has no desk. */
  readonly keys: DeskKeys | undefined;
  readonly checkedAtMs: number;
}
const storedCodec: Codec<Stored> = struct<Stored>({ keys: optional(deskKeysCodec), checkedAtMs: safeUint64 });

/** What is asked of a `DeskKeyring`. */
export type DeskKeySource = Pick<DeskKeyring, "newest" | "known" | "checkedAtMs">;

/** The keys of hosts' desks, by their public records (spec D-8, V-1): the same for everybody, or an alarm. */
export class DeskKeyring {
  readonly #world: Pick<World, "store" | "platform">;
  readonly #labels: OperatorLabels;

  constructor(world: World) {
    this.#world = world;
    const { store, platform, connections, directory } = world;
    this.#labels = createOperatorLabels({ store, platform, connections, log: directory.log });
  }

  /** As the record has them now. @throws ClientError `not_permitted` where the host has no desk; as `OperatorLabels.newest` */
  async newest(host: string): Promise<DeskKeys> {
    const value = await this.#labels.newest(host, "desk");
    const keys = value === undefined ? undefined : parse(value);
    const { store, platform } = this.#world;
    await store.transact("write", (tx) => tx.put(key(host), encode(storedCodec, { keys, checkedAtMs: platform.nowMs() })));
    if (keys === undefined) throw new ClientError("not_permitted", "Who runs this server takes no reports through Latchkey.");
    return keys;
  }

  /** As they were when the record was asked last. */
  async known(host: string): Promise<DeskKeys | undefined> {
    return (await this.#stored(host))?.keys;
  }

  /** When the record was asked last, milliseconds since 1970; 0 for never. */
  async checkedAtMs(host: string): Promise<number> {
    return (await this.#stored(host))?.checkedAtMs ?? 0;
  }

  async #stored(host: string): Promise<Stored | undefined> {
    const value = await this.#world.store.transact("read", (tx) => tx.get(key(host)));
    return value === undefined ? undefined : decode(storedCodec, value);
  }
}

function parse(value: Uint8Array): DeskKeys | undefined {
  try {
    return decode(deskKeysCodec, value);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
