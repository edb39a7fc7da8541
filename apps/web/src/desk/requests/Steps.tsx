import type { ReactElement } from "react";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";
import { goToPart } from "./Part.tsx";
import type { PartName } from "./Part.tsx";
import { stepsOf } from "./request-steps.ts";
import type { RequestStep, StepState } from "./request-steps.ts";
import { useRequest } from "./request-work.ts";

const icons = { done: "check", now: "forward", later: "clock" } as const satisfies Readonly<Record<StepState, string>>;
const parts: Readonly<Record<RequestStep, PartName>> = {
  received: "asked",
  verified: "verification",
  identified: "subjects",
  assembled: "release",
  approved: "release",
  released: "release",
  answered: "letters",
  told: "notice",
  closed: "close",
};

/** How far a request is, and what is next: each step leads to its part. */
export function Steps(): ReactElement {
  const { found } = useRequest();
  const steps = stepsOf(found);
  const next = steps.find(({ state }) => state === "now");
  return (
    <>
      <ol className="request-steps">
        {steps.map(({ step, state }) => (
          <li key={step} className={`request-step request-step-${state}`} aria-current={state === "now" ? "step" : undefined}>
            <button type="button" onClick={() => goToPart(parts[step])}>
              <Icon name={icons[state]} size={16} />
              {t(`legal.step.${step}`)}
              <span className="visually-hidden"> ({t(`legal.stepState.${state}`)})</span>
            </button>
          </li>
        ))}
      </ol>
      {next !== undefined && (
        <p className="request-next" role="status">
          <strong>{t("legal.next")}</strong> {t(`legal.nextStep.${next.step}`)}
        </p>
      )}
    </>
  );
}
