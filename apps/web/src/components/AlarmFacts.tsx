import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Person } from "@latchkey/client";
import { listOf, t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import type { AlarmGroup } from "../state/app-state.ts";
import { PersonButton } from "./PersonButton.tsx";

const mostNamed = 5;

/** Whom warnings are about, and since when they stand; whoever is named can be looked at. */
export function AlarmFacts({ alarms }: Pick<AlarmGroup, "alarms">): ReactElement {
  const { controller } = useApp();
  const [people, setPeople] = useState<readonly Person[]>([]);
  const accounts = [...new Set(alarms.flatMap(({ accountId }) => accountId ?? []))].slice(0, mostNamed).join(" ");
  useEffect(() => {
    let isShown = true;
    const of = accounts === "" ? [] : accounts.split(" ");
    // Of whom nothing is known here any more, nothing is said.
    Promise.allSettled(of.map((accountId) => controller.client.aboutPerson(accountId)))
      .then((found) => isShown && setPeople(found.flatMap((one) => (one.status === "fulfilled" ? [one.value.person] : []))))
      .catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [accounts, controller]);
  const since = Math.min(...alarms.map(({ atMs }) => atMs));
  return (
    <>
      {people.length > 0 && <p>{t("alarmAbout", { person: listOf(people.map(nameOf)) })}</p>}
      {people.length > 0 && (
        <p className="alarm-people">
          {people.map((person) => (
            <PersonButton key={person.accountId} person={person} className="link-button">
              {t("person.open", { person: nameOf(person) })}
            </PersonButton>
          ))}
        </p>
      )}
      {alarms[0].id !== undefined && <p>{t("alarmSince", { time: formatFull(since) })}</p>}
    </>
  );
}
