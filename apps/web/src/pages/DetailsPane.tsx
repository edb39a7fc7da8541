import "../styles/group.css";
import "../styles/own.css";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { Conversation, ConversationDetails, Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { formatNumber } from "../state/format.ts";
import { Avatar } from "../components/Avatar.tsx";
import { Icon } from "../components/Icon.tsx";
import { lazyComponent } from "../components/lazy.tsx";
import { OwnControls } from "../components/OwnControls.tsx";
import { RecipientField } from "../components/RecipientField.tsx";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { useRecipients } from "../state/use-recipients.ts";

const GroupMembers = lazyComponent(async () => (await import("../components/GroupMembers.tsx")).GroupMembers, "moderation");
const ReportDialog = lazyComponent(async () => (await import("../reports/ReportDialog.tsx")).ReportDialog, "report");
const GroupReports = lazyComponent(async () => (await import("../components/GroupReports.tsx")).GroupReports, "moderation");
const KeptOut = lazyComponent(async () => (await import("../components/KeptOut.tsx")).KeptOut, "moderation");
const GroupSettings = lazyComponent(async () => (await import("../components/GroupSettings.tsx")).GroupSettings);
const JoinLinks = lazyComponent(async () => (await import("../components/JoinLinks.tsx")).JoinLinks);
const LeaveDialog = lazyComponent(async () => (await import("../components/LeaveDialog.tsx")).LeaveDialog);
const SharedFiles = lazyComponent(async () => (await import("../files/SharedFiles.tsx")).SharedFiles, "files");
const TimerSetting = lazyComponent(async () => (await import("../later/parts.ts")).TimerSetting, "files");
const VerificationPanel = lazyComponent(async () => (await import("../components/VerificationPanel.tsx")).VerificationPanel);

/** Who is in a conversation, how it is protected, and what one can change. */
export function DetailsPane({ id, isMain }: { readonly id: string; readonly isMain: boolean }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const details = useSelector((state) => state.details.get(id));
  const conversation = useSelector((state) => state.conversations.get(id));
  const [isLeaving, setIsLeaving] = useState(false);
  const headingRef = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    void act(() => controller.loadDetails(id));
  }, [act, controller, id, conversation?.status, conversation?.memberCount, conversation?.timerS]);
  useEffect(() => headingRef.current?.focus({ preventScroll: true }), []);

  const Heading = isMain ? "h1" : "h2";
  const isGroup = conversation?.kind === "group";
  const title = conversation === undefined ? "" : titleOf(conversation);
  return (
    // One element in both places: another would begin anew, and close what stands open in it.
    <section className="details" role={isMain ? "main" : "complementary"} aria-label={t("details.heading")}>
      <header className="page-header">
        <button type="button" className="icon-button" aria-label={t("details.close")} onClick={() => router.back()}>
          <Icon name={isMain ? "back" : "close"} />
        </button>
        <Heading ref={headingRef} tabIndex={-1}>
          {t("details.heading")}
        </Heading>
      </header>
      <div className="details-scroll">
        {conversation !== undefined && (
          <div className="details-head">
            <Avatar id={conversation.peer?.accountId ?? id} name={title} size="large" isGroup={isGroup} />
            <bdi className="details-title">{title}</bdi>
            <bdi className="details-subtitle">
              {isGroup ? t("conversation.members", { n: conversation.memberCount }) : conversation.peer?.address}
            </bdi>
          </div>
        )}
        {details !== undefined && (
          <>
            {isGroup && <GroupReports conversationId={id} />}
            {isGroup && <Members details={details} />}
            {details.keptOut.length > 0 && <KeptOut details={details} />}
            {isGroup && details.may.invite && <JoinLinks conversationId={id} />}
            {isGroup && <GroupSettings details={details} />}
            <TimerSetting details={details} />
            {!isGroup && conversation?.peer?.isSelf === false && (
              <button
                type="button"
                className="button button-wide"
                onClick={() => router.go({ kind: "new", to: `${conversation.peer?.address ?? ""},` })}
              >
                <Icon name="people" size={18} />
                {t("details.groupWith", { name: title })}
              </button>
            )}
            <SharedFiles conversationId={id} />
            {conversation !== undefined && <OwnControls conversation={conversation} />}
            <Verification details={details} />
            {!isGroup && conversation?.peer?.isSelf === false && (
              <>
                <BlockButton conversation={conversation} peer={conversation.peer} />
                <ReportButton conversationId={id} peer={conversation.peer} />
              </>
            )}
            {conversation?.status !== "removed" && (
              <button type="button" className="button button-wide button-danger-quiet" onClick={() => setIsLeaving(true)}>
                <Icon name="leave" size={18} />
                {t("details.leave")}
              </button>
            )}
          </>
        )}
      </div>
      {isLeaving && <LeaveDialog conversationId={id} close={() => setIsLeaving(false)} />}
    </section>
  );
}

