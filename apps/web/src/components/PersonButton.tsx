import type { ReactElement, ReactNode } from "react";
import type { Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";

/**
 * Somebody's name, which opens their card; one's own leads to one's profile. `isPassed`: keys pass it by, since what is around it leads there as
 * well.
 */
export function PersonButton({
  person,
  className = "",
  isPassed = false,
  children,
}: {
  readonly person: Person;
  readonly className?: string;
  readonly isPassed?: boolean;
  readonly children: ReactNode;
}): ReactElement {
  const { controller, router } = useApp();
  return (
    <button
      type="button"
      className={`person-open ${className}`.trim()}
      title={person.isSelf ? t("person.yourself") : t("person.open", { person: nameOf(person) })}
      aria-haspopup={person.isSelf ? undefined : "dialog"}
      tabIndex={isPassed ? -1 : undefined}
      onClick={() => (person.isSelf ? router.go({ kind: "settings", section: "profile" }) : controller.showPerson(person))}
    >
      {children}
    </button>
  );
}
