import "../styles/account.css";
import "../styles/join.css";
import { useId, useState } from "react";
import type { ReactElement } from "react";
import type { JoinLink, WaitingPerson } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction, useSelector } from "../state/context.ts";
import { formatDate } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { useJoinLinks } from "../state/use-join-links.ts";
import { CopyField } from "./CopyLink.tsx";
import { ConfirmDialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { JoinLinkForm } from "./JoinLinkForm.tsx";
import { LinkWays } from "./LinkWays.tsx";
import { PersonLabel } from "./PersonLabel.tsx";

/** The links by which people ask to be let into a group, and who waits there: for those who may invite. */
export function JoinLinks({ conversationId }: { readonly conversationId: string }): ReactElement {
  const id = useId();
  const { controller } = useApp();
  const [, act] = useBusyAction();
  const [isMaking, setIsMaking] = useState(false);
  const group = useSelector((state) => state.conversations.get(conversationId)?.title ?? "");
  const [asked, setAsked] = useState<JoinLink>();
  const { links, waiting } = useJoinLinks(conversationId);
  const { client } = controller;
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        <Icon name="link" size={18} />
        {t("join.heading")}
      </h2>
      <p className="setting-hint">{t("join.hint")}</p>
      {links.map((link) => (
        <LinkRow key={link.linkId} link={link} group={group} takeBack={() => setAsked(link)} />
      ))}
      {links.length > 0 && <Waiting conversationId={conversationId} waiting={waiting} />}
      <button type="button" className="button button-wide" onClick={() => setIsMaking(true)}>
        <Icon name="link" size={18} />
        {links.length === 0 ? t("join.make") : t("join.makeAnother")}
      </button>
      {isMaking && <JoinLinkForm make={(options) => client.createJoinLink(conversationId, options)} close={() => setIsMaking(false)} />}
      {asked !== undefined && (
        <ConfirmDialog
          title={t("join.takeBackTitle")}
          body={t("join.takeBackBody")}
          confirmLabel={t("join.takeBack")}
          confirm={() => act(() => client.revokeJoinLink(conversationId, asked.linkId))}
          close={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}

function LinkRow({
  link,
  group,
  takeBack,
}: {
  readonly link: JoinLink;
  readonly group: string;
  readonly takeBack: () => void;
}): ReactElement {
  const { url, expiresAtMs, uses, maxUses, madeBy } = link;
  return (
    <div className="join-link">
      {url === undefined ? (
        <p>{t("join.elsewhere")}</p>
      ) : (
        <>
          <CopyField value={url} label={t("join.link")} copyLabel={t("join.copy")} />
          <LinkWays link={url} title={t("join.shareTitle", { group })} codeLabel={t("join.code")} />
        </>
      )}
      <div className="join-link-facts">
        <span>
          {t("join.until", { date: formatDate(expiresAtMs) })} {"· "}
          {t("join.used", { uses, most: maxUses })}
          {!madeBy.isSelf && ` · ${t("join.by", { name: nameOf(madeBy) })}`}
        </span>
        <button type="button" className="button button-small button-danger-quiet" onClick={takeBack}>
          {t("join.takeBack")}
        </button>
      </div>
    </div>
  );
}

function Waiting({
  conversationId,
  waiting,
}: {
  readonly conversationId: string;
  readonly waiting: readonly WaitingPerson[] | undefined;
}): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const { client } = controller;
  return (
    <>
      <p role="status" className="join-waiting">
        {waiting === undefined ? t("join.notNow") : waiting.length === 0 ? t("join.nobody") : t("join.waitingSome", { n: waiting.length })}
      </p>
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="people" aria-label={t("join.waiting")}>
        {(waiting ?? []).map(({ person, linkId, refusals }) => (
          <li key={`${linkId}${person.accountId}`} className="person request">
            <PersonLabel person={person}>
              <span className="person-address">
                <bdi>
                  {person.username}@{person.host}
                </bdi>
                {refusals > 0 && ` · ${t("join.refusedBefore", { times: refusals })}`}
              </span>
            </PersonLabel>
            <span className="request-actions">
              <button
                type="button"
                className="button button-small button-primary"
                aria-label={t("join.letInLabel", { name: nameOf(person) })}
                disabled={isBusy}
                onClick={() => void act(() => client.admit(conversationId, person.accountId))}
              >
                {t("join.letIn")}
              </button>
              <button
                type="button"
                className="button button-small"
                aria-label={t("join.refuseLabel", { name: nameOf(person) })}
                disabled={isBusy}
                onClick={() => void act(() => client.refuse(conversationId, person.accountId))}
              >
                {t("join.refuse")}
              </button>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
