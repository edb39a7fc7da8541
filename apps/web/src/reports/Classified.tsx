import type { ReactElement } from "react";
import { named, rowOf, t } from "../messages/words.ts";

/** What a decision says for the public database of the Digital Services Act: its category, and what kind of content it is about. */
export function Classified(props: { readonly category: string; readonly contentTypes: readonly string[] }): ReactElement {
  const { category, contentTypes } = props;
  return (
    <>
      <dt>{t("cases.field.category")}</dt>
      <dd>{named("cases.category", category)}</dd>
      {contentTypes.length > 0 && (
        <>
          <dt>{t("cases.field.contentTypes")}</dt>
          <dd>{rowOf(contentTypes.map((one) => named("cases.content", one)))}</dd>
        </>
      )}
    </>
  );
}
