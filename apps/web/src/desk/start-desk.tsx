import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Boundary } from "../components/Boundary.tsx";
import { t } from "../messages/words.ts";
import { DeskPage } from "./DeskPage.tsx";
import { DeskSession } from "./desk-session.ts";
import "./desk.css";

/** Shows the operator's page. It opens no account and starts no worker. */
export function startDesk(root: HTMLElement): void {
  const { sessionStorage, location, history } = globalThis.window;
  const session = new DeskSession({ fetch: (...request) => globalThis.fetch(...request), sessionStorage, location, history });
  // Before anything is drawn: the secret leaves the address, and the link is used once.
  const opening = session.open();
  document.title = `${t("desk.title")} – ${t("appName")}`;
  createRoot(root).render(
    <StrictMode>
      <Boundary kind="page">
        <DeskPage session={session} opening={opening} />
      </Boundary>
    </StrictMode>,
  );
}
