import "./report.css";
import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Notice, SentReport } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { Section } from "../components/settings/Section.tsx";
import { named, rowOf, t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { dayText, isPast } from "../state/days.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { useNow } from "../state/use-now.ts";
import { DisclosureCard } from "./DisclosureCard.tsx";
import { AppealDialog } from "./AppealDialog.tsx";
import type { Appealing } from "./AppealDialog.tsx";
import { ownCopies } from "./own-copies.ts";

/** Messages of a decision that are looked for here. */
const shownMessages = 20;

const Classified = lazyComponent(async () => (await import("./Classified.tsx")).Classified, "cases");

/** What the desk decided about this account, what was reported from here, and what became of it. */
export function ReportsPart(): ReactElement {
  const { controller, notify } = useApp();
  const act = useAction();
  const [notices, setNotices] = useState<readonly Notice[]>();
  const [reports, setReports] = useState<readonly SentReport[]>();
  const [target, setTarget] = useState<Appealing>();
  const read = useCallback(
    async (isFresh: boolean) => {
      const { client } = controller;
      const found = await client.notices();
      setNotices(found);
      setReports(await client.reports({ isFresh }));
      // Seen here is read: the line on top need not stay.
      for (const one of found) if (!one.isRead) await client.readNotice(one.noticeId);
    },
    [controller],
  );
  useEffect(() => {
    void act(async () => {
      await read(false);
      await read(true);
    });
  }, [act, read]);
  return (
    <>
      <Section heading={t("report.notices")}>
        {notices?.length === 0 && <p className="section-hint">{t("report.noNotices")}</p>}
        {notices?.map((one) => (
          <NoticeCard
            key={one.noticeId}
            notice={one}
            appeal={() =>
              setTarget({ target: { noticeId: one.noticeId }, messageIds: one.body.kind === "statement" ? one.body.messageIds : [] })
            }
          />
        ))}
      </Section>
      <Section heading={t("report.mine")}>
        {reports?.length === 0 && <p className="section-hint">{t("report.noReports")}</p>}
        {reports?.map((one) => (
          <ReportCard
            key={one.reportId}
            report={one}
            appeal={() =>
              setTarget({
                target: { reportId: one.reportId },
                messageIds: [],
                ...(one.conversationId === undefined ? {} : { conversationId: one.conversationId }),
              })
            }
          />
        ))}
        <button type="button" className="button" onClick={() => void act(() => read(true))}>
          {t("report.readAgain")}
        </button>
      </Section>
      {target !== undefined && (
        <AppealDialog
          {...target}
          close={(isDone) => {
            setTarget(undefined);
            if (!isDone) return;
            notify(t("report.appeal.sent"));
            void act(() => read(false));
          }}
        />
      )}
    </>
  );
}

/** A statement of reasons with everything that it has to say, or what became of an appeal. */
function NoticeCard({ notice, appeal }: { readonly notice: Notice; readonly appeal: () => void }): ReactElement {
  const nowMs = useNow();
  const { body } = notice;
  if (body.kind === "appeal-decided") {
    return (
      <article className="report-card">
        <h3>{t(`report.outcome.${body.outcome}`)}</h3>
        <p className="section-hint">{t("report.decidedOn", { day: dayText(body.decidedDay) })}</p>
        <p dir="auto">{body.words}</p>
      </article>
    );
  }
  if (body.kind === "disclosure") return <DisclosureCard body={body} />;
  const { ground, restrictions } = body;
  return (
    <article className="report-card">
      <h3>{t(`report.sanction.${body.sanction}`)}</h3>
      <p className="section-hint">{t("report.decidedOn", { day: dayText(body.decidedDay) })}</p>
      {restrictions.length > 0 && <p>{rowOf(restrictions.map((one) => named("report.restriction", one)))}</p>}
      {body.untilDay > 0 && <p>{t("report.until", { day: dayText(body.untilDay) })}</p>}
      <p className="section-hint">{t("report.never")}</p>
      <dl className="report-reasons">
        <dt>{t(`report.ground.${ground.kind}`)}</dt>
        <dd dir="auto">
          {ground.basis}
          {"\n"}
          {ground.explanation}
        </dd>
        {ground.referenceUrl !== "" && (
          <>
            <dt>{t("report.where")}</dt>
            {/* Shown, not linked: what a server writes leads nowhere by a slip of the finger. */}
            <dd dir="ltr">{ground.referenceUrl}</dd>
          </>
        )}
        <dt>{t("report.facts")}</dt>
        <dd dir="auto">{body.facts}</dd>
        <dt>{t("report.how")}</dt>
        <dd>{body.isAutomatedDecision ? t("report.byMachine") : t("report.byPerson")}</dd>
        <Classified category={body.category} contentTypes={body.contentTypes} />
        <Rests messageIds={body.messageIds} />
        {body.territory.length > 0 && (
          <>
            <dt>{t("report.territory")}</dt>
            <dd>{rowOf(body.territory)}</dd>
          </>
        )}
      </dl>
      {isPast(body.appealUntilDay, nowMs) ? (
        <p className="section-hint">{t("report.appeal.over", { day: dayText(body.appealUntilDay) })}</p>
      ) : (
        <>
          <p className="section-hint">{t("report.appeal.hint", { day: dayText(body.appealUntilDay) })}</p>
          <button type="button" className="button" onClick={appeal}>
            {t("report.appeal.button")}
          </button>
        </>
      )}
    </article>
  );
}

/** The messages that a decision rests on, as this device has them: the desk sends none of them back. */
function Rests({ messageIds }: { readonly messageIds: readonly string[] }): ReactElement | undefined {
  const { controller } = useApp();
  const [texts, setTexts] = useState<readonly string[]>([]);
  const ids = messageIds.slice(0, shownMessages).join(" ");
  useEffect(() => {
    if (ids === "") return undefined;
    let isGone = false;
    void ownCopies(controller.client, ids.split(" ")).then(
      (found) => {
        if (!isGone) setTexts(found);
      },
      // Then they are not shown; the decision is.
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [controller, ids]);
  if (messageIds.length === 0) return undefined;
  return (
    <>
      <dt>{t("report.rests", { n: messageIds.length })}</dt>
      {texts.map((text, index) => (
        <dd key={`${text} ${index}`} dir="auto">
          {text}
        </dd>
      ))}
      {texts.length < messageIds.length && <dd className="section-hint">{t("report.restsMissing")}</dd>}
    </>
  );
}

function warningText({ limitedUntilDay }: { readonly limitedUntilDay?: number }): string {
  return limitedUntilDay === undefined ? t("report.unfounded") : t("report.unfoundedLimited", { day: dayText(limitedUntilDay) });
}

function ReportCard({ report, appeal }: { readonly report: SentReport; readonly appeal: () => void }): ReactElement {
  const nowMs = useNow();
  const { status, kind, host, accused, madeAtMs, filesWaiting, filesLost } = report;
  const whom = accused === undefined ? host : nameOf(accused);
  return (
    <article className="report-card">
      <h3>{kind === "appeal" ? t("report.appealAt", { host }) : t("report.about", { name: whom })}</h3>
      <p className="section-hint">{rowOf([host, formatFull(madeAtMs)])}</p>
      <p>
        <strong>{t(`report.status.${status.kind}`)}</strong>
      </p>
      {filesWaiting > 0 && <p className="section-hint">{t("report.filesWaiting", { n: filesWaiting })}</p>}
      {filesLost > 0 && <p className="section-hint">{t("report.filesLost", { n: filesLost })}</p>}
      {status.kind === "decided" && <p>{status.isActedOn ? t("report.acted") : t("report.notActed")}</p>}
      {status.kind === "decided" && status.unfounded !== undefined && <p>{warningText(status.unfounded)}</p>}
      {status.kind === "appeal-decided" && <p>{t(`report.outcome.${status.outcome}`)}</p>}
      {"words" in status && status.words !== "" && <blockquote dir="auto">{status.words}</blockquote>}
      {status.kind === "decided" && !isPast(status.appealUntilDay, nowMs) && (
        <>
          <p className="section-hint">{t("report.appeal.hint", { day: dayText(status.appealUntilDay) })}</p>
          <button type="button" className="button" onClick={appeal}>
            {t("report.appeal.button")}
          </button>
        </>
      )}
    </article>
  );
}
