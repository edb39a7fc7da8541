import { exportArchive } from "@latchkey/client/export";
import type { ExportCounts, ExportProgress } from "@latchkey/client/export";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { ReactElement } from "react";
import { Icon } from "../components/Icon.tsx";
import { Switch } from "../components/settings/Switch.tsx";
import { saveWritten, TooLargeHere } from "../files/save-written.ts";
import { useFileSource } from "../files/use-files.ts";
import { tellWhileMoving } from "../lock/going-on.ts";
import { failureWords, t } from "../messages/words.ts";
import { sortConversations } from "../state/app-state.ts";
import { useApp, useSelector } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";
import { failureOf } from "../worker/protocol.ts";
import { exportWords, notIncluded } from "./export-words.ts";

type Run =
  | { readonly kind: "none" }
  | { readonly kind: "writing"; readonly progress: ExportProgress | undefined }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "done"; readonly counts: ExportCounts; readonly writtenBytes: number };

/** Writes one conversation, or all, into a file that the browser saves. */
export function ExportForm(): ReactElement {
  const conversations = useSelector((state) => state.conversations);
  const [conversationId, setConversationId] = useState("");
  const [hasFiles, setHasFiles] = useState(true);
  const [run, begin, stop] = useExport();
  const choiceId = useId();
  const isWriting = run.kind === "writing";
  const listed = useMemo(() => sortConversations(conversations), [conversations]);
  return (
    <div className="portable">
      <p>{t("portable.exportIntro")}</p>
      <div className="field">
        <label htmlFor={choiceId}>{t("portable.which")}</label>
        <select
          id={choiceId}
          className="input"
          value={conversationId}
          disabled={isWriting}
          onChange={({ target }) => setConversationId(target.value)}
        >
          <option value="">{t("portable.all")}</option>
          {listed.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </div>
      <Switch
        label={t("portable.withFiles")}
        hint={t("portable.withFilesHint")}
        isOn={hasFiles}
        isDisabled={isWriting}
        change={setHasFiles}
      />
      <p className="section-hint">{t("portable.readable")}</p>
      {isWriting ? (
        <button type="button" className="button" onClick={stop}>
          {t("portable.stop")}
        </button>
      ) : (
        <button
          type="button"
          className="button button-primary"
          onClick={() => begin({ conversationId: conversationId === "" ? undefined : conversationId, withoutFiles: !hasFiles })}
        >
          <Icon name="download" size={18} />
          {t("portable.export")}
        </button>
      )}
      <div role="status">
        <ExportLine run={run} />
      </div>
    </div>
  );
}

function ExportLine({ run }: { readonly run: Run }): ReactElement | undefined {
  switch (run.kind) {
    case "none":
      return undefined;
    case "writing": {
      const { messages = 0, files = 0, writtenBytes = 0, step = "files" } = run.progress ?? {};
      return (
        <p className="tabular">
          {t(`portable.step.${step}`, { messages, files, size: formatBytes(writtenBytes) })} {t("portable.stayHere")}
        </p>
      );
    }
    case "stopped":
      return <p>{t("portable.stopped")}</p>;
    case "failed":
      return <p className="notice notice-danger">{run.why}</p>;
    case "done":
      return (
        <div className="notice notice-good">
          <strong>
            {t("portable.done", { messages: run.counts.messages, files: run.counts.files, size: formatBytes(run.writtenBytes) })}
          </strong>
          {notIncluded(run.counts).map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </div>
      );
  }
}

/** An export that goes on, or how the last one ended; to begin one, and to stop it. One that goes on ends with the page. */
function useExport(): [Run, (what: { conversationId: string | undefined; withoutFiles: boolean }) => void, () => void] {
  const { controller } = useApp();
  const source = useFileSource();
  const username = useSelector((state) => state.account?.username) ?? "latchkey";
  const [run, setRun] = useState<Run>({ kind: "none" });
  const going = useRef<AbortController>(undefined);
  useEffect(() => () => going.current?.abort(), []);
  const begin = (what: { conversationId: string | undefined; withoutFiles: boolean }): void => {
    const mine = new AbortController();
    going.current = mine;
    let progress: ExportProgress | undefined;
    let counts: ExportCounts | undefined;
    setRun({ kind: "writing", progress });
    const { client } = controller;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      counts = yield* exportArchive(
        {
          account: () => client.account(),
          conversations: () => client.conversations(),
          messages: (...params) => client.messages(...params),
          fetchFile: (...params) => client.fetchFile(...params),
          readFile: (_conversationId, message, file) => source.read({ message, file }),
        },
        {
          ...what,
          nowMs: Date.now(),
          words: exportWords(username),
          came(next) {
            progress = next;
            if (!mine.signal.aborted) setRun({ kind: "writing", progress });
          },
        },
      );
    }
    const write = async (): Promise<void> => {
      const name = `latchkey-${username}-${new Date().toISOString().slice(0, 10)}.zip`;
      await saveWritten(pieces(), { name, hasWorker: await source.hasWorker(), signal: mine.signal });
      if (counts !== undefined) setRun({ kind: "done", counts, writtenBytes: progress?.writtenBytes ?? 0 });
    };
    // A host may bring nothing of a file for long.
    const endTelling = tellWhileMoving(controller, () => progress);
    write()
      .catch((error: unknown) => {
        const isStopped = mine.signal.aborted || (error instanceof DOMException && error.name === "AbortError");
        setRun(isStopped ? { kind: "stopped" } : { kind: "failed", why: whyOf(error) });
      })
      .finally(endTelling);
  };
  return [run, begin, () => going.current?.abort()];
}

function whyOf(error: unknown): string {
  if (error instanceof TooLargeHere) return t("portable.tooLarge");
  const { title, advice } = failureWords(failureOf(error));
  return `${title}. ${advice}`;
}
