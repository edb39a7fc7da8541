import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { deskRequestFilesPath, requestLimits } from "@latchkey/client/desk";
import type { RequestFile } from "@latchkey/client/desk";
import { Icon } from "../../components/Icon.tsx";
import { rowOf, t } from "../../messages/words.ts";
import { formatBytes, formatFull } from "../../state/format.ts";
import { useOperation } from "../office/office-context.ts";
import { Refusal } from "../office/Refusal.tsx";
import { putPart, uploadFile } from "./file-upload.ts";
import { Part } from "./Part.tsx";
import { progressText } from "./request-words.ts";
import { useRequest } from "./request-work.ts";

/** What is being sent now. */
interface Sending {
  readonly name: string;
  readonly hereBytes: number;
  readonly sizeBytes: number;
}

/** Files of a request: sent in parts with their progress, given back as downloads. */
export function Files(): ReactElement {
  const { found, at, act, isBusy, show } = useRequest();
  const { refusal, run } = useOperation();
  const [sending, setSending] = useState<Sending>();
  const [problem, setProblem] = useState<"failed" | "too-large">();
  const input = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController>(undefined);
  const send = async (bytes: File): Promise<void> => {
    setProblem(undefined);
    if (bytes.size > requestLimits.fileBytes) {
      setProblem("too-large");
      return;
    }
    const name = bytes.name.slice(-requestLimits.fileName);
    const mediaType = /^[\w.+-]+\/[\w.+-]+$/.test(bytes.type) ? bytes.type : "application/octet-stream";
    const begun = await run("request-file-begin", { number: found.number, name, mediaType, sizeBytes: bytes.size });
    if (begun === undefined) return;
    const controller = new AbortController();
    stop.current = controller;
    const outcome = await uploadFile(
      { number: found.number, file: begun.file, bytes },
      {
        put: putPart,
        signal: controller.signal,
        progress: (hereBytes) => setSending({ name, hereBytes, sizeBytes: bytes.size }),
        pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      },
    );
    setSending(undefined);
    if (outcome === "failed") setProblem("failed");
    const answer = await run("request-get", { number: found.number });
    if (answer !== undefined) show(answer.request);
  };
  return (
    <Part name="files">
      {found.files.length === 0 && <p className="section-hint">{t("legal.noFiles")}</p>}
      <ul className="request-files">
        {found.files.map((file) => (
          <FileRow
            key={file.number}
            number={found.number}
            file={file}
            remove={
              found.may.includes("request-file-remove") && sending === undefined && !isBusy
                ? () => void act("request-file-remove", { ...at, file: file.number })
                : undefined
            }
          />
        ))}
      </ul>
      <Refusal code={refusal} />
      {problem !== undefined && (
        <p className="notice notice-danger" role="alert">
          {problem === "failed" ? t("legal.fileFailed") : t("legal.fileTooLarge", { size: formatBytes(requestLimits.fileBytes) })}
        </p>
      )}
      {sending === undefined ? (
        found.state !== "closed" && (
          <>
            <input
              ref={input}
              type="file"
              className="visually-hidden"
              aria-label={t("legal.fileAdd")}
              tabIndex={-1}
              onChange={(event) => {
                const [chosen] = event.target.files ?? [];
                event.target.value = "";
                if (chosen !== undefined) void send(chosen);
              }}
            />
            <button type="button" className="button" onClick={() => input.current?.click()}>
              <Icon name="attach" size={18} />
              {t("legal.fileAdd")}
            </button>
          </>
        )
      ) : (
        <div className="request-sending">
          <p>
            <bdi>{sending.name}</bdi>
          </p>
          <progress max={sending.sizeBytes} value={sending.hereBytes} aria-label={t("legal.sending", { name: sending.name })} />
          <p className="section-hint">{progressText(sending.hereBytes, sending.sizeBytes)}</p>
          <button type="button" className="button button-small" onClick={() => stop.current?.abort()}>
            {t("common.cancel")}
          </button>
        </div>
      )}
    </Part>
  );
}

function FileRow(props: { readonly number: number; readonly file: RequestFile; readonly remove: (() => void) | undefined }): ReactElement {
  const { number, file, remove } = props;
  const isWhole = file.sha256 !== undefined;
  return (
    <li>
      <p>
        {isWhole ? (
          <a href={`${deskRequestFilesPath}/${number}/${file.number}`} download={file.name}>
            <bdi>{file.name}</bdi>
          </a>
        ) : (
          <bdi>{file.name}</bdi>
        )}
        {!isWhole && <span className="case-state">{t("legal.fileUnfinished")}</span>}
      </p>
      <p className="section-hint">
        {rowOf([
          isWhole ? formatBytes(file.sizeBytes) : progressText(file.hereBytes, file.sizeBytes),
          t("legal.fileBy", { name: file.by, time: formatFull(file.atMs) }),
        ])}
      </p>
      {remove !== undefined && (
        <button type="button" className="link-button link-danger" aria-label={t("legal.fileRemove", { name: file.name })} onClick={remove}>
          {t("legal.remove")}
        </button>
      )}
    </li>
  );
}
