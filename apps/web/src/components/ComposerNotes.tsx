import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import type { Fullness } from "../state/text-size.ts";
import { Icon } from "./Icon.tsx";

/** Something that was not put into the field, and why. */
export interface ComposerNote {
  readonly kind: "long";
  /** What of it would fit. */
  readonly beginning: string;
}

/** One line between the messages and the field: what was not taken, and how full the message is. */
export function ComposerNotes({
  note,
  fullness,
  insert,
  close,
}: {
  readonly note: ComposerNote | undefined;
  readonly fullness: Fullness;
  readonly insert: (text: string) => void;
  readonly close: () => void;
}): ReactElement {
  return (
    <div className="composer-notes" role="status">
      {note !== undefined && (
        <div className="composer-note">
          <Icon name="info" size={18} />
          <span>{t("composer.long")}</span>
          {note.beginning !== "" && (
            <button type="button" className="link-button" onClick={() => insert(note.beginning)}>
              {t("composer.insertBeginning")}
            </button>
          )}
          <button type="button" className="icon-button icon-button-small" aria-label={t("common.close")} onClick={close}>
            <Icon name="close" size={16} />
          </button>
        </div>
      )}
      {fullness.isNear && (
        <p className={`composer-full${fullness.isOver ? " composer-full-over" : ""}`} id="composer-full">
          {fullness.isOver ? t("composer.over", { percent: fullness.percent }) : t("composer.near", { percent: fullness.percent })}
        </p>
      )}
    </div>
  );
}
