import type { ReactElement } from "react";
import type { LockPhase, Phase } from "../state/app-state.ts";
import { failureWords, t } from "../messages/words.ts";
import { Mark } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { isPastOpening } from "../worker/protocol.ts";
import { useApp } from "../state/context.ts";
import { loadNewest } from "../state/load-newest.ts";

const EraseDevice = lazyComponent(async () => (await import("../components/EraseDevice.tsx")).EraseDevice, "settings");

type Blocked = Exclude<Phase, { kind: "ready" } | LockPhase>;

/** What stands in the way of opening, and what to do about it. */
export function BlockedPage({ phase }: { readonly phase: Blocked }): ReactElement {
  const { controller, router } = useApp();
  const content = describe(phase);
  return (
    <main className="blocked">
      <Mark size={56} />
      <h1>{content.title}</h1>
      {phase.kind === "starting" ? (
        <p className="blocked-late">{content.advice}</p>
      ) : (
        content.advice !== "" && <p role="alert">{content.advice}</p>
      )}
      {phase.kind === "insecure" && (
        <a className="button button-primary" href={`https://${globalThis.location.hostname}`}>
          {t("blocked.insecureAction")}
        </a>
      )}
      {(phase.kind === "replaced" || phase.kind === "late") && (
        <button type="button" className="button button-primary" onClick={loadNewest}>
          {t("reload")}
        </button>
      )}
      {phase.kind === "failed" && !isPastOpening(phase.failure) && (
        <button
          type="button"
          className="button button-primary"
          onClick={() => {
            if (phase.failure.code === "closed" || phase.failure.code === "storage_newer") loadNewest();
            else {
              // What was open is gone with the account.
              if (phase.failure.code === "account_deleted") router.go({ kind: "home" }, { replace: true });
              controller.reopen();
            }
          }}
        >
          {phase.failure.code === "account_deleted"
            ? t("blocked.startAnew")
            : t(phase.failure.code === "storage_newer" ? "reload" : "blocked.reload")}
        </button>
      )}
      {phase.kind === "failed" && isPastOpening(phase.failure) && <EraseDevice isOut isShut />}
    </main>
  );
}

function describe(phase: Blocked): { readonly title: string; readonly advice: string } {
  switch (phase.kind) {
    case "starting":
      // As the page stands before its scripts (index.html), so that nothing jumps.
      return { title: t("appName"), advice: `${t("starting")}…` };
    case "late":
      return { title: t("blocked.late"), advice: t("blocked.lateAdvice") };
    case "in_use":
      return { title: t("blocked.inUse"), advice: t("blocked.inUseAdvice") };
    case "replaced":
      return { title: t("blocked.replaced"), advice: t("blocked.replacedAdvice") };
    case "insecure":
      return { title: t("blocked.insecure"), advice: t("blocked.insecureAdvice") };
    case "failed":
      return failureWords(phase.failure);
  }
}
