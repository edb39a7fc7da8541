import { useEffect, useRef, useState } from "react";
import type { FormEvent, KeyboardEvent, ReactElement } from "react";
import type { Conversation } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { begun, textOf } from "../state/acting.ts";
import { lastEditable } from "../state/message-actions.ts";
import { hasFinePointer, useAction, useApp, useSelector } from "../state/context.ts";
import { ComposingLine } from "./ComposingLine.tsx";
import { Icon } from "./Icon.tsx";

/** Where a message is written. Mounted anew for each conversation, and for nothing else: somebody may be typing. */
export function Composer({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const { id } = conversation;
  const [text, setText] = useState(() => controller.draft(id));
  const composing = useSelector((state) => state.composing.get(id));
  const isEdit = composing?.kind === "edit";
  const value = isEdit ? composing.text : text;
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    const element = field.current;
    // A draft is written on where it ends.
    element?.setSelectionRange(element.value.length, element.value.length);
    if (hasFinePointer()) element?.focus({ preventScroll: true });
    return () => controller.flushDrafts();
  }, [controller]);

  // As another device of one's own has it, where nothing is written here.
  useEffect(() => setText(controller.draft(id)), [controller, id, conversation.draft]);

  // Whoever answers or changes a message writes on at once.
  useEffect(() => {
    if (composing !== undefined) field.current?.focus({ preventScroll: true });
  }, [composing]);

  useEffect(() => {
    // Browsers without `field-sizing` are told the height.
    const element = field.current;
    if (element === null || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [value]);

  if (conversation.status === "removed") return <p className="composer-notice">{t("conversation.removed")}</p>;
  if (conversation.isBlocked) {
    const { peer, title } = conversation;
    return (
      <p className="composer-notice">
        {t("conversation.blocked", { name: title })}{" "}
        <button type="button" className="link-button" onClick={() => void act(() => controller.client.unblock(peer?.accountId ?? ""))}>
          {t("conversation.unblock")}
        </button>
      </p>
    );
  }
  if (conversation.status === "paused") return <p className="composer-notice composer-notice-danger">{t("conversation.paused")}</p>;

  const cancel = (): void => controller.compose(id, undefined);
  const change = (next: string): void => {
    if (isEdit) {
      controller.compose(id, { ...composing, text: next });
      return;
    }
    setText(next);
    controller.setDraft(id, next);
    controller.setTyping(id, next !== "");
  };
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    // Not by a pattern: in front of each of thousands of line breaks it would begin anew.
    const message = value.trimEnd();
    if (message === "") return;
    field.current?.focus();
    cancel();
    // What could not even be queued comes back into the field, unless something else was begun there.
    const comeBack = (): void => {
      if (!controller.store.get().composing.has(id)) controller.compose(id, composing);
    };
    if (isEdit) {
      // As it was: nothing to tell anybody.
      if (message === textOf(composing.message)) return;
      void act(() => controller.client.edit(id, composing.message.id, message)).then((isDone) => isDone || comeBack());
      return;
    }
    change("");
    void act(() => controller.send(id, message, composing?.message)).then((isDone) => {
      if (isDone || controller.draft(id) !== "") return;
      change(message);
      comeBack();
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && composing !== undefined) {
      event.preventDefault();
      cancel();
      return;
    }
    if (event.key === "ArrowUp" && value === "" && composing === undefined && !event.nativeEvent.isComposing) {
      const messages = controller.store.get().timelines.get(id)?.messages ?? [];
      const last = lastEditable(messages, Date.now());
      if (last !== undefined) {
        event.preventDefault();
        controller.compose(id, begun("edit", last));
      }
      return;
    }
    // Enter that ends the input of a composed character sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };

  return (
    <>
      {composing !== undefined && <ComposingLine composing={composing} cancel={cancel} />}
      <form className="composer" onSubmit={submit}>
        <textarea
          ref={field}
          id="composer"
          className="composer-field"
          aria-label={t("conversation.composerLabel")}
          placeholder={t("conversation.composerPlaceholder")}
          rows={1}
          dir="auto"
          value={value}
          enterKeyHint="send"
          autoComplete="off"
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          onBlur={() => controller.flushDrafts()}
        />
        <button
          type="submit"
          className="send"
          aria-label={isEdit ? t("menu.composing.save") : t("conversation.send")}
          title={isEdit ? t("menu.composing.save") : t("conversation.send")}
          disabled={value.trim() === ""}
        >
          <Icon name={isEdit ? "check" : "send"} size={22} />
        </button>
      </form>
    </>
  );
}
