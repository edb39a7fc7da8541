import type { ReactElement } from "react";
import type { ContinuationOffer, ContinueOptions, Conversation, ConversationStop, Invitation } from "@latchkey/client";
import { accountWords } from "../messages/account-words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Icon } from "./Icon.tsx";

const text = accountWords.stop;

/** Why a conversation stands, and the ways on: who asks one back in, who went on elsewhere, or going on in a new one. */
export function StopPanel({ conversation }: { readonly conversation: Conversation }): ReactElement | undefined {
  const { invitations, offers, stop } = conversation;
  if (invitations.length === 0 && offers.length === 0 && stop === undefined) return undefined;
  return (
    <section className="hold hold-away" aria-label={text.label}>
      <ul>
        {invitations.map((invitation) => (
          <Invited key={invitation.from.accountId} id={conversation.id} invitation={invitation} />
        ))}
        {offers.map((offer) => (
          <Offered key={offer.conversationId} conversation={conversation} offer={offer} />
        ))}
        {stop !== undefined && <Stopped conversation={conversation} stop={stop} />}
      </ul>
    </section>
  );
}

function Invited({ id, invitation }: { readonly id: string; readonly invitation: Invitation }): ReactElement {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const { from, missing, instead, replaced } = invitation;
  const name = nameOf(from);
  const answer = (isAccepted: boolean): void => void act(() => controller.answerInvitation(id, from.accountId, isAccepted));
  return (
    <li>
      <Icon name="people" size={20} />
      <p>
        <strong>{replaced === undefined ? text.invited(name) : text.invitedOther(name)}</strong> {meaningOf(invitation)}
        {missing.length > 0 && ` ${text.invitedWithout(missing.map(nameOf))}`}
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

function meaningOf({ from, wasMember, instead, replaced }: Invitation): string {
  if (replaced !== undefined) return text.invitedInPlace(nameOf(replaced), nameOf(from));
  if (instead !== undefined) return text.invitedElsewhere(nameOf(instead));
  return wasMember ? text.invitedMember : text.invitedStranger(nameOf(from));
}

function Offered({ conversation, offer }: { readonly conversation: Conversation; readonly offer: ContinuationOffer }): ReactElement {
  const { controller } = useApp();
  const [isGoing, goOn] = useGoingOn(conversation.id);
  const [isDeclining, act] = useBusyAction();
  const isBusy = isGoing || isDeclining;
  const { from, missing } = offer;
  return (
    <li>
      <Icon name="people" size={20} />
      <p>
        <strong>{text.offered(nameOf(from))}</strong> {missing.length === 0 ? text.offeredHow : text.offeredWithout(missing.map(nameOf))}
      </p>
      <div className="hold-actions">
        <button
          type="button"
          className="button button-small"
          disabled={isBusy}
          onClick={() => void act(() => controller.answerInvitation(conversation.id, from.accountId, false))}
        >
          {text.stay}
        </button>
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn({ into: offer.conversationId })}>
          {text.goOnThere}
        </button>
      </div>
    </li>
  );
}

function Stopped({ conversation, stop }: { readonly conversation: Conversation; readonly stop: ConversationStop }): ReactElement {
  const { controller } = useApp();
  const [isGoing, goOn] = useGoingOn(conversation.id);
  const [isRemoving, act] = useBusyAction();
  const isBusy = isGoing || isRemoving;
  const { id, kind, status } = conversation;
  const { failure, by, removable } = stop;
  return (
    <li>
      <Icon name="alert" size={20} />
      <p>
        <strong>{failure.message}</strong> {by === undefined ? "" : `${text.madeBy(nameOf(by))} `}
        {failure.canRetry && status === "active" ? `${text.waits} ` : ""}
        {kind === "direct" ? text.direct : text.group}
      </p>
      {by === undefined ? (
        <div className="hold-actions">
          <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn({})}>
            {text.goOn}
          </button>
          {removable.length > 0 && (
            <button
              type="button"
              className="button button-small button-primary"
              disabled={isBusy}
              onClick={() => void act(() => controller.removeUnproven(id))}
            >
              {text.removeUnproven(removable.map(nameOf))}
            </button>
          )}
        </div>
      ) : (
        <div className="hold-actions">
          <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn({})}>
            {text.goOnWithAll}
          </button>
          <button
            type="button"
            className="button button-small button-primary"
            disabled={isBusy}
            onClick={() => goOn({ without: [by.accountId] })}
          >
            {text.goOnWithout(nameOf(by))}
          </button>
        </div>
      )}
    </li>
  );
}

/** Going on elsewhere, and whether it is under way. */
function useGoingOn(id: string): [isBusy: boolean, goOn: (options: ContinueOptions) => void] {
  const { controller, router, notify } = useApp();
  const [isBusy, act] = useBusyAction();
  const goOn = (options: ContinueOptions): void =>
    void act(async () => {
      const { conversation: next, unreachable } = await controller.continueConversation(id, options);
      if (unreachable.length > 0) notify(text.unreachable(unreachable.map(nameOf)));
      router.go({ kind: "conversation", id: next.id, details: false }, { replace: true });
    });
  return [isBusy, goOn];
}
