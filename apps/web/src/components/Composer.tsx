import { useCallback, useEffect, useRef, useState } from "react";
import type { ChangeEvent, ClipboardEvent, DragEvent, FormEvent, KeyboardEvent, ReactElement } from "react";
import type { Conversation, Person } from "@latchkey/client";
import { AttachIcon } from "../attach/AttachIcon.tsx";
import type { Chosen } from "../attach/attach.ts";
import { t } from "../messages/words.ts";
import { begun, textOf } from "../state/acting.ts";
import { isSendKey, marking, markOfKey } from "../state/composer-keys.ts";
import { lastEditable, lastUndoable } from "../state/message-actions.ts";
import { hasFinePointer, useAction, useApp, useSelector } from "../state/context.ts";
import { nameOf } from "../state/person-name.ts";
import { enterSends } from "../state/preferences.ts";
import { directionOf, fillsField, fitting, fullnessOf, hasManyLines, isTooLongToHold } from "../state/text-size.ts";
import { failureOf } from "../worker/protocol.ts";
import { ComposerNotes } from "./ComposerNotes.tsx";
import type { ComposerNote } from "./ComposerNotes.tsx";
import { ComposingLine } from "./ComposingLine.tsx";
import { Icon } from "./Icon.tsx";
import { lazyComponent } from "./lazy.tsx";
import { SuggestionList } from "./SuggestionList.tsx";
import { useComposerField } from "./use-composer-field.ts";
import { chosenOf, useFileDrop } from "./use-file-drop.ts";
import { useSuggestions } from "./use-suggestions.ts";

const SendLater = lazyComponent(async () => (await import("../later/parts.ts")).SendLater, "files");
const Tray = lazyComponent(async () => (await import("../attach/Tray.tsx")).Tray, "attach");
const VoiceBar = lazyComponent(async () => (await import("../attach/VoiceBar.tsx")).VoiceBar, "attach");
const ComposerEmoji = lazyComponent(async () => (await import("./ComposerEmoji.tsx")).ComposerEmoji);

