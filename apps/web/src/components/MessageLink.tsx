import { useState } from "react";
import type { MouseEvent, ReactElement, ReactNode } from "react";
import { t } from "../messages/words.ts";
import { linkWarning } from "../state/link-warning.ts";
import { ConfirmDialog } from "./Dialog.tsx";

/** A question shows so much of what a link shows. */
const maxShown = 200;

/** An address in a message. One that leads elsewhere than it seems to asks first, and names the place. */
export function MessageLink({
  href,
  text,
  children,
}: {
  readonly href: string;
  /** What it shows, as text. */
  readonly text: string;
  readonly children: ReactNode;
}): ReactElement {
  const [isAsking, setIsAsking] = useState(false);
  const warning = linkWarning(href, text);
  const follow = (event: MouseEvent): void => {
    if (warning === undefined) return;
    event.preventDefault();
    setIsAsking(true);
  };
  const open = async (): Promise<boolean> => {
    globalThis.open(href, "_blank", "noopener,noreferrer");
    return true;
  };
  return (
    <>
      <a
        href={href}
        target="_blank"
        rel="noopener noreferrer nofollow"
        dir="auto"
        title={warning === undefined ? undefined : warning.host}
        onClick={follow}
        onAuxClick={(event) => event.button === 1 && follow(event)}
      >
        {children}
      </a>
      {isAsking && warning !== undefined && (
        <ConfirmDialog
          title={t("messageParts.linkTitle", { host: warning.host })}
          body={t(`messageParts.linkWarning.${warning.kind}`, {
            text: text.length > maxShown ? `${text.slice(0, maxShown).toWellFormed()}…` : text,
          })}
          confirmLabel={t("messageParts.linkOpen")}
          confirm={open}
          close={() => setIsAsking(false)}
        />
      )}
    </>
  );
}
