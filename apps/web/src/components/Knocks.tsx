import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { formatAgo, formatFull } from "../state/format.ts";
import { useKnocks } from "../state/use-knocks.ts";
import { useNow } from "../state/use-now.ts";
import { Avatar } from "./Avatar.tsx";
import { Section } from "./settings/Section.tsx";

/** Where the person asked to be let in and waits, and how to wait there no more; nothing where they asked nowhere. */
export function Knocks(): ReactElement | undefined {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [hasWithdrawn, setHasWithdrawn] = useState(false);
  const nowMs = useNow();
  const knocks = useKnocks();
  if (knocks === undefined || (knocks.length === 0 && !hasWithdrawn)) return undefined;
  const withdraw = (linkId: string): void => {
    setHasWithdrawn(true);
    void act(() => controller.client.withdrawKnock(linkId));
  };
  return (
    <Section heading={t("knocks.heading")}>
      {knocks.length === 0 && <p>{t("knocks.none")}</p>}
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="people" aria-label={t("knocks.heading")}>
        {knocks.map(({ linkId, host, name, sentAtMs }) => {
          const group = name === "" ? t("knocks.unnamed") : name;
          return (
            <li key={linkId} className="person">
              <Avatar id={linkId} name={group} isGroup />
              <span className="person-text">
                <bdi className="person-name">{group}</bdi>
                <span className="person-address" title={formatFull(sentAtMs)}>
                  {t("knocks.asked", { host, ago: formatAgo(sentAtMs, nowMs) })}
                </span>
              </span>
              <button
                type="button"
                className="button button-small"
                aria-label={t("knocks.withdrawLabel", { group })}
                disabled={isBusy}
                onClick={() => withdraw(linkId)}
              >
                {t("knocks.withdraw")}
              </button>
            </li>
          );
        })}
      </ul>
      {knocks.length > 0 && <p className="section-hint">{t("knocks.hint")}</p>}
    </Section>
  );
}