/** Where a message is written, or why none can be. Mounted anew for each conversation, and for nothing else: somebody may be typing. */
export function Composer({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
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
  return <ComposerForm conversation={conversation} />;
}

function ComposerForm({ conversation }: { readonly conversation: Conversation }): ReactElement {
  const { controller, notify } = useApp();
  const act = useAction();
  const { id } = conversation;
  const [text, setText] = useState(() => controller.draft(id));
  const [note, setNote] = useState<ComposerNote>();
  const [isPicking, setIsPicking] = useState(false);
  const [isSpeaking, setIsSpeaking] = useState(false);
  const [isLater, setIsLater] = useState(false);
  const composing = useSelector((state) => state.composing.get(id));
  const isEdit = composing?.kind === "edit";
  const tray = useSelector((state) => state.trays.get(id));
  const hasVoice = useSelector((state) => state.voices.has(id)) || isSpeaking;
  const hasFiles = isEdit ? composing.message.files !== undefined : (tray?.items.length ?? 0) > 0;
  const value = isEdit ? composing.text : text;
  const element = useRef<HTMLTextAreaElement>(null);
  const emojiButton = useRef<HTMLButtonElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const cameraInput = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const { current } = element;
    // A draft is written on where it ends.
    current?.setSelectionRange(current.value.length, current.value.length);
    if (hasFinePointer()) current?.focus({ preventScroll: true });
    return () => void controller.flushDrafts();
  }, [controller]);

  // As another device of one's own has it, where nothing is written here.
  useEffect(() => setText(controller.draft(id)), [controller, id, conversation.draft]);

  // Whoever answers or changes a message writes on at once.
  useEffect(() => {
    if (composing !== undefined) element.current?.focus({ preventScroll: true });
  }, [composing]);

  const change = (next: string): void => {
    if (isEdit) {
      controller.compose(id, { ...composing, text: next });
      return;
    }
    setText(next);
    controller.setDraft(id, next);
    controller.setTyping(id, next !== "");
  };
  const members = useSelector((state) => state.details.get(id)?.members);
  const mentioned = composing?.message.mentions;
  const nameOfUri = useCallback(
    (uri: string) => nameIn(uri, [...(members ?? []).map(({ person }) => person), ...(mentioned ?? [])]),
    [members, mentioned],
  );
  const field = useComposerField(element, value, { nameOf: nameOfUri, change });
  const { written, replace } = field;
  const suggestions = useSuggestions(conversation, field);
  const fullness = fullnessOf(value);
  const isFull = fillsField(written.text);

  useEffect(() => {
    // Browsers without `field-sizing` are told the height.
    const { current } = element;
    if (current === null || isFull || CSS.supports("field-sizing", "content")) return undefined;
    current.style.height = "auto";
    current.style.height = `${current.scrollHeight}px`;
    return () => {
      current.style.height = "";
    };
  }, [isFull, written.text]);

  const cancel = (): void => controller.compose(id, undefined);
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    // Not by a pattern: in front of each of thousands of line breaks it would begin anew.
    const message = value.trimEnd();
    if ((message === "" && !hasFiles) || fullness.isOver) return;
    element.current?.focus();
    cancel();
    setNote(undefined);
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
    let isSent = true;
    const answered = composing?.message;
    const send = async (): Promise<void> => {
      if (hasFiles) isSent = await (await import("../attach/attach.ts")).sendTray(controller, id, { text: message, answered });
      else await controller.send(id, message, answered);
    };
    void act(async () => {
      try {
        await send();
      } catch (error) {
        // The name is right: it was somebody's, who deleted their account.
        if (failureOf(error).code !== "unknown_user" || conversation.peer === undefined) throw error;
        notify(t("composer.gone", { person: nameOf(conversation.peer) }));
        isSent = false;
      }
    }).then((isDone) => {
      if ((isDone && isSent) || controller.draft(id) !== "") return;
      change(message);
      comeBack();
    });
  };
  const attach = (chosen: Chosen): void => {
    setNote(undefined);
    void act(async () => (await import("../attach/attach.ts")).attach(controller, id, chosen));
    element.current?.focus({ preventScroll: true });
  };
  const choose = ({ target }: ChangeEvent<HTMLInputElement>): void => {
    const files = [...(target.files ?? [])];
    // So that the same one can be chosen again.
    target.value = "";
    if (files.length > 0) attach({ files, hasFolder: false });
  };
  const insert = (added: string): void => {
    const { current } = element;
    if (current !== null) replace({ start: current.selectionStart, end: current.selectionEnd, text: added });
  };
  const mark = (sign: string): void => {
    const { current } = element;
    if (current === null) return;
    const { edits, selection } = marking(current.value, [current.selectionStart, current.selectionEnd], sign);
    for (const edit of edits) replace(edit);
    current.setSelectionRange(...selection);
  };
  const upAtLast = (): boolean => {
    const messages = controller.store.get().timelines.get(id)?.messages ?? [];
    const waiting = lastUndoable(messages, Date.now());
    const last = lastEditable(messages, Date.now());
    if (waiting !== undefined) void act(() => controller.takeBack(waiting));
    else if (last !== undefined) controller.compose(id, begun("edit", last));
    return waiting !== undefined || last !== undefined;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (suggestions.onKeyDown(event)) return;
    const { nativeEvent } = event;
    const sign = markOfKey(nativeEvent);
    const isUp = event.key === "ArrowUp" && value === "" && composing === undefined && !nativeEvent.isComposing;
    if (event.key === "Escape" && (composing !== undefined || note !== undefined)) {
      if (note === undefined) cancel();
      setNote(undefined);
    } else if (sign !== undefined) mark(sign);
    else if (isSendKey(nativeEvent, enterSends())) submit();
    else if (!isUp || !upAtLast()) return;
    event.preventDefault();
  };
  const take = (event: ClipboardEvent | DragEvent, data: DataTransfer | null): void => {
    const added = data?.getData("text/plain") ?? "";
    if (data !== null && added === "" && data.files.length > 0) {
      // What is dropped the whole page takes.
      if (event.type === "paste") attach(chosenOf(data));
    } else if (isTooLongToHold(added, written.text)) setNote({ kind: "long", beginning: fitting(added, value) });
    else if (hasManyLines(added)) insert(added);
    else return;
    event.preventDefault();
  };
  const isDragged = useFileDrop(attach);

  const endVoice = (isSent: boolean): void => {
    setIsSpeaking(false);
    if (isSent) cancel();
    requestAnimationFrame(() => element.current?.focus({ preventScroll: true }));
  };
  const canSpeak = value.trim() === "" && !hasFiles && !isEdit;
  const canWait = value.trim() !== "" && !hasFiles && !isEdit && !fullness.isOver;
  const endLater = (isDone: boolean): void => {
    setIsLater(false);
    if (!isDone) return;
    cancel();
    change("");
  };
  const open = suggestions.found.length > 0;
  const label = isEdit ? t("menu.composing.save") : t("conversation.send");
  return (
    <>
      {composing !== undefined && <ComposingLine composing={composing} cancel={cancel} />}
      <ComposerNotes
        note={note}
        fullness={fullness}
        close={() => {
          setNote(undefined);
          element.current?.focus();
        }}
        insert={(added) => {
          element.current?.focus();
          setNote(undefined);
          insert(added);
        }}
      />
      {tray !== undefined && <Tray conversationId={id} tray={tray} write={() => element.current?.focus()} />}
      {isDragged && <p className="drop-here">{t("composer.drop")}</p>}
      {hasVoice ? (
        <VoiceBar conversationId={id} answered={composing?.message} close={endVoice} />
      ) : (
        <form className="composer" onSubmit={submit}>
          <input ref={fileInput} type="file" multiple hidden onChange={choose} />
          <input ref={cameraInput} type="file" accept="image/*" capture="environment" hidden onChange={choose} />
          <SuggestionList suggestions={suggestions} />
          <button
            type="button"
            className="icon-button composer-button"
            aria-label={t("composer.attach")}
            title={t("composer.attach")}
            onClick={() => fileInput.current?.click()}
          >
            <Icon name="attach" size={22} />
          </button>
          <div className="composer-box">
            <textarea
              ref={element}
              id="composer"
              className={`composer-field${isFull ? " composer-field-full" : ""}`}
              aria-label={t("conversation.composerLabel")}
              aria-describedby={fullness.isNear ? "composer-full" : undefined}
              aria-autocomplete="list"
              aria-haspopup="listbox"
              aria-controls={open ? suggestions.listId : undefined}
              aria-activedescendant={open ? `${suggestions.listId}-${suggestions.active}` : undefined}
              placeholder={t(hasFiles ? "composer.caption" : "conversation.composerPlaceholder")}
              rows={1}
              dir={directionOf(written.text)}
              value={written.text}
              enterKeyHint={enterSends() ? "send" : "enter"}
              autoComplete="off"
              onChange={field.onInput}
              onSelect={field.onSelect}
              onKeyDown={onKeyDown}
              onPaste={(event) => take(event, event.clipboardData)}
              onDrop={(event) => take(event, event.dataTransfer)}
              onBlur={() => void controller.flushDrafts()}
            />
            {value === "" && !hasFinePointer() && (
              <button
                type="button"
                className="icon-button composer-emoji"
                aria-label={t("composer.camera")}
                title={t("composer.camera")}
                onClick={() => cameraInput.current?.click()}
              >
                <Icon name="camera" size={22} />
              </button>
            )}
            {canWait && (
              <button
                type="button"
                className="icon-button composer-emoji"
                aria-label={t("composer.later")}
                title={t("composer.later")}
                aria-haspopup="dialog"
                onClick={() => setIsLater(true)}
              >
                <Icon name="clock" size={22} />
              </button>
            )}
            <button
              ref={emojiButton}
              type="button"
              className="icon-button composer-emoji"
              aria-label={t("menu.emoji.heading")}
              title={t("menu.emoji.heading")}
              aria-haspopup="dialog"
              aria-expanded={isPicking}
              onClick={() => {
                // From where the focus comes, it returns to.
                if (hasFinePointer()) element.current?.focus({ preventScroll: true });
                setIsPicking(true);
              }}
            >
              <Icon name="smile" size={22} />
            </button>
          </div>
          {canSpeak ? (
            <button
              key="speak"
              type="button"
              className="send"
              aria-label={t("composer.record")}
              title={t("composer.record")}
              onClick={() => setIsSpeaking(true)}
            >
              <AttachIcon name="microphone" />
            </button>
          ) : (
            <button
              key="send"
              type="submit"
              className="send"
              aria-label={label}
              title={label}
              disabled={(value.trim() === "" && !hasFiles) || fullness.isOver}
              onContextMenu={(event) => {
                if (!canWait) return;
                event.preventDefault();
                setIsLater(true);
              }}
            >
              <Icon name={isEdit ? "check" : "send"} size={22} />
            </button>
          )}
        </form>
      )}
      {isLater && <SendLater conversationId={id} text={value.trimEnd()} answers={composing?.message.id} close={endLater} />}
      {isPicking && <ComposerEmoji button={emojiButton} insert={insert} close={() => setIsPicking(false)} />}
    </>
  );
}

/** How whoever a mention names is called in the field; `undefined` where nobody here is them. */
function nameIn(uri: string, people: readonly Person[]): string | undefined {
  if (uri.includes("/r/")) return t("messageParts.everybody");
  const person = people.find(({ accountId }) => uri.endsWith(`/u/${accountId}`));
  return person === undefined ? undefined : `@${nameOf(person)}`;
}
