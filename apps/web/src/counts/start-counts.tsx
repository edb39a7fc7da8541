import { openPublicCounts } from "@latchkey/client/counts";
import { createWebPlatform } from "@latchkey/client/web";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Boundary } from "../components/Boundary.tsx";
import { t } from "../messages/words.ts";
import { CountsPage } from "./CountsPage.tsx";
import "./counts.css";

/** Shows what this server counts in public. It opens no account and starts no worker. */
export function startCounts(root: HTMLElement): void {
  const counts = openPublicCounts({ platform: createWebPlatform(), serverUrl: globalThis.location.origin });
  document.title = `${t("counts.title")} – ${t("appName")}`;
  createRoot(root).render(
    <StrictMode>
      <Boundary kind="page">
        <CountsPage counts={counts} />
      </Boundary>
    </StrictMode>,
  );
}
