import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { Message, Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { textOf } from "../state/acting.ts";
import { useAction, useApp } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { choicesAround, isEnclosable } from "./report-choice.ts";
import type { Part } from "./report-choice.ts";

/** From the first that was chosen on, so many are shown. */
const mostBetween = 60;

/** Messages around those that were chosen: what is complained of, what is shown beside it, and what is not shown. */
export function Choose(props: {
  readonly conversationId: string;
  /** Whose messages can be complained of; absent where none are. */
  readonly accused?: Person | undefined;
  readonly chosen: readonly Message[];
  readonly partOf: (messageId: string) => Part;
  readonly change: (messageId: string, as: Part) => void;
}): ReactElement {
  const { conversationId, accused, chosen, partOf, change } = props;
  const { controller } = useApp();
  const act = useAction();
  const [near, setNear] = useState<readonly Message[]>(chosen);
  const orders = chosen.map(({ order }) => order);
  const from = orders.length === 0 ? undefined : Math.min(...orders);
  useEffect(() => {
    let isGone = false;
    void act(async () => {
      const { client } = controller;
      const before = await client.messages(conversationId, {
        limit: choicesAround,
        ...(from === undefined ? {} : { beforeOrder: from }),
      });
      const after = from === undefined ? [] : await client.messages(conversationId, { limit: mostBetween, afterOrder: from - 1 });
      if (!isGone) setNear([...before, ...after].filter(isEnclosable));
    });
    return () => {
      isGone = true;
    };
  }, [act, controller, conversationId, from]);
  return (
    <fieldset className="report-choose">
      <legend>{t("report.choose")}</legend>
      <p className="setting-hint">{accused === undefined ? t("report.appeal.chooseHint") : t("report.chooseHint")}</p>
      {/* A long list scrolls by itself: reachable by keyboard through its controls. */}
      <ul className="report-lines">
        {near.map((message) => {
          const isTheirs = accused !== undefined && message.author?.accountId === accused.accountId;
          const text = wordsOf(message);
          return (
            <li key={message.id}>
              <span className="report-line">
                <strong>
                  <bdi>
                    {message.author?.isSelf === true ? t("common.you") : message.author === undefined ? "" : nameOf(message.author)}
                  </bdi>
                </strong>{" "}
                <time className="setting-hint">{formatFull(message.sentAtMs)}</time>
                <span className="report-text" dir="auto">
                  {text}
                </span>
              </span>
              <select
                className="input"
                aria-label={t("report.partOf", { text: text.slice(0, 60) })}
                value={partOf(message.id)}
                onChange={({ target: { value } }) => change(message.id, value === "complained" || value === "beside" ? value : "none")}
              >
                {isTheirs && <option value="complained">{t("report.part.complained")}</option>}
                <option value="beside">{t("report.part.beside")}</option>
                <option value="none">{t("report.part.none")}</option>
              </select>
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

function wordsOf(message: Message): string {
  if (message.body.kind === "deleted") return t("report.deleted");
  const text = textOf(message);
  return text === "" ? t("report.noText") : text;
}
