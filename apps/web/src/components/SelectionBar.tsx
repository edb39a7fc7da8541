import { useEffect } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import type { Selection } from "../state/acting.ts";
import { isChoosable, isSaid } from "../state/message-actions.ts";
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
  readonly ask: (kind: "delete" | "forward" | "report", messages: readonly Message[]) => void;
}): ReactElement {
  const { controller } = useApp();
  const timeline = useSelector((state) => state.timelines.get(conversationId));
  const chosen = (timeline?.messages ?? []).filter((message) => selection.ids.has(message.id) && isChoosable(message));
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
  const complained = reportable(said);
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
      <Tool name="alert" label={t("menu.actions.report")} isOff={complained.length === 0} run={() => ask("report", complained)} />
      <Tool name="bin" label={t("menu.actions.delete")} isOff={chosen.length === 0} run={() => ask("delete", chosen)} />
    </section>
  );
}

/** The chosen as a report takes them: about the messages of one person; what that person said comes first. */
function reportable(said: readonly Message[]): readonly Message[] {
  const others = said.filter(({ author }) => author?.isSelf === false);
  const [first] = others;
  if (first === undefined || others.some(({ author }) => author?.accountId !== first.author?.accountId)) return [];
  return [...others, ...said.filter(({ author }) => author?.isSelf === true)];
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
