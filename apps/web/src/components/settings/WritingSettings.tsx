import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { canUndoSend, enterSends, saveEnterSends, saveUndoSend } from "../../state/preferences.ts";

/** How messages are written and sent in this browser. */
export function WritingSettings(): ReactElement {
  return (
    <>
      <Switch label={t("settings.enterSends")} hint={t("settings.enterSendsHint")} load={enterSends} save={saveEnterSends} />
      <Switch label={t("settings.undoSend")} hint={t("settings.undoSendHint")} load={canUndoSend} save={saveUndoSend} />
    </>
  );
}

function Switch({
  label,
  hint,
  load,
  save,
}: {
  readonly label: string;
  readonly hint: string;
  readonly load: () => boolean;
  readonly save: (isOn: boolean) => void;
}): ReactElement {
  const [isOn, setIsOn] = useState(load);
  return (
    <label className="row-button">
      <span>
        {label}
        <small className="setting-hint">{hint}</small>
      </span>
      <input
        type="checkbox"
        role="switch"
        checked={isOn}
        aria-checked={isOn}
        onChange={({ target }) => {
          save(target.checked);
          setIsOn(target.checked);
        }}
      />
    </label>
  );
}
