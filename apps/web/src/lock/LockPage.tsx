import "../styles/lock.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { Mark } from "../components/Icon.tsx";
import { tellMediaWorker } from "../files/media-registration.ts";
import { t } from "../messages/words.ts";
import type { LockPhase } from "../state/app-state.ts";
import { useAction, useApp } from "../state/context.ts";
import { LockProof } from "./LockProof.tsx";

/** The first and only thing that is shown of a profile that is locked: nothing on it comes from the profile (spec O-9). */
export function LockPage({ phase }: { readonly phase: LockPhase }): ReactElement {
  useEffect(() => void forgetShown(), []);
  return (
    <main className="blocked lock-page">
      <Mark size={56} />
      <h1>{t(phase.kind === "sealing" ? "lock.sealing" : "lock.locked")}</h1>
      {phase.kind === "sealing" && (
        <p role="status">{phase.records === 0 ? t("lock.sealingHint") : t("lock.sealingSome", { n: phase.records })}</p>
      )}
      {phase.kind === "locked" && <Locked phase={phase} />}
      {phase.kind === "locking" && phase.isDone && (
        <button type="button" className="button button-primary blocked-late" onClick={() => globalThis.location.reload()}>
          {t("lock.unlock")}
        </button>
      )}
    </main>
  );
}

function Locked({ phase: { lock } }: { readonly phase: Extract<LockPhase, { kind: "locked" }> }): ReactElement {
  const { controller } = useApp();
  return (
    <>
      <LockProof lock={lock} passphraseLabel={t("lock.unlock")} open={(opener) => controller.lock({ kind: "unlock", opener })} />
      <Forgotten />
    </>
  );
}

function Forgotten(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const [isAsking, setIsAsking] = useState(false);
  const erase = async (): Promise<boolean> => {
    const isDone = await act(() => controller.startOver());
    if (isDone) router.go({ kind: "home" }, { replace: true });
    return isDone;
  };
  return (
    <>
      <button type="button" className="button lock-forgotten" onClick={() => setIsAsking(true)}>
        {t("lock.forgotten")}
      </button>
      {isAsking && (
        <ConfirmDialog
          title={t("lock.forgottenTitle")}
          body={t("lock.forgottenBody")}
          confirmLabel={t("lock.forgottenDo")}
          confirm={erase}
          close={() => setIsAsking(false)}
        />
      )}
    </>
  );
}

/** Takes away what the system still shows of the profile, and has the app's worker forget the keys of files. */
async function forgetShown(): Promise<void> {
  tellMediaWorker({ kind: "media_forget" });
  void navigator.clearAppBadge?.().catch(() => undefined);
  const registration = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
  for (const notice of (await registration?.getNotifications().catch(() => [])) ?? []) notice.close();
}
