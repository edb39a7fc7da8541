import { CodecError, decode, encode } from "@latchkey/codec";
import {
  encodeWakeTarget,
  isAtPushService,
  wakeAad,
  wakeInfo,
  wakeKeyId,
  wakeKeysCodec,
  wakeSuite,
  wakeTokenCodec,
} from "@latchkey/protocol/wakes";
import type { WakeKeys } from "@latchkey/protocol/wakes";
import { createOperatorLabels } from "../directory/operator-labels.ts";
import type { World } from "../engine/world.ts";
import { ClientError } from "../errors.ts";
import { tokenEndMs } from "./due.ts";

/** How long what the host published is gone by. */
const keysForMs = 86_400_000;

/** Makes tokens of this device, sealed to its host (spec W-1). */
export class OwnTokens {
  readonly #world: World;
  #keys: { readonly keys: WakeKeys | undefined; readonly atMs: number } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  /** How the host wakes devices, by its public record; `undefined` where it does not. @throws ClientError as `OperatorLabels.newest` */
  async keys(): Promise<WakeKeys | undefined> {
    const { store, platform, connections, directory, own } = this.#world;
    const nowMs = platform.nowMs();
    if (this.#keys === undefined || Math.abs(nowMs - this.#keys.atMs) > keysForMs) {
      const labels = createOperatorLabels({ store, platform, connections, log: directory.log });
      this.#keys = { keys: parse(await labels.newest(own.host, "wake")), atMs: nowMs };
    }
    return this.#keys.keys;
  }

  /** @throws ClientError `not_permitted` where the host does not speak to the push service that has this address; as `keys` */
  async requireService(endpoint: string): Promise<void> {
    const keys = await this.keys();
    if (keys === undefined || !isAtPushService(endpoint, keys.services))
      throw new ClientError("not_permitted", "Your server does not speak to this push service.");
  }

  /** Another token each time; `undefined` where the host wakes nobody. @throws ClientError as `keys` */
  async seal(endpoint: string): Promise<{ token: Uint8Array; notAfterMs: number } | undefined> {
    const keys = await this.keys();
    if (keys === undefined) return undefined;
    const { publicKey } = keys;
    const { platform, own } = this.#world;
    const head = { host: own.host, keyId: wakeKeyId(publicKey), notAfterMs: tokenEndMs(platform.nowMs()) };
    const sealed = await platform.crypto.suite(wakeSuite).hpkeSeal({
      publicKey,
      info: wakeInfo,
      aad: wakeAad(head),
      plaintext: encodeWakeTarget({ tokenId: platform.random(16), endpoint }),
      random: platform.random,
    });
    return { token: encode(wakeTokenCodec, { format: 1, ...head, ...sealed }), notAfterMs: head.notAfterMs };
  }
}

function parse(value: Uint8Array | undefined): WakeKeys | undefined {
  if (value === undefined) return undefined;
  try {
    const keys = decode(wakeKeysCodec, value);
    return keys.services.length === 0 ? undefined : keys;
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
