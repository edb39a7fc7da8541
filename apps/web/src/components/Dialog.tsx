import { useEffect, useId, useRef, useState } from "react";
import type { ReactElement, ReactNode } from "react";
import { isMessage, t } from "../messages/words.ts";
import { Icon } from "./Icon.tsx";

/** A question before something that cannot be taken back. `confirm` resolves to whether it was done. */
export function ConfirmDialog({
  title,
  body,
  confirmLabel,
  busyLabel,
  isHarmless = false,
  confirm,
  close,
  children,
}: {
  readonly title: string;
  readonly body: string;
  readonly confirmLabel: string;
  /** Instead of `confirmLabel` while it is being done. */
  readonly busyLabel?: string;
  /** Whether it does no damage: then the button is not red. */
  readonly isHarmless?: boolean;
  readonly confirm: () => Promise<boolean>;
  readonly close: () => void;
  /** What is asked beside. */
  readonly children?: ReactNode;
}): ReactElement {
  const [isBusy, setIsBusy] = useState(false);
  const run = (): void => {
    setIsBusy(true);
    void confirm().then((isDone) => {
      setIsBusy(false);
      if (isDone) close();
    });
  };
  return (
    <Modal title={title} close={close} isAlert>
      <p className="dialog-body">{body}</p>
      {children}
      <div className="dialog-actions">
        <button type="button" className="button" onClick={close}>
          {t("common.cancel")}
        </button>
        <button type="button" className={`button ${isHarmless ? "button-primary" : "button-danger"}`} disabled={isBusy} onClick={run}>
          {isBusy && busyLabel !== undefined ? `${busyLabel}…` : confirmLabel}
        </button>
      </div>
    </Modal>
  );
}

function shortcuts(): readonly (readonly [keys: string, meaning: string])[] {
  return [
    ["Ctrl K", t("help.search")],
    ["Alt ↑ / Alt ↓", t("help.conversations")],
    ["↑ / ↓", t("help.move")],
    ["Enter", t("help.enter")],
    ["Shift Enter", t("help.newLine")],
    ["Ctrl Enter", t("help.sendAlways")],
    ["Ctrl B / Ctrl I / Ctrl E", t("help.marks")],
    ["@", t("help.mention")],
    // Said where a lock is on.
    ...(isMessage("lock.now") ? [["Ctrl Shift L", t("lock.now")] as const] : []),
    [t("help.emptyField"), t("help.editLast")],
    ["Esc", t("help.escape")],
    ["?", t("help.sheet")],
  ];
}

/** The sheet of keyboard shortcuts. */
export function HelpDialog({ close }: { readonly close: () => void }): ReactElement {
  return (
    <Modal title={t("help.heading")} close={close}>
      <dl className="help">
        {shortcuts().map(([keys, meaning]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}

/** A dialog that everything behind it waits for. */
export function Modal({
  title,
  close,
  isAlert = false,
  children,
}: {
  readonly title: string;
  readonly close: () => void;
  readonly isAlert?: boolean;
  readonly children: ReactNode;
}): ReactElement {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // The keyboard closes a dialog by Escape, which the browser turns into `cancel`; the click beside it is for the mouse.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={ref}
      className="dialog"
      role={isAlert ? "alertdialog" : "dialog"}
      aria-labelledby={id}
      onCancel={(event) => {
        // One that stands in this one closes alone.
        if (event.target !== event.currentTarget) return;
        event.preventDefault();
        close();
      }}
      onClick={(event) => event.target === event.currentTarget && close()}
    >
      <div className="dialog-content">
        <header className="dialog-header">
          <h2 id={id}>{title}</h2>
          {!isAlert && (
            <button type="button" className="icon-button" aria-label={t("common.close")} onClick={close}>
              <Icon name="close" />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
