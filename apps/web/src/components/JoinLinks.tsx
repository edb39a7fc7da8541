import "../styles/account.css";
import "../styles/join.css";
import { useId, useState } from "react";
import type { ReactElement } from "react";
import type { JoinLink, WaitingPerson } from "@latchkey/client";
import { joinWords } from "../messages/join-words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { formatDate } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { useJoinLinks } from "../state/use-join-links.ts";
import { CopyField } from "./CopyLink.tsx";
import { ConfirmDialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { PersonLabel } from "./PersonLabel.tsx";

/** The links by which people ask to be let into a group, and who waits there: for those who may invite. */
export function JoinLinks({ conversationId }: { readonly conversationId: string }): ReactElement {
  const id = useId();
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [asked, setAsked] = useState<JoinLink>();
  const { links, waiting } = useJoinLinks(conversationId);
  const { client } = controller;
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        <Icon name="link" size={18} />
        {joinWords.heading}
      </h2>
      <p className="setting-hint">{joinWords.hint}</p>
      {links.map((link) => (
        <LinkRow key={link.linkId} link={link} takeBack={() => setAsked(link)} />
      ))}
      {links.length > 0 && <Waiting conversationId={conversationId} waiting={waiting} />}
      <button
        type="button"
        className="button button-wide"
        disabled={isBusy}
        onClick={() => void act(() => client.createJoinLink(conversationId))}
      >
        <Icon name="link" size={18} />
        {links.length === 0 ? joinWords.make : joinWords.makeAnother}
      </button>
      {asked !== undefined && (
        <ConfirmDialog
          title={joinWords.takeBackTitle}
          body={joinWords.takeBackBody}
          confirmLabel={joinWords.takeBack}
          confirm={() => act(() => client.revokeJoinLink(conversationId, asked.linkId))}
          close={() => setAsked(undefined)}
        />
      )}
    </section>
  );
}

function LinkRow({ link, takeBack }: { readonly link: JoinLink; readonly takeBack: () => void }): ReactElement {
  const { url, expiresAtMs, uses, maxUses, madeBy } = link;
  return (
    <div className="join-link">
      {url === undefined ? <p>{joinWords.elsewhere}</p> : <CopyField value={url} label={joinWords.link} copyLabel={joinWords.copy} />}
      <div className="join-link-facts">
        <span>
          {joinWords.until(formatDate(expiresAtMs))} {"· "}
          {joinWords.used(uses, maxUses)}
          {!madeBy.isSelf && ` · ${joinWords.by(nameOf(madeBy))}`}
        </span>
        <button type="button" className="button button-small button-danger-quiet" onClick={takeBack}>
          {joinWords.takeBack}
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
        {waiting === undefined ? joinWords.notNow : waiting.length === 0 ? joinWords.nobody : joinWords.waitingSome(waiting.length)}
      </p>
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="people" aria-label={joinWords.waiting}>
        {(waiting ?? []).map(({ person, linkId, refusals }) => (
          <li key={`${linkId}${person.accountId}`} className="person request">
            <PersonLabel person={person}>
              <span className="person-address">
                <bdi>
                  {person.username}@{person.host}
                </bdi>
                {refusals > 0 && ` · ${joinWords.refusedBefore(refusals)}`}
              </span>
            </PersonLabel>
            <span className="request-actions">
              <button
                type="button"
                className="button button-small button-primary"
                aria-label={joinWords.letInLabel(nameOf(person))}
                disabled={isBusy}
                onClick={() => void act(() => client.admit(conversationId, person.accountId))}
              >
                {joinWords.letIn}
              </button>
              <button
                type="button"
                className="button button-small"
                aria-label={joinWords.refuseLabel(nameOf(person))}
                disabled={isBusy}
                onClick={() => void act(() => client.refuse(conversationId, person.accountId))}
              >
                {joinWords.refuse}
              </button>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
