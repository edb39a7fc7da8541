import { useEffect, useId, useState } from "react";
import type { ReactElement } from "react";
import type { AsideLine, FoundLine, ImportedConversation, PlacedLine } from "@latchkey/client";
import { ConfirmDialog } from "../components/Dialog.tsx";
import { PageHeader } from "../components/PageHeader.tsx";
import { playerOf } from "../files/player.ts";
import { t } from "../messages/words.ts";
import { useAction, useApp } from "../state/context.ts";
import { formatDate } from "../state/format.ts";
import { sourceNames } from "./ImportedList.tsx";
import { ImportedFiles } from "./ImportedFiles.tsx";
import { ImportedFound, ImportedLines } from "./ImportedLines.tsx";
import "../styles/settings.css";

const pageLength = 200;
const searchAfterMs = 250;

/** A conversation of another messenger, to be read and searched. */
export function ImportedPage({ id }: { readonly id: string }): ReactElement {
  const { controller, router } = useApp();
  const act = useAction();
  const { client } = controller;
  /** `null`: there is no such one. */
  const [about, setAbout] = useState<ImportedConversation | null>();
  const [lines, setLines] = useState<readonly PlacedLine[]>([]);
  const [aside, setAside] = useState<readonly AsideLine[]>();
  const [isDeleting, setIsDeleting] = useState(false);
  /** The place of a line that was found. */
  const [target, setTarget] = useState<number>();
  const show = (range: { beforeOrder?: number; afterOrder?: number }, sought?: number): void =>
    void act(async () => {
      setLines(await client.importedLines(id, { ...range, limit: pageLength }));
      setTarget(sought);
    });
  useEffect(() => {
    void act(async () => {
      const found = (await client.imports()).find((one) => one.id === id);
      setAbout(found ?? null);
      if (found !== undefined) setLines(await client.importedLines(id, { limit: pageLength }));
    });
  }, [act, client, id]);
  // What is played of it ends with the page: nothing else leads back here.
  useEffect(() => {
    const { store, end } = playerOf(controller);
    return () => {
      const { current: playing } = store.get();
      if (playing?.message.imported?.importId === id) end();
    };
  }, [controller, id]);
  const [first, last] = [lines[0]?.order ?? 0, lines.at(-1)?.order ?? 0];

  return (
    <main className="page">
      <PageHeader heading={about?.title ?? t("portable.importHeading")} takesFocus />
      <div className="page-body">
        {about === null && <p>{t("portable.notThere")}</p>}
        {about !== undefined && about !== null && (
          <>
            <div className="notice">
              {t("portable.about", { source: sourceNames[about.source], day: formatDate(about.importedAtMs) })}
              {!about.isWhole && ` ${t("portable.broken")}`}
              <ImportedFiles counts={about.files} />
            </div>
            <Search id={id} open={(order) => show({ afterOrder: Math.max(-1, order - pageLength / 2) }, order)} />
            {first > 0 && (
              <button type="button" className="button button-small" onClick={() => show({ beforeOrder: first })}>
                {t("portable.earlier")}
              </button>
            )}
            <ImportedLines importId={id} lines={lines} target={target} />
            {last + 1 < about.lineCount && (
              <button type="button" className="button button-small" onClick={() => show({ afterOrder: last })}>
                {t("portable.later")}
              </button>
            )}
            {about.asideCount > 0 && (
              <details onToggle={() => void (aside === undefined && act(async () => setAside(await client.importAside(id))))}>
                <summary>{t("portable.asideCount", { n: about.asideCount })}</summary>
                <ul className="portable-aside">
                  {aside?.map(({ why, text }, at) => (
                    // They have no other name than their place.
                    // oxlint-disable-next-line react/no-array-index-key
                    <li key={at}>
                      {t(`portable.aside.${why}`)}: <bdi>{text}</bdi>
                    </li>
                  ))}
                </ul>
              </details>
            )}
            <button type="button" className="button button-danger" onClick={() => setIsDeleting(true)}>
              {t("portable.delete")}
            </button>
          </>
        )}
      </div>
      {isDeleting && (
        <ConfirmDialog
          title={t("portable.deleteTitle")}
          body={t("portable.deleteBody")}
          confirmLabel={t("portable.delete")}
          close={() => setIsDeleting(false)}
          confirm={async () => {
            const isDone = await act(() => client.deleteImport(id));
            if (isDone) router.go({ kind: "settings", section: "data" }, { replace: true });
            return isDone;
          }}
        />
      )}
    </main>
  );
}

/** What is found by the words that are typed; one that is chosen is shown among its neighbours. */
function Search({ id, open }: { readonly id: string; readonly open: (order: number) => void }): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const fieldId = useId();
  const [query, setQuery] = useState("");
  const [found, setFound] = useState<readonly FoundLine[]>();
  useEffect(() => {
    let isGone = false;
    const timer = setTimeout(() => {
      if (query.trim() === "") setFound(undefined);
      else
        void act(async () => {
          const next = await controller.client.searchImports(query, { importId: id, limit: 50 });
          if (!isGone) setFound(next);
        });
    }, searchAfterMs);
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [act, controller, id, query]);
  return (
    <search>
      <div className="field">
        <label htmlFor={fieldId}>{t("portable.search")}</label>
        <input
          id={fieldId}
          className="input"
          type="search"
          maxLength={256}
          value={query}
          onChange={({ target }) => setQuery(target.value)}
        />
      </div>
      <div role="status">{found !== undefined && <p className="section-hint">{t("portable.foundCount", { n: found.length })}</p>}</div>
      {found !== undefined && <ImportedFound found={found} open={open} />}
    </search>
  );
}
