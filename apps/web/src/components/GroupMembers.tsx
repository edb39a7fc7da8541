import "../styles/menu.css";
import { useId, useState } from "react";
import type { ReactElement } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import type { ConversationDetails, Member, Person, Role } from "@latchkey/client";
import { groupWords } from "../messages/group-words.ts";
import { pageWords } from "../messages/page-words.ts";
import { useAction, useApp } from "../state/context.ts";
import { memberActions, membersShown } from "../state/group-members.ts";
import type { MemberAction } from "../state/group-members.ts";
import { titleOf } from "../state/own.ts";
import { nameOf } from "../state/person-name.ts";
import { Avatar } from "./Avatar.tsx";
import { ConfirmDialog } from "./Dialog.tsx";
import { Icon } from "./Icon.tsx";

/** Fewer people are looked through at a glance. */
const searchFrom = 9;

type Question =
  | { readonly kind: "remove"; readonly people: readonly Person[] }
  | { readonly kind: "owner"; readonly people: readonly Person[] }
  | { readonly kind: "giveUp" };

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
  const remove = async (who: readonly Person[]): Promise<boolean> => {
    const isDone = await act(() =>
      controller.client.removeMembers(
        conversation.id,
        who.map(({ accountId }) => accountId),
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
  const texts = groupWords.members;
  return (
    <>
      {members.length >= searchFrom && (
        <>
          <label htmlFor={searchId} className="visually-hidden">
            {texts.search}
          </label>
          <input
            id={searchId}
            type="search"
            className="input"
            placeholder={texts.search}
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
            actions={memberActions(member, details)}
            run={(action) => run(action, member.person)}
            isChosen={chosen === undefined || member.person.isSelf ? undefined : chosen.has(member.person.accountId)}
            toggle={() => toggle(member.person.accountId)}
          />
        ))}
      </ul>
      {shown.length === 0 && <p className="details-note">{texts.none}</p>}
      {canChoose && chosen === undefined && (
        <button type="button" className="link-button" onClick={() => setChosen(new Set())}>
          {texts.select}
        </button>
      )}
      {chosen !== undefined && (
        <div className="members-chosen">
          <span role="status">{texts.chosen(people.length)}</span>
          {may.own && (
            <button type="button" className="button" disabled={people.length === 0} onClick={() => void setRole(people, "administrator")}>
              {texts.makeRole.administrator}
            </button>
          )}
          {may.remove && (
            <button
              type="button"
              className="button button-danger-quiet"
              disabled={people.length === 0}
              onClick={() => setQuestion({ kind: "remove", people })}
            >
              {texts.remove}
            </button>
          )}
          <button type="button" className="button" onClick={() => setChosen(undefined)}>
            {texts.done}
          </button>
        </div>
      )}
      {question?.kind === "remove" && (
        <ConfirmDialog
          title={removalTitle(question.people, titleOf(conversation))}
          body={removalBody(question.people)}
          confirmLabel={pageWords.details.removeConfirm}
          confirm={() => remove(question.people)}
          close={() => setQuestion(undefined)}
        />
      )}
      {question?.kind === "owner" && (
        <ConfirmDialog
          title={texts.ownerTitle(question.people.map(nameOf).join(", "))}
          body={texts.ownerBody}
          confirmLabel={texts.makeRole.owner}
          confirm={() => setRole(question.people, "owner")}
          close={() => setQuestion(undefined)}
        />
      )}
      {question?.kind === "giveUp" && (
        <ConfirmDialog
          title={texts.giveUpTitle}
          body={texts.giveUpBody}
          confirmLabel={texts.giveUp}
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

function removalTitle(people: readonly Person[], group: string): string {
  const [first] = people;
  return people.length === 1 && first !== undefined
    ? pageWords.details.removeTitle(nameOf(first), group)
    : groupWords.members.removeTitle(people.length, group);
}

function removalBody(people: readonly Person[]): string {
  const [first] = people;
  return people.length === 1 && first !== undefined ? pageWords.details.removeBody(nameOf(first)) : groupWords.members.removeBody;
}

function MemberRow({
  member,
  actions,
  run,
  isChosen,
  toggle,
}: {
  readonly member: Member;
  readonly actions: readonly MemberAction[];
  readonly run: (action: MemberAction) => void;
  /** Absent while none are chosen. */
  readonly isChosen: boolean | undefined;
  readonly toggle: () => void;
}): ReactElement {
  const { person, role } = member;
  const notes = [person.displayName === person.address ? "" : person.address, pageWords.details.role[role]].filter((note) => note !== "");
  return (
    <li className="person">
      {isChosen !== undefined && (
        <input
          type="checkbox"
          className="choose-box"
          aria-label={groupWords.members.choose(nameOf(person))}
          checked={isChosen}
          onChange={toggle}
        />
      )}
      <Avatar id={person.accountId} name={person.displayName} />
      <span className="person-text">
        <span className="person-name">
          <bdi>{person.displayName}</bdi>
          {person.isSelf && <span className="person-self"> ({pageWords.details.you})</span>}
        </span>
        {notes.length > 0 && <bdi className="person-address">{notes.join(" · ")}</bdi>}
      </span>
      {actions.length > 0 && isChosen === undefined && (
        <MenuTrigger>
          <Button className="icon-button" aria-label={groupWords.members.menu(nameOf(person))}>
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
      )}
    </li>
  );
}

function labelOf(action: MemberAction): string {
  const { write, makeRole, giveUp, remove } = groupWords.members;
  switch (action) {
    case "write":
      return write;
    case "giveUp":
      return giveUp;
    case "remove":
      return remove;
    case "owner":
    case "administrator":
    case "member":
      return makeRole[action];
  }
}
