import type { ReactElement } from "react";
import { accountWords } from "../messages/account-words.ts";

const text = accountWords.recovered;

/** On a device that began by the recovery phrase: what did not come along, and whom to ask. */
export function RecoveredNote(): ReactElement {
  return (
    <div className="empty-recovered">
      <p>{text.back}</p>
      <p>{text.lost}</p>
      <p>{text.groups}</p>
      <p>{text.people}</p>
    </div>
  );
}
