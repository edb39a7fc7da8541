import { equalBytes } from "@latchkey/codec";
import type { World } from "../engine/world.ts";
import { usedKey } from "./facts.ts";
import type { OwnThings } from "./own-things.ts";

const dayMs = 86_400_000;

/** A device of the account, and since when it is one. */
export interface AddedDevice {
  /** 16 bytes. */
  readonly deviceId: Uint8Array;
  readonly addedAtMs: number;
}

/** When a device was in use last, as far as it said so, to the day; never before it was added, nor later than now. Milliseconds since 1970. */
export function lastUsedMs(things: Pick<OwnThings, "fact">, { deviceId, addedAtMs }: AddedDevice, nowMs: number): number {
  const fact = things.fact(usedKey(deviceId));
  const saidMs = fact?.kind === "used" ? fact.day * dayMs : 0;
  return Math.max(addedAtMs, Math.min(saidMs, nowMs));
}

/** Has the other devices know that this one is in use, at most once a day, where there are others and this device knows what time it is (spec A-15). */
export async function sayUse({ ownThings, own, platform, clock }: Pick<World, "ownThings" | "own" | "platform" | "clock">): Promise<void> {
  const nowMs = platform.nowMs();
  const { deviceId, account } = own;
  if (ownThings.isAlone() || !clock.isSure(nowMs)) return;
  const added = account.state.devices.find((device) => equalBytes(device.deviceId, deviceId));
  if (added === undefined) return;
  if (nowMs < lastUsedMs(ownThings, { deviceId, addedAtMs: added.addedMs }, nowMs) + dayMs) return;
  await ownThings.say([{ kind: "used", deviceId, day: Math.floor(nowMs / dayMs) }]);
}
