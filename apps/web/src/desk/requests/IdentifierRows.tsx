import { useId } from "react";
import type { ReactElement } from "react";
import { requestLimits } from "@latchkey/client/desk";
import type { RequestIdentifier } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { t } from "../../messages/words.ts";

const kinds = ["username", "account-id", "other"] as const;

/** Of whom something is asked: one a line, as it stands in the request. */
export function IdentifierRows(props: {
  readonly identifiers: readonly RequestIdentifier[];
  readonly isWrong: boolean;
  readonly change: (identifiers: readonly RequestIdentifier[]) => void;
}): ReactElement {
  const { identifiers, isWrong, change } = props;
  const id = useId();
  const put = (place: number, to: RequestIdentifier): void => change(identifiers.map((one, at) => (at === place ? to : one)));
  return (
    <fieldset className="office-roles" aria-describedby={`${id}h`}>
      <legend>{t("legal.field.identifiers")}</legend>
      {identifiers.map((one, place) => (
        // A row is its place: what stands in it changes.
        // oxlint-disable-next-line react/no-array-index-key
        <div key={place} className="request-identifier">
          <select
            className="input"
            aria-label={t("legal.identifierKind", { n: place + 1 })}
            value={one.kind}
            onChange={(event) => put(place, { ...one, kind: kinds.find((kind) => kind === event.target.value) ?? one.kind })}
          >
            {kinds.map((kind) => (
              <option key={kind} value={kind}>
                {t(`legal.identifier.${kind}`)}
              </option>
            ))}
          </select>
          <input
            className="input"
            dir="auto"
            aria-label={t("legal.identifierValue", { n: place + 1 })}
            aria-invalid={isWrong}
            maxLength={requestLimits.line}
            autoComplete="off"
            spellCheck={false}
            value={one.value}
            onChange={(event) => put(place, { ...one, value: event.target.value })}
          />
          {identifiers.length > 1 && (
            <button
              type="button"
              className="icon-button"
              aria-label={t("legal.identifierRemove", { n: place + 1 })}
              onClick={() => change(identifiers.filter((_, at) => at !== place))}
            >
              <Icon name="close" />
            </button>
          )}
        </div>
      ))}
      <div id={`${id}h`} className="field-hint">
        {t("legal.identifiersHint")}
      </div>
      {identifiers.length < requestLimits.identifiers && (
        <button
          type="button"
          className="button button-small request-add"
          onClick={() => change([...identifiers, { kind: identifiers.at(-1)?.kind ?? "username", value: "" }])}
        >
          <Icon name="add" size={18} />
          {t("legal.identifierAdd")}
        </button>
      )}
    </fieldset>
  );
}
