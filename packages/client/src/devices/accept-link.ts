import { compareBytes, equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { deviceIdOf } from "@latchkey/transparency";
import type { AccountState, DeviceEntry } from "@latchkey/transparency";
import type { LinkState } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { answerPatienceMs, linkLifeMs, linkPlace, parseLinkCode } from "./link-code.ts";
import { beginExistingSide } from "./link-machine.ts";
import { LinkSession, packLinked } from "./link-session.ts";
import { inheritedRecords, loadDeviceNames, putDeviceName } from "./linked-account.ts";
import type { DeviceName } from "./linked-account.ts";
import { putLinkTask } from "./link-task.ts";
import type { OwnStates, WantedState } from "./own-states.ts";

/** Most devices of an account (spec section 30). */
const maxDevices = 16;

/** What taking up an offer needs. */
export interface AcceptParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  readonly states: OwnStates;
  readonly code: string;
  readonly emit: (state: LinkState) => void;
  /** Conversations that the new device will be added to. */
  readonly conversations: () => readonly Uint8Array[];
  /** A state with this device is about to be published. */
  readonly onPublish: (deviceId: Uint8Array) => void;
  /** The new device has its account: it is added everywhere and gets the history. */
  readonly onLinked: () => void;
  /** The linking failed after a state with the new device may have been published. */
  readonly onUndo: (deviceId: Uint8Array) => Promise<void>;
}

/** Takes up a new device's offer (spec A-7). Resolves once both screens show digits. @throws ClientError `invalid_code`, `link_expired`, `link_refused`, `offline` */
export function acceptLink(params: AcceptParams): LinkSession {
  const { store, platform, connections, states, emit } = params;
  const { secret, host: namedHost } = parseLinkCode(params.code);
  const { host, accountId, username, deviceName, account } = states.own;
  if (namedHost !== undefined && namedHost !== host) {
    throw new ClientError("invalid_code", "This code is of a device that uses another server.");
  }
  if (account.state.devices.length >= maxDevices)
    throw new ClientError("not_permitted", "An account has at most 16 devices. Remove one first.");
  const place = linkPlace(secret);
  let device: DeviceEntry | undefined;
  let offeredName = "";
  const session: LinkSession = new LinkSession({
    platform,
    connections,
    host,
    place,
    first: { machine: beginExistingSide(place, { host, accountId, username, deviceName }), effects: [] },
    emit(state) {
      if (state.kind === "compare") offeredName = state.deviceName;
      emit(state);
    },
    async handle(effect) {
      switch (effect.kind) {
        case "publish": {
          const entry = effect.device;
          device = entry;
          if (!equalBytes(deviceIdOf(entry.signatureKey), entry.deviceId)) return { kind: "failed", code: "server_lied" };
          const { deviceId } = entry;
          params.onPublish(deviceId);
          const expiresAtMs = platform.nowMs() + linkLifeMs;
          await states.publish(
            (state) => withDevice(state, entry, effect.pop),
            (tx) => {
              putLinkTask(tx, { deviceId, stage: "published", expiresAtMs });
              putDeviceName(tx, toBase64Url(deviceId), offeredName);
            },
          );
          const { own } = states;
          const { records, names } = await store.transact("read", async (tx) => ({
            records: await inheritedRecords(tx),
            names: await loadDeviceNames(tx),
          }));
          const message = await packLinked(
            { platform, baseUrl: connections.httpUrl(host) },
            {
              format: 1,
              displayName: own.displayName,
              ...own.record,
              names: [...names].map(([id, name]): DeviceName => ({ deviceId: fromBase64Url(id), name })),
              records,
              conversations: params.conversations(),
            },
          );
          return { kind: "published", message };
        }
        case "linked":
          if (device !== undefined) {
            const { deviceId } = device;
            await store.transact("write", (tx) => putLinkTask(tx, { deviceId, stage: "linked", expiresAtMs: 0 }));
          }
          params.onLinked();
          return undefined;
        case "undo":
          if (device !== undefined) await params.onUndo(device.deviceId);
          return undefined;
        case "enroll":
        case "store":
          throw new Error("an existing device enrolls nowhere");
      }
    },
  });
  const cancel = platform.setTimer(answerPatienceMs, () => session.unanswered());
  session.compared.promise.then(cancel, cancel);
  return session;
}

function withDevice(state: AccountState, device: DeviceEntry, pop: Uint8Array): WantedState | undefined {
  if (state.devices.some((known) => equalBytes(known.deviceId, device.deviceId))) return undefined;
  if (state.devices.length >= maxDevices) throw new ClientError("not_permitted", "An account has at most 16 devices. Remove one first.");
  return { devices: [...state.devices, device].toSorted((a, b) => compareBytes(a.deviceId, b.deviceId)), pops: [pop] };
}
