import type { ReactElement } from "react";
import { Section } from "../components/settings/Section.tsx";
import { t } from "../messages/words.ts";
import { ExportForm } from "./ExportForm.tsx";

/** What the person takes out of the app. */
export function DataPart(): ReactElement {
  return (
    <Section heading={t("portable.exportHeading")}>
      <ExportForm />
    </Section>
  );
}
