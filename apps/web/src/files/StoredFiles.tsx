import "../styles/files.css";
import { useEffect, useState } from "react";
import type { ReactElement } from "react";
import type { ListedFile } from "@latchkey/client";
import { Section } from "../components/settings/Section.tsx";
import { Icon } from "../components/Icon.tsx";
import { t } from "../messages/words.ts";
import { useAction, useApp, useSelector } from "../state/context.ts";
import { formatBytes } from "../state/format.ts";
import { titleOf } from "../state/own.ts";
import { fetchLimits, fetchesUpTo, saveFetchesUpTo } from "./choices.ts";

const pageSize = 100;

/** What is fetched without being asked for, and the files on this device, the largest first. */
export function StoredFiles(): ReactElement {
  return (
    <div className="stored-part">
      <Section heading={t("files.limit")}>
        <FetchLimit />
      </Section>
      <Section heading={t("files.stored")}>
        <Largest />
      </Section>
    </div>
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

function Largest(): ReactElement {
  const { controller } = useApp();
  const act = useAction();
  const conversations = useSelector((state) => state.conversations);
  const [stored, setStored] = useState<readonly ListedFile[]>();
  useEffect(() => {
    void act(async () => setStored(await controller.client.listFiles(undefined, { limit: pageSize })));
  }, [act, controller]);
  if (stored === undefined) return <p className="section-hint">{t("common.loading")}…</p>;
  if (stored.length === 0) return <p className="section-hint">{t("files.nothing")}</p>;
  const remove = ({ message, file }: ListedFile): Promise<boolean> =>
    act(async () => {
      await controller.client.removeFile(message.conversationId, message.id, file.id);
      setStored((before) => before?.filter((one) => one.file.id !== file.id || one.message.id !== message.id));
    });
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
