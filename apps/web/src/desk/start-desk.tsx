import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Boundary } from "../components/Boundary.tsx";
import { t } from "../messages/words.ts";
import { DeskRoot } from "./DeskRoot.tsx";
import { DeskSession } from "./desk-session.ts";
import "./desk.css";

/** Shows the desk: the operator's page where this tab has a link or its session, else that of those who work on reports. It opens no account and starts no worker. */
export function startDesk(root: HTMLElement): void {
  const { sessionStorage, location, history } = globalThis.window;
  const session = new DeskSession({ fetch: (...request) => globalThis.fetch(...request), sessionStorage, location, history });
  const isOperator = session.hasDoor;
  // Before anything is drawn: the secret leaves the address, and the link is used once.
  const opening = session.open();
  const code = takeCode(location, history);
  document.title = `${t("desk.title")} – ${t("appName")}`;
  createRoot(root).render(
    <StrictMode>
      <Boundary kind="page">
        <DeskRoot session={session} opening={opening} isOperator={isOperator && code === undefined} code={code} />
      </Boundary>
    </StrictMode>,
  );
}

/** The one-time code in the address, which does not stay there. */
function takeCode(location: Location, history: History): string | undefined {
  const [, code] = /^#enrol=([\w-]{1,64})$/.exec(location.hash) ?? [];
  if (code !== undefined) history.replaceState(undefined, "", location.pathname);
  return code;
}
