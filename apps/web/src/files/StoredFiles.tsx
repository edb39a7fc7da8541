import "../styles/files.css";
import { useCallback, useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { FileStorage, ListedFile } from "@latchkey/client";
import { Section } from "../components/settings/Section.tsx";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";
import { titleOf } from "../state/own.ts";
import { fetchLimits, fetchesUpTo, saveFetchesUpTo } from "./choices.ts";

const pageSize = 100;

/** How much may be kept: what people choose between; `undefined` for as much as there is room for. */
const keptLimits = [500_000_000, 2_000_000_000, 10_000_000_000, undefined] as const;

/** What is fetched without being asked for, how much is kept, and the files on this device, the largest first. */
export function StoredFiles({
  removed,
}: {
  /** So many bytes are not on this device any more. */
  readonly removed: (bytes: number) => void;
}): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const [storage, setStorage] = useState<FileStorage>();
  const [stored, setStored] = useState<readonly ListedFile[]>();
  const load = useCallback(
    () =>
      act(async () => {
        setStorage(await controller.client.fileStorage());
        setStored(await controller.client.listFiles(undefined, { limit: pageSize }));
      }),
    [act, controller],
  );
  useEffect(() => void load(), [load]);
  const keep = (limitBytes: number | undefined): Promise<boolean> =>
    act(async () => {
      const before = await controller.client.fileStorage();
      await controller.client.setFileLimit(limitBytes);
      await load();
      removed(before.storedBytes - (await controller.client.fileStorage()).storedBytes);
    });
  const remove = ({ message, file, storedBytes }: ListedFile): Promise<boolean> =>
    act(async () => {
      await controller.client.removeFile(message.conversationId, message.id, file.id);
      setStored((before) => before?.filter((one) => one.file.id !== file.id || one.message.id !== message.id));
      setStorage((before) => (before === undefined ? before : { ...before, storedBytes: Math.max(0, before.storedBytes - storedBytes) }));
      removed(storedBytes);
    });
  return (
    <div className="stored-part">
      <Section heading={t("files.limit")}>
        <FetchLimit />
      </Section>
      <Section heading={t("files.keep")}>{storage !== undefined && <KeptLimit storage={storage} keep={keep} />}</Section>
      <Section heading={t("files.stored")}>
        <Largest stored={stored} remove={remove} />
      </Section>
    </div>
  );
}

function KeptLimit({
  storage: { storedBytes, limitBytes },
  keep,
}: {
  readonly storage: FileStorage;
  readonly keep: (limitBytes: number | undefined) => Promise<boolean>;
}): ReactElement {
  // One that was set elsewhere is shown as well.
  const limits = keptLimits.includes(limitBytes as (typeof keptLimits)[number]) ? keptLimits : [limitBytes, ...keptLimits];
  return (
    <>
      <div className="segments" role="radiogroup" aria-label={t("files.keep")}>
        {limits.map((bytes) => (
          <label key={bytes ?? 0} className="segment">
            <input type="radio" name="kept-limit" checked={limitBytes === bytes} onChange={() => void keep(bytes)} />
            <span>{bytes === undefined ? t("files.keepAll") : formatBytes(bytes)}</span>
          </label>
        ))}
      </div>
      <p className="section-hint" role="status">
        {t("files.keepHint", { amount: formatBytes(storedBytes) })}
      </p>
    </>
  );
}

function FetchLimit(): ReactElement {
  const [limit, setLimit] = useState(fetchesUpTo);
  return (
    <>
      <div className="segments" role="radiogroup" aria-label={t("files.limit")}>
        {fetchLimits.map((bytes) => (
          <label key={bytes} className="segment">
            <input
              type="radio"
              name="fetch-limit"
              checked={limit === bytes}
              onChange={() => {
                saveFetchesUpTo(bytes);
                setLimit(bytes);
              }}
            />
            <span>{bytes === 0 ? t("files.limitNone") : formatBytes(bytes)}</span>
          </label>
        ))}
      </div>
      <p className="section-hint">{t("files.limitHint")}</p>
    </>
  );
}

function Largest({
  stored,
  remove,
}: {
  readonly stored: readonly ListedFile[] | undefined;
  readonly remove: (file: ListedFile) => Promise<boolean>;
}): ReactElement {
  const conversations = useSelector((state) => state.conversations);
  if (stored === undefined) return <p className="section-hint">{t("common.loading")}…</p>;
  if (stored.length === 0) return <p className="section-hint">{t("files.nothing")}</p>;
  return (
    <>
      <p className="section-hint">{t("files.removeHint")}</p>
      {/* A list without markers is no list to some screen readers unless told. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" className="stored-files">
        {stored.map((one) => {
          const { message, file, storedBytes } = one;
          const conversation = conversations.get(message.conversationId);
          return (
            <li key={`${message.id} ${file.id}`} className="file-row">
              <span className="file-icon">
                <Icon name="file" size={24} />
              </span>
              <span className="file-text">
                <span className="file-name">
                  <bdi>{file.name}</bdi>
                </span>
                <span className="file-facts">
                  <span className="tabular">{formatBytes(storedBytes)}</span>
                  {conversation !== undefined && (
                    <>
                      {" · "}
                      <bdi>{titleOf(conversation)}</bdi>
                    </>
                  )}
                </span>
              </span>
              <button
                type="button"
                className="icon-button"
                aria-label={t("files.removeNamed", { name: file.name })}
                title={t("files.remove")}
                onClick={() => void remove(one)}
              >
                <Icon name="bin" size={20} />
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}
