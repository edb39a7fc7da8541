import type { ReactElement } from "react";
import type { Person } from "@latchkey/client";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { t } from "../messages/words.ts";
import { nameOf } from "../state/person-name.ts";

/** Before somebody is reported whom the person has not accepted: nothing of theirs was opened, so that nothing can be shown yet. */
export function RequestReport(props: {
  readonly person: Person;
  readonly accept: () => Promise<void>;
  readonly close: () => void;
}): ReactElement {
  const { person, accept, close } = props;
  return (
    <ConfirmDialog
      title={t("report.request.title", { who: nameOf(person) })}
      body={t("report.request.body")}
      confirmLabel={t("report.request.confirm")}
      confirm={async () => {
        await accept();
        return true;
      }}
      close={close}
    />
  );
}
