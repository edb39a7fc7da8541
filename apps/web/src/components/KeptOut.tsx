import { useId } from "react";
import type { ReactElement } from "react";
import type { ConversationDetails } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Avatar } from "./Avatar.tsx";
import { PersonButton } from "./PersonButton.tsx";

/** Whom nobody adds to a group, and who may remove people lets in again. */
export function KeptOut({ details }: { readonly details: ConversationDetails }): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const id = useId();
  const { keptOut, conversation, may } = details;
  const end = async (accountId: string): Promise<void> => {
    await act(() => controller.client.keepOut(conversation.id, [accountId], false));
    await controller.loadDetails(conversation.id).catch(() => undefined);
  };
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        {t("moderation.keptOut.heading")}
      </h2>
      <p className="setting-hint">{t("moderation.keptOut.hint")}</p>
      <ul className="people" aria-labelledby={`${id}heading`}>
        {keptOut.map((person) => (
          <li key={person.accountId} className="person">
            <Avatar id={person.accountId} name={person.displayName} />
            <span className="person-text">
              <span className="person-name">
                <PersonButton person={person}>
                  <bdi id={`${id}${person.accountId}`}>{nameOf(person)}</bdi>
                </PersonButton>
              </span>
            </span>
            {may.remove && (
              <button
                type="button"
                className="button"
                disabled={isBusy}
                id={`${id}${person.accountId}end`}
                aria-labelledby={`${id}${person.accountId}end ${id}${person.accountId}`}
                onClick={() => void end(person.accountId)}
              >
                {t("moderation.keptOut.end")}
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
