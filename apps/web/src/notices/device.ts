import type { Client } from "@latchkey/client";
import { container, registerWorker } from "../app-worker/registration.ts";
import { failureOf } from "../worker/protocol.ts";
import { wantNotices, wantsNotices } from "./choices.ts";

/** Why this browser is woken while the app is closed, or why it is not. */
export type WakeState =
  | "on"
  /** The server wakes nobody. */
  | "no_server"
  /** The browser has a push service to which the server does not speak. */
  | "other_service"
  /** The browser gave no address to be woken by. */
  | "no_push"
  /** It could not be arranged now, and is tried with the next start. */
  | "not_now";

/** What of notifications there is in this browser. */
export type NoticeState =
  /** It has none, or none here. */
  | "unsupported"
  /** The person, or whoever set up the browser, forbade them. */
  | "denied"
  | "off"
  | "on";

type WakingClient = Pick<Client, "pushKey" | "pushEndpoint" | "setPushEndpoint">;

/** As things are now. */
export function noticeState(): NoticeState {
  if (container() === undefined || typeof Notification === "undefined") return "unsupported";
  if (Notification.permission === "denied") return "denied";
  return Notification.permission === "granted" && wantsNotices() ? "on" : "off";
}

/** Asks the person by the browser's own question, which needs a press of theirs; whether there are notifications from now on. */
export async function turnOn(): Promise<boolean> {
  wantNotices((await Notification.requestPermission()) === "granted");
  return noticeState() === "on";
}

/** No notification is shown any more, and nobody wakes this browser. */
export async function turnOff(client: WakingClient): Promise<void> {
  wantNotices(false);
  await client.setPushEndpoint(undefined);
  await (await subscription())?.unsubscribe();
}

/** Has this browser woken while the app is closed, or not any more, as the person wants it: called when that changes, and with each start. */
export async function followWaking(client: WakingClient): Promise<WakeState> {
  try {
    if (noticeState() !== "on") {
      // The permission may have been taken away in the browser's own settings.
      if ((await client.pushEndpoint()) !== undefined) await client.setPushEndpoint(undefined);
      return "no_push";
    }
    const key = await client.pushKey();
    if (key === undefined) return "no_server";
    const endpoint = await subscribe(key.key.slice());
    if (endpoint !== (await client.pushEndpoint())) await client.setPushEndpoint(endpoint);
    return endpoint === undefined ? "no_push" : "on";
  } catch (error) {
    return failureOf(error).code === "not_permitted" ? "other_service" : "not_now";
  }
}

/** Where the browser's push service takes messages for this server. */
async function subscribe(applicationServerKey: Uint8Array<ArrayBuffer>): Promise<string | undefined> {
  await registerWorker();
  const registration = await container()?.ready;
  const known = await subscription();
  const knownKey = known?.options.applicationServerKey;
  if (known !== undefined && knownKey !== undefined && knownKey !== null && isSame(new Uint8Array(knownKey), applicationServerKey))
    return known.endpoint;
  await known?.unsubscribe();
  try {
    return (await registration?.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }))?.endpoint;
  } catch {
    // Private windows, browsers without their push service, and networks that do not let it through.
    return undefined;
  }
}

async function subscription(): Promise<PushSubscription | undefined> {
  const registration = await container()?.getRegistration("/");
  return (await registration?.pushManager?.getSubscription()) ?? undefined;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
