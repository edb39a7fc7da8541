import type { ReactElement } from "react";
import type { ContinuationOffer, ContinueOptions, Conversation, ConversationStop, Invitation } from "@latchkey/client";
import { holdWords, listOf, t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { Icon } from "./Icon.tsx";

/** Why a conversation stands, and the ways on: who asks one back in, who went on elsewhere, or going on in a new one. */
export function StopPanel({ conversation }: { readonly conversation: Conversation }): ReactElement | undefined {
  const { invitations, offers, stop } = conversation;
  if (invitations.length === 0 && offers.length === 0 && stop === undefined) return undefined;
  return (
    <section className="hold hold-away" aria-label={t("stop.label")}>
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
        <strong>{replaced === undefined ? t("stop.invited", { who: name }) : t("stop.invitedOther", { who: name })}</strong>{" "}
        {meaningOf(invitation)}
        {missing.length > 0 && ` ${t("stop.invitedWithout", { names: listOf(missing.map(nameOf)) })}`}
      </p>
      <div className="hold-actions">
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => answer(false)}>
          {instead === undefined ? t("stop.decline") : t("stop.stayWith", { who: nameOf(instead) })}
        </button>
        <button type="button" className="button button-small button-primary" disabled={isBusy} onClick={() => answer(true)}>
          {instead === undefined ? t("stop.accept") : t("stop.goWith", { who: name })}
        </button>
      </div>
    </li>
  );
}

function meaningOf({ from, wasMember, instead, replaced }: Invitation): string {
  if (replaced !== undefined) return t("stop.invitedInPlace", { before: nameOf(replaced), who: nameOf(from) });
  if (instead !== undefined) return t("stop.invitedElsewhere", { other: nameOf(instead) });
  return wasMember ? t("stop.invitedMember") : t("stop.invitedStranger", { who: nameOf(from) });
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
        <strong>{t("stop.offered", { who: nameOf(from) })}</strong>{" "}
        {missing.length === 0 ? t("stop.offeredHow") : t("stop.offeredWithout", { names: listOf(missing.map(nameOf)) })}
      </p>
      <div className="hold-actions">
        <button
          type="button"
          className="button button-small"
          disabled={isBusy}
          onClick={() => void act(() => controller.answerInvitation(conversation.id, from.accountId, false))}
        >
          {t("stop.stay")}
        </button>
        <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn({ into: offer.conversationId })}>
          {t("stop.goOnThere")}
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
        <strong>{holdWords(failure)}</strong> {by === undefined ? "" : `${t("stop.madeBy", { who: nameOf(by) })} `}
        {failure.canRetry && status === "active" ? `${t("stop.waits")} ` : ""}
        {kind === "direct" ? t("stop.direct") : t("stop.group")}
      </p>
      {by === undefined ? (
        <div className="hold-actions">
          <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn({})}>
            {t("stop.goOn")}
          </button>
          {removable.length > 0 && (
            <button
              type="button"
              className="button button-small button-primary"
              disabled={isBusy}
              onClick={() => void act(() => controller.removeUnproven(id))}
            >
              {t("stop.removeUnproven", { names: listOf(removable.map(nameOf)) })}
            </button>
          )}
        </div>
      ) : (
        <div className="hold-actions">
          <button type="button" className="button button-small" disabled={isBusy} onClick={() => goOn({})}>
            {t("stop.goOnWithAll")}
          </button>
          <button
            type="button"
            className="button button-small button-primary"
            disabled={isBusy}
            onClick={() => goOn({ without: [by.accountId] })}
          >
            {t("stop.goOnWithout", { who: nameOf(by) })}
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
      if (unreachable.length > 0) notify(t("stop.unreachable", { names: listOf(unreachable.map(nameOf)) }));
      router.go({ kind: "conversation", id: next.id, details: false }, { replace: true });
    });
  return [isBusy, goOn];
}
