import { useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { challengeGrounds, challengeOutcomes, dataCategories, refusalReasons, requestLimits } from "@latchkey/client/desk";
import type { RequestTypeRow } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { Choices, Field, RadioChoice, SelectField } from "../office/fields.tsx";
import { ActForm } from "./ActForm.tsx";
import { draftOfIntake, draftOfSecrecy, secrecyOf } from "./intake-draft.ts";
import { IntakeForm } from "./IntakeForm.tsx";
import { Part, WhyNot } from "./Part.tsx";
import { scopeOf } from "./request-steps.ts";
import { useRequest, whyNot } from "./request-work.ts";
import type { OfferedAct } from "./request-work.ts";
import { SecrecyFields } from "./SecrecyFields.tsx";

/** What else can be done with a request: narrowing, disputing, refusing, a lawyer's word, its secrecy, correcting. */
export function OtherActs({ types }: { readonly types: readonly RequestTypeRow[] }): ReactElement {
  const { found } = useRequest();
  return (
    <Part name="other">
      <Challenged />
      <One act="request-narrow" summary={t("legal.narrow")}>
        <Narrow />
      </One>
      {found.state !== "challenged" && (
        <One act="request-challenge" summary={t("legal.challenge")}>
          <Challenge />
        </One>
      )}
      <One act="request-refuse" summary={t("legal.refuse")}>
        <Refuse />
      </One>
      {found.may.includes("request-extend") && (
        <One act="request-extend" summary={t("legal.putOff")}>
          <PutOff />
        </One>
      )}
      <One act="request-sign-off" summary={t("legal.signOff")}>
        <SignOff />
      </One>
      <One act="request-secrecy" summary={t("legal.changeSecrecy")}>
        <Secrecy />
      </One>
      <One act="request-change" summary={t("legal.correct")}>
        <Correct types={types} />
      </One>
    </Part>
  );
}

/** An act that opens when somebody wants it, or says why it cannot be done now. */
function One(props: { readonly act: OfferedAct; readonly summary: string; readonly children: ReactNode }): ReactElement {
  const work = useRequest();
  const why = whyNot(props.act, work);
  // Each change of the request begins it anew.
  return (
    <details key={work.found.revision} className="office-more request-act">
      <summary>{props.summary}</summary>
      {why === undefined ? props.children : <WhyNot text={why} />}
    </details>
  );
}

function Narrow(): ReactElement {
  const { found, at, isBusy, act } = useRequest();
  const now = scopeOf(found);
  const { identifiers } = found.intake;
  const [places, setPlaces] = useState<readonly string[]>(now.identifiers.map(String));
  const [categories, setCategories] = useState(now.categories);
  const [fromDay, setFromDay] = useState(now.period?.fromDay ?? "");
  const [toDay, setToDay] = useState(now.period?.toDay ?? "");
  const period = { ...(fromDay === "" ? {} : { fromDay }), ...(toDay === "" ? {} : { toDay }) };
  return (
    <ActForm
      label={t("legal.words")}
      hint={t("legal.narrowHint")}
      button={t("legal.narrow")}
      isBusy={isBusy}
      isUnready={categories.length === 0 && found.intake.categories.length > 0}
      send={(words) =>
        act("request-narrow", {
          ...at,
          words,
          scope: {
            identifiers: places.map(Number).toSorted((one, other) => one - other),
            categories,
            ...(fromDay === "" && toDay === "" ? {} : { period }),
          },
        })
      }
    >
      <Choices
        label={t("legal.field.identifiers")}
        choices={identifiers.map(({ value }, place) => [String(place + 1), value])}
        chosen={places}
        isWrong={false}
        change={setPlaces}
      />
      <Choices
        label={t("legal.field.categories")}
        choices={dataCategories
          .filter((one) => found.intake.categories.includes(one))
          .map((one) => [one, t(`legal.category.${one}`), t(`legal.categoryHint.${one}`)])}
        chosen={categories}
        isWrong={false}
        change={(chosen) => setCategories(dataCategories.filter((one) => chosen.includes(one)))}
      />
      <div className="request-pair">
        <Field label={t("legal.field.fromDay")} value={fromDay} type="date" change={setFromDay} />
        <Field label={t("legal.field.toDay")} value={toDay} type="date" change={setToDay} />
      </div>
    </ActForm>
  );
}

function Challenge(): ReactElement {
  const { at, isBusy, act } = useRequest();
  const [ground, setGround] = useState<(typeof challengeGrounds)[number] | "">("");
  return (
    <ActForm
      label={t("legal.words")}
      hint={t("legal.challengeHint")}
      button={t("legal.challenge")}
      isBusy={isBusy}
      isUnready={ground === ""}
      send={(words) => (ground === "" ? Promise.resolve(false) : act("request-challenge", { ...at, ground, words }))}
    >
      <SelectField
        label={t("legal.groundLabel")}
        choices={challengeGrounds.map((one) => [one, t(`legal.ground.${one}`)])}
        chosen={ground}
        change={setGround}
      />
    </ActForm>
  );
}

/** A dispute, and what came of it. */
function Challenged(): ReactElement | undefined {
  const work = useRequest();
  const { found, at, isBusy, act } = work;
  const [outcome, setOutcome] = useState<(typeof challengeOutcomes)[number]>();
  const { challenge } = found;
  if (challenge === undefined) return undefined;
  const why = whyNot("request-challenge-end", work);
  return (
    <>
      <p>
        <strong>{t("legal.challengedBy", { name: challenge.by, ground: t(`legal.ground.${challenge.ground}`) })}</strong>
      </p>
      <p dir="auto">{challenge.words}</p>
      {challenge.outcome !== undefined && <p className="request-done">{t(`legal.outcome.${challenge.outcome}`)}</p>}
      {found.state === "challenged" &&
        (why === undefined ? (
          <ActForm
            label={t("legal.words")}
            button={t("legal.challengeEnd")}
            isBusy={isBusy}
            isUnready={outcome === undefined}
            send={(words) => (outcome === undefined ? Promise.resolve(false) : act("request-challenge-end", { ...at, outcome, words }))}
          >
            <RadioChoice
              label={t("legal.outcomeLabel")}
              choices={challengeOutcomes.map((one) => [one, t(`legal.outcome.${one}`), t(`legal.outcomeHint.${one}`)])}
              chosen={outcome}
              change={setOutcome}
            />
          </ActForm>
        ) : (
          <WhyNot text={why} />
        ))}
    </>
  );
}

function Refuse(): ReactElement {
  const { at, isBusy, act } = useRequest();
  const [reason, setReason] = useState<(typeof refusalReasons)[number] | "">("");
  return (
    <ActForm
      label={t("legal.words")}
      hint={t("legal.refuseHint")}
      button={t("legal.refuse")}
      isDanger
      isBusy={isBusy}
      isUnready={reason === ""}
      send={(words) => (reason === "" ? Promise.resolve(false) : act("request-refuse", { ...at, reason, words }))}
    >
      <SelectField
        label={t("legal.refusalLabel")}
        choices={refusalReasons.map((one) => [one, t(`legal.refusal.${one}`)])}
        chosen={reason}
        change={setReason}
      />
    </ActForm>
  );
}

function PutOff(): ReactElement {
  const { at, isBusy, act } = useRequest();
  return (
    <ActForm
      label={t("legal.words")}
      hint={t("legal.putOffHint")}
      button={t("legal.putOff")}
      isBusy={isBusy}
      send={(words) => act("request-extend", { ...at, words })}
    />
  );
}

function SignOff(): ReactElement {
  const { at, isBusy, act } = useRequest();
  const [name, setName] = useState("");
  return (
    <ActForm
      label={t("legal.signOffWords")}
      button={t("legal.signOffWrite")}
      isBusy={isBusy}
      isUnready={name.trim() === ""}
      send={(words) => act("request-sign-off", { ...at, name: name.trim(), words })}
    >
      <Field label={t("legal.signOffName")} value={name} most={requestLimits.name} change={setName} />
    </ActForm>
  );
}

function Secrecy(): ReactElement {
  const { found, at, isBusy, act } = useRequest();
  const [secrecy, setSecrecy] = useState(draftOfSecrecy(found.intake.secrecy));
  const isWhole = secrecy.secrecyKind === "none" || (secrecy.secrecyDay !== "" && secrecy.secrecyBasis.trim() !== "");
  return (
    <ActForm
      label={t("legal.words")}
      hint={t("legal.secrecyHint")}
      button={t("legal.changeSecrecy")}
      isBusy={isBusy}
      isUnready={!isWhole}
      send={(words) => act("request-secrecy", { ...at, secrecy: secrecyOf(secrecy), words })}
    >
      <SecrecyFields value={secrecy} wrong={[]} change={(change) => setSecrecy({ ...secrecy, ...change })} />
    </ActForm>
  );
}

function Correct({ types }: { readonly types: readonly RequestTypeRow[] }): ReactElement {
  const { found, at, isBusy, act } = useRequest();
  return (
    <>
      {found.verification !== undefined && <p className="section-hint">{t("legal.correctVerified")}</p>}
      <IntakeForm
        initial={draftOfIntake(found.intake, found.receivedAtMs)}
        types={types}
        isBusy={isBusy}
        confirmLabel={t("legal.correctSave")}
        send={async (intake) => {
          await act("request-change", { ...at, intake });
        }}
      />
    </>
  );
}
