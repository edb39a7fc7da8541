import { words } from "./messages/words.ts";
import { startApp } from "./start.tsx";
import { connectClient } from "./worker/connect.ts";

if (globalThis.location.pathname === "/desk") void startDesk();
else startApp(connectClient());

/** The operator's page, which is no part of what others load, and has nothing to do with accounts in this browser. */
async function startDesk(): Promise<void> {
  const root = document.getElementById("root");
  if (root === null) throw new Error("the page has no root");
  try {
    (await import("./desk/start-desk.tsx")).startDesk(root);
  } catch {
    root.textContent = words.notLoaded;
  }
}
