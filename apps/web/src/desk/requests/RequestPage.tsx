import { useCallback, useEffect, useMemo, useState } from "react";
import type { ReactElement } from "react";
import type { DeskInput, RequestDetail, RequestTypeRow } from "@latchkey/client/desk";
import { rowOf, t } from "../../messages/words.ts";
import { countryName, formatFull } from "../../state/format.ts";
import { useNow } from "../../state/use-now.ts";
import { Heading } from "../office/Heading.tsx";
import { useOffice, useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { ClockLine, Clocks } from "./Clocks.tsx";
import { ClosePart } from "./ClosePart.tsx";
import { Facts } from "./Facts.tsx";
import { Files } from "./Files.tsx";
import { Letters } from "./Letters.tsx";
import { NoticePart } from "./NoticePart.tsx";
import { OtherActs } from "./OtherActs.tsx";
import { Part } from "./Part.tsx";
import { Preservation } from "./Preservation.tsx";
import { Release } from "./Release.tsx";
import { RequestContext } from "./request-work.ts";
import type { RequestAct, RequestWork } from "./request-work.ts";
import { Steps } from "./Steps.tsx";
import { Story } from "./Story.tsx";
import { Subjects } from "./Subjects.tsx";
import { Tasks } from "./Tasks.tsx";
import { TypeFacts } from "./TypeFacts.tsx";
import { Verification } from "./Verification.tsx";

/** Everything that the desk has of a request, and what can be done about it now. */
export function RequestPage({ number }: { readonly number: number }): ReactElement {
  const { session } = useOffice();
  const { isBusy, refusal, run } = useOperation();
  const nowMs = useNow();
  const [found, setFound] = useState<RequestDetail>();
  const [types, setTypes] = useState<readonly RequestTypeRow[]>([]);
  const read = useCallback(async () => {
    const answer = await run("request-get", { number });
    if (answer === undefined) return;
    setFound(answer.request);
    const rows = await run("request-types", {});
    if (rows !== undefined) setTypes(rows.types);
  }, [run, number]);
  useEffect(() => void read(), [read]);
  const begunMs = found?.verification !== undefined && found.preservation?.state === "asked" ? found.preservation.fromMs : undefined;
  useEffect(() => {
    if (begunMs === undefined) return undefined;
    // The copy is made meanwhile; asked less and less often, should that take long.
    const timer = setTimeout(() => void read(), Math.min(30_000, Math.max(1000, (Date.now() - begunMs) / 2)));
    return () => clearTimeout(timer);
  }, [begunMs, found, read]);
  const act = useCallback(
    async <Name extends RequestAct>(name: Name, input: DeskInput<Name>): Promise<boolean> => {
      const answer = await run(name, input);
      // Each of these answers with the request.
      if (answer !== undefined) setFound(answer.request);
      return answer !== undefined;
    },
    [run],
  );
  const { roles, name, approvesFromMs } = session.staff;
  const work = useMemo<RequestWork | undefined>(
    () =>
      found === undefined
        ? undefined
        : { found, at: { number, revision: found.revision }, roles, me: name, approvesFromMs, nowMs, isBusy, act, show: setFound },
    [found, number, roles, name, approvesFromMs, nowMs, isBusy, act],
  );
  const head = (
    <>
      <Heading text={t("legal.title", { n: number })} />
      <p>
        <a href="#requests">{t("legal.back")}</a>
      </p>
    </>
  );
  if (work === undefined || found === undefined) {
    return (
      <>
        {head}
        <Refusal code={refusal} tryAgain={() => void read()} />
      </>
    );
  }
  const type = types.find(({ id }) => id === found.type);
  return (
    <RequestContext value={work}>
      {head}
      <div className="case-head">
        <span className="case-state">{t(`legal.state.${found.state}`)}</span>
        {found.isEmergency && <span className="case-state request-emergency">{t("legal.emergency")}</span>}
        {found.due !== undefined && <ClockLine clock={found.due} nowMs={nowMs} />}
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => void read()}>
          {t("desk.readAgain")}
        </button>
      </div>
      <p className="request-lead">
        <strong lang="en">{found.title}</strong>
        <br />
        {rowOf([found.authority, countryName(found.country), found.intake.authority.reference, formatFull(found.receivedAtMs)])}
      </p>
      <Steps />
      <Refusal code={refusal} {...(refusal === "changed" ? { tryAgain: () => void read() } : {})} />
      <div className="request-columns">
        <div className="request-main">
          <Tasks />
          <Verification />
          <Subjects />
          <Release />
          <Letters />
          <NoticePart />
          <ClosePart />
          <OtherActs types={types} />
          <Story />
        </div>
        <div className="request-side">
          <Part name="clocks">
            <Clocks clocks={found.clocks} nowMs={nowMs} />
          </Part>
          <Part name="asked">
            <Facts />
          </Part>
          <Preservation />
          <Files />
          {type !== undefined && (
            <details className="office-more desk-card">
              <summary>{t("legal.byType")}</summary>
              <TypeFacts type={type} />
            </details>
          )}
        </div>
      </div>
    </RequestContext>
  );
}
