import { useEffect, useRef, useState } from "react";
import type { FormEvent, KeyboardEvent, ReactElement } from "react";
import type { Conversation } from "@latchkey/client";
import { words } from "../messages/words.ts";
import { hasFinePointer, useAction, useApp } from "../state/context.ts";
import { Icon } from "./Icon.tsx";

/** Where a message is written. Mounted anew for each conversation, and for nothing else: somebody may be typing. */
export function Composer({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const { id } = conversation;
  const [text, setText] = useState(() => controller.draft(id));
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

  useEffect(() => {
    // Browsers without `field-sizing` are told the height.
    const element = field.current;
    if (element === null || CSS.supports("field-sizing", "content")) return;
    element.style.height = "auto";
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  if (conversation.status === "removed") return <p className="composer-notice">{words.conversation.removed}</p>;
  if (conversation.isBlocked) {
    const { peer, title } = conversation;
    return (
      <p className="composer-notice">
        {words.conversation.blocked(title)}{" "}
        <button type="button" className="link-button" onClick={() => void act(() => controller.client.unblock(peer?.accountId ?? ""))}>
          {words.conversation.unblock}
        </button>
      </p>
    );
  }
  if (conversation.status === "paused") return <p className="composer-notice composer-notice-danger">{words.conversation.paused}</p>;

  const change = (next: string): void => {
    setText(next);
    controller.setDraft(id, next);
    controller.setTyping(id, next !== "");
  };
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    const message = text.trim() === "" ? "" : text.replace(/\s+$/u, "");
    if (message === "") return;
    change("");
    field.current?.focus();
    void act(() => controller.send(id, message)).then((isDone) => {
      // What could not even be queued comes back into the field, unless something else was written there.
      if (!isDone && controller.draft(id) === "") change(message);
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // Enter that ends the input of a composed character sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };

  return (
    <form className="composer" onSubmit={submit}>
      <textarea
        ref={field}
        id="composer"
        className="composer-field"
        aria-label={words.conversation.composerLabel}
        placeholder={words.conversation.composerPlaceholder}
        rows={1}
        dir="auto"
        value={text}
        enterKeyHint="send"
        autoComplete="off"
        onChange={(event) => change(event.target.value)}
        onKeyDown={onKeyDown}
        onBlur={() => controller.flushDrafts()}
      />
      <button
        type="submit"
        className="send"
        aria-label={words.conversation.send}
        title={words.conversation.send}
        disabled={text.trim() === ""}
      >
        <Icon name="send" size={22} />
      </button>
    </form>
  );
}
