import type { ReactElement, ReactNode } from "react";
import { I18nProvider } from "react-aria-components";
import { language } from "../messages/words.ts";

/** Menus inside speak the app's language, and open towards its end: by themselves they would take the browser's. */
export function MenuLanguage({ children }: { readonly children: ReactNode }): ReactElement {
  return <I18nProvider locale={language()}>{children}</I18nProvider>;
}
