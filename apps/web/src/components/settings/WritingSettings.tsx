import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../../messages/words.ts";
import { canUndoSend, enterSends, loadPictureQuality, saveEnterSends, savePictureQuality, saveUndoSend } from "../../state/preferences.ts";
import { Switch } from "./Switch.tsx";

/** How messages are written and sent in this browser. */
export function WritingSettings(): ReactElement {
  return (
    <>
      <KeptSwitch label={t("settings.enterSends")} hint={t("settings.enterSendsHint")} load={enterSends} save={saveEnterSends} />
      <KeptSwitch label={t("settings.undoSend")} hint={t("settings.undoSendHint")} load={canUndoSend} save={saveUndoSend} />
      <KeptSwitch
        label={t("settings.pictureQuality")}
        hint={t("settings.pictureQualityHint")}
        load={() => loadPictureQuality() === "high"}
        save={(isHigh) => savePictureQuality(isHigh ? "high" : "standard")}
      />
    </>
  );
}

function KeptSwitch({
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
  const change = (next: boolean): void => {
    save(next);
    setIsOn(next);
  };
  return <Switch label={label} hint={hint} isOn={isOn} change={change} />;
}
