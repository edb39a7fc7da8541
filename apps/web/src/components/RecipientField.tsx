import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { KeyboardEvent, ReactElement, ReactNode, RefObject } from "react";
import type { ClientFailure, DirectoryStatus, Person } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { isAllVerified, sortConversations } from "../state/app-state.ts";
import { namesWith } from "../state/name-search.ts";
import type { Recipient } from "../state/recipients.ts";
import type { RecipientsField } from "../state/use-recipients.ts";
import { Avatar } from "./Avatar.tsx";
import { Icon } from "./Icon.tsx";
import { PersonLabel } from "./PersonLabel.tsx";

/** The field "To" with its chips, what is found while typing, and people one writes to already. */
export function RecipientField({
  field,
  inputRef,
  error,
  exclude,
  children,
}: {
  readonly field: RecipientsField;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  readonly error: string | undefined;
  /** Accounts that are not offered. */
  readonly exclude: ReadonlySet<string>;
  /** What stands between the field and the people that are offered. */
  readonly children?: ReactNode;
}): ReactElement {
  const id = useId();
  const suggestionsRef = useRef<HTMLUListElement>(null);
  const { chips, text } = field.state;
  const failed = chips.filter((chip) => chip.status.kind === "failed");
  const hasError = error !== undefined || failed.length > 0;
  const suggestions = useSuggestions(field, exclude);

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === "Enter" && text.trim() !== "" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      field.commit();
    } else if (event.key === "Backspace" && text === "" && chips.length > 0) {
      event.preventDefault();
      field.editLast();
    } else if (event.key === "ArrowDown") {
      const first = suggestionsRef.current?.querySelector("button");
      if (first !== null && first !== undefined) {
        event.preventDefault();
        first.focus();
      }
    }
  };

  return (
    <>
      <div className="field">
        <label htmlFor={`${id}to`}>{t("newConversation.to")}</label>
        <div className={`chips${hasError ? " chips-error" : ""}`}>
          {chips.map((chip) => (
            <Chip
              key={chip.address}
              chip={chip}
              remove={() => {
                field.remove(chip.address);
                inputRef.current?.focus();
              }}
            />
          ))}
          <input
            ref={inputRef}
            id={`${id}to`}
            className="chips-input"
            value={text}
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            inputMode="email"
            enterKeyHint="next"
            aria-describedby={`${id}hint`}
            aria-invalid={hasError}
            onChange={(event) => field.type(event.target.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        <div id={`${id}hint`} className="field-hint" aria-live="polite">
          {hasError ? (
            <>
              {error !== undefined && <p className="field-error">{error}</p>}
              {failed.map(
                (chip) =>
                  chip.status.kind === "failed" && (
                    <div key={chip.address}>
                      <p className="field-error">{failedText(chip.address, chip.status.failure)}</p>
                      {chip.status.failure.code === "name_changed_hands" && (
                        <button type="button" className="button" onClick={() => void field.acceptName(chip.address)}>
                          {t("newConversation.acceptName", { address: chip.address })}
                        </button>
                      )}
                    </div>
                  ),
              )}
            </>
          ) : (
            <TypedStatus field={field} />
          )}
        </div>
      </div>
      {children}
      {suggestions.length > 0 && (
        <section aria-labelledby={`${id}known`} className="suggestions">
          <h2 className="section-heading" id={`${id}known`}>
            {t("newConversation.known")}
          </h2>
          <ul ref={suggestionsRef} className="people" aria-labelledby={`${id}known`}>
            {suggestions.map((person) => (
              <li key={person.accountId}>
                <button type="button" className="person-button" onClick={() => field.add(person)}>
                  <PersonLabel person={person} />
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Chip({ chip, remove }: { readonly chip: Recipient; readonly remove: () => void }): ReactElement {
  const { status, address } = chip;
  const name = status.kind === "found" ? status.person.displayName : address;
  const isVerified = useIsVerified(status.kind === "found" ? status.person.accountId : undefined);
  return (
    <span className={`chip chip-${status.kind}`}>
      {isVerified && (
        <span className="chip-verified" title={t("newConversation.chipVerified")}>
          <Icon name="shield" size={14} />
          <span className="visually-hidden">{t("newConversation.chipVerified")}: </span>
        </span>
      )}
      {status.kind === "found" && <Avatar id={status.person.accountId} name={name} size="small" />}
      <bdi className="chip-name" title={address}>
        {name}
      </bdi>
      <button type="button" className="chip-remove" aria-label={t("newConversation.remove", { name })} onClick={remove}>
        <Icon name="close" size={14} />
      </button>
    </span>
  );
}

/** Whether a person was compared with and marked, as far as conversations with them tell. */
function useIsVerified(accountId: string | undefined): boolean {
  const { controller } = useApp();
  const direct = useSelector((state) =>
    accountId === undefined ? undefined : [...state.conversations.values()].find(({ peer }) => peer?.accountId === accountId)?.id,
  );
  useEffect(() => {
    if (direct !== undefined) void controller.loadVerification(direct).catch(() => undefined);
  }, [controller, direct]);
  return useSelector((state) => direct !== undefined && isAllVerified(state.verifications.get(direct)));
}

/** How the keys of a person that was found stand: who is found at all is found with proof. */
function useRecordText(isFound: boolean): string {
  const { controller } = useApp();
  const [status, setStatus] = useState<DirectoryStatus>();
  useEffect(() => {
    if (!isFound) return undefined;
    let isGone = false;
    const ask = async (): Promise<void> => {
      const next = await controller.client.directoryStatus();
      if (!isGone) setStatus(next);
    };
    void ask().catch(() => undefined);
    return () => {
      isGone = true;
    };
  }, [controller, isFound]);
  return status === undefined || status.status === "unchecked" ? "" : t("newConversation.keysChecked", { witnesses: status.witnesses });
}

function TypedStatus({ field }: { readonly field: RecipientsField }): ReactElement {
  const { typed } = field;
  const record = useRecordText(typed?.kind === "found");
  switch (typed?.kind) {
    case "resolving":
      return <p>{t("newConversation.looking")}…</p>;
    case "found":
      return (
        <p className="field-good">
          <Icon name="check" size={16} /> {t("newConversation.found")}: <bdi>{typed.person.displayName}</bdi>
          {typed.person.displayName !== typed.person.address && (
            <>
              {" · "}
              <bdi>{typed.person.address}</bdi>
            </>
          )}
          {record !== "" && ` · ${record}`}
        </p>
      );
    case "failed":
      return <p>{failedText(field.state.text.trim(), typed.failure)}</p>;
    case undefined:
      return <p>{t("newConversation.toHint")}</p>;
  }
}

/** What to say about an address that was not found. */
export function failedText(address: string, failure: ClientFailure): string {
  if (failure.code === "unknown_user") return t("newConversation.unknown", { address });
  if (failure.code === "invalid_address") return t("newConversation.invalid", { address });
  if (failure.code === "directory_unproven" || failure.code === "server_lied") return t("newConversation.unproven", { address });
  const { title, advice } = failureWords(failure);
  return `${title}. ${advice}`;
}

function useSuggestions(field: RecipientsField, exclude: ReadonlySet<string>): readonly Person[] {
  const conversations = useSelector((state) => state.conversations);
  const { chips, text } = field.state;
  return useMemo(() => {
    const taken = new Set(chips.flatMap((chip) => (chip.status.kind === "found" ? [chip.status.person.accountId] : [])));
    const isCalled = namesWith(text);
    return sortConversations(conversations)
      .flatMap(({ peer }) => (peer === undefined ? [] : [peer]))
      .filter(({ accountId, displayName, address }) => !taken.has(accountId) && !exclude.has(accountId) && isCalled(displayName, address))
      .slice(0, 8);
  }, [chips, conversations, exclude, text]);
}
