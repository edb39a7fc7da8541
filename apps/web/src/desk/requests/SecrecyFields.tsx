import type { ReactElement } from "react";
import { requestLimits } from "@latchkey/client/desk";
import { t } from "../../messages/words.ts";
import { Field, RadioChoice } from "../office/fields.tsx";
import type { IntakeDraft, IntakeField } from "./intake-draft.ts";

type Secrecy = Pick<IntakeDraft, "secrecyKind" | "secrecyDay" | "secrecyBasis">;

/** Who may say nothing, and until when: an end, or a day on which somebody looks at it again. */
export function SecrecyFields(props: {
  readonly value: Secrecy;
  readonly wrong: readonly IntakeField[];
  readonly change: (change: Partial<Secrecy>) => void;
}): ReactElement {
  const { value, wrong, change } = props;
  return (
    <>
      <RadioChoice
        label={t("legal.field.secrecyKind")}
        choices={(["none", "until", "open"] as const).map((one) => [one, t(`legal.secrecy.${one}`)])}
        chosen={value.secrecyKind}
        change={(secrecyKind) => change({ secrecyKind })}
      />
      {value.secrecyKind !== "none" && (
        <div className="request-pair">
          <Field
            label={value.secrecyKind === "until" ? t("legal.field.secrecyDay") : t("legal.field.secrecyReview")}
            hint={value.secrecyKind === "open" ? t("legal.reviewHint", { n: requestLimits.reviewDays }) : ""}
            value={value.secrecyDay}
            isWrong={wrong.includes("secrecyDay")}
            type="date"
            change={(secrecyDay) => change({ secrecyDay })}
          />
          <Field
            label={t("legal.field.secrecyBasis")}
            value={value.secrecyBasis}
            isWrong={wrong.includes("secrecyBasis")}
            most={requestLimits.line}
            change={(secrecyBasis) => change({ secrecyBasis })}
          />
        </div>
      )}
    </>
  );
}
