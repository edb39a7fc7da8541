import type { ReactElement } from "react";
import type { Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Icon } from "./Icon.tsx";

/** Offers at a time: the others follow. */
const most = 3;

/** Who is on a new device and no more in this group, with a button for whoever may let them back. */
export function ReturnLine({ id }: { readonly id: string }): ReactElement | undefined {
  const verification = useSelector((state) => state.verifications.get(id));
  if (verification === undefined || verification.away.length === 0) return undefined;
  const shown = verification.away.slice(0, most);
  return (
    <section className="hold hold-away" aria-label={t("letBack.label")}>
      <ul>
        {shown.map((person) => (
          <Offer key={person.accountId} id={id} person={person} mayLetBack={verification.mayLetBack} />
        ))}
        {verification.away.length > most && <li>{t("letBack.more", { n: verification.away.length - most })}</li>}
      </ul>
    </section>
  );
}

function Offer({ id, person, mayLetBack }: { readonly id: string; readonly person: Person; readonly mayLetBack: boolean }): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const name = nameOf(person);
  const letBack = (): void => void act(() => controller.letBack(id, person));
  return (
    <li>
      <Icon name="phone" size={20} />
      <p>
        <strong>{t("letBack.title", { who: name })}</strong> {mayLetBack ? t("letBack.body") : t("letBack.othersMay", { who: name })}
      </p>
      {mayLetBack && (
        <button type="button" className="button button-small" disabled={isBusy} onClick={letBack}>
          {t("letBack.action", { who: name })}
        </button>
      )}
    </li>
  );
}
