import { read, write } from "./preferences.ts";

/** A browser's offer to install the app (Chromium); not in the DOM types. */
interface InstallEvent extends Event {
  prompt(): Promise<{ readonly outcome: "accepted" | "dismissed" }>;
}

const installedKey = "latchkey.installed";
let offer: InstallEvent | undefined;
const listeners = new Set<() => void>();

/** Keeps the browser's offer for the settings, instead of a banner over the first screen; and remembers that the app was installed. */
export function listenForInstall(): void {
  globalThis.addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    // It is offered only where it is not installed, or not any more.
    write(installedKey, undefined);
    offered(event as InstallEvent);
  });
  globalThis.addEventListener("appinstalled", () => {
    write(installedKey, "1");
    offered(undefined);
  });
  if (globalThis.matchMedia("(display-mode: standalone)").matches) write(installedKey, "1");
}

function offered(event: InstallEvent | undefined): void {
  offer = event;
  for (const listener of listeners) listener();
}

/** Whether this browser's app was installed as one of the system's, as far as this origin was told. */
export function isInstalled(): boolean {
  return read(installedKey) !== undefined;
}

/** Whether the browser offers to install it now. */
export function canInstall(): boolean {
  return offer !== undefined;
}

/** Calls when that changes. Returns what ends it. */
export function onInstallChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Has the browser ask the person; an offer counts once. */
export async function install(): Promise<void> {
  const asked = offer;
  offered(undefined);
  await asked?.prompt();
}
