import type { ReactElement } from "react";
import type { Person } from "@latchkey/client";
import { accountWords } from "../messages/account-words.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Icon } from "./Icon.tsx";

const text = accountWords.letBack;
/** Offers at a time: the others follow. */
const most = 3;

/** Who is on a new device and no more in this group, with a button for whoever may let them back. */
export function ReturnLine({ id }: { readonly id: string }): ReactElement | undefined {
  const verification = useSelector((state) => state.verifications.get(id));
  if (verification === undefined || verification.away.length === 0) return undefined;
  const shown = verification.away.slice(0, most);
  return (
    <section className="hold hold-away" aria-label={text.label}>
      <ul>
        {shown.map((person) => (
          <Offer key={person.accountId} id={id} person={person} mayLetBack={verification.mayLetBack} />
        ))}
        {verification.away.length > most && <li>{text.more(verification.away.length - most)}</li>}
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
        <strong>{text.title(name)}</strong> {mayLetBack ? text.body : text.othersMay(name)}
      </p>
      {mayLetBack && (
        <button type="button" className="button button-small" disabled={isBusy} onClick={letBack}>
          {text.action(name)}
        </button>
      )}
    </li>
  );
}
