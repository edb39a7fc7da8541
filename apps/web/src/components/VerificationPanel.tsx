import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { DeviceRecord, MemberVerification, Verification } from "@latchkey/client";
import { holdWords, t } from "../messages/words.ts";
import { isAllVerified } from "../state/app-state.ts";
import { useApp, useSelector } from "../state/context.ts";
import { formatDate } from "../state/format.ts";
import { recordSentence } from "../state/record-sentence.ts";
import { isNewDevice, sortByConcern, summarizeRecords } from "../state/verification.ts";
import { Avatar } from "./Avatar.tsx";
import { Icon } from "./Icon.tsx";
import { SafetyNumberDialog } from "./SafetyNumberDialog.tsx";
import "../styles/account.css";
import { nameOf } from "../state/person-name.ts";
import { useNow } from "../state/use-now.ts";

const shownAtFirst = 6;

/** What is known of the keys of a conversation's members: plain words, then devices, then the safety number behind a button. */
export function VerificationPanel({
  conversationId,
  isDirect,
}: {
  readonly conversationId: string;
  readonly isDirect: boolean;
}): ReactElement {
  const { controller } = useApp();
  const verification = useSelector((state) => state.verifications.get(conversationId));
  const nowMs = useNow();
  const [compared, setCompared] = useState<MemberVerification>();
  const [areAllShown, setAreAllShown] = useState(false);
  const [hasFailed, setHasFailed] = useState(false);
  useEffect(() => {
    let isGone = false;
    setHasFailed(false);
    controller.loadVerification(conversationId).catch(() => isGone || setHasFailed(true));
    return () => {
      isGone = true;
    };
  }, [controller, conversationId]);
  if (verification === undefined) return <p>{hasFailed ? t("verification.failed") : `${t("verification.loading")}…`}</p>;
  const others = sortByConcern(verification.members.filter(({ person }) => !person.isSelf));
  const shown = areAllShown ? others : others.slice(0, shownAtFirst);
  return (
    <>
      <Summary verification={verification} isDirect={isDirect} nowMs={nowMs} />
      {verification.hold !== undefined && (
        <p className="verification-hold">
          <strong>{t("conversation.hold")}</strong> {holdWords(verification.hold)}
        </p>
      )}
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="verified-people">
        {shown.map((member) => (
          <MemberRow key={member.person.accountId} member={member} isDirect={isDirect} nowMs={nowMs} compare={() => setCompared(member)} />
        ))}
      </ul>
      {others.length > shown.length && (
        <button type="button" className="button button-wide" onClick={() => setAreAllShown(true)}>
          {t("verification.showAll", { n: others.length })}
        </button>
      )}
      {compared !== undefined && (
        <SafetyNumberDialog
          person={compared.person}
          mark={verification.members.find(({ person }) => person.accountId === compared.person.accountId)?.mark ?? "none"}
          close={() => setCompared(undefined)}
        />
      )}
    </>
  );
}

function Summary({
  verification,
  isDirect,
  nowMs,
}: {
  readonly verification: Verification;
  readonly isDirect: boolean;
  readonly nowMs: number;
}): ReactElement | undefined {
  const summary = summarizeRecords(verification.members.filter(({ person }) => !person.isSelf));
  if (summary === undefined) return undefined;
  const only = isDirect ? verification.members.find(({ person }) => !person.isSelf)?.person : undefined;
  return (
    <p className={`verification-summary verification-${summary.status}`}>
      <Icon name={summary.status === "checked" ? "check" : "info"} size={18} />
      <span>
        {recordSentence(summary, nowMs, only)}
        {!isDirect && isAllVerified(verification) && ` ${t("verification.allVerified")}`}
      </span>
    </p>
  );
}

function MemberRow({
  member,
  isDirect,
  nowMs,
  compare,
}: {
  readonly member: MemberVerification;
  readonly isDirect: boolean;
  readonly nowMs: number;
  readonly compare: () => void;
}): ReactElement {
  const { person, devices, mark } = member;
  const list = <DeviceList devices={devices} name={nameOf(person)} nowMs={nowMs} />;
  const isRecent = devices.some((device) => isNewDevice(device, devices, nowMs));
  return (
    <li className="verified-person">
      <div className="verified-head">
        {!isDirect && <Avatar id={person.accountId} name={person.displayName} size="small" />}
        {isDirect ? (
          <span className="verified-name">{t("verification.devicesOf", { person: nameOf(person) })}</span>
        ) : (
          <bdi className="verified-name">{nameOf(person)}</bdi>
        )}
        <MarkBadge mark={mark} />
      </div>
      {mark === "changed" && <p className="verification-changed">{t("verification.changedBody", { person: nameOf(person) })}</p>}
      {member.falseWord !== undefined && (
        <p className="verification-changed">{t(`verification.falseWord.${member.falseWord}`, { person: nameOf(person) })}</p>
      )}
      {isDirect ? (
        list
      ) : (
        <details className="verified-devices">
          <summary>
            {t("common.devices", { n: devices.length })}
            {isRecent && <span className="device-recent">{t("verification.recent")}</span>}
            {member.record.status === "unchecked" && (
              <span className="device-warning"> · {t("verification.unchecked", { person: nameOf(person) })}</span>
            )}
          </summary>
          {list}
        </details>
      )}
      <button
        type="button"
        className="button button-small button-safety"
        aria-label={t("verification.safetyNumberWith", { person: nameOf(person) })}
        onClick={compare}
      >
        <Icon name="shield" size={16} />
        {t("verification.safetyNumber")}
      </button>
    </li>
  );
}

function DeviceList({
  devices,
  name,
  nowMs,
}: {
  readonly devices: readonly DeviceRecord[];
  readonly name: string;
  readonly nowMs: number;
}): ReactElement {
  const sorted = [...devices].sort((a, b) => a.addedAtMs - b.addedAtMs);
  return (
    // A list without markers is no list to some screen readers unless told.
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles
    <ul role="list" className="device-records" aria-label={t("verification.devicesOf", { person: name })}>
      {sorted.map((device, index) => (
        <li key={device.deviceId}>
          {t("verification.device", { number: index + 1 })}
          {device.addedAtMs > 0 && `, ${t("verification.added", { date: formatDate(device.addedAtMs) })}`}
          {isNewDevice(device, devices, nowMs) && <span className="device-recent">{t("verification.recent")}</span>}
          {!device.inAccount ? (
            <span className="device-warning"> · {t("verification.notInAccount")}</span>
          ) : (
            !device.inConversation && <span> · {t("verification.notInConversation")}</span>
          )}
        </li>
      ))}
    </ul>
  );
}

function MarkBadge({ mark }: { readonly mark: MemberVerification["mark"] }): ReactElement | undefined {
  switch (mark) {
    case "none":
      return undefined;
    case "verified":
      return (
        <span className="badge badge-verified">
          <Icon name="shield" size={14} />
          {t("verification.verified")}
        </span>
      );
    case "changed":
      return (
        <span className="badge badge-changed">
          <Icon name="alert" size={14} />
          {t("verification.changed")}
        </span>
      );
  }
}
