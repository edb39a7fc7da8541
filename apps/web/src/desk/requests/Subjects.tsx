import { useState } from "react";
import type { ReactElement } from "react";
import type { RequestSubject } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { scopeOf } from "./request-steps.ts";
import { useRequest, whyNot } from "./request-work.ts";

/** Of whom something is asked, and whether there are such accounts now. Nobody is looked up before who asks was verified. */
export function Subjects(): ReactElement {
  const work = useRequest();
  const { found, at, show } = work;
  const { refusal, run } = useOperation();
  const [isLooking, setIsLooking] = useState(false);
  const inScope = scopeOf(found).identifiers;
  const why = whyNot("request-identify", work);
  const left = found.subjects.filter((one) => one.found === undefined && inScope.includes(one.place));
  const lookUp = async (subjects: readonly RequestSubject[]): Promise<void> => {
    setIsLooking(true);
    let { revision } = at;
    for (const { place } of subjects) {
      const answer = await run("request-identify", { number: at.number, revision, place });
      if (answer === undefined) break;
      ({ revision } = answer.request);
      show(answer.request);
    }
    setIsLooking(false);
  };
  return (
    <Part name="subjects">
      {found.subjects.length === 0 && <p className="section-hint">{t("legal.noSubjects")}</p>}
      <ul className="request-subjects">
        {found.subjects.map((one) => (
          <li key={one.place}>
            <p>
              <span className="section-hint">{t(`legal.identifier.${one.kind}`)}</span> <bdi className="request-value">{one.value}</bdi>
              {!inScope.includes(one.place) && <span className="case-state">{t("legal.notInScope")}</span>}
            </p>
            <Outcome subject={one} />
          </li>
        ))}
      </ul>
      <Refusal code={refusal} />
      {left.length > 0 &&
        (why === undefined ? (
          <button type="button" className="button button-primary" disabled={work.isBusy || isLooking} onClick={() => void lookUp(left)}>
            <Icon name="search" size={18} />
            {t("legal.lookUp", { n: left.length })}
          </button>
        ) : (
          <WhyNot text={why} />
        ))}
      <p className="section-hint">{t("legal.lookUpHint")}</p>
    </Part>
  );
}

function Outcome({ subject: { found } }: { readonly subject: RequestSubject }): ReactElement {
  if (found === undefined) return <p className="section-hint">{t("legal.notLookedUp")}</p>;
  const { accountId, username, atMs, by } = found;
  return (
    <>
      <p className={accountId === undefined ? "" : "request-done"}>
        {accountId === undefined ? t("legal.noAccount") : t("legal.account", { name: username ?? accountId })}
        {username !== undefined && accountId !== undefined && (
          <>
            {" "}
            <code dir="ltr">{accountId}</code>
          </>
        )}
      </p>
      <p className="section-hint">{t("legal.lookedUpBy", { name: by, time: formatFull(atMs) })}</p>
    </>
  );
}
