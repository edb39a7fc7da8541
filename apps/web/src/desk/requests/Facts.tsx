import type { ReactElement, ReactNode } from "react";
import { t } from "../../messages/words.ts";
import { countryName, formatFull, languageName } from "../../state/format.ts";
import { categoriesText, dayWords, periodText, secrecyText } from "./request-words.ts";
import { useRequest } from "./request-work.ts";

/** What a request says, and what of it is answered. */
export function Facts(): ReactElement {
  const { found } = useRequest();
  const { intake, scope, erasedDay, signOff } = found;
  const { authority, officer, notified } = intake;
  const rows: readonly (readonly [string, ReactNode])[] = [
    [t("legal.field.legalBasis"), intake.legalBasis],
    [t("legal.field.categories"), categoriesText(intake.categories)],
    [t("legal.fact.period"), periodText(intake.period)],
    ...(scope === undefined
      ? []
      : [
          [t("legal.fact.scope"), `${categoriesText(scope.categories)}\n${periodText(scope.period)}`] satisfies readonly [
            string,
            ReactNode,
          ],
        ]),
    [t("legal.fact.officer"), [officer.name, officer.role, officer.email, officer.phone].filter((one) => one !== undefined).join("\n")],
    [
      t("legal.fact.authority"),
      [authority.name, countryName(authority.country), authority.address].filter((one) => one !== undefined).join("\n"),
    ],
    [t("legal.field.addressee"), intake.addressee],
    [t("legal.field.channel"), t(`legal.channel.${intake.channel}`)],
    [t("legal.field.language"), languageName(intake.language)],
    [
      t("legal.field.secrecyKind"),
      intake.secrecy.kind === "none" ? secrecyText(intake.secrecy) : `${secrecyText(intake.secrecy)}\n${intake.secrecy.basis}`,
    ],
    [t("legal.field.deliverTo"), intake.deliverTo],
    ...optional("legal.field.emergencyGrounds", intake.emergencyGrounds),
    ...(notified === undefined
      ? []
      : [
          [
            t("legal.field.isNotified"),
            [
              `${notified.name}, ${countryName(notified.country)}`,
              notified.confirmedAtMs === undefined
                ? t("legal.notConfirmed")
                : t("legal.confirmedAt", { time: formatFull(notified.confirmedAtMs) }),
            ].join("\n"),
          ] satisfies readonly [string, ReactNode],
        ]),
    ...optional("legal.field.deadlineAsked", intake.deadlineAsked?.replace("T", " ")),
    ...optional("legal.field.route", intake.route),
    ...optional("legal.field.cost", intake.cost),
    ...optional("legal.field.remark", intake.remark),
    ...(signOff === undefined
      ? []
      : [[t("legal.fact.signOff"), `${signOff.name}\n${signOff.words}`] satisfies readonly [string, ReactNode]]),
    ...optional("legal.fact.putOff", found.extension?.words),
    ...optional("legal.fact.erased", erasedDay === undefined ? undefined : dayWords(erasedDay)),
  ];
  return (
    <dl className="case-facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd dir="auto">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function optional(
  id: `legal.field.${"emergencyGrounds" | "deadlineAsked" | "route" | "cost" | "remark"}` | "legal.fact.erased" | "legal.fact.putOff",
  value: string | undefined,
): readonly (readonly [string, ReactNode])[] {
  return value === undefined ? [] : [[t(id), value]];
}
