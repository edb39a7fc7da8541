import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Person } from "@latchkey/client";
import { PageHeader } from "../components/PageHeader.tsx";
import { PersonLabel } from "../components/PersonLabel.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import "../styles/account.css";

/** Whom the person blocked, and how to let them in again. */
export function BlockedPeoplePage(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  // Told anew with every change of requests and blocked people, also by another device.
  const requests = useSelector((state) => state.requests);
  const [people, setPeople] = useState<readonly Person[]>();
  useEffect(() => {
    void act(async () => setPeople(await controller.client.blocked()));
  }, [act, controller, requests]);
  return (
    <main className="page">
      <PageHeader heading={t("blockedPeople.heading")} takesFocus />
      <div className="page-body">
        <p>{people?.length === 0 ? t("blockedPeople.none") : t("blockedPeople.intro")}</p>
        {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
        <ul role="list" className="people" aria-label={t("blockedPeople.heading")}>
          {people?.map((person) => (
            <li key={person.accountId} className="person">
              <PersonLabel person={person} />
              <button
                type="button"
                className="button button-small"
                aria-label={t("blockedPeople.unblockLabel", { who: nameOf(person) })}
                onClick={() => void act(() => controller.client.unblock(person.accountId))}
              >
                {t("blockedPeople.unblock")}
              </button>
            </li>
          ))}
        </ul>
      </div>
    </main>
  );
}
