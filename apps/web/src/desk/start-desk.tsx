import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Boundary } from "../components/Boundary.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { fetchWords, t } from "../messages/words.ts";
import { DeskRoot } from "./DeskRoot.tsx";
import { DeskSession } from "./desk-session.ts";
import "./desk.css";

/** For somebody outside who approves one release, and sees nothing else of the desk. */
const OutsidePage = lazyComponent(async () => {
  const [{ OutsidePage: page }] = await Promise.all([import("./requests/OutsidePage.tsx"), fetchWords("office")]);
  return page;
}, "legal");

/** Shows the desk: the operator's page where this tab has a link or its session, else that of those who work on reports. It opens no account and starts no worker. */
export function startDesk(root: HTMLElement): void {
  const { sessionStorage, location, history } = globalThis.window;
  const session = new DeskSession({ fetch: (...request) => globalThis.fetch(...request), sessionStorage, location, history });
  const isOperator = session.hasDoor;
  // Before anything is drawn: the secret leaves the address, and the link is used once.
  const opening = session.open();
  const code = takeCode(location, history);
  const isApproval = code?.kind === "approve";
  document.title = `${t("desk.title")} – ${t("appName")}`;
  createRoot(root).render(
    <StrictMode>
      <Boundary kind="page">
        {isApproval ? (
          <OutsidePage code={code.code} />
        ) : (
          <DeskRoot session={session} opening={opening} isOperator={isOperator && code === undefined} code={code?.code} />
        )}
      </Boundary>
    </StrictMode>,
  );
}

/** The one-time code in the address, for coming to the desk or for approving one release; it does not stay there. */
function takeCode(location: Location, history: History): { readonly kind: "enrol" | "approve"; readonly code: string } | undefined {
  const [, kind, code] = /^#(enrol|approve)=([\w-]{1,64})$/.exec(location.hash) ?? [];
  if (code === undefined) return undefined;
  history.replaceState(undefined, "", location.pathname);
  return { kind: kind === "approve" ? "approve" : "enrol", code };
}
