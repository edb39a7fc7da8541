import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Icon } from "./Icon.tsx";

/** Whose deletions wait for the person, because they were so many at once, with both ways on. */
export function HeldLine({ id }: { readonly id: string }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const held = useSelector((state) => state.heldDeletions.get(id));
  return (
    <div role="status">
      {(held ?? []).map(({ person, count }) => (
        <div key={person.accountId} className="hold">
          <Icon name="alert" size={20} />
          <p>
            {t("messageParts.heldDeletions", { who: nameOf(person), n: count })}{" "}
            <button
              type="button"
              className="link-button"
              onClick={() => void act(() => controller.decideDeletions(id, person.accountId, false))}
            >
              {t("messageParts.heldKeep")}
            </button>{" "}
            <button
              type="button"
              className="link-button link-danger"
              onClick={() => void act(() => controller.decideDeletions(id, person.accountId, true))}
            >
              {t("messageParts.heldDelete")}
            </button>
          </p>
        </div>
      ))}
    </div>
  );
}
