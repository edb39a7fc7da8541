import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { AttachedFile } from "@latchkey/client";
import { t } from "../messages/words.ts";
import { useApp, useBusyAction } from "../state/context.ts";
import type { Controller } from "../state/controller.ts";
import type { FileHolder } from "./holder.ts";

/** A transcript longer than this is folded. */
const shortLength = 400;

const answers = new WeakMap<Controller["client"], Promise<boolean>>();

/** Whether something on this device writes down what is said; `false` until that is known. */
function useCanTranscribe(): boolean {
  const { client } = useApp().controller;
  const [can, setCan] = useState(false);
  useEffect(() => {
    const answer = answers.get(client) ?? client.canTranscribe().catch(() => false);
    answers.set(client, answer);
    let isGone = false;
    void answer.then((found) => {
      if (!isGone) setCan(found);
    });
    return () => {
      isGone = true;
    };
  }, [client]);
  return can;
}

/** What is said in a sound, where this device wrote it down (spec X-27); else what has it written, where something here can. */
export function Transcript({ message, file }: { readonly message: FileHolder; readonly file: AttachedFile }): ReactElement | undefined {
  const { controller } = useApp();
  const [isBusy, act] = useBusyAction();
  const [isSilent, setIsSilent] = useState(false);
  const can = useCanTranscribe();
  const { transcript } = file;
  if (transcript !== undefined) {
    return (
      <details className="transcript" open={transcript.length <= shortLength}>
        <summary>{t("files.transcript")}</summary>
        <p dir="auto">{transcript}</p>
      </details>
    );
  }
  if (!can || message.imported !== undefined || message.delivery?.kind === "pending" || message.delivery?.kind === "failed")
    return undefined;
  const write = (): void =>
    void act(async () => {
      setIsSilent((await controller.client.transcribe(message.conversationId, message.id, file.id)) === "");
    });
  return (
    <p className="transcript" role="status">
      {isSilent ? (
        t("files.transcriptNone")
      ) : isBusy ? (
        `${t("files.transcribing")}…`
      ) : (
        <button type="button" className="link-button" onClick={write}>
          {t("files.transcribe")}
        </button>
      )}
    </p>
  );
}
