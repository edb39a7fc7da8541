import { useState } from "react";
import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatFull } from "../state/format.ts";
import { nameOf } from "../state/person-name.ts";
import { ConfirmDialog } from "./Dialog.tsx";
import { SystemLine } from "./SystemLine.tsx";

/** A line that names somebody's device for what it did, with the offer of removal to whoever may remove them. */
export function NamedLine({ message, group }: { readonly message: Message; readonly group: string }): ReactElement {
  const { author, conversationId } = message;
  const { controller } = useApp();
  const act = useAction();
  const [isAsked, setIsAsked] = useState(false);
  const verification = useSelector((state) => state.verifications.get(conversationId));
  const isMember = verification?.members.some(({ person }) => person.accountId === author?.accountId) ?? false;
  const mayRemove = author !== undefined && !author.isSelf && isMember && (verification?.mayRemove ?? false);
  return (
    <div className="row-system row-named" title={formatFull(message.sentAtMs)}>
      <SystemLine message={message} kind="group" />
      {mayRemove && (
        <button type="button" className="button button-small" onClick={() => setIsAsked(true)}>
          {t("details.remove", { name: nameOf(author) })}
        </button>
      )}
      {mayRemove && isAsked && (
        <ConfirmDialog
          title={t("details.removeTitle", { name: nameOf(author), group })}
          body={t("details.removeBody", { name: nameOf(author) })}
          confirmLabel={t("details.removeConfirm")}
          confirm={() => act(() => controller.removeMember(conversationId, author))}
          close={() => setIsAsked(false)}
        />
      )}
    </div>
  );
}
