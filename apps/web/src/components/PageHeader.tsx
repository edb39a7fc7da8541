import { useEffect, useRef } from "react";
import type { ReactElement } from "react";
import { t } from "../messages/words.ts";
import { twoColumns, useApp, useMedia, useRoute } from "../state/context.ts";
import { isSettingsPart } from "../state/router.ts";
import { Icon } from "./Icon.tsx";

/** The head of a page that is not a conversation; takes the focus when the page comes, unless a field does. */
export function PageHeader({ heading, takesFocus }: { readonly heading: string; readonly takesFocus: boolean }): ReactElement {
  const { router } = useApp();
  // Beside their list, the parts of the settings lead nowhere back: the list does.
  const route = useRoute();
  const isBeside = useMedia(twoColumns) && isSettingsPart(route);
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) ref.current?.focus({ preventScroll: true });
  }, [takesFocus]);
  return (
    <header className={isBeside ? "page-header page-header-beside" : "page-header"}>
      {!isBeside && (
        <button type="button" className="icon-button" aria-label={t("common.back")} onClick={() => router.back()}>
          <Icon name="back" />
        </button>
      )}
      <h1 ref={ref} tabIndex={-1}>
        {heading}
      </h1>
    </header>
  );
}
