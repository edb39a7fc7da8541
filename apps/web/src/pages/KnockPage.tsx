import "../styles/join.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { ClientFailure, JoinLinkPreview } from "@latchkey/client";
import { PageHeader } from "../components/PageHeader.tsx";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { failureOf } from "../worker/protocol.ts";

/** Asks to be let into a group by a link: nothing is sent before the person says so. */
export function KnockPage({ link }: { readonly link: string }): ReactElement {
  const { controller, router } = useApp();
  const [isBusy, act] = useBusyAction();
  const [preview, setPreview] = useState<JoinLinkPreview>();
  const [failure, setFailure] = useState<ClientFailure>();
  const [isAsked, setIsAsked] = useState(false);
  useEffect(() => {
    let isShown = true;
    controller.client
      .readJoinLink(link)
      .then((found) => isShown && setPreview(found))
      .catch((error: unknown) => isShown && setFailure(failureOf(error)));
    return () => {
      isShown = false;
    };
  }, [controller, link]);
  const ask = async (): Promise<void> => {
    setFailure(undefined);
    await act(async () => {
      try {
        await controller.client.knock(link);
        setIsAsked(true);
      } catch (error) {
        setFailure(failureOf(error));
      }
    });
  };
  const leave = (): void => router.go({ kind: "home" }, { replace: true });
  return (
    <main className="page">
      <PageHeader heading={t("join.knock.heading")} takesFocus />
      <div className="page-body knock">
        {failure !== undefined && (
          <div role="alert" className="notice notice-brass">
            <strong>{failureWords(failure).title}</strong>
            <p>{failureWords(failure).advice}</p>
          </div>
        )}
        {preview !== undefined && (
          <>
            <h2 className="knock-title">
              {isAsked ? (
                t("join.knock.asked")
              ) : (
                <bdi>{preview.name === "" ? t("join.knock.titleUnnamed") : t("join.knock.title", { name: preview.name })}</bdi>
              )}
            </h2>
            <p className="person-address">
              {isAsked && preview.name !== "" && <bdi>{preview.name} </bdi>}
              <bdi>{t("join.knock.on", { host: preview.host })}</bdi>
            </p>
            <p role="status">{isAsked ? t("join.knock.askedBody") : t("join.knock.body")}</p>
          </>
        )}
        <div className="dialog-actions">
          {preview !== undefined && !isAsked && (
            <button type="button" className="button button-primary" disabled={isBusy} onClick={() => void ask()}>
              {t("join.knock.ask")}
            </button>
          )}
          <button type="button" className={isAsked ? "button button-primary" : "button"} onClick={leave}>
            {isAsked ? t("join.knock.done") : t("join.knock.cancel")}
          </button>
        </div>
      </div>
    </main>
  );
}
