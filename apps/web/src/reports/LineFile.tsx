import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { EnclosedFile, Message } from "@latchkey/client";
import { lazyComponent } from "../components/lazy.tsx";
import { t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";

const MessageFiles = lazyComponent(async () => (await import("../files/MessageFiles.tsx")).MessageFiles, "files");

/** A file of an enclosed message: whether it goes along, and then how it looks and what is proved of it. */
export function LineFile(props: {
  readonly at: { readonly conversationId: string; readonly messageId: string };
  readonly file: EnclosedFile;
  readonly isBusy: boolean;
  readonly toggle: () => void;
}): ReactElement {
  const { at, file, isBusy, toggle } = props;
  const { name, sizeBytes, fits, goesAs, verdict } = file;
  const words = { name, size: formatBytes(sizeBytes) };
  // It is fetched before it goes along: meanwhile the box shows what was asked for.
  const [asked, setAsked] = useState<boolean>();
  useEffect(() => {
    if (!isBusy) setAsked(undefined);
  }, [isBusy]);
  const isChecked = asked ?? goesAs !== undefined;
  const change = (): void => {
    setAsked(!isChecked);
    toggle();
  };
  if (!fits && goesAs === undefined) return <span className="setting-hint">{t("report.file.large", words)}</span>;
  return (
    <span className="report-file">
      <label>
        <input type="checkbox" checked={isChecked} disabled={isBusy} onChange={change} />
        <span>{t("report.file.goes", words)}</span>
      </label>
      {goesAs !== undefined && (
        <>
          <span className="setting-hint">{verdict === "proved" ? t("report.file.proved") : t("report.file.doubtful")}</span>
          <Look {...at} fileId={file.fileId} />
        </>
      )}
    </span>
  );
}

/** As it stands in the conversation. */
function Look(props: { readonly conversationId: string; readonly messageId: string; readonly fileId: string }): ReactElement | undefined {
  const { conversationId, messageId, fileId } = props;
  const { controller } = useApp();
  const [message, setMessage] = useState<Message>();
  useEffect(() => {
    let isGone = false;
    void controller.client.messageInfo(conversationId, messageId).then(
      (info) => {
        if (!isGone) setMessage(info.message);
      },
      // It goes along all the same; how it looks is not shown.
      () => undefined,
    );
    return () => {
      isGone = true;
    };
  }, [controller, conversationId, messageId]);
  // What is to be seen once is not seen here.
  if (message === undefined || message.isOnce === true) return undefined;
  const files = (message.files ?? []).filter(({ id }) => id === fileId);
  return (
    <span className="report-look">
      <MessageFiles message={{ ...message, files }} />
    </span>
  );
}
