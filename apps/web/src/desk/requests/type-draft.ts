import { requestLimits } from "@latchkey/client/desk";
import type { DataCategory, NoticeOwner, RequestType, RequestTypeChange } from "@latchkey/client/desk";

/** A row of the table as it is being changed: every field a text. */
export interface TypeDraft {
  readonly basis: string;
  readonly source: string;
  readonly checkedOn: string;
  readonly isChecked: boolean;
  readonly categories: readonly DataCategory[];
  readonly notBefore: string;
  readonly isNotBeforeIfNotified: boolean;
  readonly deadline: string;
  readonly emergencyDeadline: string;
  /** Of the deadline. */
  readonly deadlineExtension: string;
  readonly validation: string;
  readonly isPreserved: boolean;
  readonly isAtIntake: boolean;
  readonly period: string;
  readonly extension: string;
  readonly extensions: string;
  readonly notice: NoticeOwner;
  readonly isSecret: boolean;
  readonly reviewDays: string;
  readonly remark: string;
}

const duration = /^P(?!$)(?:\d{1,4}Y)?(?:\d{1,4}M)?(?:\d{1,4}W)?(?:\d{1,4}D)?(?:T(?!$)(?:\d{1,4}H)?(?:\d{1,4}M)?)?$/;

/** A row as it stands, to be changed. */
export function typeDraftOf(type: RequestType): TypeDraft {
  const { times, preservation, secrecy } = type;
  return {
    basis: type.basis,
    source: type.source,
    checkedOn: type.checkedOn ?? "",
    isChecked: type.isChecked,
    categories: type.categories,
    notBefore: times.notBefore ?? "",
    isNotBeforeIfNotified: times.isNotBeforeIfNotified ?? false,
    deadline: times.deadline ?? "",
    emergencyDeadline: times.emergencyDeadline ?? "",
    deadlineExtension: times.extension ?? "",
    validation: times.validation ?? "",
    isPreserved: preservation !== undefined,
    isAtIntake: preservation?.isAtIntake ?? false,
    period: preservation?.period ?? "P90D",
    extension: preservation?.extension ?? "",
    extensions: String(preservation?.extensions ?? 0),
    notice: type.notice,
    isSecret: secrecy.isDefault,
    reviewDays: String(secrecy.reviewDays),
    remark: type.remark ?? "",
  };
}

/** What is said of a row; `undefined` where something in it cannot be: a duration, a count, a basis that is missing. */
export function changeOf(draft: TypeDraft): RequestTypeChange | undefined {
  const optional = <Name extends string>(name: Name, value: string): Partial<Record<Name, string>> =>
    // One key, of this name.
    value.trim() === "" ? {} : ({ [name]: value.trim() } as Record<Name, string>);
  const { notBefore, deadline, emergencyDeadline, deadlineExtension, validation, period, extension } = draft;
  const written = [notBefore, deadline, emergencyDeadline, deadlineExtension, validation, ...(draft.isPreserved ? [extension] : [])];
  const [reviewDays, extensions] = [Number(draft.reviewDays), Number(draft.extensions)];
  const isGood =
    draft.basis.trim() !== "" &&
    draft.source.trim() !== "" &&
    written.every((one) => one === "" || duration.test(one)) &&
    (!draft.isPreserved || duration.test(period)) &&
    Number.isSafeInteger(reviewDays) &&
    reviewDays >= 1 &&
    reviewDays <= requestLimits.reviewDays &&
    Number.isSafeInteger(extensions) &&
    extensions >= 0;
  if (!isGood) return undefined;
  return {
    basis: draft.basis.trim(),
    source: draft.source.trim(),
    ...optional("checkedOn", draft.checkedOn),
    isChecked: draft.isChecked,
    categories: draft.categories,
    times: {
      ...optional("notBefore", notBefore),
      ...(notBefore !== "" && draft.isNotBeforeIfNotified ? { isNotBeforeIfNotified: true } : {}),
      ...optional("deadline", deadline),
      ...optional("emergencyDeadline", emergencyDeadline),
      ...optional("extension", deadlineExtension),
      ...optional("validation", validation),
    },
    preservation: draft.isPreserved ? { isAtIntake: draft.isAtIntake, period, ...optional("extension", extension), extensions } : null,
    notice: draft.notice,
    secrecy: { isDefault: draft.isSecret, reviewDays },
    ...optional("remark", draft.remark),
  };
}
