import { useState } from "react";
import type { ReactElement } from "react";
import { requestLimits, verificationMeans } from "@latchkey/client/desk";
import type { RequestVerification } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { formatFull } from "../../state/format.ts";
import { Field, SelectField } from "../office/fields.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { useRequest, whyNot } from "./request-work.ts";

/** Who asks, verified by something that does not stand in the request. */
export function Verification(): ReactElement {
  const work = useRequest();
  const { verification } = work.found;
  const why = whyNot("request-verify", work);
  return (
    <Part name="verification">
      {verification === undefined ? (
        <p className="section-hint">{t("legal.verifyLead")}</p>
      ) : (
        <>
          <p className="request-done">{t("legal.verifiedBy", { name: verification.by, time: formatFull(verification.atMs) })}</p>
          <dl className="case-facts">
            <dt>{t("legal.verify.how")}</dt>
            <dd>{t(`legal.means.${verification.how}`)}</dd>
            <dt>{t("legal.verify.contact")}</dt>
            <dd dir="auto">{verification.contact}</dd>
            <dt>{t("legal.verify.foundIn")}</dt>
            <dd dir="auto">{verification.foundIn}</dd>
            <dt>{t("legal.verify.answeredBy")}</dt>
            <dd dir="auto">{verification.answeredBy}</dd>
            {verification.words !== undefined && (
              <>
                <dt>{t("legal.verify.words")}</dt>
                <dd dir="auto">{verification.words}</dd>
              </>
            )}
          </dl>
        </>
      )}
      {verification === undefined && (why === undefined ? <VerifyForm /> : <WhyNot text={why} />)}
    </Part>
  );
}

function VerifyForm(): ReactElement {
  const { found, at, isBusy, act } = useRequest();
  /** In an emergency somebody has to be spoken with. */
  const means = found.isEmergency ? (["call-back", "in-person"] as const) : verificationMeans;
  const [how, setHow] = useState<RequestVerification["how"]>("call-back");
  const [contact, setContact] = useState("");
  const [foundIn, setFoundIn] = useState("");
  const [answeredBy, setAnsweredBy] = useState("");
  const [words, setWords] = useState("");
  const isWhole = [contact, foundIn, answeredBy].every((text) => text.trim() !== "");
  const { line, name, words: longest } = requestLimits;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void act("request-verify", {
          ...at,
          verification: {
            how,
            contact: contact.trim(),
            foundIn: foundIn.trim(),
            answeredBy: answeredBy.trim(),
            ...(words.trim() === "" ? {} : { words: words.trim() }),
          },
        });
      }}
    >
      {found.isEmergency && <p className="notice notice-brass">{t("legal.verifyEmergency")}</p>}
      <div className="request-pair">
        <SelectField
          label={t("legal.verify.how")}
          choices={means.map((one) => [one, t(`legal.means.${one}`)])}
          chosen={how}
          change={setHow}
        />
        <Field label={t("legal.verify.contact")} hint={t("legal.verify.contactHint")} value={contact} most={line} change={setContact} />
      </div>
      <div className="request-pair">
        <Field label={t("legal.verify.foundIn")} hint={t("legal.verify.foundInHint")} value={foundIn} most={line} change={setFoundIn} />
        <Field label={t("legal.verify.answeredBy")} value={answeredBy} most={name} change={setAnsweredBy} />
      </div>
      <Field label={t("legal.verify.words")} value={words} rows={2} most={longest} change={setWords} />
      <button type="submit" className="button button-primary" disabled={isBusy || !isWhole}>
        {t("legal.verify.button")}
      </button>
    </form>
  );
}
