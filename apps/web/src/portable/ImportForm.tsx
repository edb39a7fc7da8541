import { importFile, ImportError } from "@latchkey/client/import";
import type { ImportProgress } from "@latchkey/client/import";
import type { ImportedConversation, ImportedFileCounts } from "@latchkey/client";
import { useEffect, useId, useRef, useState } from "react";
import type { ReactElement } from "react";
import { tellWhile } from "../lock/going-on.ts";
import { failureWords, t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { failureOf } from "../worker/protocol.ts";
import { ImportedFiles } from "./ImportedFiles.tsx";

type Run =
  | { readonly kind: "none" }
  | ({ readonly kind: "reading" } & Pick<ImportProgress, "step" | "lines" | "files" | "ofFiles">)
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "done"; readonly lines: number; readonly aside: number; readonly files: ImportedFileCounts };

/** Takes in a file that another messenger exported. @param done once there is something new */
export function ImportForm({ done }: { readonly done: () => void }): ReactElement {
  const { controller } = useApp();
  const [ownName, setOwnName] = useState("");
  const [run, setRun] = useState<Run>({ kind: "none" });
  const going = useRef<AbortController>(undefined);
  const nameId = useId();
  const fileId = useId();
  // One that goes on is stopped with the page.
  useEffect(() => () => going.current?.abort(), []);
  const isReading = run.kind === "reading";

  const read = async (file: File): Promise<void> => {
    const mine = new AbortController();
    going.current = mine;
    setRun({ kind: "reading", step: "lines", lines: 0, files: 0, ofFiles: 0 });
    let shownMs = 0;
    // A file has an end.
    const endTelling = tellWhile(controller, () => !mine.signal.aborted);
    try {
      const imported = await importFile(controller.client, {
        file,
        fileName: file.name,
        ownName: ownName.trim() === "" ? undefined : ownName,
        signal: mine.signal,
        came({ step, lines, files, ofFiles }) {
          if (Date.now() - shownMs < 200) return;
          shownMs = Date.now();
          setRun({ kind: "reading", step, lines, files, ofFiles });
        },
        breathe: nextTask,
      });
      const sum = (of: (one: ImportedConversation) => number): number => imported.reduce((before, one) => before + of(one), 0);
      setRun({
        kind: "done",
        lines: sum(({ lineCount }) => lineCount),
        aside: sum(({ asideCount }) => asideCount),
        files: {
          named: sum(({ files }) => files.named),
          kept: sum(({ files }) => files.kept),
          sizeBytes: sum(({ files }) => files.sizeBytes),
          ended: imported.find(({ files }) => files.ended !== undefined)?.files.ended,
        },
      });
      done();
    } catch (error) {
      setRun(mine.signal.aborted ? { kind: "stopped" } : { kind: "failed", why: whyOf(error) });
    } finally {
      endTelling();
    }
  };

  return (
    <div className="portable">
      <p>{t("portable.importIntro")}</p>
      <div className="field">
        <label htmlFor={nameId}>{t("portable.ownName")}</label>
        <input
          id={nameId}
          className="input"
          value={ownName}
          maxLength={120}
          autoComplete="off"
          disabled={isReading}
          aria-describedby={`${nameId}hint`}
          onChange={({ target }) => setOwnName(target.value)}
        />
        <p id={`${nameId}hint`} className="section-hint">
          {t("portable.ownNameHint")}
        </p>
      </div>
      {isReading ? (
        <button type="button" className="button" onClick={() => going.current?.abort()}>
          {t("portable.stop")}
        </button>
      ) : (
        <div className="field">
          <label htmlFor={fileId}>{t("portable.chooseFile")}</label>
          <input
            id={fileId}
            className="input"
            type="file"
            accept=".txt,.zip,.json,.jsonl"
            aria-describedby={`${fileId}hint`}
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              target.value = "";
              if (file !== undefined) void read(file);
            }}
          />
          <p id={`${fileId}hint`} className="section-hint">
            {t("portable.importFolders")}
          </p>
        </div>
      )}
      <div role="status">
        <ImportLine run={run} />
      </div>
    </div>
  );
}

function ImportLine({ run }: { readonly run: Run }): ReactElement | undefined {
  switch (run.kind) {
    case "none":
      return undefined;
    case "reading":
      return (
        <p className="tabular">
          {run.step === "lines"
            ? t("portable.reading", { lines: run.lines })
            : t("portable.readingFiles", { files: run.files, of: run.ofFiles })}{" "}
          {t("portable.stayHere")}
        </p>
      );
    case "stopped":
      return <p>{t("portable.importStopped")}</p>;
    case "failed":
      return <p className="notice notice-danger">{run.why}</p>;
    case "done":
      return (
        <div className="notice notice-good">
          <strong>{t("portable.imported", { lines: run.lines })}</strong>
          <ImportedFiles counts={run.files} />
          {run.aside > 0 && <p>{t("portable.asideCount", { n: run.aside })}</p>}
        </div>
      );
  }
}

function whyOf(error: unknown): string {
  if (error instanceof ImportError) return t(`portable.why.${error.code}`);
  const { title, advice } = failureWords(failureOf(error));
  return `${title}. ${advice}`;
}

/** Everything else that the page has to do is done first. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 0);
  });
}
