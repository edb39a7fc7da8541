import { useMemo } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { useAction, useApp, useSelector } from "../../state/context.ts";
import { isMuted, titleOf } from "../../state/own.ts";
import { Avatar } from "../Avatar.tsx";
import { muteState } from "../../state/mute-state.ts";
import { useNow } from "../../state/use-now.ts";
import { DeviceNotices } from "./DeviceNotices.tsx";
import { QuietHoursForm } from "./QuietHoursForm.tsx";
import { Section } from "./Section.tsx";

/** When one wants no notice, and of which conversations. */
export function NotificationSettings(): ReactElement {
  return (
    <>
      <Section heading={t("notifications.device")}>
        <DeviceNotices />
      </Section>
      <section className="section">
        <p className="section-hint">{t("notifications.delivery")}</p>
      </section>
      <Section heading={t("notifications.quietHours")}>
        <QuietHoursForm />
      </Section>
      <Section heading={t("notifications.muted")}>
        <MutedConversations />
      </Section>
    </>
  );
}

function MutedConversations(): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const nowMs = useNow();
  const conversations = useSelector((state) => state.conversations);
  const muted = useMemo(
    () => [...conversations.values()].filter((one) => isMuted(one, nowMs)).toSorted((a, b) => titleOf(a).localeCompare(titleOf(b))),
    [conversations, nowMs],
  );
  if (muted.length === 0) return <p>{t("notifications.noneMuted")}</p>;
  return (
    // A list without markers is no list to some screen readers unless told.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ul role="list" className="people" aria-label={t("notifications.muted")}>
      {muted.map((one) => (
        <li key={one.id} className="person">
          <Avatar id={one.peer?.accountId ?? one.id} name={titleOf(one)} isGroup={one.kind === "group"} />
          <span className="person-text">
            <button
              type="button"
              className="person-name person-open"
              onClick={() => router.go({ kind: "conversation", id: one.id, details: true })}
            >
              <bdi>{titleOf(one)}</bdi>
            </button>
            <span className="person-address">{muteState(one.own.mutedUntil, nowMs)}</span>
          </span>
          <button
            type="button"
            className="button button-small"
            aria-label={t("notifications.unmuteLabel", { title: titleOf(one) })}
            onClick={() => void act(() => controller.client.mute(one.id, undefined))}
          >
            {t("notifications.unmute")}
          </button>
        </li>
      ))}
    </ul>
  );
}
