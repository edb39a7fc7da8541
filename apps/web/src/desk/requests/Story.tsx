import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { formatFull, isoTime } from "../../state/format.ts";
import { ActForm } from "./ActForm.tsx";
import { Part } from "./Part.tsx";
import { eventDetail } from "./request-words.ts";
import { useRequest } from "./request-work.ts";

/** What came and what was done, in order, and a note of one's own. */
export function Story(): ReactElement {
  const { found, isBusy, act } = useRequest();
  return (
    <Part name="story">
      <ol className="case-timeline">
        {found.events.map((event, at) => (
          // Nothing is taken out of a story.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={at}>
            <span>
              {t("legal.eventBy", { event: t(`legal.event.${event.kind}`), name: event.by })}
              {event.text !== undefined && <q dir="auto">{eventDetail(event, found.intake)}</q>}
            </span>
            <time className="section-hint" dateTime={isoTime(event.atMs)}>
              {formatFull(event.atMs)}
            </time>
          </li>
        ))}
      </ol>
      <ActForm
        label={t("legal.note")}
        hint={t("legal.noteHint")}
        button={t("legal.noteWrite")}
        isBusy={isBusy}
        send={(text) => act("request-note", { number: found.number, text })}
      />
    </Part>
  );
}
