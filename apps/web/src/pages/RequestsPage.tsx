import { useState } from "react";
import type { ReactElement } from "react";
import type { ContactRequest } from "@latchkey/client";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { Knocks } from "../components/Knocks.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { PersonLabel } from "../components/PersonLabel.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatAgo, formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { useNow } from "../state/use-now.ts";
import "../styles/account.css";

const RequestReport = lazyComponent(async () => (await import("../reports/RequestReport.tsx")).RequestReport, "report");

/** People who are not accepted yet: who they are, and what to do with them. Nothing that they wrote was read. */
export function RequestsPage(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const { list, dropped } = useSelector((state) => state.requests);
  const [busy, setBusy] = useState<string>();
  const [asked, setAsked] = useState<ContactRequest>();
  const [reported, setReported] = useState<ContactRequest>();
  const nowMs = useNow();
  const accept = async (request: ContactRequest, details = false): Promise<void> => {
    setBusy(request.id);
    await act(async () => {
      const joined = await controller.acceptRequest(request.id);
      if (joined !== undefined) router.go({ kind: "conversation", id: joined.id, details }, { replace: true });
    });
    setBusy(undefined);
  };
  const decline = (request: ContactRequest): void => void act(() => controller.client.declineRequest(request.id));
  return (
    <main className="page">
      <PageHeader heading={t("requests.heading")} takesFocus />
      <div className="page-body">
        <p>{list.length === 0 ? t("requests.none") : t("requests.intro")}</p>
        {/* A list without markers is no list to some screen readers unless told. */}
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
        <ul role="list" className="people" aria-label={t("requests.heading")}>
          {list.map((request) => (
            <li key={request.id} className="person request">
              <PersonLabel person={request.person}>
                <span className="person-address" title={formatFull(request.receivedAtMs)}>
                  <bdi>
                    {request.person.username}@{request.person.host}
                  </bdi>
                  {" · "}
                  {formatAgo(request.receivedAtMs, nowMs)}
                </span>
                {request.state === "asks" && request.count > 1 && (
                  <span className="person-address">{t("requests.several", { n: request.count })}</span>
                )}
                {request.state !== "asks" && <span className="request-state">{t(`requests.state.${request.state}`)}</span>}
              </PersonLabel>
              <span className="request-actions">
                {request.state === "asks" && (
                  <button
                    type="button"
                    className="button button-small button-primary"
                    aria-label={t("requests.acceptLabel", { who: nameOf(request.person) })}
                    disabled={busy !== undefined}
                    onClick={() => void accept(request)}
                  >
                    {t("requests.accept")}
                  </button>
                )}
                {request.state === "failed" && (
                  <button
                    type="button"
                    className="button button-small"
                    onClick={() => router.go({ kind: "new", to: request.person.address })}
                  >
                    {t("requests.write")}
                  </button>
                )}
                <button
                  type="button"
                  className="button button-small"
                  aria-label={t("requests.declineLabel", { who: nameOf(request.person) })}
                  onClick={() => decline(request)}
                >
                  {t("requests.decline")}
                </button>
                {request.state === "asks" && (
                  <button
                    type="button"
                    className="button button-small button-danger-quiet"
                    aria-label={t("requests.reportLabel", { who: nameOf(request.person) })}
                    disabled={busy !== undefined}
                    onClick={() => setReported(request)}
                  >
                    {t("requests.report")}
                  </button>
                )}
                <button
                  type="button"
                  className="button button-small button-danger-quiet"
                  aria-label={t("requests.blockLabel", { who: nameOf(request.person) })}
                  onClick={() => setAsked(request)}
                >
                  {t("requests.block")}
                </button>
              </span>
            </li>
          ))}
        </ul>
        {dropped > 0 && <p className="section-hint">{t("requests.dropped", { n: dropped })}</p>}
        {list.length > 0 && <p className="section-hint">{t("requests.quiet")}</p>}
        <div className="requests-own">
          <Knocks />
        </div>
      </div>
      {reported !== undefined && (
        <RequestReport person={reported.person} accept={() => accept(reported, true)} close={() => setReported(undefined)} />
      )}
      {asked !== undefined && (
        <ConfirmDialog
          title={t("requests.blockTitle", { who: nameOf(asked.person) })}
          body={t("requests.blockBody")}
          confirmLabel={t("requests.block")}
          confirm={() => act(() => controller.client.block(asked.id))}
          close={() => setAsked(undefined)}
        />
      )}
    </main>
  );
}
