import "../styles/menu.css";
import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import type { ConversationDetails, InvitedBy, Member, Person, Role } from "@latchkey/client";
import { MenuLanguage } from "./MenuLanguage.tsx";
import { listOf, t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { memberActions, membersShown } from "../state/group-members.ts";
import type { MemberAction } from "../state/group-members.ts";
import { titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { Avatar } from "./Avatar.tsx";
import { ConfirmDialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";
import { PersonButton } from "./PersonButton.tsx";

/** Fewer people are looked through at a glance. */
const searchFrom = 9;

type Question =
  | { readonly kind: "remove"; readonly people: readonly Person[] }
  | { readonly kind: "owner"; readonly people: readonly Person[] }
  | { readonly kind: "giveUp" };

/** How members came, for those who lead the group. */
function useCame({ conversation, may, members }: ConversationDetails): ReadonlyMap<string, InvitedBy> {
  const { controller } = useApp();
  const [came, setCame] = useState<ReadonlyMap<string, InvitedBy>>(new Map());
  useEffect(() => {
    if (!may.remove) return undefined;
    let isShown = true;
    controller.client
      .invitedBy(conversation.id)
      .then((found) => isShown && setCame(new Map(found.map((one) => [one.person.accountId, one]))))
      .catch(() => undefined);
    return () => {
      isShown = false;
    };
  }, [controller, conversation.id, may.remove, members]);
  return came;
}

/** Who is in a group, with what can be done with each, or with several at once. */
export function GroupMembers({
  details,
  labelledBy,
}: {
  readonly details: ConversationDetails;
  readonly labelledBy: string;
}): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const [asked, setAsked] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>();
  const [question, setQuestion] = useState<Question>();
  const searchId = useId();
  const { members, conversation, may } = details;
  const shown = membersShown(members, asked);
  const people = members.flatMap(({ person }) => (chosen?.has(person.accountId) === true ? [person] : []));
  const came = useCame(details);
  const canChoose = members.length > 2 && (may.remove || may.own);
  const refresh = (): Promise<void> => controller.loadDetails(conversation.id);
  const setRole = async (who: readonly Person[], role: Role): Promise<boolean> => {
    const isDone = await act(() =>
      controller.client.setRole(
        conversation.id,
        who.map(({ accountId }) => accountId),
        role,
      ),
    );
    if (isDone) setChosen(undefined);
    await refresh().catch(() => undefined);
    return isDone;
  };
  const remove = async (who: readonly Person[], keepOut: boolean): Promise<boolean> => {
    const isDone = await act(() =>
      controller.client.removeMembers(
        conversation.id,
        who.map(({ accountId }) => accountId),
        { keepOut },
      ),
    );
    if (isDone) setChosen(undefined);
    await refresh().catch(() => undefined);
    return isDone;
  };
  const run = (action: MemberAction, person: Person): void => {
    switch (action) {
      case "write":
        router.go({ kind: "new", to: person.address });
        break;
      case "owner":
      case "remove":
        setQuestion({ kind: action, people: [person] });
        break;
      case "giveUp":
        setQuestion({ kind: "giveUp" });
        break;
      case "administrator":
      case "member":
        void setRole([person], action);
        break;
    }
  };
  const toggle = (accountId: string): void => {
    const next = new Set(chosen);
    if (!next.delete(accountId)) next.add(accountId);
    setChosen(next);
  };
  return (
    <>
      {members.length >= searchFrom && (
        <>
          <label htmlFor={searchId} className="visually-hidden">
            {t("group.members.search")}
          </label>
          <input
            id={searchId}
            type="search"
            className="input"
            placeholder={t("group.members.search")}
            value={asked}
            onChange={(event) => setAsked(event.target.value)}
          />
        </>
      )}
      <ul className="people" aria-labelledby={labelledBy}>
        {shown.map((member) => (
          <MemberRow
            key={member.person.accountId}
            member={member}
            came={came.get(member.person.accountId)}
            actions={memberActions(member, details)}
            run={(action) => run(action, member.person)}
            isChosen={chosen === undefined || member.person.isSelf ? undefined : chosen.has(member.person.accountId)}
            toggle={() => toggle(member.person.accountId)}
          />
        ))}
      </ul>
      {shown.length === 0 && <p className="details-note">{t("group.members.none")}</p>}
      {canChoose && chosen === undefined && (
        <button type="button" className="link-button" onClick={() => setChosen(new Set())}>
          {t("group.members.select")}
        </button>
      )}
      {chosen !== undefined && (
        <div className="members-chosen">
          <span role="status">{t("group.members.chosen", { n: people.length })}</span>
          {may.own && (
            <button type="button" className="button" disabled={people.length === 0} onClick={() => void setRole(people, "administrator")}>
              {t("group.members.makeRole.administrator")}
            </button>
          )}
          {may.remove && (
            <button
              type="button"
              className="button button-danger-quiet"
              disabled={people.length === 0}
              onClick={() => setQuestion({ kind: "remove", people })}
            >
              {t("group.members.remove")}
            </button>
          )}
          <button type="button" className="button" onClick={() => setChosen(undefined)}>
            {t("group.members.done")}
          </button>
        </div>
      )}
      {question?.kind === "remove" && (
        <RemovalDialog
          people={question.people}
          group={titleOf(conversation)}
          confirm={(keepOut) => remove(question.people, keepOut)}
          close={() => setQuestion(undefined)}
        />
      )}
      {question?.kind === "owner" && (
        <ConfirmDialog
          title={t("group.members.ownerTitle", { name: listOf(question.people.map(nameOf)) })}
          body={t("group.members.ownerBody")}
          confirmLabel={t("group.members.makeRole.owner")}
          confirm={() => setRole(question.people, "owner")}
          close={() => setQuestion(undefined)}
        />
      )}
      {question?.kind === "giveUp" && (
        <ConfirmDialog
          title={t("group.members.giveUpTitle")}
          body={t("group.members.giveUpBody")}
          confirmLabel={t("group.members.giveUp")}
          confirm={() =>
            setRole(
              members.flatMap(({ person }) => (person.isSelf ? [person] : [])),
              "member",
            )
          }
          close={() => setQuestion(undefined)}
        />
      )}
    </>
  );
}

function RemovalDialog({
  people,
  group,
  confirm,
  close,
}: {
  readonly people: readonly Person[];
  readonly group: string;
  readonly confirm: (keepOut: boolean) => Promise<boolean>;
  readonly close: () => void;
}): ReactElement {
  const [keepOut, setKeepOut] = useState(false);
  return (
    <ConfirmDialog
      title={removalTitle(people, group)}
      body={removalBody(people)}
      confirmLabel={t("details.removeConfirm")}
      confirm={() => confirm(keepOut)}
      close={close}
    >
      <label className="dialog-choice">
        <input type="checkbox" className="choose-box" checked={keepOut} onChange={(event) => setKeepOut(event.target.checked)} />
        <span>{t("moderation.keepOut")}</span>
      </label>
    </ConfirmDialog>
  );
}

function removalTitle(people: readonly Person[], group: string): string {
  const [first] = people;
  return people.length === 1 && first !== undefined
    ? t("details.removeTitle", { name: nameOf(first), group })
    : t("group.members.removeTitle", { n: people.length, group });
}

function removalBody(people: readonly Person[]): string {
  const [first] = people;
  return people.length === 1 && first !== undefined ? t("details.removeBody", { name: nameOf(first) }) : t("group.members.removeBody");
}

/** How a member came, by the group’s own record. */
function cameText({ addedBy, linkOf }: InvitedBy): string {
  if (addedBy === undefined) return "";
  const by = { name: nameOf(addedBy), who: addedBy.isSelf ? "you" : "other" } as const;
  return linkOf === undefined ? t("moderation.came.added", by) : t("moderation.came.link", { ...by, owner: nameOf(linkOf) });
}

function MemberRow({
  member,
  came,
  actions,
  run,
  isChosen,
  toggle,
}: {
  readonly member: Member;
  /** For those who lead the group. */
  readonly came: InvitedBy | undefined;
  readonly actions: readonly MemberAction[];
  readonly run: (action: MemberAction) => void;
  /** Absent while none are chosen. */
  readonly isChosen: boolean | undefined;
  readonly toggle: () => void;
}): ReactElement {
  const { person, role } = member;
  const notes = [
    person.displayName === person.address ? "" : person.address,
    role === "member" ? "" : t(`details.role.${role}`),
    came === undefined ? "" : cameText(came),
  ].filter((note) => note !== "");
  return (
    <li className="person">
      {isChosen !== undefined && (
        <input
          type="checkbox"
          className="choose-box"
          aria-label={t("group.members.choose", { name: nameOf(person) })}
          checked={isChosen}
          onChange={toggle}
        />
      )}
      <Avatar id={person.accountId} name={person.displayName} />
      <span className="person-text">
        <span className="person-name">
          <PersonButton person={person}>
            <bdi>{person.displayName}</bdi>
          </PersonButton>
          {person.isSelf && <span className="person-self"> ({t("details.you")})</span>}
        </span>
        {notes.length > 0 && <bdi className="person-address">{notes.join(" · ")}</bdi>}
      </span>
      {actions.length > 0 && isChosen === undefined && (
        <MenuLanguage>
          <MenuTrigger>
            <Button className="icon-button" aria-label={t("group.members.menu", { name: nameOf(person) })}>
              <Icon name="more" />
            </Button>
            <Popover className="popover" placement="bottom end">
              <Menu
                className="menu"
                onAction={(key) => {
                  const action = actions.find((one) => one === key);
                  if (action !== undefined) run(action);
                }}
              >
                {actions.map((action) => (
                  <MenuItem key={action} id={action} className={`menu-item${action === "remove" ? " menu-item-danger" : ""}`}>
                    {labelOf(action)}
                  </MenuItem>
                ))}
              </Menu>
            </Popover>
          </MenuTrigger>
        </MenuLanguage>
      )}
    </li>
  );
}

function labelOf(action: MemberAction): string {
  switch (action) {
    case "write":
      return t("group.members.write");
    case "giveUp":
      return t("group.members.giveUp");
    case "remove":
      return t("group.members.remove");
    case "owner":
    case "administrator":
    case "member":
      return t(`group.members.makeRole.${action}`);
  }
}
