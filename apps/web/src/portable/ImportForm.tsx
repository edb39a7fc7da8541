import { importFile, ImportError } from "@latchkey/client/import";
import type { ImportedConversation } from "@latchkey/client";
import { useEffect, useId, useRef, useState } from "react";
import type { ReactElement } from "react";
import { failureWords, t } from "../messages/words.ts";
import { useApp } from "../state/context.ts";
import { failureOf } from "../worker/protocol.ts";

type Run =
  | { readonly kind: "none" }
  | { readonly kind: "reading"; readonly lines: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "done"; readonly lines: number; readonly aside: number };

/** Takes in a file that another messenger exported. @param done once there is something new */
export function ImportForm({ done }: { readonly done: () => void }): ReactElement {
  const { controller } = useApp();
  const [ownName, setOwnName] = useState("");
  const [run, setRun] = useState<Run>({ kind: "none" });
  const going = useRef<AbortController>(undefined);
  const nameId = useId();
  const fileId = useId();
  // One that goes on ends with the page, and nothing of it stays.
  useEffect(() => () => going.current?.abort(), []);
  const isReading = run.kind === "reading";

  const read = async (file: File): Promise<void> => {
    const mine = new AbortController();
    going.current = mine;
    setRun({ kind: "reading", lines: 0 });
    let shownMs = 0;
    try {
      const imported = await importFile(controller.client, {
        file,
        fileName: file.name,
        ownName: ownName.trim() === "" ? undefined : ownName,
        came({ lines }) {
          if (Date.now() - shownMs < 200) return;
          shownMs = Date.now();
          setRun({ kind: "reading", lines });
        },
        async breathe() {
          await nextTask();
          mine.signal.throwIfAborted();
        },
      });
      const sum = (of: (one: ImportedConversation) => number): number => imported.reduce((before, one) => before + of(one), 0);
      setRun({ kind: "done", lines: sum(({ lineCount }) => lineCount), aside: sum(({ asideCount }) => asideCount) });
      done();
    } catch (error) {
      setRun(mine.signal.aborted ? { kind: "stopped" } : { kind: "failed", why: whyOf(error) });
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
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              target.value = "";
              if (file !== undefined) void read(file);
            }}
          />
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
      return <p className="tabular">{t("portable.reading", { lines: run.lines })}</p>;
    case "stopped":
      return <p>{t("portable.importStopped")}</p>;
    case "failed":
      return <p className="notice notice-danger">{run.why}</p>;
    case "done":
      return (
        <div className="notice notice-good">
          <strong>{t("portable.imported", { lines: run.lines })}</strong>
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
