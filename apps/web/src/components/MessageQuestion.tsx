import type { ReactElement } from "react";
import type { Message } from "@latchkey/client";
import { lazyComponent } from "./lazy.tsx";
import { DeleteDialog, ForwardDialog, InfoDialog } from "./MessageDialogs.tsx";

const GroupReportDialog = lazyComponent(async () => (await import("./GroupReportDialog.tsx")).GroupReportDialog, "moderation");

const ReportDialog = lazyComponent(async () => (await import("../reports/ReportDialog.tsx")).ReportDialog, "report");

const RemindDialog = lazyComponent(async () => (await import("../later/parts.ts")).RemindDialog, "files");

/** What is asked before something is done with messages. */
export interface MessageQuestionOf {
  readonly kind: "delete" | "forward" | "info" | "remind" | "tellAdministrators" | "report";
  readonly messages: readonly Message[];
}

/** The dialog that asks it. */
export function MessageQuestion({
  question: { kind, messages },
  close,
}: {
  readonly question: MessageQuestionOf;
  readonly close: (isDone: boolean) => void;
}): ReactElement | undefined {
  const [first] = messages;
  switch (kind) {
    case "delete":
      return <DeleteDialog messages={messages} close={close} />;
    case "forward":
      return <ForwardDialog messages={messages} close={close} />;
    case "tellAdministrators":
      return <GroupReportDialog messages={messages} close={close} />;
    case "report":
      return (
        first?.author && <ReportDialog conversationId={first.conversationId} accused={first.author} messages={messages} close={close} />
      );
    case "remind":
      return first && <RemindDialog message={first} close={close} />;
    case "info":
      return first && <InfoDialog message={first} close={() => close(false)} />;
  }
}
