import { useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp, useSelector } from "../state/context.ts";
import { ownLink } from "../state/invitation-link.ts";
import { CopyLink } from "./CopyLink.tsx";
import { Icon } from "./Icon.tsx";
import { QrCode } from "./QrCode.tsx";
import "../styles/account.css";

/** The person's own link: to copy, to hand to another app, and as a code for somebody's camera, shown at once or when asked for. */
export function OwnLink({ showsCode }: { readonly showsCode: boolean }): ReactElement | undefined {
  const { notify } = useApp();
  const account = useSelector((state) => state.account);
  const [isShown, setIsShown] = useState(showsCode);
  if (account === undefined) return undefined;
  const link = ownLink(globalThis.location.origin, account.username);
  const share = (): void => {
    navigator.share({ title: t("ownLink.title", { who: account.displayName }), url: link }).catch((error: unknown) => {
      // Closing the sheet of the system is no failure.
      if (!(error instanceof DOMException && error.name === "AbortError")) notify(t("ownLink.shareFailed"));
    });
  };
  return (
    <div className="own-link">
      <CopyLink />
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
      {isShown && <QrCode text={link} label={t("ownLink.code")} />}
    </div>
  );
}
