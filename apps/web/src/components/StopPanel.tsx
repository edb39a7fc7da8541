import type { ReactElement } from "react";
import type { Conversation, Invitation } from "@latchkey/client";
import { accountWords } from "../messages/account-words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Icon } from "./Icon.tsx";

const text = accountWords.stop;

/** Why a conversation stands, and the ways on: who asks one back in, who went on elsewhere, or going on in a new one. */
export function StopPanel({ conversation }: { readonly conversation: Conversation }): ReactElement | undefined {
  const { invitations, offer, stop } = conversation;
  if (invitations.length === 0 && offer === undefined && stop === undefined) return undefined;
  return (
    <section className="hold hold-away" aria-label={text.label}>
      <ul>
        {invitations.map((invitation) => (
          <Invited key={invitation.from.accountId} id={conversation.id} invitation={invitation} />
        ))}
        {(offer !== undefined || stop !== undefined) && <Stopped conversation={conversation} />}
      </ul>
    </section>
  );
}

function Invited({ id, invitation }: { readonly id: string; readonly invitation: Invitation }): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const { from, wasMember, instead } = invitation;
  const name = nameOf(from);
  const answer = (isAccepted: boolean): void => void act(() => controller.answerInvitation(id, from.accountId, isAccepted));
  return (
    <li>
      <Icon name="people" size={20} />
      <p>
        <strong>{text.invited(name)}</strong>{" "}
        {instead !== undefined ? text.invitedElsewhere(nameOf(instead)) : wasMember ? text.invitedMember : text.invitedStranger(name)}
      </p>
      <div className="hold-actions">
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => answer(false)}>
          {instead === undefined ? text.decline : text.stayWith(nameOf(instead))}
        </button>
        <button type="button" className="button button-small button-primary" disabled={isBusy} onClick={() => answer(true)}>
          {instead === undefined ? text.accept : text.goWith(name)}
        </button>
      </div>
    </li>
  );
}

function Stopped({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller, router, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const { id, kind, offer, stop, status } = conversation;
  const by = offer === undefined ? stop?.by : undefined;
  const goOn = (without: readonly string[]): void =>
    void act(async () => {
      const { conversation: next, unreachable } = await controller.continueConversation(id, { without });
      if (unreachable.length > 0) notify(text.unreachable(unreachable.map(nameOf)));
      router.go({ kind: "conversation", id: next.id, details: false }, { replace: true });
    });
  return (
    <li>
      <Icon name="alert" size={20} />
      <p>
        {offer === undefined ? (
          <>
            <strong>{stop?.failure.message}</strong> {by === undefined ? "" : `${text.madeBy(nameOf(by))} `}
            {stop?.failure.canRetry === true && status === "active" ? `${text.waits} ` : ""}
            {kind === "direct" ? text.direct : text.group}
          </>
        ) : (
          <>
            <strong>{text.offered(nameOf(offer.from))}</strong> {text.offeredHow}
          </>
        )}
      </p>
      {by === undefined ? (
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn([])}>
          {offer === undefined ? text.goOn : text.goOnThere}
        </button>
      ) : (
        <div className="hold-actions">
          <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn([])}>
            {text.goOnWithAll}
          </button>
          <button type="button" className="button button-small button-primary" disabled={isBusy} onClick={() => goOn([by.accountId])}>
            {text.goOnWithout(nameOf(by))}
          </button>
        </div>
      )}
    </li>
  );
}
