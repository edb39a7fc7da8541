/** Development only: the app over sample data. `dev.html?scene=alarm&route=/c/ben&dir=rtl`. */
import { speak } from "../messages/words.ts";
import { startApp } from "../start.tsx";
import { createFakeHost } from "./fake-client.ts";
import type { Scene } from "./fake-client.ts";

const query = new URLSearchParams(globalThis.location.search);
// Whoever types an unknown scene gets the usual one.
const scene = (query.get("scene") ?? "usual") as Scene;
globalThis.history.replaceState(undefined, "", query.get("route") ?? "/");
document.documentElement.dir = query.get("dir") ?? "ltr";
await speak("en");
startApp(createFakeHost(scene));
