import "../styles/account.css";
import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { Icon } from "./Icon.tsx";
import { QrCode } from "./QrCode.tsx";

/** The ways in which a link is given to people beside copying it: as a code for somebody's camera, and to another app. */
export function LinkWays({
  link,
  title,
  codeLabel,
  showsCode = false,
}: {
  readonly link: string;
  /** What another app is told of it. */
  readonly title: string;
  readonly codeLabel: string;
  /** Whether the code is there at once. */
  readonly showsCode?: boolean;
}): ReactElement {
  const { notify } = useApp();
  const [isShown, setIsShown] = useState(showsCode);
  const share = (): void => {
    navigator.share({ title, url: link }).catch((error: unknown) => {
      // Closing the sheet of the system is no failure.
      if (!(error instanceof DOMException && error.name === "AbortError")) notify(t("ownLink.shareFailed"));
    });
  };
  return (
    <>
      <div className="own-link-ways">
        <button type="button" className="button" aria-expanded={isShown} onClick={() => setIsShown(!isShown)}>
          <Icon name="camera" size={18} />
          {isShown ? t("ownLink.hideCode") : t("ownLink.showCode")}
        </button>
        {/* Not every browser hands over to other apps. */}
        {"share" in navigator && (
          <button type="button" className="button" onClick={share}>
            <Icon name="forward" size={18} />
            {t("ownLink.share")}
          </button>
        )}
      </div>
      {isShown && <QrCode text={link} label={codeLabel} />}
    </>
  );
}
