import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { useApp, useRoute, useSelector } from "../state/context.ts";

/** Stands until the person has looked: the operator decided something about this account. */
export function NoticeLine(): ReactElement | undefined {
  const { controller, router } = useApp();
  const route = useRoute();
  const isOnline = useSelector((state) => state.connection.kind === "online");
  const version = useSelector((state) => state.noticesVersion);
  const [isThere, setIsThere] = useState(false);
  const isOpen = route.kind === "settings" && route.section === "reports";
  useEffect(() => {
    let isGone = false;
    void controller.client.notices().then(
      (notices) => {
        if (!isGone) setIsThere(notices.some(({ isRead }) => !isRead));
      },
      // Asked again with the next connection.
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [controller, isOnline, version, isOpen]);
  if (!isThere || isOpen) return undefined;
  return (
    <div role="alert" className="notice-line">
      <p className="connection-line">
        <span>{t("deskNotice.line")}</span>
        <button type="button" className="link-button" onClick={() => router.go({ kind: "settings", section: "reports" })}>
          {t("deskNotice.read")}
        </button>
      </p>
    </div>
  );
}
