import { useState } from "react";
import type { ReactElement } from "react";
import { requestLimits } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { Field } from "../office/fields.tsx";
import { ActForm } from "./ActForm.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { dayWords } from "./request-words.ts";
import { useRequest, whyNot } from "./request-work.ts";

/** The end of a request, and when it is erased. */
export function ClosePart(): ReactElement {
  const work = useRequest();
  const { found, at, isBusy, act } = work;
  const { least, most, usual } = requestLimits.retentionDays;
  const [days, setDays] = useState(String(usual));
  const count = Number(days);
  const isGood = Number.isSafeInteger(count) && count >= least && count <= most;
  const why = whyNot("request-close", work);
  if (found.state === "closed") {
    return (
      <Part name="close">
        <p className="request-done">{t("legal.closed")}</p>
        {found.erasedDay !== undefined && <p>{t("legal.erasedOn", { day: dayWords(found.erasedDay) })}</p>}
      </Part>
    );
  }
  return (
    <Part name="close">
      {why === undefined ? (
        <ActForm
          label={t("legal.closeWords")}
          button={t("legal.close")}
          isBusy={isBusy}
          isUnready={!isGood}
          send={(words) => act("request-close", { ...at, words, retentionDays: count })}
        >
          <Field
            label={t("legal.keepDays")}
            hint={t("legal.keepDaysHint", { least, most })}
            value={days}
            isWrong={!isGood}
            isNumber
            change={setDays}
          />
        </ActForm>
      ) : (
        <WhyNot text={why} />
      )}
    </Part>
  );
}
