import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { t } from "../messages/words.ts";
import { failureWords } from "../messages/words.ts";
import { nameShown } from "../components/name-shown.ts";
import { PageHeader } from "../components/PageHeader.tsx";
import { RecipientField } from "../components/RecipientField.tsx";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { countRecipients, meantAddresses } from "../state/recipients.ts";
import { useRecipients } from "../state/use-recipients.ts";
import { failureOf } from "../worker/protocol.ts";

interface Errors {
  readonly to?: string;
  readonly name?: string;
  readonly start?: string;
}

/** Whom to write to: one person opens a direct conversation, more make a group. */
export function NewConversationPage({ to }: { readonly to: string }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const account = useSelector((state) => state.account);
  const field = useRecipients(to);
  const toRef = useRef<HTMLInputElement>(null);
  const nameRef = useRef<HTMLInputElement>(null);
  const id = useId();
  const [name, setName] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const [errors, setErrors] = useState<Errors>({});
  const isGroup = countRecipients(field.state) > 1;
  const exclude = useMemo(() => new Set(account === undefined ? [] : [account.accountId]), [account]);
  useEffect(() => toRef.current?.focus({ preventScroll: true }), []);

  // What was wrong with the people before says nothing of those that stand there now.
  const meant = meantAddresses(field.state).join(" ");
  useEffect(() => setErrors((now) => (now.to === undefined && now.start === undefined ? now : {})), [meant]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (isBusy) return;
    setIsBusy(true);
    setErrors({});
    const refuse = (next: Errors): void => {
      setErrors(next);
      setIsBusy(false);
      if (next.name === undefined) toRef.current?.focus();
      else nameRef.current?.focus();
    };
    const { chips } = await field.settle();
    if (chips.length === 0) return refuse({ to: t("newConversation.needSomeone") });
    if (chips.some((chip) => chip.status.kind !== "found")) return refuse({});
    const people = chips.flatMap((chip) => (chip.status.kind === "found" ? [chip.status.person] : []));
    if (people.some((person) => person.isSelf)) return refuse({ to: t("newConversation.self") });
    if (people.length > 1 && name.trim() === "") return refuse({ name: t("newConversation.needName") });
    try {
      const conversation = await controller.start(
        people.map((person) => person.address),
        people.length > 1 ? name.trim() : undefined,
      );
      router.go({ kind: "conversation", id: conversation.id, details: false }, { replace: true });
    } catch (error) {
      const { title, advice } = failureWords(failureOf(error));
      refuse({ start: `${title}. ${advice}` });
    }
    return undefined;
  };

  const noteToSelf = async (): Promise<void> => {
    if (account === undefined) return;
    await act(async () => {
      const conversation = await controller.start([account.address], undefined);
      router.go({ kind: "conversation", id: conversation.id, details: false }, { replace: true });
    });
  };

  return (
    <main className="page">
      <PageHeader heading={t("newConversation.heading")} takesFocus={false} />
      <form className="page-body" onSubmit={(event) => void submit(event)} noValidate>
        <RecipientField field={field} inputRef={toRef} error={errors.to} exclude={exclude}>
          {isGroup && (
            <div className="field">
              <label htmlFor={`${id}name`}>{t("newConversation.groupName")}</label>
              <input
                ref={nameRef}
                id={`${id}name`}
                className="input"
                dir="auto"
                maxLength={500}
                autoComplete="off"
                value={name}
                aria-describedby={`${id}hint`}
                aria-invalid={errors.name !== undefined}
                onChange={(event) => setName(event.target.value)}
              />
              <div id={`${id}hint`} className="field-hint" aria-live="polite">
                {errors.name === undefined ? (
                  <p>{nameShown(name) || t("newConversation.groupNameHint")}</p>
                ) : (
                  <p className="field-error">{errors.name}</p>
                )}
              </div>
            </div>
          )}
          <div aria-live="assertive">{errors.start !== undefined && <p className="notice notice-danger">{errors.start}</p>}</div>
          <div className="page-actions">
            <button type="button" className="button" onClick={() => void noteToSelf()}>
              {t("newConversation.noteToSelf")}
            </button>
            <button type="submit" className="button button-primary" aria-disabled={isBusy}>
              {isBusy ? `${t("newConversation.starting")}…` : t("newConversation.start")}
            </button>
          </div>
        </RecipientField>
      </form>
    </main>
  );
}