function Members({ details }: { readonly details: ConversationDetails }): ReactElement {
  const id = useId();
  const [isAdding, setIsAdding] = useState(false);
  const { may } = details;
  return (
    <section aria-labelledby={`${id}heading`} className="details-section">
      <h2 id={`${id}heading`} className="section-heading">
        {t("details.members")}
      </h2>
      <GroupMembers details={details} labelledBy={`${id}heading`} />
      {may.add && !isAdding && (
        <button type="button" className="button button-wide" onClick={() => setIsAdding(true)}>
          <Icon name="addPerson" size={18} />
          {t("details.addPeople")}
        </button>
      )}
      {isAdding && <AddPeople details={details} close={() => setIsAdding(false)} />}
    </section>
  );
}

/** They are not told; what they write is not shown. */
function BlockButton({ conversation, peer }: { readonly conversation: Conversation; readonly peer: Person }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const { isBlocked, title } = conversation;
  const change = (): Promise<void> => (isBlocked ? controller.client.unblock(peer.accountId) : controller.client.block(peer.accountId));
  return (
    <button
      type="button"
      className={isBlocked ? "button button-wide" : "button button-wide button-danger-quiet"}
      onClick={() => void act(change)}
    >
      {isBlocked ? t("details.unblock", { name: title }) : t("details.block", { name: title })}
    </button>
  );
}

function ReportButton({ conversationId, peer }: { readonly conversationId: string; readonly peer: Person }): ReactElement {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" className="button button-wide button-danger-quiet" onClick={() => setIsOpen(true)}>
        {t("details.report", { name: nameOf(peer) })}
      </button>
      {isOpen && <ReportDialog conversationId={conversationId} accused={peer} messages={[]} close={() => setIsOpen(false)} />}
    </>
  );
}

function AddPeople({ details, close }: { readonly details: ConversationDetails; readonly close: () => void }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const field = useRecipients();
  const inputRef = useRef<HTMLInputElement>(null);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<string>();
  const exclude = useMemo(() => new Set(details.members.map(({ person }) => person.accountId)), [details.members]);
  useEffect(() => inputRef.current?.focus(), []);
  const submit = async (): Promise<void> => {
    setIsBusy(true);
    const { chips } = await field.settle();
    const isReady = chips.length > 0 && chips.every((chip) => chip.status.kind === "found");
    setError(chips.length === 0 ? t("newConversation.needSomeone") : undefined);
    const isDone =
      isReady &&
      (await act(() =>
        controller.addMembers(
          details.conversation.id,
          chips.map((chip) => chip.address),
        ),
      ));
    setIsBusy(false);
    if (isDone) close();
    else inputRef.current?.focus();
  };
  return (
    <form
      className="details-add"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <RecipientField field={field} inputRef={inputRef} error={error} exclude={exclude} />
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          {t("common.cancel")}
        </button>
        <button type="submit" className="button button-primary" disabled={isBusy}>
          {t("details.add")}
        </button>
      </div>
    </form>
  );
}

function Verification({ details }: { readonly details: ConversationDetails }): ReactElement {
  const id = useId();
  const { conversation } = details;
  const isDirect = conversation.kind === "direct";
  return (
    <section aria-labelledby={`${id}heading`} className="details-section verification">
      <h2 id={`${id}heading`} className="section-heading">
        <Icon name="shield" size={18} />
        {t("details.verification")}
      </h2>
      <VerificationPanel conversationId={conversation.id} isDirect={isDirect} />
      <dl className="facts">
        <div>
          <dt>{t("details.encryption")}</dt>
          <dd>{t(details.cipherSuite === "X25519 (classical)" ? "details.suite.classical" : "details.suite.hybrid")}</dd>
        </div>
        <div>
          <dt>{t("details.keyChanges")}</dt>
          <dd>{formatNumber(details.epoch)}</dd>
        </div>
        <div>
          <dt>{t("details.renewal")}</dt>
          <dd>{t("details.healsWithin", { days: details.healsWithinDays })}</dd>
        </div>
        <div>
          <dt>{t("details.server")}</dt>
          <dd>
            <bdi>{conversation.host}</bdi>
          </dd>
        </div>
      </dl>
    </section>
  );
}
