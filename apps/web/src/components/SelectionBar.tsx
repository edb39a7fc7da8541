import { useEffect } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import type { Selection } from "../state/acting.ts";
import { hasActions, isSaid } from "../state/message-actions.ts";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./Icon.tsx";

/** In place of the field while messages are chosen: how many, and what can be done with them. */
export function SelectionBar({
  conversationId,
  selection,
  copy,
  ask,
}: {
  readonly conversationId: string;
  readonly selection: Selection;
  readonly copy: (messages: readonly Message[]) => void;
  readonly ask: (kind: "delete" | "forward", messages: readonly Message[]) => void;
}): ReactElement {
  const { controller } = useApp();
  const timeline = useSelector((state) => state.timelines.get(conversationId));
  const chosen = (timeline?.messages ?? []).filter((message) => selection.ids.has(message.id) && hasActions(message));
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      controller.select(undefined);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [controller]);
  const said = chosen.filter(isSaid);
  const canForward = chosen.length > 0 && chosen.every((message) => message.body.kind === "text" && isSaid(message));
  return (
    <section className="selection-bar" aria-label={t("menu.selection.bar")}>
      <button
        type="button"
        className="icon-button"
        aria-label={t("menu.selection.done")}
        title={t("menu.selection.done")}
        onClick={() => controller.select(undefined)}
      >
        <Icon name="close" />
      </button>
      <span role="status" className="selection-count">
        {t("menu.selection.chosen", { n: chosen.length })}
      </span>
      <Tool name="copy" label={t("menu.actions.copy")} isOff={said.length === 0} run={() => copy(said)} />
      <Tool name="forwardTo" label={t("menu.actions.forward")} isOff={!canForward} run={() => ask("forward", chosen)} />
      <Tool name="bin" label={t("menu.actions.delete")} isOff={chosen.length === 0} run={() => ask("delete", chosen)} />
    </section>
  );
}

function Tool({
  name,
  label,
  isOff,
  run,
}: {
  readonly name: IconName;
  readonly label: string;
  readonly isOff: boolean;
  readonly run: () => void;
}): ReactElement {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} disabled={isOff} onClick={run}>
      <Icon name={name} />
    </button>
  );
}
