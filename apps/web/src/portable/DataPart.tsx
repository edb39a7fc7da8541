import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { ImportedConversation } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { Section } from "../components/settings/Section.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { ExportForm } from "./ExportForm.tsx";
import { ImportedList } from "./ImportedList.tsx";
import { ImportForm } from "./ImportForm.tsx";

const BackupPart = lazyComponent(async () => (await import("../backup/BackupPart.tsx")).BackupPart, "backup");

/** The backup of what was said, what the person takes out of the app, and what of other messengers they bring in. */
export function DataPart(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [list, setList] = useState<readonly ImportedConversation[]>();
  const load = useCallback(() => void act(async () => setList(await controller.client.imports())), [act, controller]);
  useEffect(load, [load]);
  return (
    <>
      <BackupPart />
      <Section heading={t("portable.exportHeading")}>
        <ExportForm />
      </Section>
      <Section heading={t("portable.importHeading")}>
        <ImportForm done={load} />
        {list !== undefined && <ImportedList list={list} />}
      </Section>
    </>
  );
}
